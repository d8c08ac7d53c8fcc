"""word2vec: two embeddings, sparse gradients, negative samples, Keras's own train_step."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(9)


class Word2Vec(keras.Model):
    def __init__(self, words, size):
        super().__init__()
        self.target_embedding = keras.layers.Embedding(words, size, name="w2v")
        self.context_embedding = keras.layers.Embedding(words, size)

    def call(self, pair):
        target, context = pair
        word = self.target_embedding(tf.squeeze(target, axis=1))
        near = self.context_embedding(context)
        return tf.einsum("be,bce->bc", word, near)


targets = np.random.randint(0, 50, [96, 1])
contexts = np.random.randint(0, 50, [96, 5])
labels = np.tile([1, 0, 0, 0, 0], [96, 1])
model = Word2Vec(50, 8)
model.compile("adam", keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
data = tf.data.Dataset.from_tensor_slices(((targets, contexts), labels)).batch(32, drop_remainder=True)
history = model.fit(data, epochs=2, verbose=0)
print(model.target_embedding.get_weights()[0].shape, sorted(history.history))
