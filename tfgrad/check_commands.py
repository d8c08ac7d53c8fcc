"""The commands `check` and `ops`: somebody's function checked, and the table of what TensorFlow's functions do."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import Any

from tfgrad import wording
from tfgrad.check import optable

_IN_FULL = 8


def add(commands: Any) -> None:
    """Put the commands into the command line."""
    check = commands.add_parser(
        "check",
        help="check a function's derivatives by numbers",
        description="Checks the derivatives of a function in a file by numbers. Exit code 1 if they are wrong.",
        epilog="""example: python -m tfgrad check ops.py:softplus --args "[0.5, -1.0]" --order 2""",
    )
    check.add_argument("function", metavar="FILE.py:FUNCTION")
    check.add_argument(
        "--args",
        default="",
        metavar="ARGS",
        help='the arguments, "1.0, [2.0, 3.0]": a list of numbers is one float32 tensor, a dict a nest',
    )
    check.add_argument("--order", type=int, default=1, choices=(1, 2), help="2: the derivatives of the derivatives too")
    check.add_argument("--modes", nargs="+", choices=("rev", "fwd"), help="default: both")
    check.add_argument("--double", action="store_true", help="numbers are float64, not float32")
    check.add_argument("--seed", type=int, default=0, metavar="N", help="of the random directions")
    _add_json(check)
    check.set_defaults(run=_run_check)
    ops = commands.add_parser(
        "ops",
        help="which functions of TensorFlow can be differentiated, and what to use instead",
        description="What TensorFlow's functions do under differentiation, as measured.",
        epilog="example: python -m tfgrad ops tf.round tf.linalg.* --gradient none",
    )
    ops.add_argument(
        "names", nargs="*", metavar="NAME", help="tf.round, round, np.round, MatMul, tf.linalg.*; default: all"
    )
    ops.add_argument(
        "--gradient", nargs="+", choices=optable.MARKS, metavar="MARK", help="only yes, none, zero, raises or wrong"
    )
    ops.add_argument("--area", metavar="AREA", help="only an area, such as linalg")
    ops.add_argument("--faults", action="store_true", help="only where a fault of TensorFlow is known, with examples")
    _add_json(ops)
    ops.set_defaults(run=_run_ops)


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="as JSON, to standard output if no FILE is named"
    )


def _run_check(arguments: argparse.Namespace) -> int:
    from tfgrad import check_report, cli, report, script_functions
    from tfgrad.learn import startup

    written = script_functions.literals(arguments.args)
    startup.load()
    f = script_functions.function(arguments.function)
    found = _checked(f, script_functions.values(written, double=arguments.double), arguments)
    if arguments.json is not None:
        cli._write_json(found.to_dict(), arguments.json)
    if arguments.json != "-":
        report.show(report.console(), check_report.check(found))
    return 0 if found.ok else 1


def _checked(f: Any, args: tuple[Any, ...], arguments: argparse.Namespace) -> Any:
    from tfgrad import cli
    from tfgrad.check.gradients import check_grads
    from tfgrad.errors import GradError, GradientMismatch

    given: dict[str, Any] = {} if arguments.modes is None else {"modes": tuple(arguments.modes)}
    try:
        return check_grads(f, args, arguments.order, seed=arguments.seed, **given)
    except GradientMismatch as error:
        return error.check
    except GradError as error:
        raise cli.Usage(str(error)) from None


def _run_ops(arguments: argparse.Namespace) -> int:
    from tfgrad import check_report, cli, report

    found, missing = optable.chosen(arguments.names)
    if missing:
        raise cli.Usage("\n  ".join(_unknown_op(name) for name in missing))
    table = replace(optable.table(), ops=tuple(op for op in found if _wanted(op, arguments)))
    if arguments.json is not None:
        cli._write_json({"schema": 1, **optable.header(), "ops": [op.to_dict() for op in table]}, arguments.json)
    if arguments.json == "-":
        return 0
    if arguments.faults or (arguments.names and len(table) <= _IN_FULL):
        raw = [name for name in arguments.names if optable.using(name)]
        sys.stdout.write("".join([*(f"{line}\n" for name in raw for line in _raw(name)), *(f"{op}\n" for op in table)]))
    else:
        report.show(report.console(), check_report.op_table(table.ops))
    if len(table) != 1:
        sys.stdout.write(f"{table.summary()}\n")
    if other := optable.other_version(table):
        sys.stderr.write(f"{other}\n")
    return 0


def _wanted(op: optable.Op, arguments: argparse.Namespace) -> bool:
    """Whether a function passes the filters."""
    from tfgrad import cli

    areas = sorted({each.area for each in optable.table()})
    if arguments.area is not None and arguments.area not in areas:
        raise cli.Usage(cli.unknown("area", arguments.area, areas))
    by_mark = arguments.gradient is None or op.reverse in arguments.gradient
    return by_mark and arguments.area in (None, op.area) and (bool(op.faults) or not arguments.faults)


def _raw(name: str) -> list[str]:
    """For a raw op, the functions that are made of it."""
    users = optable.using(name)
    more = f" and {wording.count(len(users) - _IN_FULL, 'other')}" if len(users) > _IN_FULL else ""
    return [f"{name} is a raw op of {', '.join(op.name for op in users[:_IN_FULL])}{more}"]


def _unknown_op(name: str) -> str:
    near = optable.near(name)
    hint = f"did you mean {wording.listing(near, join='or')}?" if near else "python -m tfgrad ops lists them"
    return f"no function {name!r} in the table; {hint}"
