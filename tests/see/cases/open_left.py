"""Values that left TensorFlow for Python or NumPy and came back without their history."""

import math

import keras
import numpy as np
import tensorflow as tf


def numpy_mean_of_the_error(Tape):
    """none: left-tensorflow"""
    w, x, y = tf.Variable([[1.0], [2.0]]), tf.ones((3, 2)), np.zeros((3, 1), np.float32)
    with Tape() as tape:
        pred = tf.matmul(x, w)
        err = np.mean(np.abs(pred - y))  # HERE
        loss = tf.convert_to_tensor(err)
    return tape, loss, w


def predict_inside_the_tape(Tape):
    """none: left-tensorflow"""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    x = np.ones((3, 2), np.float32)
    with Tape() as tape:
        out = model.predict(x, verbose=0)  # HERE
        loss = tf.reduce_mean(tf.square(out - 1.0))
    return tape, loss, model.trainable_variables


def predict_hidden_in_a_helper(Tape):
    """none: left-tensorflow"""
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    critic = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])

    def sample(n):
        noise = np.random.RandomState(0).randn(n, 2).astype("float32")
        return generator.predict(noise, verbose=0)  # HERE

    with Tape() as tape:
        loss = -tf.reduce_mean(critic(sample(4)))
    return tape, loss, generator.trainable_variables


def numpy_metric_in_another_function(Tape):
    """none: left-tensorflow"""
    logits = tf.Variable([[0.2, 0.8], [0.6, 0.4]])
    labels = np.array([1, 0])

    def cross_entropy(p, labels):
        p = np.asarray(p)  # HERE
        return -np.log(p[np.arange(len(labels)), labels]).mean()

    with Tape() as tape:
        p = tf.nn.softmax(logits)
        loss = tf.constant(cross_entropy(p, labels))
    return tape, loss, logits


def float_in_a_running_sum(Tape):
    """none: left-tensorflow"""
    theta = tf.Variable(0.3)
    with Tape() as tape:
        total = tf.constant(0.0)
        for k in range(3):
            step = float(tf.sin(theta * (k + 1)))  # HERE
            total = total + step
    return tape, total, theta


def math_module_on_a_tensor(Tape):
    """none: left-tensorflow"""
    sigma = tf.Variable(1.5)
    x = tf.constant([0.1, 0.2])
    with Tape() as tape:
        z = x / math.sqrt(sigma)  # HERE
        loss = tf.reduce_sum(z**2)
    return tape, loss, sigma


def tolist_and_rebuild(Tape):
    """none: left-tensorflow"""
    pos = tf.Variable([[0.0, 1.0], [2.0, 3.0]])
    with Tape() as tape:
        moved = pos + 1.0
        rows = [[a * 2.0, b] for a, b in moved.numpy().tolist()]  # HERE
        loss = tf.reduce_sum(tf.constant(rows) ** 2)
    return tape, loss, pos


def numpy_function_in_the_path(Tape):
    """none: left-tensorflow"""
    x = tf.Variable([0.2, 0.4])
    with Tape() as tape:
        y = tf.numpy_function(np.cumsum, [x], tf.float32)  # HERE
        loss = tf.reduce_sum(y)
    return tape, loss, x


def numpy_function_inside_a_traced_function(Tape):
    """none: left-tensorflow"""
    x = tf.Variable([3.0, 1.0, 2.0])

    @tf.function
    def rank_loss(v):
        s = tf.numpy_function(lambda a: np.sort(a), [v], tf.float32)  # HERE
        return tf.reduce_sum(s * tf.constant([1.0, 2.0, 3.0]))

    with Tape() as tape:
        loss = rank_loss(x)
    return tape, loss, x


def py_function_with_numpy_inside(Tape):
    """zero: left-tensorflow"""
    x = tf.Variable([1.0, 2.0])

    def smooth(a):
        return np.convolve(a.numpy(), [0.5, 0.5], mode="same")  # HERE

    with Tape() as tape:
        y = tf.py_function(smooth, [x], tf.float32)  # HERE
        loss = tf.reduce_sum(y**2)
    return tape, loss, x


def py_function_in_a_traced_function(Tape):
    """zero: left-tensorflow"""
    w = tf.Variable([0.5, 1.5])

    @tf.function
    def spectrum_loss(v):
        h = v * 2.0
        s = tf.py_function(lambda a: np.abs(np.fft.fft(a.numpy())).astype("float32"), [h], tf.float32)  # HERE
        return tf.reduce_sum(s**2)

    with Tape() as tape:
        loss = spectrum_loss(w)
    return tape, loss, w


def py_function_in_a_keras_layer(Tape):
    """error: left-tensorflow"""

    class Median(keras.layers.Layer):
        def call(self, h):
            m = tf.py_function(lambda a: np.median(a.numpy(), axis=-1), [h], tf.float32)  # HERE
            return tf.reshape(m, [-1, 1])

    dense, median = keras.layers.Dense(3), Median()
    x = tf.random.normal((4, 2))
    dense(x)
    with Tape() as tape:
        loss = tf.reduce_sum(median(dense(x)))
    return tape, loss, dense.kernel


def loss_turned_into_a_number(Tape):
    """error: left-tensorflow"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        loss = tf.reduce_sum(w**2).numpy()  # HERE
    return tape, loss, w


def python_float_as_the_target(Tape):
    """error: left-tensorflow"""
    w, total = tf.Variable([1.0, 2.0]), 0.0
    with Tape() as tape:
        for i in range(2):
            total += float(w[i] ** 2)  # HERE
    return tape, total, w


def numpy_scipy_like_solver(Tape):
    """none: left-tensorflow"""
    a = tf.Variable([[2.0, 0.5], [0.5, 1.0]])
    b = np.array([1.0, 1.0], np.float32)

    def solve(m):
        return np.linalg.solve(m, b)  # HERE

    with Tape() as tape:
        x = solve(a)
        loss = tf.reduce_sum(tf.square(x))
    return tape, loss, a


def converted_to_numpy_by_keras_ops(Tape):
    """none: left-tensorflow"""
    emb = keras.layers.Embedding(5, 2)
    ids = tf.constant([[1, 2]])
    emb(ids)
    with Tape() as tape:
        h = keras.ops.convert_to_numpy(emb(ids))  # HERE
        sims = h @ h.transpose(0, 2, 1)
        loss = tf.reduce_sum(sims)
    return tape, loss, emb.embeddings
