"""A recorded code position as file, line, column, and the text of the expression there.

A position is kept as `(f_code, f_lasti)` while a program runs, which costs next to nothing, and looked up only when
somebody asks. It never fails: what a file that is gone or an exec'd string can't tell is empty or None.
"""

from __future__ import annotations

import linecache
import os
import sys
from dataclasses import dataclass
from itertools import islice
from types import CodeType
from typing import Any, NamedTuple

import tfgrad


@dataclass(frozen=True)
class Position:
    """A place in source code: lines from 1, columns in characters from 0, None where CPython doesn't tell.

    `text` is the whole first line, stripped, and `expression` the sub-expression; empty and None without source.
    """

    file: str
    line: int
    column: int | None
    end_line: int | None
    end_column: int | None
    text: str
    expression: str | None
    function: str


class FrameLine(NamedTuple):
    """A line of a traced function, where there is no code object of the user's to point at."""

    file: str
    line: int
    function: str


def position(code: CodeType | FrameLine, lasti: int) -> Position:
    """The place of instruction `lasti` of `code`.

    >>> position((lambda: 1).__code__, 0).line
    1
    """
    if isinstance(code, FrameLine):
        return at_line(code.file, code.line, code.function)
    line, end_line, column, end_column = _span(code, max(lasti, 0))
    if line is None or column is None or end_column is None or end_line is None:
        return at_line(code.co_filename, line or code.co_firstlineno, code.co_name)
    lines = _lines(code.co_filename, line, end_line)
    if lines is None:
        return Position(code.co_filename, line, None, end_line, None, _line(code.co_filename, line), None, code.co_name)
    start, end = _characters(lines[0], column), _characters(lines[-1], end_column)
    return Position(
        code.co_filename, line, start, end_line, end, lines[0].strip(), _cut(lines, start, end), code.co_name
    )


def at_line(file: str, line: int, function: str) -> Position:
    """The place of a whole line."""
    return Position(file, line, None, None, None, _line(file, line), None, function)


def of_graph_op(op: Any) -> Position | None:
    """The user's line that put an op into a graph, None if no line of the user's did.

    Source: `tf.Operation.traceback`, which AutoGraph maps back to the original lines (TensorFlow 2.16 to 2.21).
    """
    found = user_frame(op.traceback or ())
    return at_line(*found) if found is not None else None


def user_frame(frames: Any) -> FrameLine | None:
    """The innermost of some traceback frames (outermost first) that is in the user's own code, else None."""
    for frame in reversed(list(frames)):
        if is_user_file[frame.filename]:
            return FrameLine(frame.filename, frame.lineno, frame.name)
    return None


class _UserFiles(dict[str, "bool | None"]):
    """File name -> whether it is the user's own code, remembered: it is asked for every frame of every op.

    None: it is what AutoGraph generated from the user's code, whose line only TensorFlow's own stack can tell.
    """

    def __missing__(self, file: str) -> bool | None:
        answer = self[file] = None if "__autograph_generated_file" in file else not _is_library(file)
        return answer


_LIBRARIES = ("tensorflow", "keras", "tf_keras", "numpy", "scipy", "wrapt", "optree", "tree", "absl", "opt_einsum")
_STANDARD = ("contextlib", "functools")
_HERE = os.path.dirname(os.path.abspath(tfgrad.__file__)) + os.sep
_TAUGHT = os.path.join(_HERE, "learn") + os.sep


def _is_library(file: str) -> bool:
    if file.startswith("<frozen") or file == "<__array_function__ internals>":
        return True
    if file.startswith(_HERE):
        return not file.startswith(_TAUGHT)
    for name in _LIBRARIES:
        where = getattr(sys.modules.get(name), "__file__", None)
        if where is not None and file.startswith(os.path.dirname(where) + os.sep):
            return True
    standard = os.path.dirname(os.__file__) + os.sep
    return file.startswith(tuple(standard + name for name in _STANDARD))


is_user_file = _UserFiles()


def _span(code: CodeType, lasti: int) -> tuple[int | None, int | None, int | None, int | None]:
    """First line, last line, first column, last column (bytes) of an instruction."""
    if sys.version_info >= (3, 11):
        found = next(islice(code.co_positions(), lasti // 2, None), None)
        if found is not None and found[0] is not None:
            return found
    line = next((line for start, end, line in code.co_lines() if start <= lasti < end and line is not None), None)
    return line, None, None, None


def _line(file: str, line: int) -> str:
    return linecache.getline(file, line).strip()


def _lines(file: str, first: int, last: int) -> list[str] | None:
    """The lines without their ends, None if the source isn't to be had or is shorter than that."""
    lines = linecache.getlines(file)[first - 1 : last]
    return [line.rstrip("\r\n") for line in lines] if len(lines) == last - first + 1 else None


def _characters(line: str, column: int) -> int:
    """A column in UTF-8 bytes, which is what CPython counts, in characters."""
    return len(line.encode("utf-8", errors="replace")[:column].decode("utf-8", errors="ignore"))


def _cut(lines: list[str], start: int, end: int) -> str:
    if len(lines) == 1:
        return lines[0][start:end]
    return " ".join([lines[0][start:].strip(), *(line.strip() for line in lines[1:-1]), lines[-1][:end].strip()])
