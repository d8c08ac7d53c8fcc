"""stop_gradient, state, rules written by hand, and healthy look-alikes."""

import keras
import numpy as np
import tensorflow as tf


def metric_mean(Tape):
    """none: state"""
    w = tf.Variable([1.0, 2.0])
    m = keras.metrics.Mean()
    with Tape() as t:
        l = tf.reduce_sum(w**2)
        m(l)  # HERE
        loss = m.result()
    return t, loss, w


def hash_table(Tape):
    """none: state"""
    tab = tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, 0.0)
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        tab.insert(tf.constant([0, 1], tf.int64), w * 2.0)  # HERE
        loss = tf.reduce_sum(tab.lookup(tf.constant([0, 1], tf.int64)))
    return t, loss, w


def queue(Tape):
    """none: state"""
    q = tf.queue.FIFOQueue(3, [tf.float32], [[2]])
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        q.enqueue(w * 2.0)  # HERE
        loss = tf.reduce_sum(q.dequeue())
    return t, loss, w


def var_slice_assign(Tape):
    """none: state"""
    buf = tf.Variable(tf.zeros((2, 2)))
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        buf[0].assign(w * 2.0)  # HERE
        loss = tf.reduce_sum(buf)
    return t, loss, w


def keras_stop(Tape):
    """none: stop-gradient"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        y = keras.ops.stop_gradient(w * 2.0)  # HERE
        loss = tf.reduce_sum(y)
    return t, loss, w


def stop_in_fn(Tape):
    """none: stop-gradient"""

    @tf.function
    def f(a):
        b = tf.stop_gradient(a)  # HERE
        return tf.reduce_sum(b * 2.0)

    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        loss = f(w)
    return t, loss, w


def stop_in_method(Tape):
    """none: stop-gradient"""

    class M(tf.Module):
        def __init__(s):
            s.w = tf.Variable([1.0, 2.0])

        @tf.function
        def __call__(s, x):
            h = s.w * x
            return tf.reduce_sum(tf.stop_gradient(h))  # HERE

    m = M()
    with Tape() as t:
        loss = m(tf.constant([1.0, 1.0]))
    return t, loss, m.w


def rule_none_fn(Tape):
    """none: custom-gradient"""

    @tf.custom_gradient
    def r(x):
        def g(dy):  # HERE
            return None  # HERE

        return tf.round(x), g

    w = tf.Variable([1.2])
    with Tape() as t:
        loss = tf.reduce_sum(r(w * 2.0) * 2.0)
    return t, loss, w


def rule_lambda(Tape):
    """none: custom-gradient"""

    @tf.custom_gradient
    def r(x, k):
        return x * k, lambda dy: (dy * k, None)  # HERE

    w = tf.Variable([1.2])
    k = tf.Variable([2.0])
    with Tape() as t:
        loss = tf.reduce_sum(r(w, k) * 2.0)
    return t, loss, k


def ste_right(Tape):
    """ok: ok"""

    @tf.custom_gradient
    def r(x):
        return tf.round(x), lambda dy: dy

    w = tf.Variable([1.2])
    with Tape() as t:
        loss = tf.reduce_sum(r(w * 2.0) * 2.0)
    return t, loss, w


def ema_target(Tape):
    """none: state"""
    w = tf.Variable([1.0, 2.0])
    tgt = tf.Variable([0.0, 0.0], trainable=False)
    with Tape() as t:
        tgt.assign(0.9 * tgt + 0.1 * w)  # HERE
        loss = tf.reduce_sum((tgt - 1.0) ** 2)
    return t, loss, w


def kernel_swap(Tape):
    """none: state"""
    d = keras.layers.Dense(2, use_bias=False)
    x = tf.ones((1, 2))
    d(x)
    fast = tf.Variable(tf.ones((2, 2)))
    with Tape() as t:
        d.kernel.assign(fast * 0.5)  # HERE
        loss = tf.reduce_sum(d(x))
    return t, loss, fast


def set_weights(Tape):
    """none: state"""
    d = keras.layers.Dense(2, use_bias=False)
    x = tf.ones((1, 2))
    d(x)
    fast = tf.Variable(tf.ones((2, 2)))
    with Tape() as t:
        for v, n in zip(d.trainable_variables, [fast * 2.0]):
            v.assign(n)  # HERE
        loss = tf.reduce_sum(d(x))
    return t, loss, fast


def maml(Tape):
    """none: state"""
    w = tf.Variable([1.0, 2.0])
    w2 = tf.Variable([0.0, 0.0])
    with Tape() as outer:
        with Tape() as inner:
            l = tf.reduce_sum(w**2)
        g = inner.gradient(l, w)
        w2.assign(w - 0.1 * g)  # HERE
        l2 = tf.reduce_sum(w2**2)
    return outer, l2, w


def tensorarray_var(Tape):
    """none: state"""
    w = tf.Variable([1.0, 2.0])
    mem = tf.Variable(tf.zeros((3, 2)))

    @tf.function
    def f(x):
        for i in tf.range(3):
            mem[i].assign(x * tf.cast(i, tf.float32))  # HERE
        return tf.reduce_sum(mem)

    with Tape() as t:
        loss = f(w)
    return t, loss, w


def tensorarray_ok(Tape):
    """ok: ok"""
    w = tf.Variable([1.0, 2.0])

    @tf.function
    def f(x):
        ta = tf.TensorArray(tf.float32, 3)
        for i in tf.range(3):
            ta = ta.write(i, x * tf.cast(i, tf.float32))
        return tf.reduce_sum(ta.stack())

    with Tape() as t:
        loss = f(w)
    return t, loss, w


def gradient_reversal_wrong(Tape):
    """none: custom-gradient"""

    @tf.custom_gradient
    def rev(x, lam):
        def grad(dy):  # HERE
            return -lam * dy, None  # HERE

        return tf.identity(x), grad

    lam = tf.Variable(0.5)
    w = tf.Variable([1.0])
    with Tape() as t:
        y = tf.reduce_sum(rev(w * 2.0, lam) ** 2)
    return t, y, lam


def closure_in_layer(Tape):
    """none: custom-gradient"""

    class L(keras.layers.Layer):
        def build(self, s):
            self.a = self.add_weight(shape=(), initializer="ones", name="a")

        def call(self, x):
            a = self.a * 1.0

            @tf.custom_gradient
            def f(z):  # HERE
                def grad(dy):  # HERE
                    return dy * a  # HERE

                return z * a, grad  # HERE

            return f(x)  # HERE

    l = L()
    x = tf.Variable(tf.ones((1, 2)))
    l(x)
    with Tape() as t:
        y = tf.reduce_sum(l(x))
    return t, y, l.a


def sg_variable_fn(Tape):
    """none: stop-gradient"""
    w = tf.Variable([1.0, 2.0])

    @tf.function
    def f():
        return tf.reduce_sum(tf.stop_gradient(w) ** 2)  # HERE

    with Tape() as t:
        y = f()
    return t, y, w


def simsiam(Tape):
    """none: stop-gradient"""
    enc = keras.Sequential([keras.layers.Dense(3)])
    x = tf.ones((2, 2))
    enc(x)

    def D(p, z):
        z = tf.stop_gradient(z)  # HERE
        return -tf.reduce_mean(z * z)

    with Tape() as t:
        z1 = enc(x)
        loss = D(z1, z1)
    return t, loss, enc.trainable_variables


def stop_then_numpy_log(Tape):
    """none: stop-gradient"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        h = w * 2.0
        log = [float(h[0])]
        k = tf.stop_gradient(h)  # HERE
        loss = tf.reduce_sum(k * np.random.rand(2).astype("f"))
    return t, loss, w


