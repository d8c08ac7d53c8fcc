"""Which cause a zero gradient has, from the op that hands it back: its type, its values, what its other factor is.

Ops are sorted into what they do to a gradient; an op that is not listed has a slope of zero at this very point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfgrad.see import rerun
from tfgrad.see.cuts import CARRYING, NUMPY_CALLS, STOPS
from tfgrad.see.opkinds import (
    DECIDING,
    LIMITS,
    MASKING,
    NORMALISING,
    PIECEWISE,
    PRODUCTS,
    RECTIFIERS,
    SATURATING,
    STRUCTURAL,
)
from tfgrad.see.record import Measure
from tfgrad.see.turns import Turn, Turns

_MOVING = STRUCTURAL | MASKING | {"ZerosLike", "OnesLike"}
_MOST_HOPS = 12
_AT_LIMIT = 1e-6


@dataclass(frozen=True, eq=False)
class Blocked:
    """Where a gradient became zero: at an op's input ("op"), or in the "sum" of what several uses of a tensor
    got; where nothing was picked ("empty"), or at a "branch" that was not taken."""

    kind: str
    turn: Turn
    k: int
    input: int
    uses: tuple[tuple[Turn, int], ...]

    @property
    def closed(self) -> Turn | None:
        """The function call that has to be opened to tell more, if it is one."""
        return self.turn if self.turn.kind == "function" else None


@dataclass(frozen=True, eq=False)
class Verdict:
    """A cause, the op to look at, and what was seen there."""

    cause: str
    turn: Turn
    seen: str


def cause(turns: Turns, blocked: Blocked) -> Verdict:
    """The cause of a zero."""
    turn = blocked.turn
    if blocked.kind == "branch":
        return Verdict("masked", turn, "The branch that was taken does not use it.")
    if blocked.kind == "empty":
        return Verdict("masked", turn, "It picks none of the elements: what comes out is empty.")
    if turn.down[blocked.k] is None:
        return _cut(turns, blocked)
    if turn.kind == "custom" and turns.during:
        inner = [(each, k) for each in turns.during for k, down in enumerate(each.down) if _kills(each, down)]
        if inner:
            each, k = min(inner, key=lambda pair: pair[0].order)
            return cause(turns, Blocked("op", each, k, each.inputs[k], ()))
    if turn.kind == "custom" or _is_ruled(turn):
        return Verdict("custom-gradient", turn, "The rule that was written by hand answered zeros.")
    if turn.op in PIECEWISE:
        return Verdict("piecewise-constant", turn, "Its slope is 0 on both sides of every step.")
    if turn.op in SATURATING:
        return _saturated(turns, turn, blocked.k)
    if turn.op in MASKING:
        return _beyond_its_limit(turns, turn, blocked) or Verdict("masked", turn, _picked(turns, turn, blocked.k))
    if turn.op in NORMALISING or sums(turns, turn, blocked.k, blocked.input):
        return Verdict("cancels", turn, _summed(turns, turn, blocked.k))
    if turn.op in PRODUCTS:
        return _factor(turns, turn, blocked.k)
    return Verdict("constant-here", turn, _flat(turns, turn, blocked.k))


def _kills(turn: Turn, down: Measure | None) -> bool:
    return down is not None and down.zero and bool(turn.largest_up) and turn.op not in STRUCTURAL


def _is_ruled(turn: Turn) -> bool:
    node = getattr(turn.graph_op, "node_def", None)
    return node is not None and turn.op == "IdentityN" and "_gradient_op_type" in node.attr


def _cut(turns: Turns, blocked: Blocked) -> Verdict:
    """The cause where no gradient comes back at all: control flow in a graph turns that into zeros."""
    turn = blocked.turn
    if turn.op in STOPS:
        return Verdict("stop-gradient", turn, "")
    if turn.op in NUMPY_CALLS:
        return Verdict("left-tensorflow", turn, "What runs in there is Python or NumPy, which the tape can't see.")
    if _is_ruled(turn) or turn.kind == "custom":
        return Verdict("custom-gradient", turn, "The rule that was written by hand answered None.")
    if turn.op == "Cast":
        return Verdict("integer-dtype", turn, "The cast drops the fraction, and with it the slope.")
    return Verdict("nondifferentiable-op", turn, f"TensorFlow gives no gradient from {turn.op} to this input.")


def _saturated(turns: Turns, turn: Turn, k: int) -> Verdict:
    values = turns.array(turn.inputs[k]) if k < len(turn.inputs) else None
    if turn.op in ("Softmax", "LogSoftmax"):
        return _softmax(turn, values)
    if values is None or not values.size:
        return Verdict("saturated", turn, "")
    if turn.op in RECTIFIERS and not values.any():
        return Verdict(
            "constant-here", turn, f"Its input is exactly 0, where TensorFlow takes the slope of {turn.op} as 0."
        )
    return Verdict("saturated", turn, f"Its input is {spread(values)}.")


def _softmax(turn: Turn, values: np.ndarray | None) -> Verdict:
    if values is not None and values.ndim and values.shape[-1] == 1:
        return Verdict("saturated", turn, "A softmax over one unit is 1 whatever goes in.")
    upstream = turn.upstream_array()
    if upstream is not None and upstream.ndim and upstream.shape[-1] > 1:
        even = np.ptp(upstream, axis=-1) <= 1e-6 * np.abs(upstream).max(initial=0.0)
        if turn.op == "Softmax" and bool(even.all()):
            seen = "The same gradient comes in for every class, and the probabilities always sum to 1."
            return Verdict("cancels", turn, seen)
    return Verdict("saturated", turn, f"Its input is {spread(values)}." if values is not None else "")


def spread(values: np.ndarray) -> str:
    """The range of some numbers in words."""
    if values.dtype.kind == "c":
        values = np.abs(values)
    low, high = float(values.min()), float(values.max())
    return f"{low:.6g}" if low == high else f"between {low:.6g} and {high:.6g}"


def _beyond_its_limit(turns: Turns, turn: Turn, blocked: Blocked) -> Verdict | None:
    """A clip of probabilities that are exactly 0 or 1: what made them so is to blame, not the clip."""
    i = blocked.input
    for _ in range(_MOST_HOPS if turn.op in ("Maximum", "Minimum", "ClipByValue") else 0):
        made = turns.makers.get(i)
        if made is None or not made.inputs:
            return None
        if made.op in LIMITS:
            out, given = turns.array(made.outputs[0]), turns.array(made.inputs[0])
            if out is None or not out.size or np.abs(out[..., None] - LIMITS[made.op]).min(axis=-1).max() > _AT_LIMIT:
                return None
            seen = f"Its input is {spread(given)}, its output" if given is not None and given.size else "Its output"
            return Verdict("saturated", made, f"{seen} is at its limit everywhere, and is clipped afterwards.")
        if made.op not in STRUCTURAL | {"RealDiv"}:
            return None
        i = made.inputs[0]
    return None


def _picked(turns: Turns, turn: Turn, k: int) -> str:
    if turn.op in ("SelectV2", "Select") and k in (1, 2):
        taken = "second" if k == 1 else "first"
        return f"The {taken} branch was taken for every element that counts."
    if turn.op in ("Maximum", "Minimum"):
        mine, other = turns.array(turn.inputs[k]), turns.array(turn.inputs[1 - k])
        if mine is not None and other is not None and mine.size and other.size:
            return f"The other side won everywhere: this one is {spread(mine)}, the other {spread(other)}."
    return "What it picked holds nothing of this."


def _flat(turns: Turns, turn: Turn, k: int) -> str:
    values = turns.array(turn.inputs[k]) if k < len(turn.inputs) else None
    return f"Its input is {spread(values)}, where its slope is 0." if values is not None and values.size else ""


def sums(turns: Turns, turn: Turn, k: int, i: int) -> bool:
    """Whether an op's gradient is a sum, over a broadcast or a batch, of parts that are not all zero."""
    down = turn.downstream_array(k)
    upstream = turn.upstream_array()
    if down is None or upstream is None or not upstream.any():
        return False
    if turn.op in ("BiasAdd", "AddV2", "Add", "Sub", "BroadcastTo"):
        return down.size < upstream.size
    return turn.op in PRODUCTS and _parts_remain(turns, turn, k)


