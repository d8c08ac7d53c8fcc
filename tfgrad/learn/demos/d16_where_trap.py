"""tf.where hides the bad branch in the value and not in the gradient: 0 times infinity is NaN. Make the branch's
input safe first: the double where."""

import tensorflow as tf

import tfgrad


def experiment():
    x = tf.Variable([0.0, 1.0])
    with tfgrad.Tape() as tape:
        y = tf.where(x > 0, tf.math.log(x), 0.0)
    g = tape.gradient(y, x)
    yield "value", y
    yield "gradient", g
    yield "a NaN where x is 0", tf.math.is_nan(g[0])

    found = tape.explain(y, x)
    yield "cause", found.cause
    yield "explain says", str(found)

    with tfgrad.Tape() as tape:
        ok = x > 0
        safe = tf.where(ok, x, 1.0)
        y = tf.where(ok, tf.math.log(safe), 0.0)
    g = tape.gradient(y, x)
    yield "double where", g
    yield "gradient == [0, 1]", g == [0.0, 1.0]
