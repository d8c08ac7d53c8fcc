"""Keras's own train_step, a layer with a stop_gradient in it."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(0)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)

    def call(self, x):
        h = self.first(x)
        h = tf.stop_gradient(h)  # expect: none stop-gradient
        return self.second(h)


model = Net()
model.compile("sgd", "mse")
x = np.random.rand(64, 5).astype("float32")
model.fit(x, x.sum(1), epochs=2, batch_size=16, verbose=0)
print("fitted")
