"""The tape that stands where `tf.GradientTape` stood while somebody diagnoses: a Tape that tells what it answered.

Whoever wants to know is a `Watcher` in the list here. The first to come puts the tape in place everywhere, the last to
go takes it out again; a tape made when nobody watches, or by this package for itself, is a plain one.
"""

from __future__ import annotations

import os
import sys
import threading
from abc import ABCMeta
from typing import Any, Protocol

import tensorflow as tf

import tfgrad
from tfgrad import _tensorflow, source
from tfgrad._tensorflow.autograph import unconverted
from tfgrad.see.diagnosing import replacing
from tfgrad.see.recording.call import Call
from tfgrad.see.recording.notes import CallNote
from tfgrad.see.tape import Tape

_HERE = os.path.dirname(os.path.abspath(tfgrad.__file__)) + os.sep
_TENSORFLOW = os.path.join(os.path.dirname(os.path.abspath(tf.__file__)), "python") + os.sep
PLAIN: Any = _tensorflow.NoticedTape.__mro__[1]
_GRAVITY = ("ignore", "warn", "raise")
_lock = threading.RLock()
_watchers: list[Watcher] = []


class Watcher(Protocol):
    """Who is told. `on_none`, `on_nonfinite` are as for a Tape; the gravest wish of all watchers counts."""

    on_none: str
    on_nonfinite: str
    adds_notes: bool

    def tape_was_made(self) -> None: ...
    def gradient_was_answered(self, tape: Tape, note: CallNote, answer: Any) -> None: ...
    def gradient_raised(self, tape: Tape, note: CallNote) -> None: ...


class _Kind(ABCMeta):
    """The type of `WatchedTape`: plain tapes are instances of it too, so that isinstance holds for all of them.

    An ABCMeta, so that a class of the user's may have an abstract base beside the tape.
    """

    def __call__(cls, *args: Any, **options: Any) -> Any:
        if cls is WatchedTape and (not _watchers or _is_ours(sys._getframe(1))):
            return PLAIN(*args, **options)
        return super().__call__(*args, **options)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, PLAIN) if cls is WatchedTape else super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: Any) -> bool:
        return issubclass(subclass, PLAIN) if cls is WatchedTape else super().__subclasscheck__(subclass)


def _is_ours(frame: Any) -> bool:
    file = frame.f_code.co_filename
    return file.startswith((_HERE, _TENSORFLOW)) and not source.is_user_file[file]


class WatchedTape(Tape, metaclass=_Kind):
    __doc__ = PLAIN.__doc__

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        watchers = tuple(_watchers)
        wishes = [max((getattr(w, name) for w in watchers), key=_GRAVITY.index, default="ignore") for name in _WISHES]
        super().__init__(persistent, watch_accessed_variables, on_none=wishes[0], on_nonfinite=wishes[1])
        self._adds_notes = all(watcher.adds_notes for watcher in watchers)
        self._watchers = watchers
        for watcher in watchers:
            watcher.tape_was_made()

    def __enter__(self) -> WatchedTape:
        super().__enter__()
        # The steps of a traced backward pass are wanted when numbers come, and hold symbols only.
        self._record_values = not tf.executing_eagerly()
        return self

    @unconverted
    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = tf.UnconnectedGradients.NONE,
    ) -> Any:
        """See `tf.GradientTape.gradient`."""
        return self._telling(super().gradient, target, sources, output_gradients, unconnected_gradients)

    @unconverted
    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = tf.UnconnectedGradients.NONE,
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """See `tf.GradientTape.jacobian`."""
        more = unconnected_gradients, parallel_iterations, experimental_use_pfor
        return self._telling(super().jacobian, target, sources, *more)

    @unconverted
    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Any = tf.UnconnectedGradients.NONE,
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """See `tf.GradientTape.batch_jacobian`."""
        more = unconnected_gradients, parallel_iterations, experimental_use_pfor
        return self._telling(super().batch_jacobian, target, source, *more)

    def _telling(self, method: Any, *arguments: Any) -> Any:
        if self._is_asked:
            return method(*arguments)
        calls = self._notes_of_now().calls
        try:
            return method(*arguments)
        except Exception:
            note = next((call for call in reversed(calls) if call.tape == self._note.serial), None)
            if note is not None and note.failure is not None:
                for watcher in self._watchers:
                    watcher.gradient_raised(self, note)
            raise

    def _answered(self, call: Call) -> Any:
        for watcher in self._watchers:
            watcher.gradient_was_answered(self, call.note, call.answer)
        return super()._answered(call)


_WISHES = ("on_none", "on_nonfinite")
# What a program sees when it looks at the class or a tape's repr is what it would have seen.
WatchedTape.__name__, WatchedTape.__qualname__, WatchedTape.__module__ = (
    PLAIN.__name__,
    PLAIN.__qualname__,
    PLAIN.__module__,
)


def begin(watcher: Watcher) -> None:
    """From now on every tape that is made tells this watcher too, on whatever thread."""
    with _lock:
        _watchers.append(watcher)
        if len(_watchers) == 1:
            replacing.replace(PLAIN, WatchedTape)


def end(watcher: Watcher) -> None:
    """This watcher wants to know no more; after the last one all names are what they were."""
    with _lock:
        _watchers.remove(watcher)
        if not _watchers:
            replacing.replace(WatchedTape, PLAIN)


def earlier_subclasses() -> list[str]:
    """Classes of the user's made from the plain tape: what they are asked is not told."""
    return [
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in PLAIN.__subclasses__()
        if not kind.__module__.startswith(("tfgrad.", "tensorflow.", "keras."))
    ]
