"""PPO: a clipped objective, under which whole batches may have no gradient for a while."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(1)
policy = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(3)])
optimizer = keras.optimizers.Adam(0.05)
states = np.random.rand(32, 4).astype("float32")
actions, advantages = np.random.randint(0, 3, 32), np.random.randn(32).astype("float32")


def log_probabilities():
    return tf.reduce_sum(tf.nn.log_softmax(policy(states)) * tf.one_hot(actions, 3), 1)


before = log_probabilities()


@tf.function
def train_policy():
    with tf.GradientTape() as tape:
        ratio = tf.exp(log_probabilities() - before)
        smallest = tf.where(advantages > 0, 1.2 * advantages, 0.8 * advantages)
        loss = -tf.reduce_mean(tf.minimum(ratio * advantages, smallest))
    gradients = tape.gradient(loss, policy.trainable_variables)
    optimizer.apply_gradients(zip(gradients, policy.trainable_variables))


for _ in range(12):
    train_policy()
print("trained")
