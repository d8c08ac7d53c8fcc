"""REINFORCE with a baseline: TensorArrays in a loop, an environment in NumPy, one persistent tape."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(25)
policy = keras.Sequential([keras.Input([3]), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(2)])
baseline = keras.Sequential([keras.Input([3]), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
policy_optimizer, baseline_optimizer = keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.01)


def env_step(state, action):
    state = np.roll(state, 1) * 0.9
    return state.astype(np.float32), np.array(1.0 if (state[0] > 0) == bool(action) else 0.0, np.float32)


def run_episode(state, max_steps=5):
    probs = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    values = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    rewards = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    shape = state.shape
    for t in tf.range(max_steps):
        logits = policy(tf.expand_dims(state, 0))
        action = tf.random.categorical(logits, 1, seed=4)[0, 0]
        values = values.write(t, tf.squeeze(baseline(tf.expand_dims(state, 0))))
        probs = probs.write(t, tf.nn.softmax(logits)[0, action])
        state, reward = tf.numpy_function(env_step, [state, action], [tf.float32, tf.float32])
        state.set_shape(shape)
        rewards = rewards.write(t, reward)
    return probs.stack(), values.stack(), rewards.stack()


@tf.function
def train_step(state):
    with tf.GradientTape(persistent=True) as tape:
        probs, values, rewards = run_episode(state)
        returns = tf.cumsum(rewards, reverse=True)
        advantage = tf.stop_gradient(returns - values)
        policy_loss = -tf.math.reduce_sum(tf.math.log(probs) * advantage)
        baseline_loss = tf.reduce_sum(tf.square(returns - values))
    policy_gradients = tape.gradient(policy_loss, policy.trainable_variables)
    baseline_gradients = tape.gradient(baseline_loss, baseline.trainable_variables)
    policy_optimizer.apply_gradients(zip(policy_gradients, policy.trainable_variables))
    baseline_optimizer.apply_gradients(zip(baseline_gradients, baseline.trainable_variables))
    return tf.math.reduce_sum(rewards)


for episode in range(3):
    reward = train_step(tf.random.stateless_normal([3], [episode, 5]))
    print(f"episode {episode}: reward {int(reward)}")
