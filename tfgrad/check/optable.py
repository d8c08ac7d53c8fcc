"""`ops`: what TensorFlow's functions do under differentiation, read from a file of measurements.

`scripts/measure_ops.py` repeats the measurement with `check_grads`. Nothing here needs TensorFlow.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tfgrad import wording
from tfgrad.errors import StructureError

_FILE = Path(__file__).parent / "ops.json"


@dataclass(frozen=True)
class Op:
    """A public function of TensorFlow, as measured.

    `reverse`, `second` (order), `forward` (tfgrad's jvp) and `accumulator` (TensorFlow's) are "yes", "none" (None
    without a word), "zero", "raises", "wrong", or "-" where there is nothing to ask; `pfor` (`tf.vectorized_map` of the
    gradient) and `xla` (the gradient compiled) are "yes", "no" or "-". `points` are TensorFlow's choices at special
    points, `fault` an example of what is wrong, `instead` what to use.
    """

    name: str
    area: str
    reverse: str
    second: str
    forward: str
    accumulator: str
    pfor: str
    xla: str
    aliases: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    fault: str = ""
    instead: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All public names."""
        return (self.name, *self.aliases)

    def __str__(self) -> str:
        said = [self._gradient()]
        others = {"second order": self.second, "forward": self.forward, "ForwardAccumulator": self.accumulator,
                  "vectorised": self.pfor, "XLA": self.xla}  # fmt: skip
        if self.reverse == "yes":
            fine = [word for word, mark in others.items() if mark == "yes"]
            bad = [f"{word}: {mark}" for word, mark in others.items() if mark not in ("yes", "-")]
            said += [f"so are {wording.listing(fine)}"] if fine else []
            said += bad
        line = f"{self.name}: {'; '.join(said)}"
        if self.instead:
            line += f"; use instead: {self.instead}"
        return "\n".join([line, *(f"  {text}" for text in (*self.points, self.fault) if text)])

    def _gradient(self) -> str:
        return {
            "yes": "the gradient is right",
            "none": "no gradient: None, without a word",
            "zero": "no gradient: zero, without a word",
            "raises": "no gradient: it raises",
            "wrong": "the gradient is wrong",
        }.get(self.reverse, self.reverse)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"aliases": list(self.aliases), "points": list(self.points)}


@dataclass(frozen=True)
class Table:
    """All measured functions, and with what they were measured."""

    tensorflow: str
    how: str
    ops: tuple[Op, ...]

    def __str__(self) -> str:
        widest = max((len(op.name) for op in self.ops), default=0)
        head = f"{'function':<{widest}}  reverse  second  forward  pfor  XLA"
        rows = [
            f"{op.name:<{widest}}  {op.reverse:<7}  {op.second:<6}  {op.forward:<7}  {op.pfor:<4}  {op.xla}"
            for op in self.ops
        ]
        return "\n".join([head, *rows, f"{wording.count(len(self.ops), 'function')} of TensorFlow {self.tensorflow}"])

    def __iter__(self) -> Any:
        return iter(self.ops)

    def __len__(self) -> int:
        return len(self.ops)


@cache
def table() -> Table:
    """The whole table."""
    data = json.loads(_FILE.read_text(encoding="utf-8"))
    made = [Op(**(op | {"aliases": tuple(op["aliases"]), "points": tuple(op["points"])})) for op in data["ops"]]
    return Table(data["tensorflow"], data["how"], tuple(made))


def header() -> dict[str, str]:
    """With what was measured, and how."""
    return {"tensorflow": table().tensorflow, "how": table().how}


def ops(name: str | None = None) -> Any:
    """What TensorFlow's functions do under differentiation: the whole `Table`, or the `Op` of a name.

    Args:
        name: a public name, `tf.round` or `tf.math.round`.

    Raises:
        StructureError: there is no such function in the table; its text names the nearest.

    >>> ops("tf.round").reverse
    'none'
    """
    if name is None:
        return table()
    found = named(name)
    if found is None:
        raise StructureError(
            f"ops: no function {name!r} in the table",
            f"one of {wording.count(len(table()), 'function')}, by its public name",
            wording.listing(near(name), join="or") if near(name) else "tfgrad.ops() for all",
        )
    return found


def named(name: str) -> Op | None:
    """The function of a public name; `relu` is the one with the shortest path, `tf.nn.relu`."""
    wanted = name if name.startswith("tf.") else f"tf.{name}"
    exact = [op for op in table() if wanted in op.names]
    if exact:
        return exact[0]
    ending = [(each.count("."), each, op) for op in table() for each in op.names if each.endswith(f".{name}")]
    return min(ending, key=lambda found: found[:2])[2] if ending else None


def near(name: str) -> list[str]:
    """The names that look most like an unknown one."""
    short: dict[str, str] = {}
    for op in table():
        for each in op.names:
            short.setdefault(each.rpartition(".")[2], each)
    return [short[found] for found in wording.nearest(name.rpartition(".")[2], list(short))]


def chosen(names: list[str]) -> tuple[list[Op], list[str]]:
    """The functions of some names, a name that ends in a dot for all that begin with it; and the unknown names."""
    if not names:
        return list(table().ops), []
    found: list[Op] = []
    missing = []
    for name in names:
        begun = [op for op in table() if name.endswith(".") and op.name.startswith(name)]
        one = named(name)
        found += begun or ([one] if one else [])
        missing += [] if begun or one else [name]
    return found, missing
