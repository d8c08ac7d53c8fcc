"""Integer Variables carry no gradient."""

import tensorflow as tf

steps = tf.Variable(3, name="steps")
rate = tf.Variable(0.5, name="rate")
with tf.GradientTape() as tape:
    loss = rate * tf.cast(steps, tf.float32) ** 2  # expect: none integer-dtype
print(tape.gradient(loss, [steps, rate]))
