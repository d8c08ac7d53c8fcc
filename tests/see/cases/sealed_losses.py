"""Losses people write themselves: scores, distances, divergences, likelihoods."""

import keras
import numpy as np
import tensorflow as tf


def f1_score_as_a_loss(Tape):
    """none: nondifferentiable-op"""
    x = tf.constant(np.random.default_rng(3).normal(size=(12, 5)).astype("float32"))
    labels = tf.cast(tf.reshape(tf.range(12) % 3 == 0, [12, 1]), tf.float32)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(6, "tanh"), keras.layers.Dense(1, "sigmoid")])

    @tf.function
    def f1_loss(y_true, y_pred):
        y_hat = tf.round(y_pred)  # HERE
        tp = tf.reduce_sum(y_true * y_hat)
        fp = tf.reduce_sum((1.0 - y_true) * y_hat)
        fn = tf.reduce_sum(y_true * (1.0 - y_hat))
        precision = tp / (tp + fp + 1e-7)
        recall = tp / (tp + fn + 1e-7)
        return 1.0 - 2.0 * precision * recall / (precision + recall + 1e-7)

    with Tape() as tape:
        loss = f1_loss(labels, model(x, training=True))
    return tape, loss, model.trainable_variables


def dice_on_a_binary_mask(Tape):
    """none: nondifferentiable-op"""
    kernel = tf.Variable(tf.random.normal([3, 3, 1, 1], seed=1))
    images = tf.random.uniform([2, 8, 8, 1], seed=2)
    masks = tf.cast(images > 0.6, tf.float32)

    def dice_coef(y_true, y_pred, smooth=1.0, threshold=0.5):
        foreground = tf.cast(
            y_pred > threshold,  # HERE
            tf.float32,
        )
        intersection = tf.reduce_sum(y_true * foreground, axis=[1, 2, 3])
        union = tf.reduce_sum(y_true, axis=[1, 2, 3]) + tf.reduce_sum(foreground, axis=[1, 2, 3])
        return tf.reduce_mean((2.0 * intersection + smooth) / (union + smooth))

    with Tape() as tape:
        probabilities = tf.sigmoid(tf.nn.conv2d(images, kernel, strides=1, padding="SAME"))
        loss = 1.0 - dice_coef(masks, probabilities)
    return tape, loss, kernel


def triplet_margin_with_a_duplicate(Tape):
    """nonfinite: singular-point"""
    weights = tf.Variable(tf.random.normal([4, 3], seed=5))
    anchors = tf.constant([[0.1, 0.9, 0.3, 0.0], [0.4, 0.4, 0.2, 1.0]])
    positives = tf.constant([[0.2, 0.8, 0.3, 0.1], [0.4, 0.4, 0.2, 1.0]])
    negatives = tf.constant([[0.9, 0.1, 0.7, 0.5], [0.0, 1.0, 0.6, 0.2]])

    def embed(batch):
        return tf.nn.tanh(batch @ weights)

    with Tape() as tape:
        a, p, n = embed(anchors), embed(positives), embed(negatives)
        d_pos = tf.norm(a - p, axis=1)  # HERE
        d_neg = tf.norm(a - n, axis=1)
        loss = tf.reduce_mean(tf.nn.relu(d_pos - d_neg + 5.0))
    return tape, loss, weights


def pairwise_distances_of_a_batch(Tape):
    """nonfinite: singular-point"""
    points = tf.Variable(tf.random.normal([5, 2], seed=11), name="points")

    def pdist(x):
        diff = x[:, None, :] - x[None, :, :]
        squared = tf.reduce_sum(diff**2, axis=-1)
        return tf.sqrt(squared)  # HERE

    @tf.function
    def repulsion(x, scale=0.5):
        d = pdist(x)
        return tf.reduce_sum(tf.exp(-d / scale)) / 20.0

    with Tape() as tape:
        loss = repulsion(points)
    return tape, loss, points


def cross_entropy_written_out(Tape):
    """nonfinite: singular-point"""
    w = tf.Variable([[40.0], [65.0]])
    b = tf.Variable([0.5])
    x = tf.constant([[0.2, 0.1], [1.5, 1.2], [-0.3, 0.2]])
    y = tf.constant([[0.0], [1.0], [0.0]])

    @tf.function
    def bce(y_true, p):
        positive = y_true * tf.math.log(p)
        negative = (1.0 - y_true) * tf.math.log(1.0 - p)  # HERE
        return -tf.reduce_mean(positive + negative)

    with Tape() as tape:
        loss = bce(y, tf.sigmoid(x @ w + b))
    return tape, loss, [w, b]


def minibatch_stddev_of_identical_rows(Tape):
    """nonfinite: singular-point"""
    encoder = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, activation="tanh")])
    batch = tf.tile(tf.constant([[0.3, 0.1, 0.0, 0.8, 0.5, 0.2]]), [8, 1])

    def variance_term(z, gamma=1.0):
        std = tf.math.reduce_std(z, axis=0)  # HERE
        return tf.reduce_mean(tf.nn.relu(gamma - std))

    with Tape() as tape:
        z = encoder(batch)
        loss = 25.0 * variance_term(z)
    return tape, loss, encoder.trainable_weights


