"""Outcomes as ratios: the table that is printed, and the same as data."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import Outcome
from benchmarks.rows import Goal

NOISE = 1.15
REACHED, NEARLY, MISSED = "reached", "within 15 %", "missed"


@dataclass(frozen=True)
class Ratio:
    """One contestant against another, or the best of several: median and quartiles of the ratios in each round.

    For memory it is the ratio of the least peaks: torch's differ by a factor of five from one process to the next.
    """

    ours: str
    against: str
    median: float
    low: float
    high: float
    cpu: float | None
    goal: Goal | None

    @property
    def verdict(self) -> str:
        """Whether the goal is reached; "" where there is none."""
        if self.goal is None:
            return ""
        if self.median <= self.goal.ratio:
            return REACHED
        return NEARLY if self.median <= self.goal.ratio * NOISE else MISSED


def ratios(outcome: Outcome) -> list[Ratio]:
    """All that can be said of a row: each of ours against each goal's peers, and against those without a goal."""
    sound = {name: result for name, result in outcome.results.items() if result.error is None and result.rounds}
    pairs: list[tuple[str, Goal | None]] = []
    for goal in outcome.row.goals:
        there = [name for name in goal.against if name in sound]
        if there:
            typical = min if outcome.row.measures == "memory" else statistics.median
            pairs.append((min(there, key=lambda name: typical(sound[name].rounds)), goal))
    pairs += [(name, None) for name in outcome.row.also if name in sound and name not in outcome.row.peers]
    return [_ratio(outcome, ours, peer, goal) for peer, goal in pairs for ours in outcome.row.ours if ours in sound]


def _ratio(outcome: Outcome, ours: str, peer: str, goal: Goal | None) -> Ratio:
    mine, theirs = outcome.results[ours], outcome.results[peer]
    low, median, high = _quartiles(mine.rounds, theirs.rounds)
    if outcome.row.measures == "memory":
        return Ratio(ours, peer, min(mine.rounds) / min(theirs.rounds), low, high, None, goal)
    return Ratio(ours, peer, median, low, high, _quartiles(mine.cpu, theirs.cpu)[1], goal)


def _quartiles(mine: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    found = [a / b for a, b in zip(mine, theirs, strict=False) if b > 0]
    if len(found) < 2:
        only = found[0] if found else float("nan")
        return only, only, only
    low, median, high = statistics.quantiles(found, n=4, method="inclusive")
    return low, median, high


HEAD = f"{'row':<17} {'ours':<10} {'against':<20} {'ratio':>7}  {'quartiles':<15} {'cpu':>7}  {'goal':>5}"


def lines(outcome: Outcome) -> list[str]:
    """A row of the table: a line for each ratio, and for what could not be measured."""
    name = outcome.row.name
    if not outcome.results:
        why = "; ".join(dict.fromkeys(outcome.absent[ours] for ours in outcome.row.ours))
        return [f"{name:<17} {why}"]
    text = []
    for i, ratio in enumerate(ratios(outcome)):
        goal = (
            "" if ratio.goal is None else f"{ratio.goal.ratio:>5g}{'*' if ratio.goal.wanted else ' '} {ratio.verdict}"
        )
        cpu = "" if ratio.cpu is None else _number(ratio.cpu)
        who = f"{name if i == 0 else '':<17} {ratio.ours:<10} {ratio.against:<20}"
        spread = f"{_number(ratio.low)} - {_number(ratio.high)}"
        text.append(f"{who} {_number(ratio.median):>7}  {spread:<15} {cpu:>7}  {goal}".rstrip())
    amounts = [f"{ours} {_amount(outcome, ours)}" for ours in outcome.row.ours if _amount(outcome, ours)]
    text.append(f"{'':<17} {'; '.join([outcome.row.what, *amounts])}")
    for peer, why in outcome.absent.items():
        text.append(f"{'':<17} {peer}: {why}")
    text += [f"{'':<17} {peer} FAILED: {why.splitlines()[0]}" for peer, why in outcome.failed.items()]
    text += [f"{'':<17} {peer} DIFFERS: {why}" for peer, why in outcome.differ.items()]
    return text


def _number(x: float) -> str:
    return f"{x:.3f}" if x < 0.1 else f"{x:.2f}" if x < 10 else f"{x:.0f}"


def _amount(outcome: Outcome, name: str) -> str:
    result = outcome.results.get(name)
    if result is None or not result.rounds:
        return ""
    if outcome.row.measures == "memory":
        return f"{min(result.rounds):.0f} MB"
    median = statistics.median(result.rounds)
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if median >= size:
            return f"{median / size:.3g} {unit}"
    return f"{median * 1e6:.3g} us"


def best_verdicts(outcomes: Sequence[Outcome]) -> dict[str, list[tuple[str, str]]]:
    """The goals that tfgrad is accepted by, as (row, against), by what the better of ours made of them."""
    found: dict[str, list[tuple[str, str]]] = {REACHED: [], NEARLY: [], MISSED: []}
    for outcome in outcomes:
        by_goal: dict[Goal, list[Ratio]] = {}
        for ratio in ratios(outcome):
            if ratio.goal is not None and ratio.goal.wanted:
                by_goal.setdefault(ratio.goal, []).append(ratio)
        for candidates in by_goal.values():
            best = min(candidates, key=lambda ratio: ratio.median)
            found[best.verdict].append((outcome.row.name, best.against))
    return found


def summary(outcomes: Sequence[Outcome]) -> str:
    """One line for each verdict on the goals with a star."""
    rows = [
        f"{verdict}: {', '.join(f'{name} / {against}' for name, against in pairs)}"
        for verdict, pairs in best_verdicts(outcomes).items()
        if pairs
    ]
    return "\n".join(["goals with *, by the better of ours:", *rows]) if rows else ""


def to_dict(outcome: Outcome) -> dict[str, Any]:
    """A row as data: every round of every contestant, and the ratios."""
    return {
        "name": outcome.row.name,
        "what": outcome.row.what,
        "measures": outcome.row.measures,
        "contestants": {
            name: {
                "rounds": result.rounds,
                "cpu": result.cpu,
                "first_s": None if result.first_s != result.first_s else result.first_s,
                "sum": result.values.get("sum"),
                "count": result.values.get("count"),
                "error": result.error,
            }
            for name, result in outcome.results.items()
        },
        "ratios": [
            {
                "ours": ratio.ours,
                "against": ratio.against,
                "median": ratio.median,
                "quartiles": [ratio.low, ratio.high],
                "cpu": ratio.cpu,
                "goal": None if ratio.goal is None else ratio.goal.ratio,
                "wanted": ratio.goal is not None and ratio.goal.wanted,
                "verdict": ratio.verdict,
            }
            for ratio in ratios(outcome)
        ],
        "absent": outcome.absent,
        "differ": outcome.differ,
    }
