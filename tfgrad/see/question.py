"""A question to a tape, and the question about one leaf of its source: what every `why_*` gets to work on.

A `LeafQuestion` knows the record, the leaf with its answer and name, the gradient() call that answered it, and
(worked out on first use) the way of the leaf's value through the record. It answers nothing itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tfgrad.see.causes import CAUSES
from tfgrad.see.explanation import Place, Reason
from tfgrad.see.record import Answer, Asked, Entry, Event, GradientCall, Leaf, Record
from tfgrad.see.ways.cuts import READS, Cut
from tfgrad.see.ways.flow import Flow
from tfgrad.see.ways.walk import Way, follow
from tfgrad.source import Position


@dataclass(frozen=True, eq=False)
class Question:
    """What was asked of a tape: its record, the leaves of target and source, the call that answered, the leaves' names.

    `call` is None where no gradient() call with this target was made; then `answers` are all None.
    """

    record: Record
    call: GradientCall | None
    target: tuple[Asked, ...]
    sources: tuple[Asked, ...]
    answers: tuple[Answer | None, ...]
    paths: tuple[str, ...]
    _leaves: dict[int, LeafQuestion] = field(default_factory=dict, repr=False)

    @cached_property
    def target_ids(self) -> tuple[int, ...]:
        """The tensors that make up the target."""
        return tuple(i for leaf in self.target for i in leaf.ids)

    @cached_property
    def flow(self) -> Flow:
        """The record as a graph, with what the tape tracked at each entry."""
        untrainable = frozenset(i for leaf in self.sources if leaf.trainable is False for i in leaf.ids)
        return Flow(self.record, untrainable)

    def leaf(self, index: int) -> LeafQuestion:
        """The question about one leaf of the source, by its place in the flat source."""
        if index not in self._leaves:
            self._leaves[index] = LeafQuestion(self, index)
        return self._leaves[index]

    @property
    def leaves(self) -> list[LeafQuestion]:
        """The questions about all leaves, in order."""
        return [self.leaf(index) for index in range(len(self.sources))]


@dataclass(frozen=True, eq=False)
class LeafQuestion:
    """The question about one leaf of the source."""

    question: Question
    index: int

    @property
    def record(self) -> Record:
        """What the tape saw."""
        return self.question.record

    @property
    def call(self) -> GradientCall | None:
        """The gradient() call that answered."""
        return self.question.call

    @property
    def asked(self) -> Asked:
        """The leaf: its kind, ids, dtype, name."""
        return self.question.sources[self.index]

    @property
    def answer(self) -> Answer | None:
        """What gradient() answered for it; None if it was not asked or raised."""
        return self.question.answers[self.index]

    @property
    def path(self) -> str:
        """What the user calls it."""
        return self.question.paths[self.index]

    @property
    def code(self) -> str:
        """What can be typed for it: its name where that is an expression, else `v` or `x`."""
        try:
            ast.parse(self.path, mode="eval")
        except SyntaxError:
            return "v"
        return self.path if "/" not in self.path else "v"

    @property
    def ids(self) -> tuple[int, ...]:
        """The tensors that make it up; a Variable's is its handle."""
        return self.asked.ids

    @property
    def flow(self) -> Flow:
        """The record as a graph."""
        return self.question.flow

    @cached_property
    def way(self) -> Way:
        """Where the leaf's value went, and where its gradient was cut."""
        return follow(self.flow, self.ids, self.question.target_ids)

    def place(self, at: Entry | Leaf | GradientCall | Cut | int | None) -> Place | None:
        """The user's line of an entry (or of an entry's number, a cut, a call), None where it is not known."""
        if isinstance(at, int):
            at = self.record.timeline[at]
        if isinstance(at, Cut):
            inner = str(at.graph_op.type) if at.graph_op is not None else _op_of(self.record.timeline[at.n])
            return place_of(at.position(self.record), op=inner)
        if at is None:
            return None
        return place_of(self.record.position(at), op=_op_of(at))

    def chain_to(self, n: int, i: int) -> tuple[Place, ...]:
        """The places that the value passed from the leaf to its arrival in entry n by tensor i, that entry included."""
        numbers = [*self.way.path(i), n]
        return chain(self, numbers)

    def reason(
        self,
        symptom: str,
        cause: str,
        *,
        where: Place | None = None,
        chain: Sequence[Place] = (),
        detail: str = "",
        advice: str | None = None,
        others: Sequence[Reason] = (),
        **seen: str,
    ) -> Reason:
        """The answer: the cause's own advice with what was seen in its slots, unless another advice is given."""
        if advice is None:
            line = f"line {where.line}" if where and where.line else ""
            advice = CAUSES[cause].advise(**{"name": self.path, "code": self.code, "line": line, **seen})
        return Reason(self.path, symptom, cause, where, tuple(chain), detail, advice, tuple(others))


def _op_of(entry: object) -> str | None:
    """An op as the user knows it: a traced function by its name, the read of a Variable not at all."""
    if not isinstance(entry, Event) or entry.kind == "variable" or entry.op in READS:
        return None
    traced = re.fullmatch(r"__(?:forward|inference)_(.+?)_\d+", entry.op)
    if traced and traced.group(1) == "cflow_gradient_wrapper":
        # What TensorFlow puts around the loops and branches under a persistent tape.
        within = {op.type for op in entry.graph.get_operations()} if entry.graph is not None else set()
        return "While" if within & {"While", "StatelessWhile"} else "If"
    return f"{traced.group(1)}()" if traced else entry.op


def place_of(position: Position | None, op: str | None = None) -> Place | None:
    """A code position as a Place."""
    if position is None:
        return None
    return Place(
        file=position.file,
        line=position.line,
        column=position.column,
        end_line=position.end_line,
        end_column=position.end_column,
        text=position.text,
        expression=position.expression,
        function=position.function,
        op=op,
    )


def chain(leaf: LeafQuestion, numbers: Sequence[int]) -> tuple[Place, ...]:
    """The places of some entries in order: reads of Variables left out, the many ops of one expression as its last."""
    found: list[Place] = []
    for n in numbers:
        entry = leaf.record.timeline[n]
        if (
            isinstance(entry, Event)
            and (entry.kind in ("variable", "alias") or entry.op in _SILENT)
            and n != numbers[-1]
        ):
            continue
        here = leaf.place(entry)
        if here is None:
            continue
        if found and _same_code(found[-1], here):
            found.pop()
        found.append(here)
    return tuple(found)


def _same_code(a: Place, b: Place) -> bool:
    return (a.file, a.line, a.column, a.expression) == (b.file, b.line, b.column, b.expression)


# Ops that move a value along without changing it: left out of a chain.
_SILENT = frozenset({"ReadVariableOp", "Identity", "IdentityN", "VarIsInitializedOp", "NoOp"})
