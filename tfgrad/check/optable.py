"""`ops`: what TensorFlow's functions do under differentiation, read from a file of measurements.

`scripts/measure_ops.py` repeats the measurement with `check_grads`. Nothing here needs TensorFlow.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tfgrad import wording
from tfgrad.check import opnames
from tfgrad.errors import StructureError

_FILE = Path(__file__).parent / "ops.json"
MARKS = ("yes", "none", "zero", "raises", "wrong")


@dataclass(frozen=True)
class Fault:
    """Where TensorFlow's derivative of a function is wrong or missing, though the function's own row may be right.

    `kind` is "wrong", "none" (None or zero, without a word) or "raises", `when` the special arguments, `says` which
    element is how far off, `example` a line that shows it: with `import tensorflow as tf` and `import tfgrad`.
    """

    kind: str
    when: str
    says: str
    example: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.when}): {self.says}"


@dataclass(frozen=True)
class Op:
    """A public function of TensorFlow, as measured.

    `reverse`, `second` (order), `forward` (tfgrad's jvp) and `accumulator` (TensorFlow's) are "yes", "none" (None
    without a word), "zero", "raises", "wrong", or "-" where there is nothing to ask; `pfor` (`tf.vectorized_map` of the
    gradient) and `xla` (the gradient compiled) are "yes", "no", "wrong" or "-". `uses` are its raw ops, `points`
    TensorFlow's choices at special points, `why` says what is raised or wrong, `faults` are wrong at special
    arguments, `also` are special arguments at which it is right, `instead` is what to use.
    """

    name: str
    area: str
    reverse: str
    second: str
    forward: str
    accumulator: str
    pfor: str
    xla: str
    uses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    why: str = ""
    faults: tuple[Fault, ...] = ()
    also: tuple[str, ...] = ()
    instead: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All public names."""
        return (self.name, *self.aliases)

    def __str__(self) -> str:
        """The answer in a line, and what there is to know besides, a line each."""
        lines = [self.line(), *self.points]
        lines += [self.why] if self.why else []
        for fault in self.faults:
            lines += [str(fault), f"  {fault.example}"]
        lines += [f"also right: {'; '.join(self.also)}"] if self.also else []
        return "\n  ".join(lines)

    def line(self) -> str:
        """The answer in a line."""
        said = [self._gradient(), *self._others()] if self.reverse in ("yes", "wrong") else [self._gradient()]
        said += [f"use instead: {self.instead}"] if self.instead and not self.instead.startswith("nothing") else []
        said += [self.instead] if self.instead.startswith("nothing") else []
        return f"{self.name}: {'; '.join(said)}"

    def _gradient(self) -> str:
        return {
            "yes": "the gradient is right",
            "none": "no gradient: None, without a word",
            "zero": "no gradient: zero, without a word",
            "raises": "no gradient: it raises",
            "wrong": "the gradient is wrong",
        }.get(self.reverse, self.reverse)

    def _others(self) -> list[str]:
        others = {"second order": self.second, "forward": self.forward, "ForwardAccumulator": self.accumulator,
                  "vectorised": self.pfor, "XLA": self.xla}  # fmt: skip
        fine = [word for word, mark in others.items() if mark == "yes"]
        bad = [f"{word}: {mark}" for word, mark in others.items() if mark not in ("yes", "-")]
        too = "so are" if self.reverse == "yes" else "right are"
        return ([f"{too} {wording.listing(fine)}"] if fine else []) + bad

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Table:
    """Measured functions, and with what they were measured."""

    tensorflow: str
    keras: str
    how: str
    ops: tuple[Op, ...]

    def __str__(self) -> str:
        widest = max((len(op.name) for op in self.ops), default=0)
        head = f"{'function':<{widest}}  reverse  second  forward  pfor   XLA    faults"
        rows = [
            f"{op.name:<{widest}}  {op.reverse:<7}  {op.second:<6}  {op.forward:<7}  {op.pfor:<5}  {op.xla:<5}  "
            f"{len(op.faults) or ''}".rstrip()
            for op in self.ops
        ]
        return "\n".join([head, *rows, self.summary()])

    def summary(self) -> str:
        """How many there are, and with what they were measured."""
        counts = Counter(op.reverse for op in self.ops)
        marks = ", ".join(f"{counts[mark]} {mark}" for mark in MARKS if counts[mark])
        faults = sum(len(op.faults) for op in self.ops)
        text = f"{wording.count(len(self.ops), 'function')}{f' ({marks})' if marks else ''}, "
        text += wording.count(faults, "known fault")
        return f"{text}; measured with TensorFlow {self.tensorflow} and Keras {self.keras} on a CPU"

    def __iter__(self) -> Iterator[Op]:
        return iter(self.ops)

    def __len__(self) -> int:
        return len(self.ops)


