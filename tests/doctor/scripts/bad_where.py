"""A where that hides log(0) from the value, in a tf.function."""

import tensorflow as tf

scores = tf.Variable([0.0, 0.5, 2.0], name="scores")


@tf.function
def step():
    with tf.GradientTape() as tape:
        safe = tf.where(scores > 0.0, tf.math.log(scores), 0.0)  # expect: nonfinite where-trap
        loss = tf.reduce_sum(safe)
    gradient = tape.gradient(loss, scores)
    return loss, gradient


for i in range(3):
    print(*step())
