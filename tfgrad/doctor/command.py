"""`tfgrad doctor`: its arguments, and what is refused before anything runs."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from tfgrad.doctor.program import NotRunnable, Program
from tfgrad.doctor.report import Reporter
from tfgrad.doctor.visit import Visit

_ABOUT = """\
Runs an unchanged script, looks at every gradient that it asks for, and says afterwards, on standard error, which were
None, zero, NaN or an error: why, at which line, how often, and what to type instead. The doctor's own options come
before SCRIPT; everything after it belongs to the script. The exit code is the script's own, or 1 where that is 0 and
there are problems."""


def add(commands: Any) -> None:
    """Adds the command to the command line."""
    doctor = commands.add_parser(
        "doctor",
        help="run a script and be told why its gradients are missing",
        description=_ABOUT,
        usage="tfgrad doctor [--json FILE] SCRIPT [ARGS ...]\n       tfgrad doctor [--json FILE] -m MODULE [ARGS ...]",
    )
    doctor.add_argument(
        "--json", metavar="FILE", help="the report as JSON too, also when the script fails; - is standard output"
    )
    doctor.add_argument(
        "-m", dest="module", nargs=argparse.REMAINDER, metavar="MODULE", help="run a module, as python -m does"
    )
    doctor.add_argument("script", nargs=argparse.REMAINDER, metavar="SCRIPT", help="the script and its arguments")
    doctor.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the script under the doctor; leaves by SystemExit."""
    words = [*(arguments.module or ()), *arguments.script]
    if words[:1] == ["--"]:
        del words[0]
    if not words:
        taken = f" ({arguments.json} was taken as the FILE of --json)" if arguments.json is not None else ""
        return _refused(f"which script?{taken} type: tfgrad doctor train.py")
    target = arguments.json if arguments.json in (None, "-") else os.path.abspath(arguments.json)
    if target is not None and (trouble := _unwritable(target)):
        return _refused(f"can't write {arguments.json}: {trouble}")
    program = Program(words[0], words[1:], is_module=arguments.module is not None)
    try:
        Visit(program, Reporter(words[0], target)).run()
    except NotRunnable as problem:
        return _refused(str(problem))


def _unwritable(file: str) -> str:
    """Why a file can't be written, found out before the script runs for hours; empty if it can."""
    if file == "-":
        return "standard output is closed" if sys.stdout is None else ""
    is_new = not os.path.exists(file)
    if not is_new and not os.path.isfile(file) and not os.path.isdir(file):
        # Opening a pipe would wait for a reader, or end what one reads.
        return "" if os.access(file, os.W_OK) else "Permission denied"
    try:
        with open(file, "a", encoding="utf-8"):
            pass
        if is_new:
            os.remove(file)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _refused(why: str) -> int:
    if sys.stderr is not None:
        sys.stderr.write(f"tfgrad doctor: {why}\n")
    return 2
