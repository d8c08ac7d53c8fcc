"""Gradient ascent on an image: a tape in a loop of a tf.function; then the sign of a gradient, which is no fault."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(33)
inputs = keras.Input((None, None, 3))
first = keras.layers.Conv2D(6, 3, padding="same", activation="relu")(inputs)
second = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(first)
dream_model = keras.Model(inputs, [first, second])


class DeepDream(tf.Module):
    @tf.function(input_signature=(tf.TensorSpec([None, None, 3]), tf.TensorSpec([], tf.int32), tf.TensorSpec([])))
    def __call__(self, img, steps, step_size):
        loss = tf.constant(0.0)
        for n in tf.range(steps):
            with tf.GradientTape() as tape:
                tape.watch(img)
                loss = tf.reduce_sum([tf.reduce_mean(act) for act in dream_model(tf.expand_dims(img, 0))])
            gradients = tape.gradient(loss, img)
            gradients /= tf.math.reduce_std(gradients) + 1e-8
            img = tf.clip_by_value(img + gradients * step_size, -1, 1)
        return loss, img


deepdream = DeepDream()
img = tf.constant(np.random.uniform(-1, 1, (12, 12, 3)).astype("float32"))
for run in range(3):
    loss, img = deepdream(img, tf.constant(4), tf.constant(0.01))
    print(f"loss {loss:.3f}")
image = tf.convert_to_tensor(np.random.uniform(-1, 1, (1, 12, 12, 3)), tf.float32)
with tf.GradientTape() as tape:
    tape.watch(image)
    score = tf.reduce_max(dream_model(image)[1], axis=[1, 2])[:, 3]
adversarial = image + 0.01 * tf.sign(tape.gradient(score, image))
print("changed", bool(tf.reduce_any(adversarial != image)))
