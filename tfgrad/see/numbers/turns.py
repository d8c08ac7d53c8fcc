"""A gradient() call as one graph: every op with its values forward and the gradients backward, tensors by number.

Made from a Record; a call of a traced function is one turn until `opened`, then the ops inside stand in its place.
Values that the record did not keep are computed again where that is possible and changes nothing.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from tfgrad.see.explanation import Place
from tfgrad.see.numbers import inside, rerun
from tfgrad.see.question import place_of
from tfgrad.see.record import Event, GradientCall, Leaf, Mark, Measure, Record, Step
from tfgrad.see.recording.measuring import array_of, measure
from tfgrad.source import of_graph_op

_SAME = ("variable", "alias")
_READS = frozenset({"ReadVariableOp", "Identity"})


@dataclass(eq=False)
class Turn:
    """An op in a gradient() call.

    `order` sorts turns in time: the number of the event, then the place inside a call. `up` and `down` are the
    measures of the gradients at its outputs and inputs (None: there is none), `upstream` and `downstream` the
    gradients themselves where they were kept. `skipped` are inputs whose gradient nobody asked for. `ran` is False for
    an op inside a function that could not be run again: nothing is known of its gradients.
    """

    order: tuple[int, int]
    op: str
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    up: tuple[Measure | None, ...]
    down: tuple[Measure | None, ...]
    upstream: tuple[Any, ...]
    downstream: tuple[Any, ...]
    skipped: frozenset[int] = frozenset()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    event: Event | None = None
    graph_op: Any = None
    step: Step | None = None
    ran: bool = True

    @property
    def is_transparent(self) -> bool:
        """Whether nothing is measured at it: a read or copy, a list of tensors, an op that could not be run again."""
        return self.kind in _SAME or not self.ran or self.op.startswith(("TensorList", "EmptyTensorList"))

    @property
    def largest_up(self) -> float | None:
        """The largest |gradient| that came in; None if none did."""
        there = [found.largest for found in self.up if found is not None]
        return max(there) if there else None

    @property
    def finite_up(self) -> bool:
        """Whether all gradients that came in are finite."""
        return all(found.finite for found in self.up if found is not None)

    def upstream_array(self, k: int = 0) -> np.ndarray | None:
        """The gradient at the k-th output."""
        return _array(self.upstream[k]) if k < len(self.upstream) else None

    def downstream_array(self, k: int) -> np.ndarray | None:
        """The gradient at the k-th input."""
        return _array(self.downstream[k]) if k < len(self.downstream) else None


class Turns:
    """All turns of a gradient() call, in time, with who makes and who uses each tensor."""

    def __init__(self, record: Record, turns: Iterable[Turn], values: dict[int, Any], variables: dict[int, Any]):
        self.record = record
        self.turns = sorted(turns, key=lambda turn: turn.order)
        self.values = values
        self.variables = variables
        self.notes: set[str] = set()

    @cached_property
    def users(self) -> dict[int, list[tuple[Turn, int]]]:
        """Tensor -> the turns that took it in, each with the place of the input."""
        found: dict[int, list[tuple[Turn, int]]] = {}
        for turn in self.turns:
            for k, i in enumerate(turn.inputs):
                found.setdefault(i, []).append((turn, k))
        return found

    @cached_property
    def makers(self) -> dict[int, Turn]:
        """Tensor -> the turn that made it: the op itself, not the call or rule that claimed it later."""
        found: dict[int, Turn] = {}
        for turn in self.turns:
            for i in turn.outputs:
                if i not in found or turn.kind != "custom":
                    found[i] = turn
        return found

    def upward(self, ids: Iterable[int]) -> set[int]:
        """All tensors that some tensors were computed from, themselves included."""
        found: set[int] = set()
        todo = list(ids)
        while todo:
            i = todo.pop()
            if i not in found:
                found.add(i)
                for turn in self._claiming.get(i, ()):
                    todo += turn.inputs
        return found

    @cached_property
    def learnt(self) -> set[int]:
        """The Variables and tensors that the tape watched."""
        record = self.record
        told = {i for mark in record.timeline if isinstance(mark, Mark) and mark.what == "watch" for i in mark.ids}
        return told | set(record.tapes[record.tape].watched)

    def downward(self, ids: Iterable[int]) -> set[int]:
        """All tensors that were computed from some tensors, themselves included."""
        found = set(ids)
        for turn in self.turns:
            if not found.isdisjoint(turn.inputs):
                found.update(turn.outputs)
        return found

    @cached_property
    def _claiming(self) -> dict[int, list[Turn]]:
        found: dict[int, list[Turn]] = {}
        for turn in self.turns:
            for i in turn.outputs:
                found.setdefault(i, []).append(turn)
        return found

    def array(self, i: int) -> np.ndarray | None:
        """The value of a float tensor as numbers, None if it can't be had."""
        if i not in self.values:
            rerun.elsewhere(lambda: self._fill(i))
        value = self.values.get(i)
        return _array(value) if value is not None else None

    def raw(self, i: int) -> Any:
        """The value of a tensor of any dtype, None if it can't be had."""
        if i not in self.values:
            rerun.elsewhere(lambda: self._fill(i))
        return self.values.get(i)

    def is_zero(self, ids: Iterable[int], tiny: float) -> bool:
        """Whether gradients come in on the way, and next to none comes back to some tensors."""
        came = [turn.largest_up or 0.0 for turn in self.turns if turn.finite_up]
        back = [turn.down[k] for i in ids for turn, k in self.users.get(i, ()) if k < len(turn.down)]
        there = [found for found in back if found is not None]
        largest = max((found.largest for found in there if found.finite), default=0.0)
        return bool(there) and bool(came) and largest <= tiny * max(came)

    def raw_here(self, i: int) -> Any:
        """As `raw`, for work that already is on a thread of its own."""
        self._fill(i)
        return self.values.get(i)

    def spec(self, i: int) -> tuple[int, tuple[int | None, ...] | None] | None:
        """The dtype, as TensorFlow's number for it, and the shape of a tensor; None if it was never seen."""
        value = self.values.get(i)
        if value is not None and i < 0:
            return value.dtype.as_datatype_enum, tuple(value.shape)
        return self.record.specs.get(i)

    def place(self, turn: Turn) -> Place | None:
        """The user's line of a turn: inside the traced function, else of the call."""
        event, graph_op = turn.event, turn.graph_op
        if (
            event is not None
            and event.call is not None
            and turn not in self.during
            and graph_op in (None, event.graph_op)
        ):
            event = self._differentiated(turn)
            graph_op = event.graph_op if event is not None else None
        if graph_op is not None:
            found = of_graph_op(graph_op)
            if found is not None:
                return place_of(found, op=turn.op)
        return place_of(self.record.position(event), op=turn.op) if event is not None else None

    def _differentiated(self, turn: Turn) -> Event | None:
        """For an op that ran in another tape's backward pass: the forward op that shares its tensors, else itself."""
        shared = set(turn.inputs) - set(self.record.leaves)
        forward = [
            event
            for event in self.record.events
            if event.call is None and event.n < turn.order[0] and event.kind == "op" and event.op not in _READS
        ]
        for ids in (shared, set(turn.inputs)):
            near = [event for event in forward if ids & {*event.inputs, *event.outputs}]
            alike = [event for event in near if turn.op.startswith(event.op)]
            if alike or near:
                return (alike or near)[-1]
        return turn.event

    def opened(self, turn: Turn) -> Turns | None:
        """These turns with the ops of a function call in place of the call; None if it can't be looked into."""
        event = turn.event
        if event is None or (event.graph is None and not _is_unrolled(event)):
            return None
        return rerun.elsewhere(lambda: self._open(turn, event))

    def _open(self, turn: Turn, event: Event) -> Turns | None:
        captured, given = (turn.step.captured, turn.step.inputs) if turn.step is not None else ({}, ())
        replay = inside.Replay(dict(self.values), {**self.variables, **captured})
        for number, value in zip(event.inputs, given, strict=False):
            if value is not None and value.dtype != tf.resource:
                replay.values[number] = value
        for i in event.inputs:
            self._fill(i)
            if i in self.values:
                replay.values.setdefault(i, self.values[i])
        try:
            if event.graph is None:
                numbers = replay.control_flow(event.graph_op, list(event.inputs))
            else:
                numbers = replay.forward(event.graph, event.inputs, len(event.outputs))
        except inside.TooLong:
            return None
        seeds = {
            number: gradient for number, gradient in zip(numbers, turn.upstream, strict=False) if gradient is not None
        }
        replay.backward(seeds)
        inner = [_inner_turn(turn, place, ran) for place, ran in enumerate(replay.ran, 1)]
        links = [_link(turn, place, i, o) for place, (i, o) in enumerate(zip(numbers, event.outputs, strict=False))]
        opened = Turns(
            self.record,
            [*(each for each in self.turns if each is not turn), *inner, *_with_gradients(links, turn, len(inner))],
            replay.values,
            replay.variables,
        )
        opened.during = self.during
        opened.notes = self.notes | ({"random"} if replay.drew else set()) | replay.unknown
        opened.broke = next((each for each, ran in zip(inner, replay.ran, strict=True) if ran is replay.broke), None)
        return opened

    broke: Turn | None = None
    # Ops that a rule ran, and differentiated, in the course of the call: tf.recompute_grad does.
    during: Sequence[Turn] = ()

    def _fill(self, wanted: int) -> None:
        """Computes a value again from what it was made of, as far as that goes."""
        todo, lacking = [wanted], set()
        while todo:
            i = todo.pop()
            turn = self.makers.get(i)
            if i in self.values or i in lacking or turn is None:
                continue
            lacking.add(i)
            todo += turn.inputs
        orders = {self.makers[i].order: self.makers[i] for i in lacking}
        queue = list(orders)
        heapq.heapify(queue)
        while queue:
            self._compute(orders[heapq.heappop(queue)])

    def _compute(self, turn: Turn) -> None:
        if turn.kind in _SAME or turn.op == "ReadVariableOp":
            value = self.variables.get(turn.inputs[0], self.values.get(turn.inputs[0]))
            outputs: Sequence[Any] = [value]
        else:
            inputs = [self.values.get(i) for i in turn.inputs]
            if turn.kind != "op" or any(value is None for value in inputs):
                return
            try:
                outputs = rerun.run(turn.op, turn.attributes, inputs).outputs
            # What can't be computed again stays unknown, whatever the reason.
            except Exception:  # noqa: BLE001
                return
        for i, value in zip(turn.outputs, outputs, strict=False):
            if value is not None:
                self.values.setdefault(i, value)


