"""jit(f) traces f once for each kind of arguments; after that a call runs none of its Python, new numbers or not."""

import tensorflow as tf

import tfgrad


def experiment():
    runs = []
    scale = tf.Variable(2.0)

    def loss(x, power):
        runs.append(power)  # Python: only while tracing
        return tf.reduce_sum(scale * x**power)

    step = tfgrad.jit(tfgrad.grad(loss))
    x = tf.constant([1.0, 2.0, 3.0])
    yield "2 * 2 x", step(x, 2)
    yield "by hand", step(x, 2) == 4.0 * x
    step(x + 1.0, 2), step(x * 3.0, 2)
    yield "traces", str(len(runs))
    yield "one for four calls", len(runs) == 1

    g = step(x, 3)  # an int is part of the trace
    yield "2 * 3 x**2", g
    yield "another power, another trace", len(runs) == 2

    scale.assign(10.0)  # a Variable is not
    yield "new value seen", step(x, 2) == 20.0 * x
    step(tf.ones([5]), 2)
    yield "another shape, another trace", len(runs) == 3
