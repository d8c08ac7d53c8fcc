"""One walk: where the value of a leaf went through a Record, and where its gradient was cut.

Entries are taken in time. A tensor is live while a gradient comes back from it, else it carries the first cuts that
its value has been through; what never had to do with the leaf has no status.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tfgrad.see.record import Event, GradientCall, Mark, Read
from tfgrad.see.ways import graph_cuts, left
from tfgrad.see.ways.cuts import ASSIGNING, LIVE, NUMPY_CALLS, STATEFUL_SOURCES, STOPS, Cut, Status, combined, in_time
from tfgrad.see.ways.flow import Flow


@dataclass
class Way:
    """What a walk found.

    `used` are the entries that took the leaf in, `reads` those that read something of it as a number, `branches`
    those that read it to take an `if` or `while`.
    """

    ids: tuple[int, ...]
    status: dict[int, Status] = field(default_factory=dict)
    used: list[int] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    branches: list[Read] = field(default_factory=list)
    came: dict[int, tuple[int, int]] = field(default_factory=dict)

    def path(self, i: int) -> list[int]:
        """The entries that the value passed from the leaf up to the making of tensor i."""
        numbers: list[int] = []
        seen: set[int] = set()
        while i in self.came and i not in seen:
            seen.add(i)
            n, i = self.came[i]
            numbers.append(n)
        return numbers[::-1]

    def live(self, ids: Iterable[int]) -> bool:
        """Whether a gradient comes back from any of these tensors."""
        return any(self.status.get(i) == LIVE for i in ids)

    def cuts(self, ids: Iterable[int]) -> list[Cut]:
        """The cuts that these tensors have been through, in time."""
        found = {cut for i in ids for cut in self.status.get(i, ())}
        return sorted(found, key=in_time)


def follow(flow: Flow, ids: Sequence[int], target_ids: Sequence[int] = ()) -> Way:
    """The way of the value that these tensors hold, through the whole record."""
    return _Walk(flow, ids).run(target_ids)


class _Walk:
    def __init__(self, flow: Flow, ids: Sequence[int]) -> None:
        self.flow = flow
        self.record = flow.record
        self.way = Way(tuple(ids), dict.fromkeys(ids, LIVE))
        self.same = set(ids)
        self.links = left.Links(flow.record)
        self.linked: dict[int, Status | None] = {}
        self.inside: dict[tuple[int, Any], int] = {}

    def run(self, target_ids: Sequence[int]) -> Way:
        """The whole walk; the target may itself be a number that came back."""
        users = [n for i in self.way.ids for n in self.record.users.get(i, ())]
        reads = [read.n for read in self.record.reads if read.id in self.way.status]
        begins = [call.begin for call in self.record.calls]
        for entry in self.record.timeline[min([*users, *reads, *begins], default=0) :]:
            if isinstance(entry, Event):
                self._event(entry)
            elif isinstance(entry, Read):
                self._read(entry)
            elif entry.what == "return":
                self._answered(entry)
        self._came_back(target_ids)
        return self.way

    def _read(self, read: Read) -> None:
        if read.id not in self.way.status or read.call is not None:
            return
        if read.how in ("__bool__", "branch"):
            self.way.branches.append(read)
        else:
            self.way.reads.append(read)

    def _answered(self, mark: Mark) -> None:
        """A gradient() call of some tape: its answers come of its target, by ops that need not be on the record."""
        call = next((call for call in self.record.calls if call.number == mark.call), None)
        if call is None:
            return
        asked = [i for leaf in (*call.target, *call.sources) for i in leaf.ids]
        came = next((i for i in asked if i in self.way.status), None)
        if came is None:
            return
        recorded = self._recorded_during(call)
        for i in (i for answer in call.answers for i in answer.ids):
            if i not in self.way.status:
                note = "constant" if recorded else "outside"
                self._set(i, frozenset({Cut("higher-order", call.begin, came, note)}), call.begin, came)

    def _recorded_during(self, call: GradientCall) -> bool:
        """Whether the asked tape was recording while another tape's gradient() ran."""
        on = False
        for entry in self.record.timeline[: call.begin]:
            if isinstance(entry, Mark) and entry.tape == self.record.tape and entry.what in ("on", "off"):
                on = entry.what == "on"
        return on

    def _event(self, event: Event) -> None:
        if self.way.reads:
            self._came_back(event.inputs)
        status = self.way.status
        arriving = [(k, i) for k, i in enumerate(event.inputs) if i in status]
        claimed = event.kind == "custom" and any(i in status for i in event.outputs)
        if not arriving and not claimed:
            return
        if any(i in self.same for _, i in arriving):
            self.way.used.append(event.n)
        if event.kind == "alias":
            self._alias(event, arriving)
        elif event.op in ASSIGNING or not event.outputs:
            self._assign(event, arriving)
        elif event.kind == "custom":
            self._custom(event, arriving)
        elif event.kind == "function" and event.graph is not None:
            self._function(event, arriving)
        elif event.graph_op is not None and event.op in graph_cuts.CONTROL_FLOW:
            self._control_flow(event, arriving)
        else:
            self._ordinary(event, arriving)

    def _set(self, i: int, status: Status, n: int, came: int) -> None:
        self.way.status[i] = status
        if i != came:
            self.way.came[i] = (n, came)

    def _alias(self, event: Event, arriving: list[tuple[int, int]]) -> None:
        for _, i in arriving:
            for output in event.outputs[:1]:
                self._set(output, self.way.status[i], event.n, i)
                self.same.update((output,) if i in self.same else ())

    def _assign(self, event: Event, arriving: list[tuple[int, int]]) -> None:
        """A value put into a Variable, table, queue or iterator: what is read from there later starts anew."""
        kept = [i for i in event.inputs if self.flow.is_handle(i) and i not in self.same]
        values = [i for _, i in arriving if i not in kept]
        if not values or not kept:
            return
        stored = combined(self.way.status[i] or frozenset({Cut("state", event.n, i)}) for i in values)
        for i in (*kept, *event.outputs):
            if self.way.status.get(i) != LIVE:
                self._set(i, stored | self.way.status.get(i, stored), event.n, values[0])

    def _ordinary(self, event: Event, arriving: list[tuple[int, int]]) -> None:
        parts = [(i, self._gated(event, k, i)) for k, i in arriving]
        met = [(i, status) for i, status in parts if status is not None]
        if met:
            self._outputs(event, met)

    def _outputs(self, event: Event, met: list[tuple[int, Status]]) -> None:
        joined = combined(status for _, status in met)
        # The chain goes on along an input that is live, else along the one whose cut came first.
        came = next((i for i, status in met if not status), None) if not joined else None
        came = met[0][0] if came is None else came
        for output in event.outputs:
            status = joined
            if not joined and not self.flow.carries(output):
                cause = "integer-dtype" if event.op == "Cast" else "nondifferentiable-op"
                status = frozenset({Cut(cause, event.n, came, "output")})
            self._set(output, status, event.n, came)

    def _gated(self, event: Event, k: int, i: int) -> Status | None:
        """The status with which an input's value goes on; None where a later entry decides."""
        before = self.way.status[i]
        if before:
            return self._differentiated(event, k, i, before)
        cut = self._not_recorded(event, k, i)
        if cut is not None:
            return None if event.superseded_by is not None and event.kind == "op" else frozenset({cut})
        cause, note = self._cause(event, k, i)
        return frozenset({Cut(cause, event.n, i, note)}) if cause else LIVE

    def _differentiated(self, event: Event, k: int, i: int, before: Status) -> Status:
        """What ran outside the tape and was differentiated there: the gradient() call is what the user would move."""
        off = self.flow.off[event.n]
        if event.call is None or off in ("", "stop_recording") or any(cut.cause != "outside-tape" for cut in before):
            return before
        return frozenset({Cut("higher-order", event.n, i, "outside")})

    def _not_recorded(self, event: Event, k: int, i: int) -> Cut | None:
        """The cut at an event that the tape did not record, or not for this input."""
        off = self.flow.off[event.n]
        if off:
            if event.call is not None:
                return Cut("higher-order", event.n, i, "outside")
            return Cut("outside-tape", event.n, i, off, self.flow.off_mark[event.n])
        if not self.flow.tracked[event.n][k]:
            return self._untracked(event, i)
        missed = event.kind == "function" and not event.recorded and any(map(self.flow.carries, event.outputs))
        if missed and self.flow.carries(i):
            return Cut("outside-tape", event.n, i, "stop_recording", self.flow.off_mark[event.n])
        return None

    def _untracked(self, event: Event, i: int) -> Cut:
        if i in self.flow.forgotten or (self.flow.resets and i not in self.same):
            return Cut("outside-tape", event.n, i, "reset", self.flow.resets[-1])
        later = next((n for n in self.flow.watched_at.get(i, ()) if n > event.n), None)
        inside = graph_cuts.first_use(event.graph, event.inputs.index(i)) if event.graph is not None else None
        if later is not None:
            return Cut("unwatched", event.n, i, "late", later, graph_op=inside)
        return Cut("unwatched", event.n, i, graph_op=inside)

    def _cause(self, event: Event, k: int, i: int) -> tuple[str, str]:
        """Why a recorded op hands no gradient to an input, and a note; empty if it does, or it can't be told."""
        if not self.flow.carries(i):
            return "integer-dtype", "input"
        if event.op in STOPS:
            return "stop-gradient", ""
        if event.op in STATEFUL_SOURCES:
            return "state", ""
        if self.flow.passes(event, k) is not False:
            return "", ""
        if event.op in NUMPY_CALLS:
            return "left-tensorflow", ""
        if event.call is not None:
            return "higher-order", "constant"
        return ("integer-dtype", "output") if event.op == "Cast" else ("nondifferentiable-op", "")

    def _custom(self, event: Event, arriving: list[tuple[int, int]]) -> None:
        """A rule written by hand takes the place of what the ops inside it said about its outputs."""
        if self.flow.off[event.n] or not any(self.flow.tracked[event.n]):
            return
        met: list[tuple[int, Status]] = []
        for k, i in arriving:
            before = self.way.status[i]
            cut = None if before else self._not_recorded(event, k, i)
            if not before and cut is None and self.flow.passes(event, k) is False:
                numpy = event.op in NUMPY_CALLS
                cut = Cut("left-tensorflow" if numpy else "custom-gradient", event.n, i)
            met.append((i, before if cut is None else frozenset({cut})))
        if not met:
            inner = next(i for i in event.outputs if i in self.way.status)
            closure = Cut("custom-gradient", event.n, self.way.came.get(inner, (0, inner))[1], "closure")
            met.append((closure.input, self.way.status[inner] or frozenset({closure})))
        self._outputs(event, met)

    def _function(self, event: Event, arriving: list[tuple[int, int]]) -> None:
        entering: list[Status | None] = [None] * len(event.inputs)
        for k, i in arriving:
            before = self.way.status[i]
            cut = None if before else self._not_recorded(event, k, i)
            entering[k] = before if cut is None else frozenset({cut})

        def cutting(cause: str, op: Any, note: str) -> Cut:
            return self._cut_inside(cause, event.n, arriving[0][1], note, op)

        leaving, afterwards = graph_cuts.through(event.graph, entering, cutting)
        self._believed(event, [k for k, _ in arriving if entering[k] == LIVE], leaving)
        for output, status in zip(event.outputs, leaving, strict=False):
            if status is not None:
                self._set(output, status, event.n, arriving[0][1])
        for handle, status in zip(event.inputs, afterwards, strict=False):
            if status and handle not in self.way.status:
                self._set(handle, status, event.n, arriving[0][1])

    def _cut_inside(self, cause: str, n: int, came: int, note: str, op: Any) -> Cut:
        self.inside.setdefault((n, op), len(self.inside))
        return Cut(cause, n, came, note, order=self.inside[n, op], graph_op=op)

    def _believed(self, event: Event, alive: list[int], leaving: list[Status | None]) -> None:
        """What the backward pass showed of the inputs that came in alive goes before what the graph tells."""
        seen = [self.flow.seen(event, k) for k in alive]
        live = [j for j, status in enumerate(leaving) if status == LIVE]
        if any(seen) and not live:
            for j, status in enumerate(leaving):
                leaving[j] = LIVE if status is not None else None
        elif seen and all(came is False for came in seen) and live:
            for j in live:
                leaving[j] = frozenset({Cut("unknown", event.n, event.inputs[alive[0]], "function")})

    def _control_flow(self, event: Event, arriving: list[tuple[int, int]]) -> None:
        op = event.graph_op
        statuses: graph_cuts.Statuses = {}
        for k, i in arriving:
            before = self.way.status[i]
            cut = None if before else self._not_recorded(event, k, i)
            statuses[op.inputs[k].name] = before if cut is None else frozenset({cut})

        def cutting(cause: str, inner: Any, note: str) -> Cut:
            return self._cut_inside(cause, event.n, arriving[0][1], note, inner)

        graph_cuts.visit(op, statuses, cutting)
        for output, tensor in zip(event.outputs, op.outputs, strict=False):
            if tensor.name in statuses:
                self._set(output, statuses[tensor.name], event.n, arriving[0][1])

    def _came_back(self, ids: Iterable[int]) -> None:
        """Leaves made from numbers that had been read from something of the source."""
        for i in ids:
            if i in self.way.status or i in self.record.producers:
                continue
            if i not in self.linked:
                self.linked[i] = self._link(i)
            status = self.linked[i]
            if status is not None:
                self.way.status[i] = status

    def _link(self, i: int) -> Status | None:
        leaf = self.record.leaves.get(i)
        read = self.links.read_behind(leaf, self.way.reads) if leaf is not None else None
        if leaf is None or read is None:
            return None
        self.way.came[i] = (read.n, read.id)
        return self.way.status[read.id] or frozenset({Cut("left-tensorflow", read.n, read.id, leaf.kind, i)})
