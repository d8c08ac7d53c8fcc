"""A function's values at many points, quickly: traced where it is slow, vectorised where that pays, else one by one.

A trace is used only if it gives the value that the function itself gave.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfgrad.check.flat import Flat
from tfgrad.check.numbers import Array
from tfgrad.check.vectors import Vector, slices, tensors_of, vector_of

SLOW = 0.02
"""Seconds for a value above which a trace is tried."""
WORTH = 0.7
"""Seconds of one-by-one work above which a vectorised trace (some tenths of a second) is tried."""
LEAST = 2e-5
"""Seconds that a value takes at least."""
_BYTES = 2**28


class Values:
    """A `Flat`'s values, and how many were computed."""

    def __init__(self, flat: Flat, eps: float, expected: Vector, cost: float) -> None:
        self._flat = flat
        self._eps = eps
        self.cost = cost
        """Seconds that a value takes."""
        self._tracing = 0.0
        self._vectorised: Callable[..., Any] | None = None
        self._tried = False
        self._traced = self._trace(expected) if cost > SLOW and not flat.taped else None
        self.count = 0

    def of_output(self, flat: Flat) -> Values:
        """The same for one output alone, computed as before."""
        found = copy.copy(self)
        found._flat, found._tried, found._vectorised = flat, True, None
        return found

    def one(self, point: Vector) -> Vector:
        """The value at a point."""
        self.count += 1
        return self._flat.value(point, self._traced)

    def _trace(self, expected: Vector) -> Callable[..., Any] | None:
        """The function traced, if that gives the same value at the point, and sooner."""
        traced = tf.function(self._flat.run, autograph=False)
        try:
            found, self._tracing = self._timed(traced)
        except Exception:  # noqa: BLE001  whatever a function does that can't be traced
            return None
        if not self._is_near(found, expected):
            return None
        _, cost = self._timed(traced)
        if cost >= self.cost:
            return None
        self.cost = cost
        return traced

    def _timed(self, run: Callable[..., Any]) -> tuple[Vector, float]:
        start = time.process_time()
        found = self._flat.value(self._flat.point, run)
        return found, max(time.process_time() - start, LEAST)

    def _is_near(self, found: Vector, expected: Vector) -> bool:
        return bool(np.allclose(found, expected, rtol=1e4 * self._eps, atol=0, equal_nan=True))

    def many(self, points: Sequence[Vector]) -> list[Vector]:
        """The values at several points."""
        if len(points) < 32 or len(points) * self.cost < max(WORTH, 4 * self._tracing) or self._flat.taped:
            return [self.one(point) for point in points]
        rows = max(32, _BYTES // (8 * (self._flat.n + self._flat.m)))
        found: list[Vector] = []
        for start in range(0, len(points), rows):
            found += self._rows(points[start : start + rows])
        return found

    def _rows(self, points: Sequence[Vector]) -> list[Vector]:
        first = self.one(points[0])
        stacked = self._stacked(points)
        if stacked is None or not self._is_near(stacked[0], first):
            self._tried, self._vectorised = True, None
            return [first, *(self.one(point) for point in points[1:])]
        self.count += len(points)
        return list(stacked)

    def _stacked(self, points: Sequence[Vector]) -> Array | None:
        flat = self._flat
        if self._tried and self._vectorised is None:
            return None
        try:
            if self._vectorised is None:
                self._tried = True
                self._vectorised = tf.function(
                    lambda stacks: tf.vectorized_map(flat.run, stacks, fallback_to_while_loop=False), autograph=False
                )
            columns = zip(*(tensors_of(point, flat.inputs) for point in points), strict=True)
            found = self._vectorised([tf.stack(column) for column in columns])
        except Exception:  # noqa: BLE001  whatever a function does that can't be traced or vectorised: one by one then
            return None
        rows = np.empty((len(points), flat.m))
        for tensor, part, piece in zip(found, flat.outputs, slices(flat.outputs), strict=True):
            if tuple(tensor.shape) != (len(points), *part.shape):
                return None
            rows[:, piece] = vector_of([tensor]).reshape(len(points), part.length)
        return rows
