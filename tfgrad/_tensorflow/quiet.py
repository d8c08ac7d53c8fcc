"""TensorFlow's own state of this thread: who listens there, and ops of our own that nobody hears."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tfgrad._tensorflow.private import context, is_stopped, pywrap_tfe, record


def thread_state() -> Any:
    """TensorFlow's own state for this thread: its list `op_callbacks`, and `scope_name`."""
    return context.context()._thread_local_data


def is_context_ready() -> bool:
    """Whether TensorFlow has set up its devices. Until then an op would take that choice from the user."""
    return context._context is not None and context._context._initialized


_set_aside: list[list[Any]] = []


def remove_callback(callbacks: list[Any], callback: Any) -> None:
    """Take an op callback out of a thread's list, and out of lists that `unnoticed` will put back."""
    for found in (callbacks, *_set_aside):
        if callback in found:
            found.remove(callback)


@contextmanager
def unnoticed() -> Iterator[None]:
    """For ops of our own: neither tapes nor op callbacks see what runs in here."""
    callbacks = thread_state().op_callbacks
    aside = list(callbacks)
    _set_aside.append(aside)
    del callbacks[:]
    try:
        with record.stop_recording():
            yield
    finally:
        # A listener that stopped meanwhile is no longer aside; one that went on is in the list.
        callbacks[:] = aside + [callback for callback in callbacks if callback not in aside]
        _set_aside[:] = [other for other in _set_aside if other is not aside]


@contextmanager
def recording() -> Iterator[None]:
    """Tapes record in here, also under init_scope, which stops them."""
    stopped = is_stopped()
    if stopped:
        pywrap_tfe.TFE_Py_TapeSetRestartOnThread()
    try:
        yield
    finally:
        if stopped:
            pywrap_tfe.TFE_Py_TapeSetStopOnThread()
