"""Ops that have no slope, and integers on the way."""

import keras
import numpy as np
import tensorflow as tf


def quantised_activations(Tape):
    """none: nondifferentiable-op"""
    w = tf.Variable([1.2, 2.7])
    with Tape() as tape:
        h = tf.tanh(w)
        q = tf.round(h * 8.0) / 8.0  # HERE
        loss = tf.reduce_sum(q**2)
    return tape, loss, w


def accuracy_as_the_loss(Tape):
    """none: nondifferentiable-op"""
    model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
    x, y = tf.random.normal((4, 2)), tf.constant([0, 1, 2, 1])
    with Tape() as tape:
        p = model(x)
        guess = tf.argmax(p, axis=-1, output_type=tf.int32)  # HERE
        loss = 1.0 - tf.reduce_mean(tf.cast(guess == y, tf.float32))
    return tape, loss, model.trainable_variables


def learned_threshold(Tape):
    """none: nondifferentiable-op"""
    th = tf.Variable(0.4)
    s = tf.constant([0.1, 0.5, 0.9])
    with Tape() as tape:
        keep = tf.cast(s > th, tf.float32)  # HERE
        recall = tf.reduce_mean(keep)
    return tape, recall, th


def branch_on_the_value(Tape):
    """none: nondifferentiable-op"""
    price, base = tf.Variable(12.0), tf.constant(3.0)
    with Tape() as tape:
        if price > 10.0:  # HERE
            fee = base * 0.5
        else:
            fee = base * 0.9
    return tape, fee, price


def histogram_matching(Tape):
    """none: nondifferentiable-op"""
    img = tf.Variable([0.1, 0.2, 0.7, 0.9])
    with Tape() as tape:
        bins = tf.histogram_fixed_width(img, [0.0, 1.0], nbins=4)  # HERE
        loss = tf.reduce_sum((tf.cast(bins, tf.float32) - 1.0) ** 2)
    return tape, loss, img


def sampled_action(Tape):
    """none: nondifferentiable-op"""
    policy = keras.layers.Dense(2)
    obs = tf.random.normal((3, 4))
    policy(obs)
    with Tape() as tape:
        logits = policy(obs)
        a = tf.random.categorical(logits, 1)  # HERE
        reward = tf.gather(tf.constant([0.0, 1.0]), a[:, 0])
        loss = -tf.reduce_mean(reward)
    return tape, loss, policy.kernel


def floor_in_a_traced_helper(Tape):
    """none: nondifferentiable-op"""

    def bucket(v):
        return tf.floor(v / 0.25)  # HERE

    @tf.function
    def f(v):
        return tf.reduce_sum(bucket(v) * 0.25)

    x = tf.Variable([0.3, 0.6])
    with Tape() as tape:
        y = f(x)
    return tape, y, x


def order_of_the_scores(Tape):
    """none: nondifferentiable-op"""
    scores = tf.Variable([0.3, 0.9, 0.5])
    gains = tf.constant([3.0, 2.0, 1.0])
    with Tape() as tape:
        _, idx = tf.math.top_k(scores, k=2)  # HERE
        dcg = tf.reduce_sum(tf.gather(gains, idx))
    return tape, dcg, scores


def beta_shape_parameter(Tape):
    """none: nondifferentiable-op"""
    a = tf.Variable([2.0, 3.0])
    with Tape() as tape:
        cdf = tf.math.betainc(tf.exp(a), 2.0, [0.3, 0.5])  # HERE
        loss = -tf.reduce_sum(tf.math.log(cdf))
    return tape, loss, a


def colour_jitter_in_hsv(Tape):
    """none: nondifferentiable-op"""
    hsv = tf.Variable([[[0.2, 0.5, 0.5], [0.1, 0.2, 0.9]]])
    with Tape() as tape:
        rgb = tf.image.hsv_to_rgb(hsv)  # HERE
        loss = tf.reduce_mean(rgb)
    return tape, loss, hsv


def variable_made_of_a_python_int(Tape):
    """none: integer-dtype"""
    x = tf.Variable(3)  # HERE
    with Tape() as tape:
        y = x * x + 2 * x  # HERE
    return tape, y, x


def weights_from_an_integer_array(Tape):
    """none: integer-dtype"""
    w = tf.Variable(np.array([1, 2, 3]))  # HERE
    with Tape() as tape:
        s = tf.reduce_sum(tf.cast(w, tf.float32) ** 2)  # HERE
    return tape, s, w


def index_computed_from_a_float(Tape):
    """none: integer-dtype"""
    pos = tf.Variable(1.7)
    signal = tf.constant([1.0, 4.0, 9.0, 16.0])
    with Tape() as tape:
        i = tf.cast(pos, tf.int32)  # HERE
        y = signal[i] * 2.0
    return tape, y, pos


def token_ids_as_the_source(Tape):
    """none: integer-dtype"""
    emb = keras.layers.Embedding(10, 4)
    ids = tf.constant([[1, 2, 3]])  # HERE
    emb(ids)
    with Tape() as tape:
        tape.watch(ids)
        h = emb(ids)  # HERE
        loss = tf.reduce_mean(h**2)
    return tape, loss, ids


def float_ids_cast_by_the_embedding(Tape):
    """none: integer-dtype"""
    model = keras.Sequential([keras.layers.Embedding(10, 4), keras.layers.Dense(1)])
    ids = tf.constant([[1.0, 2.0, 3.0]])
    model(ids)
    with Tape() as tape:
        tape.watch(ids)
        score = model(ids)  # HERE
    return tape, score, ids


def target_rounded_to_pixels(Tape):
    """none: integer-dtype"""
    size = tf.Variable([10.4, 20.6])

    @tf.function
    def pixels(s):
        return tf.cast(s * 2.0, tf.int32)  # HERE

    with Tape() as tape:
        area = tf.reduce_prod(pixels(size))
    return tape, area, size
