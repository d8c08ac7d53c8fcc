"""Grad-CAM by two calls: the features that are asked about are not those the score was computed from."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(9)
inputs = keras.Input((12, 12, 3))
conv = keras.layers.Conv2D(8, 3, activation="relu", name="last_conv")(inputs)
pooled = keras.layers.GlobalAveragePooling2D()(conv)
model = keras.Model(inputs, keras.layers.Dense(4)(pooled))
features_of = keras.Model(model.inputs, model.get_layer("last_conv").output)
image = np.random.rand(1, 12, 12, 3).astype("float32")
with tf.GradientTape() as tape:
    features = features_of(image)  # expect: none rebound
    tape.watch(features)
    scores = model(image)
    best = scores[:, tf.argmax(scores[0])]
gradient = tape.gradient(best, features)
heatmap = tf.reduce_mean(features[0] * tf.reduce_mean(gradient, axis=(0, 1, 2)), axis=-1)
print(heatmap.shape)
