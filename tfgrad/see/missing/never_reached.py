"""Why a source never reached the target: another object was used, it was computed elsewhere, or it takes no part.

Told from structure where that is possible (what source and target were made from), else from the syntax around.
"""

from __future__ import annotations

from dataclasses import replace

import tensorflow as tf

from tfgrad.see import syntax
from tfgrad.see.explanation import Place, Reason
from tfgrad.see.missing import callers, cut_words, elsewhere
from tfgrad.see.question import LeafQuestion, place_of
from tfgrad.see.raising.why_error import inner_ops
from tfgrad.see.record import Asked, Event
from tfgrad.see.ways.cuts import ASSIGNING, NUMPY_CALLS
from tfgrad.source import of_graph_op


def reason(leaf: LeafQuestion, symptom: str) -> Reason:
    """The reason why nothing of the source is in the target."""
    for ask in (
        _one_call,
        _higher_order,
        _made_afterwards,
        _made_beside,
        _other_object,
        elsewhere.before_the_tape,
        _of_twin,
        elsewhere.perhaps_before_the_tape,
        elsewhere.on_another_thread,
        _branch,
        _in_python,
    ):
        found = ask(leaf, symptom)
        if found is not None:
            return found
    return _unconnected(leaf, symptom)


def _target(leaf: LeafQuestion) -> tuple[set[int], set[int]]:
    return leaf.flow.ancestors(leaf.question.target_ids)


def _maker(leaf: LeafQuestion) -> Event | None:
    """The event that made the source, None if it was made before the record began or is a Variable."""
    made = [leaf.record.producers[i] for i in leaf.ids if i in leaf.record.producers]
    return leaf.flow.event(made[0]) if made else None


def _one_call(leaf: LeafQuestion, symptom: str) -> Reason | None:
    """Source and target come out of the same call of a tf.function."""
    inside = _inner_tensor(leaf)
    if inside is not None:
        return leaf.reason(
            symptom,
            "function-boundary",
            where=leaf.place(inside),
            detail=f"{leaf.path} is a tensor inside the traced function, which has no value of its own outside it.",
        )
    maker = _maker(leaf)
    _, events = _target(leaf)
    if maker is None or maker.kind != "function" or maker.n not in events:
        return None
    return leaf.reason(
        symptom,
        "function-boundary",
        where=leaf.place(maker),
        detail=f"{leaf.path} and the target both come out of this call.",
    )


def _inner_tensor(leaf: LeafQuestion) -> Event | None:
    """The call of the traced function that a source is a tensor of."""
    source = leaf.asked.object
    if leaf.asked.kind != "tensor" or source is None or tf.executing_eagerly() is False or hasattr(source, "numpy"):
        return None
    graph = source.graph
    return next((event for event in leaf.record.events if event.kind == "function" and event.graph is graph), None)


def _higher_order(leaf: LeafQuestion, symptom: str) -> Reason | None:
    """The target comes out of a gradient() call that the source takes no part in."""
    tensors, events = _target(leaf)
    if not leaf.way.used:
        return None
    for call in reversed(leaf.record.calls):
        answers = {i for answer in call.answers for i in answer.ids}
        asked = {i for source in call.sources for i in source.ids}
        ran = {n for n in events if leaf.flow.event(n).call == call.number}
        if (answers & tensors or ran) and asked & set(leaf.ids):
            return leaf.reason(
                symptom,
                "higher-order",
                where=leaf.place(call),
                detail="The first derivative does not depend on it: it is constant, so the second one is None.",
                advice='ask for zeros: unconnected_gradients="zero"',
            )
    return _other_tapes_gradient(leaf, symptom, events)


def _other_tapes_gradient(leaf: LeafQuestion, symptom: str, events: set[int]) -> Reason | None:
    """The target comes out of the gradient() of a tape that is none of ours, which the source came before."""
    for n in sorted(n for n in events if n > leaf.way.used[0]):
        at = leaf.place(n)
        if at is not None and syntax.call_at(at.file, at.line, at.expression, _DERIVATIVES) is not None:
            detail = "The first derivative does not depend on it: it is constant, so the second one is None."
            advice = 'ask for zeros: unconnected_gradients="zero"'
            return leaf.reason(symptom, "higher-order", where=at, detail=detail, advice=advice)
    return None


