"""The rows in tfgrad, with and without XLA where `jit` is measured."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf

import tfgrad as tg
from benchmarks import cases_tensorflow as plain
from benchmarks import functions as fn
from benchmarks import inputs
from benchmarks.cases import Call, add, case
from benchmarks.rows import OURS, OURS_XLA

Transform = Callable[[], Callable[..., Any]]


def add_eager(row: str, transform: Transform, args: Callable[[], Any]) -> None:
    """A row by a transform, made once and called again and again; looked up late, as it may not be there yet."""

    def make() -> Call:
        ready, given = transform(), fn.constants(args())
        return lambda: ready(*given)

    add(row, OURS, make)


def add_jit(row: str, transform: Transform, args: Callable[[], Any], *contestants: str) -> None:
    """A row by jit of a transform."""
    for contestant in contestants or (OURS, OURS_XLA):

        def make(xla: bool = contestant == OURS_XLA) -> Call:
            ready, given = tg.jit(transform(), xla=xla), fn.constants(args())
            return lambda: ready(*given)

        add(row, contestant, make)


add_eager("grad-dot", lambda: tg.grad(fn.dot), plain.four)
add_eager("grad-square", lambda: tg.grad(fn.square), plain.thousand)
add_eager("grad-control", lambda: tg.grad(fn.control), plain.scalar)
add_jit("jit-grad-dot", lambda: tg.grad(fn.dot), plain.four)
add_jit("jit-control", lambda: tg.grad(fn.control), plain.scalar, OURS)
for n in (10, 100, 1000):
    add_jit(f"jit-jacobian-{n}", lambda: tg.jacobian(fn.layers, wrt=1), partial(inputs.matrices, n))
    add_eager(
        f"jacobian-{n}",
        lambda: lambda W, x: tg.jacobian(lambda x: fn.layers(W, x))(x),
        partial(inputs.matrices, n),
    )
    add_jit(f"jit-hessian-{n}", lambda: tg.hessian(fn.rosenbrock), partial(inputs.vector, n))
add_jit("jit-hessian-mlp", lambda: tg.hessian(fn.flat_loss), inputs.flat_mlp)


def product_of_mlp(p: Any, v: Any, x: Any, y: Any) -> Any:
    return tg.hvp(lambda p: fn.smooth_loss(p, x, y), (p,), (v,))[0]


def product_of_rosenbrock(x: Any, v: Any) -> Any:
    return tg.hvp(fn.rosenbrock, (x,), (v,))[0]


add_jit("jit-hvp-mlp", lambda: product_of_mlp, inputs.mlp_and_direction)
add_jit("jit-hvp-1000", lambda: product_of_rosenbrock, partial(inputs.vector_and_direction, 1000))
for count in (128, 1024):
    add_jit(
        f"jit-examples-{count}",
        lambda: tg.per_example_grad(fn.loss_of_one),
        partial(inputs.mlp, batch=count),
    )
add_jit("jit-mlp", lambda: tg.value_and_grad(fn.mlp_loss), inputs.mlp)
add_jit("jit-conv", lambda: tg.value_and_grad(fn.conv_loss), inputs.convolutions)
add_jit("jit-attention", lambda: tg.value_and_grad(fn.attention_loss), lambda: (inputs.attention(),))
add_jit("jit-logistic", lambda: tg.value_and_grad(fn.logistic_loss), inputs.logistic)


def train_step(xla: bool) -> Call:
    p, x, y = fn.constants(inputs.mlp())
    variables = [tf.Variable(part) for part in p]
    value_and_slopes = tg.value_and_grad(lambda x, y: fn.mlp_loss(variables, x, y), wrt=variables)

    def step(x: Any, y: Any) -> Any:
        value, slopes = value_and_slopes(x, y)
        for variable, slope in zip(variables, slopes, strict=True):
            variable.assign_sub(plain.RATE * slope)
        return value

    ready = tg.jit(step, xla=xla)
    return lambda: ready(x, y)


add("jit-train", OURS, lambda: train_step(xla=False))
add("jit-train", OURS_XLA, lambda: train_step(xla=True))


def deep_gradient() -> Callable[..., Any]:
    parts = [tg.checkpoint(part) for part in plain.deep_parts()]
    made: Callable[..., Any] = tg.grad(lambda h: fn.through(parts, h))
    return made


@case("checkpoint-eager", OURS)
def checkpoint_eager() -> Call:
    ready, h = deep_gradient(), tf.constant(inputs.deep()[0])
    return lambda: ready(h)


@case("checkpoint-jit", OURS)
def checkpoint_jit() -> Call:
    ready, h = tg.jit(deep_gradient()), tf.constant(inputs.deep()[0])
    return lambda: ready(h)


plain.add_tape("Tape", lambda: tg.Tape)