def _array(value: Any) -> np.ndarray | None:
    """A float tensor's numbers in a dtype that NumPy can work with; an IndexedSlices as what it stands for."""
    if isinstance(value, tf.IndexedSlices):
        numbers, shape = array_of(value), value.dense_shape
        if numbers is None or shape is None:
            return numbers
        full = np.zeros([int(n) for n in np.asarray(shape)], numbers.dtype)
        np.add.at(full, np.asarray(value.indices), numbers)
        return full
    numbers = array_of(value)
    if numbers is None or numbers.dtype.kind == "c" or numbers.dtype.itemsize >= 4:
        return numbers
    return numbers.astype(np.float32)


def _inner_turn(call: Turn, place: int, ran: inside.Inner) -> Turn:
    op = ran.graph_op
    return Turn(
        order=(call.order[0], place),
        op=op.type,
        kind="branch" if op.type in inside.CONTROL_FLOW else "op",
        inputs=ran.inputs,
        outputs=ran.outputs,
        up=tuple(measure(gradient) for gradient in ran.upstream),
        down=tuple(measure(gradient) for gradient in ran.downstream),
        upstream=ran.upstream,
        downstream=ran.downstream,
        attributes=inside.attributes(op),
        event=call.event,
        graph_op=op,
        ran=ran.back is not None,
    )


