"""Questions about another object, about what takes no part, and about inner tensors of one call."""

import keras
import tensorflow as tf


def _model():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(2)])


def gradcam_nested(Tape):
    """none: rebound"""
    base = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Conv2D(2, 3, name="c")])
    top = keras.Sequential([keras.Input((4, 4, 2)), keras.layers.Flatten(), keras.layers.Dense(2)])
    full = keras.Sequential([base, top])
    x = tf.random.normal((1, 6, 6, 1))
    feat = keras.Model(base.inputs, base.get_layer("c").output)
    with Tape() as t:
        c = feat(x)  # HERE
        t.watch(c)
        s = full(x)[:, 0]
    return t, s, c


def gradcam_right(Tape):
    """ok: ok"""
    base = keras.Sequential(
        [keras.Input((6, 6, 1)), keras.layers.Conv2D(2, 3, name="c"), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    g = keras.Model(base.inputs, [base.get_layer("c").output, base.outputs[0]])
    x = tf.random.normal((1, 6, 6, 1))
    with Tape() as t:
        c, s = g(x)
        top = s[:, 0]
    return t, top, c


def two_models(Tape):
    """none: unconnected"""
    a = _model()
    b = _model()
    x = tf.ones((2, 4))
    with Tape() as t:
        loss = tf.reduce_mean(a(x) ** 2)
    return t, loss, b.trainable_variables


def two_outputs(Tape):
    """none: function-boundary"""

    @tf.function
    def f(x):
        h = tf.sin(x)
        return h, tf.reduce_sum(h * 2.0)

    x = tf.Variable([1.0, 2.0])
    with Tape() as t:
        h, l = f(x)  # HERE
        t.watch(h)
        loss = l + 1.0
    return t, loss, h


def bn_frozen(Tape):
    """none: unconnected"""
    a = tf.Variable(1.0)
    b = tf.Variable(2.0)
    with Tape() as t:
        h = a * 3.0  # HERE
        loss = b * 2.0
    return t, loss, a


def unused_in_fn(Tape):
    """none: unconnected"""

    @tf.function
    def f(x, y):
        z = y * 2.0  # HERE
        return tf.reduce_sum(x)

    x = tf.Variable([1.0])
    y = tf.Variable([2.0])
    with Tape() as t:
        loss = f(x, y)  # HERE
    return t, loss, y


def fresh_variable(Tape):
    """none: rebound"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        loss = tf.reduce_sum(w**2)
    w = tf.Variable([1.0, 2.0])  # HERE
    return t, loss, w


def flatten_for_question(Tape):
    """none: rebound"""
    x = tf.Variable([[1.0, 2.0]])
    with Tape() as t:
        loss = tf.reduce_sum(x**2)
    flat = tf.reshape(x, [-1])  # HERE
    return t, loss, flat


def concat_params(Tape):
    """none: rebound"""
    a = tf.Variable([1.0])
    b = tf.Variable([2.0])
    with Tape() as t:
        loss = tf.reduce_sum(a * b)
        theta = tf.concat([a, b], 0)  # HERE
    return t, loss, theta


def slice_of_input(Tape):
    """none: rebound"""
    x = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    with Tape() as t:
        first = x[:, 0]  # HERE
        y = tf.reduce_sum(x**2)
    return t, y, first


def recompute_hidden(Tape):
    """none: rebound"""
    m = keras.Sequential([keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)])
    x = tf.ones((2, 4))
    m(x)
    with Tape() as t:
        y = m(x)
        h = x
        for l in m.layers[:1]:
            h = l(h)  # HERE
    return t, y, h


def identity_after(Tape):
    """none: rebound"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        y = tf.reduce_sum(w**2)
        w2 = tf.identity(w)  # HERE
    return t, y, w2


def convert_var(Tape):
    """none: rebound"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as t:
        y = tf.reduce_sum(w**2)
        v = tf.convert_to_tensor(w)  # HERE
    return t, y, v


def embed_twice(Tape):
    """none: rebound"""
    e_ = keras.layers.Embedding(5, 3)
    ids = tf.constant([[1, 2]])
    d = keras.layers.Dense(1)
    emb0 = e_(ids)
    d(emb0)
    with Tape() as t:
        emb = e_(ids)  # HERE
        t.watch(emb)
        y = tf.reduce_sum(d(e_(ids)))
    return t, y, emb


def noise_redrawn(Tape):
    """none: rebound"""
    g = keras.layers.Dense(2)
    z = tf.random.normal((1, 3))
    g(z)
    with Tape() as t:
        t.watch(z)
        y = tf.reduce_sum(g(z))
        z = z + tf.random.normal((1, 3))  # HERE
    return t, y, z


def reload_model(Tape):
    """none: rebound"""
    m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, name="out")])
    x = tf.ones((1, 3))
    with Tape() as t:
        y = tf.reduce_sum(m(x))
    m = keras.models.clone_model(m)  # HERE
    return t, y, m.trainable_variables


def two_heads(Tape):
    """none: unconnected"""
    b = keras.layers.Dense(3)
    h1 = keras.layers.Dense(1)
    h2 = keras.layers.Dense(1)
    x = tf.ones((2, 2))
    h1(b(x))
    h2(b(x))
    with Tape() as t:
        f = b(x)
        o1 = h1(f)
        o2 = h2(f)  # HERE
        loss = tf.reduce_mean(o1**2)
    return t, loss, h2.trainable_variables


def dropped_mask(Tape):
    """none: unconnected"""
    ws = [tf.Variable([1.0]) for _ in range(3)]
    with Tape() as t:
        loss = sum(tf.reduce_sum(w**2) for w in ws[:2])
    return t, loss, ws[2]


def fn_conditional_python(Tape):
    """none: unconnected"""
    a = tf.Variable(1.0)
    b = tf.Variable(2.0)

    def f(flag):
        return a * 2.0 if flag else b * 2.0

    with Tape() as t:
        y = f(True)
    return t, y, b


def layer_fn(Tape):
    """none: function-boundary"""

    class M(tf.Module):
        def __init__(s):
            s.w = tf.Variable([1.0, 2.0])

        @tf.function
        def __call__(s, x):
            h = s.w * x
            p = tf.nn.softmax(h)
            return {"h": h, "p": p}

    m = M()
    x = tf.constant([1.0, 1.0])
    with Tape() as t:
        o = m(x)  # HERE
        loss = -tf.math.log(o["p"][0])
    return t, loss, o["h"]


def data_before_and_unused(Tape):
    """none: unconnected"""
    enc = keras.layers.Dense(3)
    dec = keras.layers.Dense(2)
    x = tf.random.normal((2, 4))
    y = tf.one_hot([0, 1], 2)
    enc(x)
    dec(tf.ones((2, 4)))
    with Tape() as t:
        loss = tf.reduce_mean((dec(x) - y) ** 2)
    return t, loss, enc.trainable_variables


def normalised_data(Tape):
    """none: unconnected"""
    w = tf.Variable([1.0, 2.0])
    u = tf.Variable([3.0, 4.0])
    data = tf.random.normal((4, 2))
    data = (data - tf.reduce_mean(data)) / tf.math.reduce_std(data)
    with Tape() as t:
        loss = tf.reduce_sum(data * w)
    return t, loss, u


def reads_for_logging(Tape):
    """none: unconnected"""
    w = tf.Variable([1.0, 2.0])
    v = tf.Variable([1.0, 1.0])
    hist = []
    with Tape() as t:
        hist.append(float(tf.norm(w)))  # HERE
        lr = 0.1 * len(hist)
        loss = tf.reduce_sum(v * lr)
    return t, loss, w


def same_op_other_input(Tape):
    """none: rebound"""
    d = keras.layers.Dense(2)
    a = tf.ones((1, 3))
    b = tf.zeros((1, 3))
    d(a)
    with Tape() as t:
        ha = d(a)
        hb = d(b)  # HERE
        loss = tf.reduce_sum(ha)
    return t, loss, hb


def keras_predict_step_outputs(Tape):
    """none: function-boundary"""

    @tf.function
    def two(x):
        a = tf.exp(x)
        b = a * 2.0
        return a, b

    x = tf.Variable([1.0])
    with Tape(persistent=True) as t:
        a, b = two(x)  # HERE
        c = b + 0.0
    return t, c, a


def function_two_independent(Tape):
    """zero: unconnected"""

    @tf.function
    def two(x, y):
        return tf.exp(x), tf.sin(y)

    x = tf.Variable([1.0])
    y = tf.Variable([2.0])
    with Tape() as t:
        a, b = two(x, y)  # HERE
        loss = tf.reduce_sum(a)
    return t, loss, y


def preprocess_then_ask_raw(Tape):
    """none: rebound"""
    raw = tf.random.uniform((1, 4))
    with Tape() as t:
        x = raw / 2.0
        t.watch(x)
        y = tf.reduce_sum(raw**2)
        z = x * 1.0
    return t, y, x


def ig_wrong_object(Tape):
    """none: rebound"""
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    x = tf.ones((1, 4))
    with Tape() as t:
        t.watch(x)
        xs = x * 2.0  # HERE
        p = m(x)
    return t, p, xs


def freeze_by_not_using(Tape):
    """none: unconnected"""
    inp = keras.Input((4,))
    a = keras.layers.Dense(3, name="a")(inp)
    b = keras.layers.Dense(3, name="b")(inp)
    m = keras.Model(inp, [a, b])
    x = tf.ones((1, 4))
    with Tape() as t:
        ya, yb = m(x)  # HERE
        loss = tf.reduce_mean(ya**2)
    return t, loss, m.get_layer("b").trainable_variables


def module_debug_output(Tape):
    """none: function-boundary"""

    class N(tf.Module):
        def __init__(s):
            s.k = tf.Variable(tf.ones((4, 3)))

        @tf.function
        def fwd(s, x):
            f = tf.nn.relu(x @ s.k)
            return f, tf.reduce_sum(f, 1)

    n = N()
    x = tf.ones((2, 4))
    with Tape() as t:
        f, o = n.fwd(x)  # HERE
        l = tf.reduce_mean(o)
    return t, l, f


def reassigned_param(Tape):
    """none: rebound"""
    w = tf.Variable([1.0, 2.0], name="w")

    def net(x):
        return tf.reduce_sum(x * w)

    old = w
    with Tape() as t:
        loss = net(tf.ones(2))
    w = tf.Variable([1.0, 2.0], name="w")  # HERE
    return t, loss, w


def optimizer_slot(Tape):
    """none: unconnected"""
    w = tf.Variable([1.0])
    opt = keras.optimizers.Adam()
    opt.build([w])
    with Tape() as t:
        loss = w * 2.0
    return t, loss, opt.variables[-1]
