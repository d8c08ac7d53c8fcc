"""An adversarial example by predict(), which answers arrays."""

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(5)
inputs = tf.keras.Input([12, 12, 3])
h = tf.keras.layers.Conv2D(8, 3, activation="relu")(inputs)
h = tf.keras.layers.GlobalAveragePooling2D()(h)
outputs = tf.keras.layers.Dense(10, activation="softmax")(h)
pretrained_model = tf.keras.Model(inputs, outputs)
pretrained_model.trainable = False


def preprocess(image):
    image = tf.cast(image, tf.float32)
    image = image / 127.5 - 1.0
    image = image[None, ...]
    return image


def get_imagenet_label(probs):
    index = int(np.argmax(probs[0]))
    return index, float(probs[0][index])


image = preprocess(np.random.default_rng(0).integers(0, 255, [12, 12, 3]))
image_probs = pretrained_model.predict(image, verbose=0)
loss_object = tf.keras.losses.CategoricalCrossentropy()


def create_adversarial_pattern(input_image, input_label):
    with tf.GradientTape() as tape:
        tape.watch(input_image)
        prediction = pretrained_model.predict(input_image, verbose=0)  # expect: none left-tensorflow
        loss = loss_object(input_label, prediction)
    gradient = tape.gradient(loss, input_image)
    signed_grad = tf.sign(gradient)
    return signed_grad


label = tf.one_hot(3, image_probs.shape[-1])
label = tf.reshape(label, (1, image_probs.shape[-1]))
perturbations = create_adversarial_pattern(image, label)
for eps in [0, 0.01, 0.1, 0.15]:
    adv_x = image + eps * perturbations
    adv_x = tf.clip_by_value(adv_x, -1, 1)
    index, confidence = get_imagenet_label(pretrained_model.predict(adv_x, verbose=0))
    print(f"Epsilon = {eps:0.3f}: {index} : {confidence * 100:.2f}%")
