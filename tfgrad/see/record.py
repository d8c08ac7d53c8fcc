"""What a Tape saw: one time line of events, marks and reads, and the backward passes that were run.

Everything here is plain data, decoded once from what `see.listening` noted while the program ran. A tensor is named
by its `id` (TensorFlow's own running number), a Variable by the id of its handle: both are never used twice in a
process. The place of an entry in `Record.timeline` is its `n`; a smaller `n` happened earlier.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import tensorflow as tf

from tfgrad.source import Position, at_line, of_graph_op, position

__all__ = [
    "Answer",
    "Asked",
    "Event",
    "Failure",
    "GradientCall",
    "Leaf",
    "Mark",
    "Measure",
    "Read",
    "Record",
    "Step",
    "TapeState",
]


@dataclass(frozen=True)
class Event:
    """An op that ran, or was added to a graph that a Tape was entered in.

    `kind` is one of:
    "op"        an ordinary op;
    "variable"  a Variable read inside TensorFlow's C++ (`tf.square(v)`): an identity from the handle to the value;
    "function"  a call of a traced `tf.function`; `graph` is its FuncGraph where that could be had;
    "custom"    a `tf.custom_gradient`, `tf.recompute_grad` or `py_function`: its declared inputs and its outputs.
                It takes the place of what the ops inside said about these outputs, if it was recorded at all;
    "alias"     a tensor captured by a graph, or copied: the same value under another id;
    "before"    an op that a graph already held when the Tape was entered.

    `code` and `lasti` are for `Record.position`. `stopped`: recording was stopped on the thread, by anybody; it always
    is during a function call and inside `tf.stop_gradient`. `scope` holds the Keras layers (`sequential/dense_1/`).
    `call` is the number of the gradient() call in whose backward pass it ran. `recorded`, for "function" and
    "custom": TensorFlow offered it to the tapes. `superseded_by` is the number of the later "custom" or "function"
    event that claims one of this one's outputs.
    """

    n: int
    op: str
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attrs: tuple[Any, ...] | None
    code: Any
    lasti: int
    stopped: bool
    scope: str
    call: int | None
    graph_op: Any
    graph: Any
    recorded: bool
    superseded_by: int | None


@dataclass(frozen=True)
class Mark:
    """Something that was done to a tape.

    `what` is one of:
    "on", "off"       recording starts or stops; `why` says by what: "with", "stop_recording", "reset", "gradient";
    "watch"           `tape.watch`; `ids` are the tensors and handles watched;
    "reset"           `tape.reset()`: what had been recorded is gone. It stands between its "off" and its "on";
    "call", "return"  begin and end of `gradient()`, `jacobian()` or `batch_jacobian()`; `call` is its number.
    """

    n: int
    what: str
    tape: int
    why: str
    ids: tuple[int, ...]
    code: Any
    lasti: int
    call: int | None


@dataclass(frozen=True)
class Read:
    """A tensor's value that went to Python or NumPy.

    `how` is what asked for it: "__float__", "__bool__", "numpy", "__array__", ...; "branch" where TensorFlow itself
    read it to take an `if` or `while`. `result` gives the ndarray while it lives, or the Python or NumPy scalar;
    None once the array is gone.
    """

    n: int
    id: int
    how: str
    code: Any
    lasti: int
    call: int | None
    result: Any


@dataclass(frozen=True)
class Leaf:
    """A tensor that entered the record without an op that made it.

    `kind` is one of "variable" (the handle of one), "tensor" (made before the tape, by another thread, or unseen),
    "ndarray", "scalar" or "list" (made from Python or NumPy data while the tape listened). `value` is the ndarray
    while it lives, the Python number, for a list up to 16 of its numbers, for a variable the Variable while it lives
    and if it is known. The leaf was first seen just before the entry numbered `n`, at that line.
    """

    id: int
    kind: str
    value: Any
    n: int
    code: Any
    lasti: int


@dataclass(frozen=True)
class Measure:
    """How the numbers of a tensor look: whether all are finite, whether all are zero, the largest finite |number|."""

    finite: bool
    zero: bool
    largest: float
    size: int

    @property
    def state(self) -> str:
        """ "nonfinite", "zero" or "ok"."""
        return "zero" if self.zero else "ok" if self.finite else "nonfinite"


@dataclass(frozen=True)
class Step:
    """An event's turn in the backward pass.

    `event` is the number of the forward event, or None where it could not be told. `upstream` has one gradient an
    output, `downstream` one an input (None: no gradient there, unless its place is in `skipped`: nobody asked).
    `inputs` and `outputs` are the forward tensors; one is None where TensorFlow did not keep it. For a "function" or
    "custom" event they are the call's inputs (captured ones last) and outputs. `captured` has the values, at the time
    of this backward pass, of Variables that a function call captured: handle id -> tensor.
    Where `kept` is False only the measures remain of the values (they were let go to save memory).
    """

    event: int | None
    op: str
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    upstream: tuple[Any, ...]
    downstream: tuple[Any, ...]
    skipped: frozenset[int]
    has_gradient: tuple[bool, ...]
    upstream_measures: tuple[Measure | None, ...]
    downstream_measures: tuple[Measure | None, ...]
    captured: Mapping[int, Any]
    kept: bool


@dataclass(frozen=True)
class Asked:
    """One leaf of the target or the sources of a `gradient()` call.

    `kind` is one of "tensor", "variable", "keras-variable", "composite" (ragged, sparse, IndexedSlices: several ids),
    "keras-tensor", "ndarray", "number", "none", "other". `ids` is empty for what is no tensor. `name` is a Keras
    variable's `.path`, else a Variable's own name, else None. `about` is a short text for what is no tensor.
    `path` is its place in the nest, such as `['w'][0]` (empty for a single leaf).
    """

    kind: str
    ids: tuple[int, ...]
    dtype: str | None
    shape: tuple[int | None, ...] | None
    name: str | None
    trainable: bool | None
    about: str
    path: str
    ref: Any = field(repr=False)

    @property
    def object(self) -> Any:
        """The tensor or Variable itself, None if it is gone."""
        return self.ref() if self.ref is not None else None


@dataclass(frozen=True)
class Answer:
    """The gradient that one source got.

    `state` is "none", "zero" (every |number| at most 1e-7 of the largest gradient that came in on its way, as far as
    that was seen), "nonfinite", "ok", "symbolic" (a graph was being built) or "unseen" (on a GPU; ask `value`).
    """

    state: str
    ids: tuple[int, ...]
    measure: Measure | None
    ref: Any = field(repr=False)

    @property
    def value(self) -> Any:
        """The gradient itself; None if it is gone. It is kept where it is zero or not finite."""
        return self.ref() if self.ref is not None else None


@dataclass(frozen=True)
class Failure:
    """An exception that `gradient()` raised. `event` is the forward event whose turn it was, None if there was none.

    `trail` has the positions of the traceback that are in the user's own code, outermost first.
    """

    type: str
    text: str
    event: int | None
    op: str | None
    trail: tuple[Position, ...]


@dataclass(frozen=True)
class GradientCall:
    """One call of `gradient()`, `jacobian()` or `batch_jacobian()`.

    `begin` and `end` are entries of the time line (`end` is None while it runs). `sources` are the flat leaves in
    order, `answers` one for each, empty if the call raised (then `failure` says how). `unconnected` is "none" or
    "zero". `seeded`: the caller gave output_gradients. `after` is the number of the call that had used up a
    non-persistent tape before, else None. `steps` are in the order the backward pass took them; empty if all answers
    were fine and nobody wanted the values (`released` is then True), and for jacobians.
    `traced`: a graph was being built, so values are symbolic.
    """

    number: int
    tape: int
    method: str
    target: tuple[Asked, ...]
    sources: tuple[Asked, ...]
    unconnected: str
    seeded: bool
    traced: bool
    answers: tuple[Answer, ...]
    failure: Failure | None
    steps: tuple[Step, ...]
    released: bool
    after: int | None
    begin: int
    end: int | None
    code: Any
    lasti: int


@dataclass(frozen=True)
class TapeState:
    """A tape that was met in the record.

    `watched` are handle ids of Variables that it watched, by itself or by watch(), each with the Variable while it
    lives. An id below `first_id` existed before the tape was first entered; None if it never was.
    """

    serial: int
    persistent: bool
    watch_accessed_variables: bool
    watched: Mapping[int, Any]
    first_id: int | None

    @property
    def entered(self) -> bool:
        """Whether `with tape:` was ever begun."""
        return self.first_id is not None


Entry: TypeAlias = Event | Mark | Read


@dataclass(frozen=True, eq=False)
class Record:
    """What one Tape saw on its thread, in order; entries of other tapes on that thread are there too.

    `blind` is empty, or a sentence why nothing (more) could be seen. `lost` counts entries let go because nothing
    watched led to them. `tape` is the serial number of the Tape that was asked for its record.
    """

    timeline: tuple[Entry, ...]
    calls: tuple[GradientCall, ...]
    leaves: Mapping[int, Leaf]
    tapes: Mapping[int, TapeState]
    tape: int
    blind: str
    lost: int
    specs: Mapping[int, tuple[int, tuple[int | None, ...] | None]] = field(repr=False)
    values: Mapping[int, Any] = field(repr=False)

    @property
    def events(self) -> Iterator[Event]:
        """The ops, in order."""
        return (entry for entry in self.timeline if isinstance(entry, Event))

    @property
    def reads(self) -> Iterator[Read]:
        """The reads, in order."""
        return (entry for entry in self.timeline if isinstance(entry, Read))

    @property
    def last_call(self) -> GradientCall | None:
        """This tape's last `gradient()` call, None before any."""
        return next((call for call in reversed(self.calls) if call.tape == self.tape), None)

    def position(self, entry: Entry | Leaf | GradientCall) -> Position | None:
        """The user's line of an entry, with the sub-expression where CPython tells it; None where there is none.

        For an op of a graph that is the line inside the traced function.
        """
        graph_op = getattr(entry, "graph_op", None)
        if graph_op is not None:
            found = of_graph_op(graph_op)
            if found is not None:
                return found
        found = position(entry.code, entry.lasti) if entry.code is not None else None
        if found is not None and isinstance(entry, Mark) and entry.why == "with":
            # CPython gives a `with` statement the span of its whole body.
            return at_line(found.file, found.line, found.function)
        return found

    def dtype(self, i: int) -> tf.DType | None:
        """The dtype of a tensor (`tf.resource` for a Variable's handle), None if it was never seen."""
        spec = self.specs.get(i)
        return tf.as_dtype(spec[0]) if spec is not None else None

    def shape(self, i: int) -> tuple[int | None, ...] | None:
        """The shape of a tensor, None if it was never seen or its rank is not known."""
        spec = self.specs.get(i)
        return spec[1] if spec is not None else None

    def value(self, i: int) -> Any:
        """The tensor itself if the record has it (record_values=True, or a kept step holds it), else None."""
        return self.values.get(i)

    @cached_property
    def producers(self) -> Mapping[int, int]:
        """Tensor id -> number of the event that made it (the last one to claim it)."""
        return {i: entry.n for entry in self.timeline if isinstance(entry, Event) for i in entry.outputs}

    @cached_property
    def users(self) -> Mapping[int, tuple[int, ...]]:
        """Tensor id -> numbers of the events that took it in."""
        found: dict[int, list[int]] = {}
        for event in self.events:
            for i in dict.fromkeys(event.inputs):
                found.setdefault(i, []).append(event.n)
        return {i: tuple(numbers) for i, numbers in found.items()}
