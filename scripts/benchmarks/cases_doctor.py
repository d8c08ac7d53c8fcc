"""The training loops in a process where somebody diagnoses from beginning to end, as the doctor does for a script.

A process of its own: what was traced while somebody diagnosed goes on telling, and what was traced before does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

import tfgrad as tg
from benchmarks import training
from benchmarks.cases import add
from benchmarks.rows import DOCTOR

_visit = tg.diagnose(on_none="ignore", on_nonfinite="ignore")
found = _visit.__enter__()


def arrays(answer: Any) -> list[np.ndarray[Any, Any]]:
    """The leaves of an answer."""
    return [np.asarray(leaf) for leaf in tf.nest.flatten(answer)]


def finish(answer: Any) -> None:
    """Nothing: an answer on the CPU is there when the call returns."""


for name, make in training.MADE.items():
    add(name, DOCTOR, make)
