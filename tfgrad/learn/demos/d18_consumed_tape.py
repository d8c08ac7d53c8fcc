"""A tape answers one gradient() and forgets; the second is an error, which here names the line of the first. Ask once
for all, or use persistent=True."""

import tensorflow as tf

import tfgrad


def experiment():
    x = tf.Variable(3.0)
    with tfgrad.Tape() as tape:
        y = x * x
        z = y * y
    dy = tape.gradient(y, x)
    try:
        dz = tape.gradient(z, x)
    except RuntimeError as error:
        yield "TensorFlow says", str(error)

    found = tape.explain(z, x)
    yield "cause", found.cause
    yield (
        "cause is known",
        found.cause == "tape-consumed",
    )
    yield "explain says", str(found)

    with tfgrad.Tape(persistent=True) as tape:
        y = x * x
        z = y * y
    dy, dz = tape.gradient(y, x), tape.gradient(z, x)
    yield "dy, dz", tf.stack([dy, dz])
    yield (
        "dy == 2x, dz == 4x**3",
        [dy == 2 * x, dz == 4 * x**3],
    )
