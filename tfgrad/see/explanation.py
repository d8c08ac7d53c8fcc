"""What an explanation is: Place (a piece of the user's code), Reason (why one leaf got its gradient), Explanation.

Frozen, of plain strings and numbers only, so that they can be kept, compared and sent. `telling` puts them in words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, overload

from tfgrad.see import telling
from tfgrad.see.causes import SYMPTOMS


@dataclass(frozen=True)
class Place:
    """A piece of the user's code: lines from 1, columns in characters from 0; None where it is not known.

    >>> print(Place("train.py", 14, text="h = tf.round(x)", expression="tf.round(x)", op="Round"))
    train.py:14  h = tf.round(x)
    """

    file: str
    line: int
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    text: str = ""
    expression: str | None = None
    function: str = ""
    op: str | None = None

    def __str__(self) -> str:
        return telling.place(self)

    def to_dict(self) -> dict[str, Any]:
        """The place as JSON can hold it."""
        return {"schema": 1, **_plain(self)}


@dataclass(frozen=True)
class Reason:
    """Why one leaf of the source got the gradient it got: symptom, cause, where to look, evidence, what to type.

    `path` names the leaf; `chain` is how its value went up to `where`; `others` are further cuts on other paths.
    """

    path: str
    symptom: str
    cause: str
    where: Place | None = None
    chain: tuple[Place, ...] = ()
    detail: str = ""
    advice: str = ""
    others: tuple[Reason, ...] = ()

    def __str__(self) -> str:
        return telling.reason(self)

    def __rich__(self) -> Any:
        from tfgrad import explanation_report

        return explanation_report.reason_panel(self)

    def _repr_html_(self) -> str:
        from tfgrad import explanation_report

        return explanation_report.reason_html(self)

    def to_dict(self) -> dict[str, Any]:
        """The reason as JSON can hold it."""
        return {"schema": 1, **_plain(self)}


@dataclass(frozen=True)
class Explanation:
    """The reasons, one for each leaf of the source in its order, and notes on what is right but surprising.

    A sequence of its reasons; `symptom`, `cause`, `where` and `advice` are those of the gravest one.

    >>> Explanation(()).ok
    True
    """

    reasons: tuple[Reason, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.reasons)

    def __iter__(self) -> Iterator[Reason]:
        return iter(self.reasons)

    @overload
    def __getitem__(self, index: int) -> Reason: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Reason, ...]: ...
    def __getitem__(self, index: int | slice) -> Reason | tuple[Reason, ...]:
        return self.reasons[index]

    @property
    def worst(self) -> Reason | None:
        """The gravest reason, the first of equals; None for an empty source."""
        return min(self.reasons, key=lambda reason: SYMPTOMS.index(reason.symptom), default=None)

    @property
    def ok(self) -> bool:
        """Whether every leaf got a gradient with which nothing is wrong."""
        return self.symptom == "ok"

    @property
    def symptom(self) -> str:
        """The gravest symptom: error, none, nonfinite, zero, unknown or ok."""
        return self.worst.symptom if self.worst else "ok"

    @property
    def cause(self) -> str:
        """The cause of the gravest symptom, by its code."""
        return self.worst.cause if self.worst else "ok"

    @property
    def where(self) -> Place | None:
        """The user's line to look at first."""
        return self.worst.where if self.worst else None

    @property
    def advice(self) -> str:
        """What to type, for the gravest symptom."""
        return self.worst.advice if self.worst else ""

    def __str__(self) -> str:
        return telling.explanation(self)

    def __rich__(self) -> Any:
        from tfgrad import explanation_report

        return explanation_report.explanation_panel(self)

    def _repr_html_(self) -> str:
        from tfgrad import explanation_report

        return explanation_report.explanation_html(self)

    def to_dict(self) -> dict[str, Any]:
        """The explanation as JSON can hold it, the gravest reason's symptom and cause on top."""
        return {"schema": 1, "ok": self.ok, "symptom": self.symptom, "cause": self.cause, **_plain(self)}


def _plain(value: Any) -> Any:
    """A value as JSON can hold it: dataclasses as dicts, tuples as lists, NaN and infinities as strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Place | Reason | Explanation):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
