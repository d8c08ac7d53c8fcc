"""A physics-informed network for u'' + u = 0: two tapes nested for the second derivative."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(7)
model = keras.Sequential([keras.Input([1]), keras.layers.Dense(12, activation="tanh"), keras.layers.Dense(1)])
optimizer = keras.optimizers.Adam(1e-2)
points = tf.convert_to_tensor(np.linspace(0, 3, 30)[:, None], tf.float32)


@tf.function
def train_step():
    with tf.GradientTape() as tape:
        with tf.GradientTape() as outer:
            outer.watch(points)
            with tf.GradientTape() as inner:
                inner.watch(points)
                u = model(points)
            du = inner.gradient(u, points)
        ddu = outer.gradient(du, points)
        start = tf.square(model(tf.zeros([1, 1])) - 1.0)
        loss = tf.reduce_mean(tf.square(ddu + u)) + tf.reduce_mean(start)
    optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    return loss


for epoch in range(8):
    loss = train_step()
print(f"{float(loss):.3f}")
