"""Along which lines f is looked at: steps in proportion to each number, random directions, single elements, cotangents.

Random numbers are signed quarters between 1 and 2 and steps are powers of two, so that x + t u is exact in float32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tfgrad.check.numbers import Array
from tfgrad.check.vectors import Part, Vector, slices

Random = np.random.Generator


def scales(x: Vector, parts: Sequence[Part]) -> Vector:
    """How far each number moves for t = 1: its own size as a power of two; where it is 0, that of its tensor, or 1."""
    found = np.ones_like(x)
    for piece in slices(parts):
        size = np.abs(x[piece])
        finite = size[np.isfinite(size) & (size > 0)]
        typical = min(1.0, float(np.median(finite))) if finite.size else 1.0
        size = np.where((size > 0) & np.isfinite(size), size, typical)
        found[piece] = 2.0 ** np.floor(np.log2(np.clip(size, 1e-30, 1e30)))
    return found


def dense(rng: Random, count: int) -> Vector:
    """Random numbers of both signs, none of them small."""
    return np.asarray(rng.choice([-1.0, 1.0], count) * rng.choice([1.0, 1.25, 1.5, 1.75], count))


def within(vector: Vector, piece: slice | Array) -> Vector:
    """The vector with zeros outside a piece of it."""
    kept = np.zeros_like(vector)
    kept[piece] = vector[piece]
    return kept


def across(rng: Random, count: int, piece: slice | Array) -> Vector:
    """Random numbers in a piece of a vector, in all about as long as one of them alone; zeros elsewhere."""
    found = within(dense(rng, count), piece)
    return found / 2.0 ** round(0.5 * math.log2(max(1, int(np.count_nonzero(found)))))


def random_directions(rng: Random, parts: Sequence[Part], many: int = 32) -> list[Vector]:
    """Directions to multiply with `scales`: through all inputs at once, and through each input alone."""
    n = sum(part.length for part in parts)
    pieces = slices(parts)
    if len(pieces) == 1:
        return [across(rng, n, pieces[0]) for _ in range(3)]
    chosen = sorted(rng.permutation(len(pieces))[:many])
    return [across(rng, n, slice(0, n)), *(across(rng, n, pieces[k]) for k in chosen if parts[k].length)]


def some_elements(rng: Random, x: Vector, parts: Sequence[Part], count: int) -> list[int]:
    """Positions to look at alone: all, or in each part the first, last, least, greatest and some others."""
    if x.size <= count:
        return list(range(x.size))
    wanted: set[int] = set()
    for piece in slices(parts)[:count]:
        size = np.abs(x[piece])
        if size.size:
            wanted |= {piece.start, piece.stop - 1, piece.start + int(size.argmin()), piece.start + int(size.argmax())}
    chosen = sorted(wanted)[:count]
    others = [int(j) for j in rng.choice(x.size, min(count, x.size), replace=False) if j not in wanted]
    return sorted([*chosen, *others[: count - len(chosen)]])


def unit(count: int, position: int) -> Vector:
    """A vector that is 1 at one position."""
    found = np.zeros(count)
    found[position] = 1.0
    return found


def cotangents(rng: Random, parts: Sequence[Part], rows: Vector, usable: Array, large: float) -> list[Vector]:
    """Cotangents of both signs: of size 1, large, each output alone in proportion to how it changes, and small.

    Args:
        rows: the size of each output's change, `[m]`: dividing by it lets small outputs count.
        usable: which outputs take part.
        large: the size of the large one, and one by that of the small one.
    """
    m = rows.size
    level = np.where(rows > 0, rows, np.median(rows[rows > 0]) if (rows > 0).any() else 1.0)
    even = dense(rng, m) / 2.0 ** np.round(np.log2(np.clip(level, 1e-30, 1e30)))
    pieces = slices(parts)
    alone = [even] if len(pieces) == 1 else [within(even, piece) for piece in pieces[:16]]
    found = [np.where(usable, w, 0.0) for w in [dense(rng, m), large * dense(rng, m), *alone, dense(rng, m) / large]]
    return [w for w in found if w.any()]
