"""Where a derivative rule written in Python stands: the user's functions that TensorFlow calls in a backward pass."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np
import tensorflow as tf

from tfgrad import source
from tfgrad.check.flat import Flat
from tfgrad.check.result import Rule


def rule_of(flat: Flat) -> Rule | None:
    """The first function of the user's own that runs in a backward pass, None where none does.

    Source: the tape calls the gradient function of a `tf.custom_gradient` as Python; that of one inside a `tf.function`
    while the backward function is traced, once (TensorFlow 2.16 to 2.21). So where none is met, the functions are run
    as Python.
    """
    return _rule_met(flat) or _rule_met_as_python(flat)


def _rule_met_as_python(flat: Flat) -> Rule | None:
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        return _rule_met(flat)
    finally:
        tf.config.run_functions_eagerly(before)


def _rule_met(flat: Flat) -> Rule | None:
    ones = np.ones(flat.m)
    try:
        products = flat.at_point()
        products.pull(ones)
        return _rule_called_by(lambda: products.pull(ones))
    except Exception:  # noqa: BLE001  a rule that raises is still to be reported, without its place
        return None


def _rule_called_by(backward: Callable[[], Any]) -> Rule | None:
    seen: list[CodeType] = []

    def look(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event == "call" and _is_by_hand(code.co_filename):
            seen.append(code)

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        backward()
    finally:
        sys.setprofile(before)
    return _rule(seen[0]) if seen else None


def _is_by_hand(file: str) -> bool:
    """Whether code is neither made from a string (a dataclass), nor of an installed package or Python's library."""
    if file == "<string>" or not source.is_user_file[file]:
        return False
    return "-packages" not in file and not file.startswith(os.path.dirname(os.__file__) + os.sep)


def _rule(code: CodeType) -> Rule:
    first = source.at_line(code.co_filename, code.co_firstlineno, code.co_name)
    lines = sorted({line for _, _, line in code.co_lines() if line})
    last = source.at_line(code.co_filename, lines[-1], code.co_name) if lines else first
    file = Path(code.co_filename)
    shown = file.name if len(file.parts) > 3 else str(file)
    return Rule(code.co_name, shown, last.line, last.text)
