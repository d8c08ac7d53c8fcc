"""The walk inside a traced graph: from the statuses of what goes into a tf.function to those of what comes out.

Control flow is followed into its branches and bodies. Tensors of a graph are known by their names in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tfgrad import _tensorflow
from tfgrad.see.ways import probe
from tfgrad.see.ways.cuts import ASSIGNING, LIVE, NUMPY_CALLS, READS, STATEFUL_SOURCES, STOPS, Cut, Status, combined

_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_BRANCHING = frozenset({"If", "StatelessIf", "Case", "StatelessCase"})
_LOOPS = frozenset({"While", "StatelessWhile"})
CONTROL_FLOW = _CALLS | _BRANCHING | _LOOPS
_ROUNDS = 4
_DEEPEST = 12

# Makes a cut at an op of the graph: (cause, graph op, note) -> Cut.
Cutting = Callable[[str, Any, str], Cut]
Statuses = dict[str, Status]


def through(
    graph: Any, entering: Sequence[Status | None], cutting: Cutting, depth: int = 0
) -> tuple[list[Status | None], list[Status | None]]:
    """The statuses of a graph's outputs, and of its inputs afterwards (a Variable may have been assigned to).

    Args:
        graph: a FuncGraph.
        entering: one status for each of its inputs; None where nothing of interest comes in.
        cutting: makes the cuts.
        depth: how many graphs this one is inside of.
    """
    statuses: Statuses = {
        tensor.name: status for tensor, status in zip(graph.inputs, entering, strict=False) if status is not None
    }
    if statuses and depth < _DEEPEST:
        for op in graph.get_operations():
            if op.type != "Placeholder" and any(tensor.name in statuses for tensor in op.inputs):
                visit(op, statuses, cutting, depth)
    return [statuses.get(t.name) for t in graph.outputs], [statuses.get(t.name) for t in graph.inputs]


def visit(op: Any, statuses: Statuses, cutting: Cutting, depth: int = 0) -> None:
    """Works out the statuses of one op's outputs from those of its inputs, and notes them."""
    arriving = [statuses.get(tensor.name) for tensor in op.inputs]
    if op.type in ASSIGNING:
        _assign(op, arriving, statuses, cutting)
        return
    outputs = _control_flow(op, arriving, statuses, cutting, depth) if op.type in CONTROL_FLOW else None
    if outputs is None:
        outputs = _ordinary(op, arriving, cutting)
    for tensor, status in zip(op.outputs, outputs, strict=False):
        if status is not None:
            statuses[tensor.name] = status


def _assign(op: Any, arriving: list[Status | None], statuses: Statuses, cutting: Cutting) -> None:
    values = [status for status in arriving[1:] if status is not None]
    if values:
        stored = [status or frozenset({cutting("state", op, "")}) for status in values]
        statuses[op.inputs[0].name] = combined(stored)


def _ordinary(op: Any, arriving: list[Status | None], cutting: Cutting) -> list[Status | None]:
    passing = _passing(op)
    parts: list[Status] = []
    for k, status in enumerate(arriving):
        if status is None:
            continue
        cause = "" if status else _cause(op, k, passing)
        parts.append(frozenset({cutting(cause, op, "")}) if cause else status)
    met = combined(parts)
    return [_of_output(op, tensor, met, cutting) for tensor in op.outputs]


def _passing(op: Any) -> Sequence[bool] | None:
    if op.type in READS or op.type in STOPS:
        return None
    return probe.of_graph_op(op)


def _cause(op: Any, k: int, passing: Sequence[bool] | None) -> str:
    """Why an op hands no gradient to a live input; empty if it does, or it can't be told."""
    if op.type in STOPS:
        return "stop-gradient"
    if op.type in NUMPY_CALLS and op.type != "EagerPyFunc":
        return "left-tensorflow"
    if op.type in STATEFUL_SOURCES:
        return "state"
    if not probe.carries_gradient(op.inputs[k]):
        return "integer-dtype"
    if passing is None or k >= len(passing) or passing[k]:
        return ""
    if op.type == "Cast":
        return "integer-dtype"
    return "custom-gradient" if probe.is_custom_gradient(op) else "nondifferentiable-op"


def _of_output(op: Any, tensor: Any, met: Status, cutting: Cutting) -> Status:
    if met or probe.carries_gradient(tensor):
        return met
    return frozenset({cutting("integer-dtype" if op.type == "Cast" else "nondifferentiable-op", op, "")})


def _control_flow(
    op: Any, arriving: list[Status | None], statuses: Statuses, cutting: Cutting, depth: int
) -> list[Status | None] | None:
    """The outputs of a call, a branch or a loop; None where a body's graph is not to be had."""
    names = ("body",) if op.type in _LOOPS else ("f", "then_branch", "else_branch", "branches")
    graphs = _tensorflow.body_graphs(op, names)
    if not graphs:
        return None
    if op.type in _LOOPS:
        return _loop(op, graphs[0], arriving, statuses, cutting, depth)
    first = 1 if op.type in _BRANCHING else 0
    answers: list[list[Status | None]] = []
    for graph in graphs:
        outputs, inputs = through(graph, arriving[first:], cutting, depth + 1)
        answers.append(outputs)
        _remember(op.inputs[first:], inputs, statuses)
    joined = [_joined(column) for column in zip(*answers, strict=False)]
    return _with_predicate(op, arriving[0], joined, cutting) if first else joined


def _joined(column: Sequence[Status | None]) -> Status | None:
    there = [status for status in column if status is not None]
    return combined(there) if there else None


def _with_predicate(
    op: Any, predicate: Status | None, joined: list[Status | None], cutting: Cutting
) -> list[Status | None]:
    """A value that only decides a branch reaches its outputs, but no gradient comes back."""
    if predicate is None:
        return joined
    decided = predicate or frozenset({cutting("nondifferentiable-op", op, "branch")})
    return [decided if status is None else status for status in joined]


def _loop(
    op: Any, body: Any, arriving: list[Status | None], statuses: Statuses, cutting: Cutting, depth: int
) -> list[Status | None]:
    entering = list(arriving)
    leaving: list[Status | None] = list(arriving)
    for _ in range(_ROUNDS):
        leaving, stored = through(body, entering, cutting, depth + 1)
        _remember(op.inputs, stored, statuses)
        again = [_joined([*_there(before), *_there(after)]) for before, after in zip(entering, leaving, strict=False)]
        if again == entering:
            break
        entering = again
    return leaving


def _remember(handles: Sequence[Any], stored: Sequence[Status | None], statuses: Statuses) -> None:
    """What was put into Variables inside a body is in them afterwards."""
    for tensor, status in zip(handles, stored, strict=False):
        if status:
            statuses.setdefault(tensor.name, status)


def _there(status: Status | None) -> list[Status]:
    return [] if status is None else [status]


def first_use(graph: Any, k: int) -> Any:
    """The op of a graph that first takes in its k-th input, followed into calls; None if there is none."""
    if k >= len(graph.inputs):
        return None
    wanted = {graph.inputs[k].name}
    for op in graph.get_operations():
        places = [j for j, tensor in enumerate(op.inputs) if tensor.name in wanted]
        if not places or op.type == "Placeholder":
            continue
        if op.type in READS or op.type == "Identity":
            wanted.add(op.outputs[0].name)
            continue
        bodies = _tensorflow.body_graphs(op, ("f",)) if op.type in _CALLS else []
        return (first_use(bodies[0], places[0]) if bodies else None) or op
    return None


__all__ = ["CONTROL_FLOW", "LIVE", "first_use", "through", "visit"]
