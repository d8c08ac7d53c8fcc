"""A small GAN: two tapes in one traced step, one loss against the other."""

import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(1)
generator = keras.Sequential([keras.Input([4]), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(2)])
critic = keras.Sequential([keras.Input([2]), keras.layers.Dense(16), keras.layers.LeakyReLU(), keras.layers.Dense(1)])
cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
generator_optimizer, critic_optimizer = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3)


@tf.function
def train_step(real):
    noise = tf.random.normal([32, 4])
    with tf.GradientTape() as generator_tape, tf.GradientTape() as critic_tape:
        fake = generator(noise, training=True)
        on_real, on_fake = critic(real, training=True), critic(fake, training=True)
        generator_loss = cross_entropy(tf.ones_like(on_fake), on_fake)
        critic_loss = cross_entropy(tf.ones_like(on_real), on_real) + cross_entropy(tf.zeros_like(on_fake), on_fake)
    generator_gradients = generator_tape.gradient(generator_loss, generator.trainable_variables)
    critic_gradients = critic_tape.gradient(critic_loss, critic.trainable_variables)
    generator_optimizer.apply_gradients(zip(generator_gradients, generator.trainable_variables))
    critic_optimizer.apply_gradients(zip(critic_gradients, critic.trainable_variables))
    return generator_loss, critic_loss


for epoch in range(6):
    losses = train_step(tf.random.normal([32, 2]) + 3.0)
print("done", *(f"{float(loss):.4f}" for loss in losses))
