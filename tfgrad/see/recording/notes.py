"""What is written down while a program runs: as little as can be, in the order it happened.

`Notes` is one list of entries. An op is a bare tuple, since there is one for every op that runs; everything rarer is
a small object. `see.playback` turns notes into a `Record`; nothing here is decoded, and no tensor is kept alive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from tfgrad.see.recording.backward import Backward

# (op, input ids, output ids, attrs, code, lasti, stopped, scope, number of the gradient() call, More or None)
OpNote: TypeAlias = tuple[Any, ...]


class More(NamedTuple):
    """What only some ops need: their kind (see `record.Event`), their op in a graph, the graph they call."""

    kind: str
    graph_op: Any
    graph: Any


@dataclass(slots=True)
class MarkNote:
    """Something that was done to a tape; see `record.Mark`."""

    what: str
    tape: int
    why: str
    ids: tuple[int, ...]
    code: Any
    lasti: int
    call: int | None


@dataclass(slots=True)
class ReadNote:
    """A value that left TensorFlow; `array` is a weak reference to the ndarray, `scalar` the number."""

    id: int
    how: str
    code: Any
    lasti: int
    call: int | None
    array: Any
    scalar: Any


@dataclass(slots=True)
class LeafNote:
    """A tensor that came from elsewhere; `value` is a number, a list of numbers, or a weak reference."""

    id: int
    kind: str
    value: Any
    code: Any
    lasti: int


@dataclass(slots=True)
class CallNote:
    """A gradient() call, filled in when it returns or raises; see `record.GradientCall`.

    `target`, `sources` and `answers` are as `asking.jotted` and `asking.answers` put them down.
    """

    number: int
    tape: int
    method: str
    target: tuple[Any, ...]
    sources: tuple[Any, ...]
    unconnected: str
    seeded: bool
    traced: bool
    after: int | None
    code: Any
    lasti: int
    answers: tuple[Any, ...] = ()
    failure: tuple[str, str, Any, str | None, tuple[Any, ...]] | None = None
    backward: Backward | None = None
    released: bool = False


@dataclass(slots=True)
class TapeNote:
    """What is to be known of a tape: `watched` are handle ids with weak references to the Variables."""

    serial: int
    persistent: bool
    watch_accessed_variables: bool
    watched: dict[int, Any] = field(default_factory=dict)
    first_id: int | None = None


@dataclass(eq=False, slots=True)
class Notes:
    """All that was written down on one thread, from when a Tape began to listen until none did."""

    log: list[Any] = field(default_factory=list)
    specs: dict[int, tuple[int, tuple[int | None, ...] | None]] = field(default_factory=dict)
    calls: list[CallNote] = field(default_factory=list)
    tapes: dict[int, TapeNote] = field(default_factory=dict)
    graph_attributes: dict[int, tuple[Any, int]] = field(default_factory=dict)
    values: dict[int, Any] = field(default_factory=dict)
    blind: str = ""
    lost: int = 0

    def follow(self, earlier: Notes) -> None:
        """Put the notes of a tape that listens again in front: they are older than all of these."""
        self.log[:0] = earlier.log
        self.calls[:0] = earlier.calls
        self.specs.update(earlier.specs)
        self.tapes.update(earlier.tapes)
        self.graph_attributes.update(earlier.graph_attributes)
        self.values.update(earlier.values)
        self.blind = self.blind or earlier.blind
        self.lost += earlier.lost

    def forget_before(self, marks: set[int]) -> None:
        """Let go what happened before the first mark of these tapes: nobody is left who would ask for it."""
        first = next((n for n, e in enumerate(self.log) if type(e) is MarkNote and e.tape in marks), len(self.log))
        del self.log[:first]
        self.tapes = {serial: note for serial, note in self.tapes.items() if serial in marks}
        self.calls = [call for call in self.calls if call.tape in marks]
        self._drop_unnamed()

    def forget_untracked(self, watched: set[int], newest: int) -> None:
        """Let go all ops but the newest that nothing watched leads to: a tape that watches nothing keeps nothing."""
        tracked = set(watched)
        cut = len(self.log) - newest
        kept: list[Any] = []
        for n, entry in enumerate(self.log):
            if type(entry) is MarkNote and entry.what == "watch":
                tracked.update(entry.ids)
            elif type(entry) is tuple:
                follows = not tracked.isdisjoint(entry[1])
                if follows:
                    tracked.update(entry[2])
                if not follows and n < cut:
                    continue
            elif type(entry) in (LeafNote, ReadNote) and n < cut and entry.id not in tracked:
                continue
            kept.append(entry)
        self.lost += len(self.log) - len(kept)
        self.log[:] = kept
        self._drop_unnamed()

    def _drop_unnamed(self) -> None:
        named: set[int] = set()
        for entry in self.log:
            if type(entry) is tuple:
                named.update(entry[1], entry[2])
            elif type(entry) is MarkNote:
                named.update(entry.ids)
            elif type(entry) in (LeafNote, ReadNote):
                named.add(entry.id)
        for gone in [i for i in self.specs if i not in named]:
            del self.specs[gone]
        for gone in [i for i in self.values if i not in named]:
            del self.values[gone]
