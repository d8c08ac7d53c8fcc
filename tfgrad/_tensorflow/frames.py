"""Our frames in the messages that TensorFlow writes: left out, as it leaves its own out."""

from __future__ import annotations

import os
import threading

from tfgrad._tensorflow.private import traceback_utils

_lock = threading.RLock()
_HERE = os.path.dirname(os.path.abspath(__file__))
_OURS = os.path.join(os.path.dirname(_HERE), "see") + os.sep, _HERE + os.sep
_hidden = 0


def hide_frames() -> None:
    """Leave our frames out of the messages that TensorFlow writes, as it leaves its own out. Counted."""
    global _hidden
    with _lock:
        _hidden += 1
        if _hidden == 1:
            traceback_utils._EXCLUDED_PATHS += _OURS


def show_frames() -> None:
    """TensorFlow's messages as they were."""
    global _hidden
    with _lock:
        _hidden -= 1
        if _hidden == 0:
            traceback_utils._EXCLUDED_PATHS = tuple(p for p in traceback_utils._EXCLUDED_PATHS if p not in _OURS)
