"""A Diagnosis in colour for the terminal, and as HTML for notebooks: its problems as reasons, then notes, then a line.

The words are those of the Diagnosis; here they only get their colours and boxes.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from tfgrad import explanation_report
from tfgrad.see.diagnosing import diagnosis as diagnoses

if TYPE_CHECKING:
    from tfgrad.see.diagnosing.diagnosis import Diagnosis


def diagnosis_panel(found: Diagnosis) -> RenderableType:
    """The problems in boxes, when each came below it."""
    parts: list[RenderableType] = []
    for first, names in diagnoses.grouped(found.problems):
        parts += [explanation_report.reason_panel(first, names), Text(f"  when        {first.when}\n", style="dim")]
    parts += [Text(f"  note        {note}", style="dim") for note in found.notes]
    parts.append(Text(diagnoses.summary(found), style="bold green" if found.ok else "bold red"))
    return Group(*parts)


def diagnosis_html(found: Diagnosis) -> str:
    """The same as HTML; all text is escaped."""
    parts = []
    for first, names in diagnoses.grouped(found.problems):
        parts.append(explanation_report.reason_html(first, names))
        parts.append(f'<div style="opacity:.75;margin:.2em .8em">{escape(first.when)}</div>')
    parts += [f'<div style="opacity:.75;margin:.2em .8em">note: {escape(note)}</div>' for note in found.notes]
    parts.append(f'<div style="font-weight:bold;margin:.4em 0">{escape(diagnoses.summary(found))}</div>')
    return "".join(parts)
