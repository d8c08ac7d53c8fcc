"""What `check_grads` is called with, refused where it makes no sense, and where its errors say they come from."""

from __future__ import annotations

import os
from numbers import Real
from types import TracebackType
from typing import Any

import numpy as np
import tensorflow as tf

from tfgrad import wording
from tfgrad.check.subject import WHO
from tfgrad.check.vectors import Vector
from tfgrad.compute.calling import check_function
from tfgrad.errors import GradError, KindError, StructureError

MODES = ("rev", "fwd")
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def check(f: Any, args: Any, order: Any, modes: Any, sizes: dict[str, Any], seed: Any) -> None:
    """Refuse what makes no sense.

    Raises:
        KindError, StructureError, GradError: each says what is needed.
    """
    check_function(f, WHO)
    if not isinstance(args, tuple):
        raise KindError(
            f"{WHO}: args is {wording.describe(args)}",
            "the tuple of f's arguments",
            "check_grads(f, (x,)): a tuple of one is written (x,)",
        )
    if isinstance(order, bool) or not isinstance(order, int) or order not in (1, 2):
        raise StructureError(f"{WHO}: order={order!r}", "1 or 2", "check_grads(tfgrad.grad(f), ...) for higher ones")
    known = isinstance(modes, (tuple, list, set, frozenset)) and all(mode in MODES for mode in modes)
    if not known or not modes:
        raise StructureError(f"{WHO}: modes={modes!r}", "some of 'rev' and 'fwd'", 'modes=("rev",)')
    for name, size in sizes.items():
        _check_size(name, size)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise StructureError(f"{WHO}: seed={seed!r}", "an int, 0 or more", "seed=0")
    if not tf.executing_eagerly():
        raise GradError(
            f"{WHO}: called while a tf.function is traced",
            "values to compute with",
            "call check_grads outside, on the function itself",
        )


def _check_size(name: str, size: Any) -> None:
    if size is None:
        return
    number = isinstance(size, Real) and not isinstance(size, (bool, np.bool_))
    if not number or not np.isfinite(float(size)) or size < 0 or (name == "eps" and size == 0):
        raise StructureError(f"{WHO}: {name}={size!r}", "a positive number", f"leave {name} out: it is chosen")
    if name == "rtol" and size >= 1:
        raise StructureError(
            f"{WHO}: rtol={size!r}", "less than 1: with that, zero would pass for every derivative", "rtol=1e-3"
        )


def check_step(eps: float, x: Vector) -> None:
    """Refuse a step by which no number moves."""
    if x.size and not (x + eps != x).any():
        raise StructureError(
            f"{WHO}: eps={eps!r} moves none of the numbers: they are rounded to more than that",
            "a larger step",
            "leave eps out: it is chosen",
        )


def outside(traceback: TracebackType | None) -> TracebackType | None:
    """The part of a traceback from the first frame on that is not of this package."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        traceback = traceback.tb_next
    return traceback
