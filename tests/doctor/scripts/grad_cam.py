"""Grad-CAM: the gradient of a class score at a convolution's output, through a model with two outputs."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(6)
inputs = keras.Input([12, 12, 1])
x = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
x = keras.layers.Conv2D(6, 3, activation="relu", name="last")(x)
model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(x)))
both = keras.Model(model.inputs, [model.get_layer("last").output, model.output])
image = np.random.rand(1, 12, 12, 1).astype("float32")
with tf.GradientTape() as tape:
    maps, scores = both(image)
    index = tf.argmax(scores[0])
    score = scores[:, index]
slopes = tape.gradient(score, maps)
pooled = tf.reduce_mean(slopes, axis=(0, 1, 2))
heat = tf.squeeze(maps[0] @ pooled[..., tf.newaxis])
heat = tf.maximum(heat, 0) / (tf.math.reduce_max(heat) + 1e-9)
print(heat.numpy().shape, np.argmax(model.predict(image, verbose=0)))
