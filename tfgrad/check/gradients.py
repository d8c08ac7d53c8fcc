"""`check_grads`: derivatives proved by numbers, in reverse and forward mode, to second order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from tfgrad import wording
from tfgrad.check import directions, likely, notes, numbers, options
from tfgrad.check.compare import Examination, Findings, Found
from tfgrad.check.flat import Flat, Pulled, Pushed
from tfgrad.check.precision import ladder, rounds_to, tolerances
from tfgrad.check.result import Check, Mismatch
from tfgrad.check.rule_place import rule_of
from tfgrad.check.subject import Subject, kept, subject
from tfgrad.check.trial import Tolerance, Trial
from tfgrad.check.vectors import name_of, place_of
from tfgrad.errors import GradientMismatch

_MODES = options.MODES
_WORDS = {"rev": "reverse", "fwd": "forward"}
_SECONDS = 4.0
"""What a check may take before it only finishes what it has begun."""


def check_grads(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    order: int = 1,
    modes: Sequence[str] = _MODES,
    *,
    wrt: Any = None,
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    seed: int = 0,
) -> Check:
    """What a comparison of f's derivatives with numerical ones found; an error where they differ.

    Args:
        f: gives any nest with floating or complex tensors, the same ones each time it is called.
        args: the tuple of f's arguments, any nests; they are checked where they are.
        order: 2 checks the derivatives of the derivatives too, by the point and by the cotangent or tangent.
        modes: "rev" is `vjp`, "fwd" is `jvp`; at order 2 all their compositions.
        wrt: positions of arguments, Variables, a model; default: every floating or complex leaf of args. Variables are
            assigned to while f is looked at, and put back.
        atol, rtol: how much an element may be off, beyond what the numbers and the rounding account for; 1e-6 relative
            in float64.
        eps: the largest step, absolute; default: chosen for each number.
        seed: of the random directions.

    Raises:
        GradientMismatch: its text says where, by how much, and the likely reason; its `check` is the `Check`.
        KindError, StructureError, IntegerError: arguments that there is nothing to check about.

    >>> import tensorflow as tf
    >>> check_grads(tf.sin, (tf.constant([0.5, 1.0]),), order=2).ok
    True

    Source: docs/checking.md says how it decides.
    """
    __tracebackhide__ = True
    try:
        options.check(f, args, order, modes, {"atol": atol, "rtol": rtol, "eps": eps}, seed)
        what = subject(f, args, wrt)
        with kept(what.variables):
            session = _Session(f, what, modes, explicit=modes is not _MODES, rtol=rtol, atol=atol, eps=eps, seed=seed)
            check = session.run(order)
    except Exception as error:  # noqa: BLE001  whatever it is, it goes on, without this package's own frames
        raise error.with_traceback(options.outside(error.__traceback__))  # noqa: B904  it is the same exception
    if not check.ok:
        raise mismatch(check) from None
    return check


def mismatch(check: Check) -> GradientMismatch:
    """The error that tells what a check found wrong; its `check` is the check."""
    notes = [f"  note: {note}" for note in check.notes]
    error = GradientMismatch("\n".join(["check_grads: " + "\n".join(map(str, check.mismatches)), *notes]))
    error.check = check
    return error


class _Session:
    """One call of check_grads."""

    def __init__(
        self,
        f: Callable[..., Any],
        what: Subject,
        modes: Sequence[str],
        *,
        explicit: bool,
        rtol: float | None,
        atol: float | None,
        eps: float | None,
        seed: int,
    ) -> None:
        self.name = wording.function(f)
        self.what, self.explicit = what, explicit
        self.modes = tuple(mode for mode in _MODES if mode in modes)
        self.rtol, self.atol, self.eps = rtol, atol, eps
        self.rng = np.random.default_rng(seed)
        self.mismatches: list[Mismatch] = []
        self.notes: list[str] = []
        self.directions = self.evaluations = 0
        self.singular = False
        self.deadline = time.process_time() + _SECONDS

    def run(self, order: int) -> Check:
        """Everything, first order before second, double precision before the caller's own."""
        main = self.what.wide or self.what.native
        self._examine(main, "", elements=24)
        if self.what.wide is not None and not self.mismatches:
            self._examine(self.what.native, _precision(self.what.native), elements=6)
        if order == 2 and not self.mismatches:
            self._second(main)
        native = self.what.native
        return Check(
            self.name,
            order,
            tuple(_WORDS[mode] for mode in self.modes),
            tuple(part.path for part in native.inputs),
            tuple(part.path for part in native.outputs),
            tuple(self.mismatches),
            tuple(dict.fromkeys(self.notes)),
            self.directions,
            self.evaluations,
            _precision(main),
        )

    def _second(self, main: Flat) -> None:
        for mode in self.modes:
            derived = (
                Pulled(main, directions.dense(self.rng, main.m))
                if mode == "rev"
                else Pushed(main, directions.dense(self.rng, main.n))
            )
            try:
                derived.run(derived.sources(derived.point))
            except Exception:  # noqa: BLE001  the first order has told already that this mode is not to be had
                continue
            if time.process_time() > self.deadline:
                self.notes.append(f"the derivatives of {_WORDS[mode]} mode were not tried: it would take too long")
                continue
            self._examine(derived, "", elements=6, inner=mode)

    def _examine(self, flat: Flat, precision: str, *, elements: int, inner: str | None = None) -> None:
        dtypes = [part.dtype for part in (*flat.inputs, *flat.outputs)]
        trial = self._trial(flat, dtypes, inner, self.eps)
        if not trial.steady:
            self._unsteady_function(trial, inner, precision)
            return
        findings = self._examined(trial, elements)
        rounded = rounds_to(flat) if findings.found else None
        if rounded is not None and ladder([rounded]) is not ladder(dtypes):
            trial = self._trial(flat, [rounded], inner, self.eps)
            findings = self._examined(trial, elements)
        if self.eps is not None and findings.found:
            chosen = self._trial(flat, dtypes, inner, None)
            others = self._examined(chosen, elements)
            if not others.found:
                self.notes.append(f"eps={self.eps:g} is too large for f: with smaller steps the numbers agree")
                trial, findings = chosen, others
        self._report(trial, findings, inner, precision)

    def _trial(self, flat: Flat, dtypes: Sequence[tf.DType], inner: str | None, eps: float | None) -> Trial:
        """The function at its point, with steps and tolerances for the narrowest of some dtypes."""
        steps = ladder(dtypes)
        rtol, near = tolerances(steps)
        if steps is numbers.DOUBLE and any(part.dtype.size < 8 for part in self.what.native.inputs):
            rtol = 1e-5
        if eps is not None:
            steps = replace(steps, first=(1.0, 0.5, 0.25), rest=())
        tolerance = Tolerance(rtol if self.rtol is None else self.rtol, self.atol or 0.0, near)
        trial = Trial(flat, steps, tolerance, self.rng, self.deadline)
        if eps is not None:
            trial.scale = np.full(flat.n, eps / 2)
            options.check_step(eps, flat.point)
        trial.singular = inner is not None and self.singular
        return trial

    def _examined(self, trial: Trial, elements: int) -> Findings:
        findings = Examination(trial, self.modes, elements=elements).run()
        self.singular = self.singular or bool(trial.frozen.any())
        self.directions += findings.directions
        self.evaluations += trial.values.count
        return findings

    def _mode(self, mode: str, inner: str | None) -> str:
        return _WORDS[mode] if inner is None else f"{_WORDS[mode]} over {_WORDS[inner]}"

    def _unsteady_function(self, trial: Trial, inner: str | None, precision: str) -> None:
        first, again = trial.centre, trial.again
        with np.errstate(all="ignore"):
            apart = np.nan_to_num(np.abs(first - again), nan=0.0)
        i = int(np.argmax(np.where(np.isfinite(first) == np.isfinite(again), apart, np.inf)))
        name = name_of(trial.flat.outputs, i)
        values = f"{name} was {wording.number(first[i])}, then {wording.number(again[i])}"
        values = trial.flat.other or values
        if inner is None:
            kind = "unsteady function"
            text = (
                f"f answers differently when called twice: {values}; no rule can be judged\n"
                "fix the seed inside f (tf.random.stateless_*), switch dropout off, or leave Variables unchanged"
            )
        else:
            kind, text = "unsteady rule", f"the rule answers differently when called twice: {values}"
        self._fault(trial, kind, self._mode(inner or self.modes[0], None), "its arguments", text, precision)

    def _report(self, trial: Trial, findings: Findings, inner: str | None, precision: str) -> None:
        for mode, number, text in findings.odd:
            self._odd(trial, mode, number, text, inner, precision)
        for mode, error in findings.raised.items():
            alone = len(findings.raised) == len(self.modes)
            self._raised(trial, mode, error, inner, precision, alone=alone)
        if findings.unsteady:
            self._unsteady_rule(trial, findings, inner, precision)
            return
        for found in _merged(trial, findings.found):
            self._wrong(trial, found, inner, precision)
        if not precision:
            self.notes += notes.of(trial, findings)

    def _fault(self, trial: Trial, kind: str, mode: str, path: str, reason: str, precision: str) -> None:
        """A mismatch that is none of values."""
        rule = None if kind == "unsteady function" else rule_of(getattr(trial.flat, "base", trial.flat))
        order = trial.flat.order
        nothing = (None, None, None, None)
        self.mismatches.append(
            Mismatch(kind, order, mode, path, path, "", *nothing, reason, rule=rule, precision=precision)
        )

    def _odd(self, trial: Trial, mode: str, number: int, text: str, inner: str | None, precision: str) -> None:
        parts = trial.flat.inputs if mode == "rev" else trial.flat.outputs
        kind = "shape" if "shape" in text else "dtype"
        reason = f"the gradient {text}"
        if kind == "shape" and mode == "rev":
            reason += "\nwhere the input was broadcast, its gradient has to be summed over the axes that were added"
        self._fault(trial, kind, self._mode(mode, inner), parts[number].path, reason, precision)

    def _raised(
        self, trial: Trial, mode: str, error: Exception, inner: str | None, precision: str, *, alone: bool
    ) -> None:
        first = (str(error).strip().splitlines() or [""])[0]
        text = f"{type(error).__name__}: {first}"[:200]
        words = self._mode(mode, inner)
        if not self.explicit and (inner is not None or (mode == "fwd" and not alone)):
            self.notes.append(f"{words} mode is not to be had: {text}")
            return
        path = trial.flat.inputs[0].path if len(trial.flat.inputs) == 1 else "its arguments"
        self._fault(trial, "raises", words, path, f"it raises {text}", precision)

    def _unsteady_rule(self, trial: Trial, findings: Findings, inner: str | None, precision: str) -> None:
        mode, (first, again) = next(iter(findings.unsteady.items()))
        text = (
            "the rule answers differently when called twice with the same cotangent: "
            f"{wording.number(first)}, then {wording.number(again)}; f itself does not"
        )
        self._fault(trial, "unsteady rule", self._mode(mode, inner), trial.flat.inputs[0].path, text, precision)

    def _wrong(self, trial: Trial, found: Found, inner: str | None, precision: str) -> None:
        number, _ = place_of(trial.flat.inputs, found.j)
        why = likely.reason(trial, found)
        output = "a weighted sum of the outputs" if found.i is None else name_of(trial.flat.outputs, found.i)
        if inner is not None and found.i is not None:
            output = f"{'J^T w' if inner == 'rev' else 'J u'} at {output}"
        self.mismatches.append(
            Mismatch(
                "value",
                trial.flat.order,
                self._mode(found.mode, inner),
                trial.flat.inputs[number].path,
                name_of(trial.flat.inputs, found.j),
                output,
                found.reverse,
                found.forward,
                found.number,
                found.error,
                why.text,
                why.wrong,
                why.tried,
                rule_of(getattr(trial.flat, "base", trial.flat)),
                precision,
            )
        )


def _merged(trial: Trial, found: Sequence[Found]) -> list[Found]:
    """One for each input: where reverse and forward mode are both wrong, the first of them."""
    first: dict[int, Found] = {}
    for each in found:
        first.setdefault(place_of(trial.flat.inputs, each.j)[0], each)
    return list(first.values())


def _precision(flat: Flat) -> str:
    return wording.listing(sorted({part.dtype.name for part in flat.inputs}))
