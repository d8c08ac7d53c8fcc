"""A gradient that became zero at a product or a quotient: what the other factor is, and where its zeros come from."""

from __future__ import annotations

import numpy as np

from tfgrad.see.numbers import slopes
from tfgrad.see.numbers.blocked import Verdict, carries, spread, stored
from tfgrad.see.numbers.opkinds import DECIDING, FLAT_AT, MASKING, PRODUCTS, RECTIFIERS, STRUCTURAL
from tfgrad.see.numbers.turns import Turn, Turns

_MOVING = STRUCTURAL | MASKING
_QUOTIENTS = frozenset({"RealDiv", "Div", "DivNoNan", "Xdivy"})
_FIXED = frozenset({"ZerosLike", "OnesLike", "Shape", "Size", "Rank"})
_MOST_HOPS = 12
_AT_LIMIT = 1e-6

_START = "start from another point, such as a small random value in place of 0"
_MOVES_AWAY = (
    "nothing to mend if it is 0 only at the start (a zero-initialised layer, LoRA, ReZero):\n"
    "its own gradient is not zero and moves it; else start it from a small random value"
)
_DATA = "look at the data that the weights are multiplied with: how it is made, and that it is not padding or a mask"
_WEIGHT = "give that factor another value if it is not meant to be 0 (a weight that is warmed up starts at 0)"


def of_factor(turns: Turns, turn: Turn, k: int) -> Verdict:
    """The cause of a zero at a product: what its other factor is."""
    if turn.op == "SquaredDifference":
        a, b = (turns.array(i) for i in turn.inputs)
        same = a is not None and b is not None and a.size and b.size and not (a - b).any()
        return Verdict("constant-here", turn, "Both sides are equal, where the slope of a square is 0." if same else "")
    if len(turn.inputs) != 2:
        return Verdict("constant-here", turn, "")
    if turn.op in _QUOTIENTS and (quotient := _of_quotient(turns, turn, k)) is not None:
        return quotient
    other = turn.inputs[1 - k]
    values = turns.array(other)
    if values is not None and values.any():
        return _partly(turns, turn, k, values)
    return _of_zeros(turns, turn, 1 - k)


def _of_quotient(turns: Turns, turn: Turn, k: int) -> Verdict | None:
    """The cause at a quotient; None where the numerator is 0, which is the other factor then."""
    top, bottom = (turns.array(i) for i in turn.inputs)
    if top is None or bottom is None or not bottom.size:
        return None
    if turn.op == "DivNoNan" and not bottom.any():
        return Verdict("masked", turn, "The divisor is 0, where divide_no_nan answers 0 and so does its gradient.")
    if k == 0:
        return Verdict("constant-here", turn, f"It is divided by {spread(bottom)}.", "divide by a smaller number")
    if not top.any():
        return None
    seen = f"It divides by {spread(bottom)}; the slope, -a / b**2, is too small for its dtype."
    return Verdict("saturated", turn, seen, "scale the divisor down: its square does not fit into the dtype")


def _partly(turns: Turns, turn: Turn, k: int, other: np.ndarray) -> Verdict:
    """The cause where the other factor is not zero everywhere."""
    upstream, mine = turn.upstream_array(), turns.array(turn.inputs[k])
    if turn.op == "Mul" and upstream is not None and mine is not None:
        try:
            met = np.broadcast_to(other, upstream.shape)[upstream != 0]
        except ValueError:
            met = other[:0]
        if met.size and met.all():
            seen = f"The other factor is {spread(met)}: times the gradient that comes in it is too small for the dtype."
            return Verdict("saturated", turn, seen, "keep the factors near 1, or stay in logarithms")
    return Verdict("masked", turn, "The other factor is 0 wherever a gradient comes in.")


def _of_zeros(turns: Turns, turn: Turn, place: int) -> Verdict:
    """The cause where the factor at a place is 0 everywhere."""
    known = stored(turns, turn.inputs[place])
    if known is not None:
        name, trainable = known
        if not trainable:
            called = f"'{name}', which is" if name else "a Variable that is not trained and is"
            return Verdict("masked", turn, f"The other factor is {called} 0 everywhere.", _WEIGHT)
        called = f"the Variable '{name}', which is" if name else "a Variable that is"
        moved = turn.down[place]
        moves = moved is not None and not moved.zero
        return Verdict("constant-here", turn, f"The other factor is {called} 0.", _MOVES_AWAY if moves else _START)
    second = slopes.of_second(turns, turn.inputs[place])
    if second is not None:
        return second
    kind, made = origin(turns, turn.inputs[place])
    if kind == "mask":
        return Verdict("masked", turn, "The other factor is a mask that is 0 everywhere.")
    if kind == "dead" and made is not None:
        return _of_dead(turns, turn, made)
    if kind == "far" and made is not None:
        given, out = turns.array(made.inputs[0]), turns.array(made.outputs[0])
        if given is not None and out is not None:
            seen = f"The other factor is 0, as {made.op} is {spread(out)} for its input of {spread(given)}."
            return Verdict("saturated", turn, seen)
    if kind == "data":
        advice = _WEIGHT if turn.op in ("Mul", "MulNoNan") else _DATA
        return Verdict("masked", turn, "The other factor is a constant that is 0 everywhere.", advice)
    return _of_computed(turns, turn, turn.inputs[place])


