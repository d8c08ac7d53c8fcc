"""Values that left TensorFlow for Python or NumPy, by ways that are easily missed, and healthy look-alikes."""

import math

import keras
import numpy as np
import tensorflow as tf


def _model():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(2)])


def float_loop(Tape):
    """none: left-tensorflow"""
    w = tf.Variable([1.0, 2.0, 3.0])
    with Tape() as t:
        tot = 0.0
        for i in range(3):
            tot += float(w[i]) * 2  # HERE
        loss = tf.constant(1.0) * tot
    return t, loss, w


def np_dot(Tape):
    """none: left-tensorflow"""
    w = tf.Variable([[1.0, 2.0]])
    x = np.ones((2, 3), np.float32)
    with Tape() as t:
        y = np.dot(w * 1.0, x)  # HERE
        loss = tf.reduce_sum(tf.square(y))
    return t, loss, w


def item(Tape):
    """none: left-tensorflow"""
    w = tf.Variable(2.0)
    with Tape() as t:
        a = (w * 3.0).numpy().item()  # HERE
        loss = tf.exp(tf.constant(a))
    return t, loss, w


def attr_store(Tape):
    """none: left-tensorflow"""

    class A:
        pass

    s = A()
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        s.h = (w * 2.0).numpy()  # HERE
        s.k = s.h + 1.0
        loss = tf.reduce_sum(tf.convert_to_tensor(s.k))
    return t, loss, w


def dict_store(Tape):
    """none: left-tensorflow"""
    d = {}
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        d["h"] = np.asarray(w * 2.0)  # HERE
        loss = tf.reduce_sum(tf.square(d["h"]))
    return t, loss, w


def listcomp(Tape):
    """none: left-tensorflow"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        vals = [float(v) ** 2 for v in tf.unstack(w)]  # HERE
        loss = tf.add_n([tf.constant(v) for v in vals])
    return t, loss, w


def class_method(Tape):
    """none: left-tensorflow"""

    class Env:
        def reward(self, a):
            a = a.numpy()  # HERE
            return np.float32((a**2).sum())

    env = Env()
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        r = env.reward(w * 2.0)
        loss = -tf.convert_to_tensor(r)
    return t, loss, w


def callback_arg(Tape):
    """none: left-tensorflow"""

    def metric(y, p):
        return float(np.mean((y - p) ** 2))

    w = tf.Variable([1.0, 2.0])
    y = np.zeros(2, np.float32)
    with Tape() as t:
        p = w * 3.0
        l = metric(y, p.numpy())  # HERE
        loss = tf.constant(l) + 0.0
    return t, loss, w


def passed_into(Tape):
    """none: left-tensorflow"""

    def mse(a):
        return tf.reduce_mean(tf.square(a))

    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        p = (w * 3.0).numpy() + 1.0  # HERE
        loss = mse(p)
    return t, loss, w


def predict_logged(Tape):
    """ok: ok"""
    m = _model()
    x = np.ones((2, 4), np.float32)
    with Tape() as t:
        p = m.predict(x, verbose=0)
        loss = tf.reduce_mean(m(x) ** 2)
        history = [p.sum()]
    return t, loss, m.trainable_variables


def numpy_scale(Tape):
    """ok: ok"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        s = float(tf.reduce_max(w))
        loss = tf.reduce_sum(w / s)
    return t, loss, w


def keras_eval(Tape):
    """none: left-tensorflow"""
    m = _model()
    x = np.ones((2, 4), np.float32)
    with Tape() as t:
        p = m.predict_on_batch(x)  # HERE
        loss = tf.reduce_mean(tf.constant(p) ** 2)
    return t, loss, m.trainable_variables[0]


def math_exp(Tape):
    """none: left-tensorflow"""
    w = tf.Variable(1.5)
    with Tape() as t:
        loss = tf.constant(2.0) * math.exp(-w)  # HERE
    return t, loss, w


def np_in_layer(Tape):
    """none: left-tensorflow"""

    class L(keras.layers.Layer):
        def call(self, x):
            return tf.convert_to_tensor(np.sin(x))  # HERE

    d = keras.layers.Dense(2)
    l = L()
    x = tf.ones((1, 2))
    d(x)
    with Tape() as t:
        loss = tf.reduce_sum(l(d(x)))
    return t, loss, d.kernel


def custom_loss_np(Tape):
    """none: left-tensorflow"""

    def my_loss(y_true, y_pred):
        y_pred = y_pred.numpy()  # HERE
        diff = y_true - y_pred
        return np.sqrt(np.mean(diff**2))

    m = keras.Sequential([keras.layers.Dense(1)])
    x = np.ones((4, 2), np.float32)
    y = np.zeros((4, 1), np.float32)
    m(x)
    with Tape() as t:
        loss = my_loss(y, m(x, training=True))
        loss = tf.convert_to_tensor(loss, tf.float32)
    return t, loss, m.trainable_variables


