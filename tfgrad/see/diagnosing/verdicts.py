"""Which findings are problems and which are only worth a note: what is part of a method is no problem.

The rules are few and each is a function here. In doubt it is a note, which changes no exit code.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tfgrad import wording
from tfgrad.see import telling
from tfgrad.see.diagnosing.findings import Findings, Site, Tally, spot
from tfgrad.see.explanation import Place, Reason

_STREAK = 3  # a zero that stays this many steps, up to the end, has come to stay
_PART = 0.4  # of the leaves; as few as these unused are a branch that this loss does not need
_FEW = 0.2  # of the leaves; as few as these may also be where a model begins
_SCALING = 20  # steps in which a loss scale comes down from where it starts


@dataclass(frozen=True)
class Problem(Reason):
    """A Reason that was met in a run: how often it came, at which step first, of how many steps at that line."""

    count: int = 1
    first_step: int = 1
    steps: int = 1

    def __str__(self) -> str:
        return "\n".join([telling.reason(self), f"  {'when':<12}{self.when}"])

    def to_dict(self) -> dict[str, Any]:
        """The problem as JSON can hold it."""
        return {**super().to_dict(), "when": self.when}

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
    harmless: dict[str, list[str]] = {}
    notes = dict.fromkeys(findings.notes)
    outbreak = _outbreak(findings)
    for site in list(findings.sites.values()):
        for tally, reason in _explained(site, outbreak):
            if reason.cause == "nan-input" and tally.moment > outbreak:
                continue
            problem = _problem(site, tally, reason)
            if is_harmless(site, tally, reason, failed):
                harmless.setdefault(_noted(site, problem), []).append(f"'{problem.path}'")
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
            notes[f"{spot(site)}: {site.closed}{_in_the_end(site)}"] = None
    told = {note.format(wording.listing(names, limit=2)): None for note, names in harmless.items()}
    for met, problem in list(problems.items()):
        if _is_of_a_none(problem, findings):
            del problems[met]
            assert problem.where is not None
            notes[f"{telling.spot(problem.where)}: {problem.detail}"] = None
    ordered = sorted(problems.values(), key=lambda problem: telling.SYMPTOMS.index(problem.symptom))
    return tuple(ordered), (*told, *notes)


def _is_of_a_none(problem: Problem, findings: Findings) -> bool:
    """Whether a gradient() raised because its target was a None that is told already."""
    if problem.cause != "bad-argument" or not problem.chain:
        return False
    given = problem.chain[0]
    return any(
        (site.file, site.line) == (given.file, given.line) and any(t.state == "none" for t in site.tallies.values())
        for site in list(findings.sites.values())
    )


def _in_the_end(site: Site) -> str:
    """What became of the Variables of a line that could not be looked at."""
    broken = [f"'{sight.name}'" for sight in site.sights.values() if not sight.is_finite]
    if not broken:
        return ""
    names = wording.listing(broken, limit=4)
    are = "is" if len(broken) == 1 else "are"
    return f"; in the end {names} {are} not finite: tf.config.run_functions_eagerly(True) lets it be seen why"


def _unmoved(site: Site) -> str:
    """A sentence where Variables had gradients and nothing was made of them; empty if they moved."""
    bad = {tally.index for tally in site.tallies.values()}
    moved = {sight.name: sight.has_moved for sight in site.sights.values() if sight.index not in bad}
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


def _explained(site: Site, outbreak: float) -> Iterator[tuple[Tally, Reason]]:
    for tally in list(site.tallies.values()):
        if tally.reason is None and tally.waiting is not None:
            # Looked at closely it may be fine: a square that overflowed.
            tally.reason, tally.waiting = tally.waiting() or Reason(tally.name, "ok", "ok"), None
    tallies = list(site.tallies.values())
    is_known = any(t.state != "none" and t.reason and t.reason.cause not in ("unknown", "ok") for t in tallies)
    for tally in tallies:
        if tally.reason is None or tally.reason.cause == "unknown":
            plain = None if is_known else _plain_to_see(site, tally, outbreak)
            if plain is not None:
                yield tally, plain
        elif tally.reason.cause != "ok":
            yield tally, tally.reason


def _plain_to_see(site: Site, tally: Tally, outbreak: float) -> Reason | None:
    """What is plain to see though nobody can tell why: every gradient zero at every step, or the first NaN."""
    leaves = {other.index for other in site.tallies.values() if other.state == "zero" and other.count >= site.calls}
    broken = any(other.state == "nonfinite" for other in site.tallies.values())
    all_zero = tally.state == "zero" and len(leaves) == site.leaves and site.calls >= _STREAK and not broken
    if not all_zero and not (tally.state == "nonfinite" and tally.moment <= outbreak):
        return None
    where = Place(site.file, site.line, text=linecache.getline(site.file, site.line).strip(), function=site.function)
    detail = "The step can't be computed again outside the traced function." if site.is_traced else ""
    advice = "look at one step in plain Python: tf.config.run_functions_eagerly(True) as the script's first line"
    return Reason(tally.name, tally.state, "unknown", where, detail=detail, advice=advice if site.is_traced else "")


def _problem(site: Site, tally: Tally, reason: Reason) -> Problem:
    # A None found while a function was traced comes at each of its steps.
    every = site.is_traced and tally.state == "none"
    count = max(site.calls, 1) if every else tally.count
    fields = {name: getattr(reason, name) for name in Reason.__dataclass_fields__}
    return Problem(**fields, count=count, first_step=1 if every else tally.first, steps=max(site.calls, 1))


def _noted(site: Site, problem: Problem) -> str:
    """A note with a place for the names of all leaves that it is true of."""
    at = telling.spot(problem.where) if problem.where else spot(site)
    word = {"none": "None", "nonfinite": "NaN or inf"}.get(problem.symptom, problem.symptom)
    rest = f"{problem.when}: {problem.cause}, {at}".replace("{", "{{").replace("}", "}}")
    return f"{word} for {{}} {rest}"


def is_harmless(site: Site, tally: Tally, reason: Reason, failed: bool) -> bool:
    """Whether a finding is part of many a sound program."""
    if tally.state == "none":
        part_of_it = (
            (reason.cause == "not-trainable" and not _is_all_none(site))
            or _is_unused_branch(site, reason)
            or _is_passing(site, tally, reason)
        )
        return part_of_it and not (failed and _ended_here(site, tally))
    if tally.state == "zero":
        stays = _stays_zero(site, tally) or (reason.cause == "cancels" and _all_cancels(site))
        return not stays or _cancels_by_design(site, reason) or _has_arrived(tally, reason)
    if tally.state == "nonfinite":
        return bool(site.loss_scaled) and not _never_finite(site, tally) and not _is_broken(site, tally)
    return False


def _ended_here(site: Site, tally: Tally) -> bool:
    """Whether the program did not get to ask again: it could do nothing with this None."""
    return site.calls == 0 if site.is_traced else tally.count == 1 and tally.last == site.calls


def _is_all_none(site: Site) -> bool:
    """Whether nothing that was asked about had a gradient at any step: there was no use in asking."""
    steps = 1 if site.is_traced else site.calls
    none = {t.index for t in site.tallies.values() if t.state == "none" and t.count >= steps}
    return len(none) >= site.leaves


def _is_passing(site: Site, tally: Tally, reason: Reason) -> bool:
    """Weights that some steps do not use, such as those of a branch taken now and then."""
    return reason.cause == "unconnected" and not site.is_traced and tally.count < site.calls


def _is_unused_branch(site: Site, reason: Reason) -> bool:
    """A few weights of a model that this loss does not use, such as a pooler's; not those that its input goes into."""
    if reason.cause != "unconnected" or "/" not in reason.path:
        return False
    unused = [
        tally.index
        for tally in site.tallies.values()
        if tally.state == "none"
        and tally.is_variable
        and tally.reason is not None
        and tally.reason.cause == "unconnected"
    ]
    return len(unused) <= (_FEW if 0 in unused else _PART) * site.leaves


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
    """Zero after steps with a slope: at the minimum, past a limit that is meant (hinge, PPO), or at a loss of 0."""
    return tally.first > 1 and (reason.cause in ("constant-here", "masked") or tally.at_nothing >= tally.count)


def _is_broken(site: Site, tally: Tally) -> bool:
    """Whether the target itself was not finite at any step: no smaller scale helps that."""
    return tally.at_broken >= site.calls >= _STREAK


def _never_finite(site: Site, tally: Tally) -> bool:
    return tally.count >= site.calls > _SCALING
