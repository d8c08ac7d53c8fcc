"""Integers have no derivative: tf.Variable(10) is one, and its gradient is None; tf.Variable(10.0) has one."""

import tensorflow as tf

import tfgrad


def experiment():
    x = tf.Variable(10)
    with tfgrad.Tape() as tape:
        y = tf.cast(x, tf.float32) ** 2
    yield (
        "gradient is None",
        tape.gradient(y, x) is None,
    )

    found = tape.explain(y, x)
    yield "cause", found.cause
    yield "explain says", str(found)

    x = tf.Variable(10.0)
    with tfgrad.Tape() as tape:
        y = x**2
    yield "with 10.0", tape.gradient(y, x)
    yield (
        "gradient == 20",
        tfgrad.grad(tf.square)(x) == 20.0,
    )
