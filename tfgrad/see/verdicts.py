"""Which findings are problems and which are only worth a note: what is part of a method is no problem.

The rules are few and each is a function here. In doubt it is a note, which changes no exit code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tfgrad import wording
from tfgrad.see import telling
from tfgrad.see.explanation import Reason
from tfgrad.see.findings import Findings, Site, Tally, spot

_STREAK = 3  # a zero that stays this many steps, up to the end, has come to stay
_PART = 0.4  # of the leaves; fewer than these unused are a branch that this loss does not need
_SCALING = 20  # steps in which a loss scale comes down from where it starts


@dataclass(frozen=True)
class Problem(Reason):
    """A Reason that was met in a run: how often it came, at which step first, of how many steps at that line."""

    count: int = 1
    first_step: int = 1
    steps: int = 1

    def __str__(self) -> str:
        return "\n".join([telling.reason(self), f"  {'when':<12}{self.when}"])

    @property
    def when(self) -> str:
        """How often it came and since when, in words."""
        if self.steps <= 1:
            return "once" if self.count <= 1 else f"{self.count} times"
        if self.count >= self.steps:
            return f"at all {self.steps} steps"
        if self.count == self.steps - self.first_step + 1:
            return f"at every step since step {self.first_step} of {self.steps}"
        return f"at {self.count} of {self.steps} steps, first at step {self.first_step}"


def judged(findings: Findings, failed: bool) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """The problems, the gravest first, and the notes.

    Args:
        findings: what was counted.
        failed: whether the program ended with an error, which makes an unused weight more than a curiosity.
    """
    problems: dict[object, Problem] = {}
    notes = dict.fromkeys(findings.notes)
    outbreak = _outbreak(findings)
    for site in list(findings.sites.values()):
        for tally, reason in _explained(site):
            if reason.cause == "nan-input" and tally.moment > outbreak:
                continue
            problem = _problem(site, tally, reason)
            if is_harmless(site, tally, reason, failed):
                notes[_noted(site, problem)] = None
            else:
                key = (
                    problem.symptom,
                    problem.cause,
                    problem.path,
                    problem.where and (problem.where.file, problem.where.line),
                )
                problems[key] = _merged(problems.get(key), problem)
        if unmoved := _unmoved(site):
            notes[unmoved] = None
        if site.closed:
            notes[f"{spot(site)}: {site.closed}"] = None
    ordered = sorted(problems.values(), key=lambda problem: telling.SYMPTOMS.index(problem.symptom))
    return tuple(ordered), tuple(notes)


def _unmoved(site: Site) -> str:
    """A sentence where Variables had gradients and nothing was made of them; empty if they moved."""
    bad = {tally.reason.path for tally in site.tallies.values() if tally.reason is not None}
    moved = {sight.name: sight.has_moved for sight in site.sights.values() if sight.name not in bad}
    still = [name for name, has in moved.items() if has is False]
    if site.calls < _STREAK or not still:
        return ""
    if len(still) == len(moved):
        asked = "the Variables asked about did not change"
        return f"{spot(site)}: {asked} in {site.calls} steps; were their gradients applied?"
    names = wording.listing([f"'{name}'" for name in still], limit=4)
    return f"{spot(site)}: {names} did not change in {site.calls} steps, though there were gradients"


def _outbreak(findings: Findings) -> float:
    """When NaN first came: the weights that it was put into are no causes of their own."""
    moments = [
        tally.moment
        for site in list(findings.sites.values())
        for tally in list(site.tallies.values())
        if tally.state == "nonfinite"
    ]
    return min(moments, default=float("inf"))


def _merged(before: Problem | None, problem: Problem) -> Problem:
    """One fault seen from two gradient() lines, or at two leaves without a name, is one problem."""
    if before is None:
        return problem
    return replace(before, count=before.count + problem.count, steps=before.steps + problem.steps)


def _explained(site: Site) -> Iterator[tuple[Tally, Reason]]:
    for tally in list(site.tallies.values()):
        if tally.reason is None and tally.waiting is not None:
            tally.reason, tally.waiting = tally.waiting(), None
        if tally.reason is not None and tally.reason.cause not in ("unknown", "ok"):
            yield tally, tally.reason


def _problem(site: Site, tally: Tally, reason: Reason) -> Problem:
    # A None found while a function was traced comes at each of its steps.
    every = site.is_traced and tally.state == "none"
    count = max(site.calls, 1) if every else tally.count
    fields = {name: getattr(reason, name) for name in Reason.__dataclass_fields__}
    return Problem(**fields, count=count, first_step=1 if every else tally.first, steps=max(site.calls, 1))


def _noted(site: Site, problem: Problem) -> str:
    at = telling.spot(problem.where) if problem.where else spot(site)
    word = {"none": "None", "nonfinite": "NaN or inf"}.get(problem.symptom, problem.symptom)
    return f"{word} for '{problem.path}' {problem.when}: {problem.cause}, {at}"


def is_harmless(site: Site, tally: Tally, reason: Reason, failed: bool) -> bool:
    """Whether a finding is part of many a sound program."""
    if tally.state == "none":
        known = reason.cause == "not-trainable" or _is_unused_branch(site, reason, failed)
        return known or _is_passing(site, tally, reason, failed)
    if tally.state == "zero":
        stays = _stays_zero(site, tally) or (reason.cause == "cancels" and _all_cancels(site))
        return not stays or _cancels_by_design(site, reason) or _has_arrived(tally, reason)
    if tally.state == "nonfinite":
        return bool(site.loss_scaled) and not _never_finite(site, tally)
    return False


def _is_passing(site: Site, tally: Tally, reason: Reason, failed: bool) -> bool:
    """Weights that some steps do not use, such as those of a branch taken now and then."""
    return reason.cause == "unconnected" and not failed and not site.is_traced and tally.count < site.calls


def _is_unused_branch(site: Site, reason: Reason, failed: bool) -> bool:
    """A few weights of a model that this loss does not use, and the program went on without their gradients."""
    if failed or reason.cause != "unconnected":
        return False
    unused = [
        tally
        for tally in site.tallies.values()
        if tally.state == "none"
        and tally.is_variable
        and tally.reason is not None
        and tally.reason.cause == "unconnected"
    ]
    return "/" in reason.path and len(unused) <= _PART * site.leaves


def _stays_zero(site: Site, tally: Tally) -> bool:
    """Zero at every step, or from some step on up to the end."""
    if tally.count >= site.calls:
        return True
    return tally.count >= _STREAK and tally.count == site.calls - tally.first + 1


def _cancels_by_design(site: Site, reason: Reason) -> bool:
    """A bias before a normalisation, the last bias of a critic: terms cancel, but only for a few of the leaves."""
    return reason.cause == "cancels" and not _all_cancels(site)


def _all_cancels(site: Site) -> bool:
    """Whether most of what was asked about cancels most of the time: the target hardly depends on anything."""
    often = [
        tally
        for tally in site.tallies.values()
        if tally.state == "zero"
        and 2 * tally.count >= site.calls
        and (tally.reason is None or tally.reason.cause == "cancels")
    ]
    return len(often) == site.leaves or (site.leaves >= 4 and 2 * len(often) >= site.leaves)


def _has_arrived(tally: Tally, reason: Reason) -> bool:
    """At a point without slope after steps with one: the minimum that was looked for."""
    return reason.cause == "constant-here" and tally.first > 1


def _never_finite(site: Site, tally: Tally) -> bool:
    return tally.count >= site.calls > _SCALING
