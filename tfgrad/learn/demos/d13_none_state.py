"""A Variable remembers a number, not how it was computed: what is read back after assign is a new start, and the
gradient by what was assigned is None."""

import tensorflow as tf

import tfgrad


def experiment():
    x = tf.Variable(3.0)
    state = tf.Variable(0.0)
    with tfgrad.Tape() as tape:
        state.assign_add(x * x)
        y = state * 2.0
    yield (
        "gradient is None",
        tape.gradient(y, x) is None,
    )

    found = tape.explain(y, x)
    yield "cause", found.cause
    yield "explain says", str(found)

    with tfgrad.Tape() as tape:
        total = x * x  # the tensor itself
        y = total * 2.0
    state.assign_add(total)
    g = tape.gradient(y, x)
    yield "with the tensor", g
    yield "gradient == 4 * x", g == 4 * x
