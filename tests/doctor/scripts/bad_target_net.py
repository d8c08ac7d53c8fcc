"""Q-learning whose loss is that of the target network: the trained one has no part in it."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(3)


def build():
    return keras.Sequential([keras.Input([4, 3]), keras.layers.SimpleRNN(8), keras.layers.Dense(2)])


model, target_model = build(), build()
target_model.set_weights(model.get_weights())
optimizer = keras.optimizers.Adam(0.005)
states = np.random.randn(8, 4, 3).astype("float32")
actions, rewards = np.random.randint(0, 2, 8), np.random.rand(8).astype("float32")
targets = rewards + 0.95 * tf.reduce_max(target_model(states), axis=1)
with tf.GradientTape() as tape:
    q_values = target_model(states)  # expect: none unconnected
    chosen = tf.reduce_sum(q_values * tf.one_hot(actions, 2), axis=1)
    loss = tf.reduce_mean(tf.square(targets - chosen))
gradients = tape.gradient(loss, model.trainable_variables)
optimizer.apply_gradients(zip(gradients, model.trainable_variables))
