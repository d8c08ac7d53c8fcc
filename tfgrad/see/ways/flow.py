"""A Record as a graph, with what its tape tracked at each entry and which inputs a gradient comes back to.

The tape's own rule is simulated: an op is recorded if the tape is on, not stopped, and some input is tracked and of a
dtype that carries gradients; then its outputs are tracked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tfgrad.see.record import Event, GradientCall, Mark, Record
from tfgrad.see.ways import probe
from tfgrad.see.ways.cuts import CARRYING, FLOATING, READS, STOPS

_RESOURCE = 20


class Flow:
    """What a tape tracked, entry by entry.

    `off[n]` says why event n was not recorded ("" if the tape was on), `off_mark[n]` the entry that had switched it
    off, `tracked[n]` which inputs were tracked.
    """

    def __init__(self, record: Record, untrainable: frozenset[int] = frozenset()) -> None:
        self.record = record
        self.untrainable = untrainable
        self.state = record.tapes[record.tape]
        self.off: dict[int, str] = {}
        self.off_mark: dict[int, int | None] = {}
        self.tracked: dict[int, tuple[bool, ...]] = {}
        self.watched_at: dict[int, list[int]] = {}
        self.resets: list[int] = []
        self.forgotten: set[int] = set()
        self._seen = _seen_passes(record.calls)
        self._tried: dict[int, Sequence[bool] | None] = {}
        watches = (entry for entry in record.timeline if isinstance(entry, Mark) and entry.what == "watch")
        self.told = {i for mark in watches if mark.tape == record.tape for i in mark.ids}
        self._on, self._why, self._mark = False, "before", -1
        self._tracked: set[int] = set()
        for entry in record.timeline:
            if isinstance(entry, Mark) and entry.tape == record.tape:
                self._simulate_mark(entry)
            elif isinstance(entry, Event):
                self._simulate_event(entry)

    def _simulate_mark(self, mark: Mark) -> None:
        if mark.what == "on":
            self._on = True
        elif mark.what == "off":
            self._on, self._why, self._mark = False, mark.why, mark.n
            if mark.why == "reset":
                self.resets.append(mark.n)
                self.forgotten |= self._tracked
                self._tracked.clear()
        elif mark.what == "watch":
            for i in mark.ids:
                self.watched_at.setdefault(i, []).append(mark.n)
            self._tracked.update(mark.ids if self._on else ())

    def _simulate_event(self, event: Event) -> None:
        spared = self._only_looks_stopped(event)
        stopped = event.stopped and event.kind not in ("function", "custom") and not spared
        self.off[event.n] = self._why if not self._on else "stop_recording" if stopped else ""
        self.off_mark[event.n] = self._mark if self._mark >= 0 else None
        tracked = tuple(i in self._tracked or (self._on and self._watches_by_itself(i, spared)) for i in event.inputs)
        self.tracked[event.n] = tracked
        if event.kind == "alias":
            self._tracked.update(event.outputs if any(tracked) else ())
        elif self._on and not stopped:
            carried = any(there and self.carries(i) for there, i in zip(tracked, event.inputs, strict=True))
            offered = event.kind != "function" or event.recorded
            self._tracked.update(event.outputs if carried and offered else ())

    def _only_looks_stopped(self, event: Event) -> bool:
        """Whether it was tf.stop_gradient itself that stopped the recording, for its own op and the read before it."""
        if event.op in STOPS:
            return True
        used = [n for i in event.outputs for n in self.record.users.get(i, ())]
        return event.op in READS and bool(used) and self.event(used[0]).op in STOPS

    def _watches_by_itself(self, i: int, spared: bool) -> bool:
        """Whether a tape watches a Variable as soon as it is read; one that is not trainable only after watch().

        Read by tf.stop_gradient alone, a Variable is never met by the tape: it would be watched without that.
        """
        unmet = spared and self.is_handle(i) and i not in self.untrainable
        if not self.state.watch_accessed_variables or (i not in self.state.watched and not unmet):
            return False
        return not (i in self.untrainable and i in self.told)

    def carries(self, i: int) -> bool:
        """Whether a tensor's dtype carries gradients; True for one that was never seen."""
        spec = self.record.specs.get(i)
        return spec is None or spec[0] in CARRYING

    def floating(self, i: int) -> bool:
        """Whether a tensor is of a floating or complex dtype; True for one that was never seen."""
        spec = self.record.specs.get(i)
        return spec is None or spec[0] in FLOATING

    def is_handle(self, i: int) -> bool:
        """Whether a tensor is the handle of a Variable, a table, an iterator or the like."""
        spec = self.record.specs.get(i)
        return spec is not None and spec[0] == _RESOURCE

    def passes(self, event: Event, k: int) -> bool | None:
        """Whether the gradient of an event comes back to its k-th input; None where it can't be told."""
        seen = self._seen.get((event.n, k))
        if seen is not None:
            return seen
        if event.kind in ("variable", "alias") or event.op in READS:
            return True
        if event.op in STOPS:
            return False
        if event.kind in ("function", "custom"):
            return None
        if event.n not in self._tried:
            self._tried[event.n] = self._probed(event)
        answers = self._tried[event.n]
        return answers[k] if answers is not None and k < len(answers) else None

    def seen(self, event: Event, k: int) -> bool | None:
        """Whether a gradient came back to an event's k-th input when gradient() was called; None if it wasn't seen."""
        return self._seen.get((event.n, k))

    def _probed(self, event: Event) -> Sequence[bool] | None:
        if event.graph_op is not None:
            return probe.of_graph_op(event.graph_op)
        return probe.of_event(event.op, event.attrs, [self.record.specs.get(i, (1, None)) for i in event.inputs])

    def ancestors(self, ids: Iterable[int]) -> tuple[set[int], set[int]]:
        """All tensors that some tensors were computed from (themselves included), and the events that did it."""
        tensors: set[int] = set()
        events: set[int] = set()
        todo = list(ids)
        while todo:
            i = todo.pop()
            if i in tensors:
                continue
            tensors.add(i)
            n = self.record.producers.get(i)
            if n is not None:
                events.add(n)
                todo += self.event(n).inputs
        return tensors, events

    def event(self, n: int) -> Event:
        """The event of that number."""
        entry = self.record.timeline[n]
        assert isinstance(entry, Event)
        return entry


def _seen_passes(calls: Sequence[GradientCall]) -> dict[tuple[int, int], bool]:
    """What the backward passes showed: (event, input) -> whether a gradient came back to it."""
    found: dict[tuple[int, int], bool] = {}
    for step in (step for call in calls for step in call.steps):
        if step.event is None:
            continue
        asked = any(gradient is not None for gradient in (*step.upstream, *step.upstream_measures))
        for k, came in enumerate(step.has_gradient):
            if came:
                found[step.event, k] = True
            elif asked and k not in step.skipped:
                found.setdefault((step.event, k), False)
    return found
