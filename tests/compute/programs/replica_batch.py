"""One batch, functions of it, and their derivatives by plain TensorFlow; Variables and models to differentiate by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tfgrad as tg

X = np.linspace(-1.0, 1.0, 24, dtype=np.float32).reshape(8, 3)
Y = np.linspace(0.5, -0.5, 8, dtype=np.float32)
IDS = np.array([0, 1, 1, 3, 3, 3, 0, 2], np.int32)
RATE = 0.1


def parameters() -> Any:
    return {"w": tf.constant([0.3, -0.2, 0.1]), "b": tf.constant(0.05)}


def directions() -> Any:
    return {"w": tf.constant([1.0, 2.0, -1.0]), "b": tf.constant(0.5)}


def predict(p: Any, x: Any) -> Any:
    return tf.tanh(tf.linalg.matvec(x, p["w"]) + p["b"])


def loss(p: Any, x: Any, y: Any) -> Any:
    return tf.reduce_sum((predict(p, x) - y) ** 2)


def loss_of_one(p: Any, x: Any, y: Any) -> Any:
    return loss(p, x[None], y[None])


def taped(f: Callable[[Any], Any], p: Any, **options: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(p)
        value = f(p)
    return tape.gradient(value, p, **options)


def by_tape(x: Any, y: Any) -> Any:
    return taped(lambda p: loss(p, x, y), parameters())


def jacobian_by_tape(f: Callable[[Any], Any]) -> Any:
    p = parameters()
    with tf.GradientTape() as tape:
        tape.watch(p)
        value = f(p)
    return tape.jacobian(value, p)


def hessian_by_tape(x: Any, y: Any) -> Any:
    p = parameters()
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(p)
        slopes = taped(lambda p: loss(p, x, y), p)
    return {name: tape.jacobian(slopes[name], p) for name in p}


def product_by_tape(x: Any, y: Any) -> Any:
    p = parameters()
    with tf.GradientTape() as tape:
        tape.watch(p)
        slopes = taped(lambda p: loss(p, x, y), p)
    return tape.gradient(slopes, p, output_gradients=directions())


def pushed_by_accumulator(x: Any, y: Any) -> Any:
    p = parameters()
    with tf.autodiff.ForwardAccumulator(list(p.values()), list(directions().values())) as accumulator:
        value = predict(p, x)
    return [value, accumulator.jvp(value)]


class Line(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable(parameters()["w"], name="w")
        self.b = tf.Variable(parameters()["b"], name="b")

    def __call__(self, x: Any) -> Any:
        return predict({"w": self.w, "b": self.b}, x)


class Held:
    """What is made once, inside the strategy's scope: Variables there are mirrored."""

    def __init__(self) -> None:
        mean = tf.VariableAggregation.MEAN
        self.variables = {name: tf.Variable(value, aggregation=mean) for name, value in parameters().items()}
        self.trained = {name: tf.Variable(value, aggregation=mean) for name, value in parameters().items()}
        self.made = tg.variable(parameters())
        self.module = Line()
        self.model = keras.Sequential([keras.Input([3]), keras.layers.Dense(1, activation="tanh")])
        self.optimizer = keras.optimizers.SGD(RATE)
        self.optimizer.build(self.model.trainable_variables)

    def set_back(self) -> None:
        for name, value in parameters().items():
            self.trained[name].assign(value)
        self.model.set_weights([parameters()["w"].numpy()[:, None], parameters()["b"].numpy()[None]])


def in_model(held: Held) -> Callable[[Any, Any], Any]:
    return lambda x, y: tf.reduce_sum((held.model(x, training=True)[:, 0] - y) ** 2)


def as_weights(gradient: Any) -> Any:
    return [gradient["w"][:, None], gradient["b"][None]]


def stepped(x: Any, y: Any) -> Any:
    gradient = by_tape(x, y)
    return {name: value - RATE * gradient[name] for name, value in parameters().items()}


def own_step(held: Held, x: Any, y: Any) -> Any:
    gradient = tg.grad(lambda x, y: loss(held.trained, x, y), wrt=held.trained)(x, y)
    whole = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradient)
    for name, variable in held.trained.items():
        variable.assign_sub(RATE * whole[name])
    return {name: tf.identity(variable) for name, variable in held.trained.items()}


def keras_step(held: Held, x: Any, y: Any) -> Any:
    gradient = tg.grad(in_model(held), wrt=held.model)(x, y)
    held.optimizer.apply_gradients(zip(gradient, held.model.trainable_variables, strict=True))
    return [tf.identity(variable.value) for variable in held.model.trainable_variables]


def tripled(z: Any) -> Any:
    """z, with three times its gradient."""
    return tg.custom_gradient(lambda z: (tf.identity(z), lambda upstream: 3.0 * upstream))(z)


def looked_up(table: Any, ids: Any) -> Any:
    return tf.reduce_sum(tf.gather(table, ids) ** 2)
