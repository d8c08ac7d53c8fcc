"""A generator whose images are made bytes before the critic sees them."""

import tensorflow as tf
import keras

keras.utils.set_random_seed(31)
generator = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(6)])
critic = keras.Sequential([keras.Input([6]), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
optimizers = keras.optimizers.Adam(), keras.optimizers.Adam()


@tf.function
def train_step(images):
    noise = tf.random.normal([8, 4], seed=6)
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        generated = tf.tanh(generator(noise)) * 127.5 + 127.5
        shown = tf.cast(tf.cast(generated, tf.uint8), tf.float32) / 255.0  # expect: none integer-dtype
        real, fake = critic(images), critic(shown)
        gen_loss = -tf.reduce_mean(fake)
        disc_loss = tf.reduce_mean(fake) - tf.reduce_mean(real)
    for_generator = gen_tape.gradient(gen_loss, generator.trainable_variables)
    for_critic = disc_tape.gradient(disc_loss, critic.trainable_variables)
    for optimizer, gradients, net in zip(optimizers, (for_generator, for_critic), (generator, critic)):
        pairs = [(g, v) for g, v in zip(gradients, net.trainable_variables) if g is not None]
        if pairs:
            optimizer.apply_gradients(pairs)


for step in range(2):
    train_step(tf.random.uniform([8, 6]))
print("trained")
