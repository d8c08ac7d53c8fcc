"""An exp that overflows after a few steps of a rate that is too large, in a loop."""

import tensorflow as tf

w = tf.Variable(1.0, name="w")
for step in range(6):
    with tf.GradientTape() as tape:
        loss = tf.exp(w * 4.0)  # expect: nonfinite overflow
    gradient = tape.gradient(loss, w)
    w.assign_add(0.1 * gradient)
print("done")
