"""A rule that forgets a factor runs without complaint and trains to the wrong place; numbers find it at once, and say
how it is wrong."""

import tensorflow as tf

import tfgrad as tg


def experiment():
    @tf.custom_gradient
    def cube(x):
        def rule(dy):
            return x**2 * dy  # should be 3 * x**2

        return x**3, rule

    x = tf.constant([1.0, 2.0])
    yield (
        "tg.grad, wrong",
        tg.grad(lambda x: tf.reduce_sum(cube(x)))(x),
    )
    try:
        tg.check_grads(cube, (x,))
    except tg.GradientMismatch as error:
        found = error.check.mismatches[0]
    yield "by", found.element
    yield "reverse", round(found.reverse, 6)
    yield "numerical", round(found.number, 6)
    yield "likely", found.reason
    yield "a third is told", "a third" in found.reason
    yield (
        "right without the rule",
        tg.check_grads(lambda x: x**3, (x,)).ok,
    )
