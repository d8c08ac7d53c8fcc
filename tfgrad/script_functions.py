"""A function of somebody's file and its arguments, as typed: `FILE.py:FUNCTION --args "1.0, [2.0, 3.0]"`."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from typing import Any


def literals(text: str) -> list[Any]:
    """The arguments as Python literals.

    Raises:
        Usage: the text is no row of literals.
    """
    from tfgrad import cli

    try:
        return list(ast.literal_eval(f"[{text}]"))
    except (ValueError, SyntaxError):
        raise cli.Usage(
            f'--args "{text}" is not a row of numbers, lists and dicts\n  try     --args "1.0, [2.0, 3.0]"'
        ) from None


def values(written: list[Any], *, double: bool = False) -> tuple[Any, ...]:
    """The arguments as f gets them: a list of numbers is one float32 tensor (float64 if `double`), a dict a nest."""
    return tuple(_value(each, double) for each in written)


def _value(written: Any, double: bool) -> Any:
    """A literal as what f gets: a list of numbers as one tensor, a dict as a nest."""
    import tensorflow as tf

    if isinstance(written, dict):
        return {key: _value(value, double) for key, value in written.items()}
    if isinstance(written, tuple):
        return tuple(_value(value, double) for value in written)
    if isinstance(written, list):
        return tf.constant(written, _dtype(written, double))
    return tf.constant(written, tf.float64) if double and isinstance(written, float) else written


def _dtype(written: list[Any], double: bool) -> Any:
    import numpy as np
    import tensorflow as tf

    kind = np.asarray(written).dtype.kind
    if kind == "c":
        return tf.complex128 if double else tf.complex64
    return (tf.float64 if double else tf.float32) if kind in "fiu" else None


def function(text: str) -> Any:
    """The function that FILE.py:FUNCTION names; the file is run as a module.

    Raises:
        Usage: there is no such file, or no such function in it.
    """
    from tfgrad import cli

    file, colon, name = text.rpartition(":")
    path = Path(file)
    if not colon or not name.replace(".", "_").isidentifier():
        raise cli.Usage(f"{text} names no function\n  try     FILE.py:FUNCTION")
    if not path.is_file():
        raise cli.Usage(f"there is no file {file}")
    module = _imported(path)
    found: Any = module
    for step in name.split("."):
        if not hasattr(found, step):
            known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
            raise cli.Usage(f"{path.name}: {cli.unknown('function', name, known)}")
        found = getattr(found, step)
    return found


def _imported(path: Path) -> Any:
    sys.path.insert(0, str(path.parent.resolve()))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        from tfgrad import cli

        raise cli.Usage(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return module
