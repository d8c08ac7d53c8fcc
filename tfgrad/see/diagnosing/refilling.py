"""A record of symbols filled with the numbers of one step: a traced gradient() call as if it had been run eagerly.

The numbers come from the part of the graph that is a pure function of what was copied in that step (`roots`: inputs,
reads of Variables, random draws, whatever has a state). What needs more than that stays unknown; nothing with an
effect is run a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from tfgrad import _tensorflow
from tfgrad.see import names, reasons
from tfgrad.see.explanation import Reason
from tfgrad.see.numbers import rerun, why_nonfinite
from tfgrad.see.question import Question
from tfgrad.see.record import Answer, Asked, GradientCall, Measure, Record, Step
from tfgrad.see.recording.measuring import measure
from tfgrad.see.tape import Tape

_NO_VALUE = (tf.resource, tf.variant)
_TINY = 1e-7


@dataclass(frozen=True)
class Roots:
    """Tensors of a graph from which a gradient() call follows, and the handles of Variables with a read of each."""

    tensors: tuple[Any, ...]
    handles: tuple[Any, ...]


def roots(graph: Any, tape: Tape, number: int) -> Roots:
    """The tensors of a graph from which everything in a gradient() call follows; adds reads of Variables to the graph.

    Args:
        graph: the graph that is being traced.
        tape: the tape that was asked.
        number: the number of the gradient() call.
    """
    record = tape.record
    needed = _needed(_wanted(record, _call(record, number), graph).values(), ())
    order = {op.name: k for k, op in enumerate(graph.get_operations())}
    tensors: dict[str, Any] = {}
    handles: dict[str, Any] = {}
    lost: set[str] = set()
    for op in sorted(needed, key=lambda op: order[op.name]):
        if op.type in _CALLS:
            handles.update(
                {tensor.name: tensor for tensor in op.inputs if _tensorflow.stored_dtype(tensor) is not None}
            )
        if _is_root(op) or not lost.isdisjoint(tensor.name for tensor in op.inputs):
            tensors.update({tensor.name: tensor for tensor in op.outputs if tensor.dtype not in _NO_VALUE})
            # A list of tensors can't be copied; what is made of it can.
            lost.update(tensor.name for tensor in op.outputs if tensor.dtype == tf.variant)
    reads = [tf.raw_ops.ReadVariableOp(resource=h, dtype=_tensorflow.stored_dtype(h)) for h in handles.values()]
    return Roots((*reads, *tensors.values()), tuple(handles.values()))


_CALLS = frozenset({"While", "If", "Case", "PartitionedCall", "StatefulPartitionedCall"})
_BODIES = ("body", "cond", "then_branch", "else_branch", "branches", "f")
_READS = frozenset({"ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VariableShape", "Assert"})


def _is_root(op: Any) -> bool:
    return op.type in ("Placeholder", "PlaceholderWithDefault") or (bool(op.op_def.is_stateful) and not _only_reads(op))


def _only_reads(op: Any) -> bool:
    """Whether an op is a loop, branch or call that does nothing beside computing and reading Variables."""
    if op.type not in _CALLS:
        return False
    bodies = _tensorflow.body_graphs(op, _BODIES)
    inside = [inner for body in bodies for inner in body.get_operations() if inner.op_def.is_stateful]
    return bool(bodies) and all(inner.type in _READS or _only_reads(inner) for inner in inside)


def _call(record: Record, number: int) -> GradientCall:
    return next(call for call in record.calls if call.number == number)


def _wanted(record: Record, call: GradientCall, graph: Any) -> dict[int, Any]:
    """All tensors of a graph that a call's record names: forward, and the gradients of its steps."""
    ops = [event.graph_op for event in record.events if event.n < call.begin and event.graph_op is not None]
    tensors = [tensor for op in ops for tensor in (*op.inputs, *op.outputs)]
    for step in call.steps:
        for gradient in (*step.inputs, *step.outputs, *step.upstream, *step.downstream):
            tensors += _parts(gradient)
    for answer in call.answers:
        tensors += _parts(answer.value)
    there = [tensor for tensor in tensors if getattr(tensor, "graph", None) is graph and tensor.dtype != tf.resource]
    return {_tensorflow.tensor_id(tensor): tensor for tensor in there}


