"""Gradients that are NaN, infinite or an error at a point where the derivative does not exist."""

import tensorflow as tf


def norm_of_a_zero_vector(Tape):
    """nonfinite: singular-point"""
    v = tf.Variable([0.0, 0.0, 0.0])
    with Tape() as tape:
        length = tf.norm(v)  # HERE
        penalty = (length - 1.0) ** 2
    return tape, penalty, v


def rmse_of_a_perfect_fit(Tape):
    """nonfinite: singular-point"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        err = w - tf.constant([1.0, 2.0])
        mse = tf.reduce_mean(err**2)
        rmse = tf.sqrt(mse)  # HERE
    return tape, rmse, w


def std_of_equal_values(Tape):
    """nonfinite: singular-point"""
    x = tf.Variable([[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
    with Tape() as tape:
        s = tf.math.reduce_std(x, axis=1)  # HERE
        y = tf.reduce_sum(s)
    return tape, y, x


def pairwise_distances_with_the_diagonal(Tape):
    """nonfinite: singular-point"""
    pts = tf.Variable([[0.0, 1.0], [2.0, 3.0]])
    with Tape() as tape:
        diff = pts[:, None] - pts[None]
        d2 = tf.reduce_sum(diff**2, -1)
        d = d2**0.5  # HERE
        energy = tf.reduce_sum(tf.exp(-d))
    return tape, energy, pts


def angle_between_equal_vectors(Tape):
    """nonfinite: singular-point"""
    a = tf.Variable([1.0, 0.0])
    with Tape() as tape:
        cos = tf.reduce_sum(a * tf.constant([1.0, 0.0]))
        angle = tf.acos(cos)  # HERE
    return tape, angle, a


def heading_at_the_origin(Tape):
    """nonfinite: singular-point"""
    p = tf.Variable([0.0, 0.0])
    with Tape() as tape:
        heading = tf.atan2(p[1], p[0])  # HERE
        loss = (heading - 0.5) ** 2
    return tape, loss, p


def log_of_a_vanished_probability(Tape):
    """nonfinite: singular-point"""
    logits = tf.Variable([[200.0, 0.0]])
    with Tape() as tape:
        p = tf.nn.softmax(logits)
        nll = -tf.math.log(p[0, 1])  # HERE
    return tape, nll, logits


def entropy_with_a_zero(Tape):
    """nonfinite: singular-point"""
    p = tf.Variable([0.0, 0.4, 0.6])

    @tf.function
    def entropy(q):
        lq = tf.math.log(q)  # HERE
        return -tf.reduce_sum(q * lq)

    with Tape() as tape:
        h = entropy(p)
    return tape, h, p


def determinant_of_a_singular_matrix(Tape):
    """error: singular-point"""
    a = tf.Variable([[1.0, 2.0], [2.0, 4.0]])
    with Tape() as tape:
        d = tf.linalg.det(a)  # HERE
        loss = (d - 1.0) ** 2
    return tape, loss, a


def matrix_root_of_a_projection(Tape):
    """error: singular-point"""
    a = tf.Variable([[1.0, 0.0], [0.0, 0.0]])
    with Tape() as tape:
        s = a * 4.0
        root = tf.linalg.sqrtm(s)  # HERE
        loss = tf.reduce_sum(root)
    return tape, loss, a


def volume_of_a_flat_box_in_a_function(Tape):
    """error: singular-point"""

    @tf.function
    def volume(m):
        gram = tf.matmul(m, m, transpose_b=True)
        return tf.linalg.det(gram)  # HERE

    m = tf.Variable([[1.0, 1.0], [2.0, 2.0]])
    with Tape() as tape:
        v = volume(m)
    return tape, v, m


def normalised_by_an_empty_sum(Tape):
    """nonfinite: singular-point"""
    w = tf.Variable([1.0, 2.0])
    mask = tf.constant([0.0, 0.0])
    with Tape() as tape:
        masked = w * mask
        share = masked / tf.reduce_sum(masked)  # HERE
        loss = tf.reduce_sum(share**2)
    return tape, loss, w


def hyperbolic_distance_of_equal_points(Tape):
    """nonfinite: singular-point"""
    u = tf.Variable([0.1, 0.2])
    v = tf.constant([0.1, 0.2])
    with Tape() as tape:
        gap = tf.reduce_sum((u - v) ** 2)
        d = tf.acosh(1.0 + 2.0 * gap)  # HERE
    return tape, d, u
