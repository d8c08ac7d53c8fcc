"""Explanations in plain words, 80 columns: what, where, why, which way the value went, what to type.

Five parts a reason, the most telling first. `explanation_report` shows the same parts in colour.
"""

from __future__ import annotations

import linecache
import os
import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tfgrad import wording
from tfgrad.see.causes import CAUSES, SYMPTOMS

if TYPE_CHECKING:
    from tfgrad.see.explanation import Explanation, Place, Reason

WIDTH = 80
_LABEL = 14
_MOST_STEPS = 8


def file_name(file: str) -> str:
    """A file as the user would type it: relative below the working directory, else its last part."""
    if file.startswith("<"):
        return file
    relative = os.path.relpath(file) if os.path.isabs(file) and _same_drive(file) else file
    return os.path.basename(file) if relative.startswith("..") else relative


def _same_drive(file: str) -> bool:
    return os.path.splitdrive(file)[0] == os.path.splitdrive(os.getcwd())[0]


def spot(place: Place) -> str:
    """File and line: `train.py:14`."""
    return f"{file_name(place.file)}:{place.line}" if place.line else file_name(place.file)


def place(place: Place) -> str:
    """A place in one line: file, line, text."""
    return f"{spot(place)}  {place.text}".rstrip()


def headline(reason: Reason, names: Sequence[str] = ()) -> str:
    """What happened to which leaf, and at which line."""
    leaf = _leaves(names or (reason.path,))
    at = f" at {spot(reason.where)}" if reason.where else ""
    in_function = f", in {reason.where.function}" if at and reason.where and _is_named(reason.where.function) else ""
    many = len(names) > 1
    return {
        "none": f"None: the gradient for {leaf} stops{at}{in_function}"
        if at
        else f"None: there is no gradient for {leaf}",
        "zero": f"zero: the gradient for {leaf} becomes 0{at}{in_function}",
        "nonfinite": f"NaN or inf: the gradient for {leaf} breaks{at}{in_function}",
        "error": f"error: the gradient for {leaf} can't be had{': look' + at if at else ''}{in_function}",
        "unknown": f"unknown: what happened to the gradient for {leaf} can't be told",
        "ok": f"ok: the {'gradients' if many else 'gradient'} for {leaf} {'are' if many else 'is'} fine",
    }[reason.symptom]


def _is_named(function: str) -> bool:
    return bool(function) and not function.startswith("<")


def _leaves(names: Sequence[str]) -> str:
    return wording.listing([f"'{name}'" for name in names], limit=4)


def source_line(place: Place, width: int = WIDTH - 4) -> tuple[str, int, int]:
    """The place's text within a width, and where in it the sub-expression begins and ends (0, 0: not known)."""
    begin, end = _marked(place)
    text = place.text
    if len(text) > width:
        first = max(0, min(begin - 10, len(text) - width + 6)) if begin > width // 2 else 0
        cut = text[first : first + width - 6]
        before = "..." if first else ""
        after = "..." if first + width - 6 < len(text) else ""
        moved = len(before) - first
        text = before + cut + after
        begin, end = max(begin + moved, 0), min(end + moved, len(before) + len(cut))
    return (text, begin, end) if end > begin else (text, 0, 0)


def _marked(place: Place) -> tuple[int, int]:
    if not place.expression:
        return 0, 0
    begin = -1
    if place.column is not None:
        raw = linecache.getline(place.file, place.line)
        begin = place.column - (len(raw) - len(raw.lstrip()))
    if place.end_line is not None and place.end_line > place.line:
        return (begin, len(place.text)) if 0 <= begin < len(place.text) else (0, 0)
    first_line = place.expression.splitlines()[0].rstrip()
    if begin < 0 or not place.text.startswith(first_line, begin):
        begin = place.text.find(first_line)
    return (begin, begin + len(first_line)) if begin >= 0 else (0, 0)


def _code(place: Place) -> list[str]:
    text, begin, end = source_line(place)
    if not text:
        return []
    marked = 0 < end - begin < len(text)
    return [f"    {text}"] + ([f"    {' ' * begin}{'^' * (end - begin)}"] if marked else [])


