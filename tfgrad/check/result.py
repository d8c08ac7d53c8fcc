"""What a check found, as data and as text: `Check`, and a `Mismatch` for each input that has a wrong derivative."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from tfgrad import wording


@dataclass(frozen=True)
class Rule:
    """Where a derivative rule written in Python stands."""

    name: str
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.name} at {self.file}:{self.line}"


@dataclass(frozen=True)
class Mismatch:
    """A wrong derivative: of which output element by which input element, what each way of computing it gave.

    `reverse` and `forward` are None where that way was not asked for or not to be had, `number` is None where the
    product had a wrong shape or raised. `reason` is the likely one, in words; `wrong` of `tried` elements are wrong.
    """

    kind: str
    order: int
    mode: str
    input: str
    element: str
    output: str
    reverse: float | None
    forward: float | None
    number: float | None
    error: float | None
    reason: str
    wrong: int = 0
    tried: int = 0
    rule: Rule | None = None
    precision: str = ""

    @property
    def given(self) -> float | None:
        """The value that is wrong."""
        return self.reverse if self.mode.startswith("reverse") else self.forward

    @property
    def absolute(self) -> float | None:
        """How far off it is."""
        if self.given is None or self.number is None:
            return None
        return abs(self.given - self.number)

    @property
    def relative(self) -> float | None:
        """How far off it is, in proportion to the numerical value; inf where that is zero."""
        if self.absolute is None or self.number is None:
            return None
        return self.absolute / abs(self.number) if self.number else math.inf

    def rows(self) -> list[tuple[str, str]]:
        """What there is to say, a label and a text each."""
        rows = [("element", f"d {self.output} / d {self.element}")] if self.number is not None else []
        for label, value in (("reverse", self.reverse), ("forward", self.forward)):
            if value is not None and self.number is not None:
                rows.append((label, _number(value) + ("" if not _is_off(value, self) else "   <- wrong")))
        if self.number is not None:
            rows.append(("numerical", f"{_number(self.number)} +- {wording.number(self.error or 0.0, 1)}"))
        if self.absolute is not None and self.relative is not None and math.isfinite(self.absolute):
            rows.append(("off by", f"{wording.number(self.absolute, 3)}, relative {wording.number(self.relative, 3)}"))
        if self.tried > 1:
            rows.append(("wrong", f"{self.wrong} of {wording.count(self.tried, 'element')} tried of {self.input}"))
        rows.append(("likely", self.reason))
        if self.rule is not None:
            rows.append(("the rule", f"{self.rule}: {self.rule.text}" if self.rule.text else str(self.rule)))
        return rows

    def headline(self) -> str:
        """What is wrong, in a line."""
        order = "" if self.order == 1 else ", order 2"
        precision = f", in {self.precision}" if self.precision else ""
        return f"the derivative by {self.input} is wrong in {self.mode} mode{order}{precision}"

    def __str__(self) -> str:
        lines = [self.headline()]
        for label, text in self.rows():
            first, *rest = text.splitlines()
            lines += [f"  {label:<10}{first}", *(f"  {'':<10}{line}" for line in rest)]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {name: _for_json(value) for name, value in asdict(self).items()} | {
            "absolute": _for_json(self.absolute),
            "relative": _for_json(self.relative),
        }


@dataclass(frozen=True)
class Check:
    """The outcome of `check_grads`: what is wrong, what could not be judged, and how it was looked at."""

    function: str
    order: int
    modes: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    mismatches: tuple[Mismatch, ...]
    notes: tuple[str, ...]
    directions: int
    evaluations: int
    precision: str

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.mismatches

    def summary(self) -> str:
        """The first line: verdict, what was compared, at what effort."""
        by = wording.listing(self.inputs, limit=4)
        nothing = any(note.startswith("nothing could be judged") for note in self.notes)
        verdict = "wrong" if not self.ok else "not judged" if nothing else "right"
        how = f"{wording.count(self.directions, 'direction')}, {wording.count(self.evaluations, 'value')} of f"
        modes = wording.listing(self.modes)
        return f"check_grads: {self.function} by {by}: {verdict} ({modes}; order {self.order}; {how}; {self.precision})"

    def __str__(self) -> str:
        parts = [self.summary(), *map(str, self.mismatches), *(f"  note: {note}" for note in self.notes)]
        return "\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: NaN and inf as strings."""
        return {
            "schema": 1,
            "ok": self.ok,
            "function": self.function,
            "order": self.order,
            "modes": list(self.modes),
            "inputs": list(self.inputs),
            "outputs": list(self.outputs),
            "mismatches": [each.to_dict() for each in self.mismatches],
            "notes": list(self.notes),
            "directions": self.directions,
            "evaluations": self.evaluations,
            "precision": self.precision,
        }

    def __rich__(self) -> Any:
        from tfgrad import check_report

        return check_report.check(self)

    def _repr_html_(self) -> str:
        from tfgrad import check_report

        return check_report.check_html(self)


def _number(value: float) -> str:
    return wording.number(value, 10)


def _is_off(value: float, found: Mismatch) -> bool:
    if found.number is None or found.absolute is None:
        return False
    return not abs(value - found.number) < 0.5 * found.absolute


def _for_json(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
