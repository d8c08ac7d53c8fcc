"""An op without a registered gradient, caught and printed by the script."""

import tensorflow as tf

shift = tf.Variable(0.1, name="shift")
image = tf.random.stateless_uniform([4, 4, 3], [1, 2])
with tf.GradientTape() as tape:
    changed = tf.image.adjust_hue(image * shift, 0.1)  # expect: error no-gradient-registered
    loss = tf.reduce_mean(changed)
try:
    tape.gradient(loss, shift)
except LookupError as error:
    print("caught:", error)
