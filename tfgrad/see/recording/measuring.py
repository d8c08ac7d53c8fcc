"""How the numbers of a tensor look: whether all are finite, whether all are zero, and the largest of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from tfgrad import _tensorflow
from tfgrad.see.record import Measure

_SINGLE = (np.dtype("float32"), np.dtype("float64"))


def measure(tensor: Any) -> Measure | None:
    """The measure of a gradient or another eager tensor; None for what has no numbers to look at.

    Of an `IndexedSlices` and of a ragged or sparse tensor the values are looked at, not the indices.
    """
    numbers = array_of(tensor)
    if numbers is None:
        return None
    flat = numbers.reshape(-1)
    if flat.size == 0:
        return Measure(True, False, 0.0, 0)
    if flat.dtype in _SINGLE:
        # The largest and the smallest in two passes without copies; a NaN comes through both.
        high, low = float(flat.max()), float(flat.min())
        if math.isfinite(high) and math.isfinite(low):
            return Measure(True, high == low == 0.0, max(abs(high), abs(low)), flat.size)
    with np.errstate(all="ignore"):
        sizes = np.abs(flat).astype(np.float64)
    finite = np.isfinite(sizes)
    largest = float(sizes[finite].max()) if finite.any() else 0.0
    everything = bool(finite.all())
    return Measure(everything, everything and largest == 0.0, largest, flat.size)


def array_of(tensor: Any) -> Any:
    """A view of an eager tensor's floating or complex numbers, None if it is no such thing."""
    if isinstance(tensor, (tf.IndexedSlices, tf.SparseTensor)):
        tensor = tensor.values
    elif isinstance(tensor, tf.RaggedTensor):
        tensor = tensor.flat_values
    if not isinstance(tensor, _tensorflow.EagerTensor) or not (tensor.dtype.is_floating or tensor.dtype.is_complex):
        return None
    return np.asarray(_tensorflow.numpy_view(tensor))
