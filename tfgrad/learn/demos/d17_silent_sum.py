"""A tape asked about a vector answers the gradient of its sum, without a word. explain says it in a note, and
tfgrad.grad refuses."""

import tensorflow as tf

import tfgrad


def experiment():
    x = tf.Variable([1.0, 2.0, 3.0])
    with tfgrad.Tape() as tape:
        errors = x * x
    g = tape.gradient(errors, x)
    yield "gradient", g
    sum_of_squares = tfgrad.grad(
        lambda x: tf.reduce_sum(x * x)
    )
    yield (
        "it is that of the sum",
        g == sum_of_squares(x),
    )

    found = tape.explain(errors, x)
    yield "nothing is wrong", found.ok
    yield "explain says", str(found)

    try:
        tfgrad.grad(lambda x: x * x)(x)
    except tfgrad.NotScalarError as error:
        yield "tfgrad.grad says", str(error)

    mean = tfgrad.grad(lambda x: tf.reduce_mean(x * x))(
        x
    )
    yield "if the mean was meant", mean
    yield "mean == gradient / 3", mean == g / 3
