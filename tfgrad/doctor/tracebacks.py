"""Tracebacks as they would be without the doctor: this package's own frames are taken out of them.

An error that passes through a watched tape has our frames in its traceback. They are unlinked where a program (or
AutoGraph, which writes a traceback into its message) turns a traceback into text.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

import tfgrad

_HERE = os.path.dirname(os.path.abspath(tfgrad.__file__)) + os.sep
_LEARN = os.path.join(_HERE, "learn") + os.sep


def plain(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without frames of this package; what hangs on its own frames is changed in place."""
    while trace is not None and _is_ours(trace):
        trace = trace.tb_next
    here = trace
    while here is not None:
        after = here.tb_next
        while after is not None and _is_ours(after):
            after = after.tb_next
        if after is not here.tb_next:
            here.tb_next = after
        here = after
    return trace


def _is_ours(trace: TracebackType) -> bool:
    file = trace.tb_frame.f_code.co_filename
    return file.startswith(_HERE) and not file.startswith(_LEARN)


def clean(error: BaseException, seen: set[int] | None = None) -> None:
    """Makes the traceback of an error plain, and those of the errors that it came from."""
    seen = set() if seen is None else seen
    if id(error) in seen:
        return
    seen.add(id(error))
    error.__traceback__ = plain(error.__traceback__)
    for other in (error.__cause__, error.__context__):
        if other is not None:
            clean(other, seen)


def begin() -> Callable[[], None]:
    """Has every traceback made plain before it becomes text; gives a function that ends this.

    Source: all of `traceback` and `logging` goes through `TracebackException` or `extract_tb` (CPython 3.10 to 3.13);
    AutoGraph through `extract_tb` (TensorFlow 2.16 to 2.21).
    """
    init, extract = traceback.TracebackException.__init__, traceback.extract_tb

    def from_plain(self: Any, kind: Any, error: Any, trace: Any, *more: Any, **options: Any) -> None:
        init(self, kind, error, plain(trace), *more, **options)

    def extract_plain(tb: Any, limit: Any = None) -> Any:
        return extract(plain(tb), limit)

    traceback.TracebackException.__init__ = from_plain  # type: ignore[method-assign, assignment]
    traceback.extract_tb = extract_plain

    def end() -> None:
        traceback.TracebackException.__init__ = init  # type: ignore[method-assign]
        traceback.extract_tb = extract

    return end
