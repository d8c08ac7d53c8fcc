"""The command line: arguments in, report out, exit code.

0 fine, 1 something was found wrong, 2 bad usage. Neither TensorFlow nor rich is imported before it is needed, so that
`--help` and every `--list` answer at once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from tfgrad import __version__, check_commands, wording
from tfgrad.doctor import command as doctor

Run = Callable[[argparse.Namespace], int]


class Usage(Exception):
    """A command line that can't be carried out; its text says why and what to type."""


class _Parser(argparse.ArgumentParser):
    """argparse, with the nearest known names beside an unknown one."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {message}\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if isinstance(action, argparse._SubParsersAction) and value not in action.choices:
            self.error(unknown("command", value, list(action.choices)))
        super()._check_value(action, value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parsed = parser().parse_args(arguments)
    if parsed.command is None:
        parser().print_help()
        return 0
    try:
        code: int = parsed.run(parsed)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except Usage as problem:
        print(f"tfgrad {parsed.command}: {problem}", file=sys.stderr)  # noqa: T201
        return 2
    except BrokenPipeError:
        # Source: "Note on SIGPIPE" in the documentation of Python's signal module.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        if parsed.command == "doctor":
            raise
        print("\nstopped", file=sys.stderr)  # noqa: T201
        return 130


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    made = _Parser(
        prog="tfgrad",
        description="Automatic differentiation on TensorFlow that explains itself.",
        epilog="Exit codes: 0 fine, 1 something was found wrong, 2 bad usage.",
    )
    made.add_argument("--version", action="version", version=f"tfgrad {__version__}")
    commands = made.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=_Parser)
    _add_demos(commands)
    doctor.add(commands)
    check_commands.add(commands)
    return made


def unknown(what: str, name: str, names: Sequence[str]) -> str:
    """An unknown name, with the nearest known ones."""
    near = wording.nearest(name, names)
    hint = f"did you mean {wording.listing(near, join='or')}?" if near else f"known: {', '.join(names)}"
    return f"no {what} {name!r}; {hint}"


def _add_demos(commands: Any) -> None:
    demos = commands.add_parser(
        "demos",
        help="run the experiments: claim, code, what came out, verdict",
        description="Runs the experiments: claim, code as run, what came out, verdict. Exit code 1 if a claim fails.",
    )
    demos.add_argument("names", nargs="*", metavar="NAME", help="only these; default: all")
    demos.add_argument("--list", action="store_true", help="names and claims, nothing is run")
    _add_json(demos)
    demos.add_argument("--seed", type=int, metavar="N", help="of the demo that draws a random number (control-flow)")
    demos.add_argument(
        "--a", type=float, metavar="X", help="instead of a random number in control-flow; --a=-2.5, --a=0"
    )
    demos.set_defaults(run=_run_demos)


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="as JSON, to standard output if no FILE is named"
    )


def _run_demos(arguments: argparse.Namespace) -> int:
    from tfgrad.learn import demo

    chosen = _chosen(arguments.names) if arguments.names else list(demo.demos())
    if arguments.list:
        return _list(chosen, arguments.json)
    given = {"seed": arguments.seed, "a": arguments.a}
    options = {name: value for name, value in given.items() if value is not None}
    for name in options:
        if not any(name in found.options for found in chosen):
            takers = [found.name for found in demo.demos() if name in found.options]
            raise Usage(f"--{name} is for {wording.listing(takers)}, which is not among those asked for")
    quiet = arguments.json == "-"
    return _run_and_show(chosen, options, arguments.json, show=not quiet)


def _chosen(names: Sequence[str]) -> list[Any]:
    from tfgrad.learn import demo

    found = {name: demo.named(name) for name in names}
    missing = [name for name, known in found.items() if known is None]
    if missing:
        known = [each.name for each in demo.demos()]
        raise Usage("\n  ".join(unknown("demo", name, known) for name in missing))
    return [each for each in found.values() if each is not None]


def _list(chosen: Sequence[Any], target: str | None) -> int:
    if target is not None:
        listed = [{"name": found.name, "claim": found.claim, "options": list(found.options)} for found in chosen]
        _write_json({"schema": 1, "demos": listed}, target)
        return 0
    from tfgrad import report

    report.show(report.console(), *report.listing(chosen))
    return 0


def _run_and_show(chosen: Sequence[Any], options: dict[str, Any], target: str | None, *, show: bool) -> int:
    from tfgrad import report
    from tfgrad.learn import demo, startup

    out = report.console()
    with _progress(out, "loading TensorFlow ..."):
        startup.load()
    outcomes = []
    for i, each in enumerate(chosen, start=1):
        with _progress(out, f"{each.name} ..."), startup.quiet() as said:
            outcomes.append(demo.run(each, **options))
        if not outcomes[-1].holds:
            sys.stderr.write("".join(said))
        if show:
            report.show(out, report.outcome(outcomes[-1], i, len(chosen)))
    if show:
        report.show(out, report.summary(outcomes))
    if target is not None:
        _write_json({"schema": 1, "demos": [found.to_dict() for found in outcomes]}, target)
    return 0 if all(found.holds for found in outcomes) else 1


def _progress(out: Any, text: str) -> Any:
    """A spinner on a terminal; on standard output, as standard error is turned away while TensorFlow loads."""
    return out.status(text) if out.is_terminal else contextlib.nullcontext()


def _write_json(data: Any, target: str) -> None:
    text = json.dumps(data, indent=2, allow_nan=False) + "\n"
    if target == "-":
        sys.stdout.write(text)
        return
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Usage(f"can't write {target}: {error.strerror}") from None
