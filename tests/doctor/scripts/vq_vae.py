"""Vector quantisation: stop_gradient three times, straight through an argmin, and all of it meant."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(16)
encoder = keras.Sequential([keras.Input([10]), keras.layers.Dense(12, activation="relu"), keras.layers.Dense(4)])
decoder = keras.Sequential([keras.Input([4]), keras.layers.Dense(12, activation="relu"), keras.layers.Dense(10)])
codebook = tf.Variable(tf.random.stateless_uniform([4, 8], [1, 2], -0.5, 0.5), name="codebook")


class Trainer(keras.Model):
    def nearest_codes(self, z):
        distances = tf.reduce_sum(z**2, 1, keepdims=True) + tf.reduce_sum(codebook**2, 0) - 2 * z @ codebook
        picked = tf.one_hot(tf.argmin(distances, axis=1), 8)
        quantized = tf.matmul(picked, codebook, transpose_b=True)
        commitment = tf.reduce_mean((tf.stop_gradient(quantized) - z) ** 2)
        nearness = tf.reduce_mean((quantized - tf.stop_gradient(z)) ** 2)
        return z + tf.stop_gradient(quantized - z), 0.25 * commitment + nearness

    def train_step(self, x):
        with tf.GradientTape() as tape:
            quantized, extra = self.nearest_codes(encoder(x))
            loss = tf.reduce_mean((x - decoder(quantized)) ** 2) + extra
        variables = encoder.trainable_variables + decoder.trainable_variables + [codebook]
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return {"loss": loss}


trainer = Trainer()
trainer.compile(optimizer=keras.optimizers.Adam())
history = trainer.fit(np.random.rand(32, 10).astype("float32"), epochs=2, batch_size=8, verbose=0)
print(round(history.history["loss"][-1], 2))
