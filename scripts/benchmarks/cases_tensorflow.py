"""The rows in plain TensorFlow: `tf.GradientTape`, `tf.function`, XLA."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks import functions as fn
from benchmarks import inputs, training
from benchmarks.cases import Call, add
from benchmarks.rows import FUNCTION, MAPPED, PLAIN, TAPE, XLA

Tensor = Any
TapeClass = Callable[[], Any]
RATE = 0.01


def arrays(answer: Any) -> list[np.ndarray[Any, Any]]:
    """The leaves of an answer."""
    return [np.asarray(leaf) for leaf in tf.nest.flatten(answer)]


def finish(answer: Any) -> None:
    """Nothing: an answer on the CPU is there when the call returns."""


def gradient(f: Callable[..., Tensor], x: Any, *args: Any) -> Any:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = f(x, *args)
    return tape.gradient(y, x)


def value_and_gradient(f: Callable[..., Tensor], x: Any, *args: Any) -> Any:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = f(x, *args)
    return y, tape.gradient(y, x)


def jacobian(W: Any, x: Tensor) -> Tensor:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = fn.layers(W, x)
    return tape.jacobian(y, x)


def hessian(f: Callable[..., Tensor], x: Tensor, *args: Any) -> Tensor:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        slope = gradient(f, x, *args)
    return tape.jacobian(slope, x)


def mapped_hessian(f: Callable[..., Tensor], x: Tensor) -> Tensor:
    """The quickest that plain TensorFlow has: reverse over forward, for each row of a unit matrix."""

    def row(v: Tensor) -> Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            with tf.autodiff.ForwardAccumulator(x, v) as accumulator:
                y = f(x)
            dy = accumulator.jvp(y)
        return tape.gradient(dy, x)

    return tf.vectorized_map(row, tf.eye(x.shape[0]))


def product(f: Callable[..., Tensor], x: Any, v: Any, *args: Any) -> Any:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        slope = gradient(f, x, *args)
    return tape.gradient(slope, x, output_gradients=v)


def of_each_example(p: Any, x: Tensor, y: Tensor) -> Any:
    return tf.vectorized_map(lambda one: gradient(fn.loss_of_one, p, *one), (x, y))


def add_modes(row: str, f: Callable[..., Any], args: Callable[[], Any], *contestants: str) -> None:
    """A row by a function of tensors: eager, traced, compiled."""
    for contestant in contestants:

        def make(contestant: str = contestant) -> Call:
            given = fn.constants(args())
            ready = f if contestant == TAPE else tf.function(f, jit_compile=contestant in (XLA, MAPPED))
            return lambda: ready(*given)

        add(row, contestant, make)


def _of(transform: Callable[..., Any], f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: transform(f, *args)


def four() -> tuple[Any, ...]:
    return (np.arange(4, dtype=np.float32),)


def thousand() -> tuple[Any, ...]:
    return (inputs.normal(1000, seed=0),)


def scalar() -> tuple[Any, ...]:
    return (np.float32(0.3),)


add_modes("grad-dot", _of(gradient, fn.dot), four, TAPE)
add_modes("grad-square", _of(gradient, fn.square), thousand, TAPE)
add_modes("grad-control", _of(gradient, fn.control), scalar, TAPE)
add_modes("jit-grad-dot", _of(gradient, fn.dot), four, FUNCTION, XLA)


def control_gradient(a: Tensor) -> Tensor:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(a)
        y = fn.control(a)
    return tape.gradient(y, a)


add_modes("jit-control", control_gradient, scalar, TAPE, FUNCTION)
for n in (10, 100, 1000):
    add_modes(f"jit-jacobian-{n}", jacobian, partial(inputs.matrices, n), XLA)
    add_modes(f"jacobian-{n}", jacobian, partial(inputs.matrices, n), TAPE)
    add_modes(f"jit-hessian-{n}", _of(hessian, fn.rosenbrock), partial(inputs.vector, n), XLA)
    add_modes(f"jit-hessian-{n}", _of(mapped_hessian, fn.rosenbrock), partial(inputs.vector, n), MAPPED)
add_modes("jit-hessian-mlp", _of(hessian, fn.flat_loss), inputs.flat_mlp, XLA)
add_modes("jit-hvp-mlp", _of(product, fn.smooth_loss), inputs.mlp_and_direction, XLA)
add_modes("jit-hvp-1000", _of(product, fn.rosenbrock), partial(inputs.vector_and_direction, 1000), XLA)
for count in (128, 1024):
    add_modes(f"jit-examples-{count}", of_each_example, partial(inputs.mlp, batch=count), XLA)
add_modes("jit-mlp", _of(value_and_gradient, fn.mlp_loss), inputs.mlp, FUNCTION, XLA)


def add_train_step(contestant: str) -> None:
    def make() -> Call:
        p, x, y = fn.constants(inputs.mlp())
        variables = [tf.Variable(part) for part in p]

        def step(x: Tensor, y: Tensor) -> Tensor:
            with tf.GradientTape() as tape:
                value = fn.mlp_loss(variables, x, y)
            for variable, slope in zip(variables, tape.gradient(value, variables), strict=True):
                variable.assign_sub(RATE * slope)
            return value

        ready = tf.function(step, jit_compile=contestant == XLA)
        return lambda: ready(x, y)

    add("jit-train", contestant, make)


add_train_step(FUNCTION)
add_train_step(XLA)


def deep_gradient(parts: Any, how: Callable[..., Any]) -> Call:
    h = tf.constant(inputs.deep()[0])
    ready = how(_of(gradient, lambda h: fn.through(parts, h)))
    return lambda: ready(h)


def deep_parts() -> Any:
    return fn.segments(tf.constant(inputs.deep()[1]))


def without_checkpoint(how: Callable[..., Any]) -> Call:
    return deep_gradient(deep_parts(), how)


def with_recompute_grad(how: Callable[..., Any]) -> Call:
    return deep_gradient([tf.recompute_grad(part) for part in deep_parts()], how)


def as_it_is(f: Any) -> Any:
    return f


for name, how in (("checkpoint-eager", as_it_is), ("checkpoint-jit", tf.function)):
    add(name, "without", partial(without_checkpoint, how))
    add(
        name,
        "tf.recompute_grad",
        partial(with_recompute_grad, how),
    )


def taped(tape_class: TapeClass, f: Callable[..., Tensor], args: Callable[[], Any]) -> Call:
    """A gradient by the first of args, under a tape of this kind."""
    first, *others = fn.constants(args())
    make = tape_class()

    def call() -> Any:
        with make() as tape:
            tape.watch(first)
            y = f(first, *others)
        return tape.gradient(y, first)

    return call


def keras_step(tape_class: TapeClass) -> Call:
    import keras

    make = tape_class()
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense
    model = keras.Sequential([keras.Input([20]), dense(64, activation="relu"), dense(64, activation="relu"), dense(10)])
    optimizer = keras.optimizers.SGD(RATE)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    x, y = fn.constants(inputs.mlp((20, 64, 10), 32)[1:])

    def call() -> Any:
        with make() as tape:
            value = loss(y, model(x, training=True))
        gradients = tape.gradient(value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return value

    return call


def traced_step(tape_class: TapeClass) -> Call:
    make = tape_class()
    p, x, y = fn.constants(inputs.mlp((20, 64, 10), 32))

    @tf.function
    def step(p: Any, x: Tensor, y: Tensor) -> Any:
        with make() as tape:
            tape.watch(p)
            value = fn.mlp_loss(p, x, y)
        return tape.gradient(value, p)

    return lambda: step(p, x, y)


def add_tape(contestant: str, tape_class: TapeClass) -> None:
    """The rows of `tfgrad.Tape`, under this contestant's tape; looked up late, as it may not be there yet."""
    ops = (inputs.normal(4, seed=0), inputs.normal(4, seed=1), inputs.normal(4, seed=2))
    twenty = (256,) * 21
    by_hand: dict[str, tuple[Callable[..., Tensor], Callable[[], Any]]] = {
        "tape-ops": (fn.four_ops, lambda: ops),
        "tape-control": (fn.control, scalar),
        "tape-mlp-32": (fn.mlp_loss, lambda: inputs.mlp((20, 64, 10), 32)),
        "tape-mlp-256": (fn.mlp_loss, lambda: inputs.mlp((784, 256, 10), 256)),
        "tape-memory": (fn.mlp_loss, lambda: inputs.mlp(twenty, 4096)),
    }
    for row, (f, args) in by_hand.items():
        add(row, contestant, partial(taped, tape_class, f, args))
    add("tape-keras", contestant, partial(keras_step, tape_class))
    add("tape-traced", contestant, partial(traced_step, tape_class))


add_tape(TAPE, lambda: tf.GradientTape)

for name, make in training.MADE.items():
    add(name, PLAIN, make)
