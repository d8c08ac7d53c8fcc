"""Small seeded arguments in float64, away from kinks; `Spec` is a function with its arguments, `Case` one in text."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class Spec:
    """A public function, how to call it with differentiable arguments only, and where."""

    name: str
    area: str
    f: Callable[..., Any]
    args: tuple[Any, ...]


@dataclass(frozen=True)
class Case:
    """A function at special arguments, as text that can be shown and run.

    `when` says what is special, `body` is an expression of x, y, z, w, v, and `args` are their values: numbers, real
    ones as float64 and complex ones as complex128; `float32:` before them names another dtype.
    """

    name: str
    when: str
    body: str
    args: tuple[str, ...]

    @property
    def function(self) -> str:
        """The lambda."""
        names = ", ".join("xyzwv"[: len(self.args)])
        return f"lambda {names}: {self.body}"

    @property
    def values(self) -> str:
        """The tuple of arguments."""
        return f"({', '.join(map(_tensor, self.args))},)"

    def example(self, order: int, mode: str) -> str:
        """A call of check_grads that finds it."""
        second = ", order=2" if order == 2 else ""
        return f"tfgrad.check_grads({self.function}, {self.values}{second}, modes=({mode!r},))"

    def made(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """The function and its arguments."""
        names = {"tf": tf, "np": np}
        return eval(self.function, names), eval(self.values, names)


def _tensor(text: str) -> str:
    if text.startswith("tf."):
        return text
    dtype, colon, numbers = text.partition(":")
    if not colon:
        dtype, numbers = "complex128" if "j" in text else "float64", text
    return f"tf.constant({numbers}, tf.{dtype})"


class Area:
    """The specs of an area; each has random numbers of its own, so that adding one changes no other."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.specs: dict[str, Spec] = {}
        self.points: dict[str, list[tuple[str, tuple[Any, ...]]]] = {}

    def add(self, name: str, *given: Any, at: dict[str, tuple[Any, ...]] | None = None) -> None:
        """A function by its public name: its arguments, or first a lambda that takes them; `at` are special points."""
        f, args = (given[0], given[1:]) if given and _is_plain_function(given[0]) else (public(name), given)
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        self.specs[name] = Spec(name, self.name, f, tuple(arg(rng) if callable(arg) else arg for arg in args))
        if at:
            self.points[name] = [
                (text, tuple(arg(rng) if callable(arg) else arg for arg in point)) for text, point in at.items()
            ]

    def add_all(self, prefix: str, names: str, *given: Any) -> None:
        """Several functions that take the same arguments."""
        for name in names.split():
            self.add(f"{prefix}.{name}", *given)


def _is_plain_function(value: Any) -> bool:
    return callable(value) and not getattr(value, "draws", False)


def public(name: str) -> Any:
    """The object behind a public name such as `tf.math.sin`."""
    found: Any = tf
    for step in name.split(".")[1:]:
        found = getattr(found, step)
    return found


def _draws(make: Callable[[np.random.Generator], Any]) -> Callable[[np.random.Generator], Any]:
    make.draws = True  # type: ignore[attr-defined]
    return make


def d(*values: Any) -> tf.Tensor:
    """These numbers in float64."""
    return tf.constant(values[0] if len(values) == 1 else values, tf.float64)


def n(*shape: int, dtype: Any = tf.float64) -> Any:
    """Normal numbers."""
    return _draws(lambda rng: tf.constant(rng.normal(size=shape), dtype))


def p(*shape: int, dtype: Any = tf.float64) -> Any:
    """Between 0.3 and 2."""
    return _draws(lambda rng: tf.constant(rng.uniform(0.3, 2.0, size=shape), dtype))


def u(*shape: int, dtype: Any = tf.float64) -> Any:
    """Between 0.1 and 0.9."""
    return _draws(lambda rng: tf.constant(rng.uniform(0.1, 0.9, size=shape), dtype))


def z(*shape: int, dtype: Any = tf.complex128) -> Any:
    """Complex normal numbers."""
    return _draws(lambda rng: tf.constant(rng.normal(size=shape) + 1j * rng.normal(size=shape), dtype))


def spd(size: int, *batch: int, dtype: Any = tf.float64) -> Any:
    """Symmetric positive definite matrices."""

    def make(rng: np.random.Generator) -> tf.Tensor:
        a = rng.normal(size=(*batch, size, size))
        return tf.constant(a @ np.swapaxes(a, -1, -2) + size * np.eye(size), dtype)

    return _draws(make)


def lower(size: int) -> Any:
    """A lower triangular matrix with a clear diagonal."""
    return _draws(lambda rng: tf.constant(np.tril(rng.normal(size=(size, size))) + 2 * np.eye(size)))


def simplex(*shape: int) -> Any:
    """Positive numbers that add up to 1 along the last axis."""

    def make(rng: np.random.Generator) -> tf.Tensor:
        a = rng.uniform(0.3, 1.0, size=shape)
        return tf.constant(a / a.sum(-1, keepdims=True))

    return _draws(make)


def sparse(values: Any) -> Any:
    """A sparse matrix from a dense one."""
    return tf.sparse.from_dense(d(values))


def ragged(rows: Any) -> Any:
    """A ragged tensor."""
    return tf.ragged.constant(rows, tf.float64)
