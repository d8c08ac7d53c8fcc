"""Notes turned into a Record: entries numbered, steps joined to the ops they belong to.

A step and its op are joined by the identity of their attributes: TensorFlow hands the very same tuple to the op
callback and to the gradient function. Function calls and custom gradients are joined by the note itself.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

from tfgrad import source
from tfgrad.see.record import Entry, Event, Failure, GradientCall, Leaf, Mark, Read, Record, Step, TapeState
from tfgrad.see.recording import asking
from tfgrad.see.recording.backward import SettledStep, StepNote, downstream_measures, gradients_of, upstream_measures
from tfgrad.see.recording.notes import CallNote, LeafNote, MarkNote, Notes, ReadNote, TapeNote


def record_of(notes: Notes, tape: int, blind: str) -> Record:
    """The Record for the tape with this serial number."""
    entries, leaves, keys = _Timeline(notes).decoded()
    marks = {(e.what, e.call): e.n for e in entries if isinstance(e, Mark) and e.what in ("call", "return")}
    counts = {e.n: (len(e.inputs), len(e.outputs)) for e in entries if isinstance(e, Event)}
    calls = tuple(_call(call, keys, marks, counts, notes.specs) for call in notes.calls)
    return Record(
        timeline=tuple(entries),
        calls=calls,
        leaves=leaves,
        tapes={serial: _state(note) for serial, note in notes.tapes.items()},
        tape=tape,
        blind=blind or notes.blind,
        lost=notes.lost,
        specs=dict(notes.specs),
        values=_values(notes, calls),
    )


class _Timeline:
    """Numbers the entries, merges a function call's event with its record, and finds which event claims an output."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.entries: list[Any] = []
        self.leaves: dict[int, Leaf] = {}
        self.keys: dict[int, int] = {}
        self.producers: dict[int, int] = {}
        self.running: list[int | None] = []

    def decoded(self) -> tuple[list[Entry], dict[int, Leaf], Mapping[int, int]]:
        for note in self.notes.log:
            n = len(self.entries)
            if type(note) is tuple:
                self._op(note, n)
            elif type(note) is MarkNote:
                self._mark(note)
                self.entries.append(Mark(n, note.what, note.tape, note.why, note.ids, note.code, note.lasti, note.call))
            elif type(note) is ReadNote:
                self.entries.append(Read(n, note.id, note.how, note.code, note.lasti, note.call, _alive(note)))
            elif type(note) is LeafNote:
                value = note.value() if isinstance(note.value, weakref.ref) else note.value
                self.leaves.setdefault(note.id, Leaf(note.id, note.kind, value, n, note.code, note.lasti))
        for key, (_, result) in self.notes.graph_attributes.items():
            if result in self.producers:
                self.keys[key] = self.producers[result]
        return [e if isinstance(e, (Mark, Read)) else Event(**e) for e in self.entries], self.leaves, self.keys

    def _mark(self, note: MarkNote) -> None:
        """Keeps which gradient() is running: its ops need not know where a tape asks that listens no more."""
        if note.what == "call":
            self.running.append(note.call)
        elif note.what == "return" and self.running:
            self.running.pop()

    def _op(self, note: tuple[Any, ...], n: int) -> None:
        op, ins, outs, attrs, code, lasti, stopped, scope, call, more = note
        call = self.running[-1] if call is None and self.running else call
        kind = more.kind if more is not None else "op"
        is_record = attrs == () and kind in ("function", "custom", "variable", "alias")
        earlier = [self.producers[i] for i in outs if i in self.producers]
        if is_record and kind == "function" and earlier and self.entries[earlier[0]]["kind"] == "function":
            self._merge(earlier[0], note)
            return
        for m in earlier:
            self.entries[m]["superseded_by"] = n
        self.entries.append(
            {
                **{"n": n, "op": op, "kind": kind, "inputs": ins, "outputs": outs, "attrs": attrs},
                **{"code": code, "lasti": lasti, "stopped": stopped, "scope": scope or "", "call": call},
                **{"graph_op": more.graph_op if more else None, "graph": more.graph if more else None},
                **{"recorded": is_record, "superseded_by": None},
            }
        )
        self.producers.update(dict.fromkeys(outs, n))
        self.keys[id(note) if is_record else id(attrs)] = n

    def _merge(self, n: int, note: tuple[Any, ...]) -> None:
        """A function call was executed, then recorded: one event, with the inputs that the record names."""
        event = self.entries[n]
        event["recorded"] = True
        event["inputs"] = note[1]
        event["graph"] = note[9].graph or event["graph"]
        self.keys[id(note)] = n


