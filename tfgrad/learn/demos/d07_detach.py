"""tf.stop_gradient(y) has y's value and no ancestors: the gradient of z = 2 u x treats u as a constant, and y's own
gradient is still there."""

import tensorflow as tf


def experiment():
    x = tf.Variable(tf.range(4, dtype=tf.float32))

    # persistent=True: t.gradient more than once
    with tf.GradientTape(persistent=True) as t:
        y = x**3
        u = tf.stop_gradient(y)
        z = 2 * u * x

    x_grad = t.gradient(z, x)
    yield "x_grad", x_grad
    yield "x_grad == 2 * u", x_grad == 2 * u

    y_grad = t.gradient(y, x)
    yield "y_grad", y_grad
    yield "y_grad == 3 * x**2", y_grad == 3 * (x**2)