def _parts(gradient: Any) -> list[Any]:
    if isinstance(gradient, tf.IndexedSlices):
        return [part for part in (gradient.values, gradient.indices, gradient.dense_shape) if part is not None]
    return [gradient] if isinstance(gradient, tf.Tensor) and not isinstance(gradient, _tensorflow.EagerTensor) else []


def _needed(tensors: Iterable[Any], given: Iterable[str]) -> list[Any]:
    """The ops that some tensors come of, in no order, roots included; not further back than tensors that are given."""
    known = set(given)
    todo = [tensor.op for tensor in tensors if tensor.name not in known]
    found: dict[str, Any] = {}
    while todo:
        op = todo.pop()
        if op.name in found:
            continue
        found[op.name] = op
        if not _is_root(op):
            todo += [tensor.op for tensor in op.inputs if tensor.name not in known]
    return list(found.values())


@dataclass(frozen=True)
class Told:
    """The reasons for all leaves of a call, and why its target is not finite where the gradients are."""

    reasons: Sequence[Reason]
    of_target: Reason | None


def explained(tape: Tape, number: int, given: Roots, values: Sequence[Any]) -> Told:
    """What is to be told of a traced call, from the values its roots had in one step; nothing if that fails."""
    try:
        return rerun.elsewhere(lambda: _explained(tape, number, given, values))
    # What can't be computed again can't be explained, and is not reported.
    except Exception:  # noqa: BLE001
        return Told((), None)


def _explained(tape: Tape, number: int, given: Roots, values: Sequence[Any]) -> Told:
    with tf.init_scope():
        record = tape.record
        call = _call(record, number)
        numbers = evaluated(_wanted(record, call, given.tensors[0].graph), given, values)
        stored = zip(given.handles, given.tensors, values, strict=False)
        captured = {
            _tensorflow.tensor_id(each): tf.constant(value, read.dtype)
            for handle, read, value in stored
            for each in (handle, _tensorflow.outermost(handle))
        }
        record, call = filled(record, call, numbers, captured)
        paths = names.paths(record, call, call.sources)
        question = Question(record, call, call.target, call.sources, call.answers, paths)
        return Told(reasons.explained(question).reasons, why_nonfinite.of_target(question))


def evaluated(wanted: Mapping[int, Any], given: Roots, values: Sequence[Any]) -> dict[int, Any]:
    """The values of tensors of a graph, by id, as far as they follow from those that are given."""
    graph = given.tensors[0].graph
    known = {t.name: tf.constant(value, t.dtype) for t, value in zip(given.tensors, values, strict=True)}
    stores = [tf.Variable(known[read.name]) for _, read in zip(given.handles, given.tensors, strict=False)]
    known.update({handle.name: store.handle for handle, store in zip(given.handles, stores, strict=True)})
    pure = _pure(_needed(wanted.values(), known), known)
    fetches = {i: t for i, t in wanted.items() if t.name not in known and t.op.name in pure}
    computed = _run(graph, pure.values(), known, [tensor.name for tensor in fetches.values()])
    found = dict(zip(fetches, computed, strict=True))
    found.update({i: known[tensor.name] for i, tensor in wanted.items() if tensor.name in known})
    return found


def _run(graph: Any, ops: Iterable[Any], known: Mapping[str, Any], names: Sequence[str]) -> Sequence[Any]:
    """The values of named tensors of a graph, computed by some of its ops from known ones."""
    whole = graph.as_graph_def()
    definition = tf.compat.v1.GraphDef(versions=whole.versions, library=whole.library)
    holders = {name: f"given_{k}" for k, name in enumerate(known)}
    for op in ops:
        node = definition.node.add()
        node.CopyFrom(op.node_def)
        del node.input[:]
        node.attr.pop("_class", None)
        for tensor in op.inputs:
            node.input.append(f"{holders[tensor.name]}:0" if tensor.name in holders else tensor.name)
    for name, holder in holders.items():
        node = definition.node.add(name=holder, op="Placeholder")
        node.attr["dtype"].type = known[name].dtype.as_datatype_enum

    def run(*arguments: Any) -> Any:
        inputs = {f"{holder}:0": argument for holder, argument in zip(holders.values(), arguments, strict=True)}
        return tf.graph_util.import_graph_def(definition, inputs, list(names))

    if not names:
        return []
    # Called as a tf.function, TensorFlow would warn that many of them are traced.
    found: Sequence[Any] = tf.function(run, autograph=False).get_concrete_function(*known.values())(*known.values())
    return found


