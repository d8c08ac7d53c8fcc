"""Ops without a slope, integers on the way, and healthy look-alikes."""

import keras
import numpy as np
import tensorflow as tf


def cast_bool(Tape):
    """none: integer-dtype"""
    w = tf.Variable([1.0, 0.0])
    with Tape() as t:
        m = tf.cast(w, tf.bool)  # HERE
        loss = tf.reduce_sum(tf.cast(m, tf.float32))
    return t, loss, w


def equal_acc(Tape):
    """none: nondifferentiable-op"""
    w = tf.Variable([1.0, 0.0])
    with Tape() as t:
        loss = tf.reduce_mean(tf.cast(tf.equal(w, [1.0, 1.0]), tf.float32))  # HERE
    return t, loss, w


def where_index(Tape):
    """none: nondifferentiable-op"""
    w = tf.Variable([1.0, -1.0])
    with Tape() as t:
        i = tf.where(w > 0.0)  # HERE
        loss = tf.reduce_sum(tf.cast(i, tf.float32))
    return t, loss, w


def keras_one_hot(Tape):
    """none: nondifferentiable-op"""
    w = tf.Variable([[1.0, -1.0, 3.0]])
    with Tape() as t:
        k = keras.ops.argmax(w * 1.0, axis=-1)  # HERE
        loss = tf.reduce_sum(keras.ops.one_hot(k, 3))
    return t, loss, w


def while_python(Tape):
    """none: nondifferentiable-op"""
    w = tf.Variable(3.0)
    with Tape() as t:
        n = tf.constant(0.0)
        x = w * 1.0
        while x > 1.0:  # HERE
            n = n + 1.0
            x = x / 2.0
        loss = n * 2.0
    return t, loss, w


def swap_args(Tape):
    """ok: ok"""
    w = tf.Variable([[0.1, 0.2, 0.7]])
    y = tf.constant([[0.0, 0.0, 1.0]])
    with Tape() as t:
        loss = tf.reduce_mean(keras.losses.categorical_crossentropy(tf.nn.softmax(w), y + 0.1))
    return t, loss, w