_DERIVATIVES = ("gradient", "jacobian", "batch_jacobian")


def _made_afterwards(leaf: LeafQuestion, symptom: str) -> Reason | None:
    """The source is younger than the target: nothing can have been computed from it."""
    targets = leaf.question.target_ids
    if not leaf.ids or not targets or min(leaf.ids) < max(targets):
        return None
    detail = "It was made after the target, so the target was computed from another object."
    return leaf.reason(symptom, "rebound", where=cut_words.made_at(leaf) or _created_at(leaf), detail=detail)


def _created_at(leaf: LeafQuestion) -> Place | None:
    """Where a Variable was created, if the record saw its first value being put in."""
    first = next((n for i in leaf.ids for n in leaf.record.users.get(i, ())), None)
    return leaf.place(first) if first is not None and leaf.flow.event(first).op in ASSIGNING else None


def _made_beside(leaf: LeafQuestion, symptom: str) -> Reason | None:
    """The source was made from something that the target was made from as well, but not by way of the source."""
    maker = _maker(leaf)
    if maker is None:
        return None
    tensors, events = _target(leaf)
    own, _ = leaf.flow.ancestors(leaf.ids)
    shared = {i for i in own & tensors if _is_telling(leaf, i)} - set(leaf.ids)
    if not shared:
        return None
    first = min(n for n in events if set(leaf.flow.event(n).inputs) & shared) if events else None
    at = leaf.place(first) if first is not None else None
    again = _same_op(leaf, maker, events)
    detail = "The target was not computed from this object"
    if again is not None:
        detail += f": it was computed a second time here; line {again.line} had computed the one that was used."
    elif at is not None:
        detail += f", but from what this was made from: line {at.line}: {at.text}"
    return leaf.reason(symptom, "rebound", where=leaf.place(maker), detail=detail)


def _is_telling(leaf: LeafQuestion, i: int) -> bool:
    """Whether sharing a tensor means anything: constants, shapes and counts are shared by chance."""
    known = leaf.record.leaves.get(i)
    if known is not None and known.kind not in ("tensor", "variable"):
        return False
    return leaf.flow.floating(i) or leaf.flow.is_handle(i) or known is not None


def _same_op(leaf: LeafQuestion, maker: Event, events: set[int]) -> Place | None:
    for n in sorted(events):
        event = leaf.flow.event(n)
        same = event.op == maker.op and (
            event.inputs == maker.inputs or (bool(event.scope) and event.scope == maker.scope)
        )
        if same and n != maker.n:
            return leaf.place(event)
    return None


def _other_object(leaf: LeafQuestion, symptom: str) -> Reason | None:
    """A Variable of the same name and shape was used, but not this one."""
    if leaf.asked.kind not in ("variable", "keras-variable") or leaf.way.used:
        return None
    name = leaf.asked.name
    if not name or name.split(":")[0].rpartition("/")[2].startswith("Variable"):
        return None
    tensors, events = _target(leaf)
    for handle, variable in leaf.flow.state.watched.items():
        there = getattr(variable, "path", None) or getattr(variable, "name", "")
        same = str(there).removesuffix(":0") == name.removesuffix(":0") and tuple(variable.shape) == leaf.asked.shape
        if same and handle in tensors and handle not in leaf.ids:
            used = next((n for n in sorted(events) if handle in leaf.flow.event(n).inputs), None)
            detail = f"Another Variable named {name} was used, not this one."
            return leaf.reason(symptom, "rebound", where=leaf.place(used), detail=detail)
    return None


def _branch(leaf: LeafQuestion, symptom: str) -> Reason | None:
    """Something of the source was only read to take an `if` or `while`."""
    made = [leaf.record.producers[i] for i in leaf.question.target_ids if i in leaf.record.producers]
    before = [read for read in leaf.way.branches if not made or read.n < max(made)]
    if not before or leaf.way.reads:
        return None
    read = before[0]
    decided = next(iter(leaf.way.cuts([read.id])), None)
    if decided is not None:
        told = cut_words.told(leaf, symptom, decided)
        at = leaf.place(read)
        which = f" It only decides which way is taken, at line {at.line}." if at is not None else ""
        return replace(told, detail=told.detail + which, advice=cut_words.BRANCH_ADVICE)
    return leaf.reason(
        symptom,
        "nondifferentiable-op",
        where=leaf.place(read),
        chain=leaf.chain_to(read.n, read.id),
        detail="It only decides which way is taken.",
        advice=cut_words.BRANCH_ADVICE,
    )


