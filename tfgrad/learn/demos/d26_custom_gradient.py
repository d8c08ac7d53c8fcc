"""log(1 + exp(x)) is fine at x = 100 in mathematics, and overflows in float32: its gradient is NaN. A rule of your own
mends it; tfgrad checks the rule, and jvp obeys it."""

import tensorflow as tf

import tfgrad


def plain(x):
    return tf.math.log(1.0 + tf.exp(x))


@tfgrad.custom_gradient
def mended(x):
    def grad(dy):
        return dy * tf.sigmoid(x)

    return tf.math.log(1.0 + tf.exp(x)), grad


def experiment():
    x = tf.constant(100.0)
    g = tfgrad.grad(plain)(x)
    yield "plain", g
    yield "is NaN", tf.math.is_nan(g)
    g = tfgrad.grad(mended)(x)
    yield "mended", g
    yield "mended == 1", g == 1.0

    small = tf.constant(0.5)
    apart = tfgrad.grad(plain)(small)
    apart -= tfgrad.grad(mended)(small)
    yield "they agree at 0.5", tf.abs(apart) < 1e-6
    _, dy = tfgrad.jvp(mended, (x,), (1.0,))
    yield "jvp obeys it", dy == 1.0

    @tfgrad.custom_gradient
    def wrong(x):
        return x * 2.0, lambda dy: (dy, dy)

    try:
        tfgrad.grad(wrong)(x)
    except tfgrad.GradError as error:
        yield "a rule of two answers", str(error)
