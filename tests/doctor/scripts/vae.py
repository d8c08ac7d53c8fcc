"""A variational autoencoder with its own train_step, in Keras's fit."""

import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(2)


class Sampling(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1)

    def call(self, inputs):
        mean, log_var = inputs
        epsilon = keras.random.normal(keras.ops.shape(mean), seed=self.seed_generator)
        return mean + keras.ops.exp(0.5 * log_var) * epsilon


inputs = keras.Input([8])
hidden = layers.Dense(16, activation="relu")(inputs)
mean, log_var = layers.Dense(2)(hidden), layers.Dense(2)(hidden)
encoder = keras.Model(inputs, [mean, log_var, Sampling()([mean, log_var])])
latent = keras.Input([2])
decoder = keras.Model(latent, layers.Dense(8, activation="sigmoid")(layers.Dense(16, activation="relu")(latent)))


class VAE(keras.Model):
    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder, self.decoder = encoder, decoder
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.tracker]

    def train_step(self, data):
        with tf.GradientTape() as tape:
            mean, log_var, z = self.encoder(data)
            reconstruction = self.decoder(z)
            error = tf.reduce_mean(
                tf.reduce_sum(keras.losses.binary_crossentropy(data[..., None], reconstruction[..., None]), 1)
            )
            divergence = tf.reduce_mean(tf.reduce_sum(-0.5 * (1 + log_var - tf.square(mean) - tf.exp(log_var)), 1))
            loss = error + divergence
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights))
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}


vae = VAE(encoder, decoder)
vae.compile(optimizer=keras.optimizers.Adam())
history = vae.fit(np.random.rand(64, 8).astype("float32"), epochs=3, batch_size=16, verbose=0)
print(sorted(history.history))
