"""Speed and memory of tfgrad as ratios, to plain TensorFlow and to jax, torch and autograd where those are installed.

    python scripts/bench.py                 every row, some twenty minutes
    python scripts/bench.py -k jacobian     the rows with this in their name or description
    python scripts/bench.py --list

It runs in the Python that has TensorFlow; `pip install .[bench]` adds the others. Exit code 0: measured; 1: something
raised, or values differ; 2: bad usage. Absolute times say little; ratios within one run do.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT)]

from benchmarks import machine, measure, report  # noqa: E402
from benchmarks.rows import PEERS, ROWS, Row, library  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and give its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    rows = _chosen(options.pattern, parser)
    if options.list:
        for row in rows:
            print(f"{row.name:<17} {row.what}; {' '.join(_goal_texts(row))}")
        return 0
    if not machine.installed("tensorflow"):
        parser.error("TensorFlow is not installed in this Python; run it with the one of .venv")
    return _run(rows, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-k", dest="pattern", default="", help="a regular expression for names and descriptions")
    parser.add_argument("--rounds", type=_positive_int, default=11, metavar="N", help="rounds of a row (11)")
    parser.add_argument("--turn", type=_positive_float, default=0.05, metavar="S", help="seconds of one turn (0.05)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every number, as data")
    parser.add_argument("--list", action="store_true", help="the rows and their goals")
    return parser


def _positive_int(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _positive_float(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError("more than 0")
    return number


def _chosen(pattern: str, parser: argparse.ArgumentParser) -> list[Row]:
    try:
        wanted = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        parser.error(f"-k {pattern!r} is no regular expression: {error}")
    rows = [row for row in ROWS if wanted.search(row.name) or wanted.search(row.what)]
    if not rows:
        parser.error(f"-k {pattern!r} matches no row; the rows are {', '.join(row.name for row in ROWS)}")
    return rows


def _goal_texts(row: Row) -> list[str]:
    return [f"{goal.ratio:g}{'*' if goal.wanted else ''} / {' or '.join(goal.against)}" for goal in row.goals]


def _run(rows: Sequence[Row], options: argparse.Namespace) -> int:
    about = machine.described()
    print(machine.line(about))
    print(f"ratios, medians of {options.rounds} rounds; below 1 tfgrad needs less; * is a goal to be accepted by\n")
    print(report.HEAD)
    outcomes = []
    crew = measure.Crew()
    try:
        for row in rows:
            outcomes.append(measure.measured(row, _absent(row), crew, options.rounds, options.turn))
            print("\n".join(report.lines(outcomes[-1])), flush=True)
    finally:
        crew.close()
    print("\n" + report.summary(outcomes))
    if options.json:
        _write(options.json, about, options, outcomes)
    return 1 if any(outcome.failed or outcome.differ for outcome in outcomes) else 0


def _absent(row: Row) -> dict[str, str]:
    """Why a contestant is not there: a library that is not installed, a name that tfgrad doesn't have yet."""
    import tfgrad

    lacking = [name for name in row.needs if name not in tfgrad.__all__]
    found = {name: f"not there yet: {', '.join(lacking)}" for name in row.ours} if lacking else {}
    for name in row.contestants:
        if library(name) in PEERS and not machine.installed(library(name)):
            found[name] = "not installed"
    return found


def _write(file: Path, about: dict[str, Any], options: argparse.Namespace, outcomes: Sequence[measure.Outcome]) -> None:
    data = {
        "schema": 1,
        "machine": about,
        "rounds": options.rounds,
        "turn_s": options.turn,
        "rows": [report.to_dict(outcome) for outcome in outcomes],
    }
    file.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
