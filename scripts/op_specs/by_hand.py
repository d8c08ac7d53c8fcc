"""Jacobians by TensorFlow's tape and by differences, in NumPy and TensorFlow alone: a second opinion on check_grads.

Complex numbers are pairs of real ones. Everything is a vector, so this is for small arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf

Array = Any
_PARTS = 2  # of a complex number


def confirms(f: Callable[..., Any], args: Sequence[Any], order: int, mode: str) -> bool:
    """Whether TensorFlow's derivatives contradict differences here too.

    Args:
        f: the function.
        args: where.
        order: 1, or 2 for the derivatives of the derivatives.
        mode: "rev", or "fwd" for the derivative of the gradient by its cotangent, of which forward mode is made.
    """
    g, at = (f, tuple(args)) if order == 1 and mode == "rev" else (_pulled if mode == "rev" else _pushed)(f, args)
    if order == 1 and mode == "fwd":
        g, at = _pulled(f, args)
    try:
        given, number = jacobian(g, at), differences(g, at)
    except (LookupError, TypeError, ValueError, NotImplementedError, tf.errors.OpError):
        return False
    coarse = any(leaf.dtype in (tf.float32, tf.complex64) for leaf in _floating(at))
    near = np.isclose(given, number, rtol=3e-2 if coarse else 1e-4, atol=3e-2 if coarse else 1e-5)
    return bool((~near & np.isfinite(number)).any())


def jacobian(f: Callable[..., Any], args: Sequence[Any]) -> Array:
    """The Jacobian, `[m, n]`, as GradientTape has it: a row for each real output."""
    leaves = _floating(args)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(leaves)
        outputs = [part for out in _floating(f(*_with(args, leaves))) for part in _parts(tf.reshape(out, [-1]))]
        rows = [part[index] for part in outputs for index in range(part.shape[0])]
    return np.stack([_vector(_or_zero(tape.gradient(row, leaves), leaves)) for row in rows])


def differences(f: Callable[..., Any], args: Sequence[Any]) -> Array:
    """The Jacobian by central differences at two steps, extrapolated; NaN where they do not agree."""
    leaves = _floating(args)
    point = _vector(leaves)
    coarse = any(leaf.dtype in (tf.float32, tf.complex64) for leaf in leaves)

    def value(vector: Array) -> Array:
        return _vector(_floating(f(*_with(args, _unvector(vector, leaves)))))

    columns = []
    for index in range(point.size):
        step = (2e-2 if coarse else 1e-3) * max(1.0, abs(point[index]))
        slopes = [_slope(value, point, index, step / factor) for factor in (1, 2, 4)]
        first, second = ((4 * fine - rough) / 3 for rough, fine in pairwise(slopes))
        doubtful = np.abs(second - first) > (5e-2 if coarse else 1e-4) * (1 + np.abs(second))
        columns.append(np.where(doubtful, np.nan, second))
    return np.stack(columns, axis=-1)


def one_sided(f: Callable[..., Any], args: Sequence[Any], index: int, side: int) -> float:
    """The slope of the outputs' sum by one coordinate, on one side; inf where it grows as the step shrinks."""
    leaves = _floating(args)
    point = _vector(leaves)
    here = _sum(f, args)
    found = []
    for step in (1e-5, 1e-7):
        moved = point.copy()
        moved[index] += side * step
        try:
            found.append(side * (_sum(f, _with(args, _unvector(moved, leaves))) - here) / step)
        except (ValueError, tf.errors.OpError):
            found.append(float("nan"))
    rough, fine = found
    if abs(fine) > 2 * abs(rough) + 1e-3:
        return float(np.sign(fine) * np.inf)
    return fine


def _sum(f: Callable[..., Any], args: Sequence[Any]) -> float:
    return float(sum(np.real(out.numpy()).sum() for out in _floating(f(*args))))


def _slope(value: Callable[[Array], Array], point: Array, index: int, step: float) -> Array:
    up, down = point.copy(), point.copy()
    up[index] += step
    down[index] -= step
    with np.errstate(invalid="ignore"):
        return (value(up) - value(down)) / (2 * step)


def _pulled(f: Callable[..., Any], args: Sequence[Any]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """J^T w as a function of the arguments and of w, and where."""
    rng = np.random.default_rng(7)
    cotangents = [_like(out, rng) for out in _floating(f(*args))]

    def g(*given: Any) -> list[Any]:
        inner, ws = given[: len(args)], given[len(args) :]
        leaves = _floating(inner)
        with tf.GradientTape() as tape:
            tape.watch(leaves)
            outputs = _floating(f(*_with(inner, leaves)))
        return _or_zero(tape.gradient(outputs, leaves, output_gradients=list(ws)), leaves)

    return g, (*args, *cotangents)


def _pushed(f: Callable[..., Any], args: Sequence[Any]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """J u as a function of the arguments and of u, made of two gradients, and where."""
    rng = np.random.default_rng(8)
    tangents = [_like(leaf, rng) for leaf in _floating(args)]

    def g(*given: Any) -> list[Any]:
        inner, us = given[: len(args)], list(given[len(args) :])
        pull, at = _pulled(f, inner)
        ws = list(at[len(args) :])
        with tf.GradientTape() as tape:
            tape.watch(ws)
            pulled = pull(*inner, *ws)
        return _or_zero(tape.gradient(pulled, ws, output_gradients=us), ws)

    return g, (*args, *tangents)


def _floating(nest: Any) -> list[Any]:
    leaves = [tf.convert_to_tensor(leaf) for leaf in tf.nest.flatten(nest, expand_composites=True)]
    return [leaf for leaf in leaves if leaf.dtype.is_floating or leaf.dtype.is_complex]


def _with(args: Any, leaves: Sequence[Any]) -> Any:
    """The arguments with other floating leaves."""
    given = iter(leaves)
    flat = [tf.convert_to_tensor(leaf) for leaf in tf.nest.flatten(args, expand_composites=True)]
    put = [next(given) if leaf.dtype.is_floating or leaf.dtype.is_complex else leaf for leaf in flat]
    return tf.nest.pack_sequence_as(args, put, expand_composites=True)


def _parts(tensor: Any) -> list[Any]:
    return [tf.math.real(tensor), tf.math.imag(tensor)] if tensor.dtype.is_complex else [tensor]


def _vector(tensors: Sequence[Any]) -> Array:
    parts = [part.numpy().astype(np.float64).ravel() for tensor in tensors for part in _parts(tensor)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _unvector(vector: Array, like: Sequence[Any]) -> list[Any]:
    found, start = [], 0
    for tensor in like:
        size = int(tf.size(tensor))
        numbers = vector[start : start + size]
        if tensor.dtype.is_complex:
            numbers = numbers + 1j * vector[start + size : start + _PARTS * size]
        start += size * (_PARTS if tensor.dtype.is_complex else 1)
        found.append(tf.constant(numbers.reshape(tensor.shape), tensor.dtype))
    return found


def _like(tensor: Any, rng: np.random.Generator) -> Any:
    numbers = rng.normal(size=tensor.shape)
    if tensor.dtype.is_complex:
        numbers = numbers + 1j * rng.normal(size=tensor.shape)
    return tf.constant(numbers, tensor.dtype)


def _or_zero(found: Sequence[Any], like: Sequence[Any]) -> list[Any]:
    return [tf.zeros_like(x) if g is None else tf.convert_to_tensor(g) for g, x in zip(found, like, strict=True)]
