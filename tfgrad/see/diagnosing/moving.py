"""Which Variables changed over a run: a checksum of each when it is first asked about, and again at the end.

No value is copied. Variables too large to be read through in a moment are left out.
"""

from __future__ import annotations

import weakref
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfgrad import _tensorflow
from tfgrad.see.record import Asked
from tfgrad.see.recording.measuring import measure

_MOST_NUMBERS = 2_000_000


@dataclass(frozen=True)
class FirstSight:
    """A Variable as it was when it was first asked about, and which leaf of the source it was there."""

    index: int
    name: str
    checksum: int
    ref: Any

    @property
    def has_moved(self) -> bool | None:
        """Whether it is another value now; None where that can't be told."""
        now = checksum(self.ref())
        return None if now is None else now != self.checksum

    @property
    def is_finite(self) -> bool:
        """Whether its value is finite now, as far as that can be told."""
        value = current(self.ref())
        found = measure(value) if value is not None else None
        return found is None or found.finite


def first_sights(leaves: Sequence[Asked]) -> dict[int, FirstSight]:
    """What is to be remembered of Variables, by the ids of their handles."""
    found = {}
    for index, leaf in enumerate(leaves):
        variable = leaf.object if leaf.kind.endswith("variable") else None
        value = checksum(variable)
        if value is not None and leaf.ids:
            found[leaf.ids[0]] = FirstSight(index, leaf.name or leaf.path, value, weakref.ref(variable))
    return found


def checksum(variable: Any) -> int | None:
    """A checksum of a Variable's value; None if there is none to be had cheaply."""
    value = current(variable)
    return None if value is None else zlib.crc32(np.ascontiguousarray(_tensorflow.numpy_view(value)).tobytes())


def current(variable: Any) -> Any:
    """The value that a Variable has now, None if it can't be had cheaply."""
    if variable is None:
        return None
    try:
        with tf.init_scope():
            value = _tensorflow.variable_value(_tensorflow.variable_handle(variable))
        if value is None or not _tensorflow.is_on_cpu(value) or _tensorflow.element_count(value) > _MOST_NUMBERS:
            return None
        _tensorflow.numpy_view(value)
        return value
    # A Variable of a kind that was never met: nothing is said of it.
    except Exception:  # noqa: BLE001
        return None
