"""A demo: a claim, the code that was run, what came out, and whether the claim held.

Each demo is a module of `tfgrad.learn.demos`. Its docstring is the claim. Its function `experiment` yields pairs of a
name and a value; a value of bools is a check, and the demo holds if it has some and all are true. It never prints.
Names and claims are read from the files, so that a list of them needs no TensorFlow.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import math
import textwrap
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tfgrad import wording

_FOLDER = Path(__file__).parent / "demos"


@dataclass(frozen=True)
class Demo:
    """A demo as it stands in its file, not yet run."""

    name: str
    claim: str
    source: str
    module: str

    @property
    def options(self) -> tuple[str, ...]:
        """What its experiment can be given: "seed", "a"; read without importing the module."""
        found = [node for node in ast.parse(self.source).body if isinstance(node, ast.FunctionDef)]
        experiment = next(node for node in found if node.name == "experiment")
        return tuple(argument.arg for argument in experiment.args.kwonlyargs)


@dataclass(frozen=True)
class Value:
    """One thing that came out, as text at most a few words long; `check` where it is true or false."""

    name: str
    text: str
    data: Any
    check: bool | None


@dataclass(frozen=True)
class Outcome:
    """A demo that ran: `error` is the traceback of an experiment that raised."""

    demo: Demo
    values: tuple[Value, ...]
    error: str | None = None

    @property
    def holds(self) -> bool:
        """Whether there were checks, all true, and no error."""
        checks = [value.check for value in self.values if value.check is not None]
        return self.error is None and bool(checks) and all(checks)

    @property
    def verdict(self) -> str:
        """One line: whether the claim held, and which check failed."""
        if self.error is not None:
            return f"stopped by {self.error.strip().splitlines()[-1]}"
        checks = [value for value in self.values if value.check is not None]
        if not checks:
            return "proves nothing: no check was made"
        failed = [value.name for value in checks if not value.check]
        return f"does not hold: {wording.listing(failed)}" if failed else "holds"

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "name": self.demo.name,
            "claim": self.demo.claim,
            "source": self.demo.source,
            "values": [{"name": v.name, "text": v.text, "value": v.data, "check": v.check} for v in self.values],
            "holds": self.holds,
            "verdict": self.verdict,
            "error": self.error,
        }

    def __str__(self) -> str:
        width = max((len(value.name) for value in self.values), default=0)
        rows = [f"  {value.name:<{width}}  {value.text}" for value in self.values]
        code = textwrap.indent(self.demo.source, "    ")
        parts = [self.demo.name, self.demo.claim, code, "\n".join(rows), self.error or "", self.verdict]
        return "\n\n".join(part for part in parts if part)


@cache
def demos() -> tuple[Demo, ...]:
    """All demos, in the order of their files."""
    return tuple(_read(path) for path in sorted(_FOLDER.glob("d[0-9][0-9]_*.py")))


def _read(path: Path) -> Demo:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    claim = " ".join((ast.get_docstring(tree) or "").split())
    first = tree.body[1]
    code = "\n".join(text.splitlines()[first.lineno - 1 :])
    name = path.stem.partition("_")[2].replace("_", "-")
    return Demo(name, claim, code.rstrip(), f"tfgrad.learn.demos.{path.stem}")


def named(wanted: str) -> Demo | None:
    """The demo of that name; spaces, underscores and capitals do not matter."""
    folded = "-".join(wanted.lower().replace("_", " ").replace("-", " ").split())
    return next((demo for demo in demos() if demo.name == folded), None)


def run(demo: Demo, **options: Any) -> Outcome:
    """Run a demo here and now.

    Args:
        options: passed on to an experiment that takes them; see `Demo.options`.
    """
    values: list[Value] = []
    try:
        experiment = importlib.import_module(demo.module).experiment
        wanted = {name: value for name, value in options.items() if name in inspect.signature(experiment).parameters}
        for name, value in experiment(**wanted):
            values.append(_value(name, value))
    except Exception:  # noqa: BLE001  a demo that raises is an outcome to show, whatever it raised
        return Outcome(demo, tuple(values), traceback.format_exc())
    return Outcome(demo, tuple(values))


def _value(name: str, value: Any) -> Value:
    if isinstance(value, str):
        return Value(name, value, value, None)
    array = _array(value)
    plain = _plain(array)
    flat = list(_flat(plain))
    check = all(flat) if flat and all(isinstance(x, bool) for x in flat) else None
    text = wording.values(array) if isinstance(plain, int | float | complex | list) else str(value)
    return Value(name, text, _for_json(plain), check)


def _array(value: Any) -> Any:
    if isinstance(value, list):
        return [_array(part) for part in value]
    return value.numpy() if hasattr(value, "numpy") else value


def _plain(array: Any) -> Any:
    if isinstance(array, list):
        return [_plain(part) for part in array]
    return array.tolist() if hasattr(array, "tolist") else array


def _flat(plain: Any) -> Sequence[Any]:
    return [x for part in plain for x in _flat(part)] if isinstance(plain, list) else [plain]


def _for_json(plain: Any) -> Any:
    if isinstance(plain, list | tuple):
        return [_for_json(part) for part in plain]
    if isinstance(plain, float) and not math.isfinite(plain):
        return str(plain)
    return plain if isinstance(plain, bool | int | float | str) or plain is None else str(plain)
