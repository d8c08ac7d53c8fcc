"""What a check could not judge, in words: kinks, edges, singular points, symmetric matrices, huge tensors."""

from __future__ import annotations

import numpy as np

from tfgrad import wording
from tfgrad.check import numbers
from tfgrad.check.compare import Findings, Unjudged
from tfgrad.check.trial import Trial
from tfgrad.check.vectors import name_of

_MANY = 100_000


def of(trial: Trial, findings: Findings) -> list[str]:
    """The notes on an examination."""
    flat = trial.flat
    found = []
    if not findings.judged and not findings.unjudged:
        found.append("nothing could be judged: f is not finite or not smooth there, or the tensors are empty")
    lost = np.flatnonzero(~np.isfinite(flat.point))
    if lost.size and flat.order == 1:
        names = wording.listing([name_of(flat.inputs, int(j)) for j in lost[:4]])
        more = f" and {lost.size - 4} more" if lost.size > 4 else ""
        found.append(f"{names}{more}: not finite, so not judged")
    for number in sorted(findings.symmetric):
        found.append(
            f"{flat.inputs[number].path} is a symmetric matrix of which f reads one triangle, or takes it to be "
            "symmetric: the derivative was judged for symmetric changes of it"
        )
    found += [_unjudged(trial, place) for place in findings.unjudged.values()]
    if flat.order == 1 and flat.n > _MANY:
        tried = wording.count(findings.directions, "direction")
        found.append(
            f"{flat.n} numbers: {tried} were tried; each number alone would take {_time(6 * flat.n * trial.cost)}"
        )
    if trial.tolerance.atol and trial.tolerance.atol >= trial.size.max(initial=0.0) / trial.scale.min(initial=np.inf):
        found.append(
            f"atol={trial.tolerance.atol:g} is more than every derivative: no value could have been called wrong"
        )
    return found


def _time(seconds: float) -> str:
    """A time that nobody has, in the unit that makes it short."""
    for unit, length in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{wording.number(seconds / length, 2)} {unit}"
    return f"{wording.number(seconds, 2)} seconds"


def _unjudged(trial: Trial, place: Unjudged) -> str:
    element, output = name_of(trial.flat.inputs, place.j), name_of(trial.flat.outputs, place.i)
    answer = "" if place.chosen is None else f"; TensorFlow answers {wording.number(place.chosen)}"
    if place.status == numbers.EDGE:
        return f"{element} is at the edge of where {output} is finite, so it was not judged{answer}"
    if place.status == numbers.SINGULAR:
        return f"{output} jumps or is singular in {element} there, so it was not judged{answer}"
    return (
        f"{element} is at a kink of {output} (slope {wording.number(place.left, 4)} on the left, "
        f"{wording.number(place.right, 4)} on the right), so it was not judged{answer}{_side(place)}"
    )


def _side(place: Unjudged) -> str:
    """Which of the two slopes TensorFlow took."""
    if place.chosen is None:
        return ""
    margin = 1e-3 * abs(place.right - place.left)
    for word, slope in (("left", place.left), ("right", place.right)):
        if abs(slope - place.chosen) <= margin:
            return f", the slope on the {word}"
    return ""