def custom_loss_np_raw(Tape):
    """error: left-tensorflow"""

    def my_loss(y_true, y_pred):
        return np.mean((y_true - y_pred.numpy()) ** 2)  # HERE

    m = keras.Sequential([keras.layers.Dense(1)])
    x = np.ones((4, 2), np.float32)
    y = np.zeros((4, 1), np.float32)
    m(x)
    with Tape() as t:
        loss = my_loss(y, m(x, training=True))
    return t, loss, m.trainable_variables


def rl_returns(Tape):
    """none: left-tensorflow"""
    pol = keras.layers.Dense(2)
    s = np.ones((1, 3), np.float32)
    pol(s)

    def rollout():
        rewards = []
        for i in range(3):
            a = pol(s).numpy()  # HERE
            rewards.append(a[0, 0])
        return np.array(rewards, dtype=np.float32)

    with Tape() as t:
        r = rollout()
        loss = -tf.reduce_mean(r)
    return t, loss, pol.trainable_variables


def ndarray_inplace(Tape):
    """none: left-tensorflow"""
    w = tf.Variable([1.0, 2.0])
    out = np.zeros(2, np.float32)
    with Tape() as t:
        for i in range(2):
            out[i] = w[i] * 2.0  # HERE
        loss = tf.reduce_sum(out)
    return t, loss, w


def np_stack(Tape):
    """none: left-tensorflow"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        parts = [w * 1.0, w * 2.0]
        h = np.stack(parts)  # HERE
        loss = tf.reduce_mean(h)
    return t, loss, w


def tolist(Tape):
    """none: left-tensorflow"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        l = (w * 2.0).numpy().tolist()  # HERE
        loss = tf.reduce_sum(tf.constant([a * a for a in l]))
    return t, loss, w


def jit_numpy_function(Tape):
    """none: left-tensorflow"""

    @tf.function
    def f(x):
        y = tf.numpy_function(lambda a: a * 2, [x], tf.float32)  # HERE
        y.set_shape([2])
        return tf.reduce_sum(y)

    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        loss = f(w)
    return t, loss, w


def property_numpy(Tape):
    """none: left-tensorflow"""

    class P_:
        def __init__(s, v):
            s.v = v

        @property
        def value(s):
            return s.v.numpy()  # HERE

    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        p = P_(w * 2.0)
        loss = tf.reduce_sum(tf.constant(p.value) * 3.0)
    return t, loss, w


def dqn_target_numpy(Tape):
    """none: left-tensorflow"""
    m = keras.Sequential([keras.layers.Dense(2)])
    s = tf.ones((1, 3))
    m(s)
    with Tape() as t:
        q = m(s).numpy()  # HERE
        q[0, 1] = 3.0
        loss = tf.reduce_mean(tf.square(q - 1.0))
    return t, loss, m.trainable_variables


def scipy_like(Tape):
    """none: left-tensorflow"""

    def fft(a):
        return np.fft.fft(a)  # HERE

    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        s = np.abs(fft(w * 2.0))
        loss = tf.reduce_sum(tf.cast(s, tf.float32))
    return t, loss, w


def pandas_like(Tape):
    """none: left-tensorflow"""
    import json

    w = tf.Variable([1.5, 2.5])
    with Tape() as t:
        d = {"a": [float(v) for v in w]}  # HERE
        loss = tf.reduce_sum(tf.constant(d["a"]))
    return t, loss, w


def generator_fn(Tape):
    """none: left-tensorflow"""
    w = tf.Variable([1.5, 2.5])

    def gen():
        for v in tf.unstack(w * 2.0):
            yield v.numpy()  # HERE

    with Tape() as t:
        loss = tf.add_n([tf.constant(v) for v in gen()])
    return t, loss, w


def siamese(Tape):
    """none: left-tensorflow"""
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    a = np.ones((1, 4), np.float32)
    b = np.zeros((1, 4), np.float32)
    with Tape() as t:
        ea = m.predict(a, verbose=0)  # HERE
        eb = m.predict(b, verbose=0)  # HERE
        d = tf.norm(ea - eb, axis=1)
        loss = tf.reduce_mean(tf.maximum(1.0 - d, 0.0))
    return t, loss, m.trainable_variables


def policy_prob_numpy(Tape):
    """none: left-tensorflow"""
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    s = np.ones((1, 4), np.float32)
    logp = []
    rew = []
    with Tape() as t:
        for i in range(2):
            p = np.squeeze(m(s))  # HERE
            a = np.random.choice(2, p=p / p.sum())
            logp.append(np.log(p[a]))
            rew.append(1.0)
        loss = -tf.reduce_sum(tf.constant(logp) * tf.constant(rew))
    return t, loss, m.trainable_variables


def policy_right(Tape):
    """ok: ok"""
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    s = np.ones((1, 4), np.float32)
    logp = []
    with Tape() as t:
        for i in range(2):
            p = m(s)[0]
            a = np.random.choice(2, p=np.asarray(p, np.float64) / np.asarray(p, np.float64).sum())
            logp.append(tf.math.log(p[a]))
        loss = -tf.add_n(logp)
    return t, loss, m.trainable_variables