def _link(call: Turn, place: int, inner: int, outer: int) -> Turn:
    return Turn((call.order[0], place), "Identity", "alias", (inner,), (outer,), (), (), (), (), event=call.event)


def _with_gradients(links: Sequence[Turn], call: Turn, last: int) -> list[Turn]:
    """The links from a call's inner outputs to its outer ones, with the gradient that came in."""
    for k, link in enumerate(links):
        link.order = (link.order[0], last + 1 + k)
        link.upstream = link.downstream = call.upstream[k : k + 1]
        link.up = link.down = call.up[k : k + 1]
    return list(links)


def of_call(record: Record, call: GradientCall) -> Turns:
    """The turns of a gradient() call."""
    steps = {step.event: step for step in call.steps if step.event is not None}
    turns = [_turn(event, steps.get(event.n)) for event in record.events if event.n < call.begin and event.outputs]
    values, variables = _values(record, call)
    found = Turns(record, turns, values, variables)
    _pass_through(found, steps)
    found.during = _during(record, call, steps)
    return found


def _during(record: Record, call: GradientCall, steps: Mapping[int, Step]) -> list[Turn]:
    """The steps of ops that a rule ran again, each at the place of an op of its type that has none."""
    before = [event for event in record.events if event.n < call.begin and event.kind == "op" and event.n not in steps]
    found: list[Turn] = []
    for step in call.steps:
        alike = [event for event in before if event.op == step.op] if step.event is None else []
        if alike:
            before.remove(alike[-1])
            found.append(_turn(alike[-1], step))
    return found


