"""A cut as a Reason: the line to look at, the evidence, and advice made from what was seen, one function a cause."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tfgrad import wording
from tfgrad.see import rules_by_hand, syntax
from tfgrad.see.causes import CAUSES
from tfgrad.see.explanation import Place, Reason
from tfgrad.see.missing import callers
from tfgrad.see.missing.line_to_move import line_to_move
from tfgrad.see.opnotes import note as op_note
from tfgrad.see.question import LeafQuestion
from tfgrad.see.record import Entry, Event, GradientCall
from tfgrad.see.ways.cuts import Cut


def told(leaf: LeafQuestion, symptom: str, cut: Cut, others: Sequence[Reason] = ()) -> Reason:
    """The reason that a cut is."""
    words = _WORDS.get(cut.cause, _plain)
    where, detail, advice, cause = words(leaf, cut)
    chain = leaf.chain_to(cut.n, cut.input)
    seen_op = cut.op(leaf.record) or ""
    return leaf.reason(
        "unknown" if cause == "unknown" else symptom,
        cause,
        where=where,
        chain=_ending_at(chain, where),
        detail=_in_layer(leaf, cut, detail),
        advice=advice,
        others=others,
        op=seen_op,
    )


# Where to look, the evidence, the advice (None: the cause's own), the cause.
Words = tuple[Place | None, str, str | None, str]


def _plain(leaf: LeafQuestion, cut: Cut) -> Words:
    return leaf.place(cut), "", None, cut.cause


def _ending_at(chain: tuple[Place, ...], where: Place | None) -> tuple[Place, ...]:
    """The chain, its last step the place that is shown, where that one lies deeper (inside a traced function)."""
    if where is None or (chain and (chain[-1].file, chain[-1].line) == (where.file, where.line)):
        return chain
    return (*chain, where) if where.op else chain


def _in_layer(leaf: LeafQuestion, cut: Cut, detail: str) -> str:
    """The evidence, with the Keras layer's name (or the name scope), as the line may be the call of a whole model."""
    entry = leaf.record.timeline[cut.n]
    scope = entry.scope.strip("/") if isinstance(entry, Event) else ""
    if not scope or scope == "Variable" or cut.graph_op is not None:
        return detail
    return f"{detail} It is in {scope}.".strip()


def _unwatched(leaf: LeafQuestion, cut: Cut) -> Words:
    asked, name, where = leaf.asked, leaf.path, leaf.place(cut)
    entry = leaf.record.timeline[cut.n]
    if isinstance(entry, Event) and entry.call is not None:
        where = used_at(leaf) or where
    if asked.kind in ("variable", "keras-variable"):
        unmet = leaf.flow.state.watch_accessed_variables and asked.trainable is not True
        if unmet and not set(leaf.ids) & leaf.flow.told:
            return where, f"{name} has trainable=False.", None, "not-trainable"
        if not leaf.flow.state.watch_accessed_variables:
            detail = f"The tape was made with watch_accessed_variables=False, and nobody watched {name}."
            advice = f"watch it as the first line of the block: tape.watch({name})\nor leave that argument out"
            return where, detail, advice, cut.cause
    if cut.note == "late" and cut.second is not None:
        at = leaf.place(cut.second)
        line = f"line {at.line}" if at else "a later line"
        return where, f"watch() came at {line}, after this use.", None, cut.cause
    return where, f"{_what(leaf)} Nobody watched it.", None, cut.cause


def _what(leaf: LeafQuestion) -> str:
    """What the leaf is, and which op made it, if that was seen."""
    kind = f"{leaf.path} is a plain {leaf.asked.dtype or ''} tensor".replace("  ", " ")
    made = next((leaf.record.producers[i] for i in leaf.ids if i in leaf.record.producers), None)
    at = leaf.place(made) if made is not None else None
    return f"{kind}, made by {at.op} at line {at.line}: {at.text}." if at and at.op else f"{kind}."


