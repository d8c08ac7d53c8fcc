"""Demos as rich text for a terminal: claim, highlighted code, values, verdict.

A lens only: all that it shows stands in the dataclasses. In a pipe, or with NO_COLOR, rich leaves the colours out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from tfgrad.learn.demo import Demo, Outcome, Value


def console(*, stderr: bool = False) -> Console:
    """A console that neither colours numbers by itself nor breaks words."""
    return Console(stderr=stderr, highlight=False, soft_wrap=False, emoji=False, markup=False)


def show(out: Console, *things: RenderableType) -> None:
    """Print, and leave out the blanks at the ends of lines where it goes into a pipe or a file."""
    if out.is_terminal:
        out.print(*things)
        return
    with out.capture() as captured:
        out.print(*things)
    out.file.write("".join(line.rstrip() + "\n" for line in captured.get().splitlines()))


def outcome(found: Outcome, number: int, total: int) -> RenderableType:
    """A demo that ran, one screen of it."""
    title = Text(f"{number}/{total} {found.demo.name}", style="bold")
    return Group(
        Rule(title, align="left", style="dim"),
        Text(found.demo.claim),
        "",
        _code(found.demo.source),
        "",
        _values(found.values),
        *([Text(found.error, style="red")] if found.error else []),
        "",
        Text(found.verdict, style="bold green" if found.holds else "bold red"),
        "",
    )


def _code(source: str) -> RenderableType:
    code = Syntax(source, "python", theme="ansi_dark").highlight(source)
    code.rstrip()
    code.no_wrap, code.overflow = False, "fold"
    return Padding(code, (0, 0, 0, 4), expand=False)


def _values(values: Sequence[Value]) -> RenderableType:
    """A table; a text of several lines stands below it by itself, as it was made for the whole width."""
    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=32, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    long = [value for value in values if "\n" in value.text]
    for value in values:
        style = "" if value.check is None else "green" if value.check else "red"
        if value not in long:
            table.add_row(Text(value.name), Text(value.text, style=style))
    told = [Group("", Text(value.name + ":", style="bold"), Text(value.text)) for value in long]
    return Group(Padding(table, (0, 0, 0, 2), expand=False), *told)


def summary(outcomes: Sequence[Outcome]) -> RenderableType:
    """The last line: how many claims held, and which did not."""
    failed = [found.demo.name for found in outcomes if not found.holds]
    held = len(outcomes) - len(failed)
    if failed:
        return Text(f"{held} of {len(outcomes)} claims hold; not: {', '.join(failed)}", style="bold red")
    if held == 1:
        return Text("The claim holds.", style="bold green")
    return Text(f"All {held} claims hold.", style="bold green")


def listing(found: Sequence[Demo]) -> Iterator[RenderableType]:
    """Names and claims."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for demo in found:
        table.add_row(demo.name, demo.claim)
    yield table