def _parts_remain(turns: Turns, turn: Turn, k: int) -> bool:
    """Whether a product's gradient would not be zero if no part of the sum had a minus."""
    values = [turns.raw(i) for i in turn.inputs]
    if any(value is None for value in values) or turn.op in ("RealDiv", "SquaredDifference", "Xlogy", "Xlog1py"):
        return False

    def work() -> bool:
        import tensorflow as tf

        inputs = [tf.abs(value) if rerun.carries(value) else value for value in values]
        ran = rerun.run(turn.op, turn.attributes, inputs)
        upstream = [tf.abs(rerun.dense(up)) if up is not None else None for up in turn.upstream]
        back = ran.back(upstream)[k]
        return back is not None and bool(tf.reduce_any(back != 0))

    try:
        return rerun.elsewhere(work)
    # An op that can't be run alone is judged without this.
    except Exception:  # noqa: BLE001
        return False


def _summed(turns: Turns, turn: Turn, k: int) -> str:
    if turn.op in NORMALISING:
        return "A batch minus its own mean does not change when all of it moves."
    upstream = turn.upstream_array()
    if upstream is None:
        return ""
    parts = upstream.reshape(-1)
    shown = ", ".join(f"{float(np.real(part)):.3g}" for part in parts[:4])
    more = ", ..." if parts.size > 4 else ""
    return f"The gradients that come in are not zero ({shown}{more}); summed up they are."