def _in_python(leaf: LeafQuestion, symptom: str) -> Reason | None:
    """The target needs what a numpy_function or py_function answers, and that one uses the source by its name."""
    own = callers.own_names(leaf)
    for n in sorted(_target(leaf)[1]) if own else ():
        event = leaf.flow.event(n)
        ops = [op for op in inner_ops(event) if op.type in NUMPY_CALLS] if event.op not in NUMPY_CALLS else [None]
        for op in ops:
            where = leaf.place(event) if op is None else place_of(of_graph_op(op), op=op.type)
            if where is not None and _speaks_of(where, own):
                detail = f"What runs in there is Python or NumPy, which the tape can't see; {leaf.path} is used in it."
                advice = "write that part with TensorFlow's own ops, which carry gradients"
                return leaf.reason(symptom, "left-tensorflow", where=where, detail=detail, advice=advice)
    return None


def _speaks_of(where: Place, own: frozenset[str]) -> bool:
    """Whether the statement at a place, or a function of the file that it names, uses one of some names."""
    module = syntax.tree(where.file)
    statement = syntax.statement(module, where.line) if module is not None else None
    if module is None or statement is None:
        return False
    called = syntax.called(module, {name.rpartition(".")[2] for name in syntax.names(statement)}, where.line)
    return any(callers.speaks_of(node, own) for node in (statement, *called))


def _unconnected(leaf: LeafQuestion, symptom: str) -> Reason:
    if leaf.way.used and leaf.asked.trainable is False and not set(leaf.ids) & leaf.flow.told:
        detail = f"{leaf.path} has trainable=False, and what is read of it here does not reach the target either."
        return leaf.reason(symptom, "not-trainable", where=cut_words.used_at(leaf), detail=detail)
    if not leaf.way.used:
        where = cut_words.made_at(leaf) or _created_at(leaf) or leaf.place(leaf.call)
        detail = f"{leaf.path} is not used in what the tape recorded."
        return leaf.reason(symptom, "unconnected", where=where, detail=detail)
    last = leaf.way.used[-1]
    return leaf.reason(
        symptom,
        "unconnected",
        where=leaf.place(last),
        chain=leaf.chain_to(last, leaf.ids[0]),
        detail="It is used here, but nothing of that reaches the target.",
    )


def _of_twin(leaf: LeafQuestion, symptom: str) -> Reason | None:
    """The weights of another model were used, which are like those asked about, one for one."""
    asked = {i for other in leaf.question.sources for i in other.ids}
    twins = [_twin(leaf, other, asked) for other in leaf.question.sources]
    mine = twins[leaf.index]
    if leaf.way.used or mine is None or None in twins:
        return None
    name, where = mine
    detail = f"{leaf.path} is not used; the target was computed from {name}, which has the same shape."
    advice = f"was another model meant? use the one whose weights are asked about, or ask about those of {name}"
    return leaf.reason(symptom, "unconnected", where=where, detail=detail, advice=advice)


def _twin(leaf: LeafQuestion, source: Asked, asked: set[int]) -> tuple[str, Place] | None:
    """A weight like this source that the target came of, `b/dense/kernel` for `a/dense/kernel`, and its first use."""
    if source.kind != "keras-variable" or not source.name:
        return None
    tensors, events = _target(leaf)
    last = source.name.rpartition("/")[2]
    for handle, variable in leaf.flow.state.watched.items():
        there = str(getattr(variable, "path", None) or getattr(variable, "name", "")).removesuffix(":0")
        alike = tuple(variable.shape) == source.shape and there.rpartition("/")[2] == last
        if not alike or handle in asked or handle not in tensors:
            continue
        used = next((n for n in sorted(events) if handle in leaf.flow.event(n).inputs), None)
        where = leaf.place(used)
        if where is not None:
            return there, where
    return None
