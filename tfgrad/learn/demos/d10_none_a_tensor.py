"""A tape watches Variables. After w = w - 0.1 * g the name w stands for a plain tensor, which nobody watches, and its
gradient is None; w.assign_sub keeps the Variable."""

import tensorflow as tf

import tfgrad


def experiment():
    w = tf.Variable(2.0)
    for _ in range(2):
        with tfgrad.Tape() as tape:
            loss = w * w
        g = tape.gradient(loss, w)
        yield "gradient", "None" if g is None else g
        if g is not None:
            w = w - 0.1 * g  # now w is a tensor
    yield "the second is None", g is None

    found = tape.explain(loss, w)
    yield "cause", found.cause
    yield "explain says", str(found)

    w = tf.Variable(2.0)
    for _ in range(2):
        with tfgrad.Tape() as tape:
            loss = w * w
        g = tape.gradient(loss, w)
        w.assign_sub(0.1 * g)  # still a Variable
    yield "with assign_sub", g
    yield "second == 2 * 1.6", tf.abs(g - 3.2) < 1e-6
