"""An autoencoder whose decoder is given the input in place of the code; Nones are filtered by hand."""

import tensorflow as tf
import keras

keras.utils.set_random_seed(1)
encoder = keras.Sequential([keras.Input([6]), keras.layers.Dense(6, activation="relu"), keras.layers.Dense(6)])
decoder = keras.Sequential([keras.Input([6]), keras.layers.Dense(6, activation="relu"), keras.layers.Dense(6)])
optimizer = keras.optimizers.Adam()


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        encoder(x)  # expect: none unconnected
        loss = tf.reduce_mean((decoder(x) - x) ** 2)
    variables = encoder.trainable_variables + decoder.trainable_variables
    gradients = tape.gradient(loss, variables)
    optimizer.apply_gradients([(g, v) for g, v in zip(gradients, variables) if g is not None])
    return loss


for step in range(3):
    loss = train_step(tf.random.normal([8, 6]))
print("trained")
