"""A softmax over one unit is 1 whatever comes in: nothing is learnt, eagerly."""

import tensorflow as tf
import keras

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input([4]), keras.layers.Dense(6, activation="relu"), keras.layers.Dense(1)])
x, y = tf.random.normal([16, 4]), tf.cast(tf.random.uniform([16, 1]) > 0.5, tf.float32)
for step in range(3):
    with tf.GradientTape() as tape:
        p = tf.nn.softmax(model(x))  # expect: zero saturated
        loss = tf.reduce_mean(tf.square(p - y))
    gradients = tape.gradient(loss, model.trainable_variables)
    print(step, *(float(tf.reduce_max(tf.abs(g))) < 1e-6 for g in gradients))
