"""The gradient of 2 x**2 + 3 x + 10 is 4 x + 3; as that is a vector, a tape gives the gradient of its sum."""

import tensorflow as tf

import tfgrad


def experiment():
    x = tf.Variable(tf.range(4, dtype=tf.float32))
    with tf.GradientTape() as t:
        y = (2 * (x**2)) + (3 * x) + 10
    x_grad = t.gradient(y, x)
    yield "y", y
    yield "x_grad", x_grad
    yield "x_grad == 4 * x + 3", x_grad == 4 * x + 3

    # y is a vector: the tape summed it without a word
    with tf.GradientTape() as t:
        y = (2 * (x**2)) + (3 * x) + 10
        total = tf.reduce_sum(y)
    g = t.gradient(total, x)
    yield "x_grad == gradient of sum(y)", x_grad == g

    # tfgrad.grad wants one number, and says so
    try:
        tfgrad.grad(lambda x: 2 * x**2 + 3 * x + 10)(x)
    except tfgrad.NotScalarError as error:
        yield "tfgrad.grad says", error.given
