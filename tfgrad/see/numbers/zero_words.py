"""A zero gradient as a Reason: where it became zero, of how many elements, and what to type instead."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tfgrad.see import rules_by_hand
from tfgrad.see.explanation import Place, Reason
from tfgrad.see.numbers import cancelling
from tfgrad.see.numbers.blocked import Blocked, Verdict
from tfgrad.see.numbers.turns import Turn, Turns
from tfgrad.see.numbers.zero_causes import cause
from tfgrad.see.opnotes import note as op_note
from tfgrad.see.question import LeafQuestion
from tfgrad.see.ways.cuts import Cut

RANDOM_NOTE = "(Seen by running the function's graph again, which drew other random numbers.)"


def told(leaf: LeafQuestion, turns: Turns, found: Blocked | None) -> Reason:
    """The reason that was found."""
    if found is None:
        return _untold(leaf, turns)
    if found.closed is not None:
        detail = "The gradient becomes zero inside this call of a traced function; at which op can't be told."
        return leaf.reason("unknown", "unknown", where=turns.place(found.turn), detail=detail)
    verdict = cancelling.of_terms(turns, found) if found.kind == "sum" else _believed(cause(turns, found))
    where = _rule(leaf, verdict) or turns.place(verdict.turn)
    return leaf.reason(
        "zero",
        verdict.cause,
        where=where,
        chain=chain(leaf, turns, verdict.turn, found.input),
        detail=_detail(leaf, turns, found, verdict),
        advice=_advice(turns, verdict),
        op=_call(verdict.turn),
    )


def _untold(leaf: LeafQuestion, turns: Turns) -> Reason:
    call = leaf.call
    if call is not None and call.seeded:
        detail = "The gradient that was given as output_gradients is zero, as far as it can be followed."
        return leaf.reason("unknown", "unknown", where=leaf.place(call), detail=detail)
    detail = "The gradient is zero; no op was seen that made it so."
    return leaf.reason("unknown", "unknown", detail=f"{detail} {RANDOM_NOTE}" if "random" in turns.notes else detail)


def _believed(verdict: Verdict) -> Verdict:
    """A py_function that read its tensors as numbers has left TensorFlow; another custom rule is what it is."""
    if verdict.turn.op not in ("EagerPyFunc", "PyFunc", "PyFuncStateless"):
        return verdict
    return Verdict("left-tensorflow", verdict.turn, "What runs in there is Python or NumPy, which the tape can't see.")


def _rule(leaf: LeafQuestion, verdict: Verdict) -> Place | None:
    event = verdict.turn.event
    if event is None:
        return None
    if verdict.cause == "custom-gradient":
        return rules_by_hand.rule(leaf, Cut("custom-gradient", event.n, graph_op=verdict.turn.graph_op))
    return None


def _detail(leaf: LeafQuestion, turns: Turns, found: Blocked, verdict: Verdict) -> str:
    parts = [verdict.seen, _measured(found, verdict), layer(verdict.turn)]
    parts += [RANDOM_NOTE] if "random" in turns.notes else []
    return " ".join(part for part in parts if part)


def _measured(found: Blocked, verdict: Verdict) -> str:
    """What came in and what went back; nothing where several met, or where what went back went elsewhere."""
    turn = found.turn
    down, came = (turn.down[found.k] if found.kind != "sum" else None), turn.largest_up
    if down is None or not came or not turn.finite_up or verdict.turn is not turn or down.largest > _LITTLE * came:
        return ""
    left = "0" if down.zero else f"at most {down.largest:.2g}"
    many = f"all {down.size} elements" if down.size > 1 else "the one element"
    return f"A gradient of up to {came:.3g} comes in; what goes back is {left} for {many}."


_LITTLE = 1e-3


def layer(turn: Turn) -> str:
    """In which Keras layer or loss an op ran, in a sentence; empty if in none or if it can't be told."""
    scope = turn.event.scope.strip("/") if turn.event is not None and turn.graph_op is None else ""
    # A slice opens a scope of its own (TensorFlow 2.16 to 2.21).
    scope = re.sub(r"/?strided_slice(_\d+)?$", "", scope)
    return f"It is in '{scope}'." if scope else ""


def _advice(turns: Turns, verdict: Verdict) -> str | None:
    op = verdict.turn.op
    if verdict.advice is not None:
        return verdict.advice
    if verdict.cause == "cancels":
        return cancelling.advice(turns, verdict)
    if verdict.cause == "nondifferentiable-op":
        known = op_note(op)
        return known.advice if known is not None else None
    if verdict.cause == "left-tensorflow":
        return "write that part with TensorFlow's own ops, which carry gradients"
    if verdict.cause == "saturated":
        return _SATURATED.get(op)
    if verdict.cause == "masked":
        return _MASKED.get(op)
    return None


_SOFTMAX_ADVICE = (
    "keep the logits small (scaled data, smaller weights), or use the loss that takes logits:\n"
    "tf.nn.softmax_cross_entropy_with_logits(labels, logits); for one unit use a sigmoid instead of a softmax"
)
_SATURATED = {
    "Relu": "keep some inputs above 0: smaller or positive biases, smaller steps, or tf.nn.leaky_relu",
    "Relu6": "keep some inputs between 0 and 6: scale them down, or use tf.nn.leaky_relu",
    "Sigmoid": (
        "bring its input closer to 0 (smaller weights, scaled data), or use the loss that takes logits:\n"
        "tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)"
    ),
    "Tanh": "bring its input closer to 0: scale the data to about -1 to 1, or start from smaller weights",
    "Softmax": _SOFTMAX_ADVICE,
    "LogSoftmax": _SOFTMAX_ADVICE,
    "Exp": "its input is so far below 0 that the result is 0: stay in logarithms, or scale the input",
}
_LIMITS = "the limit wins everywhere: start inside the limits, or use a soft limit such as tf.nn.softplus or tf.tanh"
_MASKED = {
    "Maximum": _LIMITS,
    "Minimum": _LIMITS,
    "ClipByValue": _LIMITS,
    "SelectV2": "the condition never picks this side: look at the condition",
    "Mul": "the mask or weight that it is multiplied with is 0 everywhere: look at how that is made",
    "StridedSlice": "the slice takes none of its elements: look at the indices",
    "Slice": "the slice takes none of its elements: look at where it begins and how much it takes",
    "GatherV2": "the indices pick none of its elements: look at them",
}


def _call(turn: Turn) -> str:
    known = op_note(turn.op)
    return known.call if known is not None else turn.op


def chain(leaf: LeafQuestion, turns: Turns, turn: Turn, i: int) -> Sequence[Place]:
    """The places from the leaf up to a turn; for one inside a traced function up to the call, then its own."""
    if turn.event is None:
        return ()
    outer = next((j for j in turn.event.inputs if j in leaf.way.status), turn.event.inputs[0])
    places = leaf.chain_to(turn.event.n, i if i in turn.event.inputs else outer)
    own = turns.place(turn)
    if turn.graph_op is None or own is None or (places and _is_same(places[-1], own)):
        return places
    return (*places, own)


def _is_same(a: Place, b: Place) -> bool:
    return (a.file, a.line, a.op) == (b.file, b.line, b.op)
