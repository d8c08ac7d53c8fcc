"""A norm at 0 inside Keras's fit: NaN from the first step on, at run time only."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(0)


class Length(keras.layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="zeros", name="scale")

    def call(self, x):
        scaled = x * self.scale
        return tf.sqrt(tf.reduce_sum(scaled**2, -1, keepdims=True))  # expect: nonfinite singular-point


model = keras.Sequential([Length(), keras.layers.Dense(1)])
model.compile("sgd", "mse")
x = np.random.rand(64, 5).astype("float32")
history = model.fit(x, x.sum(1), epochs=2, batch_size=16, verbose=0)
print(np.isnan(history.history["loss"][-1]))
