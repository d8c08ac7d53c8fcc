"""Denoising with an averaged copy of the network; the last layer begins at 0, so the first step has zeros."""

import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(20)


def network():
    images, rates = keras.Input((6, 6, 1)), keras.Input((1, 1, 1))
    x = layers.Concatenate()([layers.Conv2D(6, 1)(images), layers.UpSampling2D(6)(rates)])
    x = layers.BatchNormalization(center=False, scale=False)(x)
    x = layers.Conv2D(6, 3, padding="same", activation="swish")(x)
    return keras.Model([images, rates], layers.Conv2D(1, 1, kernel_initializer="zeros")(x))


class Diffusion(keras.Model):
    def __init__(self):
        super().__init__()
        self.network, self.averaged = network(), network()
        self.averaged.set_weights(self.network.get_weights())
        self.seed_generator = keras.random.SeedGenerator(3)

    def train_step(self, images):
        noises = keras.random.normal((8, 6, 6, 1), seed=self.seed_generator)
        angles = keras.random.uniform((8, 1, 1, 1), 0.3, 1.5, seed=self.seed_generator)
        noisy = tf.cos(angles) * images + tf.sin(angles) * noises
        with tf.GradientTape() as tape:
            guess = self.network([noisy, tf.sin(angles) ** 2], training=True)
            loss = self.loss(noises, guess)
        gradients = tape.gradient(loss, self.network.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.network.trainable_weights))
        for weight, average in zip(self.network.weights, self.averaged.weights):
            average.assign(0.99 * average + 0.01 * weight)
        return {"noise": tf.reduce_mean(loss)}


model = Diffusion()
model.compile(optimizer=keras.optimizers.AdamW(1e-3, weight_decay=1e-4), loss=keras.losses.mean_absolute_error)
history = model.fit(np.random.rand(24, 6, 6, 1).astype("float32"), epochs=2, batch_size=8, verbose=0)
print(sorted(history.history))
