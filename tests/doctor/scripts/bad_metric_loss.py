"""A metric in place of a loss: what it answers is read back from its Variables."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(23)
model = keras.Sequential([keras.Input([10]), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
optimizer, error = keras.optimizers.SGD(0.05), keras.metrics.MeanAbsoluteError()
x = np.random.rand(64, 10).astype("float32")


def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = error(y, model(x, training=True))  # expect: none state
    gradients = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(zip(gradients, model.trainable_weights))


train_step(x, x.sum(1, keepdims=True))
