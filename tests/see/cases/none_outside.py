"""Parts of the way that ran before, after or beside the block; second derivatives cut in the middle."""

import keras
import tensorflow as tf


def gan_fake_outside(Tape):
    """none: outside-tape"""
    gen = keras.layers.Dense(4)
    disc = keras.layers.Dense(1)
    z = tf.random.normal((3, 2))
    fake = gen(z)  # HERE
    with Tape() as t:
        loss = tf.reduce_mean(disc(fake))
    return t, loss, gen.trainable_variables


def gan_fake_outside_model(Tape):
    """none: outside-tape"""
    gen = keras.Sequential([keras.layers.Dense(4)])
    disc = keras.Sequential([keras.layers.Dense(1)])
    z = tf.random.normal((3, 2))
    gen(z)

    def step():
        images = gen(z, training=True)  # HERE
        with Tape() as t:
            out = disc(images)
            loss = tf.reduce_mean(keras.losses.binary_crossentropy(tf.ones_like(out), out, from_logits=True))
        return t, loss, gen.trainable_variables

    return step()


def pinn_outside(Tape):
    """none: higher-order"""
    net = keras.Sequential([keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)])
    x = tf.constant([[0.1], [0.2]])
    net(x)
    with Tape(persistent=True) as t2:
        t2.watch(x)
        with Tape(persistent=True) as t1:
            t1.watch(x)
            u = net(x)
    ux = t1.gradient(u, x)  # HERE
    return t2, ux, x


def pinn_linear(Tape):
    """none: higher-order"""
    net = keras.Sequential([keras.layers.Dense(1)])
    x = tf.constant([[0.1], [0.2]])
    net(x)
    with Tape() as t2:
        t2.watch(x)
        with Tape() as t1:
            t1.watch(x)
            u = net(x)
        ux = t1.gradient(u, x)  # HERE
    return t2, ux, x


def pinn_right(Tape):
    """ok: ok"""
    net = keras.Sequential([keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)])
    x = tf.constant([[0.1], [0.2]])
    net(x)
    with Tape() as t2:
        t2.watch(x)
        with Tape() as t1:
            t1.watch(x)
            u = net(x)
        ux = t1.gradient(u, x)
    return t2, ux, x


def meta(Tape):
    """none: higher-order"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as outer:
        with Tape() as inner:
            l = tf.reduce_sum(w**2)
        with outer.stop_recording():
            g = inner.gradient(l, w)  # HERE
        w2 = w.read_value() * 0.0 + g
        l2 = tf.reduce_sum(tf.stop_gradient(w2) * 0.0 + g)
    return outer, l2, w


def after_with_indent(Tape):
    """none: outside-tape"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        p = tf.nn.softmax(w)
    ce = -tf.math.log(p[0])  # HERE
    loss = ce * 1.0
    return t, loss, w


def executor(Tape):
    """none: outside-tape"""
    from concurrent.futures import ThreadPoolExecutor

    w = tf.Variable([1.0, 2.0])

    def work():
        return tf.reduce_sum(w**2)  # HERE

    with Tape() as t:
        with ThreadPoolExecutor(1) as ex:
            r = ex.submit(work).result()
        loss = r * 2.0  # HERE
    return t, loss, w


def hessian_diag(Tape):
    """none: higher-order"""
    x = tf.Variable([1.0, 2.0])
    with Tape(persistent=True) as t2:
        with Tape(persistent=True) as t1:
            y = x**3
        pass
    g = t1.gradient(y, x)  # HERE
    s = tf.reduce_sum(g)
    return t2, s, x


def gp_unwatched_inner(Tape):
    """none: higher-order"""
    d = keras.Sequential([keras.layers.Dense(1)])
    x = tf.random.normal((2, 3))
    d(x)
    with Tape() as t:
        with Tape() as gt:
            gt.watch(x)
            s = d(x)
        g = gt.gradient(s, x)  # HERE
        gp = tf.reduce_mean((tf.norm(g, axis=1) - 1.0) ** 2)
    return t, gp, d.trainable_variables[1]


def tf_tape_inner(Tape):
    """none: higher-order"""
    x = tf.Variable([1.0, 2.0])
    with Tape() as o:
        with tf.GradientTape() as i:
            y = tf.reduce_sum(x * 3.0)
        g = i.gradient(y, x)  # HERE
    return o, g, x


def tf_tape_only(Tape):
    """none: outside-tape"""
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as a:
        h = x**2  # HERE
    with Tape() as t:
        y = tf.reduce_sum(h * 2.0)
    return t, y, x


def cached_prop(Tape):
    """none: outside-tape"""

    class M(tf.Module):
        def __init__(s):
            s.w = tf.Variable([1.0, 2.0])
            s._n = None

        def normed(s):
            if s._n is None:
                s._n = tf.nn.softmax(s.w)  # HERE
            return s._n

    m = M()
    m.normed()
    with Tape() as t:
        y = tf.reduce_sum(m.normed() ** 2)
    return t, y, m.w


