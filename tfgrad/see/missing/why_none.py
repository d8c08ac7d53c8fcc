"""Why a gradient is None: the first cut on the way from the source to the target, or why there is no way.

Where several ways are cut, the one that tells most is shown and the rest listed: ops whose result is a number before
those whose result is an index, a truth value or a shape, and cuts inside TensorFlow before values that left it.
"""

from __future__ import annotations

import tensorflow as tf

from tfgrad.see.explanation import Reason
from tfgrad.see.missing import cut_words, never_reached
from tfgrad.see.question import LeafQuestion
from tfgrad.see.ways.cuts import FLOATING, Cut, in_time

_SHAPES = frozenset({"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"})
_MOST_OTHERS = 4


def reason(leaf: LeafQuestion, symptom: str = "none") -> Reason:
    """The cause of a gradient that is None (or, under unconnected="zero", of a zero in its place)."""
    if leaf.record.blind:
        return leaf.reason("unknown", "unknown", detail=leaf.record.blind)
    if not _is_differentiable(leaf):
        return cut_words.integer_source(leaf, symptom)
    targets = leaf.question.target_ids
    if set(leaf.ids) & set(targets):
        return cut_words.own_target(leaf, symptom)
    if leaf.way.live(targets):
        return leaf.reason(
            "unknown",
            "unknown",
            detail="As far as the record shows, a gradient should come back from the target.",
        )
    cuts = ordered(leaf, leaf.way.cuts(targets))
    if not cuts:
        return never_reached.reason(leaf, symptom)
    first, *rest = cuts
    others = _distinct(leaf, first, rest)
    return cut_words.told(leaf, symptom, first, [cut_words.told(leaf, symptom, cut) for cut in others])


def _is_differentiable(leaf: LeafQuestion) -> bool:
    if leaf.asked.kind == "composite":
        return any(leaf.flow.carries(i) for i in leaf.ids)
    dtype = tf.as_dtype(leaf.asked.dtype) if leaf.asked.dtype else _dtype_read(leaf)
    return bool(dtype.is_floating or dtype.is_complex or dtype in (tf.resource, tf.variant))


def _dtype_read(leaf: LeafQuestion) -> tf.DType:
    """The dtype of what was read from a Variable that is gone, float32 where that is not known."""
    users = [n for i in leaf.ids for n in leaf.record.users.get(i, ())]
    read = [leaf.record.dtype(i) for n in users for i in leaf.flow.event(n).outputs]
    return next((dtype for dtype in read if dtype is not None), tf.float32)


def ordered(leaf: LeafQuestion, cuts: list[Cut]) -> list[Cut]:
    """Cuts, the most telling first, else in time."""
    return sorted(cuts, key=lambda cut: (_rank(leaf, cut), *in_time(cut)))


def _rank(leaf: LeafQuestion, cut: Cut) -> int:
    """How little a cut tells: 0 for most."""
    op = cut.op(leaf.record)
    if op in _SHAPES:
        return 5
    if cut.cause == "left-tensorflow" and cut.second is not None:
        return 4
    if cut.cause == "higher-order" and cut.note == "constant":
        return 4
    if cut.cause != "nondifferentiable-op":
        return 0
    outputs = _output_kinds(leaf, cut)
    return 0 if outputs & FLOATING or not outputs else 3 if outputs == {_BOOL} else 2


_BOOL = 10


def _output_kinds(leaf: LeafQuestion, cut: Cut) -> set[int]:
    if cut.graph_op is not None:
        return {tensor.dtype.base_dtype.as_datatype_enum for tensor in cut.graph_op.outputs}
    outputs = leaf.flow.event(cut.n).outputs
    return {leaf.record.specs[i][0] for i in outputs if i in leaf.record.specs}


def _distinct(leaf: LeafQuestion, first: Cut, rest: list[Cut]) -> list[Cut]:
    """The further cuts that stand at other lines or have other causes, the most telling few."""
    seen = {_spot(leaf, first)}
    found: list[Cut] = []
    for cut in rest:
        if _rank(leaf, cut) < 4 and _spot(leaf, cut) not in seen:
            seen.add(_spot(leaf, cut))
            found.append(cut)
    return found[:_MOST_OTHERS]


def _spot(leaf: LeafQuestion, cut: Cut) -> tuple[object, ...]:
    at = cut.position(leaf.record)
    return (cut.cause, at.file, at.line) if at is not None else (cut.cause, cut.n)
