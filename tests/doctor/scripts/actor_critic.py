"""Actor-critic on a tiny corridor: one tape for an episode of changing length, values read to act."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(4)
inputs = keras.Input([2])
common = keras.layers.Dense(16, activation="relu")(inputs)
model = keras.Model(inputs, [keras.layers.Dense(2, activation="softmax")(common), keras.layers.Dense(1)(common)])
optimizer = keras.optimizers.Adam(1e-2)
huber = keras.losses.Huber()

for episode in range(4):
    place, rewards, values, log_probabilities = 0, [], [], []
    with tf.GradientTape() as tape:
        for _ in range(12):
            state = tf.convert_to_tensor([[place / 5.0, 1.0]])
            probabilities, value = model(state)
            values.append(value[0, 0])
            action = np.random.choice(2, p=np.squeeze(probabilities))
            log_probabilities.append(tf.math.log(probabilities[0, action]))
            place = max(0, place + (1 if action else -1))
            rewards.append(1.0 if place == 5 else -0.1)
            if place == 5:
                break
        returns, total = [], 0.0
        for reward in reversed(rewards):
            total = reward + 0.9 * total
            returns.insert(0, total)
        returns = np.array(returns)
        returns = (returns - np.mean(returns)) / (np.std(returns) + 1e-7)
        losses = []
        for log_probability, value, target in zip(log_probabilities, values, returns.tolist()):
            losses.append(-log_probability * (target - value))
            losses.append(huber(tf.expand_dims(value, 0), tf.constant([target], tf.float32)))
        loss = sum(losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
print(episode, place)
