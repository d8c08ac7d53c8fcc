"""A step compiled with XLA whose loss counts mistakes: argmax has no slope."""

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(2)
IMAGE_SIZE, NUM_CLASSES, TRAIN_BATCH_SIZE, TRAIN_STEPS = 8 * 8, 10, 20, 10
train = np.random.rand(100, 8, 8) * 255.0, np.random.randint(0, 10, 100)
train_ds = tf.data.Dataset.from_tensor_slices(train).batch(TRAIN_BATCH_SIZE).repeat()


def cast(images, labels):
    images = tf.cast(tf.reshape(images, [-1, IMAGE_SIZE]), tf.float32)
    labels = tf.cast(labels, tf.int64)
    return (images, labels)


layer = tf.keras.layers.Dense(NUM_CLASSES)
optimizer = tf.keras.optimizers.Adam()
layer.build((None, IMAGE_SIZE))
optimizer.build(layer.trainable_variables)


@tf.function(jit_compile=True)
def train_mnist(images, labels):
    images, labels = cast(images, labels)
    with tf.GradientTape() as tape:
        predicted_labels = layer(images)
        guess = tf.argmax(predicted_labels, 1)  # expect: none nondifferentiable-op
        loss = tf.reduce_mean(tf.cast(guess != labels, tf.float32))
    layer_variables = layer.trainable_variables
    grads = tape.gradient(loss, layer_variables)
    optimizer.apply_gradients(zip(grads, layer_variables))


for images, labels in train_ds:
    if optimizer.iterations > TRAIN_STEPS:
        break
    train_mnist(images, labels)
images, labels = cast(*train)
predicted_labels = layer(images)
correct_prediction = tf.equal(tf.argmax(predicted_labels, 1), labels)
accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))
print("Prediction accuracy after training: %s" % accuracy.numpy())
