"""Triplet loss on a base that is partly frozen; then a classifier on all of it, frozen, in a loop."""

import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(12)
inputs = x = keras.Input((12, 12, 3))
for width in (6, 8):
    x = layers.Conv2D(width, 3, strides=2, use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
base = keras.Model(inputs, x)
for layer in base.layers[:3]:
    layer.trainable = False
embedding = keras.Sequential([keras.Input((12, 12, 3)), base, layers.Flatten(), layers.Dense(8)])


class Siamese(keras.Model):
    def train_step(self, data):
        with tf.GradientTape() as tape:
            anchor, positive, negative = (embedding(images) for images in data)
            near = tf.reduce_sum(tf.square(anchor - positive), -1)
            far = tf.reduce_sum(tf.square(anchor - negative), -1)
            loss = tf.maximum(near - far + 0.5, 0.0)
        gradients = tape.gradient(loss, embedding.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, embedding.trainable_weights))
        return {"loss": tf.reduce_mean(loss)}


images = np.random.rand(3, 24, 12, 12, 3).astype("float32")
siamese = Siamese()
siamese.compile(optimizer=keras.optimizers.Adam(1e-3))
siamese.fit(tf.data.Dataset.from_tensor_slices(tuple(images)).batch(8), epochs=2, verbose=0)
base.trainable = False
model = keras.Sequential([keras.Input((12, 12, 3)), base, layers.GlobalAveragePooling2D(), layers.Dense(1)])
optimizer, loss_fn = keras.optimizers.Adam(), keras.losses.BinaryCrossentropy(from_logits=True)
for n in range(2):
    with tf.GradientTape() as tape:
        loss = loss_fn(np.ones((24, 1)), model(images[n]))
    gradients = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(zip(gradients, model.trainable_weights))
print(f"{loss:.2f}", len(gradients))
