"""Gradients that are zero at this very point, or whose contributions cancel."""

import keras
import tensorflow as tf


def parabola_at_its_bottom(Tape):
    """zero: constant-here"""
    x = tf.Variable([0.0, 0.0])
    with Tape() as tape:
        y = tf.reduce_sum(tf.square(x))  # HERE
    return tape, y, x


def pendulum_at_rest(Tape):
    """zero: constant-here"""
    theta = tf.Variable(0.0)
    with Tape() as tape:
        energy = 9.81 * (1.0 - tf.cos(theta))  # HERE
    return tape, energy, theta


def output_layer_of_zeros(Tape):
    """zero: constant-here"""
    body = keras.layers.Dense(4, activation="tanh")
    head = keras.layers.Dense(1, kernel_initializer="zeros")
    x = tf.random.normal((5, 3))
    head(body(x))
    with Tape() as tape:
        h = body(x)
        loss = tf.reduce_mean((head(h) - 1.0) ** 2)  # HERE
    return tape, loss, body.kernel


def low_rank_adapter_both_zero(Tape):
    """zero: constant-here"""
    a, b = tf.Variable(tf.zeros((3, 1))), tf.Variable(tf.zeros((1, 3)))
    x = tf.constant([[1.0, 2.0, 3.0]])

    @tf.function
    def adapted(x):
        delta = tf.matmul(a, b)  # HERE
        return tf.reduce_sum(tf.matmul(x, delta)) + 1.0

    with Tape() as tape:
        y = adapted(x)
    return tape, y, [a, b]


def gate_at_exactly_zero(Tape):
    """zero: constant-here | masked"""
    gate, w = tf.Variable(0.0), tf.Variable([1.0, 2.0])
    with Tape() as tape:
        branch = tf.tanh(w) * gate  # HERE
        y = tf.reduce_sum(branch) + 3.0
    return tape, y, w


def softmax_summed(Tape):
    """zero: cancels"""
    logits = tf.Variable([[1.0, 2.0, 0.5], [0.3, 0.1, 0.2]])
    with Tape() as tape:
        p = tf.nn.softmax(logits)  # HERE
        loss = tf.reduce_sum(p)  # HERE
    return tape, loss, logits


def classifier_output_summed(Tape):
    """zero: cancels"""
    small = keras.initializers.RandomNormal(stddev=0.02, seed=1)
    model = keras.Sequential([keras.layers.Dense(3, activation="softmax", kernel_initializer=small)])
    x = tf.random.normal((1, 4))
    model(x)
    with Tape() as tape:
        tape.watch(x)
        out = model(x)  # HERE
    return tape, out, x


def same_branch_on_both_sides(Tape):
    """zero: cancels"""
    x = tf.Variable([1.0, -2.0])
    with Tape() as tape:
        y = tf.reduce_sum(tf.exp(x) - tf.exp(x))  # HERE
    return tape, y, x


def centred_then_summed(Tape):
    """zero: cancels"""
    x = tf.Variable([1.0, 2.0, 4.0])
    with Tape() as tape:
        c = x - tf.reduce_mean(x)  # HERE
        s = tf.reduce_sum(c)  # HERE
    return tape, s, x


def batch_norm_of_one_example(Tape):
    """zero: cancels"""
    dense, bn = keras.layers.Dense(3), keras.layers.BatchNormalization()
    x = tf.random.normal((1, 2))
    bn(dense(x))
    with Tape() as tape:
        h = bn(dense(x), training=True)  # HERE
        loss = tf.reduce_sum((h - 1.0) ** 2)
    return tape, loss, dense.kernel


def batch_norm_averaged(Tape):
    """zero: cancels"""
    x = tf.Variable([[1.0, 4.0], [2.0, 8.0], [4.0, 16.0], [8.0, 2.0]])
    with Tape() as tape:
        mean, var = tf.nn.moments(x, axes=[0])
        z = tf.nn.batch_normalization(x, mean, var, None, None, 1e-3)  # HERE
        loss = tf.reduce_mean(z)  # HERE
    return tape, loss, x


def layer_norm_of_one_feature(Tape):
    """zero: cancels"""
    x = tf.Variable([[1.0], [3.0], [5.0]])
    norm = keras.layers.LayerNormalization()
    norm(x)

    @tf.function
    def f(v):
        return tf.reduce_sum(norm(v) * [[1.0], [2.0], [3.0]])  # HERE

    with Tape() as tape:
        y = f(x)
    return tape, y, x


def logits_compared_with_themselves(Tape):
    """zero: cancels"""

    @tf.function
    def contrast(a, b):
        da = tf.reduce_sum(a**2)
        db = tf.reduce_sum(b**2)
        return da - db  # HERE

    x = tf.Variable([1.0, 3.0])
    with Tape() as tape:
        y = contrast(x, x)  # HERE
    return tape, y, x