def _alive(note: ReadNote) -> Any:
    return note.array() if note.array is not None else note.scalar


def _state(note: TapeNote) -> TapeState:
    watched = {handle: reference() for handle, reference in note.watched.items()}
    return TapeState(note.serial, note.persistent, note.watch_accessed_variables, watched, note.first_id)


def _call(
    note: CallNote,
    keys: Mapping[int, int],
    marks: Mapping[tuple[str, int | None], int],
    counts: Mapping[int, tuple[int, int]],
    specs: Mapping[int, tuple[int, tuple[int | None, ...] | None]],
) -> GradientCall:
    steps = tuple(_step(step, keys, counts) for step in note.backward.steps) if note.backward is not None else ()
    spec = specs.get
    return GradientCall(
        number=note.number,
        tape=note.tape,
        method=note.method,
        target=asking.told(note.target, spec),
        sources=asking.told(note.sources, spec),
        unconnected=note.unconnected,
        seeded=note.seeded,
        traced=note.traced,
        answers=asking.answered(note.answers),
        failure=_failure(note, keys),
        steps=steps,
        released=note.released,
        after=note.after,
        begin=marks.get(("call", note.number), 0),
        end=marks.get(("return", note.number)),
        code=note.code,
        lasti=note.lasti,
    )


def _failure(note: CallNote, keys: Mapping[int, int]) -> Failure | None:
    if note.failure is None:
        return None
    kind, text, key, op, trail = note.failure
    event = keys.get(id(key)) if key is not None else None
    return Failure(kind, text, event, op, tuple(source.position(code, lasti) for code, lasti in trail))


def _step(step: StepNote | SettledStep, keys: Mapping[int, int], counts: Mapping[int, tuple[int, int]]) -> Step:
    event = keys.get(id(step.key)) if step.key else None
    ins, outs = counts[event] if event is not None else (len(gradients_of(step.downstream)), len(step.upstream))
    if isinstance(step, SettledStep):
        return Step(
            *(event, step.op, (None,) * ins, (None,) * outs),
            *((None,) * len(step.upstream), (None,) * len(step.downstream), step.skipped, step.has_gradient),
            *(step.upstream, step.downstream, {}, False),
        )
    downstream = tuple(gradients_of(step.downstream))
    return Step(
        event=event,
        op=step.op,
        # TensorFlow gives an empty list where a gradient needs none of the tensors.
        inputs=tuple(step.inputs) if step.inputs else (None,) * ins,
        outputs=tuple(step.outputs) if step.outputs else (None,) * outs,
        upstream=tuple(step.upstream),
        downstream=downstream,
        skipped=frozenset(step.skipped or ()),
        has_gradient=tuple(gradient is not None for gradient in downstream),
        upstream_measures=tuple(upstream_measures(step)),
        downstream_measures=tuple(downstream_measures(step)),
        captured=dict(step.captured or {}),
        kept=True,
    )


def _values(notes: Notes, calls: tuple[GradientCall, ...]) -> dict[int, Any]:
    """Every tensor that the record holds, by its id."""
    held = dict(notes.values)
    for call in calls:
        for step in call.steps:
            for tensor in (*step.inputs, *step.outputs, *step.upstream, *step.downstream):
                i = getattr(tensor, "_id", None)
                if i is not None:
                    held.setdefault(i, tensor)
    return held