def _factor(turns: Turns, turn: Turn, k: int) -> Verdict:
    """The cause of a zero at a product: what its other factor is."""
    if len(turn.inputs) != 2 or turn.op in ("SquaredDifference",):
        return Verdict("constant-here", turn, _flat(turns, turn, k))
    other = turn.inputs[1 - k]
    values = turns.array(other)
    if values is not None and values.any() and turn.op not in ("RealDiv", "DivNoNan", "Xdivy"):
        return Verdict("masked", turn, "The other factor is 0 wherever a gradient comes in.")
    kind, made = origin(turns, other)
    if kind == "mask":
        return Verdict("masked", turn, "The other factor is a mask that is 0 everywhere.")
    if kind == "dead" and made is not None:
        inside = turns.array(made.inputs[0])
        if inside is not None and not inside.any():
            return Verdict("constant-here", turn, f"The other factor is 0: {made.op} of exactly 0.")
        told = f"Its input is {spread(inside)}, so its output is 0." if inside is not None and inside.size else ""
        return Verdict("saturated", made, told)
    if kind == "data":
        return Verdict("masked", turn, "The other factor is a constant that is 0 everywhere.")
    return Verdict("constant-here", turn, "The other factor is 0.")


def origin(turns: Turns, i: int) -> tuple[str, Turn | None]:
    """Where the zeros of a factor come from: a "mask", a "dead" activation, "data", or "computed"."""
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
        if turn.op == "ReadVariableOp" or turn.kind == "variable":
            return "computed", turn
        if turn.op not in _MOVING or not turn.inputs:
            return "computed", turn
        i = next((j for j in turn.inputs if carries(turns, j)), turn.inputs[0])
    return "computed", None


def _leaf_kind(turns: Turns, i: int) -> str:
    leaf = turns.record.leaves.get(i)
    return "computed" if leaf is not None and leaf.kind == "variable" else "data"


def carries(turns: Turns, i: int) -> bool:
    """Whether a tensor's dtype carries gradients; True for one that was never seen."""
    spec = turns.spec(i)
    return spec is None or spec[0] in CARRYING


def total(uses: Sequence[tuple[Turn, int]]) -> float | None:
    """The largest |number| of a sum of gradients, None if they were not kept."""
    arrays: list[Any] = [turn.downstream_array(k) for turn, k in uses if turn.down[k] is not None]
    if not arrays or any(array is None or array.shape != arrays[0].shape for array in arrays):
        return None
    summed = np.sum(arrays, axis=0)
    return float(np.abs(summed).max()) if summed.size else None
