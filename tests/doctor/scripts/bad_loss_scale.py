"""A loss that overflows in float16 at every step: a LossScaleOptimizer skips them all, and nothing is learnt."""

import numpy as np
import tensorflow as tf
import keras

keras.mixed_precision.set_global_policy("mixed_float16")
keras.utils.set_random_seed(21)
model = keras.Sequential([keras.Input([20]), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(5)])
optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.RMSprop(1e-3), initial_scale=2.0**10)
optimizer.build(model.trainable_variables)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        squares = tf.square(model(x) * 1000.0 - y)  # expect: nonfinite overflow
        scaled = optimizer.scale_loss(tf.reduce_mean(tf.cast(squares, tf.float32)))
    optimizer.apply(tape.gradient(scaled, model.trainable_variables), model.trainable_variables)


for step in range(5):
    train_step(np.random.rand(16, 20).astype("float16"), np.full([16, 5], 500.0, "float16"))
print("trained")
