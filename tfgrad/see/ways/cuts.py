"""Where gradients end: a Cut, the status of a tensor (the cuts its value has been through), and how statuses combine.

The vocabulary of `flow`, `walk` and `graph_cuts`; the names of the ops that stop, store or carry nothing stand here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tfgrad.see.record import Event, Record
from tfgrad.source import Position, of_graph_op

# dtype enums: float32, float64, complex64, bfloat16, complex128, half; resource and variant carry gradients as well.
FLOATING = frozenset({1, 2, 8, 14, 18, 19})
CARRYING = FLOATING | {20, 21}
STOPS = frozenset({"StopGradient", "PreventGradient"})
READS = frozenset({"ReadVariableOp", "VariableV2"})
ASSIGNING = frozenset(
    {
        "AssignVariableOp",
        "AssignAddVariableOp",
        "AssignSubVariableOp",
        "ResourceScatterUpdate",
        "ResourceScatterAdd",
        "ResourceScatterSub",
        "ResourceScatterMul",
        "ResourceScatterDiv",
        "ResourceScatterMin",
        "ResourceScatterMax",
        "ResourceScatterNdUpdate",
        "ResourceScatterNdAdd",
        "ResourceScatterNdSub",
        "ResourceStridedSliceAssign",
        "ResourceApplyGradientDescent",
        "LookupTableInsertV2",
        "LookupTableImportV2",
        "QueueEnqueueV2",
        "QueueEnqueueManyV2",
    }
)
# Ops whose output tells of state or of another world, whatever they were given.
STATEFUL_SOURCES = frozenset(
    {
        "TensorSliceDataset",
        "TensorDataset",
        "LookupTableFindV2",
        "QueueDequeueV2",
        "QueueDequeueManyV2",
        "IteratorGetNext",
        "MakeIterator",
        "AnonymousIteratorV3",
        "SerializeTensor",
        "Save",
        "SaveV2",
        "WriteFile",
    }
)
NUMPY_CALLS = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
_MOST = 12
_MOST_OF_A_CAUSE = 4


@dataclass(frozen=True)
class Cut:
    """Where a gradient ends: its cause, the entry, the tensor that came in, what more is known.

    `second` is another entry that matters (the later watch, the reset), or for a value that left TensorFlow the id of
    the tensor that it came back as; `graph_op` is the op inside a traced function, `order` its turn there.
    """

    cause: str
    n: int
    input: int = -1
    note: str = ""
    second: int | None = None
    order: int = 0
    graph_op: Any = field(default=None, repr=False)

    def position(self, record: Record) -> Position | None:
        """The user's line."""
        if self.graph_op is not None:
            found = of_graph_op(self.graph_op)
            if found is not None:
                return found
        return record.position(record.timeline[self.n])

    def op(self, record: Record) -> str | None:
        """The type of the op that cuts, None if it is not an op."""
        if self.graph_op is not None:
            return str(self.graph_op.type)
        entry = record.timeline[self.n]
        return entry.op if isinstance(entry, Event) else None


def in_time(cut: Cut) -> tuple[int, int, str]:
    """The order of cuts: that of the entries, inside one call that of the ops."""
    return cut.n, cut.order, cut.cause


# The cuts that a tensor's value has been through; the empty set means that a gradient comes back from it.
Status = frozenset[Cut]
LIVE: Status = frozenset()


def combined(parts: Iterable[Status]) -> Status:
    """The status of what was computed from several: live if one of them is, else all their cuts."""
    found: set[Cut] = set()
    for status in parts:
        if not status:
            return LIVE
        found |= status
    return frozenset(found if len(found) <= _MOST else _first_of_each(found))


def _first_of_each(cuts: set[Cut]) -> list[Cut]:
    """The first few of each cause: a long loop's many reads do not push out the cut that comes after it."""
    kept: dict[str, list[Cut]] = {}
    for cut in sorted(cuts, key=in_time):
        of_cause = kept.setdefault(cut.cause, [])
        if len(of_cause) < _MOST_OF_A_CAUSE:
            of_cause.append(cut)
    return [cut for of_cause in kept.values() for cut in of_cause]
