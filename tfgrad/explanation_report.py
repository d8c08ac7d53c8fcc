"""Explanations in colour: a rich panel for the terminal, and HTML for notebooks that reads on light and dark pages.

The words are those of `see.telling`; here they only get their colours and boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tfgrad.see import telling

if TYPE_CHECKING:
    from tfgrad.see.explanation import Explanation, Place, Reason

# Chosen to be told apart on black and on white.
_TERMINAL = {
    "error": "red",
    "none": "red",
    "nonfinite": "magenta",
    "zero": "yellow",
    "unknown": "cyan",
    "ok": "green",
}
_PAGE = {
    "error": "#d6453d",
    "none": "#d6453d",
    "nonfinite": "#b05cc8",
    "zero": "#b58400",
    "unknown": "#2a8fa8",
    "ok": "#2e9e4f",
}


def reason_panel(reason: Reason, names: Sequence[str] = ()) -> RenderableType:
    """A reason in a box whose colour is the symptom's: headline, marked source line, why, flow, advice."""
    colour = _TERMINAL[reason.symptom]
    parts: list[RenderableType] = [Text(telling.headline(reason, names), style=f"bold {colour}")]
    if reason.where:
        parts.append(_marked_text(reason.where, colour))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for label, text in telling.parts(reason):
        if text:
            table.add_row(f"  {label}", Text(text, style="bold" if label == "try" else ""))
    if table.rows:
        parts.append(table)
    return Panel(Group(*parts), border_style=colour, title=reason.cause, title_align="left", padding=(0, 1))


def _marked_text(place: Place, colour: str) -> Text:
    text, begin, end = telling.source_line(place, width=telling.WIDTH - 10)
    line = Text(f"    {text}")
    if end > begin:
        line.stylize(f"bold {colour}", 4 + begin, 4 + end)
        line.append("\n" + " " * (4 + begin) + "^" * (end - begin), style=colour)
    return line


def explanation_panel(explanation: Explanation) -> RenderableType:
    """Every distinct reason in its box, then the notes."""
    parts: list[RenderableType] = [reason_panel(found, names) for found, names in telling.grouped(explanation)]
    if not parts:
        parts = [Text("ok: nothing was asked about", style="green")]
    parts += [Text(f"  note: {note}", style="dim") for note in explanation.notes]
    return Group(*parts)


def reason_html(reason: Reason, names: Sequence[str] = ()) -> str:
    """A reason as HTML with inline styles; all text is escaped, colours take after the page around."""
    colour = _PAGE[reason.symptom]
    rows = "".join(
        f'<tr style="background:none"><td style="opacity:.65;padding:0 1em 0 0;text-align:left;vertical-align:top">'
        f'{escape(label)}</td><td style="text-align:left;white-space:pre-wrap">{escape(text)}</td></tr>'
        for label, text in telling.parts(reason)
        if text
    )
    return (
        f'<div style="border-left:4px solid {colour};padding:.3em .8em;margin:.4em 0;color:inherit">'
        f'<div style="font-weight:bold;color:{colour}">{escape(telling.headline(reason, names))}</div>'
        f"{_marked_html(reason.where, colour) if reason.where else ''}"
        f'<table style="border:none;color:inherit">{rows}</table></div>'
    )


def _marked_html(place: Place, colour: str) -> str:
    text, begin, end = telling.source_line(place, width=10_000)
    marked = (
        f"{escape(text[:begin])}"
        f'<span style="font-weight:bold;text-decoration:underline wavy {colour}">{escape(text[begin:end])}</span>'
        f"{escape(text[end:])}"
        if end > begin
        else escape(text)
    )
    return f'<pre style="margin:.3em 0 .3em 1em;background:none;color:inherit;overflow-x:auto">{marked}</pre>'


def explanation_html(explanation: Explanation) -> str:
    """Every distinct reason, then the notes, as HTML."""
    told = [reason_html(found, names) for found, names in telling.grouped(explanation)]
    notes = [f'<div style="opacity:.75;margin:.2em .8em">note: {escape(note)}</div>' for note in explanation.notes]
    return "".join(told or ["<div>ok: nothing was asked about</div>"]) + "".join(notes)