def _of_computed(turns: Turns, turn: Turn, i: int) -> Verdict:
    """The verdict where the other factor was computed, and is 0 for a reason further up."""
    made = _maker_of_zeros(turns, i)
    at = turns.place(made) if made is not None else None
    if made is None or at is None or made is turn:
        return Verdict("constant-here", turn, "The other factor is 0.", _START)
    seen = f"It is multiplied with 0: {made.op} at line {at.line} answers 0 everywhere."
    return Verdict("constant-here", turn, seen, f"look at what feeds it: at line {at.line} it becomes 0")


def _maker_of_zeros(turns: Turns, i: int) -> Turn | None:
    """The op that made zeros of numbers that are not all zero, or a factor of 0, above a tensor of zeros."""
    made = None
    for _ in range(_MOST_HOPS):
        turn = turns.makers.get(i)
        if turn is None or not turn.inputs:
            break
        made = turn if not turn.is_transparent else made
        zeros = [j for j in turn.inputs if (values := turns.array(j)) is not None and values.size and not values.any()]
        if not zeros or (turn.op in PRODUCTS and not turns.upward(zeros[:1]) & turns.learnt):
            break
        i = zeros[0]
    return made


def _of_dead(turns: Turns, turn: Turn, made: Turn) -> Verdict:
    inside = turns.array(made.inputs[0])
    if inside is not None and not inside.any():
        return Verdict("constant-here", turn, f"The other factor is 0: {made.op} of exactly 0.")
    told = f"Its input is {spread(inside)}, so its output is 0." if inside is not None and inside.size else ""
    return Verdict("saturated", made, told)


def origin(turns: Turns, i: int) -> tuple[str, Turn | None]:
    """Where the zeros of a factor come from.

    A "mask", a "dead" rectifier, an activation so "far" out that its limit cancels, "data", or "computed".
    """
    for _ in range(_MOST_HOPS):
        if not carries(turns, i):
            return "mask", None
        turn = turns.makers.get(i)
        if turn is None:
            return _leaf_kind(turns, i), None
        if turn.op in DECIDING:
            return "mask", turn
        if turn.op in RECTIFIERS:
            return "dead", turn
        if turn.op in _FIXED or not turns.upward((i,)) & turns.learnt:
            return "data", turn
        if turn.op == "ReadVariableOp" or turn.kind == "variable":
            return "computed", turn
        far = _far(turns, turn)
        if far is not None:
            return "far", far
        if turn.op not in _MOVING or not turn.inputs:
            return "computed", turn
        i = next((j for j in turn.inputs if carries(turns, j)), turn.inputs[0])
    return "computed", None


def _far(turns: Turns, turn: Turn) -> Turn | None:
    """The activation that is at its limit everywhere and whose limit a number was added to or taken from."""
    if turn.op in FLAT_AT:
        return turn if at_limit(turns, turn) else None
    if turn.op in ("AddV2", "Add", "Sub", "Mul", "RealDiv"):
        made = [turns.makers.get(i) for i in turn.inputs]
        far = [each for each in made if each is not None and each.op in FLAT_AT and at_limit(turns, each)]
        if turn.op in ("Mul", "RealDiv"):
            far = [each for each in far if not np.any(turns.array(each.outputs[0]))]
        return far[0] if far else None
    return None


def at_limit(turns: Turns, turn: Turn) -> bool:
    """Whether all that an activation answers is at its limit."""
    out = turns.array(turn.outputs[0])
    return (
        out is not None
        and bool(out.size)
        and bool(np.abs(out[..., None] - FLAT_AT[turn.op]).min(axis=-1).max() <= _AT_LIMIT)
    )


def _leaf_kind(turns: Turns, i: int) -> str:
    leaf = turns.record.leaves.get(i)
    return "computed" if leaf is not None and leaf.kind == "variable" else "data"
