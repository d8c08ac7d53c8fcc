"""A gradient that is not finite as a Reason: the element, the numbers that met there, and what to type instead."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgrad.see import rules_by_hand
from tfgrad.see.explanation import Place, Reason
from tfgrad.see.numbers import matrices, nonfinite_advice, rerun
from tfgrad.see.numbers.blocked import spread, stored
from tfgrad.see.numbers.nonfinite_causes import Blame
from tfgrad.see.numbers.opkinds import STRUCTURAL
from tfgrad.see.numbers.turns import Turn, Turns
from tfgrad.see.numbers.zero_words import RANDOM_NOTE, chain, layer
from tfgrad.see.question import LeafQuestion
from tfgrad.see.ways.cuts import Cut


def told(leaf: LeafQuestion, turns: Turns, blame: Blame | None, symptom: str = "nonfinite") -> Reason:
    """The reason that was found; the symptom is "zero" where an op took the slope of a NaN as 0."""
    if blame is None or blame.turn is None:
        return leaf.reason("unknown", "unknown", detail="The gradient is not finite; no op was seen that made it so.")
    turn = blame.turn
    if not blame.cause or turn.kind == "function":
        detail = "The gradient stops being finite here; the numbers that would tell why were not kept."
        return leaf.reason("unknown", "unknown", where=turns.place(turn), detail=detail)
    return leaf.reason(
        symptom,
        blame.cause,
        where=_where(leaf, turns, turn),
        chain=chain(leaf, turns, turn, blame.input) if _is_on_way(leaf, turns, turn) else (),
        detail=seen(leaf, turns, blame),
        advice=_advice(leaf, turns, blame, turn),
        op=turn.op,
    )


def _is_on_way(leaf: LeafQuestion, turns: Turns, turn: Turn) -> bool:
    return not turns.downward(leaf.ids).isdisjoint(turn.inputs)


def seen(leaf: LeafQuestion, turns: Turns, blame: Blame) -> str:
    """The evidence in words."""
    assert blame.turn is not None
    parts = [_EVIDENCE[blame.cause](leaf, turns, blame, blame.turn), layer(blame.turn)]
    parts += [RANDOM_NOTE] if "random" in turns.notes else []
    return " ".join(part for part in parts if part)


def _where(leaf: LeafQuestion, turns: Turns, turn: Turn) -> Place | None:
    if turn.kind == "custom" and turn.event is not None:
        rule = rules_by_hand.rule(leaf, Cut("custom-gradient", turn.event.n))
        return rule or turns.place(turn)
    return turns.place(turn)


def _number(value: object) -> str:
    if np.iscomplexobj(value):  # type: ignore[arg-type]
        return f"{complex(value):.6g}"  # type: ignore[call-overload]
    number = float(value)  # type: ignore[arg-type]
    told = f"{number:.6g}"
    # 1.0000001 is not 1, and its arc cosine is NaN.
    return f"{number:.9g}" if number != float(told) == round(float(told), 1) else told


def _element(values: np.ndarray | None, like: np.ndarray | None, index: tuple[int, ...] | None) -> str:
    """The number at an element, broadcast to another array's shape; nothing if it can't be told."""
    if values is None or index is None:
        return ""
    if values.shape != getattr(like, "shape", values.shape):
        try:
            values = np.broadcast_to(values, like.shape)  # type: ignore[union-attr]
        except ValueError:
            return ""
    return _number(values[index]) if len(index) == values.ndim else ""


def _named(index: tuple[int, ...] | None) -> str:
    return f" at element {list(index)}" if index else ""


def _born(leaf: LeafQuestion, turns: Turns, blame: Blame, turn: Turn) -> str:
    """The evidence for numbers that broke forward or backward."""
    matrix = matrices.looks(turns, turn)
    if matrix:
        return f"{turn.op} answers numbers that are not finite. {matrix}"
    if not blame.back:
        return f"{_forward(turns, blame, turn)} {_given_by(turns, blame, turn)}".rstrip()
    down, upstream = turn.downstream_array(blame.k), turn.upstream_array()
    if down is None or blame.index is None:
        return f"{turn.op} got a finite gradient and handed back one that is not."
    inputs = [_element(turns.array(i), down, blame.index) for i in turn.inputs]
    given = ", ".join(text for text in inputs if text)
    came = _element(upstream, down, blame.index)
    slope = _element(_slope(turns, turn, blame.k), down, blame.index)
    result = _number(down[blame.index])
    text = f"{turn.op}{_named(blame.index)}"
    text += f" was given {given};" if given else ":"
    if came and slope:
        text = f"{text} the gradient that comes in is {came}, the slope there {slope}: {came} * {slope} = {result}."
    else:
        text = f"{text} the gradient that comes in is {came or 'finite'}, what goes back is {result}."
    return f"{text} {_given_by(turns, blame, turn)}".rstrip()


def _forward(turns: Turns, blame: Blame, turn: Turn) -> str:
    out = _first_output(turns, turn)
    if turn.op in ("Softmax", "LogSoftmax") and (row := _row(turns, turn, blame)):
        return row
    inputs = [_element(turns.array(i), out, blame.index) for i in turn.inputs]
    if (turn.op not in _BY_ELEMENT and len(turn.inputs) > 1) or not all(inputs):
        inputs = _sizes(turns, turn)
    given = ", ".join(text for text in inputs if text)
    made = _element(out, out, blame.index)
    size = next((values.size for values in (turns.array(i) for i in turn.inputs) if values is not None), 1)
    if turn.op == "Mean" and size == 0:
        return "The mean of no elements is 0/0."
    if not given and any(turns.array(i) is None for i in turn.inputs):
        return f"{turn.op} made numbers that are not finite; what it was given was not kept."
    event = f" ({blame.event})" if blame.event else ""
    made = made or "a number that is not finite"
    return f"{turn.op}{_named(blame.index)} made {made} of {given or 'finite ones'}{event}."


_BY_ELEMENT = frozenset({"AddV2", "Add", "Sub", "Mul", "RealDiv", "Div", "Pow", "Atan2", "Xlogy", "Xdivy", "Maximum"})


def _first_output(turns: Turns, turn: Turn) -> np.ndarray | None:
    return next((values for o in turn.outputs if (values := turns.array(o)) is not None), None)


def _sizes(turns: Turns, turn: Turn) -> list[str]:
    """The ranges of what an op was given, where its result at one element comes of many."""
    known = [turns.array(i) for i in turn.inputs]
    return [f"numbers {_range(values)}" for values in known if values is not None and values.size]


def _range(values: np.ndarray) -> str:
    told = spread(values)
    return told if told.startswith("between") else f"of {told}"


def _row(turns: Turns, turn: Turn, blame: Blame) -> str:
    """What is the matter with the row of a softmax; empty if nothing is seen."""
    values = turns.array(turn.inputs[0])
    if values is None or blame.index is None or not values.ndim:
        return ""
    row = values[blame.index[:-1]]
    where = f" {list(blame.index[:-1])}" if values.ndim > 1 else ""
    if not np.isneginf(row).all():
        return ""
    return f"All {row.size} numbers of row{where} are -inf: {turn.op} of them is 0/0."


def _given_by(turns: Turns, blame: Blame, turn: Turn) -> str:
    """Where a zero that broke an op comes from: an activation far out, a number too small for the dtype."""
    i = turn.inputs[1] if blame.event in ("0/0", "division by 0") and len(turn.inputs) > 1 else blame.input
    values = turns.array(i)
    if values is None or not values.size or values.all():
        return ""
    lost = _lost_addend(turns, i)
    if lost:
        return lost
    made = _maker_of_zeros(turns, i)
    given = turns.array(made.inputs[0]) if made is not None else None
    if made is None or given is None or not given.size:
        return ""
    at = turns.place(made)
    line = f" at line {at.line}" if at is not None else ""
    return f"The 0 comes from {made.op}{line}, whose input is {spread(given)}."


_ZERO_FAR_OUT = frozenset({"Exp", "Sigmoid", "Softmax", "Relu", "Tanh"})
_PASSING = STRUCTURAL | frozenset({"RealDiv", "GatherV2", "StridedSlice", "GatherNd", "Mul"})
_MOST_HOPS = 20


def _maker_of_zeros(turns: Turns, i: int) -> Turn | None:
    todo, hops = [i], 0
    while todo and hops < _MOST_HOPS:
        hops += 1
        turn = turns.makers.get(todo.pop(0))
        out = turns.array(turn.outputs[0]) if turn is not None else None
        if turn is None or out is None or (turn.op != "Sub" and out.all()):
            continue
        if turn.op in _ZERO_FAR_OUT:
            return turn
        todo += turn.inputs if turn.op in _PASSING else ()
    return None


def _lost_addend(turns: Turns, i: int) -> str:
    """A constant such as 1e-12 that was added, and is 0 in the dtype or lost in it."""
    turn = turns.makers.get(i)
    if turn is None or turn.op not in ("AddV2", "Add", "Sub", "Maximum"):
        return ""
    for j in turn.inputs:
        leaf, values = turns.record.leaves.get(j), turns.array(j)
        written = leaf.value if leaf is not None and leaf.kind == "scalar" else None
        if isinstance(written, float) and written != 0 and values is not None and not values.any():
            return f"The {written:g} at this line is 0 in {_dtype(turns, turn)}."
    return ""


def _slope(turns: Turns, turn: Turn, k: int) -> np.ndarray | None:
    """The derivative of an op at its inputs: its gradient for an upstream of ones."""
    values = [turns.raw(i) for i in turn.inputs]
    if any(value is None for value in values) or turn.kind != "op":
        return None

    def work() -> np.ndarray | None:
        ran = rerun.run(turn.op, turn.attributes, values)
        back = ran.back([tf.ones_like(out) if rerun.carries(out) else None for out in ran.outputs])[k]
        return None if back is None else np.asarray(back)

    try:
        return rerun.elsewhere(work)
    # It is evidence on top: without it less is said.
    except Exception:  # noqa: BLE001
        return None


def _trapped(leaf: LeafQuestion, turns: Turns, blame: Blame, turn: Turn) -> str:
    text = _born(leaf, turns, blame, turn)
    if blame.hider is None:
        return text
    at = turns.place(blame.hider)
    line = f" at line {at.line}" if at is not None else ""
    return f"{text} {blame.hider.op}{line} leaves this element out of the value, yet its gradient is computed."


def _grown(leaf: LeafQuestion, turns: Turns, blame: Blame, turn: Turn) -> str:
    dtype = tf.as_dtype(_dtype(turns, turn))
    return f"{_born(leaf, turns, blame, turn)} The largest {dtype.name} is {float(dtype.max):.3g}."


def _given(leaf: LeafQuestion, turns: Turns, blame: Blame, turn: Turn) -> str:
    values = turns.array(blame.input)
    known = stored(turns, blame.input)
    name = leaf.path if blame.input in leaf.ids else known[0] if known is not None else ""
    of = f"of '{name}'" if name else f"that {turn.op} was given"
    if values is None:
        return f"The numbers {of} were not finite before."
    bad = ~np.isfinite(values)
    index = [int(n) for n in np.argwhere(bad)[0]] if bad.any() else None
    where = f", first at {index}: {_number(values[tuple(index)])}" if index else ""
    return f"{int(bad.sum())} of {values.size} numbers {of} were not finite before{where}."


_EVIDENCE = {
    "singular-point": _born,
    "where-trap": _trapped,
    "overflow": _grown,
    "nan-input": _given,
}


def _advice(leaf: LeafQuestion, turns: Turns, blame: Blame, turn: Turn) -> str | None:
    if blame.cause == "nan-input":
        if blame.input in leaf.ids:
            return None
        if stored(turns, blame.input) is not None:
            return (
                "a step before this one broke it: look at the first step with NaN; python -m tfgrad doctor SCRIPT tells"
            )
        return "check the data that this line reads: tf.debugging.assert_all_finite(data, 'data')"
    if blame.cause == "singular-point" and turn.op == "Mul" and blame.event != "0 * inf":
        return None
    i = turn.inputs[0] if turn.inputs else blame.input
    values = turns.array(i)
    like = turn.downstream_array(blame.k) if blame.back else _first_output(turns, turn)
    given = _element(values, like, blame.index)
    number = float(given) if given and "j" not in given else None
    dtype = _dtype(turns, turn)
    if blame.cause == "overflow" and blame.back and dtype == "float16":
        return nonfinite_advice.SCALED_LOSS
    found = nonfinite_advice.advice(blame.cause, turn.op, number, dtype)
    weighed = any(user.op == "Mul" for o in turn.outputs for user, _ in turns.users.get(o, ()))
    if found and turn.op == "Log" and blame.cause == "singular-point" and weighed and not number:
        return f"{found};\n{nonfinite_advice.WEIGHED_LOG}"
    return found


def _dtype(turns: Turns, turn: Turn) -> str:
    """The name of the dtype that an op computes in."""
    specs = [turns.spec(i) for i in (*turn.outputs, *turn.inputs)]
    known = [tf.as_dtype(spec[0]) for spec in specs if spec is not None]
    return next((dtype.name for dtype in known if dtype.is_floating), "float32")
