"""Integer Variables carry no gradient."""

import tensorflow as tf

steps = tf.Variable(3, name="steps")  # expect: none integer-dtype
rate = tf.Variable(0.5, name="rate")
with tf.GradientTape() as tape:
    loss = rate * tf.cast(steps, tf.float32) ** 2
print(tape.gradient(loss, [steps, rate]))
