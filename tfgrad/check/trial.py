"""One function at one point: its slopes by numbers, its products as TensorFlow has them, and by how much they differ.

A difference counts only if it is many times what the numbers, TensorFlow's own rounding and the tolerance allow.
What the numbers can't settle (a kink, a domain's edge, noise) is never called wrong.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tfgrad.check import directions
from tfgrad.check.flat import Answer, Flat, OneOutput, Products
from tfgrad.check.many import LEAST, SLOW, Values
from tfgrad.check.numbers import SMOOTH, Array, Ladder, Line, Slope
from tfgrad.check.vectors import Vector, place_of, slices

_KEPT = 5_000_000
"""So many numbers are kept in lines and points."""
_ENOUGH = 8
"""So many steps allow to leave the smallest out."""
SURE = 10.0
"""So many times the numbers' error bound has a difference to be."""


@dataclass(frozen=True)
class Tolerance:
    """`rtol` and `atol` are what an element may be off by, `near` what a sum over many may, which is rounded evenly."""

    rtol: float
    atol: float
    near: float


class Trial:
    """A function at its point, with all that was found out about it so far."""

    def __init__(
        self, flat: Flat, ladder: Ladder, tolerance: Tolerance, rng: directions.Random, deadline: float
    ) -> None:
        self.flat, self.ladder, self.tolerance, self.rng = flat, ladder, tolerance, rng
        self.singular = False
        """Whether a first derivative is singular here, so that NaN at second order is no fault."""
        self.deadline = deadline
        self.centre = flat.value(flat.point)
        start = time.process_time()
        again = flat.value(flat.point)
        self.eager = cost = max(time.process_time() - start, LEAST)
        self.steady = bool(np.array_equal(self.centre, again, equal_nan=True)) or _nearly(
            self.centre, again, ladder.eps
        )
        self.steady = self.steady and not flat.other
        self.again = again
        self.scale = directions.scales(flat.point, flat.inputs)
        self.values = Values(flat, ladder.eps, self.centre, cost)
        if cost > SLOW:
            self.centre = self.values.one(flat.point)
        self.frozen = ~np.isfinite(flat.point)
        self.blind = np.zeros(flat.m, bool)
        """Outputs that are singular in a frozen input: 0 times its inf is NaN, which is no fault of theirs."""
        self.size = np.zeros(flat.m)
        self._lines: dict[bytes | int, tuple[Vector, Line]] = {}
        self._products: Products | None = None
        self._last: Slope | None = None
        self._margin: Vector | None = None

    @property
    def products(self) -> Products:
        """TensorFlow's derivatives at the point. Variables are put back first: a custom rule may read them."""
        if self._products is None:
            self._products = self.flat.at_point()
        elif self.flat.taped:
            self.flat.sources(self.flat.point)
        return self._products

    @property
    def cost(self) -> float:
        """Seconds that a value takes."""
        return self.values.cost

    def left(self) -> float:
        """Seconds that may still be spent."""
        return self.deadline - time.process_time()

    def affordable(self, lines: int) -> int:
        """How many of some wanted lines the time allows, each of six values."""
        return max(0, min(lines, int(0.2 * max(self.left(), 0.0) / (6 * self.cost))))

    def pull(self, w: Vector) -> Answer:
        """J^T w by reverse mode."""
        return self._product_of(lambda products: products.pull(w))

    def push(self, u: Vector) -> Answer:
        """J times the scaled direction u, by forward mode."""
        return self._product_of(lambda products: products.push(self.scale * u))

    def _product_of(self, work: Callable[[Products], Answer]) -> Answer:
        """A product, by a new run of f where the one at hand gives no second (`tf.py_function`, TensorFlow 2.21)."""
        if self._products is None:
            return work(self.products)
        try:
            return work(self.products)
        except Exception:  # noqa: BLE001  whatever it was, it is raised again if a new run does not help
            self._products = None
            return work(self.products)

    def narrowed(self, place: int) -> Trial:
        """The same for one output alone: where there are very many, the rest of them costs more than f."""
        found = copy.copy(self)
        found.flat = OneOutput(self.flat, place)
        found.values = self.values.of_output(found.flat)
        number, _ = place_of(self.flat.outputs, place)
        found.size = np.array([self.size[slices(self.flat.outputs)[number]].max(initial=0.0)])
        found.centre, found.again, found.blind = (each[[place]] for each in (self.centre, self.again, self.blind))
        found._lines, found._products, found._last = {}, None, None
        return found

    def line(self, u: Vector) -> Line:
        """The line along a scaled direction."""
        key = _key(u)
        if key not in self._lines:
            if (self.flat.n + self.flat.m) * len(self._lines) > _KEPT:
                self._lines.clear()
            self._lines[key] = u, Line(self.values.one, self.flat.point, self.scale * u, self.ladder, self.centre)
        return self._lines[key][1]

    def look_ahead(self, us: Sequence[Vector]) -> None:
        """Compute the first steps of many lines in one go, where so many points can be held."""
        if self.flat.n * len(us) > _KEPT:
            return
        wanted = [line for line in map(self.line, us) if not line.seen]
        points = [point for line in wanted for t in self.ladder.first for point in line.points(t)]
        found = iter(self.values.many(points))
        for line in wanted:
            for t in self.ladder.first:
                line.put(t, next(found), next(found))

    def slope(self, u: Vector, *, thorough: bool = False, quick: bool = False) -> Slope:
        """The derivative along a scaled direction; `thorough` takes all steps and measures noise, `quick` the first."""
        line = self.line(u)
        line.look(self.ladder.first)
        if thorough and not line.thorough:
            line.look(self._steps(u))
            line.measure_noise()
            line.thorough = line.settled = True
        elif not quick and not line.settled:
            for more in (self.ladder.rest[:2], self.ladder.rest):
                if self._is_coarse(line.slope()):
                    line.look(more)
            line.settled = True
        found = line.slope()
        if found is not self._last:
            ok = np.isfinite(found.error)
            self.size = np.where(ok, np.maximum(self.size, np.abs(np.where(ok, found.value, 0))), self.size)
            self._last, self._margin = found, None
        return found

    def _steps(self, u: Vector) -> tuple[float, ...]:
        """All steps; for a line along numbers much smaller than 1, larger ones too. None where the steps are given."""
        if not self.ladder.rest:
            return ()
        reach = float(self.scale[u != 0].max()) if (u != 0).any() else 1.0
        extra: list[float] = []
        t = 1.0
        while reach * t <= 0.25 and len(extra) < 12:
            t *= 8.0
            extra.append(t / 4)
        return (*extra, *self.ladder.rest)

    def _is_coarse(self, found: Slope) -> bool:
        """Whether more steps may help: some component is less precise than its noise allows."""
        size = np.maximum(np.abs(found.value), 1e-2 * np.median(np.abs(np.nan_to_num(found.value))))
        wanted = np.maximum(100 * self.ladder.eps ** (2 / 3) * size, 40 * found.noise / found.step)
        coarse = (found.status != SMOOTH) | ~(found.error <= wanted)
        return bool(coarse.sum() > 1e-3 * coarse.size)

    def excess_forward(self, u: Vector, answer: Vector, *, thorough: bool = False, quick: bool = False) -> Vector:
        """How many times the allowance each output's J u differs from the numbers; 0 where they settle nothing."""
        found = self.slope(u, thorough=thorough, quick=quick)
        with np.errstate(all="ignore"):
            allowed = SURE * found.error + self.tolerance.near * np.abs(found.value) + self.tolerance.atol
            allowed = allowed + 1e-2 * self.tolerance.near * self.size + self.floor(found)
            ratio = np.abs(answer - found.value) / allowed
            beyond = np.abs(answer - found.other) / (SURE * found.other_error)
            ratio = np.where(np.isfinite(found.other_error), np.fmin(ratio, beyond), ratio)
            lost = ~np.isfinite(answer) & self._settled(found) & ~(self.blind | self.singular)
        return np.where(lost, np.inf, np.nan_to_num(ratio, nan=0.0, posinf=0.0))

    def excess_reverse(
        self, u: Vector, w: Vector, answer: Vector, *, thorough: bool = False, quick: bool = False
    ) -> float:
        """How many times the allowance (J^T w) . u differs from w . (J u by numbers)."""
        found = self.slope(u, thorough=thorough, quick=quick)
        on = w != 0
        if not np.isfinite(found.error[on]).all():
            return 0.0
        along = np.where(u != 0, self.scale * u, 0.0)
        theirs = float(np.sum(np.where(u != 0, answer, 0.0) * along))
        ours = float(w[on] @ found.value[on])
        if self._margin is None:
            near = self.tolerance.near * (np.abs(found.value) + 1e-2 * self.size)
            self._margin = SURE * found.error + near + self.floor(found)
        allowed = float(np.abs(w[on]) @ self._margin[on]) + self.tolerance.atol * float(np.abs(along).sum())
        if not np.isfinite(theirs):
            return np.inf if self._settled(found)[on].all() and not self.singular else 0.0
        excess = abs(theirs - ours) / max(allowed, np.finfo(float).tiny)
        rounded = np.isfinite(found.other_error)[on]
        if excess > 1 and rounded.any():
            moved = float(w[on] @ np.where(rounded, found.other[on], found.value[on]))
            allowed += SURE * float(np.abs(w[on]) @ np.where(rounded, found.other_error[on], 0.0))
            excess = min(excess, abs(theirs - moved) / allowed)
        return excess

    def floor(self, found: Slope) -> Vector:
        """What a slope of zero, by numbers, may really be: a few roundings of the largest of its output's slopes."""
        largest = np.zeros(self.flat.m)
        for piece in slices(self.flat.outputs):
            largest[piece] = max(self.size[piece].max(initial=0.0), np.abs(found.value[piece]).max(initial=0.0))
        vanishing = np.abs(found.value) <= 2 * found.error
        # Where f does not move at all, what moves inside may have cancelled before it came out.
        largest = np.where(found.value == 0, np.maximum(largest, 1.0), np.nan_to_num(largest))
        least = np.where(vanishing, 4 * self.ladder.eps * largest, 0.0) + np.finfo(float).tiny
        return np.maximum(least, 16 * self.ladder.eps * self._moduli(found.value))

    def _moduli(self, values: Vector) -> Vector:
        """The absolute values of complex outputs' numbers, to which both parts are rounded; zero for real outputs."""
        found = np.zeros_like(values)
        for part, piece in zip(self.flat.outputs, slices(self.flat.outputs), strict=True):
            if part.dtype.is_complex:
                found[piece] = np.repeat(np.hypot(values[piece][0::2], values[piece][1::2]), 2)
        return np.nan_to_num(found, posinf=0.0)

    def smooth_along(self, u: Vector) -> bool:
        """Whether every output that is finite is smooth along a direction."""
        status = self.slope(u, thorough=True).status
        return bool((status[np.isfinite(self.centre)] == SMOOTH).all())

    def _settled(self, found: Slope) -> Array:
        """Where the numbers say for sure that f has a finite slope."""
        return np.asarray(
            (found.status == SMOOTH) & (found.error <= 1e-3 * np.maximum(np.abs(found.value), self.size) + 1e-12)
        )

    def is_right_for_larger_steps(self, u: Vector, w: Vector, given: float, allowed: float) -> bool:
        """Whether a slope is right but for the smallest steps, as where f rounds inside and is smooth in between."""
        found = self.slope(u, thorough=True)
        line, on = self.line(u), w != 0
        off = abs(given - float(w[on] @ found.value[on]))
        rounded = np.isfinite(found.other_error)
        moved = np.where(rounded, found.other, found.value), np.where(rounded, found.other_error, found.error)
        candidates = [moved] if rounded[on].any() else []
        if line.steps >= _ENOUGH:
            larger = (line.slope_of_larger_steps(fewer) for fewer in range(3, line.steps - 3))
            candidates += [(slope.value, slope.error) for slope in larger]
        for value, error in candidates:
            margin = SURE * float(np.abs(w[on]) @ error[on])
            if margin <= 0.1 * off and abs(given - float(w[on] @ value[on])) <= margin + allowed:
                return True
        return False

    def jitter(self, u: Vector, w: Vector | None) -> Array:
        """How much TensorFlow's own J u, or (J^T w) . u, changes from one neighbouring point to the next.

        The point itself is none of them: what is wrong there alone is no rounding. Where it is unlike the first few,
        more are taken, as a tie among several numbers is broken in another way each time.
        """
        here = self._product_at(self.flat.point, u, w)
        found = self._products_nearby(u, w, 4)
        with np.errstate(all="ignore"):
            unlike = np.abs(here - found[0]) > 1e-3 * np.abs(here)
        if unlike.any():
            found += self._products_nearby(u, w, 20)
        with np.errstate(all="ignore"):
            return np.nan_to_num(np.fmax.reduce(found) - np.fmin.reduce(found), nan=0.0)

    def _products_nearby(self, u: Vector, w: Vector | None, many: int) -> list[Array]:
        found = []
        for _ in range(many):
            shift = 2 * self.ladder.eps * self.scale * directions.dense(self.rng, self.flat.n)
            shift[self.frozen] = 0
            found.append(self._product_at(self.flat.point + shift, u, w))
        return found

    def _product_at(self, point: Vector, u: Vector, w: Vector | None) -> Array:
        products = self.flat.products(self.flat.sources(point))
        along = np.where(u != 0, self.scale * u, 0.0)
        if w is None:
            return products.push(along).vector
        return np.array([np.sum(np.where(u != 0, products.pull(w).vector, 0.0) * along)])


def _key(u: Vector) -> bytes | int:
    """What a direction is known by: its numbers, or where these are many and not a few, the array itself."""
    if u.size <= 4096:
        return u.tobytes()
    places = np.flatnonzero(u)
    return places.tobytes() + u[places].tobytes() if places.size <= 16 else id(u)


def _nearly(a: Vector, b: Vector, eps: float) -> bool:
    """Equal but for the order in which threads add up."""
    with np.errstate(all="ignore"):
        difference = np.abs(a - b)
        same = np.array_equal(np.isfinite(a), np.isfinite(b))
        return same and bool(np.nanmax(difference, initial=0.0) <= 1e3 * eps * np.nanmax(np.abs(a), initial=0.0))
