"""A GAN whose generator is run by predict(): its gradients are all None, and its optimizer refuses them."""

import tensorflow as tf
import keras

keras.utils.set_random_seed(1)
generator = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(2)])
critic = keras.Sequential([keras.Input([2]), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
generator_optimizer, critic_optimizer = keras.optimizers.Adam(), keras.optimizers.Adam()
real = tf.random.normal([16, 2])
for step in range(2):
    noise = tf.random.normal([16, 4])
    with tf.GradientTape() as generator_tape, tf.GradientTape() as critic_tape:
        fake = generator.predict(noise, verbose=0)  # expect: none left-tensorflow
        on_fake, on_real = critic(fake), critic(real)
        generator_loss = -tf.reduce_mean(on_fake)
        critic_loss = tf.reduce_mean(on_fake**2) + tf.reduce_mean((on_real - 1.0) ** 2)
    generator_gradients = generator_tape.gradient(generator_loss, generator.trainable_variables)
    critic_gradients = critic_tape.gradient(critic_loss, critic.trainable_variables)
    critic_optimizer.apply_gradients(zip(critic_gradients, critic.trainable_variables))
    try:
        generator_optimizer.apply_gradients(zip(generator_gradients, generator.trainable_variables))
    except ValueError:
        print("no gradients")
