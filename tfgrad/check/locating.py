"""Which element is wrong: from a direction and a cotangent along which TensorFlow and the numbers differ.

The difference is linear in both. Outputs are halved first, which takes no value of f, then inputs: a ramp of weights
aims at one wrong element of very many, and halving finds it where there are several.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tfgrad.check import directions
from tfgrad.check.numbers import Array
from tfgrad.check.trial import Trial
from tfgrad.check.vectors import Vector

CLEAR = 1e4
"""A difference of so many times the allowance is no rounding of TensorFlow's, which may lie a little above it."""
MANY = 4096
"""So many outputs make it worth to look at one of them alone."""
_LEVELS = 64
"""So many weights has a ramp: few enough for steps that are exact in float32."""
_FEW = 256
"""So many elements are halved at once."""


@dataclass(frozen=True)
class Suspect:
    """A direction (and in reverse mode a cotangent) along which the two differ; `excess` times the allowance."""

    mode: str
    u: Vector
    w: Vector
    excess: float


class Locator:
    """A suspect of a trial, followed to its element."""

    def __init__(self, trial: Trial, suspect: Suspect) -> None:
        self._trial, self._mode = trial, suspect.mode
        self._u, self._w = suspect.u, suspect.w
        self._given: Vector = np.zeros(0)
        self._output: int | None = None

    def element(self) -> tuple[int, int | None] | None:
        """The positions of a wrong input and output; no output where only several together show it."""
        trial = self._trial
        many = trial.flat.m > MANY
        if self._mode == "rev":
            self._given = trial.pull(self._w).vector
        if not many and not self._holds():
            return None
        self._choose_output(self._u, thorough=not many)
        if self._output is not None and many:
            self._trial = trial.narrowed(self._output)
            self._w = np.ones(1)
            if not self._holds():
                return None
        j = self._input()
        if j is None:
            return None
        self._trial = trial
        if self._output is None or self._mode == "fwd":
            self._w = self._w if self._mode == "rev" else np.zeros(0)
            self._choose_output(directions.unit(trial.flat.n, j), thorough=True)
        return j, self._output

    def _holds(self) -> bool:
        """Whether the difference stands when all steps are taken."""
        if self._mode == "fwd":
            return bool((self._pushed(self._u, thorough=True) > 1).any())
        return self._trial.excess_reverse(self._u, self._w, self._given, thorough=True) > 1

    def _pushed(self, u: Vector, *, thorough: bool = False, quick: bool = False) -> Vector:
        return self._trial.excess_forward(u, self._trial.push(u).vector, thorough=thorough, quick=quick)

    def _choose_output(self, u: Vector, *, thorough: bool) -> None:
        """The output that shows the difference along u."""
        if self._mode == "fwd":
            self._output = int(np.argmax(self._pushed(u, thorough=thorough)))
            return

        def excess(kept: Array) -> float:
            part = directions.within(self._w, kept)
            return self._trial.excess_reverse(u, part, self._trial.pull(part).vector, thorough=thorough)

        places = np.flatnonzero(self._w)
        i = int(places[0]) if places.size == 1 else _halved(self._trial, places, excess)
        if i is None:
            return
        single = directions.unit(self._trial.flat.m, i)
        given = self._trial.pull(single).vector
        if self._trial.excess_reverse(u, single, given, thorough=thorough) > 1:
            self._output, self._w, self._given = i, single, given

    def _input(self) -> int | None:
        places = np.flatnonzero(self._u)
        j = self._aimed(places)
        if j is None:
            j = _halved(self._trial, places, lambda kept: self._excess_within(kept, quick=True))
        if j is None and places.size > 1:
            j = _halved(self._trial, places, lambda kept: self._excess_within(kept, quick=False))
        return j

    def _excess_within(self, kept: Array, *, quick: bool) -> float:
        n = self._trial.flat.n
        u = directions.unit(n, int(kept[0])) if kept.size == 1 else directions.across(self._trial.rng, n, kept)
        return self._excess(u, quick=quick)

    def _excess(self, u: Vector, *, quick: bool = False) -> float:
        if self._mode == "fwd":
            return float(self._pushed(u, quick=quick).max())
        return self._trial.excess_reverse(u, self._w, self._given, quick=quick)

    def _difference(self, u: Vector) -> float:
        """By how much TensorFlow and the numbers differ along u, signed; in forward mode at the output in question."""
        value = self._trial.slope(u, quick=True).value
        if self._mode == "fwd":
            place = 0 if value.size == 1 else int(self._output or 0)
            return float(self._trial.push(u).vector[place] - value[place])
        along = np.where(u != 0, self._trial.scale * u, 0.0)
        on = self._w != 0
        return float(np.where(u != 0, self._given, 0.0) @ along - self._w[on] @ value[on])

    def _aimed(self, places: Array) -> int | None:
        """The element, if it is the only one: a ramp's share of the difference tells where on the ramp it is."""
        while places.size > _FEW:
            u = directions.across(self._trial.rng, self._trial.flat.n, places)
            levels = np.arange(places.size) * _LEVELS // places.size
            ramped = u.copy()
            ramped[places] *= (levels + _LEVELS) / (2 * _LEVELS)
            whole = self._difference(u)
            share = self._difference(ramped) / whole if whole else math.nan
            level = 2 * _LEVELS * share - _LEVELS
            if not -0.5 <= level <= _LEVELS - 0.5:
                return None
            places = places[np.abs(levels - level) <= 1]
        j = _halved(self._trial, places, lambda kept: self._excess_within(kept, quick=True))
        return j if j is not None and self._excess(directions.unit(self._trial.flat.n, j)) > 1 else None


def _halved(trial: Trial, places: Array, excess: Callable[[Array], float]) -> int | None:
    """One place at which the excess is above 1, found by halving. A clear excess in one half saves the other."""
    while places.size > 1:
        places = trial.rng.permutation(places)
        halves = places[: places.size // 2], places[places.size // 2 :]
        found = [excess(halves[0])]
        if found[0] < CLEAR:
            found.append(excess(halves[1]))
        if max(found) <= 1:
            return None
        places = halves[int(np.argmax(found))]
    return int(places[0]) if places.size else None
