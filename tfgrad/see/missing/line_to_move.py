"""The line that would have to be moved into the tape's block, where what ran outside it is in a function called there.

`y = model(x)` in the function that opens the tape, not a line of `Model.call`: moved as a whole, it helps.
"""

from __future__ import annotations

import ast
from typing import Any

from tfgrad.see import syntax
from tfgrad.see.explanation import Place
from tfgrad.see.missing import callers
from tfgrad.see.question import LeafQuestion, place_of
from tfgrad.see.record import Event, Mark
from tfgrad.see.ways.cuts import Cut
from tfgrad.source import Position, at_line

_COMPOUND = ast.With | ast.AsyncWith | ast.For | ast.While | ast.If | ast.Try | ast.FunctionDef | ast.ClassDef


def line_to_move(leaf: LeafQuestion, cut: Cut) -> Place | None:
    """The place in the function that opened the tape from which the op of a cut was reached; None if it is not known.

    Also None where the op itself stands in that function.
    """
    entry = leaf.record.timeline[cut.n]
    opening = _opening(leaf)
    opened, here = leaf.record.position(opening) if opening is not None else None, cut.position(leaf.record)
    if opening is None or opened is None or here is None or not isinstance(entry, Event) or cut.graph_op is not None:
        return None
    if (here.file, here.function) == (opened.file, opened.function):
        return None
    if entry.graph_op is not None:
        return _on_stack(entry.graph_op, opened)
    return _in_source(leaf, cut, opening, opened, here)


def _opening(leaf: LeafQuestion) -> Mark | None:
    marks = (entry for entry in leaf.record.timeline if isinstance(entry, Mark) and entry.what == "on")
    return next((mark for mark in marks if mark.tape == leaf.record.tape), None)


def _on_stack(op: Any, opened: Position) -> Place | None:
    """The innermost frame of the opening function, on the stack that TensorFlow keeps for an op of a graph."""
    for frame in reversed(list(op.traceback or ())):
        if (frame.filename, frame.name) == (opened.file, opened.function):
            return place_of(at_line(frame.filename, frame.lineno, frame.name), op=str(op.type))
    return None


def _in_source(leaf: LeafQuestion, cut: Cut, opening: Mark, opened: Position, here: Position) -> Place | None:
    """The statement beside the block whose calls lead to the function of an op, nearest to the block."""
    module = syntax.tree(opened.file)
    home = callers.scope_at(opening.code, opened)
    entry = leaf.record.timeline[cut.n]
    body = callers.scope_at(getattr(entry, "code", None), here)
    if module is None or home is None or body is None or body is module or here.file != opened.file:
        return None
    block = syntax.statement(home, opened.line)
    inside = syntax.lines(block) if isinstance(block, ast.With) and cut.note != "stop_recording" else range(0)
    lines = [
        line
        for line in syntax.own_statements(home)
        if not isinstance(line, _COMPOUND) and line.lineno not in inside and _leads_to(leaf, module, line, body)
    ]
    lines = sorted(_under(leaf, cut, home, lines) or lines, key=lambda line: line.lineno)
    before = [line for line in lines if line.lineno < opened.line]
    after = [line for line in lines if line.lineno > opened.line]
    nearest = (before[-1:] or after[:1]) if cut.note == "before" else (after[:1] or before[-1:])
    return place_of(at_line(opened.file, nearest[0].lineno, opened.function)) if nearest else None


def _under(leaf: LeafQuestion, cut: Cut, home: ast.AST, lines: list[ast.stmt]) -> list[ast.stmt]:
    """Those of some statements that stand under stop_recording()."""
    paused = leaf.record.position(leaf.record.timeline[cut.second]) if cut.second is not None else None
    block = syntax.statement(home, paused.line) if paused is not None and cut.note == "stop_recording" else None
    inside = syntax.lines(block) if isinstance(block, ast.With) else range(0)
    return [line for line in lines if line.lineno in inside]


def _leads_to(leaf: LeafQuestion, module: ast.Module, line: ast.stmt, body: ast.AST) -> bool:
    calls = {syntax.dotted(node.func).rpartition(".")[2] for node in ast.walk(line) if isinstance(node, ast.Call)}
    if body in syntax.called(module, calls - {""}, line.lineno):
        return True
    own = callers.own_names(leaf)
    return getattr(body, "name", "") in ("call", "__call__") and callers.speaks_of(syntax.value(line), own)
