"""acos at 1 inside a loop inside a tf.function."""

import tensorflow as tf

v = tf.Variable([1.0, 0.0], name="v")


@tf.function
def step():
    with tf.GradientTape() as tape:
        total = 0.0
        for k in tf.range(3):
            n = v / tf.norm(v)
            total += tf.acos(n[0])  # expect: nonfinite singular-point
    return tape.gradient(total, v)


for i in range(2):
    print(step().numpy())