_OFF = {
    "before": "This ran before the tape began.",
    "with": "This ran outside the `with` block, when the tape had stopped recording.",
    "stop_recording": "This ran under stop_recording().",
    "gradient": "This ran after gradient() had used the tape up, which ends its recording.",
}


def _outside_tape(leaf: LeafQuestion, cut: Cut) -> Words:
    if cut.note == "reset" and cut.second is not None:
        advice = "leave tape.reset() out, or move it before the part that counts"
        return leaf.place(cut.second), "tape.reset() forgot all that had been recorded before it.", advice, cut.cause
    detail = _OFF.get(cut.note, "The tape was not recording here.")
    where = line_to_move(leaf, cut) or leaf.place(cut)
    if cut.note == "stop_recording":
        block = leaf.place(cut.second)
        if block is not None and where is not None and block.line != where.line:
            detail = f"This ran under stop_recording(), line {block.line}."
        return where, detail, f"move line {where.line if where else '?'} out of the stop_recording block", cut.cause
    if cut.note == "gradient":
        advice = "compute it before gradient() is called, or use tf.GradientTape(persistent=True)"
        return where, detail, advice, cut.cause
    return where, detail, None, cut.cause


def _left(leaf: LeafQuestion, cut: Cut) -> Words:
    where = leaf.place(cut)
    if cut.second is None:
        detail = "What runs in there is Python or NumPy, which the tape can't see."
        return where, detail, "write that part with TensorFlow's own ops, which carry gradients", cut.cause
    back = leaf.place(leaf.record.leaves[cut.second])
    detail = ""
    if back is not None and where is not None and back.line != where.line:
        detail = f"It comes back as a constant at line {back.line}: {back.text}"
    return where, detail, None, cut.cause


def _integer(leaf: LeafQuestion, cut: Cut) -> Words:
    dtype = next((leaf.record.dtype(i) for i in _outputs(leaf, cut)), None)
    name = wording.dtype(dtype) if dtype is not None and cut.note == "output" else ""
    into = _graph_dtype(cut) or name
    detail = f"The cast to {into} drops the fraction, and with it the slope." if into else ""
    advice = "keep it floating up to the target: cast for the index or the printout only, or interpolate"
    return leaf.place(cut), detail, advice, cut.cause


def _graph_dtype(cut: Cut) -> str:
    return str(cut.graph_op.outputs[0].dtype.name) if cut.graph_op is not None and cut.graph_op.outputs else ""


def _outputs(leaf: LeafQuestion, cut: Cut) -> tuple[int, ...]:
    entry = leaf.record.timeline[cut.n]
    return entry.outputs if isinstance(entry, Event) else ()


def _nondifferentiable(leaf: LeafQuestion, cut: Cut) -> Words:
    op = cut.op(leaf.record) or "the op"
    known = op_note(op)
    if cut.note == "branch":
        return leaf.place(cut), "It only decides which way is taken.", BRANCH_ADVICE, cut.cause
    if known is not None:
        return leaf.place(cut), f"{known.call}: {known.why}.", known.advice, cut.cause
    detail = f"TensorFlow gives no gradient from {op} to this input."
    return leaf.place(cut), detail, CAUSES[cut.cause].advise(op=op).splitlines()[0].rstrip(":"), cut.cause


BRANCH_ADVICE = (
    "a branch carries no gradient: blend both sides with a weight that does,\n"
    "p = tf.sigmoid(k * (x - limit)); y = p * a + (1 - p) * b"
)


def _higher_order(leaf: LeafQuestion, cut: Cut) -> Words:
    where = leaf.place(_gradient_call(leaf, cut))
    if cut.note == "constant":
        detail = "The first derivative does not depend on it: it is constant, so the second one is None."
        return where, detail, 'ask for zeros: unconnected_gradients="zero"', cut.cause
    detail = "This gradient() ran where the tape that is asked was not recording."
    return where, detail, None, cut.cause


