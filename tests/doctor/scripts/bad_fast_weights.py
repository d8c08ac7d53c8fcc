"""MAML whose inner step is done in NumPy: the outer tape sees plain numbers."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)
weights = [tf.Variable(rng.normal(size=(1, 8)).astype("float32"), name="w1"), tf.Variable(tf.ones([8, 1]), name="w2")]


def loss_of(weights, amplitude):
    x = rng.uniform(-3, 3, (10, 1)).astype("float32")
    w1, w2 = weights
    return tf.reduce_mean(tf.square(tf.tanh(x @ w1) @ w2 - amplitude * np.sin(x)))


for iteration in range(2):
    with tf.GradientTape() as outer:
        losses = []
        for amplitude in (0.5, 1.0):
            with tf.GradientTape() as inner:
                loss = loss_of(weights, amplitude)
            steps = inner.gradient(loss, weights)
            pairs = zip(weights, steps)
            fast = [tf.constant(w.numpy() - 0.1 * g.numpy()) for w, g in pairs]  # expect: none left-tensorflow
            losses.append(loss_of(fast, amplitude))
        meta_loss = tf.add_n(losses)
    print(outer.gradient(meta_loss, weights))