def _turn(event: Event, step: Step | None) -> Turn:
    attrs, op = event.attrs or (), event.graph_op
    nothing: tuple[None, ...] = (None,) * len(event.outputs)
    return Turn(
        order=(event.n, 0),
        op=event.op,
        kind="function" if step and _is_unrolled(event) else event.kind if event.kind != "before" else "op",
        inputs=event.inputs,
        outputs=event.outputs,
        up=step.upstream_measures if step else nothing,
        down=step.downstream_measures if step else (None,) * len(event.inputs),
        upstream=step.upstream if step else nothing,
        downstream=step.downstream if step else (None,) * len(event.inputs),
        skipped=step.skipped if step else frozenset(),
        # In a graph the event's are protocol buffers.
        attributes=inside.attributes(op) if op is not None else dict(zip(attrs[::2], attrs[1::2], strict=False)),
        event=event,
        graph_op=op,
        step=step,
    )


def _is_unrolled(event: Event) -> bool:
    """Whether an event is a loop or branch of a graph, which is looked into like a function."""
    return event.graph_op is not None and event.op in inside.CONTROL_FLOW


def _pass_through(turns: Turns, steps: Mapping[int, Step]) -> None:
    """Gives reads of Variables and copies, which have no step of their own, the gradients of their users."""
    for turn in reversed(turns.turns):
        if (turn.kind not in _SAME and turn.op not in _READS) or turn.order[0] in steps:
            continue
        came = [
            (user.down[k], user.downstream[k])
            for i in turn.outputs[:1]
            for user, k in turns.users.get(i, ())
            if k < len(user.down) and user.down[k] is not None
        ]
        if not came:
            continue
        total = _total([gradient for _, gradient in came])
        found = measure(total) if total is not None else came[0][0]
        turn.up = turn.down = (found,)
        turn.upstream = turn.downstream = (total if total is not None else came[0][1],)


def _total(gradients: Sequence[Any]) -> Any:
    arrays = [_array(gradient) for gradient in gradients]
    there = [array for array in arrays if array is not None]
    if len(there) < len(arrays) or not there:
        return None
    if len(there) == 1:
        return gradients[0]
    with np.errstate(all="ignore"):
        summed = there[0]
        for array in there[1:]:
            if array.shape != summed.shape:
                return None
            summed = summed + array
    return rerun.elsewhere(lambda: tf.constant(summed))


def _values(record: Record, call: GradientCall) -> tuple[dict[int, Any], dict[int, Any]]:
    """What the record has of values: tensors by id, and values of Variables by their handle's id."""
    values: dict[int, Any] = {}
    variables: dict[int, Any] = {}
    for step in call.steps:
        event = record.timeline[step.event] if step.event is not None else None
        variables.update(step.captured)
        if not isinstance(event, Event):
            continue
        pairs = [*zip(event.inputs, step.inputs, strict=False), *zip(event.outputs, step.outputs, strict=False)]
        values.update({i: value for i, value in pairs if value is not None and value.dtype != tf.resource})
    for i in record.specs:
        value = record.value(i)
        if value is not None and i not in values and value.dtype != tf.resource:
            values[i] = value
    for asked in (*call.target, *call.sources):
        if asked.kind == "tensor" and asked.object is not None:
            values.setdefault(asked.ids[0], asked.object)
    _add_leaves(record, values, variables)
    return values, variables


def _add_leaves(record: Record, values: dict[int, Any], variables: dict[int, Any]) -> None:
    assigned = {i for event in record.events if event.op.startswith("Assign") for i in event.inputs[:1]}
    plain = [
        (i, leaf) for i, leaf in record.leaves.items() if leaf.kind in ("scalar", "ndarray", "list") and i not in values
    ]
    stores = {i: leaf.value for i, leaf in record.leaves.items() if leaf.kind == "variable"}
    stores |= {i: variable for state in record.tapes.values() for i, variable in state.watched.items()}

    def read() -> None:
        for i, leaf in plain:
            value = _constant(record, leaf)
            if value is not None:
                values[i] = value
        for i, variable in stores.items():
            if variable is not None and i not in assigned and i not in variables:
                variables[i] = tf.convert_to_tensor(variable)

    rerun.elsewhere(read)


def _constant(record: Record, leaf: Leaf) -> Any:
    """The tensor that a Python number, array or list became, None if the record does not have all of it."""
    dtype, shape = record.dtype(leaf.id), record.shape(leaf.id)
    if leaf.value is None or dtype is None or not (dtype.is_floating or dtype.is_integer or dtype.is_bool):
        return None
    if leaf.kind != "list":
        return tf.constant(leaf.value, dtype)
    numbers = np.asarray(leaf.value)
    if shape is None or None in shape or numbers.size != math.prod(n or 0 for n in shape):
        return None
    return tf.constant(numbers.reshape(shape), dtype)
