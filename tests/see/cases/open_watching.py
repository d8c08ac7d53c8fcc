"""Sources that nobody watched, that are not trainable, or that take no part in the target."""

import keras
import numpy as np
import tensorflow as tf


def saliency_of_a_plain_image(Tape):
    """none: unwatched"""
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)])
    image = tf.random.normal((1, 4, 4, 1))
    with Tape() as tape:
        scores = model(image)  # HERE
        top = scores[:, 1]
    return tape, top, image


def watch_after_the_features(Tape):
    """none: unwatched"""
    x = tf.linspace(0.0, 1.0, 5)
    with Tape() as tape:
        features = tf.sin(x)  # HERE
        tape.watch(x)
        y = tf.reduce_sum(features**2)
    return tape, y, x


def weights_rebound_by_the_update(Tape):
    """none: unwatched"""
    w, lr = tf.Variable([0.5, -0.5]), 0.1
    x, y = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([1.0, 0.0])
    for step in range(2):
        with Tape() as tape:
            pred = tf.linalg.matvec(x, w)  # HERE
            loss = tf.reduce_mean((pred - y) ** 2)
        if step == 0:
            w = w - lr * tape.gradient(loss, w)
    return tape, loss, w


def accessed_variables_switched_off(Tape):
    """none: unwatched"""
    a, b = tf.Variable(2.0), tf.Variable(3.0)
    with Tape(watch_accessed_variables=False) as tape:
        tape.watch(a)
        prod = a * b  # HERE
        loss = tf.square(prod)
    return tape, loss, [a, b]


def plain_point_into_a_function(Tape):
    """none: unwatched"""

    @tf.function
    def energy(q):
        return 0.5 * tf.reduce_sum(q**2)  # HERE

    q = tf.constant([1.0, 2.0])
    with Tape() as tape:
        e = energy(q)  # HERE
    return tape, e, q


def second_input_forgotten(Tape):
    """none: unwatched"""
    anchors = {"a": tf.constant([1.0, 0.0]), "b": tf.constant([0.0, 2.0])}
    with Tape(persistent=True) as tape:
        tape.watch(anchors["a"])
        diff = anchors["a"] - anchors["b"]  # HERE
        dist = tf.reduce_sum(diff**2)
    return tape, dist, anchors


def frequencies_not_trainable(Tape):
    """none: not-trainable"""
    freqs = tf.Variable([1.0, 2.0, 4.0], trainable=False, name="freqs")
    t = tf.constant(0.3)
    with Tape() as tape:
        wave = tf.sin(freqs * t)  # HERE
        loss = tf.reduce_sum(wave)
    return tape, loss, freqs


def moving_mean_of_batch_norm(Tape):
    """none: not-trainable"""
    bn = keras.layers.BatchNormalization()
    x = tf.random.normal((6, 3))
    bn(x)
    with Tape() as tape:
        out = bn(x, training=False)  # HERE
        loss = tf.reduce_sum(out**2)
    return tape, loss, bn.moving_mean


def codebook_weight_of_a_layer(Tape):
    """none: not-trainable"""

    class Codebook(keras.layers.Layer):
        def build(self, shape):
            self.codes = self.add_weight(shape=(4, shape[-1]), initializer="uniform", trainable=False, name="codes")

        def call(self, x):
            d = tf.matmul(x, self.codes, transpose_b=True)  # HERE
            return tf.nn.softmax(d)

    layer = Codebook()
    x = tf.random.normal((2, 3))
    layer(x)
    with Tape() as tape:
        p = layer(x)
        loss = -tf.reduce_mean(tf.math.log(p[:, 0]))
    return tape, loss, layer.codes


def head_never_called(Tape):
    """none: unconnected"""
    body, head = keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)
    x = tf.random.normal((5, 3))
    head(body(x))
    with Tape() as tape:
        h = body(x)
        loss = tf.reduce_mean(h**2)
    return tape, loss, body.trainable_variables + head.trainable_variables


def auxiliary_term_left_out(Tape):
    """none: unconnected"""
    w, u = tf.Variable([1.0, 2.0]), tf.Variable([3.0, 4.0])  # HERE
    with Tape() as tape:
        main = tf.reduce_sum(w**2)
        aux = tf.reduce_sum(u**2)  # HERE
        loss = main
    return tape, loss, [w, u]


def argument_the_function_ignores(Tape):
    """none: unconnected"""

    @tf.function
    def f(x, bias):
        return tf.reduce_sum(tf.tanh(x))

    x, bias = tf.Variable([0.1, 0.2]), tf.Variable([1.0, 1.0])  # HERE
    with Tape() as tape:
        y = f(x, bias)  # HERE
    return tape, y, [x, bias]


def metric_is_printed_but_not_used(Tape):
    """none: unconnected"""
    w, v = tf.Variable([1.0, 2.0]), tf.Variable([0.5])  # HERE
    data = np.array([0.3, 0.4], np.float32)
    log = []
    with Tape() as tape:
        norm = tf.norm(w)  # HERE
        log.append(f"{float(norm):.3f}")
        loss = tf.reduce_sum(v * data)
    return tape, loss, w
