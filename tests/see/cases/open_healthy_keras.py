"""Healthy Keras programs, each close to a fault, and questions that cannot be answered yet."""

import keras
import numpy as np
import tensorflow as tf


def layer_frozen_for_the_optimizer_only(Tape):
    """ok: ok"""
    dense = keras.layers.Dense(2)
    x = tf.random.normal((3, 4))
    dense(x)
    kernel = dense.kernel
    dense.trainable = False
    with Tape() as tape:
        loss = tf.reduce_mean(dense(x) ** 2)
    return tape, loss, kernel


def frozen_body_not_asked_about(Tape):
    """ok: ok"""
    body, head = keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)
    x = tf.random.normal((4, 2))
    head(body(x))
    body.trainable = False
    with Tape() as tape:
        loss = tf.reduce_mean(head(tf.stop_gradient(body(x))) ** 2)
    return tape, loss, head.trainable_variables


def batch_norm_and_dropout_in_training(Tape):
    """ok: ok"""
    model = keras.Sequential(
        [
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.2, seed=1),
            keras.layers.Dense(1),
        ]
    )
    x = tf.random.normal((8, 3))
    model(x)
    trainable = [v for v in model.trainable_variables if not v.path.endswith("dense/bias")]
    with Tape() as tape:
        loss = tf.reduce_mean((model(x, training=True) - 1.0) ** 2)
    return tape, loss, trainable[1:]


def grad_cam_with_two_outputs(Tape):
    """ok: ok"""
    inputs = keras.Input((6, 6, 1))
    maps = keras.layers.Conv2D(2, 3, activation="relu")(inputs)
    scores = keras.layers.Dense(3)(keras.layers.Flatten()(maps))
    model = keras.Model(inputs, [maps, scores])
    with Tape() as tape:
        fm, out = model(tf.random.normal((1, 6, 6, 1)))
        top = out[:, 0]
    return tape, top, fm


def recurrent_model_on_token_ids(Tape):
    """ok: ok"""
    model = keras.Sequential([keras.layers.Embedding(12, 4), keras.layers.GRU(3), keras.layers.Dense(1)])
    ids = np.array([[1, 2, 3], [4, 5, 6]])
    model(ids)
    with Tape() as tape:
        loss = tf.reduce_mean(model(ids) ** 2)
    return tape, loss, model.trainable_variables


def penalty_with_nested_tapes(Tape):
    """ok: ok"""
    critic = keras.Sequential([keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1, use_bias=False)])
    x = tf.random.normal((3, 2))
    critic(x)
    with Tape() as tape:
        with Tape() as inner:
            inner.watch(x)
            score = critic(x)
        g = inner.gradient(score, x)
        penalty = tf.reduce_mean((tf.norm(g, axis=1) - 1.0) ** 2)
    return tape, penalty, critic.trainable_variables


def stable_cross_entropy_of_extreme_logits(Tape):
    """ok: ok"""
    logits = tf.Variable([[200.0, -200.0, 0.0]])
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with Tape() as tape:
        loss = loss_fn(tf.constant([1]), logits)
    return tape, loss, logits


def custom_train_step_with_a_metric(Tape):
    """ok: ok | unknown: unknown"""
    box = []
    mae = keras.metrics.MeanAbsoluteError()

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            with Tape() as tape:
                pred = self(x, training=True)
                loss = tf.reduce_mean((pred - y) ** 2)
                mae.update_state(y, pred)
            grads = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
            box.append(tape.explain(loss, self.trainable_variables))
            return {"loss": loss}

    model = Model()
    model.compile(optimizer="sgd")
    model.fit(tf.ones((4, 2)), tf.zeros((4, 1)), batch_size=4, verbose=0)
    return box[0]


def predict_for_the_targets_only(Tape):
    """ok: ok"""
    teacher = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    student = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    x = np.ones((3, 2), np.float32)
    with Tape() as tape:
        soft = teacher.predict(x, verbose=0)
        loss = tf.reduce_mean((student(x) - soft) ** 2)
    return tape, loss, student.trainable_variables


def asked_for_zeros_before_the_gradient(Tape):
    """unknown: unknown"""
    x = tf.Variable([0.0, 0.0])
    with Tape() as tape:
        y = tf.reduce_sum(x**2)
    return tape.explain(y, x)


def asked_for_nan_before_the_gradient(Tape):
    """unknown: unknown"""
    v = tf.Variable([0.0, 0.0])
    with Tape() as tape:
        n = tf.norm(v)
        loss = n * 2.0
    return tape.explain(loss, v)


def asked_while_tracing(Tape):
    """unknown: unknown"""
    v, box = tf.Variable([0.0, 0.0]), []

    @tf.function
    def step():
        with Tape() as tape:
            loss = tf.sqrt(tf.reduce_sum(v**2))
        g = tape.gradient(loss, v)
        box.append(tape.explain(loss, v))
        return g

    step()
    return box[0]