def why(reason: Reason) -> str:
    """The cause's code, its meaning, and the evidence."""
    if reason.cause == "ok":
        return reason.detail
    meaning = CAUSES[reason.cause].meaning
    return f"{reason.cause}: {meaning} {reason.detail}".rstrip()


def flowed(reason: Reason) -> str:
    """The way from the leaf up to where it ended, in the user's own names."""
    if not reason.chain:
        return ""
    steps = [_step(step) for step in reason.chain]
    if len(steps) > _MOST_STEPS:
        half = _MOST_STEPS // 2
        steps = [*steps[:half], f"({len(steps) - 2 * half} more)", *steps[-half:]]
    end = "" if reason.symptom in ("ok", "unknown") else "  x"
    return " -> ".join([_root(reason), *steps]) + end


def _root(reason: Reason) -> str:
    return reason.path


def _step(step: Place) -> str:
    name = assigned(step)
    what = step.op or (step.expression or step.text)
    return f"{name} = {what} ({step.line})" if name else f"{what} ({step.line})"


def assigned(step: Place) -> str:
    """The name that a place's line gives to the value of its sub-expression, or nothing."""
    if not step.expression:
        return ""
    found = re.match(r"([A-Za-z_]\w*)\s*(?::[^=]+)?=(?!=)\s*", step.text)
    right = step.text[found.end() :].split("  #")[0].strip() if found else ""
    several = step.end_line is not None and step.end_line > step.line
    same = step.expression.startswith(right) if several else step.expression == right
    return found.group(1) if found and right and same else ""


def also(reason: Reason) -> list[str]:
    """The further cuts, a line each."""
    return [f"{other.cause} at {place(other.where)}" if other.where else other.cause for other in reason.others]


def parts(reason: Reason) -> Iterable[tuple[str, str]]:
    """The labelled parts of a reason, in the order of telling; empty ones are left out by whoever shows them."""
    yield "why", why(reason)
    yield "it flowed", flowed(reason)
    yield "try", reason.advice
    yield "also", "\n".join(also(reason))


def reason(reason: Reason, names: Sequence[str] = ()) -> str:
    """A reason in full, for one leaf or for several that share it."""
    lines = textwrap.wrap(headline(reason, names), WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    if reason.where:
        lines += _code(reason.where)
    for label, text in parts(reason):
        if text:
            lines += labelled(label, text)
    return "\n".join(lines)


def labelled(label: str, text: str) -> list[str]:
    """A label and the text beside it, wrapped."""
    first, rest = f"  {label:<{_LABEL - 2}}", " " * _LABEL
    lines: list[str] = []
    for line in text.splitlines():
        wrapped = textwrap.wrap(line, WIDTH - _LABEL, break_long_words=False, break_on_hyphens=False)
        lines += [(rest if lines or i else first) + part for i, part in enumerate(wrapped)]
    return lines


def grouped(explanation: Explanation) -> list[tuple[Reason, list[str]]]:
    """The reasons, the gravest first, leaves with the same one together; those that are fine come last, as one."""
    groups: dict[object, tuple[Reason, list[str]]] = {}
    for found in explanation.reasons:
        # Sources of one list that nobody watched are one fault, whichever of them a line uses first.
        part = found.where.expression if found.where and found.cause != "unwatched" else None
        where = found.where and (found.where.file, found.where.line, part)
        key = "ok" if found.symptom == "ok" else (found.symptom, found.cause, where)
        groups.setdefault(key, (found, []))[1].append(found.path)
    return sorted(groups.values(), key=lambda group: SYMPTOMS.index(group[0].symptom))


def explanation(explanation: Explanation) -> str:
    """Every distinct reason in full, then the notes."""
    told = [reason(found, names) for found, names in grouped(explanation)] or ["ok: nothing was asked about"]
    notes = ["\n".join(labelled("note", note)) for note in explanation.notes]
    return "\n\n".join(told + (["\n".join(notes)] if notes else []))
