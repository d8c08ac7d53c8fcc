"""The commands `check` and `ops`: somebody's function checked, and the table of what TensorFlow's functions do."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from tfgrad import wording


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
    )
    ops.add_argument("names", nargs="*", metavar="NAME", help="tf.round, or part of a name; default: all")
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
    from tfgrad.check import optable

    table = optable.table()
    chosen, missing = optable.chosen(arguments.names)
    if missing:
        names = [op.name for op in table.ops]
        raise cli.Usage("\n  ".join(_unknown_op(name, names) for name in missing))
    if arguments.json is not None:
        cli._write_json({"schema": 1, **optable.header(), "ops": [op.to_dict() for op in chosen]}, arguments.json)
    if arguments.json != "-":
        out = report.console()
        if arguments.names and len(chosen) <= 8:
            for op in chosen:
                sys.stdout.write(f"{op}\n")
        else:
            report.show(out, check_report.op_table(chosen), check_report.ops_summary(chosen, table.tensorflow))
    return 0


def _unknown_op(name: str, names: list[str]) -> str:
    short = {each.rpartition(".")[2]: each for each in names}
    near = wording.nearest(name, names) or [
        short[each] for each in wording.nearest(name.rpartition(".")[2], list(short))
    ]
    hint = f"did you mean {wording.listing(near, join='or')}?" if near else "python -m tfgrad ops lists them"
    return f"no function {name!r} in the table; {hint}"
