"""Numbers that came back: which read of a tensor fed a leaf that was later made from Python or NumPy data.

Sure where it is the same array (or shares its memory); else told from the syntax: the read stands in what the leaf's
statement was computed from, through helper functions too. Literals never link. None is better than a guess.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from types import CodeType
from typing import Any

import numpy as np

from tfgrad.see import syntax
from tfgrad.see.record import GradientCall, Leaf, Read, Record
from tfgrad.see.ways.cuts import FLOATING

_NUMBERS = frozenset({"ndarray", "scalar", "list"})
# Numbers that stand in programs for other reasons than having been read from a tensor.
_COMMON = frozenset({0.0, 1.0, -1.0, 2.0, 0.5, 1e-7, 1e-8, 1e-12})


class Links:
    """Links from leaves back to reads, each looked for once."""

    def __init__(self, record: Record) -> None:
        self.record = record

    def read_behind(self, leaf: Leaf, reads: Sequence[Read]) -> Read | None:
        """The read, of those given, that a leaf's numbers came from; None where no link can be shown."""
        earlier = [read for read in reads if read.n <= leaf.n]
        if leaf.kind not in _NUMBERS or not earlier:
            return None
        same = next((read for read in reversed(earlier) if _is_same(leaf, read)), None)
        if same is not None:
            return same
        spec = self.record.specs.get(leaf.id)
        if spec is not None and spec[0] not in FLOATING:
            return None
        return self._by_syntax(leaf, earlier) or self._on_the_way_to_target(leaf, earlier)

    def _on_the_way_to_target(self, leaf: Leaf, reads: Sequence[Read]) -> Read | None:
        """An array of the same shape, read in a statement that the target was computed from where gradient() is called.

        So it is where an array is handed to a function that goes by another name there: `loss_fn(y.numpy(), labels)`.
        """
        call = self.record.last_call
        shape = self.record.shape(leaf.id)
        if leaf.kind != "ndarray" or call is None or not isinstance(call.code, CodeType) or not shape:
            return None
        lines = self._lines_to_target(call)
        for read in sorted(reads, key=lambda read: read.n, reverse=True):
            at = self.record.position(read)
            if read.code is call.code and at is not None and at.line in lines and self.record.shape(read.id) == shape:
                return read
        return None

    def _lines_to_target(self, call: GradientCall) -> set[int]:
        at = self.record.position(call)
        body = syntax.scope(call.code) if isinstance(call.code, CodeType) else None
        node = syntax.call_at(at.file, at.line, at.expression, (call.method,)) if at is not None else None
        wanted = syntax.names(syntax.argument(node, 0, "target")) if node is not None else set()
        if at is None or body is None or not wanted:
            return set()
        feeding = [
            line for line in syntax.own_statements(body) if syntax.targets(line) & wanted and line.lineno < at.line
        ]
        return {number for line in feeding for number in syntax.backward_of(body, line).lines}

    def _by_syntax(self, leaf: Leaf, reads: Sequence[Read]) -> Read | None:
        position = self.record.position(leaf)
        if not isinstance(leaf.code, CodeType) or position is None:
            return None
        if leaf.kind != "ndarray" and _all_literal(leaf, position.expression):
            return None
        sources = _sources(leaf.code, position.line)
        if sources is None:
            return None
        lines, functions = sources
        for read in sorted(reads, key=lambda read: read.n, reverse=True):
            at = self.record.position(read)
            if at is None or not isinstance(read.code, CodeType):
                continue
            same_file = at.file == leaf.code.co_filename
            if at.line in lines if same_file else _function_name(read.code) in functions:
                return read
        return None


def _function_name(code: CodeType) -> str:
    """The name of the function that a code object belongs to; for a comprehension, the function around it."""
    if not code.co_name.startswith("<"):
        return code.co_name
    parts = [part for part in getattr(code, "co_qualname", "").split(".") if not part.startswith("<")]
    return parts[-1] if parts else ""


def _result(read: Read) -> Any:
    return read.result() if callable(read.result) else read.result


def _is_same(leaf: Leaf, read: Read) -> bool:
    value, result = leaf.value, _result(read)
    if value is None or result is None:
        return False
    if isinstance(value, np.ndarray) and isinstance(result, np.ndarray):
        return value is result or bool(np.shares_memory(value, result))
    if leaf.kind == "scalar":
        return _is_telling(value, leaf.code) and _equal(value, result)
    if leaf.kind == "list" and np.ndim(result) == 0:
        return any(_is_telling(item, leaf.code) and _equal(item, result) for item in value)
    return False


def _equal(a: Any, b: Any) -> bool:
    if np.ndim(a) or np.ndim(b) or isinstance(b, str | bytes):
        return False
    return bool(a == b)


def _is_telling(value: Any, code: Any) -> bool:
    """Whether a number is one that would hardly be met by chance, nor stands in the code as a literal."""
    if isinstance(value, bool | np.bool_ | int | np.integer) or not isinstance(value, float | np.floating | complex):
        return False
    return complex(value) not in _COMMON and value not in _literals(code)


def _all_literal(leaf: Leaf, expression: str | None) -> bool:
    """Whether a leaf's numbers stand written: a list's where it entered, a single number's anywhere in the function."""
    is_list = isinstance(leaf.value, list | tuple)
    values = leaf.value if is_list else [leaf.value]
    written = syntax.constants(expression) if expression and is_list else _literals(leaf.code)
    known = {number for value in written if isinstance(value, int | float | complex) for number in (value, -value)}
    plain = [value for value in values if isinstance(value, int | float | complex)]
    return len(plain) == len(values) and all(value in known for value in plain)


def _literals(code: Any) -> set[Any]:
    found: set[Any] = set()
    todo: list[Any] = list(getattr(code, "co_consts", ()))
    while todo:
        item = todo.pop()
        if isinstance(item, tuple | frozenset):
            todo += item
        elif isinstance(item, int | float | complex):
            found |= {item, -item}
    return found


def _sources(code: CodeType, line: int) -> tuple[set[int], set[str]] | None:
    """The lines that a statement was computed from, and the functions that had a part in it, at most a few calls deep.

    None where there is no source text.
    """
    module, body = syntax.tree(code.co_filename), syntax.scope(code)
    if module is None or body is None:
        return None
    found = syntax.backward(body, line)
    if found is None:
        return None
    lines, names = set(found.lines), set(found.names)
    for caller_lines, caller_names in _at_callers(module, body, names):
        lines |= caller_lines
        names |= caller_names
    functions = {name.rpartition(".")[2] for name in names}
    for definition in syntax.called(module, functions, line):
        lines |= set(syntax.lines(definition))
        functions |= {name.rpartition(".")[2] for name in syntax.names(definition)}
    return lines, functions


def _at_callers(module: ast.AST, body: ast.AST, names: set[str]) -> Iterable[tuple[set[int], set[str]]]:
    """What the arguments were computed from, where a statement uses a parameter of its function."""
    arguments = getattr(body, "args", None)
    name = getattr(body, "name", "")
    if arguments is None or not name:
        return
    parameters = {argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    if not parameters & names:
        return
    for caller in ast.walk(module):
        if not isinstance(caller, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module) or caller is body:
            continue
        for call in _calls_in(caller, name):
            found = syntax.backward(caller, call.lineno)
            if found is not None:
                yield set(found.lines), set(found.names)


def _calls_in(scope: ast.AST, name: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(scope)
        if isinstance(node, ast.Call) and syntax.dotted(node.func).rpartition(".")[2] == name
    ]
