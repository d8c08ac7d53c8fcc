"""MAML by assignment: what is read back from a Variable is a new start."""

import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).random([16, 3]).astype("float32")
y = x.sum(1, keepdims=True)
w, fast = tf.Variable(tf.ones([3, 1]) * 0.3, name="w"), tf.Variable(tf.zeros([3, 1]), name="fast")
for task in range(2):
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            loss = tf.reduce_mean((x @ w - y) ** 2)
        gradient = inner.gradient(loss, w)
        fast.assign(w - 0.1 * gradient)  # expect: none state
        meta = tf.reduce_mean((x @ fast - y) ** 2)
    print(outer.gradient(meta, w))
