"""A sentence on why a program could not run here, or why there was nothing to watch, beside what Python says."""

from __future__ import annotations

import os
import platform
import shlex
import sys

NEVER = "TensorFlow was never imported: there was nothing to watch."


def on_failure(error: BaseException | None, name: str, file: str) -> str:
    """What to do about a script that needs another Python, or none; empty where the error says enough by itself."""
    if not isinstance(error, (SyntaxError, ValueError, ImportError)):
        return ""
    first = _first_line(file)
    if isinstance(error, ImportError):
        return _other_python(first, name)
    if getattr(error, "filename", file) not in (file, None) or error.__traceback__ is not None:
        return ""
    asked = os.path.basename(_interpreter(first))
    if asked and not asked.startswith(("python", "pypy")):
        return f"{name} is written for {asked}, as its first line says, not for Python."
    if asked.startswith("python2") or "Missing parentheses in call to 'print'" in str(error):
        return f"{name} is written for Python 2; this is Python {platform.python_version()}."
    if b"\0" in first or "null bytes" in str(error) or "codec can't decode" in str(error):
        return f"{name} is no Python source in UTF-8: name the script."
    return ""


def on_nothing(origin: str | None) -> str:
    """Why TensorFlow was not there to be watched.

    Args:
        origin: the file that was found as `tensorflow`, None if there was none or nobody asked for it.
    """
    if origin is None:
        return NEVER
    if os.path.basename(origin) != "__init__.py" or "GradientTape" in _missing():
        return f"tensorflow is {origin} here, which is not TensorFlow: rename it."
    return f"TensorFlow ({origin}) could not be imported: there was nothing to watch."


def _missing() -> str:
    """What a module of the name tensorflow lacks, so that it is none."""
    module = sys.modules.get("tensorflow")
    return "" if module is None or hasattr(module, "GradientTape") else "GradientTape"


def _first_line(file: str) -> bytes:
    try:
        with open(file, "rb") as source:
            return source.readline(1000)
    except OSError:
        return b""


def _interpreter(first: bytes) -> str:
    """What the first line asks for: a path, or a name that is to be looked up; empty if it asks for nothing."""
    if not first.startswith(b"#!"):
        return ""
    try:
        words = shlex.split(first[2:].decode(errors="replace"))
    except ValueError:
        return ""
    if words and os.path.basename(words[0]) == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return words[0] if words else ""


def _other_python(first: bytes, name: str) -> str:
    asked = _interpreter(first)
    if not os.path.isfile(asked) or os.path.samefile(asked, sys.executable):
        return ""
    return f"{name} asks for {asked} in its first line; this is {sys.executable}. Type: {asked} -m tfgrad doctor {name}"
