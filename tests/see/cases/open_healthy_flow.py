"""Healthy programs with functions, state, ragged and sparse data, each close to a fault."""

import numpy as np
import tensorflow as tf


def rule_with_clipping(Tape):
    """ok: ok"""

    @tf.custom_gradient
    def clip_backward(x):
        def grad(dy):
            return tf.clip_by_norm(dy, 0.5)

        return tf.identity(x), grad

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        loss = tf.reduce_sum(clip_backward(x) ** 2)
    return tape, loss, x


def rule_with_an_integer_argument(Tape):
    """ok: ok"""

    @tf.custom_gradient
    def take(x, i):
        def grad(dy):
            return tf.one_hot(i, 3) * dy, None

        return x[i], grad

    x = tf.Variable([1.0, 2.0, 3.0])
    with Tape() as tape:
        y = take(x, tf.constant(1)) * 2.0
    return tape, y, x


def traced_loop_with_a_branch(Tape):
    """ok: ok"""

    @tf.function
    def f(x):
        for i in tf.range(4):
            if i % 2 == 0:
                x = x * 1.5
            else:
                x = tf.stop_gradient(tf.round(x)) * 0.1 + x
        return tf.reduce_sum(x)

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = f(x)
    return tape, y, x


def outputs_of_a_function_used_together(Tape):
    """ok: ok"""

    @tf.function
    def encode(x):
        mu = tf.tanh(x)
        return mu, tf.argmax(x), tf.reduce_sum(mu**2)

    x = tf.Variable([0.1, 0.2])
    with Tape() as tape:
        mu, _, reg = encode(x)
        loss = tf.reduce_sum(mu) + reg
    return tape, loss, x


def ragged_values(Tape):
    """ok: ok"""
    flat = tf.Variable([1.0, 2.0, 3.0])
    with Tape() as tape:
        rows = tf.RaggedTensor.from_row_lengths(flat, [1, 0, 2])
        loss = tf.reduce_sum(tf.reduce_sum(rows, axis=1) ** 2)
    return tape, loss, flat


def sparse_times_dense(Tape):
    """ok: ok"""
    w = tf.Variable([[1.0], [2.0]])
    a = tf.sparse.from_dense([[0.0, 3.0], [1.0, 0.0]])
    with Tape() as tape:
        loss = tf.reduce_sum(tf.sparse.sparse_dense_matmul(a, w) ** 2)
    return tape, loss, w


def embedding_looked_up(Tape):
    """ok: ok"""
    table = tf.Variable(tf.random.normal((5, 2)))
    ids = tf.constant([1, 1, 3])
    with Tape() as tape:
        e = tf.nn.embedding_lookup(table, ids)
        loss = tf.reduce_sum(e**2)
    return tape, loss, table


def value_read_for_the_log(Tape):
    """ok: ok"""
    w = tf.Variable([1.0, 2.0])
    log = []
    with Tape() as tape:
        loss = tf.reduce_sum(w**2)
        log.append(float(loss))
        scale = np.max(w.numpy())
        loss = loss / scale
    return tape, loss, w


def assigned_before_it_is_used(Tape):
    """ok: ok"""
    w, count = tf.Variable(1.0), tf.Variable(0)
    with Tape() as tape:
        w.assign(5.0)
        count.assign_add(1)
        loss = w**2
        w.assign(7.0)
    return tape, loss, w


def vector_target_is_summed(Tape):
    """ok: ok"""
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = tf.stack([x, x**2])
    return tape, y, x


def tensor_array_and_constant_copy(Tape):
    """ok: ok"""
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        ta = tf.TensorArray(tf.float32, 2)
        ta = ta.write(0, x * 2.0).write(1, x**2)
        y = tf.reduce_sum(tf.constant(ta.stack()))
    return tape, y, x


def divide_no_nan_at_zero(Tape):
    """ok: ok"""
    a, b = tf.Variable([1.0, 2.0]), tf.constant([0.0, 4.0])
    with Tape() as tape:
        y = tf.reduce_sum(tf.math.divide_no_nan(a, b))
    return tape, y, a


def python_branch_that_keeps_the_value(Tape):
    """ok: ok"""
    x = tf.Variable(2.0)
    with Tape() as tape:
        y = x * 3.0 if x > 1.0 else x
        z = tf.sigmoid(y)
    return tape, z, x


def small_but_not_zero(Tape):
    """ok: ok"""
    x = tf.Variable([6.0, 7.0])
    with Tape() as tape:
        y = tf.reduce_sum(tf.sigmoid(x)) * 1e-3
    return tape, y, x


def norm_masked_on_the_diagonal(Tape):
    """ok: ok"""
    z = tf.Variable([[1.0, 0.0], [0.0, 1.0]])
    off = 1.0 - tf.eye(2)
    with Tape() as tape:
        d = tf.norm(z[:, None] - z[None], axis=-1)
        loss = tf.reduce_sum(d * off)
    return tape, loss, z
