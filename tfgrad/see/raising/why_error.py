"""Why gradient() raised: what it was given, a tape that was used up, an op without gradient or a rule that is wrong.

The arguments are looked at first, as TensorFlow's own messages about them seldom name what was wrong. Then the forward
op whose turn it was, and what TensorFlow said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from tfgrad import _tensorflow, wording
from tfgrad.see import rules_by_hand
from tfgrad.see.explanation import Place, Reason
from tfgrad.see.question import LeafQuestion, place_of
from tfgrad.see.raising import error_advice, wrong_arguments
from tfgrad.see.record import Event, Failure, GradientCall, Step
from tfgrad.see.ways.cuts import NUMPY_CALLS, Cut
from tfgrad.source import of_graph_op


def reason(leaf: LeafQuestion) -> Reason:
    """The cause of an exception that gradient() raised, or would raise."""
    if leaf.record.blind:
        return leaf.reason("unknown", "unknown", detail=leaf.record.blind)
    call = leaf.call
    if call is not None and call.after is not None:
        return _consumed(leaf, call, call.after)
    given = wrong_arguments.reason(leaf)
    if given is not None:
        return given
    if call is None or call.failure is None:
        return leaf.reason("unknown", "unknown", detail="gradient() was not asked this, so nothing was seen of it.")
    for look in (_wrong_rule, _no_gradient, _unsupported, _python, _singular):
        found = look(leaf, call, call.failure)
        if found is not None:
            return found
    return _other(leaf, call, call.failure)


def _consumed(leaf: LeafQuestion, call: GradientCall, after: int) -> Reason:
    first = next((each for each in leaf.record.calls if each.number == after), None)
    where, again = leaf.place(first), leaf.place(call)
    if where is None or again is None:
        detail = f"{call.method}() was called before on this tape, which used it up."
    elif (where.file, where.line) == (again.file, again.line):
        detail = f"The call at line {where.line} runs more than once, and the first time used the tape up."
    else:
        detail = f"The first call, at line {where.line}, used the tape up; the second is at line {again.line}."
    return leaf.reason("error", "tape-consumed", where=where, detail=detail)


def _wrong_rule(leaf: LeafQuestion, call: GradientCall, failure: Failure) -> Reason | None:
    """A rule of a custom_gradient that raised, was called wrongly, or answered a gradient of the wrong shape."""
    for step in call.steps:
        event = _event(leaf, step.event)
        if event is not None and (event.kind == "custom" or event.op in NUMPY_CALLS):
            told = _misshapen(leaf, event, step)
            if told is not None:
                return told
    event = _event(leaf, failure.event) or _too_few(leaf, failure)
    if event is None or event.kind != "custom" or event.op in NUMPY_CALLS:
        return None
    detail = _said(failure)
    where = _raised_inside(leaf, event, failure) or _rule(leaf, event)
    return leaf.reason(
        "error", "custom-gradient", where=where, detail=detail, advice=error_advice.for_rule(failure.text)
    )


def _too_few(leaf: LeafQuestion, failure: Failure) -> Event | None:
    """The rule whose answers did not suffice, by the name in TensorFlow's message (2.21), which comes from its C++."""
    found = re.search(r"Recorded operation '(\w+)' returned too (?:few|many) gradients", failure.text)
    alike = [event for event in leaf.record.events if found and event.kind == "custom" and event.op == found.group(1)]
    return alike[-1] if alike else None


def _misshapen(leaf: LeafQuestion, event: Event, step: Step) -> Reason | None:
    for k, gradient in enumerate(step.downstream[: len(event.inputs)]):
        needed = leaf.record.shape(event.inputs[k])
        shape = getattr(gradient, "shape", None)
        handle = leaf.flow.is_handle(event.inputs[k])
        if handle or needed is None or shape is None or shape.rank is None or shape.is_compatible_with(needed):
            continue
        detail = f"Argument {k} has shape {wording.shape(needed)}, the gradient answered for it {wording.shape(shape)}."
        if event.op in NUMPY_CALLS:
            return leaf.reason(
                "error",
                "left-tensorflow",
                where=leaf.place(event),
                detail=f"What runs in there is Python or NumPy, which the tape can't see. {detail}",
                advice="write that part with TensorFlow's own ops, which carry gradients",
            )
        advice = "return for each argument a gradient of that argument's own shape"
        return leaf.reason("error", "custom-gradient", where=_rule(leaf, event), detail=detail, advice=advice)
    return None


def _rule(leaf: LeafQuestion, event: Event) -> Place | None:
    return rules_by_hand.rule(leaf, Cut("custom-gradient", event.n)) or leaf.place(event)


def _raised_inside(leaf: LeafQuestion, event: Event, failure: Failure) -> Place | None:
    """The line of the user's rule that raised, if it was inside the rule."""
    return place_of(failure.trail[-1]) if failure.trail else None


def _no_gradient(leaf: LeafQuestion, call: GradientCall, failure: Failure) -> Reason | None:
    if failure.type != "LookupError":
        return None
    found = re.search(r"op type: (\w+)|no entry for: (\w+)", failure.text)
    op = next((part for part in found.groups() if part), "") if found else failure.op or ""
    event = _event(leaf, failure.event)
    where = _inner(leaf, event, lambda each: each.type == op) or leaf.place(event)
    detail = f"TensorFlow has no gradient for {op}."
    if event is not None and event.call is not None:
        forward = _differentiated(leaf, event)
        where = leaf.place(forward) or where
        again = leaf.place(event)
        line = f" at line {again.line}" if again is not None else ""
        detail = f"{op} came from the first derivative{line}; TensorFlow has no gradient for it, so no second one."
    return leaf.reason(
        "error",
        "no-gradient-registered",
        where=where,
        chain=_chain(leaf, event),
        detail=detail,
        advice=error_advice.NO_GRADIENT.get(op),
        op=op,
    )


