"""Tracebacks and stacks as they would be without the doctor: the frames that are there for it are taken out of them.

An error that passes through a watched tape has our frames in its traceback. They are unlinked where a program (or
AutoGraph, which writes a traceback into its message) turns a traceback into text.
"""

from __future__ import annotations

import os
import runpy
import traceback
from collections.abc import Callable, Iterator
from itertools import pairwise
from types import FrameType, TracebackType
from typing import Any

import tfgrad

_HERE = os.path.dirname(os.path.abspath(tfgrad.__file__)) + os.sep
# What a program itself calls of this package stays in sight.
_OURS = tuple(_HERE + name for name in ("doctor" + os.sep, "see" + os.sep, "_tensorflow" + os.sep, "cli", "__main__"))
_BELOW = os.path.join(_HERE, "doctor", "program.py")
_IMPORTING = os.path.join(_HERE, "doctor", "importing.py")


def plain(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without our frames; what hangs on its own frames is changed in place."""
    kept = [each for each in _unlinked(trace) if not _is_ours(each)]
    for here, after in pairwise([*kept, None]):
        if here is not None and here.tb_next is not after:
            here.tb_next = after
    return kept[0] if kept else None


def _unlinked(trace: TracebackType | None) -> list[TracebackType]:
    """The frames in order; an import that we listened to is as bare of Python's own frames as every other."""
    found: list[TracebackType] = []
    while trace is not None:
        if _file(trace) == _IMPORTING:
            while found and _file(found[-1]).startswith("<frozen importlib"):
                found.pop()
        found.append(trace)
        trace = trace.tb_next
    return found


def _file(trace: TracebackType) -> str:
    return trace.tb_frame.f_code.co_filename


def _is_ours(trace: TracebackType) -> bool:
    return _file(trace).startswith(_OURS)


def our_files(*, is_script: bool) -> list[str]:
    """The files whose frames are there for the doctor; with a script, also the one of Python's that runs modules."""
    found = []
    for each in _OURS:
        if each.endswith(os.sep):
            found += [os.path.join(each, name) for name in os.listdir(each) if name.endswith(".py")]
        else:
            found.append(f"{each}.py")
    return found + ([runpy.run_path.__code__.co_filename] if is_script else [])


def clean(error: BaseException, seen: set[int] | None = None) -> None:
    """Makes the traceback of an error plain, and those of the errors that it came from."""
    seen = set() if seen is None else seen
    if id(error) in seen:
        return
    seen.add(id(error))
    error.__traceback__ = plain(error.__traceback__)
    for other in (error.__cause__, error.__context__, *getattr(error, "exceptions", ())):
        if isinstance(other, BaseException):
            clean(other, seen)


def begin() -> Callable[[], None]:
    """Has every traceback and stack made plain before it becomes text; gives a function that ends this.

    Source: all of `traceback` and `logging` goes through `TracebackException`, `extract_tb` or `walk_stack` (CPython
    3.10 to 3.13); AutoGraph through `extract_tb` (TensorFlow 2.16 to 2.21).
    """
    init, extract, walk = traceback.TracebackException.__init__, traceback.extract_tb, traceback.walk_stack

    def from_plain(self: Any, kind: Any, error: Any, trace: Any, *more: Any, **options: Any) -> None:
        init(self, kind, error, plain(trace), *more, **options)

    def extract_plain(tb: Any, limit: Any = None) -> Any:
        return extract(plain(tb), limit)

    def walk_plain(f: FrameType | None) -> Iterator[tuple[FrameType, int]]:
        # Without a frame it counts from whoever asks for the first one.
        return walk(f) if f is None else _above(walk(f))

    traceback.TracebackException.__init__ = from_plain  # type: ignore[method-assign, assignment]
    traceback.extract_tb = extract_plain
    traceback.walk_stack = walk_plain

    def end() -> None:
        traceback.TracebackException.__init__ = init  # type: ignore[method-assign]
        traceback.extract_tb = extract
        traceback.walk_stack = walk

    return end


def _above(stack: Iterator[tuple[FrameType, int]]) -> Iterator[tuple[FrameType, int]]:
    """A stack, innermost first, down to where the program was begun."""
    for frame, line in stack:
        file = frame.f_code.co_filename
        if file == _BELOW:
            return
        if not file.startswith(_OURS):
            yield frame, line
