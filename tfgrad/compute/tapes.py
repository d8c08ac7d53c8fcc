"""The tapes of the transforms that are recording on this thread, so that `checkpoint` can pause them.

`tf.init_scope` would pause every tape, and with them those that the checkpointed function opens itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import tensorflow as tf


class _Recording(threading.local):
    def __init__(self) -> None:
        self.tapes: list[tf.GradientTape] = []


_recording = _Recording()


class recording:  # noqa: N801
    """A tape that records inside the block. A class, as a generator costs a small gradient one percent."""

    def __init__(self, tape: tf.GradientTape) -> None:
        self._tape = tape

    def __enter__(self) -> tf.GradientTape:
        _recording.tapes.append(self._tape)
        return self._tape.__enter__()

    def __exit__(self, *error: Any) -> None:
        _recording.tapes.pop()
        self._tape.__exit__(*error)


@contextmanager
def paused() -> Iterator[None]:
    """No transform that is under way records what runs inside; what is begun inside records as ever."""
    outer = _recording.tapes
    _recording.tapes = []
    try:
        with ExitStack() as stack:
            for tape in outer:
                stack.enter_context(tape.stop_recording())
            yield
    finally:
        _recording.tapes = outer
