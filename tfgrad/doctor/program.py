"""A script or module run as `python SCRIPT` or `python -m MODULE` would run it, in this process.

Its `__main__` module, arguments, search path and file name are what they would be, and stay in place afterwards, when
threads and exit handlers still need them.
"""

from __future__ import annotations

import builtins
import importlib.util
import linecache
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any


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
        if os.path.isdir(self.name) and not os.path.exists(os.path.join(self.name, "__main__.py")):
            raise NotRunnable(f"{self.name} is a directory without a __main__.py; name the script in it")
        try:
            with open(self.file, "rb"):
                pass
        except OSError as error:
            raise NotRunnable(f"can't open {self.name}: {error.strerror}") from None

    @property
    def file(self) -> str:
        """The script's file."""
        inside = os.path.join(self.name, "__main__.py")
        return os.path.abspath(inside if os.path.isdir(self.name) else self.name)

    def run(self) -> None:
        """Runs it. Whatever it raises comes out as it is."""
        main = self._module() if self.is_module else self._script()
        exec(main.__dict__.pop("__tfgrad_code__"), main.__dict__)

    def _script(self) -> ModuleType:
        folder = os.path.dirname(self.file)
        _prepare([self.name, *self.arguments], os.path.abspath(self.name) if os.path.isdir(self.name) else folder)
        main = _main(self.file, SourceFileLoader("__main__", self.file), None, None)
        with open(self.file, "rb") as source:
            code = compile(source.read(), self.file, "exec", dont_inherit=True)
        # Read now, for explanations made after the script has moved or removed it.
        linecache.getlines(self.file)
        return _with_code(main, code)

    def _module(self) -> ModuleType:
        _prepare(["-m", *self.arguments], os.getcwd())
        spec = importlib.util.find_spec(self.name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{self.name}.__main__")
        if spec is None or spec.loader is None:
            raise NotRunnable(f"no module named {self.name}, or a package without __main__")
        loader: Any = spec.loader
        code = loader.get_code(spec.name)
        if code is None:
            raise NotRunnable(f"{self.name} has no Python code")
        sys.argv[0] = spec.origin or self.name
        return _with_code(_main(spec.origin, loader, spec, spec.parent), code)


def _with_code(main: ModuleType, code: CodeType) -> ModuleType:
    main.__dict__["__tfgrad_code__"] = code
    return main


def _prepare(arguments: list[str], folder: str) -> None:
    sys.argv[:] = arguments
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = folder


def _main(file: str | None, loader: Any, spec: ModuleSpec | None, package: str | None) -> ModuleType:
    main = ModuleType("__main__")
    main.__dict__.update(
        __file__=file,
        __loader__=loader,
        __spec__=spec,
        __package__=package,
        __cached__=None if spec is None else spec.cached,
        __builtins__=builtins,
    )
    sys.modules["__main__"] = main
    return main
