"""One gradient for each example, in one call: their mean is the gradient of the mean loss, and their norms tell which
example pulls hardest."""

import tensorflow as tf

import tfgrad


def experiment():
    w = tf.constant([1.0, -1.0])
    inputs = [[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]]
    x = tf.constant(inputs)
    y = tf.constant([0.0, 0.0, 10.0])

    def loss(w, x, y):  # of one example
        return (tf.tensordot(w, x, 1) - y) ** 2

    each = tfgrad.per_example_grad(loss)(w, x, y)
    yield "gradients", each
    by_hand = [[2.0, 0.0], [0.0, -8.0], [-48.0, -16.0]]
    yield "by hand", each == by_hand

    def mean_loss(w):
        predicted = tf.linalg.matvec(x, w)
        return tf.reduce_mean((predicted - y) ** 2)

    mean = tf.reduce_mean(each, axis=0)
    together = tfgrad.grad(mean_loss)(w)
    yield "mean of them", mean
    yield (
        "== of the mean",
        tf.abs(mean - together) < 1e-5,
    )
    norms = tf.norm(each, axis=1)
    yield "norms", norms
    yield (
        "the third pulls hardest",
        tf.argmax(norms) == 2,
    )
