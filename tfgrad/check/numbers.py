"""Derivatives from values alone: central differences on a ladder of steps, extrapolated, each with its own error.

The key idea: on a line x + t u the steps t span many powers of two, and each component takes the entry of Romberg's
table whose error is least. What f looks like around t = 0 comes with it: smooth, a kink, the edge of a domain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np

from tfgrad.check.vectors import Vector

Array = np.ndarray[Any, np.dtype[Any]]

_HUNDREDTH = 2.0**-7
_BLOCK = 8192
"""So many outputs are computed with at once: what is held of them fits into a processor's cache."""

SMOOTH, KINK, EDGE, SINGULAR = 0, 1, 2, 3


@dataclass(frozen=True)
class Ladder:
    """The steps for numbers of some precision: `first` are tried always, `rest` where they don't settle it.

    Of these, two are tried before all the others.
    """

    eps: float
    first: tuple[float, ...]
    rest: tuple[float, ...]
    spacings: tuple[float, ...]


DOUBLE = Ladder(
    2.0**-52,
    tuple(2.0**-k for k in (5, 8, 11)),
    tuple(2.0**-k for k in (14, 2, 17, 20, 23, 26, 29, 32, 35, 38)),
    tuple(2.0**-k for k in (44, 36, 28, 20, 12)),
)
SINGLE = Ladder(
    2.0**-23,
    tuple(2.0**-k for k in (3, 5, 7)),
    tuple(2.0**-k for k in (9, 1, 2, 11, 13, 15)),
    tuple(2.0**-k for k in (18, 12, 8)),
)
HALF = Ladder(2.0**-10, (2.0**-1, 2.0**-2, 2.0**-3), (1.0, 2.0**-4, 2.0**-5), (2.0**-5, 2.0**-4))
BRAIN = Ladder(2.0**-7, (1.0, 2.0**-1, 2.0**-2), (2.0, 2.0**-3), (2.0**-3, 2.0**-2))


@dataclass(frozen=True)
class Slope:
    """The derivative along a line: for each output its value, a bound of its error, what f looks like there.

    `left` and `right` are the one-sided slopes at the step that was used, `noise` how much f's values jitter. Where f
    does not move at all for the smallest steps, as its values are rounded inside, `other` is the slope for larger ones.
    """

    value: Vector
    error: Vector
    status: Array
    left: Vector
    right: Vector
    step: Vector
    noise: Vector
    other: Vector
    other_error: Vector


class Line:
    """f on x + t u, each point computed once."""

    def __init__(self, f: Callable[[Vector], Vector], x: Vector, u: Vector, ladder: Ladder, centre: Vector) -> None:
        self._f, self._x, self._u = f, x, u
        self.ladder = ladder
        self.centre = centre
        self._seen: dict[float, tuple[Vector, Vector]] = {}
        self.noise = np.zeros_like(centre)
        self.thorough = self.settled = False
        """Whether all steps were taken; whether those that its slope needs were."""
        self._slope: Slope | None = None

    @property
    def seen(self) -> bool:
        """Whether f was computed anywhere on it."""
        return bool(self._seen)

    @property
    def steps(self) -> int:
        """At how many steps."""
        return len(self._seen)

    def points(self, t: float) -> tuple[Vector, Vector]:
        """The points at a step to both sides."""
        return self._x + t * self._u, self._x - t * self._u

    def put(self, t: float, plus: Vector, minus: Vector) -> None:
        """f's values at a step, computed elsewhere."""
        self._seen[t] = plus, minus
        self._slope = None

    def look(self, steps: Sequence[float]) -> None:
        """Compute f at some more steps to both sides."""
        for t in steps:
            if t not in self._seen:
                plus, minus = self.points(t)
                self.put(t, self._f(plus), self._f(minus))

    def slope(self) -> Slope:
        """The derivative at t = 0, from all that was seen."""
        if self._slope is None:
            self._slope = self._slope_of(sorted(self._seen, reverse=True))
        return self._slope

    def slope_of_larger_steps(self, fewer: int) -> Slope:
        """The same without so many of the smallest steps."""
        return self._slope_of(sorted(self._seen, reverse=True)[:-fewer])

    def _slope_of(self, steps: list[float]) -> Slope:
        blocks = [slice(start, start + _BLOCK) for start in range(0, max(1, self.centre.size), _BLOCK)]
        found = [self._slope_in(steps, block) for block in blocks]
        if len(found) == 1:
            return found[0]
        return Slope(*(np.concatenate([getattr(each, part.name) for each in found]) for part in fields(Slope)))

    def _slope_in(self, steps: list[float], block: slice) -> Slope:
        with np.errstate(all="ignore"):
            plus = np.stack([self._seen[t][0][block] for t in steps])
            minus = np.stack([self._seen[t][1][block] for t in steps])
            return _slope(np.array(steps), plus, minus, self.centre[block], self.ladder.eps, self.noise[block])

    def measure_noise(self) -> None:
        """Estimate how much f's values jitter, from fourth differences of neighbouring points.

        Source: Moré and Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33 (2011), section 3. A jitter
        stays when the points move apart, a smooth function's differences grow with the fourth power.
        """
        with np.errstate(all="ignore"):
            found = [self._jitter(spacing) for spacing in self.ladder.spacings]
        noise = np.zeros_like(self.centre)
        for here, wider in pairwise(found):
            plateau = (noise == 0) & (here > 0) & (wider <= 16 * here)
            noise = np.where(plateau, np.maximum(here, wider), noise)
        self.noise = np.nan_to_num(noise, nan=0.0, posinf=0.0)
        self._slope = None

    def _jitter(self, spacing: float) -> Vector:
        # Not a power of two: on such a grid, rounding inside f may come out even and hide.
        values = np.stack([self._f(self._x + k * 1.37 * spacing * self._u) for k in range(-4, 5)])
        fourth = np.diff(values, 4, axis=0)
        return np.asarray(np.sqrt(np.mean(fourth**2, axis=0) / 70))


