"""A tf.Variable holds the same values; a tape watches it by itself."""

import tensorflow as tf


def experiment():
    numbers = tf.range(4, dtype=tf.float32)
    x = tf.Variable(numbers)
    yield "x", x
    yield "x == numbers", x == numbers
    with tf.GradientTape() as t:
        y = tf.reduce_sum(x * x)
    watched = [v is x for v in t.watched_variables()]
    yield "the tape watches x", watched
    yield "gradient of x . x", t.gradient(y, x)
