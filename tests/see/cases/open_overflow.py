"""NaN and infinity because a number grew too large, or because the data had them already."""

import keras
import numpy as np
import tensorflow as tf


def naive_softmax(Tape):
    """nonfinite: overflow"""
    z = tf.Variable([100.0, 1.0])
    with Tape() as tape:
        e = tf.exp(z)  # HERE
        p = e / tf.reduce_sum(e)
        loss = -tf.math.log(p[0])
    return tape, loss, z


def naive_softplus(Tape):
    """nonfinite: overflow"""
    raw = tf.Variable([1.0, 95.0])

    @tf.function
    def positive(r):
        return tf.math.log(1.0 + tf.exp(r))  # HERE

    with Tape() as tape:
        loss = tf.reduce_sum(1.0 / positive(raw))
    return tape, loss, raw


def half_precision_square(Tape):
    """nonfinite: overflow"""
    x = tf.Variable([300.0, 2.0], dtype=tf.float16)
    with Tape() as tape:
        sq = x**2  # HERE
        share = sq / tf.reduce_sum(sq)
        loss = -tf.reduce_sum(share**2)
    return tape, loss, x


def unrolled_recurrence_explodes(Tape):
    """nonfinite: overflow"""
    w = tf.Variable([[1000.0]])
    h = tf.ones((1, 1))
    with Tape() as tape:
        for _ in range(14):
            h = tf.matmul(h, w)  # HERE
        loss = tf.reduce_sum(h)
    return tape, loss, w


def poisson_rate_too_large(Tape):
    """nonfinite: overflow"""
    dense = keras.layers.Dense(1, kernel_initializer="ones")
    x = tf.constant([[60.0, 60.0]])
    dense(x)
    with Tape() as tape:
        rate = tf.exp(dense(x))  # HERE
        loss = tf.reduce_mean(rate - 2.0 * tf.math.log(rate))
    return tape, loss, dense.kernel


def missing_values_in_the_data(Tape):
    """nonfinite: nan-input"""
    w = tf.Variable([[0.1], [0.2]])
    x = np.array([[1.0, np.nan], [2.0, 3.0]], np.float32)
    with Tape() as tape:
        pred = tf.matmul(x, w)  # HERE
        loss = tf.reduce_mean((pred - 1.0) ** 2)
    return tape, loss, w


def weights_already_nan(Tape):
    """nonfinite: nan-input"""
    model = keras.Sequential([keras.layers.Dense(2), keras.layers.Dense(1)])
    x = tf.random.normal((3, 2))
    model(x)
    model.layers[0].kernel.assign(np.full((2, 2), np.nan))
    with Tape() as tape:
        loss = tf.reduce_mean(model(x) ** 2)  # HERE
    return tape, loss, model.trainable_variables


def normalised_by_a_zero_spread(Tape):
    """nonfinite: nan-input"""
    col = np.array([5.0, 5.0, 5.0], np.float32)
    with np.errstate(invalid="ignore"):
        x = (col - col.mean()) / col.std()
    w = tf.Variable(0.3)

    @tf.function
    def loss_of(x):
        h = tf.tanh(x * w)  # HERE
        return tf.reduce_sum(h)

    with Tape() as tape:
        loss = loss_of(x)
    return tape, loss, w


def one_infinite_label(Tape):
    """nonfinite: nan-input"""
    w = tf.Variable([1.0, 2.0])
    y = tf.constant([0.5, float("inf")])
    with Tape() as tape:
        pred = tf.sin(w)
        err = pred - y  # HERE
        loss = tf.reduce_mean(err**2)
    return tape, loss, w
