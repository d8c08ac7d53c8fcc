"""Triplet loss whose margin has the wrong sign and size: the maximum with 0 wins for every example, in fit."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(12)
embedding = keras.Sequential([keras.Input([6]), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(4)])


class Siamese(keras.Model):
    def train_step(self, data):
        with tf.GradientTape() as tape:
            anchor, positive, negative = (embedding(images) for images in data)
            near = tf.reduce_sum(tf.square(anchor - positive), -1)
            far = tf.reduce_sum(tf.square(anchor - negative), -1)
            loss = tf.maximum(near - far - 1e3, 0.0)  # expect: zero masked
        gradients = tape.gradient(loss, embedding.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, embedding.trainable_weights))
        return {"loss": tf.reduce_mean(loss)}


images = np.random.rand(3, 24, 6).astype("float32")
siamese = Siamese()
siamese.compile(optimizer=keras.optimizers.Adam(1e-3))
history = siamese.fit(tf.data.Dataset.from_tensor_slices(tuple(images)).batch(8), epochs=2, verbose=0)
print(history.history["loss"][-1])
