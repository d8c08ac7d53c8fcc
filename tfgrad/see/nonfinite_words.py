"""A gradient that is not finite as a Reason: the element, the numbers that met there, and what to type instead."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgrad.see import rerun, rules_by_hand
from tfgrad.see.cuts import Cut
from tfgrad.see.explanation import Place, Reason
from tfgrad.see.nonfinite_causes import Blame
from tfgrad.see.question import LeafQuestion
from tfgrad.see.turns import Turn, Turns
from tfgrad.see.zero_words import RANDOM_NOTE, chain


def told(leaf: LeafQuestion, turns: Turns, blame: Blame | None) -> Reason:
    """The reason that was found."""
    if blame is None or blame.turn is None:
        return leaf.reason("unknown", "unknown", detail="The gradient is not finite; no op was seen that made it so.")
    turn = blame.turn
    if not blame.cause or turn.kind == "function":
        detail = "The gradient stops being finite here; the numbers that would tell why were not kept."
        return leaf.reason("unknown", "unknown", where=turns.place(turn), detail=detail)
    parts = [_EVIDENCE[blame.cause](leaf, turns, blame, turn), _layer(turn)]
    parts += [RANDOM_NOTE] if "random" in turns.notes else []
    return leaf.reason(
        "nonfinite",
        blame.cause,
        where=_where(leaf, turns, turn),
        chain=chain(leaf, turns, turn, blame.input),
        detail=" ".join(part for part in parts if part),
        advice=_advice(leaf, blame, turn),
        op=turn.op,
    )


def _where(leaf: LeafQuestion, turns: Turns, turn: Turn) -> Place | None:
    if turn.kind == "custom" and turn.event is not None:
        rule = rules_by_hand.rule(leaf, Cut("custom-gradient", turn.event.n))
        return rule or turns.place(turn)
    return turns.place(turn)


def _layer(turn: Turn) -> str:
    scope = turn.event.scope.strip("/") if turn.event is not None and turn.graph_op is None else ""
    return f"It is in the layer {scope}." if scope else ""


def _number(value: object) -> str:
    return f"{complex(value):.6g}" if np.iscomplexobj(value) else f"{float(value):.6g}"  # type: ignore[arg-type, call-overload]


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
    if not blame.back:
        return _forward(turns, blame, turn)
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
        return f"{text} the gradient that comes in is {came}, the slope there {slope}: {came} * {slope} = {result}."
    return f"{text} the gradient that comes in is {came or 'finite'}, what goes back is {result}."


def _forward(turns: Turns, blame: Blame, turn: Turn) -> str:
    out = next((turns.array(o) for o in turn.outputs if turns.array(o) is not None), None)
    inputs = [_element(turns.array(i), out, blame.index) for i in turn.inputs]
    given = ", ".join(text for text in inputs if text)
    made = _element(out, out, blame.index)
    size = next((values.size for values in (turns.array(i) for i in turn.inputs) if values is not None), 1)
    if turn.op == "Mean" and size == 0:
        return "The mean of no elements is 0/0."
    event = f" ({blame.event})" if blame.event else ""
    made = made or "a number that is not finite"
    return f"{turn.op}{_named(blame.index)} made {made} of {given or 'finite ones'}{event}."


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
    text = _born(leaf, turns, blame, turn)
    out = next((turns.array(o) for o in turn.outputs if turns.array(o) is not None), None)
    spec = turns.spec(turn.outputs[0]) if turn.outputs else None
    if spec is None or out is None:
        return text
    dtype = tf.as_dtype(spec[0])
    return f"{text} The largest {dtype.name} is {float(dtype.max):.3g}." if dtype.is_floating else text


def _given(leaf: LeafQuestion, turns: Turns, blame: Blame, turn: Turn) -> str:
    known = turn.inputs if turn is not None else ()
    values = turns.array(blame.input)
    name = leaf.path if blame.input in leaf.ids else "What it was given"
    if values is None:
        values = next((turns.array(i) for i in known if i == blame.input), None)
    if values is None:
        return f"{name} was not finite before."
    bad = ~np.isfinite(values)
    index = [int(n) for n in np.argwhere(bad)[0]] if bad.any() else None
    where = f", first at {index}: {_number(values[tuple(index)])}" if index else ""
    return f"{int(bad.sum())} of {values.size} numbers that {turn.op} was given were not finite before{where}."


_EVIDENCE = {
    "singular-point": _born,
    "where-trap": _trapped,
    "overflow": _grown,
    "nan-input": _given,
}


def _advice(leaf: LeafQuestion, blame: Blame, turn: Turn) -> str | None:
    if blame.cause == "nan-input" and blame.input not in leaf.ids:
        return "check the data that this line reads: tf.debugging.assert_all_finite(data, 'data')"
    if blame.cause == "singular-point":
        return SINGULAR_ADVICE.get(turn.op)
    if blame.cause == "overflow":
        return _OVERFLOW_ADVICE.get(turn.op)
    if blame.cause == "where-trap":
        return _TRAP_ADVICE.get(turn.op)
    return None


_DIVIDE = "tf.math.divide_no_nan(a, b), which is 0 where b is 0, gradient included; or add an epsilon to b"
SINGULAR_ADVICE = {
    "Sqrt": (
        "add an epsilon inside: tf.sqrt(s + 1e-12); for a norm tf.sqrt(tf.reduce_sum(x**2, axis) + 1e-12);\n"
        "or the double where: ok = s > 0; tf.where(ok, tf.sqrt(tf.where(ok, s, 1.0)), 0.0)"
    ),
    "Rsqrt": "add an epsilon inside: tf.math.rsqrt(s + 1e-12)",
    "Log": "add an epsilon inside, tf.math.log(p + 1e-7), or use a loss that takes logits: tf.nn.log_softmax(logits)",
    "RealDiv": _DIVIDE,
    "Div": _DIVIDE,
    "Xdivy": _DIVIDE,
    "Reciprocal": _DIVIDE,
    "Pow": "keep the base above 0: tf.pow(x + 1e-12, p), or tf.square(x) for a square",
    "Acos": "keep its input inside (-1, 1): tf.acos(tf.clip_by_value(c, -1 + 1e-6, 1 - 1e-6))",
    "Asin": "keep its input inside (-1, 1): tf.asin(tf.clip_by_value(c, -1 + 1e-6, 1 - 1e-6))",
    "Acosh": "keep its input above 1: tf.acosh(1.0 + 1e-6 + t)",
    "Atan2": "stay off the origin: add an epsilon to x, tf.atan2(y, x + 1e-12)",
    "MatrixInverse": "add a little to the diagonal: a + 1e-6 * tf.eye(n), or use tf.linalg.pinv(a)",
    "MatrixDeterminant": "add a little to the diagonal: tf.linalg.det(a + 1e-6 * tf.eye(n)), or use tf.linalg.slogdet",
    "Cholesky": "add a little to the diagonal: tf.linalg.cholesky(a + 1e-6 * tf.eye(n))",
    "Mean": "guard against an empty batch: tf.math.divide_no_nan(tf.reduce_sum(x), n)",
}
_OVERFLOW_ADVICE = {
    "Exp": (
        "use the form that never grows: tf.nn.softmax, tf.nn.softplus, tf.nn.sigmoid, tf.reduce_logsumexp;\n"
        "or subtract the maximum first: tf.exp(x - tf.reduce_max(x))"
    ),
    "Square": "scale the numbers down first, clip them, or compute this part in float32",
    "Pow": "scale the numbers down first, clip them, or compute this part in a wider dtype",
    "MatMul": "keep the product from growing: smaller or orthogonal weights, a norm after each step, gradient clipping",
}
_DOUBLE = "ok = {ok}\nsafe = tf.where(ok, {x}, 1.0)\ny = tf.where(ok, {f}, 0.0)"
_TRAP_ADVICE = {
    "Log": "make the branch's input safe first (the double where):\n"
    + _DOUBLE.format(ok="x > 0.0", x="x", f="tf.math.log(safe)"),
    "RealDiv": "divide by something safe (the double where), or use tf.math.divide_no_nan(a, b):\n"
    + _DOUBLE.format(ok="b != 0.0", x="b", f="a / safe"),
    "Sqrt": "make the branch's input safe first (the double where):\n"
    + _DOUBLE.format(ok="s > 0.0", x="s", f="tf.sqrt(safe)"),
    "Pow": "make the branch's base safe first (the double where):\n"
    + _DOUBLE.format(ok="x > 0.0", x="x", f="tf.pow(safe, p)"),
    "Exp": "keep the exponent small in the branch that is not taken:\n"
    "small = tf.where(x > 20.0, 0.0, x)\ny = tf.where(x > 20.0, x, f(small))",
    "Acos": "keep the branch's input inside (-1, 1):\n"
    "safe = tf.where(ok, c, 0.0); y = tf.where(ok, tf.acos(safe), 0.0)",
}
