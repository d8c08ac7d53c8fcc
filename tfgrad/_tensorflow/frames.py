"""Our frames in the messages that TensorFlow writes: left out, as it leaves its own out."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable

from tfgrad._tensorflow.private import tf_stack, traceback_utils

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


def leave_out(files: Iterable[str]) -> Callable[[], None]:
    """Leave frames of these files out of the stacks that TensorFlow notes for ops, on all threads.

    Returns:
        What ends this.

    Source: `tf_stack._source_filter_stacks` has a filter for each thread, and others upon it (TensorFlow 2.16 to 2.21).
    """
    if tf_stack is None:
        return lambda: None
    names = frozenset(files)

    class Filter(tf_stack.StackTraceFilter):
        def get_filtered_filenames(self) -> frozenset[str]:
            return names

    ours, stacks = Filter(), tf_stack._source_filter_stacks
    ours.update()
    usual = stacks.default_factory
    before = {thread: stack[0] for thread, stack in list(stacks.items())}
    for stack in list(stacks.values()):
        stack[0] = ours
    stacks.default_factory = lambda: [ours]

    def end() -> None:
        stacks.default_factory = usual
        for thread, stack in list(stacks.items()):
            stack[0] = before[thread] if thread in before else usual()[0]

    return end
