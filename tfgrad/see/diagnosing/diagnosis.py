"""`diagnose()`: every gradient that a piece of a program asks for is looked at, and what is not fine is told once.

It works for a notebook cell, a test, a function or (through `tfgrad.doctor`) a whole script, without a change to
them: `tf.GradientTape` is a `Tape` meanwhile, also for Keras's `fit`, which looks the name up when it is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tfgrad.errors import GradError, GradientWarning
from tfgrad.see import telling
from tfgrad.see.diagnosing import verdicts, watching
from tfgrad.see.diagnosing.findings import Findings
from tfgrad.see.diagnosing.verdicts import Problem
from tfgrad.see.explanation import Explanation
from tfgrad.see.recording import complaints

_WISHES = ("ignore", "warn", "raise")


@dataclass
class Diagnosis:
    """What was found: problems, notes on what is harmless, and how much was watched.

    It fills up while the block runs: `problems` is a tuple of `Problem`, the gravest first, `notes` are sentences,
    `watched` counts tapes, gradient calls and Variables.
    """

    _findings: Findings = field(repr=False)
    failed: bool = field(default=False, repr=False)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Each problem once: what, where, why, how often, since which step."""
        return verdicts.judged(self._findings, self.failed)[0]

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth knowing and no problem."""
        return verdicts.judged(self._findings, self.failed)[1]

    @property
    def watched(self) -> dict[str, int]:
        """How much was looked at."""
        found = self._findings
        calls = sum(max(site.calls, 1) for site in list(found.sites.values()))
        return {"tapes": found.tapes, "gradient_calls": calls, "variables": len(found.variables)}

    @property
    def ok(self) -> bool:
        """Whether there are no problems."""
        return not self.problems

    def __str__(self) -> str:
        return telling_of(self)

    def __rich__(self) -> Any:
        from tfgrad import diagnosis_report

        return diagnosis_report.diagnosis_panel(self)

    def _repr_html_(self) -> str:
        from tfgrad import diagnosis_report

        return diagnosis_report.diagnosis_html(self)

    def to_dict(self) -> dict[str, Any]:
        """The diagnosis as JSON can hold it."""
        problems = [problem.to_dict() for problem in self.problems]
        for problem in problems:
            del problem["schema"]
        return {"schema": 1, "problems": problems, "notes": list(self.notes), "watched": self.watched}


def telling_of(diagnosis: Diagnosis) -> str:
    """The diagnosis in plain words: the problems in full, then the notes, then what was watched."""
    told = [
        f"{telling.reason(first, names)}\n  {'when':<12}{first.when}" for first, names in grouped(diagnosis.problems)
    ]
    notes = [line for note in diagnosis.notes for line in telling.labelled("note", note)]
    return "\n\n".join([*told, "\n".join([*notes, summary(diagnosis)])])


def grouped(problems: tuple[Problem, ...]) -> list[tuple[Problem, list[str]]]:
    """The problems that are one and the same for several leaves, together."""
    explained = telling.grouped(Explanation(problems))
    return [(first, names) for first, names in explained if isinstance(first, Problem)]


def summary(diagnosis: Diagnosis) -> str:
    """The last line: how many problems there are, and what was watched."""
    many = len(grouped(diagnosis.problems))
    found = "No gradient problems" if not many else "1 gradient problem" if many == 1 else f"{many} gradient problems"
    counts = [
        f"{n} {word if n != 1 else word[:-1]}"
        for word, n in zip(("tapes", "gradient calls", "Variables"), diagnosis.watched.values(), strict=True)
    ]
    return f"{found} in {counts[1]} ({counts[0]}, {counts[2]})."


@contextmanager
def diagnose(on_none: str = "warn", on_nonfinite: str = "warn", *, _adds_notes: bool = True) -> Iterator[Diagnosis]:
    """A `Diagnosis` of every gradient asked for in the block, on all threads, in Keras's `fit` and in functions traced.

    Functions that were traced before run as they were traced. NaN and zeros inside XLA-compiled code are not seen.

    Args:
        on_none: what to do at once where a gradient is None: "ignore", "warn" (`GradientWarning`) or "raise"
            (`GradientProblem`).
        on_nonfinite: the same for NaN and infinite gradients of eager code.

    Raises:
        GradError: `on_none` or `on_nonfinite` is none of the three words.

    >>> import tensorflow as tf
    >>> w = tf.Variable(1.5)
    >>> with diagnose(on_none="ignore") as d:
    ...     with tf.GradientTape() as tape:
    ...         loss = tf.round(w) * 2.0
    ...     gradient = tape.gradient(loss, w)
    >>> [(problem.path, problem.cause, problem.count) for problem in d.problems]
    [('w', 'nondifferentiable-op', 1)]
    """
    for name, wish in (("on_none", on_none), ("on_nonfinite", on_nonfinite)):
        if wish not in _WISHES:
            raise GradError(f"diagnose: {name}={wish!r}", "'ignore', 'warn' or 'raise'", f"diagnose({name}='warn')")
    findings = Findings(on_none, on_nonfinite, _adds_notes)
    found = Diagnosis(findings)
    for name in watching.earlier_subclasses():
        findings.notes[f"tapes of {name} are not watched: the class was made from tf.GradientTape before"] = None
    watching.begin(findings)
    try:
        yield found
    except Exception:
        found.failed = True
        raise
    finally:
        watching.end(findings)
        findings.active = False
    _warn_of_traced(found, on_nonfinite)


def _warn_of_traced(found: Diagnosis, wish: str) -> None:
    """NaN that came at run time in traced functions, where nothing could be said at once."""
    if wish == "ignore":
        return
    for problem in found.problems:
        traced = any(
            tally.reason is not None and tally.reason.path == problem.path and site.is_traced
            for site in found._findings.sites.values()
            for tally in site.tallies.values()
            if tally.state == "nonfinite"
        )
        if problem.symptom == "nonfinite" and traced:
            complaints.warn(str(problem))


__all__ = ["Diagnosis", "GradientWarning", "Problem", "diagnose"]
