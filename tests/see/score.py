"""How often explain() names the right cause and line: `python tests/see/score.py open|sealed [-k NAME] [-v]`.

A case is right if the worst reason's symptom and cause are among those its docstring allows; its line is right if
the place lies in the case's file and covers a line marked `# HERE`. Precision counts the faults that were stated,
false alarms included, and leaves out `unknown`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import json
import os
import pkgutil
import sys
import time
import traceback
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

NO_FAULT = ("ok", "unknown")


@dataclass(frozen=True)
class Case:
    """A program and what may be said about it."""

    name: str
    file: str
    run: Callable[[type], Any]
    allowed: tuple[tuple[str, str], ...]
    here: tuple[int, ...]

    @property
    def cause(self) -> str:
        return self.allowed[0][1]


@dataclass(frozen=True)
class Outcome:
    """What was said about one case, and whether it was right."""

    name: str
    file: str
    expected: str
    cause: str
    here: tuple[int, ...]
    symptom: str
    said: str
    line: int | None
    place: str
    cause_right: bool
    line_right: bool
    crashed: bool
    seconds: float
    detail: str


def allowed_answers(docstring: str) -> tuple[tuple[str, str], ...]:
    """The pairs (symptom, cause) that a docstring's first line allows.

    >>> allowed_answers("none: stop-gradient | outside-tape | zero: masked")
    (('none', 'stop-gradient'), ('none', 'outside-tape'), ('zero', 'masked'))
    """
    answers: list[tuple[str, str]] = []
    for part in docstring.strip().splitlines()[0].split("|"):
        symptom, colon, cause = part.partition(":")
        answers.append((symptom.strip(), cause.strip()) if colon else (answers[-1][0], symptom.strip()))
    return tuple(answers)


def cases_of(which: str) -> Iterator[Case]:
    """The cases of a set, `open` or `sealed`, in the order of their files."""
    root = str(Path(__file__).resolve().parent)
    if root not in sys.path:
        sys.path.insert(0, root)
    package = importlib.import_module("cases")
    for name in sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.name.startswith(which + "_")):
        module = importlib.import_module(f"cases.{name}")
        for function in vars(module).values():
            here = inspect.isfunction(function) and function.__module__ == module.__name__
            if here and not function.__name__.startswith("_"):
                yield _case(function)


def _case(function: Callable[[type], Any]) -> Case:
    lines, first = inspect.getsourcelines(function)
    here = tuple(first + i for i, line in enumerate(lines) if line.rstrip().endswith("# HERE"))
    file = inspect.getsourcefile(function) or ""
    return Case(function.__name__, file, function, allowed_answers(function.__doc__ or "ok: ok"), here)


def judge(case: Case, tape_class: type) -> Outcome:
    """Run one case with the given tape class and compare what its explanation says."""
    import keras

    keras.utils.set_random_seed(0)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        explanation, failure = _ask(case, tape_class)
    seconds = time.perf_counter() - start
    symptom, said, place, detail = "crash", "crash", None, failure
    if explanation is not None:
        try:
            symptom, said, place = explanation.symptom, explanation.cause, explanation.where
            detail = str(explanation)
        except Exception:  # noqa: BLE001 - a result that cannot be read counts as a crash of explain()
            explanation, detail = None, traceback.format_exc(limit=-4)
    return Outcome(
        name=case.name,
        file=Path(case.file).stem,
        expected=" | ".join(": ".join(pair) for pair in case.allowed),
        cause=case.cause,
        here=case.here,
        symptom=symptom,
        said=said,
        line=None if place is None else place.line,
        place="" if place is None else f"{Path(place.file).name}:{place.line} {place.text}",
        cause_right=(symptom, said) in case.allowed,
        line_right=_covers(place, case),
        crashed=explanation is None,
        seconds=round(seconds, 3),
        detail=detail,
    )


def _ask(case: Case, tape_class: type) -> tuple[Any, str]:
    """The explanation and "", or None and the traceback."""
    try:
        answer = case.run(tape_class)
        if not isinstance(answer, tuple):
            return answer, "" if answer is not None else "the program did not come to its question"
        tape, target, source = answer
        with contextlib.suppress(Exception):  # the error is the symptom that is asked about
            tape.gradient(target, source)
        return tape.explain(target, source), ""
    except Exception:  # noqa: BLE001 - one case must not stop the others
        return None, traceback.format_exc(limit=-6)


def _covers(place: Any, case: Case) -> bool:
    if place is None or not case.here:
        return False
    if os.path.realpath(place.file) != os.path.realpath(case.file):
        return False
    return any(place.line <= line <= (place.end_line or place.line) for line in case.here)


def _share(flags: Iterable[bool]) -> float | None:
    flags = list(flags)
    return sum(flags) / len(flags) if flags else None


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """The numbers of a run: shares from 0 to 1 (None where nothing was counted) and one row for each cause."""
    faulty = [o for o in outcomes if o.cause != "ok"]
    healthy = [o for o in outcomes if o.cause == "ok"]
    by_cause: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_cause[outcome.cause].append(outcome)
    marked = [o for o in faulty if o.here]
    stated = [o for o in outcomes if not o.crashed and o.said not in NO_FAULT]
    per_cause = [_share(o.cause_right for o in group) for cause, group in by_cause.items() if cause != "ok"]
    return {
        "cases": len(outcomes),
        "right_cause": _share(o.cause_right for o in faulty),
        "right_cause_averaged": sum(filter(None, per_cause)) / len(per_cause) if per_cause else None,
        "right_line_where_cause_right": _share(o.line_right for o in marked if o.cause_right),
        "right_line": _share(o.line_right for o in marked),
        "precision": _share(o.cause_right for o in stated),
        "unknown": sum(o.said == "unknown" for o in faulty if o.cause != "unknown"),
        "healthy": len(healthy),
        "false_alarms": [o.name for o in healthy if not o.cause_right and not o.crashed],
        "crashes": [o.name for o in outcomes if o.crashed],
        "seconds": round(sum(o.seconds for o in outcomes), 1),
        "causes": {
            cause: {
                "cases": len(group),
                "right": sum(o.cause_right for o in group),
                "marked": sum(bool(o.here) for o in group),
                "line": sum(o.line_right for o in group),
                "stated": sum(o.said == cause for o in stated),
                "stated_right": sum(o.said == cause and o.cause_right for o in stated),
            }
            for cause, group in sorted(by_cause.items())
        },
    }


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def report(outcomes: list[Outcome], *, misses: bool) -> str:
    """The summary as text, with each miss if wanted."""
    numbers = summary(outcomes)
    lines = []
    for o in outcomes if misses else []:
        if o.crashed or not o.cause_right or (o.here and not o.line_right):
            lines += [f"{o.file}.{o.name}", f"    expected  {o.expected}  at {list(o.here)}"]
            lines += [f"    got       {o.symptom}: {o.said}  at {o.place or '-'}"]
            lines += [f"    {text}" for text in o.detail.splitlines()] if o.crashed else []
    lines += [f"{'cause':24}{'cases':>6}{'right':>6}{'line':>10}{'stated':>8}{'of these right':>16}"]
    for cause, row in numbers["causes"].items():
        line = f"{row['line']} of {row['marked']}" if row["marked"] else "-"
        lines += [f"{cause:24}{row['cases']:6}{row['right']:6}{line:>10}{row['stated']:8}{row['stated_right']:16}"]
    lines += [
        "",
        f"right cause                      {_percent(numbers['right_cause'])}",
        f"  averaged over the causes       {_percent(numbers['right_cause_averaged'])}",
        f"right line, of all marked        {_percent(numbers['right_line'])}",
        f"  of those with the right cause  {_percent(numbers['right_line_where_cause_right'])}",
        f"precision of a stated cause      {_percent(numbers['precision'])}",
        f"answered unknown                 {numbers['unknown']}",
        f"false alarms                     {len(numbers['false_alarms'])} of {numbers['healthy']} healthy "
        + " ".join(numbers["false_alarms"]),
        f"crashes of explain               {len(numbers['crashes'])} " + " ".join(numbers["crashes"]),
        f"cases, seconds                   {numbers['cases']}, {numbers['seconds']}",
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("which", choices=("open", "sealed"))
    parser.add_argument("-k", metavar="NAME", default="", help="only cases whose name or file contains this")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the summary and every outcome")
    parser.add_argument("-v", action="store_true", help="list each miss")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["TFGRAD_STRICT"] = "1"
    import tensorflow as tf

    from tfgrad import Tape

    tf.get_logger().setLevel("ERROR")
    chosen = [c for c in cases_of(options.which) if options.k in f"{Path(c.file).stem}.{c.name}"]
    outcomes = [judge(case, Tape) for case in chosen]
    sys.stdout.write(report(outcomes, misses=options.v) + "\n")
    if options.json:
        everything = {"schema": 1, **summary(outcomes), "outcomes": [asdict(o) for o in outcomes]}
        options.json.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