def _gradient_call(leaf: LeafQuestion, cut: Cut) -> GradientCall | Entry:
    entry = leaf.record.timeline[cut.n]
    call = next((call for call in leaf.record.calls if call.number == entry.call), None)
    return call if call is not None else entry


def _custom(leaf: LeafQuestion, cut: Cut) -> Words:
    where = rules_by_hand.rule(leaf, cut) or leaf.place(cut)
    if cut.note == "closure":
        detail = "The tensor is used inside the function but is not among its arguments: its rule can't answer for it."
        return where, detail, "pass it as an argument of the function, and return a gradient for it", cut.cause
    entry = leaf.record.timeline[cut.n]
    inputs = entry.inputs if isinstance(entry, Event) and cut.graph_op is None else ()
    place = f"argument {inputs.index(cut.input)}" if cut.input in inputs else "this argument"
    return where, f"Its rule answered None for {place}.", None, cut.cause


def _stop(leaf: LeafQuestion, cut: Cut) -> Words:
    return leaf.place(cut), "", None, cut.cause


def _state(leaf: LeafQuestion, cut: Cut) -> Words:
    at = leaf.place(cut)
    if at is not None and syntax.call_at(at.file, at.line, at.expression, _ANSWERING_ARRAYS) is not None:
        detail = f"{at.op or 'It'} feeds its batches in there; what comes back is a NumPy array."
        return at, detail, None, "left-tensorflow"
    return leaf.place(cut), f"{cut.op(leaf.record) or 'This'} keeps the value and forgets how it came.", None, cut.cause


# Source: these feed a dataset and answer NumPy arrays (Keras 3).
_ANSWERING_ARRAYS = ("predict", "predict_on_batch", "evaluate")


def _unknown(leaf: LeafQuestion, cut: Cut) -> Words:
    return leaf.place(cut), "The gradient ends inside this call; at which op can't be told.", None, "unknown"


_WORDS: dict[str, Callable[[LeafQuestion, Cut], Words]] = {
    "unwatched": _unwatched,
    "outside-tape": _outside_tape,
    "left-tensorflow": _left,
    "integer-dtype": _integer,
    "nondifferentiable-op": _nondifferentiable,
    "higher-order": _higher_order,
    "custom-gradient": _custom,
    "stop-gradient": _stop,
    "state": _state,
    "unknown": _unknown,
}


def integer_source(leaf: LeafQuestion, symptom: str) -> Reason:
    """The source itself has a dtype without derivatives."""
    dtype = leaf.asked.dtype or "integer"
    where = made_at(leaf) or callers.creation(leaf) or used_at(leaf)
    advice = (
        f"make it floating: tf.Variable(3.0), or tf.cast({leaf.path}, tf.float32) before the block\n"
        "ids and indices have no slope: ask about what was looked up with them, the embedding's output or its table"
    )
    return leaf.reason(
        symptom, "integer-dtype", where=where, detail=f"{leaf.path} is {dtype}.", advice=advice, dtype=dtype
    )


def made_at(leaf: LeafQuestion) -> Place | None:
    """Where the source was made, if the record saw it."""
    made = next((leaf.record.producers[i] for i in leaf.ids if i in leaf.record.producers), None)
    if made is not None:
        return leaf.place(made)
    found = next((leaf.record.leaves[i] for i in leaf.ids if i in leaf.record.leaves), None)
    return leaf.place(found) if found is not None and found.kind in ("ndarray", "scalar", "list") else None


def used_at(leaf: LeafQuestion) -> Place | None:
    """Where the source was first used."""
    return leaf.place(leaf.way.used[0]) if leaf.way.used else None


def own_target(leaf: LeafQuestion, symptom: str) -> Reason:
    """Source and target are the same tensor, which nobody watched."""
    return leaf.reason(
        symptom,
        "unwatched",
        where=made_at(leaf) or used_at(leaf) or leaf.place(leaf.call),
        detail="Source and target are the same tensor, and the tape does not watch it.",
    )
