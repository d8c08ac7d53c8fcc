"""tf.range(4) counts 0, 1, 2, 3, and dtype=tf.float32 makes the numbers fit for derivatives."""

import tensorflow as tf


def experiment():
    x = tf.range(4, dtype=tf.float32)
    yield "x", x
    yield "x == [0, 1, 2, 3]", x == [0.0, 1.0, 2.0, 3.0]
    yield "x is floating", x.dtype.is_floating
    yield "tf.range(4) is", tf.range(4).dtype.name
