"""Gradients gathered over small batches before a step, clipped, through a custom gradient and an embedding."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(34)


@tf.custom_gradient
def clip_gradients(y):
    def backward(dy):
        return tf.clip_by_norm(dy, 0.5)

    return y, backward


embedding, head = keras.layers.Embedding(30, 8), keras.layers.Dense(2)
ids = np.random.randint(0, 20, (32, 6))
labels = (ids.sum(1) > 57).astype("int64")
head(embedding(ids[:1])[:, 0])
weights = embedding.trainable_weights + head.trainable_weights
accumulated = [tf.Variable(tf.zeros_like(w), trainable=False) for w in weights]
optimizer = keras.optimizers.SGD(0.5)
loss_object = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def gather(ids, labels, scale):
    with tf.GradientTape() as tape:
        logits = head(clip_gradients(tf.reduce_mean(embedding(ids), 1)))
        loss = loss_object(labels, logits) * scale + 1e-4 * tf.nn.l2_loss(head.kernel)
    for total, gradient in zip(accumulated, tape.gradient(loss, weights)):
        total.assign_add(tf.convert_to_tensor(gradient))
    return loss


@tf.function
def step():
    clipped, _ = tf.clip_by_global_norm([total.value() for total in accumulated], 1.0)
    optimizer.apply_gradients(zip(clipped, weights))
    for total in accumulated:
        total.assign(tf.zeros_like(total))


for epoch in range(2):
    for start in range(0, 32, 8):
        loss = gather(tf.constant(ids[start : start + 8]), tf.constant(labels[start : start + 8]), 0.25)
    step()
    print(f"epoch {epoch} loss {loss:.3f}")
