"""Measures the table of ops again: `python scripts/measure_ops.py [NAME ...] [--only PATTERN ...] [--out FILE]`.

Each function of `op_specs` is differentiated at its arguments and compared with numbers by tfgrad's own checker, and so
are the special cases. Processes of their own do it, a bundle of functions each; one that dies or hangs costs one mark.
What is done is kept beside the table (`.part`) until all is, and `--resume` goes on from there.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent / "tfgrad" / "check" / "ops.json"
HOW = "tfgrad.check_grads at the arguments of scripts/op_specs, float64 where the function takes it, on a CPU"
BUNDLE = 40
PATIENCE = 600  # seconds for one function
WORK = (sys.executable, str(HERE / "measure_ops.py"), "--work")
Row = dict[str, Any]


def main() -> int:
    """Measure, and write the table."""
    arguments = _parser().parse_args()
    sys.path[:0] = [str(HERE), str(HERE.parent)]
    if arguments.work:
        return work(sys.stdin.read().split("\n"))
    about = _about()
    chosen = _chosen(about["names"], arguments.names, arguments.only)
    target = Path(arguments.out)
    part = target.with_suffix(".part")
    done = _kept(part) if arguments.resume else {}
    part.write_text("".join(f"{json.dumps(row)}\n" for row in done.values()), encoding="utf-8")
    began = time.monotonic()
    for row in measured([name for name in chosen if name not in done], arguments.jobs):
        done[row["name"]] = row
        with part.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(row)}\n")
        print(f"{len(done)}/{len(chosen)} {time.monotonic() - began:.0f} s  {_brief(row)}", flush=True)
    write(target, about, done, keep=len(chosen) < len(about["names"]))
    part.unlink()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these functions; default: all")
    parser.add_argument("--only", nargs="+", metavar="PATTERN", help="and those that match, such as tf.linalg.*")
    parser.add_argument("--out", default=str(TABLE), metavar="FILE", help="where the table goes")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes at a time")
    parser.add_argument("--resume", action="store_true", help="go on with what an interrupted run has left")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    return parser


def _chosen(names: list[str], wanted: list[str], patterns: list[str] | None) -> list[str]:
    """The names asked for; an unknown one ends the script."""
    unknown = [name for name in wanted if name not in names]
    unknown += [each for each in patterns or () if not fnmatch.filter(names, each)]
    if unknown:
        raise SystemExit(f"no function {', '.join(unknown)} in scripts/op_specs")
    if not wanted and not patterns:
        return names
    return [name for name in names if name in wanted or any(fnmatch.fnmatch(name, each) for each in patterns or ())]


def _kept(part: Path) -> dict[str, Row]:
    """What an interrupted run has left; its last line may be cut off."""
    rows = {}
    for line in part.read_text(encoding="utf-8").splitlines() if part.exists() else ():
        if line.endswith("}"):
            row = json.loads(line)
            rows[row["name"]] = row
    return rows


def _brief(row: Row) -> str:
    marks = " ".join(row[mark] for mark in ("reverse", "second", "forward", "accumulator", "pfor", "xla"))
    faults = f", {len(row['faults'])} faults" if row["faults"] else ""
    doubtful = f", doubtful: {'; '.join(row['doubtful'])}" if row["doubtful"] else ""
    return f"{row['name']}: {marks}{faults}{doubtful}{' | ' + row['why'] if row['why'] else ''}"


def write(target: Path, about: dict[str, Any], rows: dict[str, Row], *, keep: bool) -> None:
    """The table as JSON, a function a line; `keep` leaves what was not measured this time as it is."""
    if keep and target.exists():
        rows = {row["name"]: row for row in json.loads(target.read_text(encoding="utf-8"))["ops"]} | rows
    kept = [{key: value for key, value in rows[name].items() if key != "doubtful"} for name in sorted(rows)]
    lines = ",\n".join(json.dumps(row) for row in kept if row["name"] in about["names"])
    head = json.dumps({"tensorflow": about["tensorflow"], "keras": about["keras"], "how": HOW})[:-1]
    target.write_text(f'{head}, "ops": [\n{lines}\n]}}\n', encoding="utf-8")


def measured(names: list[str], jobs: int) -> Iterator[Row]:
    """The rows, as they come, from `jobs` processes at a time."""
    bundles: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    found: queue.SimpleQueue[Row] = queue.SimpleQueue()
    for start in range(0, len(names), BUNDLE):
        bundles.put(names[start : start + BUNDLE])

    def run() -> None:
        while True:
            try:
                bundle = bundles.get_nowait()
            except queue.Empty:
                return
            for row in _bundle(bundle):
                found.put(row)

    for _ in range(jobs):
        threading.Thread(target=run, daemon=True).start()
    for _ in names:
        yield found.get()


def _bundle(names: list[str], command: Sequence[str] = WORK) -> Iterator[Row]:
    """The rows of a bundle, from a process that is begun again after the function that ended it."""
    left = list(names)
    while left:
        row: Row | None = None
        for kind, value in _answers(left, command):
            if kind == "row":
                row = value
            elif row is not None:
                yield row | {"xla": value}
                left, row = left[1:], None
        if left:
            yield ended(left[0]) if row is None else row | {"xla": "no"}
            left = left[1:]


def ended(name: str) -> Row:
    """The row of a function that ended the process that looked at it."""
    marks = dict.fromkeys(("second", "forward", "accumulator", "pfor", "xla"), "-")
    lists: Row = {word: [] for word in ("uses", "aliases", "points", "faults", "also", "doubtful")}
    why = "the process that looks at it ends or hangs"
    return {"name": name, "area": "", "reverse": "raises", **marks, **lists, "why": why, "instead": ""}


def _answers(names: list[str], command: Sequence[str] = WORK) -> Iterator[tuple[str, Any]]:
    """What a process says: a row, then XLA's mark, which can abort it, for each name."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    ) as process:
        if process.stdin is None or process.stdout is None:
            return
        process.stdin.write("\n".join(names))
        process.stdin.close()
        watch = _watch(process)
        try:
            for line in process.stdout:
                if line.startswith('["'):
                    watch.cancel()
                    watch = _watch(process)
                    kind, value = json.loads(line)
                    yield kind, value
        finally:
            watch.cancel()


def _watch(process: subprocess.Popen[str]) -> threading.Timer:
    """What ends a process that is silent for too long."""
    watch = threading.Timer(PATIENCE, process.kill)
    watch.daemon = True
    watch.start()
    return watch


def work(names: list[str]) -> int:
    """What a process of its own does: says what it finds, a line each; without names, what there is to measure."""
    import tensorflow as tf
    from op_specs import measuring

    if names == [""]:
        about = {"tensorflow": tf.__version__, "keras": tf.keras.__version__, "names": list(measuring.specs())}
        print(json.dumps(["about", about]), flush=True)
        return 0
    for name in names:
        spec = measuring.specs()[name]
        row = measuring.measure(spec)
        print(json.dumps(["row", row]), flush=True)
        print(json.dumps(["xla", measuring.compiled(spec) if measuring.usable(row) else "-"]), flush=True)
    return 0


def _about() -> dict[str, Any]:
    for kind, value in _answers([""]):
        if kind == "about":
            return dict(value)
    raise SystemExit("the specs can't be read: python scripts/measure_ops.py --work < /dev/null says why")


if __name__ == "__main__":
    raise SystemExit(main())
