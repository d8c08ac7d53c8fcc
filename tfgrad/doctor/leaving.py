"""How Python ends: threads are joined, an error that nobody caught is shown; and the ways round all that."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from tfgrad.doctor import tracebacks


def join_threads() -> None:
    """Waits for the program's threads, as Python does next, which then finds it done.

    Source: `threading._shutdown` also wakes the idle threads of a ThreadPoolExecutor (CPython 3.10 to 3.13).
    """
    # Python ignores whatever comes meanwhile, Ctrl-C and a signal handler's sys.exit too.
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]


def show(error: BaseException) -> SystemExit | None:
    """Shows an error that nobody caught as Python shows it; the SystemExit that the program's hook raised, if any.

    Source: `PyErr_PrintEx` in `Python/pythonrun.c` (CPython 3.10 to 3.13).
    """
    kind, trace = type(error), error.__traceback__
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    hook = getattr(sys, "excepthook", sys.__excepthook__)
    try:
        hook(kind, error, trace)
    except SystemExit as stop:
        return stop
    except BaseException as second:  # noqa: BLE001 - it is shown, with the first
        tracebacks.clean(second)
        _write("Error in sys.excepthook:\n")
        sys.__excepthook__(type(second), second, second.__traceback__)
        _write("\nOriginal exception was:\n")
        sys.__excepthook__(kind, error, trace)
    return None


def _write(text: str) -> None:
    # The program may have closed or replaced its error stream.
    with contextlib.suppress(Exception):
        sys.stderr.write(text)


def hear_hard_exits(heard: Callable[[int | None], int | None]) -> Callable[[], None]:
    """Has a function called before `os._exit` and `os.exec*`, which run no exit handlers; gives what ends this.

    Args:
        heard: gets the exit code, None where another program takes the place of this one, and gives the code to use.

    Source: every other `os.exec*` calls `os.execv` or `os.execve` (CPython 3.10 to 3.13).
    """
    names = ("_exit", "execv", "execve")
    originals = {name: getattr(os, name) for name in names}

    def leave(status: int) -> None:
        code = heard(status)
        originals["_exit"](status if code is None else code)

    def hearing(name: str) -> Callable[..., None]:
        def replace(path: Any, *more: Any) -> None:
            # Along PATH it is tried where it is not, too.
            if os.path.isfile(path) and os.access(path, os.X_OK):
                heard(None)
            originals[name](path, *more)

        return replace

    os._exit = leave  # type: ignore[assignment]
    os.execv, os.execve = hearing("execv"), hearing("execve")  # type: ignore[assignment]

    def end() -> None:
        for name, original in originals.items():
            setattr(os, name, original)

    return end
