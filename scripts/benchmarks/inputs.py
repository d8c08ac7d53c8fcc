"""The numbers that every contestant gets, as NumPy arrays, the same in each process."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

Array = Any
MLP = (784, 256, 256, 10)
SMALL_MLP = (8, 24, 10, 4)
LAYERS, SEGMENT = 200, 14
AGREE = 1e-5
"""By how much an element of a numerical Jacobian may be off."""


def normal(*shape: int, seed: int) -> Array:
    """Standard normal numbers, float32."""
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def mlp(sizes: tuple[int, ...] = MLP, batch: int = 128, seed: int = 0) -> tuple[list[Array], Array, Array]:
    """Weights and biases in turn, `[in, out]` and `[out]`; inputs `[batch, in]`; labels `[batch]`."""
    parameters = []
    for layer, (n, m) in enumerate(pairwise(sizes)):
        parameters += [normal(n, m, seed=seed + layer) / np.sqrt(n, dtype=np.float32)]
        parameters += [np.float32(0.1) * normal(m, seed=seed + layer + 50)]
    labels = np.random.RandomState(seed + 90).randint(0, sizes[-1], batch).astype(np.int32)
    return parameters, normal(batch, sizes[0], seed=seed + 91), labels


def flat_mlp() -> tuple[Array, Array, Array]:
    """The small MLP's 510 parameters in one vector, inputs, labels."""
    parameters, x, y = mlp(SMALL_MLP, 64, 7)
    return np.concatenate([p.ravel() for p in parameters]), x, y


def cuts(sizes: tuple[int, ...] = SMALL_MLP) -> list[tuple[int, int, tuple[int, ...]]]:
    """Where each parameter begins and ends in the vector, and its shape."""
    found: list[tuple[int, int, tuple[int, ...]]] = []
    start = 0
    for n, m in pairwise(sizes):
        for shape in ((n, m), (m,)):
            end = start + int(np.prod(shape))
            found.append((start, end, shape))
            start = end
    return found


def matrices(n: int) -> tuple[list[Array], Array]:
    """Three matrices `[n, n]` and a vector `[n]`."""
    return [normal(n, n, seed=i) / np.sqrt(n, dtype=np.float32) for i in range(3)], normal(n, seed=3)


def of_check() -> tuple[list[Array], list[Array]]:
    """The three matrices and the vector of a check, n = 1000, float64."""
    parts, x = matrices(1000)
    return [part.astype(np.float64) for part in parts], [x.astype(np.float64)]


def vector(n: int) -> tuple[Array]:
    """Where Rosenbrock's function is taken, `[n]`, as its one argument."""
    return (normal(n, seed=3),)


def vector_and_direction(n: int) -> tuple[Array, Array]:
    """The same with a direction `[n]`."""
    return normal(n, seed=3), normal(n, seed=9)


def mlp_and_direction() -> tuple[list[Array], list[Array], Array, Array]:
    """Parameters, a direction for each, inputs, labels."""
    p, x, y = mlp()
    return p, [normal(*part.shape, seed=200 + i) for i, part in enumerate(p)], x, y


def convolutions(batch: int = 32) -> tuple[list[Array], Array, Array]:
    """Kernels `[3, 3, in, out]`, biases, a dense layer; images `[batch, 28, 28, 1]`; labels."""
    zeros = [np.zeros(n, np.float32) for n in (16, 32, 10)]
    kernels = [normal(3, 3, 1, 16, seed=1) / 3, normal(3, 3, 16, 32, seed=2) / 12, normal(7 * 7 * 32, 10, seed=3) / 40]
    parameters = [part for pair in zip(kernels, zeros, strict=True) for part in pair]
    labels = np.random.RandomState(5).randint(0, 10, batch).astype(np.int32)
    return parameters, normal(batch, 28, 28, 1, seed=4), labels


def logistic(n: int = 100_000, d: int = 100) -> tuple[Array, Array, Array]:
    """Weights `[d]`, inputs `[n, d]`, labels -1 and 1 `[n]`."""
    return normal(d, seed=1) / 10, normal(n, d, seed=2), np.sign(normal(n, seed=3))


def attention(n: int = 512, d: int = 64) -> list[Array]:
    """Queries, keys, values `[n, d]`."""
    return [normal(n, d, seed=i) for i in range(3)]


def deep() -> tuple[Array, Array]:
    """An activation of 4 MB `[16384, 64]`, and an orthogonal matrix, through which no rounding error grows."""
    q, _ = np.linalg.qr(np.random.RandomState(1).standard_normal((64, 64)))
    return normal(16384, 64, seed=0), q.astype(np.float32)


def segments() -> list[int]:
    """How many layers each checkpointed segment has."""
    return [SEGMENT] * (LAYERS // SEGMENT) + ([LAYERS % SEGMENT] if LAYERS % SEGMENT else [])
