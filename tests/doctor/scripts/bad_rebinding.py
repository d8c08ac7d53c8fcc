"""Plain gradient descent that makes a tensor of its Variable, and ends in an error."""

import tensorflow as tf

w = tf.Variable([3.0], name="w")
for step in range(3):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(w * w)  # expect: none unwatched
    gradient = tape.gradient(loss, w)
    w = w - 0.1 * gradient
    print(step, w.numpy())
