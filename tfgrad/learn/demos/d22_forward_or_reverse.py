"""A Jacobian is computed row by row in reverse (one pass an output) or column by column forward (one pass an input):
the numbers are the same, the cost is not."""

import tensorflow as tf

import tfgrad


def passes(mode, f, x):
    calls = []

    def counted(x):
        return f(x)

    if mode == "rev":
        y, pull = tfgrad.vjp(counted, x)
        for row in tf.eye(len(y)):
            calls.append(pull(row)[0])
        return tf.stack(calls), len(calls)
    for column in tf.eye(len(x)):
        calls.append(
            tfgrad.jvp(counted, (x,), (column,))[1]
        )
    return tf.stack(calls, axis=1), len(calls)


def experiment():
    x = tf.linspace(0.1, 1.0, 6)

    def wide(x):  # 6 numbers in, 2 out
        return tf.stack(
            [tf.reduce_sum(x**2), x[0] * x[1]]
        )

    rows, reverse = passes("rev", wide, x)
    columns, forward = passes("fwd", wide, x)
    yield "passes in reverse", str(reverse)
    yield "passes forward", str(forward)
    yield "as many as outputs", reverse == 2
    yield "as many as inputs", forward == 6
    yield (
        "the same numbers",
        tf.abs(rows - columns) < 1e-6,
    )

    J = tfgrad.jacobian(wide)(x)
    yield "jacobian", J
    yield "jacobian == rows", tf.abs(J - rows) < 1e-6
    forced = tfgrad.jacobian(wide, mode="fwd")(x)
    yield 'mode="fwd" agrees', tf.abs(J - forced) < 1e-6
