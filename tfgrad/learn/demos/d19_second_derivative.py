"""A gradient can be differentiated again: of x**3 it is 3 x**2, then 6 x, then 6."""

import tensorflow as tf

import tfgrad


def experiment():
    def f(x):
        return x**3

    x = tf.constant(2.0)
    first = tfgrad.grad(f)
    second = tfgrad.grad(first)
    third = tfgrad.grad(second)
    yield "x", x
    yield "3 x**2", first(x)
    yield "6 x", second(x)
    yield "6", third(x)
    values = [first(x), second(x), third(x)]
    yield (
        "all three",
        tf.equal(values, [12.0, 12.0, 6.0]),
    )

    # the same with tapes: the inner one's gradient
    # is taken inside the outer one's block
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = f(x)
        dy = inner.gradient(y, x)
    d2y = outer.gradient(dy, x)
    yield "tapes agree", d2y == second(x)
