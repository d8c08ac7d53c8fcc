"""With u detached from y = x * x, the gradient of z = x * u is u and not 3 x**2. (The notebook's prose says
y = x + x; its 3 * x * x belongs to y = x * x. Both are shown.)"""

import tensorflow as tf

import tfgrad


def experiment():
    x = tf.Variable(tf.range(1, 5, dtype=tf.float32))
    yield "x", x

    def attached(x):
        y = x * x
        return tf.reduce_sum(x * y)

    def detached(x):
        y = x * x
        u = tfgrad.stop_gradient(y)
        return tf.reduce_sum(x * u)

    u = x * x
    yield "u = x * x", u
    g = tfgrad.grad(detached)(x)
    yield "detached == u", g == u
    g = tfgrad.grad(attached)(x)
    yield "attached == 3 * x * x", g == 3 * x * x

    def as_in_the_prose(x):
        y = x + x
        u = tfgrad.stop_gradient(y)
        return tf.reduce_sum(x * u)

    def prose_attached(x):
        y = x + x
        return tf.reduce_sum(x * y)

    u = x + x
    yield "u = x + x", u
    g = tfgrad.grad(as_in_the_prose)(x)
    yield "detached == x + x", g == u
    g = tfgrad.grad(prose_attached)(x)
    yield "attached == 4 * x", g == 4 * x
