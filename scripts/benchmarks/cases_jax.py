"""The rows in JAX, under `jax.jit`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks import inputs
from benchmarks.cases import Call, add, case
from benchmarks.rows import BY_HAND, CHECKED, JAX

Array = Any
RATE = 0.01


def arrays(answer: Any) -> list[np.ndarray[Any, Any]]:
    """The leaves of an answer."""
    return [np.asarray(leaf) for leaf in jax.tree.leaves(answer)]


def finish(answer: Any) -> None:
    """Wait until the answer is there."""
    jax.block_until_ready(answer)


def add_jit(row: str, f: Callable[..., Any], args: Callable[[], Any], contestant: str = JAX) -> None:
    def make() -> Call:
        ready, given = jax.jit(f), jax.tree.map(jnp.asarray, args())
        return lambda: ready(*given)

    add(row, contestant, make)


def dot(x: Array) -> Array:
    return 2 * jnp.dot(x, x)


def layers(W: Any, x: Array) -> Array:
    for w in W:
        x = jnp.tanh(w @ x)
    return x


def rosenbrock(x: Array) -> Array:
    return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def cross_entropy(logits: Array, y: Array) -> Array:
    return jax.nn.logsumexp(logits, -1) - jnp.take_along_axis(logits, y[:, None], 1)[:, 0]


def mlp_loss(p: Any, x: Array, y: Array, act: Callable[[Array], Array] = jax.nn.relu) -> Array:
    for i in range(0, len(p) - 2, 2):
        x = act(x @ p[i] + p[i + 1])
    return jnp.mean(cross_entropy(x @ p[-2] + p[-1], y))


def smooth_loss(p: Any, x: Array, y: Array) -> Array:
    return mlp_loss(p, x, y, jnp.tanh)


def flat_loss(v: Array, x: Array, y: Array) -> Array:
    return smooth_loss([v[start:end].reshape(shape) for start, end, shape in inputs.cuts()], x, y)


def conv_loss(p: Any, x: Array, y: Array) -> Array:
    layout = ("NHWC", "HWIO", "NHWC")
    for i in (0, 2):
        h = lax.conv_general_dilated(x, p[i], (1, 1), "SAME", dimension_numbers=layout) + p[i + 1]
        x = lax.reduce_window(jax.nn.relu(h), -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "SAME")
    return jnp.mean(cross_entropy(x.reshape(x.shape[0], -1) @ p[4] + p[5], y))


def attention_loss(qkv: Any) -> Array:
    q, k, v = qkv
    scores = q @ k.T / 8.0
    return jnp.sum((jax.nn.softmax(scores) @ v) ** 2) + jnp.sum(jax.nn.logsumexp(scores, -1))


def logistic_loss(w: Array, x: Array, y: Array) -> Array:
    return jnp.mean(jax.nn.softplus(-y * (x @ w)))


def product_of_mlp(p: Any, v: Any, x: Array, y: Array) -> Any:
    return jax.jvp(jax.grad(lambda p: smooth_loss(p, x, y)), (p,), (v,))[1]


def product_of_rosenbrock(x: Array, v: Array) -> Array:
    return jax.jvp(jax.grad(rosenbrock), (x,), (v,))[1]


def of_each_example(p: Any, x: Array, y: Array) -> Any:
    return jax.vmap(jax.grad(lambda p, x, y: mlp_loss(p, x[None], y[None])), (None, 0, 0))(p, x, y)


def by_hand(p: Any, x: Array, y: Array) -> Any:
    """The gradient of each example as the outer product of a layer's input and the cotangent of its output."""

    def summed(shifts: Any) -> Array:
        h = x
        for i in (0, 1):
            h = jax.nn.relu(h @ p[2 * i] + p[2 * i + 1] + shifts[i])
        return jnp.sum(cross_entropy(h @ p[4] + p[5] + shifts[2], y))

    cotangents = jax.grad(summed)([jnp.zeros((x.shape[0], b.shape[0])) for b in p[1::2]])
    h, found = x, []
    for i, cotangent in enumerate(cotangents):
        found += [h[:, :, None] * cotangent[:, None, :], cotangent]
        h = jax.nn.relu(h @ p[2 * i] + p[2 * i + 1])
    return found


add_jit("jit-grad-dot", jax.grad(dot), lambda: (np.arange(4, dtype=np.float32),))
for n in (10, 100, 1000):
    add_jit(f"jit-jacobian-{n}", jax.jacrev(layers, 1), partial(inputs.matrices, n))
    add_jit(f"jit-hessian-{n}", jax.hessian(rosenbrock), partial(inputs.vector, n))
add_jit("jit-hessian-mlp", jax.hessian(flat_loss), inputs.flat_mlp)
add_jit("jit-hvp-mlp", product_of_mlp, inputs.mlp_and_direction)
add_jit("jit-hvp-1000", product_of_rosenbrock, partial(inputs.vector_and_direction, 1000))
for count in (128, 1024):
    add_jit(f"jit-examples-{count}", of_each_example, partial(inputs.mlp, batch=count))
    add_jit(f"jit-examples-{count}", by_hand, partial(inputs.mlp, batch=count), BY_HAND)
add_jit("jit-mlp", jax.value_and_grad(mlp_loss), inputs.mlp)
add_jit("jit-conv", jax.value_and_grad(conv_loss), inputs.convolutions)
add_jit("jit-attention", jax.value_and_grad(attention_loss), lambda: (inputs.attention(),))
add_jit("jit-logistic", jax.value_and_grad(logistic_loss), inputs.logistic)


@case("jit-train", JAX)
def train_step() -> Call:
    p, x, y = jax.tree.map(jnp.asarray, inputs.mlp())

    def step(p: Any, x: Array, y: Array) -> Any:
        value, slopes = jax.value_and_grad(mlp_loss)(p, x, y)
        return value, [part - RATE * slope for part, slope in zip(p, slopes, strict=True)]

    ready = jax.jit(step, donate_argnums=0)

    def call() -> Array:
        nonlocal p
        value, p = ready(p, x, y)
        return value

    return call


def deep_gradient() -> Call:
    h, W = (jnp.asarray(part) for part in inputs.deep())

    def segment(count: int) -> Callable[[Array], Array]:
        def run(h: Array) -> Array:
            for _ in range(count):
                h = jnp.tanh(h @ W)
            return h

        return jax.checkpoint(run)

    parts = [segment(count) for count in inputs.segments()]

    def through(h: Array) -> Array:
        for part in parts:
            h = part(h)
        return jnp.sum(h)

    ready = jax.jit(jax.grad(through))
    return lambda: ready(h)


add("checkpoint-eager", JAX, deep_gradient)
add("checkpoint-jit", JAX, deep_gradient)


@case(CHECKED, BY_HAND)
def numerical_jacobian() -> Call:
    """Central differences along every unit vector at once, compared with the Jacobian that was computed before."""
    step = 1e-6
    with jax.enable_x64(True):
        W, (x,) = jax.tree.map(jnp.asarray, inputs.of_check())
        exact = jax.jit(jax.jacrev(layers, 1))(W, x)

        @jax.jit
        def agrees(x: Array) -> Array:
            moved = jnp.eye(x.size) * step
            ahead, behind = (jax.vmap(lambda d: layers(W, x + d))(sign * moved) for sign in (1, -1))
            return jnp.max(jnp.abs((ahead - behind).T / (2 * step) - exact)) < inputs.AGREE

    def call() -> Array:
        with jax.enable_x64(True):
            return agrees(x).astype(jnp.float32)

    return call
