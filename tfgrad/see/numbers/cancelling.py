"""Gradients that are not zero and cancel: which terms meet, and what takes a shift away.

A bias before a normalisation, the last bias of a critic, the bias of a key: each is part of many a sound model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfgrad.see.numbers.blocked import Blocked, Verdict, spread
from tfgrad.see.numbers.opkinds import NORMALISING, PRODUCTS, STRUCTURAL
from tfgrad.see.numbers.turns import Turn, Turns
from tfgrad.see.numbers.zero_causes import CERTAIN, CERTAIN_ADVICE

_MOST_HOPS = 12
_SHIFTING = frozenset({"BiasAdd", "AddV2", "Add", "Sub"})
_NORMALISED = (
    "nothing to mend: the normalisation that follows takes every shift away, so that a bias before it has nothing to "
    "learn;\nit can be left out, use_bias=False"
)
_COMPARED = (
    "nothing to mend: a softmax does not change when all its inputs move alike, so that this shift has nothing to "
    "learn\n(such as the bias of a key in attention); it can be left out, use_bias=False"
)


def of_terms(turns: Turns, found: Blocked) -> Verdict:
    """The verdict on terms that meet and cancel."""
    meeting = found.turn
    if _is_logistic(turns, meeting):
        return Verdict("saturated", meeting, CERTAIN, CERTAIN_ADVICE)
    alone = _mean_of_one(found)
    if alone is not None:
        seen = "The mean of a single value is that value: what is left of it is 0 whatever it is."
        return Verdict("cancels", meeting, seen, "normalise over more than one value: a larger batch, more features")
    terms = []
    for turn, k in found.uses:
        array = turn.downstream_array(k)
        if array is not None and array.size and np.abs(array).max() > 0:
            shown = _telling(turns, turn)
            at = turns.place(shown)
            terms.append(f"{spread(array)} through {shown.op}{f' (line {at.line})' if at else ''}")
    return Verdict("cancels", meeting, f"The gradients that meet are not zero, their sum is: {'; '.join(terms[:4])}.")


def advice(turns: Turns, verdict: Verdict) -> str | None:
    """What to type where a sum over a broadcast cancels; None for the cause's own words."""
    if verdict.turn.op not in _SHIFTING:
        return None
    taken = _taken_away_by(turns, verdict.turn)
    return {"norm": _NORMALISED, "softmax": _COMPARED}.get(taken)


def _taken_away_by(turns: Turns, turn: Turn) -> str:
    """What follows an addition and does not change with a shift: a "norm", a "softmax", or nothing that is known."""
    todo, seen = [(turn, 0)], {turn}
    means = False
    while todo:
        here, hops = todo.pop(0)
        for user in (user for o in here.outputs for user, _ in turns.users.get(o, ())):
            if user.op in NORMALISING or (means and user.op in ("SquaredDifference", "Sub", "Rsqrt")):
                return "norm"
            if user.op in ("Softmax", "LogSoftmax"):
                return "softmax"
            means = means or user.op == "Mean"
            moves = user.op in STRUCTURAL | PRODUCTS | {"Square"} or user.is_transparent
            if user not in seen and hops < _MOST_HOPS and moves:
                seen.add(user)
                todo.append((user, hops + 1))
    return ""


def _mean_of_one(found: Blocked) -> Turn | None:
    """The mean over a single value among the uses that cancel."""
    for turn, k in found.uses:
        given, answered = turn.downstream_array(k), turn.upstream_array()
        if turn.op == "Mean" and given is not None and answered is not None and given.size == answered.size:
            return turn
    return None


def _is_logistic(turns: Turns, meeting: Turn) -> bool:
    """Whether terms meet inside `tf.nn.sigmoid_cross_entropy_with_logits`, max(x, 0) - x * z + log1p(exp(-|x|)).

    Source: TensorFlow 2.16 to 2.21.
    """
    if meeting.op == "Sub":
        made = [turns.makers.get(i) for i in meeting.inputs]
        if [each.op for each in made if each is not None] != ["Select", "Mul"]:
            return False
        following = [user for o in meeting.outputs for user, _ in turns.users.get(o, ())]
        return any(_adds_log1p(turns, user) for user in following)
    return _adds_log1p(turns, meeting) and any(
        (below := turns.makers.get(i)) is not None and below.op == "Sub" and _is_logistic(turns, below)
        for i in meeting.inputs
    )


def _adds_log1p(turns: Turns, turn: Turn) -> bool:
    made = [turns.makers.get(i) for i in turn.inputs]
    return turn.op in ("AddV2", "Add") and any(each is not None and each.op == "Log1p" for each in made)


def _telling(turns: Turns, turn: Turn) -> Turn:
    """The op that a read or a copy was made for."""
    while turn.kind in ("variable", "alias") or turn.op in ("ReadVariableOp", "Identity"):
        users = [user for o in turn.outputs for user, _ in turns.users.get(o, ())]
        if not users:
            break
        turn = users[0]
    return turn


def meet(turns: Turns, uses: Sequence[tuple[Turn, int]]) -> Turn:
    """The first op that all the uses of a tensor lead to: there the target stops changing with it."""
    reached = [_following(turns, turn) for turn, _ in uses]
    return min(set.intersection(*reached) or {uses[0][0]}, key=lambda turn: turn.order)


def _following(turns: Turns, turn: Turn) -> set[Turn]:
    found: set[Turn] = set()
    todo = [turn]
    while todo:
        here = todo.pop()
        if here not in found:
            found.add(here)
            todo += [user for o in here.outputs for user, _ in turns.users.get(o, ())]
    return found