@cache
def table() -> Table:
    """The whole table."""
    data = json.loads(_FILE.read_text(encoding="utf-8"))
    return Table(data["tensorflow"], data["keras"], data["how"], tuple(map(_op, data["ops"])))


def _op(row: dict[str, Any]) -> Op:
    """A row of the file."""
    lists = {name: tuple(row[name]) for name in ("uses", "aliases", "points", "also")}
    return Op(**(row | lists | {"faults": tuple(Fault(**fault) for fault in row["faults"])}))


def header() -> dict[str, str]:
    """With what was measured, and how."""
    return {"tensorflow": table().tensorflow, "keras": table().keras, "how": table().how}


def ops(name: str | None = None) -> Any:
    """What TensorFlow's functions do under differentiation: the whole `Table`, or the `Op` of a name.

    Args:
        name: a public name, `tf.round` or `tf.math.round`; part of one, `round`; that of a raw op, `MatMul`; or what
            NumPy, JAX or PyTorch call it, `np.round`.

    Raises:
        StructureError: there is no such function in the table; its text names the nearest.

    >>> ops("tf.round").reverse
    'none'
    """
    if name is None:
        return table()
    found = named(name)
    if found is None:
        near = opnames.near(name, _all_names())
        raise StructureError(
            f"ops: no function {name!r} in the table",
            f"one of {wording.count(len(table()), 'function')}, by its public name",
            f"perhaps {wording.listing(near, join='or')}" if near else "tfgrad.ops() for all",
        )
    return found


def named(name: str) -> Op | None:
    """The function of a name; `relu` is the one with the shortest path, `tf.nn.relu`."""
    by_name = {each: op for op in table() for each in op.names}
    found = opnames.resolved(name, list(by_name))
    if found is not None:
        return by_name[found]
    return next(iter(using(name)), None)


def using(raw: str) -> list[Op]:
    """The functions that are made of a raw op, the plainest first."""
    wanted = raw.removeprefix("tf.").removeprefix("raw_ops.")
    found = [op for op in table() if wanted in op.uses]
    return sorted(found, key=lambda op: (len(op.uses), op.name.count("."), op.name))


def near(name: str) -> list[str]:
    """The names that look most like an unknown one."""
    return opnames.near(name, _all_names())


def _all_names() -> list[str]:
    return [each for op in table() for each in op.names]


def chosen(names: list[str]) -> tuple[list[Op], list[str]]:
    """The functions of some names, `tf.linalg.` or `tf.linalg.*` for all that match; and the unknown names."""
    if not names:
        return list(table().ops), []
    found: dict[str, Op] = {}
    missing = []
    for name in names:
        matching = [op for op in table() if any(opnames.matches(each, name) for each in op.names)]
        one = None if matching else named(name)
        found |= {op.name: op for op in ([one] if one else matching)}
        missing += [] if matching or one else [name]
    return list(found.values()), missing


def other_version(found: Table) -> str:
    """A line, if TensorFlow here is not the one that was measured, or Keras, for its functions; or nothing."""
    packages = ["tensorflow"] + ["keras"] * any(".keras." in op.name for op in found)
    here = {name: opnames.installed(name) for name in packages}
    measured = header()
    other = [f"{name} {version}" for name, version in here.items() if version and version != measured[name]]
    if not other:
        return ""
    return f"here is {wording.listing(other)}: what was measured with another version may differ"
