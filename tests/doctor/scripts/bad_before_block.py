"""A subclassed model that is called before the block: the line to move is the call."""

import tensorflow as tf
import keras

keras.utils.set_random_seed(5)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding, self.gru = keras.layers.Embedding(12, 6), keras.layers.GRU(6)
        self.dense = keras.layers.Dense(3)

    def call(self, ids):
        x = self.embedding(ids)
        x = self.gru(x)
        return self.dense(x)


model = Net()
optimizer = keras.optimizers.Adam()
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def train_step(ids, labels):
    logits = model(ids)  # expect: none outside-tape
    with tf.GradientTape() as tape:
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))


train_step(tf.constant([[1, 2, 3], [4, 5, 6]]), tf.constant([0, 2]))
