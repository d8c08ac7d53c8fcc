"""Healthy programs, each close to a fault: nothing may be reported."""

import tensorflow as tf


def double_where(Tape):
    """ok: ok"""
    x = tf.Variable([0.0, 2.0])
    with Tape() as tape:
        inside = tf.where(x > 0.0, x, 1.0)
        loss = tf.reduce_sum(tf.where(x > 0.0, tf.math.log(inside), 0.0))
    return tape, loss, x


def safe_norm(Tape):
    """ok: ok"""
    v = tf.Variable([[0.0, 0.0], [3.0, 4.0]])
    with Tape() as tape:
        n = tf.sqrt(tf.reduce_sum(v**2, axis=1) + 1e-12)
        loss = tf.reduce_sum(n)
    return tape, loss, v


def straight_through_rounding(Tape):
    """ok: ok"""
    w = tf.Variable([0.3, 1.6])
    with Tape() as tape:
        q = w + tf.stop_gradient(tf.round(w) - w)
        loss = tf.reduce_sum((q - 0.5) ** 2)
    return tape, loss, w


def watched_again_at_the_end(Tape):
    """ok: ok"""
    x = tf.constant([1.0, 2.0])
    with Tape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(tf.exp(x))
        tape.watch(x)
    return tape, y, x


def late_watch_of_a_variable(Tape):
    """ok: ok"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = tf.reduce_sum(w**3)
        tape.watch(w)
    return tape, y, w


def stop_gradient_on_the_advantage(Tape):
    """ok: ok"""
    logits = tf.Variable([[0.2, 0.8]])
    values = tf.Variable([1.0])
    with Tape() as tape:
        adv = tf.stop_gradient(3.0 - values)
        logp = tf.nn.log_softmax(logits)[:, 1]
        loss = -tf.reduce_mean(logp * adv) + tf.reduce_mean((3.0 - values) ** 2)
    return tape, loss, [logits, values]


def some_rows_never_gathered(Tape):
    """ok: ok"""
    table = tf.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    with Tape() as tape:
        rows = tf.gather(table, [0, 2])
        loss = tf.reduce_sum(rows**2)
    return tape, loss, table


def relu_partly_zero(Tape):
    """ok: ok"""
    x = tf.Variable([-1.0, 2.0, -3.0])
    with Tape() as tape:
        y = tf.reduce_sum(tf.nn.relu(x) ** 2)
    return tape, y, x


def persistent_tape_asked_twice(Tape):
    """ok: ok"""
    x = tf.Variable([1.0, 2.0])
    with Tape(persistent=True) as tape:
        y = tf.reduce_sum(x**2)
        z = tf.reduce_sum(tf.sin(y))
    tape.gradient(y, x)
    return tape, z, x


def forward_accumulator_around(Tape):
    """ok: ok"""
    x = tf.Variable([1.0, 2.0])
    with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 0.0])) as acc:
        with Tape() as tape:
            y = tf.reduce_sum(x**3)
    acc.jvp(y)
    return tape, y, x


def second_derivative_with_mixed_tapes(Tape):
    """ok: ok"""
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        with tf.GradientTape() as inner:
            y = tf.reduce_sum(x**4)
        g = inner.gradient(y, x)
        loss = tf.reduce_sum(g)
    return tape, loss, x


def plain_tape_outside(Tape):
    """ok: ok"""
    x = tf.constant([0.5, 0.6])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with Tape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(tf.tanh(x))
    return tape, y, x
