"""A loop whose prediction leaves TensorFlow."""

import numpy as np
import tensorflow as tf
from tensorflow import GradientTape

w, b = tf.Variable([1.0, 2.0], name="w"), tf.Variable(0.0, name="b")
x = np.random.default_rng(0).random([8, 2]).astype("float32")
y = x.sum(1)
for step in range(3):
    with GradientTape() as tape:
        prediction = tf.linalg.matvec(x, w)
        loss = tf.reduce_mean((prediction.numpy() - y) ** 2) + 0.1 * b  # expect: none left-tensorflow
    gradients = tape.gradient(loss, [w, b])
    b.assign_sub(0.1 * gradients[1])
print("trained")