def loop_outer(Tape):
    """none: outside-tape"""
    w = tf.Variable([1.0, 2.0])
    ls = []
    h = tf.exp(w)  # HERE
    for i in range(2):
        with Tape() as t:
            loss = tf.reduce_sum(h * float(i + 1))
    return t, loss, w


def encoder_then_tape(Tape):
    """none: outside-tape"""
    enc = keras.Sequential([keras.layers.Dense(3)])
    dec = keras.Sequential([keras.layers.Dense(2)])
    x = tf.ones((2, 2))
    enc(x)

    def train(x):
        z = enc(x, training=True)  # HERE
        with Tape() as t:
            r = dec(z, training=True)
            loss = tf.reduce_mean((r - x) ** 2)
        return t, loss

    t, loss = train(x)
    return t, loss, enc.trainable_variables


def reg_after(Tape):
    """none: outside-tape"""
    m = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, kernel_regularizer="l2")])
    x = tf.ones((1, 2))
    with Tape() as t:
        p = m(x)
    loss = tf.reduce_sum(p)  # HERE
    return t, loss, m.trainable_variables


def stop_rec_then_more(Tape):
    """none: outside-tape"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        with t.stop_recording():
            m = tf.reduce_mean(w)  # HERE
        c = m * 3.0
        loss = tf.square(c)
    return t, loss, w


def read_before(Tape):
    """none: outside-tape"""
    v = tf.Variable([1.0, 2.0])
    x = v.read_value()  # HERE
    with Tape() as t:
        y = tf.reduce_sum(x**2)
    return t, y, v


def casted_before(Tape):
    """none: outside-tape"""
    v = tf.Variable([1.0, 2.0])
    x = tf.cast(v, tf.float64) * 1.0  # HERE
    with Tape() as t:
        y = tf.reduce_sum(x**2)
    return t, y, v


def jac_of_const(Tape):
    """none: higher-order"""
    x = tf.Variable([1.0, 2.0])
    A = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    with Tape() as o:
        with Tape() as i:
            y = tf.linalg.matvec(A, x)
        J = i.jacobian(y, x)  # HERE
    return o, J, x


def vjp_of_bias(Tape):
    """none: higher-order"""
    m = keras.Sequential([keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)])
    x = tf.random.normal((2, 2))
    m(x)
    with Tape() as o:
        with Tape() as i:
            i.watch(x)
            y = m(x)
        g = i.gradient(y, x)  # HERE
        loss = tf.reduce_sum(g**2)
    return o, loss, m.trainable_variables[-1]


def lambda_cached(Tape):
    """none: outside-tape"""
    w = tf.Variable([1.0, 2.0])
    memo = {}

    def f():
        if "y" not in memo:
            memo["y"] = tf.exp(w)  # HERE
        return memo["y"]

    f()
    with Tape() as t:
        loss = tf.reduce_sum(f())
    return t, loss, w


def watch_processed_ask_raw(Tape):
    """none: outside-tape"""
    raw = tf.random.uniform((1, 4))
    x = raw * 2.0  # HERE
    with Tape() as t:
        t.watch(raw)
        t.watch(x)
        y = tf.reduce_sum(x**2)
    return t, y, raw


def wgan_gp_wrong(Tape):
    """none: higher-order"""
    c = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
    x = tf.random.normal((3, 2))

    def gp():
        with Tape() as g:
            g.watch(x)
            s = c(x)
        return g.gradient(s, x)  # HERE

    gr = gp()
    with Tape() as t:
        loss = tf.reduce_mean((tf.norm(gr, axis=1) - 1.0) ** 2)
    return t, loss, c.trainable_variables[0]


def wgan_gp_right(Tape):
    """ok: ok"""
    c = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
    x = tf.random.normal((3, 2))
    with Tape() as t:
        with Tape() as g:
            g.watch(x)
            s = c(x)
        gr = g.gradient(s, x)
        loss = tf.reduce_mean((tf.norm(gr, axis=1) - 1.0) ** 2)
    return t, loss, c.trainable_variables[0]


def lr_sched_hyper(Tape):
    """none: outside-tape"""
    lr = tf.Variable(0.1)
    w = tf.Variable([1.0, 2.0])
    g = tf.constant([1.0, 1.0])
    step = lr * g  # HERE
    with Tape() as t:
        loss = tf.reduce_sum((w - step) ** 2)
    return t, loss, lr


def keras_feature_cache(Tape):
    """none: outside-tape"""
    b = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    h = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    feats = [b(tf.ones((1, 4)) * i) for i in range(2)]  # HERE
    with Tape() as t:
        loss = sum(tf.reduce_mean(h(f)) for f in feats)
    return t, loss, b.trainable_variables


def tuple_unpack_before(Tape):
    """none: outside-tape"""
    enc = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])

    def encode(x):
        o = enc(x)
        return o[:, :2], o[:, 2:]  # HERE

    mu, lv = encode(tf.ones((1, 4)))  # HERE
    with Tape() as t:
        z = mu + tf.exp(lv) * tf.random.normal((1, 2))
        loss = tf.reduce_sum(z**2)
    return t, loss, enc.trainable_variables
