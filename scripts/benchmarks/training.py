"""The training loops that the doctor looks on at: made afresh, in plain TensorFlow, with nothing of tfgrad in them.

Whoever runs them decides by where: in a process in which somebody diagnoses, or in one in which nobody does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from benchmarks import functions as fn
from benchmarks import inputs
from benchmarks.cases import Call

RATE = 0.01
BATCH, BATCHES = 32, 100
SIZES = (20, 64, 10)


def _data(batches: int = 1) -> tuple[Any, Any]:
    return inputs.normal(batches * BATCH, SIZES[0], seed=1), inputs.normal(batches * BATCH, SIZES[-1], seed=2)


def _model(hidden: int = SIZES[1]) -> Any:
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense
    return keras.Sequential([keras.Input([SIZES[0]]), dense(hidden, activation="relu"), dense(SIZES[-1])])


def own_loop() -> Call:
    """An eager step of an MLP with weights and an update of its own."""
    weights = [tf.Variable(part) for part in inputs.mlp(SIZES)[0]]
    x, y = fn.constants(_data())

    def step() -> Any:
        with tf.GradientTape() as tape:
            h = tf.nn.relu(x @ weights[0] + weights[1])
            loss = tf.reduce_mean((h @ weights[2] + weights[3] - y) ** 2)
        for weight, slope in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(RATE * slope)
        return loss

    return step


def keras_loop(how: Callable[[Call], Call] = lambda step: step) -> Call:
    """A step of a Keras model and optimizer, eager or as `how` has it."""
    model, optimizer = _model(), keras.optimizers.SGD(RATE)
    x, y = fn.constants(_data())

    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return how(step)


def function_loop() -> Call:
    """The same step as a `tf.function`."""
    return keras_loop(tf.function)


def fit(hidden: int = SIZES[1]) -> Call:
    """An epoch of `fit`, traced before."""
    model = _model(hidden)
    model.compile(keras.optimizers.SGD(RATE), "mse", jit_compile=False)
    data = tf.data.Dataset.from_tensor_slices(_data(BATCHES)).batch(BATCH)
    model.fit(data, verbose=0)
    return lambda: model.fit(data, verbose=0).history["loss"]


MADE: dict[str, Callable[[], Call]] = {
    "doctor-mlp": own_loop,
    "doctor-keras": keras_loop,
    "doctor-function": function_loop,
    "doctor-fit": fit,
    "doctor-fit-1024": lambda: fit(1024),
}
