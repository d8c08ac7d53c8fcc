"""The norm has a corner at 0: its value there is 0, its gradient 0 / 0, which is NaN. A norm that looks before it
takes the root is safe."""

import tensorflow as tf

import tfgrad


def experiment():
    x = tf.Variable([0.0, 0.0])
    with tfgrad.Tape() as tape:
        n = tf.norm(x)
    g = tape.gradient(n, x)
    yield "norm", n
    yield "gradient", g
    yield "gradient is NaN", tf.math.is_nan(g)

    found = tape.explain(n, x)
    yield "cause", found.cause
    yield "explain says", str(found)

    def safe_norm(x):
        squared = tf.reduce_sum(x * x)
        ok = squared > 0
        inside = tf.where(ok, squared, 1.0)
        return tf.where(ok, tf.sqrt(inside), 0.0)

    yield "safe at 0", tfgrad.grad(safe_norm)(x) == 0.0
    g = tfgrad.grad(safe_norm)(tf.constant([3.0, 4.0]))
    yield "safe at [3, 4]", g
    yield (
        "gradient == x / 5",
        tf.abs(g - [0.6, 0.8]) < 1e-6,
    )
