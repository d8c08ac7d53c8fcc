"""Checks in colour: a rich table for the terminal, and HTML for notebooks that reads on light and dark pages.

A lens only: the words are those of `Check` and `Mismatch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from tfgrad.check.optable import Op
    from tfgrad.check.result import Check, Mismatch

_WRONG, _RIGHT = "#d6453d", "#2e9e4f"


def check(found: Check) -> RenderableType:
    """Verdict, each mismatch in a box, notes."""
    verdict = Text(found.summary(), style="bold green" if found.ok else "bold red")
    return Group(verdict, *map(_box, found.mismatches), *(Text(f"  note: {note}", style="dim") for note in found.notes))


def _box(mismatch: Mismatch) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in mismatch.rows():
        style = "red" if text.endswith("<- wrong") else "green" if label == "numerical" else ""
        table.add_row(label, Text(text, style="bold" if label == "likely" else style))
    return Panel(table, title=Text(mismatch.headline()), title_align="left", border_style="red", padding=(0, 1))


def check_html(found: Check) -> str:
    """The same as HTML with inline styles; all text is escaped."""
    colour = _RIGHT if found.ok else _WRONG
    verdict = f'<div style="font-weight:bold;color:{colour}">{escape(found.summary())}</div>'
    notes = "".join(f'<div style="opacity:.75;margin:.2em .8em">note: {escape(note)}</div>' for note in found.notes)
    return verdict + "".join(map(_box_html, found.mismatches)) + notes


def _box_html(mismatch: Mismatch) -> str:
    rows = "".join(
        f'<tr style="background:none"><td style="opacity:.65;padding:0 1em 0 0;text-align:left;vertical-align:top">'
        f'{escape(label)}</td><td style="text-align:left;white-space:pre-wrap">{escape(text)}</td></tr>'
        for label, text in mismatch.rows()
    )
    return (
        f'<div style="border-left:4px solid {_WRONG};padding:.3em .8em;margin:.4em 0;color:inherit">'
        f'<div style="font-weight:bold;color:{_WRONG}">{escape(mismatch.headline())}</div>'
        f'<table style="border:none;color:inherit">{rows}</table></div>'
    )


def op_table(found: Sequence[Op]) -> RenderableType:
    """The table of ops, a row each, by area, with how many of each area have a right gradient."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("function", overflow="fold")
    for name in ("reverse", "second", "forward", "pfor", "XLA", "faults"):
        table.add_column(name, no_wrap=True, min_width=len(name))
    for area in sorted({op.area for op in found}):
        inside = [op for op in found if op.area == area]
        right = sum(op.reverse == "yes" for op in inside)
        table.add_row(Text(f"{area} ({len(inside)}, {right} right)", style="bold"))
        for op in inside:
            marks = (op.reverse, op.second, op.forward, op.pfor, op.xla)
            texts = (Text(mark, style=_MARKS.get(mark, "yellow")) for mark in marks)
            table.add_row(Text(f"  {op.name}"), *texts, Text(str(len(op.faults) or ""), style="red"))
    return table


_MARKS = {
    "yes": "green",
    "no": "red",
    "none": "red",
    "zero": "yellow",
    "raises": "red",
    "wrong": "bold red",
    "-": "dim",
}
