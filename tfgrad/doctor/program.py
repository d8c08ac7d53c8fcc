"""A script or module run as `python SCRIPT` or `python -m MODULE` would run it, in this process.

Its `__main__` module, arguments, search path and file name are what they would be, and stay in place afterwards, when
threads and exit handlers still need them.
"""

from __future__ import annotations

import builtins
import io
import linecache
import os
import pkgutil
import platform
import runpy
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader, SourcelessFileLoader
from types import CodeType, ModuleType
from typing import Any

from tfgrad.doctor.shadows import forget_shadowed

_HAS_ANNOTATIONS = sys.version_info < (3, 14)


class NotRunnable(Exception):
    """There is nothing there that could be run; its text says why."""


@dataclass(frozen=True)
class Program:
    """What to run: a script's path, or a module's name, and its arguments."""

    name: str
    arguments: Sequence[str]
    is_module: bool = False

    def check(self) -> None:
        """Raises NotRunnable where Python could not even begin."""
        if self.is_module:
            return
        if os.path.isdir(self.name):
            if not os.path.exists(os.path.join(self.name, "__main__.py")):
                raise NotRunnable(f"{self.name} is a directory without a __main__.py; name the script in it")
            return
        try:
            with open(self.file, "rb"):
                pass
        except OSError as error:
            raise NotRunnable(f"can't open {self.name}: {error.strerror}") from None
        if self.name.endswith(".ipynb"):
            make = f"jupyter nbconvert --to script {self.name}"
            raise NotRunnable(
                f"{self.name} is a notebook, not a script; type: {make}, and name the script that it makes"
            )

    @property
    def file(self) -> str:
        """The script's file.

        Source: `__main__.__file__` is the current folder with what was typed after it (CPython 3.10 to 3.13, POSIX).
        """
        if os.name != "posix" or os.path.isabs(self.name):
            return os.path.abspath(self.name)
        try:
            return os.path.join(os.getcwd(), self.name)
        except FileNotFoundError:
            return self.name

    def run(self) -> None:
        """Runs it. Whatever it raises comes out as it is."""
        if self.is_module:
            self._run_by_python(self.name, os.getcwd(), is_always_first=False)
        elif pkgutil.get_importer(self.file) is not None:
            self._run_by_python("__main__", self.file, is_always_first=True)
        else:
            self._run_script()

    def _run_script(self) -> None:
        sys.argv[:] = [self.name, *self.arguments]
        folder = os.path.dirname(os.path.realpath(self.file) if os.name == "posix" else self.file)
        _put_first(folder, is_always_first=False)
        main = _main()
        code, loader = _compiled(self.name, self.file)
        main.__dict__.update(__file__=self.file, __cached__=None, __loader__=loader)
        exec(code, main.__dict__)

    def _run_by_python(self, module: str, folder: str, *, is_always_first: bool) -> None:
        """Has Python's own `runpy` find and run it, so that it is found, refused and traced as it would be.

        Source: `python -m` and `python FOLDER` call `runpy._run_module_as_main` (CPython 3.10 to 3.13).
        """
        sys.argv[:] = ["-m" if self.is_module else self.name, *self.arguments]
        _put_first(folder, is_always_first=is_always_first)
        _main()
        run: Any = runpy._run_module_as_main  # type: ignore[attr-defined]
        try:
            run(module, self.is_module)
        except SystemExit as stop:
            if _innermost(stop).f_globals.get("__name__") != "runpy":
                raise
            raise NotRunnable(str(stop.code).removeprefix(f"{sys.executable}: ")) from None


def _compiled(name: str, file: str) -> tuple[CodeType, Any]:
    with open(file, "rb") as source:
        content = source.read()
    if file.endswith(".pyc"):
        code = pkgutil.read_code(io.BytesIO(content))
        if code is None:
            raise NotRunnable(f"{name} was compiled by another Python than this one, {platform.python_version()}")
        return code, SourcelessFileLoader("__main__", file)
    code = compile(content, file, "exec", dont_inherit=True)
    # Read now, for explanations made after the script has moved or removed it.
    if not linecache.getlines(file):
        lines = content.decode(errors="replace").splitlines(keepends=True)
        linecache.cache[file] = len(content), None, lines, file
    return code, SourceFileLoader("__main__", file)


def _innermost(error: BaseException) -> Any:
    trace = error.__traceback__
    assert trace is not None
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame


def _put_first(folder: str, *, is_always_first: bool) -> None:
    """The program's folder in the search path, in place of what Python has put there for us.

    Source: `-P` and `-I` keep folders of scripts and modules out, archives not (CPython 3.11; 3.10 knows `-I` only).
    """
    is_ours = not getattr(sys.flags, "safe_path", sys.flags.isolated)
    if is_ours:
        sys.path[:1] = [folder]
    elif is_always_first:
        sys.path.insert(0, folder)
    if is_ours or is_always_first:
        forget_shadowed(folder)


def _main() -> ModuleType:
    main = ModuleType("__main__")
    if _HAS_ANNOTATIONS:
        main.__dict__.update(__annotations__={})
    main.__dict__.update(__builtins__=builtins)
    sys.modules["__main__"] = main
    return main
