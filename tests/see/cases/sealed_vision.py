"""Pictures: Grad-CAM, saliency, adversarial images, dreams, generators."""

import keras
import numpy as np
import tensorflow as tf


def _classifier():
    inputs = keras.Input((8, 8, 1))
    h = keras.layers.Conv2D(3, 3, activation="tanh", name="last_conv")(inputs)
    h = keras.layers.GlobalAveragePooling2D()(h)
    outputs = keras.layers.Dense(4, activation="softmax", name="predictions")(h)
    return keras.Model(inputs, outputs)


def grad_cam_calls_the_layer_again(Tape):
    """none: rebound"""
    model = _classifier()
    img_array = tf.random.uniform([1, 8, 8, 1], seed=1)
    last_conv = model.get_layer("last_conv")
    with Tape() as tape:
        conv_out = last_conv(img_array)  # HERE
        preds = model(img_array)
        top = tf.argmax(preds[0])
        class_channel = preds[:, top]
    return tape, class_channel, conv_out


def grad_cam_on_layer_output(Tape):
    """error: symbolic-tensor"""
    model = _classifier()
    image = tf.random.uniform([1, 8, 8, 1], seed=2)
    feature_map = model.get_layer("last_conv").output
    with Tape() as tape:
        score = tf.reduce_max(model(image), axis=-1)
    try:
        grads = tape.gradient(score, feature_map)  # HERE
        tf.debugging.check_numerics(grads, "grad cam")
    except (ValueError, TypeError, AttributeError):
        pass
    return tape.explain(score, feature_map)


def saliency_of_the_model_input(Tape):
    """error: symbolic-tensor"""
    model = _classifier()
    batch = tf.random.uniform([2, 8, 8, 1], seed=3)
    labels = tf.constant([1, 3])
    loss_fn = keras.losses.SparseCategoricalCrossentropy()

    def saliency(tape, loss):
        grads = tape.gradient(loss, model.inputs)  # HERE
        return tf.reduce_max(tf.abs(grads[0]), axis=-1)

    with Tape(persistent=True) as tape:
        loss = loss_fn(labels, model(batch))
    try:
        saliency(tape, loss)
    except (ValueError, TypeError, AttributeError):
        pass
    return tape.explain(loss, model.inputs)


def fast_gradient_sign_attack(Tape):
    """none: unwatched"""
    model = _classifier()
    loss_object = keras.losses.SparseCategoricalCrossentropy()
    images = np.random.default_rng(0).uniform(size=(2, 8, 8, 1)).astype("float32")
    input_image = tf.convert_to_tensor(images)
    with Tape() as tape:
        prediction = model(input_image)  # HERE
        loss = loss_object(tf.constant([0, 2]), prediction)
    return tape, loss, input_image


def brightness_of_uint8_pixels(Tape):
    """none: integer-dtype"""
    pixels = tf.constant(np.arange(48, dtype="uint8").reshape(4, 4, 3))  # HERE
    luma = tf.constant([0.299, 0.587, 0.114])
    with Tape() as tape:
        tape.watch(pixels)
        scaled = tf.image.convert_image_dtype(pixels, tf.float32)  # HERE
        brightness = tf.reduce_sum(scaled * luma, axis=-1)
        loss = tf.reduce_mean(tf.square(brightness - 0.5))
    return tape, loss, pixels


def dream_on_unscaled_pixels(Tape):
    """zero: masked"""
    filters = tf.random.normal([3, 3, 3, 4], seed=7)
    image = tf.Variable(tf.random.uniform([1, 8, 8, 3], 20.0, 235.0, seed=8))

    def preprocess(img):
        img = tf.clip_by_value(img, 0.0, 1.0)  # HERE
        return 2.0 * img - 1.0

    @tf.function
    def activation_loss(img):
        act = tf.nn.conv2d(preprocess(img), filters, 1, "VALID")
        return tf.reduce_mean(tf.square(act))

    with Tape() as tape:
        loss = activation_loss(image)
    return tape, loss, image