def _differentiated(leaf: LeafQuestion, event: Event) -> Event | None:
    """The forward op whose gradient an op of the first derivative is."""
    name = event.op.replace("Grad", "")
    inner = next((call for call in leaf.record.calls if call.number == event.call), None)
    before = [each for each in leaf.record.events if inner is not None and each.n < inner.begin and each.call is None]
    return next((each for each in reversed(before) if each.op.startswith(name)), None) if name != event.op else None


def _unsupported(leaf: LeafQuestion, call: GradientCall, failure: Failure) -> Reason | None:
    event = _event(leaf, failure.event)
    parallel = call.method != "gradient" and re.search(r"pfor|vectoriz|parallel_iterations", failure.text)
    refused = failure.type == "NotImplementedError" or re.search(
        r"not (?:yet )?(?:implemented|supported|defined)|[Uu]nsupported", failure.text
    )
    if not parallel and not (refused and event is not None and event.kind != "custom"):
        return None
    advice = error_advice.PARALLEL if parallel else error_advice.UNSUPPORTED.get(event.op if event is not None else "")
    where = leaf.place(event) or _trail(failure) or leaf.place(call)
    return leaf.reason(
        "error",
        "unsupported",
        where=where,
        chain=_chain(leaf, event),
        detail=_said(failure),
        advice=advice,
        op=failure.op or "",
    )


def _trail(failure: Failure) -> Place | None:
    return place_of(failure.trail[-1]) if failure.trail else None


def _python(leaf: LeafQuestion, call: GradientCall, failure: Failure) -> Reason | None:
    event = _event(leaf, failure.event)
    if event is None or event.op not in NUMPY_CALLS:
        return None
    return leaf.reason(
        "error",
        "left-tensorflow",
        where=leaf.place(event),
        detail=f"What runs in there is Python or NumPy, which the tape can't see. {_said(failure)}",
        advice="write that part with TensorFlow's own ops, which carry gradients",
    )


_SINGULAR = re.compile(
    r"not invertible|singular|Cholesky decomposition was not successful|not positive|did not converge|decomposition",
    re.I,
)


def _singular(leaf: LeafQuestion, call: GradientCall, failure: Failure) -> Reason | None:
    """The gradient of an op that could not be computed at this point."""
    if not _SINGULAR.search(failure.text) or failure.event is None:
        return None
    event = _event(leaf, failure.event)
    op, where = failure.op or "", leaf.place(event)
    inner = _named_in(event, failure.text)
    if inner is not None:
        op, found = inner.type, of_graph_op(inner)
        where = place_of(found, op=op) or where
    return leaf.reason(
        "error",
        "singular-point",
        where=where,
        chain=_chain(leaf, event),
        detail=f"The gradient of {op} can't be computed at this point. {_said(failure)}",
        advice=error_advice.SINGULAR.get(op),
        op=op,
    )


def _other(leaf: LeafQuestion, call: GradientCall, failure: Failure) -> Reason:
    event = _event(leaf, failure.event)
    where = leaf.place(event) or _trail(failure) or leaf.place(call)
    turn = f" when it was the turn of {failure.op}" if failure.op else ""
    detail = f"{call.method}() raised {failure.type}{turn}: {wrong_arguments.said(failure.text)}"
    advice = "read TensorFlow's message: it is about this line"
    return Reason(leaf.path, "error", "unknown", where, _chain(leaf, event), detail, advice)


def _said(failure: Failure) -> str:
    return f"TensorFlow said: {wrong_arguments.said(failure.text)}"


def _event(leaf: LeafQuestion, n: int | None) -> Event | None:
    entry = leaf.record.timeline[n] if n is not None else None
    return entry if isinstance(entry, Event) else None


def _chain(leaf: LeafQuestion, event: Event | None) -> tuple[Place, ...]:
    if event is None or not leaf.ids:
        return ()
    came = next((i for i in event.inputs if i in leaf.way.status), None)
    return leaf.chain_to(event.n, came) if came is not None else ()


def _inner(leaf: LeafQuestion, event: Event | None, wanted: Callable[[Any], bool]) -> Place | None:
    """The line of an op inside a traced function, a branch or a loop."""
    found = next((op for op in inner_ops(event) if wanted(op)), None)
    return place_of(of_graph_op(found), op=found.type) if found is not None else None


def _named_in(event: Event | None, text: str) -> Any:
    """The op inside a traced function whose gradient TensorFlow's message is about.

    Source: the node that computes the gradient of `scope/op` is called `gradients/scope/op_grad/...` (TensorFlow 2.21).
    """
    names = re.findall(r"gradients(?:_\d+)?/([^\s'{}]+?)_grad(?=/)", text)
    for name in reversed(names):
        last = name.rpartition("/")[2]
        alike = [op for op in inner_ops(event) if op.name in (name, last) or op.name.endswith(f"/{last}")]
        if alike:
            return min(alike, key=lambda op: op.name != name)
    return None


def inner_ops(event: Event | None) -> Iterator[Any]:
    """The ops inside an event that runs a graph, those of its calls, branches and loops included."""
    if event is None:
        return
    todo = [event.graph] if event.graph is not None else []
    if event.graph_op is not None:
        todo += _bodies(event.graph_op)
    seen: set[int] = set()
    while todo:
        graph = todo.pop(0)
        if id(graph) in seen:
            continue
        seen.add(id(graph))
        for op in graph.get_operations():
            yield op
            todo += _bodies(op)


def _bodies(op: Any) -> list[Any]:
    return _tensorflow.body_graphs(op, ("f", "body", "then_branch", "else_branch", "branches"))
