"""Why a gradient is NaN or infinite: the op where numbers stopped being finite, forward or backward.

Where the target itself is not finite, the first op that made it so is named. Where it is finite, the op is named that
got a finite gradient and handed back another, and whether a `tf.where` or the like had hidden it from the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from tfgrad.see.explanation import Reason
from tfgrad.see.numbers import again, forward, nonfinite_words
from tfgrad.see.numbers.nonfinite_causes import Blame, judge_back
from tfgrad.see.numbers.turns import Turn, Turns
from tfgrad.see.question import LeafQuestion, Question
from tfgrad.see.recording.measuring import array_of


def reason(leaf: LeafQuestion) -> Reason:
    """The cause of a gradient that is not finite."""
    if leaf.record.blind:
        return leaf.reason("unknown", "unknown", detail=leaf.record.blind)
    turns = again.of_leaf(leaf)
    if turns is None:
        detail = "The gradient is not finite; the steps that led to it were not kept."
        return leaf.reason("unknown", "unknown", detail=detail)
    turns, blame = _looked_into(turns, leaf)
    return nonfinite_words.told(leaf, turns, blame)


def _looked_into(turns: Turns, leaf: LeafQuestion) -> tuple[Turns, Blame | None]:
    """Who is to blame, with the calls of traced functions opened that he is in."""
    blame = found(turns, leaf.ids, leaf.question.target_ids)
    while blame is not None and blame.turn is not None and blame.turn.kind == "function":
        opened = turns.opened(blame.turn)
        if opened is None:
            break
        turns = opened
        blame = found(turns, leaf.ids, leaf.question.target_ids)
    return turns, blame


def of_target(question: Question) -> Reason | None:
    """Why a target is not finite though the gradients are, as that of the log of a number below 0; None if it is."""
    answers = [answer.state for answer in question.answers if answer is not None]
    targets = [asked.object for asked in question.target]
    if not answers or "nonfinite" in answers or not any(_holds_nan(target) for target in targets):
        return None
    leaf = question.leaves[0]
    turns = again.of_leaf(leaf)
    if turns is None:
        return leaf.reason("nonfinite", "unknown", detail=_NOT_FINITE)
    turns, blame = _looked_into(turns, leaf)
    found = nonfinite_words.told(leaf, turns, blame)
    return replace(found, detail=_NOT_FINITE if found.cause == "unknown" else f"{found.detail} {_NOT_FINITE}")


_NOT_FINITE = "(The gradients themselves are finite.)"


def _holds_nan(target: object) -> bool:
    numbers = array_of(target)
    return numbers is not None and not bool(np.isfinite(np.asarray(numbers, dtype=np.complex128)).all())


def found(turns: Turns, source: Sequence[int], target: Iterable[int]) -> Blame | None:
    """Who is to blame; None if it can't be told."""
    broken = [i for i in target if forward.is_broken(turns, i)]
    first = forward.found(turns, broken) if broken else None
    if first is not None and is_on_way(turns, first, source):
        return first
    culprits = backward(turns, source)
    blames = [_judged(turns, turn, k) for turn, k in culprits]
    known = [blame for blame in blames if blame is not None]
    if first is not None:
        # What broke the target lies elsewhere; this leaf may have a fault of its own.
        known = [blame for blame in known if blame.back and blame.cause and _was_sound(turns, blame)] or [first]
    return min(known, key=lambda blame: blame.order, default=None)


def _was_sound(turns: Turns, blame: Blame) -> bool:
    """Whether an op was given finite numbers."""
    return blame.turn is not None and not any(forward.is_broken(turns, i) for i in blame.turn.inputs)


def is_on_way(turns: Turns, blame: Blame, source: Iterable[int]) -> bool:
    """Whether a leaf's value goes into the op that is to blame."""
    return blame.turn is not None and not turns.downward(source).isdisjoint(blame.turn.inputs)


def _judged(turns: Turns, turn: Turn, k: int) -> Blame | None:
    blame = judge_back(turns, turn, k)
    if blame.cause:
        return blame
    broken = [i for i in (*turn.outputs, *turn.inputs) if forward.is_broken(turns, i)]
    return forward.found(turns, broken) if broken else blame


def backward(turns: Turns, source: Iterable[int]) -> list[tuple[Turn, int]]:
    """The ops, with the input, that got finite gradients and handed back one that is not, on the way to the source."""
    todo, seen = list(source), set(source)
    culprits: list[tuple[Turn, int]] = []
    while todo:
        i = todo.pop()
        for turn, k in turns.users.get(i, ()):
            down = turn.down[k] if k < len(turn.down) else None
            if (down is None and not turn.is_transparent) or (down is not None and down.finite):
                continue
            if turn.finite_up and not turn.is_transparent:
                culprits.append((turn, k))
                continue
            for output in turn.outputs:
                if output not in seen:
                    seen.add(output)
                    todo.append(output)
    return culprits
