"""Which cause a zero gradient has, from the op that hands it back: its type, its values, what its other factor is.

Ops are sorted into what they do to a gradient; an op that is not listed has a slope of zero at this very point.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfgrad.see.numbers import rerun, slopes, zero_factors, zero_picks
from tfgrad.see.numbers.blocked import Blocked, Verdict, dtype_of, spread
from tfgrad.see.numbers.matrices import EQUAL_ADVICE, equal_values
from tfgrad.see.numbers.opkinds import (
    MASKING,
    NORMALISING,
    PRODUCTS,
    RECTIFIERS,
    SATURATING,
    SLOPES,
    STRUCTURAL,
)
from tfgrad.see.numbers.turns import Turn, Turns
from tfgrad.see.record import Measure
from tfgrad.see.rules_by_hand import is_of_library
from tfgrad.see.ways.cuts import NUMPY_CALLS, STOPS


def cause(turns: Turns, blocked: Blocked) -> Verdict:
    """The cause of a zero."""
    turn = blocked.turn
    if blocked.kind == "branch":
        loop = "While" in turn.op
        seen = "The loop ran no round." if loop else "The branch that was taken does not use it."
        return Verdict("masked", turn, seen, _NO_ROUND if loop else _NO_BRANCH)
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
        return _of_rule(turns, turn, blocked.k)
    if turn.op in SLOPES:
        return slopes.of_slope(turn, blocked.k)
    if turn.op in SATURATING:
        return _saturated(turns, turn, blocked.k)
    if turn.op in _GATHERING and sums(turns, turn, blocked.k, blocked.input):
        return Verdict("cancels", turn, _summed(turns, turn, blocked.k))
    if turn.op in MASKING:
        return zero_picks.of_pick(turns, turn, blocked)
    if turn.op in NORMALISING or sums(turns, turn, blocked.k, blocked.input):
        return Verdict("cancels", turn, _summed(turns, turn, blocked.k))
    if turn.op in PRODUCTS:
        found = zero_factors.of_factor(turns, turn, blocked.k)
        told = found.seen or found.cause != "constant-here"
        return found if told else Verdict(found.cause, turn, _flat(turns, turn, blocked.k), found.advice)
    return _at_this_point(turns, turn, blocked.k)


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
        return Verdict("custom-gradient", turn, "It answered None.", _RULE)
    if turn.op == "Cast":
        return Verdict("integer-dtype", turn, "The cast drops the fraction, and with it the slope.")
    return Verdict("nondifferentiable-op", turn, f"TensorFlow gives no gradient from {turn.op} to this input.")


def _of_rule(turns: Turns, turn: Turn, k: int) -> Verdict:
    """The cause at a custom rule: the user's own, or one of TensorFlow's, which answers 0 where the slope is 0."""
    if turn.op in NUMPY_CALLS or not is_of_library(turns.record, turn):
        return Verdict("custom-gradient", turn, "It answered zeros.", _RULE)
    values = turns.array(turn.inputs[k])
    far = values is not None and values.size and float(np.abs(values).min()) > _FAR
    seen = f"Its input is {spread(values)}." if values is not None and values.size else ""
    return Verdict("saturated" if far else "constant-here", turn, seen)


_NO_ROUND = "let the loop run: look at its limit"
_NO_BRANCH = "look at the condition: the branch that uses it was not taken"
_SPREADING = frozenset({"BiasAdd", "AddV2", "Add", "Sub", "BroadcastTo", "Tile"})
_GATHERING = frozenset({"GatherV2", "Gather", "ResourceGather"})
_CANCELLED = 2e-6
_RULE = "let the rule answer the incoming gradient times the derivative: def grad(dy): return dy * slope"
_FAR = 10.0


def _saturated(turns: Turns, turn: Turn, k: int) -> Verdict:
    values = turns.array(turn.inputs[k]) if k < len(turn.inputs) else None
    if turn.op in ("Softmax", "LogSoftmax"):
        return _softmax(turns, turn, values)
    if values is None or not values.size:
        return Verdict("saturated", turn, "")
    if turn.op in CROSS_ENTROPIES:
        return Verdict("saturated", turn, f"The logits are {spread(values)}. {CERTAIN}", CERTAIN_ADVICE)
    if turn.op in RECTIFIERS and not values.any():
        return Verdict(
            "constant-here", turn, f"Its input is exactly 0, where TensorFlow takes the slope of {turn.op} as 0."
        )
    return Verdict("saturated", turn, f"Its input is {spread(values)}.")


CROSS_ENTROPIES = ("SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits")
CERTAIN = "Every prediction is certain and agrees with its label: this loss is at its minimum."
CERTAIN_ADVICE = (
    "nothing to mend if the labels are right: there is nothing left to learn from these examples;\n"
    "else look at the labels, and keep the logits smaller"
)


def _softmax(turns: Turns, turn: Turn, values: np.ndarray | None) -> Verdict:
    if values is not None and values.ndim and values.shape[-1] == 1:
        return Verdict("saturated", turn, "A softmax over one unit is 1 whatever goes in.", _ONE_UNIT)
    upstream = turn.upstream_array()
    if upstream is not None and upstream.ndim and upstream.shape[-1] > 1:
        even = np.ptp(upstream, axis=-1) <= 1e-6 * np.abs(upstream).max(initial=0.0)
        if turn.op == "Softmax" and bool(even.all()):
            return _even(turns, turn)
        if values is not None and values.shape == upstream.shape and _one_left(values[~even]):
            seen = "A mask leaves one element in each row that counts: its probability is 1 whatever goes in."
            return Verdict("saturated", turn, seen, _ONE_UNIT)
    return Verdict("saturated", turn, f"Its input is {spread(values)}." if values is not None else "")


def _even(turns: Turns, turn: Turn) -> Verdict:
    """The verdict where the same gradient comes in for every class: always, or only at this point."""
    seen = "The same gradient comes in for every class, and the probabilities always sum to 1."
    todo, seen_turns = [turn], {turn}
    while todo:
        for user in (user for o in todo.pop().outputs for user, _ in turns.users.get(o, ())):
            if user.op not in STRUCTURAL | {"Mul", "RealDiv"} and not user.is_transparent:
                return Verdict("cancels", turn, f"At this point: {seen[0].lower()}{seen[1:]}", _STATIONARY)
            if user not in seen_turns:
                seen_turns.add(user)
                todo.append(user)
    return Verdict("cancels", turn, seen)


def _one_left(rows: np.ndarray) -> bool:
    """Whether a mask leaves one element of each row."""
    kept = (rows > _MASKED).sum(axis=-1)
    return bool(rows.size) and bool((kept == 1).all())


_MASKED = -1e4
_STATIONARY = "nothing to mend at a minimum or maximum; else start from another point"
_ONE_UNIT = (
    "tf.sigmoid for one unit, or a softmax over the axis that holds the classes;\n"
    "in attention, one key leaves nothing to choose from"
)


def _at_this_point(turns: Turns, turn: Turn, k: int) -> Verdict:
    """The cause at an op whose slope is 0 at the values that it was given."""
    equal = equal_values(turns, turn)
    if equal:
        return Verdict("constant-here", turn, equal, EQUAL_ADVICE)
    values = turns.array(turn.inputs[k]) if k < len(turn.inputs) else None
    if turn.op == "Prod" and values is not None and values.all():
        kind = dtype_of(values, turns, turn.inputs[k])
        seen = f"Its {values.size} factors are {spread(values)}: the product of the others is too small for {kind}."
        return Verdict(
            "constant-here", turn, seen, "sum logarithms in place of multiplying: tf.reduce_sum(tf.math.log(x))"
        )
    made = turns.makers.get(turn.inputs[k]) if values is not None and values.size and not values.any() else None
    at = turns.place(made) if made is not None and made.op == "Sub" else None
    if at is not None:
        seen = f"Its input is 0 everywhere, where its slope is 0: both sides of Sub at line {at.line} are equal."
        return Verdict("constant-here", turn, seen, f"{_EQUAL_SIDES} line {at.line}")
    return Verdict("constant-here", turn, _flat(turns, turn, k))


_EQUAL_SIDES = "nothing to mend at the minimum; else look at what is subtracted at"
_LOGARITHMS = "add up logarithms in place of multiplying: tf.reduce_sum(tf.math.log(x))"


def _flat(turns: Turns, turn: Turn, k: int) -> str:
    values = turns.array(turn.inputs[k]) if k < len(turn.inputs) else None
    if values is None or not values.size:
        return ""
    down = turn.down[k]
    slope = "0" if down is not None and down.zero else "next to 0"
    return f"Its input is {spread(values)}, where its slope is {slope}."


def sums(turns: Turns, turn: Turn, k: int, i: int) -> bool:
    """Whether an op's gradient is a sum, over a broadcast or a batch, of parts that are not all zero."""
    down = turn.downstream_array(k)
    upstream = turn.upstream_array()
    if down is None or upstream is None or not upstream.any():
        return False
    if turn.op in _SPREADING:
        return down.size < upstream.size
    if turn.op in _GATHERING:
        # All that comes in goes to some row.
        return bool(np.abs(down).max(initial=0.0) <= _CANCELLED * np.abs(upstream).max())
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


def total(uses: Sequence[tuple[Turn, int]]) -> float | None:
    """The largest |number| of a sum of gradients, None if they were not kept."""
    arrays: list[Any] = [turn.downstream_array(k) for turn, k in uses if turn.down[k] is not None]
    if not arrays or any(array is None or array.shape != arrays[0].shape for array in arrays):
        return None
    summed = np.sum(arrays, axis=0)
    return float(np.abs(summed).max()) if summed.size else None
