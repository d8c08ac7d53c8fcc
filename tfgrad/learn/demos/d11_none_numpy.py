"""What NumPy computes is a plain number to the tape: the gradient ends where the value leaves TensorFlow, and is None."""

import numpy as np
import tensorflow as tf

import tfgrad


def experiment():
    x = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    with tfgrad.Tape() as tape:
        squared = x**2
        means = np.mean(squared, axis=0)
        y = tf.reduce_sum(means * 1.0)
    yield (
        "gradient is None",
        tape.gradient(y, x) is None,
    )

    found = tape.explain(y, x)
    yield "cause", found.cause
    yield "explain says", str(found)

    with tfgrad.Tape() as tape:
        squared = x**2
        means = tf.reduce_mean(squared, axis=0)
        y = tf.reduce_sum(means)
    g = tape.gradient(y, x)
    yield "with tf.reduce_mean", g
    yield "gradient == x", g == x