def divergence_with_empty_bins(Tape):
    """nonfinite: where-trap"""
    counts = tf.constant([4.0, 0.0, 7.0, 2.0])
    log_rates = tf.Variable([0.3, -0.2, 1.1, 0.4])

    @tf.function
    def deviance(observed, rate):
        share = observed / tf.reduce_sum(observed)
        weighted = rate * share
        bits = tf.where(
            weighted > 0.0,
            weighted * tf.math.log(weighted),  # HERE
            tf.zeros_like(weighted),
        )
        return tf.reduce_sum(bits)

    with Tape() as tape:
        loss = deviance(counts, tf.exp(log_rates))
    return tape, loss, log_rates


def poisson_likelihood_of_raw_counts(Tape):
    """nonfinite: overflow"""
    household_income = tf.constant([[31.0], [28.5], [96.0]])
    visits = tf.constant([2.0, 1.0, 4.0])
    coef = tf.Variable([[1.0]])
    intercept = tf.Variable(0.1)

    def negative_log_likelihood(k, eta):
        rate = tf.exp(eta)  # HERE
        return tf.reduce_mean(rate - k * eta)

    with Tape(persistent=True) as tape:
        eta = tf.squeeze(household_income @ coef, axis=-1) + intercept
        nll = negative_log_likelihood(visits, eta)
    return tape, nll, {"coef": coef, "intercept": intercept}


def attention_normalised_by_hand(Tape):
    """nonfinite: overflow"""
    query = tf.Variable(tf.fill([2, 4], 6.0))
    keys = tf.constant(np.arange(12, dtype="float32").reshape(3, 4))
    values = tf.constant([[1.0], [2.0], [3.0]])

    def my_softmax(scores):
        exps = tf.exp(scores)  # HERE
        return exps / tf.reduce_sum(exps, axis=-1, keepdims=True)

    with Tape() as tape:
        scores = tf.matmul(query, keys, transpose_b=True)
        context = my_softmax(scores) @ values
        loss = tf.reduce_mean(tf.square(context - 1.0))
    return tape, loss, query


def hinge_with_every_margin_met(Tape):
    """zero: masked"""
    w = tf.Variable([2.0, -1.5], name="w")
    x = tf.constant([[3.0, -1.0], [4.0, 0.5], [-2.5, 2.0]])
    y = tf.constant([1.0, 1.0, -1.0])

    @tf.function
    def svm_loss(features, labels):
        score = tf.linalg.matvec(features, w)
        margin = 1.0 - labels * score
        return tf.reduce_mean(tf.maximum(0.0, margin))  # HERE

    with Tape() as tape:
        loss = svm_loss(x, y)
    return tape, loss, w


def binary_head_with_softmax(Tape):
    """zero: saturated | cancels | constant-here"""
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(1, activation="softmax"),
        ]
    )
    x = tf.constant([[0.1, 0.5, 0.2], [0.9, 0.3, 0.4], [0.7, 0.7, 0.1]])
    y = tf.constant([[0.0], [1.0], [1.0]])
    mse = keras.losses.MeanSquaredError()
    with Tape() as tape:
        y_pred = model(x, training=True)  # HERE
        loss = mse(y, y_pred)
    return tape, loss, model.trainable_variables


def percentage_error_through_numpy(Tape):
    """error: left-tensorflow"""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    sales = tf.constant([[120.0], [80.0], [95.0]])
    drivers = tf.constant([[1.0, 0.2], [0.7, 0.1], [0.8, 0.3]])

    def mape(y_true, y_pred):
        return 100.0 * np.mean(np.abs((y_true - y_pred) / y_true))  # HERE

    with Tape() as tape:
        forecast = model(drivers)
        loss = mape(sales, forecast)
    return tape, loss, model.trainable_variables


def star_ratings_of_a_factor_model(Tape):
    """none: integer-dtype"""
    ratings = tf.constant([[5, 3, 1], [4, 2, 2]])
    params = {
        "users": tf.Variable(tf.random.uniform([2, 4], 0.5, 1.5, seed=3)),
        "items": tf.Variable(tf.random.uniform([3, 4], 0.5, 1.5, seed=4)),
    }

    def predict_stars(p):
        affinity = tf.matmul(p["users"], p["items"], transpose_b=True)
        return tf.cast(affinity, ratings.dtype)  # HERE

    with Tape() as tape:
        error = tf.abs(predict_stars(params) - ratings)
        loss = tf.reduce_mean(tf.cast(error, tf.float32))
    return tape, loss, params


def coverage_of_attention_weights(Tape):
    """zero: cancels"""
    scores = tf.Variable([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    lengths = tf.constant([1.0, 2.0])

    def coverage(logits):
        alpha = tf.nn.softmax(logits, axis=-1)  # HERE
        return tf.reduce_sum(alpha, axis=-1)  # HERE

    with Tape() as tape:
        covered = coverage(scores)
        penalty = tf.reduce_mean(tf.square(covered - lengths - 0.5))
    return tape, penalty, scores
