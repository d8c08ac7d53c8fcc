"""A forward pass before the block: nothing to differentiate, and the optimizer refuses."""

import tensorflow as tf
import keras

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input([4]), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)])
optimizer = keras.optimizers.SGD()
x, y = tf.random.normal([8, 4]), tf.ones([8, 1])
for step in range(2):
    prediction = model(x)  # expect: none outside-tape
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(prediction - y))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
