"""WGAN-GP: a gradient inside the loss, and a critic whose last bias cancels out of it."""

import tensorflow as tf
import keras

keras.utils.set_random_seed(3)
generator = keras.Sequential([keras.Input([3]), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(2)])
critic = keras.Sequential([keras.Input([2]), keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)])
optimizers = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3)


def gradient_penalty(real, fake):
    alpha = tf.random.uniform([len(real), 1])
    between = real + alpha * (fake - real)
    with tf.GradientTape() as tape:
        tape.watch(between)
        score = critic(between, training=True)
    slope = tape.gradient(score, [between])[0]
    norm = tf.sqrt(tf.reduce_sum(tf.square(slope), axis=1))
    return tf.reduce_mean((norm - 1.0) ** 2)


for step in range(5):
    real = tf.random.normal([16, 2]) + 1.0
    for _ in range(2):
        with tf.GradientTape() as tape:
            fake = generator(tf.random.normal([16, 3]), training=True)
            loss = tf.reduce_mean(critic(fake, training=True)) - tf.reduce_mean(critic(real, training=True))
            loss += 10.0 * gradient_penalty(real, fake)
        gradients = tape.gradient(loss, critic.trainable_variables)
        optimizers[0].apply_gradients(zip(gradients, critic.trainable_variables))
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(generator(tf.random.normal([16, 3]), training=True), training=True))
    gradients = tape.gradient(loss, generator.trainable_variables)
    optimizers[1].apply_gradients(zip(gradients, generator.trainable_variables))
print(f"{float(loss):.4f}")
