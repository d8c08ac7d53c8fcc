"""The gradient of y = 2 x . x with respect to x is 4 x."""

import tensorflow as tf

import tfgrad


def experiment():
    x = tf.Variable(tf.range(4, dtype=tf.float32))

    # Record all computations onto a tape
    with tf.GradientTape() as t:
        y = 2 * tf.tensordot(x, x, axes=1)
    yield "y", y
    yield "y == 28", y == 28.0

    x_grad = t.gradient(y, x)
    yield "x_grad", x_grad
    yield "x_grad == 4 * x", x_grad == 4 * x

    def f(x):
        return 2 * tf.tensordot(x, x, axes=1)

    # The same in one line
    g = tfgrad.grad(f)(x)
    yield "grad(f)(x) == x_grad", g == x_grad
