"""Parts of the path that ran where the tape could not see them; second derivatives cut in the middle."""

import threading

import keras
import tensorflow as tf


def logits_computed_before_the_block(Tape):
    """none: outside-tape"""
    w, x = tf.Variable([[1.0], [2.0]]), tf.ones((3, 2))
    logits = tf.matmul(x, w)  # HERE
    with Tape() as tape:
        loss = tf.reduce_mean(tf.nn.sigmoid(logits))
    return tape, loss, w


def keras_loss_after_the_block(Tape):
    """none: outside-tape"""
    model = keras.Sequential([keras.layers.Dense(2)])
    x, y = tf.random.normal((4, 3)), tf.zeros((4, 2))
    with Tape() as tape:
        out = model(x)
    loss = keras.losses.MeanSquaredError()(y, out)  # HERE
    return tape, loss, model.trainable_variables


def regulariser_under_stop_recording(Tape):
    """none: outside-tape"""
    w = tf.Variable([3.0, -4.0])
    with Tape() as tape:
        scaled = w * 0.5
        with tape.stop_recording():
            penalty = tf.reduce_sum(tf.abs(scaled))  # HERE
        loss = penalty * 0.1
    return tape, loss, w


def reset_in_the_middle(Tape):
    """none: outside-tape"""
    w = tf.Variable([1.0, 2.0])
    with Tape(persistent=True) as tape:
        h = tf.tanh(w)
        tape.reset()  # HERE
        loss = tf.reduce_sum(h * 3.0)
    return tape, loss, w


def worker_thread_does_the_forward(Tape):
    """none: outside-tape"""
    w, results = tf.Variable([1.0, 2.0]), {}

    def work():
        results["h"] = tf.exp(w)  # HERE

    with Tape() as tape:
        t = threading.Thread(target=work)
        t.start()
        t.join()
        loss = tf.reduce_sum(results["h"])
    return tape, loss, w


def cached_in_the_constructor(Tape):
    """none: outside-tape"""

    class Prior(tf.Module):
        def __init__(self):
            super().__init__()
            self.raw = tf.Variable([0.1, 0.2])
            self.scale = tf.nn.softplus(self.raw)  # HERE

        def log_prob(self, x):
            return -tf.reduce_sum((x / self.scale) ** 2)

    prior = Prior()
    with Tape() as tape:
        nll = -prior.log_prob(tf.constant([1.0, 1.0]))
    return tape, nll, prior.raw


def only_the_other_tape_saw_it(Tape):
    """none: outside-tape"""
    a = tf.Variable(2.0)
    with Tape() as first:
        b = a**2  # HERE
        first.gradient(b, a)
    with Tape() as tape:
        c = b * 3.0
    return tape, c, a


def loss_scaled_after_the_block(Tape):
    """none: outside-tape"""
    w = tf.Variable([1.0, 2.0])
    losses = []
    with Tape() as tape:
        for k in range(3):
            losses.append(tf.reduce_sum(w * float(k)))
    total = tf.add_n(losses) / 3.0  # HERE
    return tape, total, w


def hessian_taken_outside(Tape):
    """none: higher-order"""
    x = tf.Variable([1.0, 2.0])
    with Tape(persistent=True) as outer:
        with Tape() as inner:
            y = tf.reduce_sum(x**4)
    g = inner.gradient(y, x)  # HERE
    return outer, g, x


def gradient_penalty_outside(Tape):
    """none: higher-order | outside-tape"""
    critic = keras.Sequential([keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
    x = tf.random.normal((3, 2))
    critic(x)
    with Tape() as inner:
        inner.watch(x)
        score = critic(x)
    g = inner.gradient(score, x)  # HERE
    with Tape() as outer:
        penalty = tf.reduce_mean((tf.norm(g, axis=1) - 1.0) ** 2)
    return outer, penalty, critic.trainable_variables[0]


def second_derivative_of_a_linear_map(Tape):
    """none: higher-order"""
    x = tf.Variable([1.0, -1.0])
    a = tf.constant([2.0, 5.0])
    with Tape() as outer:
        with Tape() as inner:
            y = tf.tensordot(a, x, 1)
        g = inner.gradient(y, x)  # HERE
    return outer, g, x


def inner_gradient_while_recording_is_stopped(Tape):
    """none: higher-order"""
    t = tf.constant(0.5)
    with Tape() as outer:
        outer.watch(t)
        with Tape() as inner:
            inner.watch(t)
            u = tf.sin(3.0 * t)
        with outer.stop_recording():
            du = inner.gradient(u, t)  # HERE
        residual = du + 2.0
    return outer, residual, t


def physics_residual_in_a_function(Tape):
    """none: higher-order"""
    w = tf.Variable([[0.4, -0.3]])
    box = []

    @tf.function
    def residual(t):
        with Tape() as outer:
            with Tape() as inner:
                inner.watch(t)
                u = tf.reduce_sum(tf.tanh(t @ w))
        du = inner.gradient(u, t)  # HERE
        loss = tf.reduce_mean(du**2)
        outer.gradient(loss, w)
        box.append(outer.explain(loss, w))
        return loss

    residual(tf.constant([[0.1], [0.2]]))
    return box[0]


def jacobian_after_both_blocks(Tape):
    """none: higher-order"""
    x = tf.Variable([0.3, 0.7])
    with Tape() as outer:
        with Tape() as inner:
            y = tf.stack([x[0] * x[1], x[0] ** 3])
    jac = inner.jacobian(y, x)  # HERE
    return outer, jac, x


def outer_tape_does_not_watch_the_point(Tape):
    """none: unwatched"""
    x = tf.constant(1.5)
    with Tape() as outer:
        with Tape() as inner:
            inner.watch(x)
            y = x**3  # HERE
        dy = inner.gradient(y, x)
    return outer, dy, x
