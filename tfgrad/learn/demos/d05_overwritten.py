"""A gradient is calculated anew each time; it is overwritten, not accumulated."""

import tensorflow as tf


def experiment():
    x = tf.Variable(tf.range(4, dtype=tf.float32))
    with tf.GradientTape() as t:
        y = 2 * tf.tensordot(x, x, axes=1)
    x_grad = t.gradient(y, x)
    yield "x_grad of 2 x . x", x_grad

    with tf.GradientTape() as t:
        y = tf.reduce_sum(x)
    x_grad = t.gradient(y, x)  # not added to the former
    yield "x_grad of sum(x)", x_grad
    yield "x_grad == 1", x_grad == 1.0
