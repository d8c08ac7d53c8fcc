"""A gradient() call whose steps were not kept (a jacobian), taken again op by op from what the record still has.

It answers the gradient of the target's sum. Where a value can't be had any more nothing is known beyond that op; the
user's tape is not asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import tensorflow as tf

from tfgrad.see.numbers import inside, rerun
from tfgrad.see.numbers.turns import Turn, Turns, of_call
from tfgrad.see.question import LeafQuestion
from tfgrad.see.record import GradientCall, Record
from tfgrad.see.recording.measuring import measure


def of_leaf(leaf: LeafQuestion) -> Turns | None:
    """The turns of the call that answered a leaf, taken again if its steps were not kept; None if they can't be had."""
    call = leaf.call
    if call is None or call.traced:
        return None
    return of_call(leaf.record, call) if call.steps else again(leaf.record, call)


def again(record: Record, call: GradientCall) -> Turns | None:
    """The turns with the gradients of the target's sum; None if the target can't be computed again."""
    turns = of_call(record, call)
    target = [i for asked in call.target for i in asked.ids]
    return rerun.elsewhere(lambda: _taken(turns, target, tf.ones_like))


def of_value(turns: Turns, i: int) -> Turns | None:
    """The turns up to a tensor that is not the target, with the gradients of a sum of its elements, none alike."""
    return rerun.elsewhere(lambda: _taken(turns, [i], _uneven))


def _uneven(value: Any) -> Any:
    """Seeds that do not cancel where ones would, as in a softmax."""
    places = tf.reshape(tf.range(tf.size(value), dtype=tf.float64), tf.shape(value))
    return tf.cast(tf.sin(1.0 + places), value.dtype)


def _taken(turns: Turns, target: list[int], seed: Callable[[Any], Any]) -> Turns | None:
    needed = turns.upward(target)
    kept = [turn for turn in turns.turns if not needed.isdisjoint(turn.outputs)]
    ran = {turn: _run(turns, turn) for turn in kept}
    totals = {i: seed(turns.values[i]) for i in target if i in turns.values and rerun.carries(turns.values[i])}
    if not totals:
        return None
    done = [_back(turn, ran[turn], totals) for turn in reversed(kept)]
    found = Turns(turns.record, done, turns.values, turns.variables)
    found.notes = turns.notes
    return found


def _run(turns: Turns, turn: Turn) -> rerun.Ran | None:
    """The op run again, with its outputs noted where they were not known."""
    if turn.kind != "op" or turn.op == "ReadVariableOp":
        turns.raw_here(turn.outputs[0])
        return None
    inputs = [turns.values.get(i) for i in turn.inputs]
    if any(value is None for value in inputs):
        return None
    try:
        ran = rerun.run(turn.op, turn.attributes, inputs)
    # What can't be run again stays unknown, whatever the reason.
    except Exception:  # noqa: BLE001
        return None
    for i, value in zip(turn.outputs, ran.outputs, strict=False):
        turns.values.setdefault(i, value)
    return ran


def _back(turn: Turn, ran: rerun.Ran | None, totals: dict[int, Any]) -> Turn:
    upstream = tuple(totals.get(i) for i in turn.outputs)
    downstream = _gradients(turn, ran, upstream)
    for i, gradient in zip(turn.inputs, downstream, strict=False):
        if gradient is not None:
            totals[i] = gradient if i not in totals else inside.total(totals[i], gradient)
    return replace(
        turn,
        upstream=upstream,
        downstream=downstream,
        up=tuple(measure(gradient) for gradient in upstream),
        down=tuple(measure(gradient) for gradient in downstream),
        ran=ran is not None or turn.kind in ("variable", "alias") or turn.op == "ReadVariableOp",
    )


def _gradients(turn: Turn, ran: rerun.Ran | None, upstream: tuple[Any, ...]) -> tuple[Any, ...]:
    nothing = (None,) * len(turn.inputs)
    if turn.kind in ("variable", "alias") or turn.op == "ReadVariableOp":
        return upstream[:1]
    if ran is None or all(gradient is None for gradient in upstream):
        return nothing
    try:
        return tuple(ran.back(upstream))
    # An op without gradient, or one that raises: nothing comes back.
    except Exception:  # noqa: BLE001
        return nothing