def floor_mod(Tape):
    """none: nondifferentiable-op"""
    w = tf.Variable([1.5])
    with Tape() as t:
        loss = tf.reduce_sum(w // 0.5)  # HERE
    return t, loss, w


def in_cond_fn(Tape):
    """none: nondifferentiable-op"""

    @tf.function
    def f(x):
        if x > 0.0:  # HERE
            return tf.constant(1.0)
        return tf.constant(2.0)

    w = tf.Variable(1.0)
    with Tape() as t:
        loss = f(w) * 3.0
    return t, loss, w


def keras_int_input(Tape):
    """none: integer-dtype"""
    m = keras.Sequential([keras.layers.Embedding(5, 2), keras.layers.Flatten(), keras.layers.Dense(1)])
    ids = tf.constant([[1, 2]])  # HERE
    with Tape() as t:
        t.watch(ids)
        out = m(ids)  # HERE
    return t, out, ids


def argsort_gather(Tape):
    """none: nondifferentiable-op"""
    w = tf.Variable([3.0, 1.0, 2.0])
    v = tf.constant([1.0, 2.0, 3.0])
    with Tape() as t:
        o = tf.argsort(w)  # HERE
        loss = tf.reduce_sum(tf.gather(v, o) * v)
    return t, loss, w


def in_map_fn(Tape):
    """none: nondifferentiable-op"""
    w = tf.Variable([3.2, 1.1, 2.7])
    with Tape() as t:
        r = tf.map_fn(lambda a: tf.round(a), w)  # HERE
        loss = tf.reduce_sum(r)
    return t, loss, w


def vectorized(Tape):
    """none: nondifferentiable-op"""
    w = tf.Variable([3.2, 1.1, 2.7])
    with Tape() as t:
        r = tf.vectorized_map(lambda a: tf.floor(a), w)  # HERE
        loss = tf.reduce_sum(r)
    return t, loss, w


def binarize_kr(Tape):
    """none: nondifferentiable-op"""
    w = tf.Variable([[0.2, 0.7]])
    with Tape() as t:
        b = keras.ops.cast(w > 0.5, "float32")  # HERE
        loss = tf.reduce_sum(b)
    return t, loss, w


def iou_metric(Tape):
    """none: nondifferentiable-op"""
    p = tf.Variable([0.2, 0.7, 0.9])
    y = tf.constant([0.0, 1.0, 1.0])

    def iou(y, p):
        p = tf.math.greater(p, 0.5)  # HERE
        p = tf.cast(p, tf.float32)
        inter = tf.reduce_sum(y * p)
        return inter / (tf.reduce_sum(y) + tf.reduce_sum(p) - inter)

    with Tape() as t:
        loss = 1.0 - iou(y, p)
    return t, loss, p


def unique_seg(Tape):
    """none: nondifferentiable-op"""
    w = tf.Variable([1.0, 1.0, 2.0])
    with Tape() as t:
        u, i = tf.unique(w)  # HERE
        loss = tf.reduce_sum(tf.cast(i, tf.float32))
    return t, loss, w


def searchs(Tape):
    """none: nondifferentiable-op"""
    w = tf.Variable([0.1, 0.5])
    with Tape() as t:
        i = tf.searchsorted(tf.constant([0.0, 0.3, 1.0]), w)  # HERE
        loss = tf.reduce_sum(tf.gather(tf.constant([1.0, 2.0, 3.0, 4.0]), i))
    return t, loss, w


def pixel_u8(Tape):
    """none: integer-dtype"""
    img = tf.Variable(tf.random.uniform((2, 2), 0, 255))
    with Tape() as t:
        q = tf.cast(img, tf.uint8)  # HERE
        loss = tf.reduce_mean(tf.image.convert_image_dtype(q, tf.float32))
    return t, loss, img


def saturate(Tape):
    """none: integer-dtype"""
    img = tf.Variable([1.2, 300.0])
    with Tape() as t:
        q = tf.saturate_cast(img, tf.uint8)  # HERE
        loss = tf.reduce_mean(tf.cast(q, tf.float32))
    return t, loss, img


def np_int(Tape):
    """none: integer-dtype"""
    x = tf.constant(np.arange(3))  # HERE
    with Tape() as t:
        t.watch(x)
        y = tf.reduce_sum(x * x)  # HERE
    return t, y, x


def int_target(Tape):
    """none: integer-dtype"""
    x = tf.Variable([1.5, 2.5])
    with Tape() as t:
        y = tf.reduce_sum(tf.cast(x, tf.int64))  # HERE
    return t, y, x


def fit_step(Tape):
    """none: nondifferentiable-op"""
    box = []

    class M(keras.Model):
        def __init__(s):
            super().__init__()
            s.d = keras.layers.Dense(2)

        def call(s, x):
            return s.d(x)

        def train_step(s, data):
            x, y = data
            with Tape() as t:
                p = s(x, training=True)
                l = tf.cast(tf.argmax(p, -1), tf.float32)  # HERE
                loss = tf.reduce_mean((l - y) ** 2)
            t.gradient(loss, s.trainable_variables)
            box.append(t.explain(loss, s.trainable_variables))
            return {"loss": loss}

    m = M()
    m.compile()
    m.fit(np.ones((4, 3), np.float32), np.ones((4,), np.float32), verbose=0)
    return box[0]


def round_and_float_scale(Tape):
    """none: nondifferentiable-op"""
    w = tf.Variable([1.2, 2.0])
    with Tape() as t:
        s = float(tf.reduce_max(w))
        loss = tf.reduce_sum(tf.round(w) / s)  # HERE
    return t, loss, w


def index_and_watch(Tape):
    """none: integer-dtype"""
    i = tf.Variable(1)  # HERE
    x = tf.Variable([1.0, 2.0])
    with Tape() as t:
        y = x[i] * 2.0  # HERE
    return t, y, i


def select_by_argmax(Tape):
    """none: nondifferentiable-op"""
    q = tf.Variable([[1.0, 2.0]])
    r = tf.constant([5.0, 6.0])
    with Tape() as t:
        a = tf.argmax(q, axis=1)  # HERE
        loss = -tf.reduce_mean(tf.gather(r, a))
    return t, loss, q


def dqn_right(Tape):
    """ok: ok"""
    q = tf.Variable([[1.0, 2.0]])
    with Tape() as t:
        a = tf.argmax(q, axis=1)
        loss = -tf.reduce_mean(tf.gather(q, a, axis=1, batch_dims=1))
    return t, loss, q


def gumbel_hard(Tape):
    """none: nondifferentiable-op"""
    l = tf.Variable([[1.0, 2.0, 3.0]])
    with Tape() as t:
        y = tf.nn.softmax(l)
        hard = tf.one_hot(tf.argmax(y, -1), 3)  # HERE
        loss = tf.reduce_sum(hard * [1.0, 2.0, 3.0])
    return t, loss, l


def vq(Tape):
    """none: nondifferentiable-op"""
    cb = tf.constant([[0.0, 0.0], [1.0, 1.0]])
    z = tf.Variable([[0.2, 0.3]])
    with Tape() as t:
        d = tf.reduce_sum((z[:, None] - cb[None]) ** 2, -1)
        k = tf.argmin(d, 1)  # HERE
        q = tf.gather(cb, k)
        loss = tf.reduce_mean((q - 1.0) ** 2)
    return t, loss, z


def vq_ste(Tape):
    """ok: ok"""
    cb = tf.constant([[0.0, 0.0], [1.0, 1.0]])
    z = tf.Variable([[0.2, 0.3]])
    with Tape() as t:
        d = tf.reduce_sum((z[:, None] - cb[None]) ** 2, -1)
        q = tf.gather(cb, tf.argmin(d, 1))
        q = z + tf.stop_gradient(q - z)
        loss = tf.reduce_mean((q - 1.0) ** 2)
    return t, loss, z


def detection_boxes(Tape):
    """none: integer-dtype"""
    img = tf.constant(np.random.rand(1, 8, 8, 1).astype("f"))
    box = tf.Variable([1.2, 2.3, 6.1, 7.7])
    with Tape() as t:
        y1, x1, y2, x2 = tf.unstack(tf.cast(box, tf.int32))  # HERE
        crop = img[:, y1:y2, x1:x2]
        loss = tf.reduce_mean(crop)
    return t, loss, box