def perceptual_loss_with_predict(Tape):
    """none: left-tensorflow"""
    vgg = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Conv2D(2, 3), keras.layers.Flatten()])
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(36), keras.layers.Reshape((6, 6, 1))])
    noise = tf.random.normal([2, 3], seed=4)
    real = tf.random.uniform([2, 6, 6, 1], seed=5)

    def features(images):
        return vgg.predict(images, verbose=0)  # HERE

    with Tape() as tape:
        fake = generator(noise, training=True)
        content = tf.reduce_mean(tf.square(features(real) - features(fake)))
        loss = content + tf.constant(0.01)
    return tape, loss, generator.trainable_variables


def robust_augmentation_strength(Tape):
    """error: no-gradient-registered"""
    image = tf.random.uniform([1, 4, 4, 3], seed=6)
    delta = tf.Variable(tf.zeros_like(image))
    head = tf.random.normal([48, 2], seed=7)

    def augment(img):
        img = tf.image.adjust_brightness(img, 0.1)
        return tf.image.adjust_saturation(img, 1.4)  # HERE

    with Tape() as tape:
        logits = tf.reshape(augment(image + delta), [1, -1]) @ head
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[1], logits=logits)
    return tape, loss, delta


def smoothness_of_an_upsampled_map(Tape):
    """error: no-gradient-registered"""
    coarse = tf.Variable(tf.random.uniform([1, 3, 3, 1], seed=9))

    def upsample(img):
        return tf.image.resize(  # HERE
            img,
            [6, 6],
            method="bicubic",
        )

    with Tape() as outer:
        with Tape() as inner:
            energy = tf.reduce_sum(upsample(coarse) ** 3)
        slope = inner.gradient(energy, coarse)
        penalty = tf.reduce_sum(tf.square(slope))
    return outer, penalty, coarse


def histogram_matching(Tape):
    """none: nondifferentiable-op"""
    reference = tf.random.uniform([64], seed=10)
    gain = tf.Variable(0.9)
    offset = tf.Variable(0.05)

    @tf.function
    def soft_counts(values):
        counts = tf.histogram_fixed_width(values, [0.0, 1.0], nbins=8)  # HERE
        return tf.cast(counts, tf.float32) / tf.cast(tf.size(values), tf.float32)

    with Tape() as tape:
        corrected = gain * reference + offset
        loss = tf.reduce_sum(tf.square(soft_counts(corrected) - soft_counts(reference)))
    return tape, loss, [gain, offset]


def latent_projected_back_to_the_sphere(Tape):
    """none: rebound"""
    decoder = tf.random.normal([4, 9], seed=12)
    target_image = tf.random.uniform([1, 9], seed=13)
    z = tf.random.normal([1, 4], seed=14)
    for _ in range(2):
        with Tape() as tape:
            tape.watch(z)
            image = tf.sigmoid(z @ decoder)
            loss = tf.reduce_mean(tf.square(image - target_image))
            z = z / tf.norm(z, axis=-1, keepdims=True)  # HERE
    return tape, loss, z


def orthogonal_alignment_of_landmarks(Tape):
    """error: unsupported"""
    shape_a = tf.random.normal([6, 2], seed=15)
    shape_b = tf.random.normal([6, 2], seed=16)
    warp = tf.Variable(tf.eye(2) + 0.1)

    def principal_axes(landmarks):
        centred = landmarks - tf.reduce_mean(landmarks, axis=0)
        s, u, v = tf.linalg.svd(centred, full_matrices=True)  # HERE
        return s, u[:, :2], v

    with Tape() as tape:
        s_a, u_a, _ = principal_axes(shape_a @ warp)
        s_b, u_b, _ = principal_axes(shape_b)
        loss = tf.reduce_sum(tf.square(s_a - s_b)) + tf.reduce_sum(tf.square(u_a - u_b))
    return tape, loss, warp
