"""Why a gradient is NaN or infinite: the op where numbers stopped being finite, forward or backward.

Where the target itself is not finite, the first op that made it so is named. Where it is finite, the op is named that
got a finite gradient and handed back another, and whether a `tf.where` or the like had hidden it from the value.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tfgrad.see import again, nonfinite_words
from tfgrad.see.cuts import FLOATING, STATEFUL_SOURCES
from tfgrad.see.explanation import Reason
from tfgrad.see.nonfinite_causes import Blame, judge_back, judge_forward
from tfgrad.see.opkinds import MASKING, RECTIFIERS, SMOOTH, STRUCTURAL
from tfgrad.see.question import LeafQuestion
from tfgrad.see.turns import Turn, Turns


def reason(leaf: LeafQuestion) -> Reason:
    """The cause of a gradient that is not finite."""
    if leaf.record.blind:
        return leaf.reason("unknown", "unknown", detail=leaf.record.blind)
    turns = again.of_leaf(leaf)
    if turns is None:
        detail = "The gradient is not finite; the steps that led to it were not kept."
        return leaf.reason("unknown", "unknown", detail=detail)
    blame = found(turns, leaf.ids, leaf.question.target_ids)
    while blame is not None and blame.turn is not None and blame.turn.kind == "function":
        opened = turns.opened(blame.turn)
        if opened is None:
            break
        turns = opened
        blame = found(turns, leaf.ids, leaf.question.target_ids)
    return nonfinite_words.told(leaf, turns, blame)


def found(turns: Turns, source: Iterable[int], target: Iterable[int]) -> Blame | None:
    """Who is to blame; None if it can't be told."""
    broken = [i for i in target if _is_broken(turns, i)]
    if broken:
        return forward(turns, broken)
    culprits = backward(turns, source)
    blames = [_judged(turns, turn, k) for turn, k in culprits]
    known = [blame for blame in blames if blame is not None]
    return min(known, key=lambda blame: blame.order, default=None)


def _judged(turns: Turns, turn: Turn, k: int) -> Blame | None:
    blame = judge_back(turns, turn, k)
    if blame.cause:
        return blame
    broken = [i for i in (*turn.outputs, *turn.inputs) if _is_broken(turns, i)]
    return forward(turns, broken) if broken else blame


def _is_broken(turns: Turns, i: int) -> bool:
    values = turns.array(i)
    return values is not None and not bool(np.isfinite(values).all())


def forward(turns: Turns, broken: Iterable[int]) -> Blame | None:
    """The first op that made something of finite numbers that is not, on the way to tensors that are not finite."""
    todo, seen = list(broken), set()
    blames: list[Blame] = []
    while todo:
        i = todo.pop()
        if i in seen:
            continue
        seen.add(i)
        turn = turns.makers.get(i)
        if turn is None or _only_brings(turns, turn):
            blames.append(Blame("nan-input", _first_user(turns, i, seen), 0, i))
            continue
        before = [j for j in _chosen(turns, turn, i) if _is_broken(turns, j)] or _unknown(turns, turn, i)
        todo += before
        if not before:
            blames.append(judge_forward(turns, turn, i))
    sure = [blame for blame in blames if blame.cause != "nan-input" or not _is_meant(turns, blame)]
    return min(sure or [_where_nan(turns, seen)], key=lambda blame: blame.order) if sure or seen else None


def _unknown(turns: Turns, turn: Turn, i: int) -> list[int]:
    """The inputs without a known value that must have brought a NaN: the op makes none of finite numbers."""
    if turn.op not in STRUCTURAL | MASKING and not (turn.op in SMOOTH | RECTIFIERS and _has_nan(turns, i)):
        return []
    return [j for j in turn.inputs if _is_float(turns, j) and turns.array(j) is None]


def _only_brings(turns: Turns, turn: Turn) -> bool:
    """Whether an op computes nothing: it reads a Variable, a dataset, a table."""
    if turn.op == "ReadVariableOp" or turn.kind == "variable" or turn.op in STATEFUL_SOURCES:
        return True
    return turn.op != "Cast" and turn.kind == "op" and not any(_is_float(turns, i) for i in turn.inputs)


def _is_float(turns: Turns, i: int) -> bool:
    spec = turns.spec(i)
    return spec is None or spec[0] in FLOATING


def _first_user(turns: Turns, i: int, seen: set[int]) -> Turn | None:
    users = [turn for turn, _ in turns.users.get(i, ()) if not seen.isdisjoint(turn.outputs)]
    return min(users, key=lambda turn: turn.order, default=turns.makers.get(i))


def _chosen(turns: Turns, turn: Turn, i: int) -> tuple[int, ...]:
    """The inputs that an output's numbers come from; of a select only the branches that were taken."""
    if turn.op not in ("SelectV2", "Select"):
        return turn.inputs
    condition, out = turns.raw(turn.inputs[0]), turns.array(i)
    if condition is None or out is None:
        return turn.inputs
    taken = np.broadcast_to(np.asarray(condition), out.shape) if turn.op == "SelectV2" else np.asarray(condition)
    if taken.shape != out.shape:
        return turn.inputs
    bad = ~np.isfinite(out)
    return tuple(j for j, there in zip(turn.inputs[1:], (taken[bad], ~taken[bad]), strict=True) if there.any())


def _is_meant(turns: Turns, blame: Blame) -> bool:
    """Whether an infinite constant was written into the program, such as the -inf of a mask."""
    leaf = turns.record.leaves.get(blame.input)
    values = turns.array(blame.input)
    return leaf is not None and leaf.kind == "scalar" and values is not None and not bool(np.isnan(values).any())


def _where_nan(turns: Turns, seen: set[int]) -> Blame:
    """The first op that made NaN of numbers without one."""
    born = [
        judge_forward(turns, turn, i)
        for i in seen
        if (turn := turns.makers.get(i)) is not None
        and _has_nan(turns, i)
        and not any(_has_nan(turns, j) for j in turn.inputs)
    ]
    return min(born, key=lambda blame: blame.order, default=Blame("", None, 0, -1))


def _has_nan(turns: Turns, i: int) -> bool:
    values = turns.array(i)
    return values is not None and bool(np.isnan(values).any())


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
