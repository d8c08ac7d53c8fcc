"""The log of a sigmoid that is 0: NaN in a traced step, at run time."""

import tensorflow as tf
import keras

keras.utils.set_random_seed(1)
critic = keras.Sequential(
    [
        keras.Input([4]),
        keras.layers.Dense(8, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid", kernel_initializer=keras.initializers.Constant(-200.0)),
    ]
)
optimizer = keras.optimizers.SGD(0.1)


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        p = critic(x * 10.0)
        loss = -tf.reduce_mean(tf.math.log(p))  # expect: nonfinite singular-point
    gradients = tape.gradient(loss, critic.trainable_variables)
    optimizer.apply_gradients(zip(gradients, critic.trainable_variables))


for step in range(3):
    train_step(tf.ones([8, 4]))
print("trained")
