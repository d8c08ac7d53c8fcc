"""The row in HIPS autograd."""

from __future__ import annotations

from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np

from benchmarks.cases import Call, case
from benchmarks.rows import AUTOGRAD


def arrays(answer: Any) -> list[np.ndarray[Any, Any]]:
    """The one leaf of an answer."""
    return [np.asarray(answer)]


def finish(answer: Any) -> None:
    """Nothing: an answer is there when the call returns."""


def control(a: Any) -> Any:
    b = a * 2
    while anp.linalg.norm(b) < 1000:
        b = b * 2
    return b if anp.sum(b) > 0 else 100 * b


@case("jit-control", AUTOGRAD)
def control_gradient() -> Call:
    ready, a = autograd.grad(control), 0.3
    return lambda: ready(a)
