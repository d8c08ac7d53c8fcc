"""Gradients that are zero because a slope is flat, a branch was not taken, or a step function's rule says so."""

import keras
import numpy as np
import tensorflow as tf


def sigmoid_far_out(Tape):
    """zero: saturated"""
    w = tf.Variable([30.0, 40.0])
    with Tape() as tape:
        z = w * 10.0
        p = tf.sigmoid(z)  # HERE
        loss = tf.reduce_mean((p - 0.5) ** 2)
    return tape, loss, w


def dead_relu_layer(Tape):
    """zero: saturated"""
    model = keras.Sequential(
        [
            keras.layers.Dense(4, activation="relu", bias_initializer=keras.initializers.Constant(-50.0)),
            keras.layers.Dense(1),
        ]
    )
    x = tf.random.normal((5, 3))
    model(x)
    with Tape() as tape:
        loss = tf.reduce_mean((model(x) - 1.0) ** 2)  # HERE
    return tape, loss, model.layers[0].kernel


def softmax_over_one_unit(Tape):
    """zero: saturated | cancels"""
    model = keras.Sequential([keras.layers.Dense(1, activation="softmax")])
    x, y = tf.random.normal((6, 3)), tf.constant([[0.0], [1.0], [0.0], [1.0], [1.0], [0.0]])
    model(x)
    with Tape() as tape:
        p = model(x)  # HERE
        loss = tf.reduce_mean((y - p) ** 2)
    return tape, loss, model.trainable_variables


def confident_softmax(Tape):
    """zero: saturated"""
    logits = tf.Variable([[900.0, 0.0, -300.0]])
    reward = tf.constant([[1.0, 2.0, 3.0]])
    with Tape() as tape:
        policy = tf.nn.softmax(logits)  # HERE
        value = tf.reduce_sum(policy * reward)
    return tape, value, logits


def tanh_of_unscaled_pixels(Tape):
    """zero: saturated"""
    w = tf.Variable([[1.0], [1.0]])
    pixels = tf.constant([[200.0, 180.0], [255.0, 90.0]])
    with Tape() as tape:
        h = tf.tanh(pixels @ w)  # HERE
        loss = tf.reduce_sum(h)
    return tape, loss, w


def relu6_above_its_ceiling(Tape):
    """zero: saturated"""
    x = tf.Variable([8.0, 9.5])

    @tf.function
    def block(v):
        a = v * 2.0
        return tf.reduce_sum(tf.nn.relu6(a))  # HERE

    with Tape() as tape:
        y = block(x)
    return tape, y, x


def where_picks_the_constant(Tape):
    """zero: masked"""
    x = tf.Variable([1.0, 2.0, 3.0])
    with Tape() as tape:
        sq = x**2
        out = tf.where(x > 10.0, sq, 1.0)  # HERE
        loss = tf.reduce_sum(out)
    return tape, loss, x


def clipped_everywhere(Tape):
    """zero: masked"""
    log_std = tf.Variable([5.0, 7.0])
    with Tape() as tape:
        c = tf.clip_by_value(log_std, -20.0, 2.0)  # HERE
        loss = tf.reduce_sum(tf.exp(c))
    return tape, loss, log_std


def hinge_already_satisfied(Tape):
    """zero: masked"""
    w = tf.Variable([2.0, -3.0])
    x, y = tf.constant([[2.0, 0.0], [0.0, 2.0]]), tf.constant([1.0, -1.0])
    with Tape() as tape:
        margin = y * tf.linalg.matvec(x, w)
        loss = tf.reduce_mean(tf.maximum(0.0, 1.0 - margin))  # HERE
    return tape, loss, w


def sample_weights_all_zero(Tape):
    """zero: masked"""
    model = keras.Sequential([keras.layers.Dense(1)])
    x, y = tf.random.normal((4, 2)), tf.ones((4, 1))
    weights = np.zeros(4, np.float32)
    model(x)
    mse = keras.losses.MeanSquaredError()
    with Tape() as tape:
        pred = model(x)
        loss = mse(y, pred, sample_weight=weights)  # HERE
    return tape, loss, model.trainable_variables[0]


def only_the_padding_is_used(Tape):
    """zero: masked"""
    seq = tf.Variable([0.1, 0.2, 0.3])
    with Tape() as tape:
        padded = tf.pad(seq, [[0, 2]])
        last = padded[3:]  # HERE
        loss = tf.reduce_sum((last - 1.0) ** 2)
    return tape, loss, seq


def ppo_ratio_clipped(Tape):
    """zero: masked"""
    logp = tf.Variable([1.0, 1.2])
    old, adv = tf.constant([0.0, 0.1]), tf.constant([1.0, 2.0])
    with Tape() as tape:
        ratio = tf.exp(logp - old)
        clipped = tf.clip_by_value(ratio, 0.8, 1.2)  # HERE
        loss = -tf.reduce_mean(tf.minimum(ratio * adv, clipped * adv))  # HERE
    return tape, loss, logp


def padding_mask_of_length_zero(Tape):
    """zero: masked"""
    seq = tf.Variable([[1.0, 2.0, 3.0]])

    @tf.function
    def pooled(s):
        mask = tf.sequence_mask([0], 3, dtype=tf.float32)
        return tf.reduce_sum(s * mask)  # HERE

    with Tape() as tape:
        y = pooled(seq)
    return tape, y, seq


def sign_of_the_weights(Tape):
    """zero: piecewise-constant"""
    w = tf.Variable([0.3, -0.7])
    x = tf.constant([1.0, 2.0])
    with Tape() as tape:
        b = tf.sign(w)  # HERE
        loss = (tf.reduce_sum(b * x) - 1.0) ** 2
    return tape, loss, w


def binarised_keras_layer(Tape):
    """zero: piecewise-constant"""

    class Binary(keras.layers.Layer):
        def call(self, x):
            return keras.ops.sign(x)  # HERE

    dense = keras.layers.Dense(4)
    model = keras.Sequential([dense, Binary(), keras.layers.Dense(1)])
    x = tf.random.normal((3, 2))
    model(x)
    with Tape() as tape:
        loss = tf.reduce_mean(model(x) ** 2)
    return tape, loss, dense.kernel


def direction_loss_in_a_function(Tape):
    """zero: piecewise-constant"""

    @tf.function
    def wrong_side(pred, true):
        d = tf.math.sign(pred - true)  # HERE
        return tf.reduce_mean(tf.abs(d))

    w = tf.Variable([0.3, -0.7])
    with Tape() as tape:
        loss = wrong_side(w * 2.0, tf.constant([1.0, 1.0]))
    return tape, loss, w