def _pure(ops: Iterable[Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The ops all of whose past is known, by name."""
    found: dict[str, Any] = {}
    lost: set[str] = set()
    todo = list(ops)
    while todo:
        op = todo[-1]
        before = [tensor.op for tensor in op.inputs if tensor.name not in known]
        waiting = [each for each in before if each.name not in found and each.name not in lost]
        if _is_root(op) or any(each.name in lost for each in before):
            lost.add(op.name)
        elif waiting:
            todo += waiting
            continue
        else:
            found[op.name] = op
        todo.pop()
    return found


def filled(
    record: Record, call: GradientCall, values: Mapping[int, Any], captured: Mapping[int, Any]
) -> tuple[Record, GradientCall]:
    """The record and the call with eager tensors in place of symbols, and what the Variables had by their handles."""
    steps = tuple(replace(_step(step, values), captured=captured) for step in call.steps)
    largest = max((m.largest for step in steps for m in step.upstream_measures if m is not None), default=0.0)
    answers = tuple(_answer(answer, values, largest) for answer in call.answers)
    target = tuple(_asked(asked, values) for asked in call.target)
    concrete = replace(call, target=target, steps=steps, answers=answers, traced=False, released=False)
    calls = tuple(concrete if each.number == call.number else each for each in record.calls)
    return replace(record, calls=calls, values={**record.values, **values}), concrete


def _asked(asked: Asked, values: Mapping[int, Any]) -> Asked:
    """A target with its value in place of the symbol."""
    value = values.get(asked.ids[0]) if asked.kind == "tensor" else None
    return asked if value is None else replace(asked, ref=lambda: value)


def _step(step: Step, values: Mapping[int, Any]) -> Step:
    upstream = tuple(_value(gradient, values) for gradient in step.upstream)
    downstream = tuple(_value(gradient, values) for gradient in step.downstream)
    return replace(
        step,
        inputs=tuple(_value(tensor, values) for tensor in step.inputs),
        outputs=tuple(_value(tensor, values) for tensor in step.outputs),
        upstream=upstream,
        downstream=downstream,
        upstream_measures=tuple(_measure(gradient) for gradient in upstream),
        downstream_measures=tuple(_measure(gradient) for gradient in downstream),
    )


def _measure(gradient: Any) -> Measure | None:
    """The measure of a gradient, that of a list of tensors (a TensorArray of a graph) by its elements."""
    if not isinstance(gradient, tf.Tensor) or gradient.dtype != tf.variant:
        return measure(gradient)
    for dtype in (tf.float32, tf.float64, tf.float16, tf.bfloat16):
        try:
            return measure(tf.raw_ops.TensorListStack(input_handle=gradient, element_shape=-1, element_dtype=dtype))
        except tf.errors.InvalidArgumentError:
            continue
    return None


def _value(tensor: Any, values: Mapping[int, Any]) -> Any:
    """An eager tensor for a symbol, None where it is not known."""
    if isinstance(tensor, tf.IndexedSlices):
        parts = [values.get(_tensorflow.tensor_id(part)) for part in _parts(tensor)]
        return tf.IndexedSlices(*parts) if parts and all(part is not None for part in parts) else None
    if not _parts(tensor):
        return tensor
    return values.get(_tensorflow.tensor_id(tensor))


def _answer(answer: Answer, values: Mapping[int, Any], largest: float) -> Answer:
    gradient = _value(answer.value, values) if answer.state == "symbolic" else None
    found = measure(gradient) if gradient is not None else None
    if found is None:
        return answer
    state = "zero" if found.finite and found.largest <= _TINY * largest and found.size else found.state
    return Answer(state, answer.ids, found, lambda: gradient)


__all__ = ["Roots", "Told", "evaluated", "explained", "filled", "roots"]
