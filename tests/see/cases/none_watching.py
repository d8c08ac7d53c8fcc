"""Sources that nobody watched or that are not trainable."""

import keras
import numpy as np
import tensorflow as tf


def _model():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(2)])


def style_loop(Tape):
    """none: unwatched"""
    image = tf.Variable(tf.random.uniform((4, 4)))
    for i in range(2):
        with Tape() as t:
            loss = tf.reduce_sum(image**2)  # HERE
        g = t.gradient(loss, image)
        if g is None:
            return t.explain(loss, image)
        image = tf.clip_by_value(image - 0.1 * g, 0.0, 1.0)


def fgsm(Tape):
    """none: unwatched"""
    x = tf.random.normal((2, 4))
    m = _model()
    for i in range(2):
        with Tape() as t:
            if i == 0:
                t.watch(x)
            p = m(x)  # HERE
            loss = tf.reduce_mean(p)
        g = t.gradient(loss, x)
        if g is None:
            return t.explain(loss, x)
        x = x + 0.1 * tf.sign(g)


def bn_all_weights(Tape):
    """none: not-trainable"""
    bn = keras.layers.BatchNormalization()
    x = tf.random.normal((4, 3))
    bn(x)
    with Tape() as t:
        y = bn(x)  # HERE
        loss = tf.reduce_sum(y**2)
    return t, loss, [w for w in bn.non_trainable_variables][0]


def numpy_input(Tape):
    """none: unwatched"""
    m = _model()
    x = tf.convert_to_tensor(np.random.rand(2, 4).astype("f"))
    with Tape() as t:
        out = m(x)  # HERE
        loss = tf.reduce_sum(out)
    return t, loss, x


def copy_watched(Tape):
    """none: unwatched"""
    x = tf.constant([1.0, 2.0])
    with Tape() as t:
        t.watch(tf.identity(x))
        y = tf.reduce_sum(x**2)  # HERE
    return t, y, x


def watch_list_partial(Tape):
    """none: unwatched"""
    xs = [tf.constant(1.0), tf.constant(2.0)]
    with Tape() as t:
        t.watch(xs[:1])
        y = xs[0] + xs[1]  # HERE
    return t, y, xs[1]


def sn_u(Tape):
    """none: not-trainable"""
    v = tf.Variable([1.0], trainable=False, name="u")

    @tf.function
    def f():
        return tf.reduce_sum(v * 2.0)  # HERE

    with Tape() as t:
        y = f()
    return t, y, v


def list_of_tensors(Tape):
    """none: unwatched"""
    xs = [tf.random.normal((2,)) for _ in range(2)]
    with Tape() as t:
        y = tf.add_n(xs)  # HERE
    return t, y, xs


def traced_input(Tape):
    """none: unwatched"""
    box = []

    @tf.function
    def step(x):
        with Tape() as t:
            y = tf.reduce_sum(x**2)  # HERE
        t.gradient(y, x)
        box.append(t.explain(y, x))
        return y

    step(tf.constant([1.0, 2.0]))
    return box[0]


def late_in_fn(Tape):
    """none: unwatched"""

    @tf.function
    def f(x):
        return x * 2.0  # HERE

    x = tf.constant([1.0, 2.0])
    with Tape() as t:
        y = f(x)
        t.watch(x)
        z = tf.reduce_sum(y)
    return t, z, x


def var_to_tensor_before(Tape):
    """none: unwatched"""
    v = tf.Variable([1.0, 2.0])
    x = v.read_value()
    with Tape() as t:
        y = tf.reduce_sum(x**2)  # HERE
    return t, y, x


def third_iteration(Tape):
    """none: unwatched"""
    th = tf.Variable(1.0)
    for k in range(3):
        with Tape() as t:
            loss = (th - 3.0) ** 2  # HERE
        g = t.gradient(loss, th)
        if g is None:
            return t.explain(loss, th)
        th = tf.subtract(th, 0.1 * g)


def dict_update(Tape):
    """none: unwatched"""
    p = {"a": tf.Variable(1.0), "b": tf.Variable(2.0)}
    for k in range(2):
        with Tape() as t:
            loss = p["a"] * p["b"]  # HERE
        g = t.gradient(loss, p)
        if g["a"] is None:
            return t.explain(loss, p)
        p = {k: p[k] - 0.1 * g[k] for k in p}


def layer_frozen_at_creation(Tape):
    """none: not-trainable"""
    d = keras.layers.Dense(2, trainable=False)
    x = tf.ones((1, 2))
    d(x)
    v = tf.Variable(tf.ones((2,)), trainable=False)
    with Tape() as t:
        loss = tf.reduce_sum(d(x) * v)  # HERE
    return t, loss, v


def keras_trainable_false(Tape):
    """ok: ok"""
    d = keras.layers.Dense(2)
    x = tf.ones((1, 2))
    d(x)
    d.trainable = False
    with Tape() as t:
        loss = tf.reduce_sum(d(x))
    return t, loss, d.kernel


def keras_saliency_batch(Tape):
    """none: unwatched"""
    m = keras.Sequential([keras.layers.Conv2D(2, 3), keras.layers.GlobalAveragePooling2D()])
    img = np.random.rand(1, 5, 5, 1).astype("f")
    x = tf.constant(img)
    with Tape() as t:
        p = m(x)  # HERE
        s = tf.reduce_max(p)
    return t, s, x


def integrated_gradients(Tape):
    """none: unwatched"""
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Softmax()])
    base = tf.zeros((1, 4))
    x = tf.ones((1, 4))
    alphas = tf.linspace(0.0, 1.0, 3)
    xs = base + alphas[:, None] * (x - base)
    with Tape() as t:
        p = m(xs)  # HERE
        c = p[:, 1]
    return t, c, xs


def all_weights(Tape):
    """none: not-trainable"""
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization()])
    x = tf.random.normal((4, 4))
    with Tape() as t:
        loss = tf.reduce_mean(m(x, training=True) ** 2)  # HERE
    return t, loss, m.weights


def seed_gen(Tape):
    """none: not-trainable"""
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization()])
    x = tf.random.normal((4, 4))

    @tf.function
    def step():
        with Tape() as t:
            loss = tf.reduce_mean(m(x, training=False) ** 2)  # HERE
        t.gradient(loss, m.non_trainable_variables)
        return t.explain(loss, m.non_trainable_variables[:1]) if False else loss

    with Tape() as t:
        loss = tf.reduce_mean(m(x, training=False) ** 2)  # HERE
    return t, loss, m.non_trainable_variables
