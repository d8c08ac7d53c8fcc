"""Functions with values and derivatives known by hand, as data: tests go through them with every transform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class Known:
    """A scalar function of one vector, with its gradient and Hessian by hand, and a point."""

    name: str
    f: Callable[[Any], Any]
    gradient: Callable[[np.ndarray], np.ndarray]
    hessian: Callable[[np.ndarray], np.ndarray]
    at: tuple[float, ...]

    @property
    def x(self) -> np.ndarray:
        return np.array(self.at, np.float64)


def _rosenbrock(x: Any) -> Any:
    return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2


_A = np.array([[2.0, 1.0], [0.0, 3.0]])

SCALARS = [
    Known(
        "twice the dot product",
        lambda x: 2 * tf.tensordot(x, x, axes=1),
        lambda x: 4 * x,
        lambda x: 4 * np.eye(len(x)),
        (0.0, 1.0, 2.0, 3.0),
    ),
    Known("sum", tf.reduce_sum, np.ones_like, lambda x: np.zeros((len(x), len(x))), (1.0, -2.0)),
    Known(
        "quadratic form",
        lambda x: tf.tensordot(x, tf.linalg.matvec(tf.constant(_A), x), 1),
        lambda x: (_A + _A.T) @ x,
        lambda x: _A + _A.T,
        (1.0, -2.0),
    ),
    Known("sum of sines", lambda x: tf.reduce_sum(tf.sin(x)), np.cos, lambda x: np.diag(-np.sin(x)), (0.0, 0.5, -3.0)),
    Known(
        "product",
        lambda x: x[0] * x[1] * x[2],
        lambda x: np.array([x[1] * x[2], x[0] * x[2], x[0] * x[1]]),
        lambda x: np.array([[0, x[2], x[1]], [x[2], 0, x[0]], [x[1], x[0], 0]]),
        (2.0, -3.0, 5.0),
    ),
    Known(
        "log of sum of exps",
        tf.reduce_logsumexp,
        lambda x: np.exp(x) / np.exp(x).sum(),
        lambda x: np.diag(np.exp(x) / np.exp(x).sum()) - np.outer(np.exp(x), np.exp(x)) / np.exp(x).sum() ** 2,
        (0.0, 1.0, -1.0),
    ),
    Known(
        "Rosenbrock",
        _rosenbrock,
        lambda x: np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)]),
        lambda x: np.array([[1200 * x[0] ** 2 - 400 * x[1] + 2, -400 * x[0]], [-400 * x[0], 200]]),
        (-1.0, 2.0),
    ),
    Known(
        "gathered twice",
        lambda x: tf.reduce_sum(tf.gather(x, [0, 0, 2]) ** 3),
        lambda x: np.array([6 * x[0] ** 2, 0, 3 * x[2] ** 2]),
        lambda x: np.diag([12 * x[0], 0, 6 * x[2]]),
        (1.0, 2.0, 3.0),
    ),
    Known(
        "custom gradient, ten times too large",
        lambda x: tf.reduce_sum(_ten_times(x)),
        lambda x: np.full_like(x, 10.0),
        lambda x: np.zeros((len(x), len(x))),
        (1.0, 2.0),
    ),
]


@tf.custom_gradient
def _ten_times(x: Any) -> Any:
    return x, lambda dy: 10.0 * dy


@dataclass(frozen=True)
class Mapping:
    """A function from a vector to a tensor, with its Jacobian by hand, and a point."""

    name: str
    f: Callable[[Any], Any]
    jacobian: Callable[[np.ndarray], np.ndarray]
    at: tuple[float, ...]

    @property
    def x(self) -> np.ndarray:
        return np.array(self.at, np.float64)


_W = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.0]])

MAPPINGS = [
    Mapping("squares", lambda x: x**2, lambda x: np.diag(2 * x), (1.0, 2.0, 3.0)),
    Mapping("linear, tall", lambda x: tf.linalg.matvec(tf.constant(_W), x), lambda x: _W, (1.0, -1.0)),
    Mapping("linear, wide", lambda x: tf.linalg.matvec(tf.constant(_W.T), x), lambda x: _W.T, (1.0, -1.0, 2.0)),
    Mapping("scalar", tf.reduce_prod, lambda x: np.array([x[1], x[0]]), (2.0, 3.0)),
    Mapping("constant", lambda x: tf.constant([1.0, 2.0], tf.float64), lambda x: np.zeros((2, 2)), (1.0, 2.0)),
    Mapping("its argument", lambda x: x, lambda x: np.eye(2), (1.0, 2.0)),
    Mapping("gathered", lambda x: tf.gather(x, [1, 1]), lambda x: np.array([[0.0, 1.0], [0.0, 1.0]]), (1.0, 2.0)),
    Mapping(
        "matrix out",
        lambda x: tf.tensordot(x, x, 0),
        lambda x: np.einsum("ik,j->ijk", np.eye(2), x) + np.einsum("jk,i->ijk", np.eye(2), x),
        (2.0, 5.0),
    ),
    Mapping("very tall", lambda x: tf.tile(x, [200]), lambda x: np.tile(np.eye(2), (200, 1)), (1.0, 2.0)),
    Mapping(
        "very wide",
        lambda x: tf.reduce_sum(tf.reshape(x, [2, 60]), 1),
        lambda x: np.kron(np.eye(2), np.ones((1, 60))),
        tuple(float(i) for i in range(120)),
    ),
    Mapping("nothing", lambda x: x[:0], lambda x: np.zeros((0, 2)), (1.0, 2.0)),
    Mapping("custom gradient", lambda x: _ten_times(x) * x, lambda x: np.diag(11 * x), (1.0, 2.0)),
]


def doubled_until_large(a: Any) -> Any:
    """The notebook's control flow: piecewise linear, so that its derivative is its value over a."""
    b = a * 2
    while tf.norm(b) < 1000:
        b = b * 2
    if tf.reduce_sum(b) > 0:  # noqa: SIM108
        c = b
    else:
        c = 100 * b
    return c


def differences(f: Callable[[Any], Any], x: np.ndarray, h: float = 1e-4) -> np.ndarray:
    """The Jacobian of f by central differences of fourth order, `[out..., in...]`."""
    columns = []
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = h
        step = step.reshape(x.shape)

        def at(k: int, step: np.ndarray = step) -> np.ndarray:
            return np.asarray(f(tf.constant(x + k * step)), np.float64)

        columns.append((8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h))
    return np.stack(columns, -1).reshape(*np.shape(columns[0]), *x.shape)