def _slope(t: Vector, plus: Array, minus: Array, centre: Vector, eps: float, noise: Vector) -> Slope:
    """Romberg's table over the steps t (falling), its best entry for each component."""
    size = np.maximum(np.maximum(np.abs(plus), np.abs(minus)), np.abs(centre))
    jitter = np.maximum(2 * eps * size, 4 * noise) / t[:, None]
    central = (plus - minus) / (2 * t[:, None])
    bend = (plus + minus - 2 * centre) / t[:, None]
    value, error, level = _best(t, central, jitter)
    status = _status(t, central, bend, jitter, value, level)
    columns = np.arange(len(centre))
    used = plus[level, columns], minus[level, columns], t[level]
    right, left = (used[0] - centre) / used[2], (centre - used[1]) / used[2]
    edge = ~np.isfinite(central).any(axis=0)
    status = np.where(edge, EDGE, status)
    error = np.where(np.isfinite(value) & (status == SMOOTH), error, np.inf)
    other, other_error = _beyond_rounding(t, central, jitter)
    noise = np.maximum(eps * size.min(axis=0), noise)
    return Slope(value, error, status, left, right, used[2], noise, other, other_error)


def _beyond_rounding(t: Vector, central: Array, jitter: Array) -> tuple[Vector, Vector]:
    """The slope for steps that move f at all, where the smallest doesn't and one of a hundredth does; its error."""
    nothing = np.zeros(central.shape[1]), np.full(central.shape[1], np.inf)
    still = (central[-1] == 0) & (central[t <= _HUNDREDTH] != 0).any(axis=0)
    if len(t) < 6 or not still.any():
        return nothing
    moves = central != 0
    finest = len(t) - 1 - np.argmax(moves[::-1], axis=0)
    columns = np.arange(central.shape[1])
    jump = 2 * np.abs(central[finest, columns]) * t[finest]
    usable = np.arange(len(t))[:, None] <= finest
    coarse = np.where(usable, central, np.nan)
    value, error, _ = _best(t, coarse, np.maximum(jitter, jump / t[:, None]))
    return np.where(still, value, 0.0), np.where(still, error, np.inf)


def _best(t: Vector, central: Array, jitter: Array) -> tuple[Vector, Vector, Array]:
    """Value, error and finest step's number of the entry with the least error."""
    value = central[-1].copy()
    error = np.full(value.shape, np.inf)
    level = np.full(value.shape, len(t) - 1)
    column = central
    for depth in range(3):
        coarse, fine = column[:-1], column[1:]
        if not len(fine):
            break
        first, power = depth + 1, 2 * (depth + 1)
        factor = ((t[first - 1 : -1] / t[first:]) ** power)[:, None]
        better = fine + (fine - coarse) / (factor - 1)
        change = np.abs(fine - coarse)
        entries = [(better, np.where(_falls(t[depth:], change, power), np.abs(better - fine), change))]
        if depth == 0:
            entries.append((fine, change))
        for candidate, difference in entries:
            bound = np.where(np.isfinite(difference), difference + jitter[first:], np.inf)
            _refute(candidate, bound, central, jitter, first)
            best = np.argmin(bound, axis=0)
            columns = np.arange(bound.shape[1])
            least = bound[best, columns]
            take = least < error
            value = np.where(take, candidate[best, columns], value)
            level = np.where(take, best + first, level)
            error = np.where(take, least, error)
        column = better
    return value, error, level


def _falls(t: Vector, change: Array, power: int) -> Array:
    """Where the changes of a column fall from one step to the next as fast as the extrapolation takes for granted.

    They don't where f is not smooth enough (x |x| at 0), or where the steps span several waves.
    """
    found = np.zeros(change.shape, bool)
    powers = t ** (0.75 * power)
    spans = powers[:-1] - powers[1:]
    found[1:] = change[1:] <= change[:-1] * (spans[1:] / spans[:-1])[:, None]
    return found


def _refute(candidate: Array, bound: Array, central: Array, jitter: Array, first: int) -> None:
    """Give up entries that finer steps contradict: far apart, the values of a steep wave agree on a slope of zero."""
    for row in range(len(candidate)):
        for finer in range(first + row + 1, len(central)):
            apart = np.abs(central[finer] - candidate[row]) > 3 * (bound[row] + jitter[finer])
            bound[row][apart] = np.inf


def _status(t: Vector, central: Array, bend: Array, jitter: Array, value: Vector, level: Array) -> Array:
    """What f looks like, from how slopes and bends change with the step.

    `bend`, the right slope less the left one, falls with t where f is smooth, and stays at a kink.
    """
    columns = np.arange(bend.shape[1])
    fine, coarse = np.abs(bend[level, columns]), np.abs(bend[np.maximum(level - 1, 0), columns])
    shrink = (t[level] / t[np.maximum(level - 1, 0)]) ** 0.45
    clear = (fine > 20 * jitter[level, columns]) & (fine > 1e-5 * np.abs(value))
    status = np.where(clear & (fine > shrink * coarse), KINK, SMOOTH)
    if len(t) >= 4:
        last = np.abs(central[-4:])
        growth = last[1:] / last[:-1]
        # A jump and a root grow by the same factor with each step; noise does not.
        steady = np.ptp(growth, axis=0) <= 0.1 * growth.mean(axis=0)
        status = np.where(steady & (growth.min(axis=0) > 1.5), SINGULAR, status)
    return status
