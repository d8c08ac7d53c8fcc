"""Where TensorFlow's derivatives and the numbers differ: first by random directions, then at the very element.

Random directions and cotangents decide; only a difference is followed up, by halving the inputs, then the outputs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from tfgrad.check import directions
from tfgrad.check.locating import CLEAR, MANY, Locator, Suspect
from tfgrad.check.numbers import EDGE, KINK, SINGULAR, SMOOTH, Array
from tfgrad.check.trial import Trial
from tfgrad.check.vectors import Vector, mirrored, place_of, symmetrised

_HUGE = 1e30
"""Slopes of this size leave float32 when they are multiplied with a large cotangent."""

_AGAIN = 4
"""So many times the first product is taken again, as a rule may answer differently every second time only."""


@dataclass(frozen=True)
class Found:
    """A wrong element: its positions among the inputs and outputs, the cotangent that shows it, the three values.

    `i` is None where no single output shows it: then `w` weighs them, and the values are sums.
    """

    mode: str
    j: int
    i: int | None
    w: Vector
    reverse: float | None
    forward: float | None
    number: float
    error: float


@dataclass(frozen=True)
class Unjudged:
    """An element j at which an output i has no slope: the slopes to both sides, and the one that TensorFlow took."""

    j: int
    i: int
    status: int
    left: float
    right: float
    chosen: float | None


@dataclass
class Findings:
    """What an examination brought: wrong elements, products of wrong shape or dtype, errors, places not judged."""

    found: list[Found] = field(default_factory=list)
    odd: list[tuple[str, int, str]] = field(default_factory=list)
    raised: dict[str, Exception] = field(default_factory=dict)
    unsteady: dict[str, tuple[float, float]] = field(default_factory=dict)
    unjudged: dict[int, Unjudged] = field(default_factory=dict)
    symmetric: set[int] = field(default_factory=set)
    directions: int = 0
    judged: bool = False


class Examination:
    """One function at one point, in some modes."""

    def __init__(self, trial: Trial, modes: Sequence[str], *, elements: int) -> None:
        self.trial, self.modes = trial, modes
        self.findings = Findings()
        self._elements = elements
        self._ws: list[Vector] = []
        self._us: list[Vector] = []
        self._pulled: list[Vector] = []
        self._pushed: dict[bytes, Vector] = {}

    def run(self) -> Findings:
        """Everything."""
        trial, flat = self.trial, self.trial.flat
        usable = np.isfinite(trial.centre)
        if flat.n == 0 or not usable.any() or trial.frozen.all():
            return self.findings
        self._choose_directions()
        for u in self._us[:1]:
            trial.slope(u)
        if "rev" in self.modes and self._try("rev", lambda: self._pull_all(usable)):
            self._exclude_not_finite()
        self._judge_smooth()
        if "rev" in self.modes and "rev" not in self.findings.raised:
            self._follow(self._reverse_suspects())
        if "fwd" in self.modes and not self.findings.odd:
            suspects: list[Suspect] = []
            if self._try("fwd", lambda: suspects.extend(self._forward_suspects())):
                self._follow(suspects)
        self._note_unjudged()
        return self.findings

    def _try(self, mode: str, work: Callable[[], object]) -> bool:
        try:
            work()
        except Exception as error:  # noqa: BLE001  whatever a rule raises is what is to be reported
            self.findings.raised[mode] = error
            return False
        return True

    def _choose_directions(self) -> None:
        trial, flat = self.trial, self.trial.flat
        elements = self._elements if flat.n <= self._elements else trial.affordable(self._elements // 6)
        singles = directions.some_elements(trial.rng, flat.point, flat.inputs, elements)
        wide = directions.random_directions(trial.rng, flat.inputs) if flat.n > 1 else []
        self._us = [*wide, *(directions.unit(flat.n, j) for j in singles)]
        self._leave_out(trial.frozen)
        trial.look_ahead(self._us)
        self.findings.directions = len(self._us)

    def _pull_all(self, usable: Array) -> None:
        trial, flat = self.trial, self.trial.flat
        narrow = any(part.dtype == tf.float16 for part in (*flat.inputs, *flat.outputs))
        large = 32.0 if narrow or trial.size.max(initial=0.0) > _HUGE else 1024.0
        self._ws = directions.cotangents(trial.rng, flat.outputs, trial.size, usable, large)
        singles = range(flat.m) if flat.m <= self._elements else trial.rng.choice(flat.m, 3)
        self._ws += [directions.unit(flat.m, int(i)) for i in singles if usable[i]]
        for w in self._in_time(self._ws, least=3):
            answer = trial.pull(w)
            self.findings.odd = self.findings.odd or [("rev", part, text) for part, text in answer.odd]
            self._pulled.append(answer.vector)
        self._ws = self._ws[: len(self._pulled)]
        for w in self._in_time(self._ws[:1] * _AGAIN, least=1):
            self._compare_repeated("rev", self._pulled[0], trial.pull(w).vector)

    def _compare_repeated(self, mode: str, first: Vector, again: Vector) -> None:
        with np.errstate(all="ignore"):
            difference = np.abs(first - again)
            allowed = 1e4 * self.trial.ladder.eps * (np.abs(first) + np.nanmax(np.abs(first), initial=0.0) * 1e-3)
        if (difference > allowed).any():
            j = int(np.nanargmax(difference))
            self.findings.unsteady[mode] = float(first[j]), float(again[j])

    def _exclude_not_finite(self) -> None:
        """Judge elements whose gradient is NaN or inf by themselves, and leave them out of all other directions."""
        trial, flat = self.trial, self.trial.flat
        bad = np.asarray(~np.isfinite(np.stack(self._pulled)).all(axis=0))
        for j in np.flatnonzero(bad & ~trial.frozen)[:6]:
            self._judge_not_finite(int(j))
            trial.blind |= trial.slope(directions.unit(flat.n, int(j))).status != SMOOTH
        if bad.any():
            trial.frozen = trial.frozen | bad
            self._leave_out(bad)
            self._pulled = [np.where(bad, 0.0, g) for g in self._pulled]

    def _leave_out(self, elements: Array) -> None:
        """Look along no direction that moves some elements."""
        if elements.any():
            self._us = [np.where(elements, 0.0, u) for u in self._us]
            self._us = [u for u in self._us if u.any()]

    def _judge_not_finite(self, j: int) -> None:
        trial = self.trial
        u = directions.unit(trial.flat.n, j)
        singles = [k for k, w in enumerate(self._ws) if np.count_nonzero(w) == 1]
        for k in [*singles, *range(len(self._ws))]:
            w, value = self._ws[k], float(self._pulled[k][j])
            if np.isfinite(value):
                continue
            if trial.smooth_along(u) and trial.excess_reverse(u, w, self._pulled[k], thorough=True) > 1:
                self._add("rev", j, int(np.argmax(w != 0)) if k in singles else None, w)
                return
        self._unjudged(j, u)

    def _judge_smooth(self) -> None:
        self.findings.judged = any(np.isfinite(self.trial.slope(u).error).any() for u in self._us)

    def _reverse_suspects(self) -> Iterator[Suspect]:
        for u in self._us:
            for w, g in zip(self._ws, self._pulled, strict=True):
                excess = self.trial.excess_reverse(u, w, g)
                if excess > 1:
                    yield Suspect("rev", u, w, excess)

    def _forward_suspects(self) -> list[Suspect]:
        trial = self.trial
        suspects: list[Suspect] = []
        pushed: list[Vector] = []
        for u in self._in_time(self._us, least=2):
            answer = trial.push(u)
            pushed.append(answer.vector)
            self.findings.odd = self.findings.odd or [("fwd", part, text) for part, text in answer.odd]
            excess = trial.excess_forward(u, answer.vector)
            if (excess > 1).any():
                suspects.append(Suspect("fwd", u, np.zeros(0), float(excess.max())))
        if pushed:
            self._compare_repeated("fwd", pushed[0], trial.push(self._us[0]).vector)
        return suspects

    def _in_time(self, vectors: list[Vector], least: int) -> Iterator[Vector]:
        """The first of some vectors, as long as a sixth of the time left allows."""
        until = time.process_time() + 0.15 * max(self.trial.left(), 0.0)
        for number, vector in enumerate(vectors):
            if number >= least and time.process_time() > until:
                return
            yield vector

    def _follow(self, suspects: Sequence[Suspect] | Iterator[Suspect]) -> None:
        """One wrong element for each input that has any, single elements first."""
        ordered = sorted(suspects, key=lambda s: (np.count_nonzero(s.u) > 1, np.count_nonzero(s.w) > 1, -s.excess))
        tries: dict[tuple[int, bool], int] = {}
        for suspect in ordered:
            support = np.flatnonzero(suspect.u)
            part = place_of(self.trial.flat.inputs, int(support[0]))[0]
            key = part, support.size > 1
            settled = any(
                place_of(self.trial.flat.inputs, f.j)[0] == part for f in self.findings.found if f.mode == suspect.mode
            )
            late = bool(self.findings.found) and self.trial.left() < 0
            done = settled or late or tries.get(key, 0) >= 4 or len(self.findings.found) >= 8
            if done or self._is_right_symmetrised(suspect, part):
                continue
            tries[key] = tries.get(key, 0) + 1
            self._locate(suspect)

    def _is_right_symmetrised(self, suspect: Suspect, part: int) -> bool:
        """Whether the difference is gone for the symmetric part of the direction, for a matrix that is symmetric."""
        trial = self.trial
        if part not in self.findings.symmetric:
            return False
        u = symmetrised(trial.flat.inputs, part, suspect.u * trial.scale) / trial.scale
        if suspect.mode == "fwd":
            return bool((trial.excess_forward(u, trial.push(u).vector) <= 1).all())
        return trial.excess_reverse(u, suspect.w, trial.pull(suspect.w).vector) <= 1

    def _locate(self, suspect: Suspect) -> None:
        place = Locator(self.trial, suspect).element()
        if place is None:
            return
        j, i = place
        self._add(suspect.mode, j, i, suspect.w if i is None else directions.unit(self.trial.flat.m, i))

    def _add(self, mode: str, j: int, i: int | None, w: Vector) -> None:
        """Take up an element, if it is off by more than the tolerance."""
        trial, v = self.trial, w
        if i is not None and trial.flat.m > MANY:
            trial, v = trial.narrowed(i), np.ones(1)
        scale = trial.scale[j]
        u = directions.unit(trial.flat.n, j)
        slope = trial.slope(u, thorough=True)
        on = v != 0
        number = float(v[on] @ slope.value[on]) / scale
        error = float(np.abs(v[on]) @ slope.error[on]) / scale
        floor = float(np.abs(v[on]) @ trial.floor(slope)[on]) / scale
        reverse = self._read("rev", lambda: float(trial.pull(v).vector[j]))
        forward = self._read("fwd", lambda: float(v[on] @ trial.push(u).vector[on]) / scale)
        given = reverse if mode == "rev" else forward
        if given is None or not np.isfinite(error):
            return
        allowed = (
            10 * error
            + floor
            + trial.tolerance.atol * float(np.abs(v[on]).sum())
            + trial.tolerance.rtol * max(abs(given), abs(number))
        )
        if np.isfinite(given) and abs(given - number) <= allowed:
            return
        if np.isfinite(given) and trial.is_right_for_larger_steps(u, v, given * scale, allowed * scale):
            return
        if np.isfinite(given) and not _stands_out(trial, mode, u, v, abs(given - number) * scale, allowed * scale):
            return
        if self._is_symmetric_convention(mode, j, w, given, error * 10 + floor):
            self.findings.symmetric.add(place_of(trial.flat.inputs, j)[0])
            return
        self.findings.found.append(Found(mode, j, i, w, reverse, forward, number, error))

    def _is_symmetric_convention(self, mode: str, j: int, w: Vector, given: float, allowed: float) -> bool:
        """Whether the input is a symmetric matrix and the derivative right for symmetric changes of it.

        Source: cholesky, eigh and their like read one triangle, and answer a gradient that is symmetric or stands in
        one triangle (TensorFlow 2.16 to 2.21).
        """
        trial = self.trial
        k, sign = mirrored(trial.flat.inputs, trial.flat.point, j)
        if k is None or not np.isfinite(given):
            return False
        u, on = directions.unit(trial.flat.n, k), w != 0
        slope = trial.slope(u, thorough=True)
        scale = trial.scale[k]
        pushed = mode == "fwd"
        other = float(w[on] @ trial.push(u).vector[on]) / scale if pushed else float(trial.pull(w).vector[k])
        here = trial.slope(directions.unit(trial.flat.n, j))
        numbers = float(w[on] @ here.value[on]) / trial.scale[j], float(w[on] @ slope.value[on]) / scale
        size = max(map(abs, (given, other, *numbers)))
        margin = 2 * allowed + trial.tolerance.rtol * size

        def one_sided(a: float, b: float) -> bool:
            return min(abs(a - sign * b), abs(a), abs(b)) <= margin

        both = abs(given + sign * other - numbers[0] - sign * numbers[1]) <= margin
        return both and one_sided(given, other) and one_sided(*numbers)

    def _read(self, mode: str, work: Callable[[], float]) -> float | None:
        if mode not in self.modes or mode in self.findings.raised:
            return None
        try:
            return work()
        except Exception:  # noqa: BLE001  a mode that raises has no value to show; it is reported by itself
            return None

    def _note_unjudged(self) -> None:
        if self.trial.flat.order > 1:
            return
        for u in self._us:
            if np.count_nonzero(u) == 1 and (self.trial.slope(u).status != SMOOTH).any():
                self._unjudged(int(np.argmax(u != 0)), u)

    def _unjudged(self, j: int, u: Vector) -> None:
        """Keep an element at which f has no slope, with what TensorFlow answers there."""
        slope = self.trial.slope(u, thorough=True)
        odd = np.flatnonzero(np.isin(slope.status, (KINK, EDGE, SINGULAR)) & np.isfinite(self.trial.centre))
        if not odd.size or len(self.findings.unjudged) >= 6:
            return
        i = int(odd[0])
        scale = self.trial.scale[j]
        w = directions.unit(self.trial.flat.m, i)
        chosen = self._read("rev", lambda: float(self.trial.pull(w).vector[j]))
        left, right = float(slope.left[i]) / scale, float(slope.right[i]) / scale
        self.findings.unjudged[j] = Unjudged(j, i, int(slope.status[i]), left, right, chosen)


def _stands_out(trial: Trial, mode: str, u: Vector, w: Vector, difference: float, allowed: float) -> bool:
    """Whether the difference is also more than TensorFlow's own answers differ from point to point."""
    if difference > CLEAR * allowed and trial.left() < 8 * trial.eager:
        return True
    jitter = trial.jitter(u, w if mode == "rev" else None)
    own = float(jitter.max()) if mode == "rev" else float(np.abs(w) @ jitter)
    return not difference <= allowed + 5 * own
