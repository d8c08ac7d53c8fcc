"""NumPy reads a tensor by the buffer protocol, which nobody can hear: switched off while a Tape records."""

from __future__ import annotations

import ctypes
import os
import sys
import threading

from tfgrad._tensorflow.private import EagerTensor

_lock = threading.RLock()
_BUFFER_OFFSET = 160  # of tp_as_buffer in PyTypeObject, 64-bit CPython 3.10 to 3.13
_emptied = 0
HEARS_NUMPY = os.environ.get("TFGRAD_NUMPY_READS") != "0"


def _buffer_slot() -> ctypes.c_void_p | None:
    """Where EagerTensor keeps its function for the buffer protocol, None where that can't be told for sure."""
    if sys.implementation.name != "cpython" or ctypes.sizeof(ctypes.c_void_p) != 8 or hasattr(sys, "gettotalrefcount"):
        return None
    if hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled():
        return None
    # A class of our own keeps its slots inside itself: that shows whether the offset is right on this CPython.
    probe = type("Probe", (bytearray,), {})
    slots = ctypes.c_void_p.from_address(id(probe) + _BUFFER_OFFSET).value
    if slots is None or not id(probe) < slots < id(probe) + type.__sizeof__(probe):
        return None
    where = ctypes.c_void_p.from_address(id(EagerTensor) + _BUFFER_OFFSET).value
    return ctypes.c_void_p.from_address(where) if where else None


_slot: ctypes.c_void_p | None = None


_slot_value: int | None = None


def buffer_off() -> None:
    """Make NumPy read tensors by `__array__`, which can be heard, and not by the buffer protocol. Counted."""
    global _emptied, _slot, _slot_value
    with _lock:
        _emptied += 1
        if _emptied == 1:
            if _slot is None and HEARS_NUMPY:
                _slot = _buffer_slot()
            if _slot is not None and HEARS_NUMPY:
                _slot_value, _slot.value = _slot.value, 0


def buffer_on() -> None:
    """The buffer protocol again, when no Tape records any more."""
    global _emptied, _slot_value
    with _lock:
        _emptied -= 1
        if _emptied == 0 and _slot is not None and _slot_value is not None:
            _slot.value, _slot_value = _slot_value, None
