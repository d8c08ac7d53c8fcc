"""A gradient that became zero where something else was picked: by a limit, a condition, an index, a maximum."""

from __future__ import annotations

import numpy as np

from tfgrad.see.numbers.blocked import Blocked, Verdict, apart, dtype_of, spread
from tfgrad.see.numbers.opkinds import LIMITS, STRUCTURAL
from tfgrad.see.numbers.turns import Turn, Turns
from tfgrad.see.numbers.zero_factors import at_limit

_MOST_HOPS = 12
_OPPOSITE = {"Maximum": "Minimum", "Minimum": "Maximum"}
_COUNTS = 1e-7  # of the largest gradient that comes in: less does not count


def of_pick(turns: Turns, turn: Turn, blocked: Blocked) -> Verdict:
    """The cause at an op that picks: what it picked, or what put everything beyond its limit."""
    beyond = _beyond_its_limit(turns, turn, blocked)
    if beyond is not None:
        return beyond
    k = blocked.k
    if turn.op in ("SelectV2", "Select") and k in (1, 2):
        taken = "second" if k == 1 else "first"
        seen = f"The {taken} branch was taken for every element that counts."
        return Verdict("masked", turn, seen, _DROPPED if _is_drawn(turns, turn.inputs[0]) else None)
    if turn.op in _OPPOSITE:
        return _at_limit(turns, turn, k)
    if turn.op == "ClipByValue":
        low, high = (turns.array(i) for i in turn.inputs[1:3])
        return Verdict("masked", turn, _beyond(turns.array(turn.inputs[0]), low, high))
    return Verdict("masked", turn, "What it picked holds nothing of this.")


_DROPPED = "the mask is drawn at random and kept nothing: a lower rate, tf.nn.dropout(x, 0.5)"


def _is_drawn(turns: Turns, i: int) -> bool:
    """Whether a condition compares random numbers, as that of a dropout does."""
    for _ in range(_MOST_HOPS):
        turn = turns.makers.get(i)
        if turn is None or not turn.inputs:
            break
        if "Random" in turn.op:
            return True
        i = turn.inputs[0]
    return False


def _beyond_its_limit(turns: Turns, turn: Turn, blocked: Blocked) -> Verdict | None:
    """A clip of probabilities that are exactly 0 or 1: what made them so is to blame, not the clip."""
    i = blocked.input
    for _ in range(_MOST_HOPS if turn.op in ("Maximum", "Minimum", "ClipByValue") else 0):
        made = turns.makers.get(i)
        if made is None or not made.inputs:
            return None
        if made.op in LIMITS:
            if not at_limit(turns, made):
                return None
            given = turns.array(made.inputs[0])
            seen = f"Its input is {spread(given)}, its output" if given is not None and given.size else "Its output"
            return Verdict("saturated", made, f"{seen} is at its limit everywhere, and is clipped afterwards.")
        if made.op not in STRUCTURAL | {"RealDiv"}:
            return None
        i = made.inputs[0]
    return None


def _at_limit(turns: Turns, turn: Turn, k: int) -> Verdict:
    """The words for a maximum or minimum: which side won, or of how much a pair of limits let nothing through."""
    mine, other = turns.array(turn.inputs[k]), turns.array(turn.inputs[1 - k])
    if mine is None or other is None or not mine.size or not other.size:
        return Verdict("masked", turn, "The other side won wherever a gradient comes in.")
    sibling = _sibling(turns, turn)
    if sibling is not None and other.size == 1:
        limits = (other, sibling) if turn.op == "Maximum" else (sibling, other)
        return Verdict("masked", turn, _beyond(mine, *limits))
    lost, won = _met(turn, k, mine, other)
    if lost.size and not (lost - won).any():
        seen = f"Both sides are {spread(lost)}; at a tie TensorFlow gives the whole slope to the first argument."
        return Verdict("masked", turn, seen, _TIE.get(turn.op))
    mine_told, other_told = apart(lost if lost.size else mine, won if won.size else other)
    seen = f"The other side won wherever a gradient comes in: this one is {mine_told}, the other {other_told}."
    return Verdict("masked", turn, f"{seen} {_dtype_note(turns, turn, lost, won)}".rstrip())


def _dtype_note(turns: Turns, turn: Turn, lost: np.ndarray, won: np.ndarray) -> str:
    """A word on limits that lie so close that only the dtype's last digit tells them apart."""
    if lost.size and won.size and np.abs(lost - won).max() < 1e-6 * max(float(np.abs(won).max()), 1e-30):
        return f"(Numbers of dtype {dtype_of(lost, turns, turn.inputs[0])}.)"
    return ""


_TIE = {
    "Maximum": "start off the tie, or write the other order: tf.maximum(x, 0.0) has slope 1 at 0, tf.maximum(0.0, x) 0",
    "Minimum": "start off the tie, or write the other order: tf.minimum(x, c) has slope 1 at c, tf.minimum(c, x) 0",
}


def _met(turn: Turn, k: int, mine: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sides at the elements where a gradient that counts comes in."""
    upstream = turn.upstream_array()
    try:
        mine, other = np.broadcast_arrays(mine, other)
        if upstream is None or upstream.shape != mine.shape:
            return mine, other
    except ValueError:
        return mine[:0], other[:0]
    counts = np.abs(upstream) > _COUNTS * np.abs(upstream).max(initial=0.0)
    return mine[counts], other[counts]


def _sibling(turns: Turns, turn: Turn) -> np.ndarray | None:
    """The other limit of a clip: that of the opposite op just before or after this one."""
    near = [turns.makers.get(i) for i in turn.inputs]
    near += [user for o in turn.outputs for user, _ in turns.users.get(o, ())]
    for each in near:
        if each is None or each.op != _OPPOSITE[turn.op]:
            continue
        limits = [turns.array(i) for i in each.inputs if i not in turn.outputs]
        single = [limit for limit in limits if limit is not None and limit.size == 1]
        if single:
            return single[-1]
    return None


def _beyond(values: np.ndarray | None, low: np.ndarray | None, high: np.ndarray | None) -> str:
    """Of how many elements lie beyond the limits of a clip."""
    if values is None or low is None or high is None or not values.size:
        return "All that counts lies beyond its limits."
    below, above = values[values < low], values[values > high]
    parts = []
    for beyond, limit, word in ((above, high, "above"), (below, low, "below")):
        if beyond.size:
            told, limit_told = apart(beyond, limit)
            parts.append(f"{beyond.size} {'is' if beyond.size == 1 else 'are'} {word} {limit_told} ({told})")
    if not parts:
        return "All that counts lies beyond its limits."
    return f"Of {values.size} element{'s' if values.size > 1 else ''} {' and '.join(parts)}."
