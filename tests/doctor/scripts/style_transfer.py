"""Style transfer: an image is the Variable, clipped after each step, Gram matrices of a frozen network."""

import tensorflow as tf
import keras

keras.utils.set_random_seed(10)
inputs = keras.Input([16, 16, 3])
first = keras.layers.Conv2D(4, 3, activation="relu", padding="same")(inputs)
second = keras.layers.Conv2D(6, 3, activation="relu", padding="same")(keras.layers.AveragePooling2D(2)(first))
features = keras.Model(inputs, [first, second])
features.trainable = False


def gram(x):
    size = tf.cast(tf.shape(x)[1] * tf.shape(x)[2], tf.float32)
    return tf.linalg.einsum("bijc,bijd->bcd", x, x) / size


content, style = tf.random.uniform([1, 16, 16, 3]), tf.random.uniform([1, 16, 16, 3])
style_targets, content_target = [gram(x) for x in features(style)], features(content)[1]
image = tf.Variable(content)
optimizer = tf.keras.optimizers.Adam(0.02)


@tf.function()
def train_step(image):
    with tf.GradientTape() as tape:
        outputs = features(image)
        style_loss = tf.add_n([tf.reduce_mean((gram(x) - g) ** 2) for x, g in zip(outputs, style_targets)])
        loss = style_loss + 1e-2 * tf.reduce_mean((outputs[1] - content_target) ** 2)
        loss += 1e-4 * tf.reduce_sum(tf.image.total_variation(image))
    gradient = tape.gradient(loss, image)
    optimizer.apply_gradients([(gradient, image)])
    image.assign(tf.clip_by_value(image, 0.0, 1.0))
    return loss


for step in range(5):
    loss = train_step(image)
print(f"{float(loss):.3f}")
