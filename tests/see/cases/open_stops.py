"""stop_gradient, state that forgets where its value came from, and custom rules that answer None."""

import keras
import tensorflow as tf


def target_network_value(Tape):
    """none: stop-gradient"""
    q, v = tf.Variable([1.0, 2.0]), tf.Variable(0.5)

    def td_target(r, v):
        return tf.stop_gradient(r + 0.9 * v)  # HERE

    with Tape() as tape:
        loss = tf.reduce_mean((td_target(1.0, v) - q) ** 2)
    return tape, loss, [q, v]


def frozen_features_in_a_layer(Tape):
    """none: stop-gradient"""

    class Frozen(keras.layers.Layer):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def call(self, x):
            h = self.inner(x)
            return keras.ops.stop_gradient(h)  # HERE

    body, head = keras.layers.Dense(3), keras.layers.Dense(1)
    model = keras.Sequential([Frozen(body), head])
    x = tf.random.normal((2, 4))
    model(x)
    with Tape() as tape:
        loss = tf.reduce_mean(model(x) ** 2)
    return tape, loss, body.kernel


def detached_state_between_windows(Tape):
    """none: stop-gradient"""
    w0, w = tf.Variable([0.5, 0.5]), tf.Variable([1.0, 1.0])
    with Tape() as tape:
        state = tf.tanh(w0)
        for _ in range(2):
            state = tf.stop_gradient(state)  # HERE
            state = tf.tanh(state * w)
        loss = tf.reduce_sum(state)
    return tape, loss, [w0, w]


def stopped_and_rounded(Tape):
    """none: stop-gradient"""
    w = tf.Variable([1.2, 3.4])
    with Tape() as tape:
        a = tf.stop_gradient(w)  # HERE
        b = tf.round(a)
        loss = tf.reduce_sum(a * b)
    return tape, loss, w


def stopped_in_a_nested_function(Tape):
    """none: stop-gradient"""

    @tf.function
    def ema_target(v):
        return tf.stop_gradient(v * 0.99)  # HERE

    @tf.function
    def loss_of(v, u):
        return tf.reduce_sum((ema_target(v) - u) ** 2)

    v, u = tf.Variable([1.0, 2.0]), tf.Variable([0.0, 0.0])
    with Tape() as tape:
        loss = loss_of(v, u)
    return tape, loss, v


def activations_kept_in_a_buffer(Tape):
    """none: state"""
    w, buf = tf.Variable([1.0, 2.0]), tf.Variable([0.0, 0.0])
    with Tape() as tape:
        buf.assign(tf.exp(w))  # HERE
        loss = tf.reduce_sum(buf * 2.0)
    return tape, loss, w


def accumulated_in_a_variable(Tape):
    """none: state"""
    w, acc = tf.Variable(1.5), tf.Variable(0.0, trainable=False)
    with Tape() as tape:
        for x in (0.1, 0.2, 0.3):
            acc.assign_add((w * x - 1.0) ** 2)  # HERE
        loss = acc.read_value() / 3.0
    return tape, loss, w


def variable_made_from_a_tensor(Tape):
    """none: state"""
    scale = tf.Variable([2.0, 3.0])
    with Tape() as tape:
        kernel = tf.Variable(scale * 0.5)  # HERE
        loss = tf.reduce_sum(kernel**2)
    return tape, loss, scale


def scattered_into_a_memory(Tape):
    """none: state"""
    memory, key = tf.Variable(tf.zeros((3, 2))), tf.Variable([1.0, -1.0])
    with Tape() as tape:
        memory.scatter_nd_update([[1]], [tf.tanh(key)])  # HERE
        loss = tf.reduce_sum(memory**2)
    return tape, loss, key


def metric_result_as_the_loss(Tape):
    """none: state"""
    model = keras.Sequential([keras.layers.Dense(1)])
    x, y = tf.random.normal((4, 2)), tf.zeros((4, 1))
    mse = keras.metrics.MeanSquaredError()
    with Tape() as tape:
        mse.update_state(y, model(x))  # HERE
        loss = mse.result()
    return tape, loss, model.trainable_variables


def batches_of_a_dataset(Tape):
    """none: state"""
    x = tf.Variable([[1.0], [2.0], [3.0]])
    with Tape() as tape:
        h = x * 2.0
        total = tf.constant(0.0)
        for row in tf.data.Dataset.from_tensor_slices(h).batch(2):  # HERE
            total = total + tf.reduce_sum(row**2)
    return tape, total, x


def assigned_inside_a_function(Tape):
    """none: state"""
    w, cache = tf.Variable([0.3, 0.4]), tf.Variable([0.0, 0.0])

    @tf.function
    def f(v):
        cache.assign(tf.sin(v))  # HERE
        return tf.reduce_sum(cache * cache)

    with Tape() as tape:
        y = f(w)
    return tape, y, w


def rule_without_a_gradient_for_the_scale(Tape):
    """none: custom-gradient"""

    @tf.custom_gradient
    def scale(x, k):
        def grad(dy):  # HERE
            return dy * k, None  # HERE

        return x * k, grad

    x, k = tf.Variable([1.0, 2.0]), tf.Variable(3.0)
    with Tape() as tape:
        loss = tf.reduce_sum(scale(x, k) ** 2)
    return tape, loss, [x, k]


def rule_forgets_to_return(Tape):
    """none: custom-gradient"""

    @tf.custom_gradient
    def clip_backward(x):
        def grad(dy):  # HERE
            tf.clip_by_norm(dy, 1.0)  # HERE

        return tf.identity(x), grad

    @tf.function
    def f(v):
        return tf.reduce_sum(clip_backward(v * 2.0))

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = f(x)
    return tape, y, x


def rule_closes_over_a_tensor(Tape):
    """none: custom-gradient"""
    x, temperature = tf.Variable([1.0, 2.0]), tf.Variable(0.5)
    with Tape() as tape:
        inv = 1.0 / temperature

        @tf.custom_gradient
        def soften(v):  # HERE
            def grad(dy):  # HERE
                return dy * inv  # HERE

            return v * inv, grad  # HERE

        loss = tf.reduce_sum(soften(x))  # HERE
    return tape, loss, temperature


def keyword_tensor_of_a_rule(Tape):
    """none: custom-gradient"""

    @tf.custom_gradient
    def power(x, p=None):  # HERE
        def grad(dy):  # HERE
            return dy * p * x ** (p - 1.0)  # HERE

        return x**p, grad

    x, raw = tf.Variable([1.0, 2.0]), tf.Variable(0.5)
    with Tape() as tape:
        p = tf.nn.softplus(raw)
        loss = tf.reduce_sum(power(x, p=p))  # HERE
    return tape, loss, raw
