"""Programs that look suspicious and are right."""

import keras
import numpy as np
import tensorflow as tf


def hidden_state_watched_late(Tape):
    """ok: ok"""
    w = tf.Variable(tf.random.normal([3, 4], seed=1))
    v = tf.Variable(tf.random.normal([4, 1], seed=2))
    with Tape() as tape:
        hidden = tf.nn.tanh(tf.random.normal([5, 3], seed=3) @ w)
        logits = hidden @ v
        tape.watch(hidden)
        loss = tf.reduce_mean(tf.nn.softplus(logits))
    return tape, loss, hidden


def centring_with_detached_statistics(Tape):
    """ok: ok"""
    w = tf.Variable(tf.random.normal([3, 2], seed=4))
    center = tf.Variable(tf.zeros([2]), trainable=False)

    @tf.function
    def self_distillation(x):
        student = x @ w
        teacher = tf.stop_gradient(student)
        center.assign(0.9 * center + 0.1 * tf.reduce_mean(teacher, axis=0))
        return -tf.reduce_mean(
            tf.reduce_sum(tf.nn.softmax((teacher - center) / 0.5) * tf.nn.log_softmax(student), axis=-1)
        )

    with Tape() as tape:
        loss = self_distillation(tf.random.normal([4, 3], seed=5))
    return tape, loss, w


def distance_with_a_floor_under_the_root(Tape):
    """ok: ok"""
    positions = tf.Variable([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]])

    def safe_norm(v, eps=1e-12):
        return tf.sqrt(tf.reduce_sum(v * v, axis=-1) + eps)

    with Tape() as tape:
        deltas = positions[1:] - positions[:-1]
        length = tf.reduce_sum(safe_norm(deltas))
    return tape, length, positions


def double_where_around_a_logarithm(Tape):
    """ok: ok"""
    rates = tf.Variable([0.0, 0.5, 2.0])

    @tf.function
    def entropy(r):
        positive = r > 0.0
        safe = tf.where(positive, r, tf.ones_like(r))
        return -tf.reduce_sum(tf.where(positive, r * tf.math.log(safe), 0.1 * r))

    with Tape() as tape:
        loss = entropy(rates)
    return tape, loss, rates


def accuracy_measured_inside_the_block(Tape):
    """ok: ok"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    x = tf.random.normal([6, 3], seed=6)
    labels = tf.constant([0, 1, 0, 1, 1, 0])
    history = {"accuracy": []}
    with Tape() as tape:
        logits = model(x, training=True)
        predicted = tf.argmax(logits, axis=-1, output_type=tf.int32)
        history["accuracy"].append(float(tf.reduce_mean(tf.cast(predicted == labels, tf.float32))))
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    return tape, loss, model.trainable_variables


def head_on_a_frozen_backbone(Tape):
    """ok: ok"""
    backbone = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(5, activation="tanh"), keras.layers.BatchNormalization()]
    )
    backbone.trainable = False
    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(1, name="head")(backbone(inputs, training=False))
    model = keras.Model(inputs, outputs)
    x = tf.random.normal([5, 4], seed=7)
    with Tape() as tape:
        loss = tf.reduce_mean(tf.square(model(x) - 1.0))
    return tape, loss, model.trainable_variables


def rectifier_with_some_silent_units(Tape):
    """ok: ok"""
    w = tf.Variable([[1.0, -2.0, 0.5], [0.5, -1.0, -0.25]])
    with Tape() as tape:
        h = tf.nn.relu(tf.constant([[1.0, 0.5], [0.2, 0.8]]) @ w)
        loss = tf.reduce_sum(tf.clip_by_value(h, 0.0, 6.0))
    return tape, loss, w


def quantiser_with_a_straight_through_estimate(Tape):
    """ok: ok"""
    scale = tf.Variable(4.0)
    x = tf.constant([0.12, 0.4, 0.77])

    def ste_round(v):
        return v + tf.stop_gradient(tf.round(v) - v)

    @tf.function
    def fake_quantise(v):
        levels = ste_round(v * scale)
        return levels / 8.0

    with Tape() as tape:
        loss = tf.reduce_mean(tf.square(fake_quantise(x) - x))
    return tape, loss, scale


def q_learning_asks_for_the_online_network(Tape):
    """ok: ok"""
    online = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    target = keras.models.clone_model(online)
    target.set_weights(online.get_weights())
    transitions = {
        "s": tf.random.normal([4, 2], seed=8),
        "s2": tf.random.normal([4, 2], seed=9),
        "a": tf.constant([0, 2, 1, 1]),
        "r": tf.constant([1.0, 0.0, 0.5, 0.0]),
    }
    bootstrap = tf.reduce_max(target.predict_on_batch(transitions["s2"]), axis=1)
    with Tape() as tape:
        y = transitions["r"] + 0.9 * bootstrap
        q = tf.reduce_sum(online(transitions["s"]) * tf.one_hot(transitions["a"], 3), axis=1)
        loss = tf.reduce_mean(tf.square(y - q))
    return tape, loss, online.trainable_variables


def persistent_tape_asked_twice(Tape):
    """ok: ok"""
    w = tf.Variable([0.5, -0.5])
    b = tf.Variable(0.1)
    x = tf.constant(np.linspace(-1.0, 1.0, 8).reshape(4, 2).astype("float32"))
    with Tape(persistent=True) as tape:
        score = tf.linalg.matvec(x, w) + b
        losses = {"fit": tf.reduce_mean(tf.square(score - 1.0)), "size": tf.reduce_sum(tf.abs(w))}
    first = tape.gradient(losses["size"], w)
    w.assign_sub(0.01 * first)
    return tape, losses, {"w": w, "b": b}


def activation_map_from_a_two_output_model(Tape):
    """ok: ok"""
    inputs = keras.Input((6, 6, 1))
    conv = keras.layers.Conv2D(2, 3, activation="relu", name="conv")(inputs)
    outputs = keras.layers.Dense(3)(keras.layers.Flatten()(conv))
    grad_model = keras.Model(inputs, [conv, outputs])
    with Tape() as tape:
        conv_out, predictions = grad_model(tf.random.uniform([1, 6, 6, 1], seed=10))
        score = predictions[:, tf.argmax(predictions[0])]
    return tape, score, conv_out


def beam_equation_with_nested_tapes(Tape):
    """ok: ok"""
    w1 = tf.Variable(tf.random.normal([1, 5], seed=11))
    w2 = tf.Variable(tf.random.normal([5, 1], seed=12))

    @tf.function
    def residual(x):
        with Tape() as second:
            second.watch(x)
            with Tape() as first:
                first.watch(x)
                u = tf.tanh(x @ w1) @ w2
            u_x = first.gradient(u, x)
        u_xx = second.gradient(u_x, x)
        return u_xx + tf.sin(x)

    with Tape() as tape:
        loss = tf.reduce_mean(tf.square(residual(tf.constant([[0.1], [0.5], [0.9]]))))
    return tape, loss, [w1, w2]