def nested_custom(Tape):
    """none: custom-gradient"""

    @tf.custom_gradient
    def outer_(x, y):
        def g(dy):  # HERE
            return dy * y, None  # HERE

        return x * y, g

    a = tf.Variable(2.0)
    b = tf.Variable(3.0)

    @tf.function
    def f(p, q):
        return outer_(p, q) * 2.0

    with Tape() as t:
        z = f(a, b)
    return t, z, b


def optimizer_apply_inside(Tape):
    """none: state"""
    w = tf.Variable([1.0, 2.0])
    u = tf.Variable([1.0, 1.0])
    opt = keras.optimizers.SGD(0.1)
    with Tape() as t:
        opt.apply_gradients([(w * 2.0, u)])  # HERE
        loss = tf.reduce_sum(u**2)
    return t, loss, w


def dataset_map(Tape):
    """none: state"""
    w = tf.Variable(2.0)
    with Tape() as t:
        ds = tf.data.Dataset.from_tensors(w * 3.0).map(lambda v: v * v)  # HERE
        loss = next(iter(ds)) * 1.0
    return t, loss, w


def var_initial_value(Tape):
    """none: state"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        e_ = keras.layers.Embedding(2, 1)
        k = keras.Variable(w * 2.0)  # HERE
        loss = tf.reduce_sum(k.value**2)
    return t, loss, w


def model_with_stop(Tape):
    """none: stop-gradient"""
    inp = keras.Input((4,))
    h = keras.layers.Dense(3)(inp)
    s = keras.layers.Lambda(lambda v: tf.stop_gradient(v))(h)  # HERE
    o = keras.layers.Dense(1)(s)  # HERE
    m = keras.Model(inp, o)
    x = tf.ones((1, 4))
    with Tape() as t:
        loss = tf.reduce_mean(m(x))  # HERE
    return t, loss, m.layers[1].trainable_variables


def assign_sub_meta(Tape):
    """none: state"""
    lr = tf.Variable(0.1)
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        w.assign_sub(lr * tf.constant([1.0, 1.0]))  # HERE
        loss = tf.reduce_sum(w**2)
    return t, loss, lr


def assign_in_keras_layer(Tape):
    """none: state"""

    class L(keras.layers.Layer):
        def build(s, sh):
            s.ema = s.add_weight(shape=(3,), trainable=False, name="ema", initializer="zeros")

        def call(s, x):
            s.ema.assign(0.9 * s.ema + 0.1 * tf.reduce_mean(x, 0))  # HERE
            return tf.zeros_like(x) + s.ema

    d = keras.layers.Dense(3)
    l = L()
    x = tf.ones((2, 4))
    l(d(x))
    with Tape() as t:
        loss = tf.reduce_sum(l(d(x)))
    return t, loss, d.kernel


def class_rule(Tape):
    """none: custom-gradient"""

    class Clip:
        @staticmethod
        @tf.custom_gradient
        def apply(x):
            def grad(dy):  # HERE
                return None  # HERE

            return tf.clip_by_value(x, -1.0, 1.0), grad

    w = tf.Variable([0.5])
    with Tape() as t:
        loss = tf.reduce_sum(Clip.apply(w * 1.0))
    return t, loss, w
