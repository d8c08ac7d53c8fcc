"""NaN in a gradient although the value is fine: the branch not taken was not finite."""

import keras
import tensorflow as tf


def log_where_positive(Tape):
    """nonfinite: where-trap"""
    x = tf.Variable([0.0, 2.0])
    with Tape() as tape:
        lx = tf.math.log(x)  # HERE
        y = tf.where(x > 0.0, lx, tf.zeros_like(x))
        loss = tf.reduce_sum(y)
    return tape, loss, x


def sinc_by_hand(Tape):
    """nonfinite: where-trap"""
    t = tf.Variable([-1.0, 0.0, 1.0])
    with Tape() as tape:
        s = tf.where(t == 0.0, 1.0, tf.sin(t) / t)  # HERE
        loss = tf.reduce_sum(s)
    return tape, loss, t


def ratio_guarded_after_the_division(Tape):
    """nonfinite: where-trap"""
    num, den = tf.Variable([1.0, 2.0]), tf.Variable([0.0, 4.0])
    with Tape() as tape:
        q = num / den  # HERE
        safe = tf.where(den > 0.0, q, tf.zeros_like(q))
        loss = tf.reduce_sum(safe)
    return tape, loss, [num, den]


def root_where_positive(Tape):
    """nonfinite: where-trap"""
    x = tf.Variable([-2.0, 4.0])
    with Tape() as tape:
        r = tf.where(x > 0.0, tf.pow(x, 0.5), 0.0)  # HERE
        loss = tf.reduce_sum(r)
    return tape, loss, x


def direction_of_a_zero_vector(Tape):
    """nonfinite: where-trap"""
    v = tf.Variable([[0.0, 0.0], [3.0, 4.0]])
    with Tape() as tape:
        n = tf.norm(v, axis=1, keepdims=True)  # HERE
        unit = tf.where(n > 0.0, v / n, tf.zeros_like(v))  # HERE
        loss = tf.reduce_sum(unit[:, 0])
    return tape, loss, v


def distances_with_the_diagonal_masked(Tape):
    """nonfinite: where-trap"""
    z = tf.Variable([[1.0, 0.0], [0.0, 1.0]])
    off = 1.0 - tf.eye(2)
    with Tape() as tape:
        d2 = tf.reduce_sum((z[:, None] - z[None]) ** 2, axis=-1)
        d = d2**0.5  # HERE
        loss = tf.reduce_sum(d * off)
    return tape, loss, z


def floor_under_the_logarithm(Tape):
    """nonfinite: where-trap"""
    p = tf.Variable([0.0, 0.5])
    with Tape() as tape:
        logp = tf.math.log(p)  # HERE
        floored = tf.maximum(logp, -20.0)
        loss = -tf.reduce_sum(floored)
    return tape, loss, p


def softplus_with_a_large_branch(Tape):
    """nonfinite: where-trap"""
    x = tf.Variable([1.0, 200.0])

    @tf.function
    def softplus(v):
        small = tf.math.log(1.0 + tf.exp(v))  # HERE
        return tf.where(v > 20.0, v, small)

    with Tape() as tape:
        loss = tf.reduce_sum(softplus(x))
    return tape, loss, x


def inverse_cosine_guarded_by_where(Tape):
    """nonfinite: where-trap"""
    dense = keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)
    x = tf.constant([[0.5, 0.5], [0.2, 0.1]])
    dense(x)
    with Tape() as tape:
        c = dense(x)
        angle = tf.where(c < 1.0, tf.acos(c), tf.zeros_like(c))  # HERE
        loss = tf.reduce_mean(angle)
    return tape, loss, dense.kernel


def log_odds_in_a_function(Tape):
    """nonfinite: where-trap"""
    p = tf.Variable([0.0, 0.3])

    @tf.function
    def log_odds(q):
        odds = q / (1.0 - q)
        lo = tf.math.log(odds)  # HERE
        return tf.where(q > 0.0, lo, -10.0 * tf.ones_like(q))

    with Tape() as tape:
        loss = tf.reduce_sum(log_odds(p))
    return tape, loss, p
