"""A masked mean whose mask is empty: 0 / 0 in a loss of Keras's fit."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(8)


def masked_loss(y_true, y_pred):
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y_true, tf.int32), y_pred)
    mask = tf.cast(y_true > 20, loss.dtype)
    return tf.reduce_sum(loss * mask) / tf.reduce_sum(mask)  # expect: nonfinite singular-point


model = keras.Sequential([keras.Input([6]), keras.layers.Embedding(20, 8), keras.layers.GRU(8, return_sequences=True)])
model.add(keras.layers.Dense(20))
model.compile("adam", masked_loss)
tokens = np.random.randint(0, 20, (16, 6))
history = model.fit(tokens, np.roll(tokens, -1, 1), batch_size=8, epochs=2, verbose=0)
print(history.history["loss"][-1])
