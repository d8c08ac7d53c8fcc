"""A `tf.GradientTape` that keeps a Record of what it saw, and can explain its gradients.

Values, errors and memory are TensorFlow's: whatever cannot be noted is left out of the record, never out of the
program.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tfgrad import _tensorflow
from tfgrad._tensorflow.autograph import unconverted
from tfgrad.errors import GradError
from tfgrad.see.record import Record
from tfgrad.see.recording import complaints, playback, trial
from tfgrad.see.recording.call import Call
from tfgrad.see.recording.listening import Listener, join
from tfgrad.see.recording.notes import Notes, TapeNote

if TYPE_CHECKING:
    from tfgrad.see.explanation import Explanation

_WISHES = ("ignore", "warn", "raise")
_PLAIN = (_tensorflow.EagerTensor, _tensorflow.ResourceVariable)  # leaves that need no closer look
_PLAIN = (_tensorflow.EagerTensor, _tensorflow.ResourceVariable)  # leaves that need no closer look
_serials = itertools.count(1)


class Tape(_tensorflow.NoticedTape):
    """A `tf.GradientTape` that remembers enough to explain its gradients; use it wherever that is used.

    While it records, one thing is not as usual: `memoryview(tensor)` raises TypeError, so that NumPy asks tensors for
    their values where this can be heard. TFGRAD_NUMPY_READS=0 in the environment switches that off.

    Args:
        persistent: whether gradient() may be called more than once.
        watch_accessed_variables: whether trainable Variables are watched when they are read.
        record_values: keep all tensors that were computed, until the tape is gone.
        on_none: what to do where a gradient is None: "ignore", "warn" (`GradientWarning`) or "raise"
            (`GradientProblem`); never with `unconnected_gradients="zero"`.
        on_nonfinite: the same for NaN and infinite gradients; while a `tf.function` is traced there is none to see.

    Raises:
        GradError: `on_none` or `on_nonfinite` is none of the three words.

    >>> x = tf.Variable(3.0)
    >>> with Tape() as tape:
    ...     y = x * x
    >>> float(tape.gradient(y, x))
    6.0
    >>> [event.op for event in tape.record.events]
    ['ReadVariableOp', 'ReadVariableOp', 'Mul']

    Source: `tensorflow/python/eager/backprop.py` (TensorFlow 2.16 to 2.21).
    """

    _adds_notes = True
    _listener: Listener | None = None
    _buffer_is_off = False
    _frames_are_hidden = False

    def __init__(
        self,
        persistent: bool = False,
        watch_accessed_variables: bool = True,
        *,
        record_values: bool = False,
        on_none: str = "ignore",
        on_nonfinite: str = "ignore",
    ) -> None:
        super().__init__(persistent, watch_accessed_variables)
        for name, wish in (("on_none", on_none), ("on_nonfinite", on_nonfinite)):
            if wish not in _WISHES:
                raise GradError(f"Tape: {name}={wish!r}", "'ignore', 'warn' or 'raise'", f"Tape({name}='warn')")
        self._on_none = on_none
        self._on_nonfinite = on_nonfinite
        self._record_values = record_values
        self._note = TapeNote(next(_serials), bool(persistent), bool(watch_accessed_variables))
        self._notes: Notes | None = None
        self._blind = ""
        self._why = "with"
        self._is_asked = False
        self._used_up_by: int | None = None
        self._decoded: tuple[tuple[int, ...], Record] | None = None

    def __enter__(self) -> Tape:
        self._listen()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)

    def __del__(self) -> None:
        self._stop_listening(is_gone=True)
        if self._buffer_is_off:
            self._buffer_is_off = False
            _tensorflow.buffer_on()
        if self._frames_are_hidden:
            self._frames_are_hidden = False
            _tensorflow.show_frames()

    @unconverted
    def watch(self, tensor: Any) -> None:
        """Record what is computed from a tensor or Variable, or a nest of such; Keras 3 variables too.

        Raises:
            ValueError: something else is in the nest.
        """
        tensor = _with_plain_variables(tensor)
        super().watch(tensor)
        if self._is_heard():
            self._note_watched(tensor)

    @unconverted
    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """A block in which this tape records nothing.

        Raises:
            RuntimeError: the tape is not recording.
        """
        self._why = "stop_recording"
        try:
            with super().stop_recording():
                yield
        finally:
            self._why = "with"

    @unconverted
    def reset(self) -> None:
        """Forget all that was recorded, and record on."""
        self._note_variables()
        self._why = "reset"
        try:
            super().reset()
        finally:
            self._why = "with"

    @unconverted
    def watched_variables(self) -> Any:
        """The Variables watched so far, in the order they were made."""
        return super().watched_variables()

    @unconverted
    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = tf.UnconnectedGradients.NONE,
    ) -> Any:
        """The gradient of the target's sum, in the structure of the sources; see `tf.GradientTape.gradient`.

        Raises:
            GradientProblem: a gradient is None or not finite, and the tape was made to raise then.
        """
        arguments = target, _with_plain_variables(sources), output_gradients, unconnected_gradients
        if self._is_asked:
            return super().gradient(*arguments)
        with Call(self, "gradient", target, sources, unconnected_gradients, output_gradients is not None) as call:
            call.answer = super().gradient(*arguments)
        return self._answered(call)

    @unconverted
    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = tf.UnconnectedGradients.NONE,
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """All derivatives of the target, shape target + source; see `tf.GradientTape.jacobian`."""
        more = unconnected_gradients, parallel_iterations, experimental_use_pfor
        arguments = target, _with_plain_variables(sources), *more
        with Call(self, "jacobian", target, sources, unconnected_gradients) as call:
            call.answer = super().jacobian(*arguments)
        return self._answered(call)

    @unconverted
    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Any = tf.UnconnectedGradients.NONE,
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The derivatives of each example's target by its own source; see `tf.GradientTape.batch_jacobian`."""
        more = unconnected_gradients, parallel_iterations, experimental_use_pfor
        arguments = target, _with_plain_variables(source), *more
        with Call(self, "batch_jacobian", target, source, unconnected_gradients) as call:
            call.answer = super().batch_jacobian(*arguments)
        return self._answered(call)

    @unconverted
    def explain(self, target: Any = None, source: Any = None) -> Explanation:
        """Why each leaf of the source got the gradient it got; it never uses up the tape.

        Args:
            target: what was differentiated. Without it: what the last gradient() call was asked.
            source: a nest of leaves. Without it: all that the call asked for, or all that the tape watched.

        Raises:
            GradError: nothing was asked, and no gradient() call was made that could be meant.
            StructureError: the tape was never entered, or the nests do not match.
        """
        from tfgrad.see import reasons

        return reasons.explain_tape(self, target, source)

    @property
    def record(self) -> Record:
        """What this tape saw so far."""
        notes = self._notes or Notes()
        notes.tapes.setdefault(self._note.serial, self._note)
        self._note_variables()
        version = len(notes.log), notes.lost, len(notes.calls), id(notes.log)
        if self._decoded is None or self._decoded[0] != version:
            self._decoded = version, playback.record_of(notes, self._note.serial, self._blind)
        return self._decoded[1]

    def _answered(self, call: Call) -> Any:
        complaints.complain(self, call.note, self._on_none, self._on_nonfinite)
        return call.answer

    def _listen(self) -> None:
        """Be heard from now on, or say once that this can't be."""
        if self._is_heard():
            return
        self._blind = trial.trouble()
        if self._blind:
            if trial.tell_once():
                complaints.warn(f"tfgrad.Tape is a plain tf.GradientTape here and can't explain: {self._blind}")
            return
        if self._note.first_id is None:
            self._note.first_id = _tensorflow.next_id()
        self._listener = join(self, self._note, self._notes)
        self._notes = self._listener.notes
        self._listener.keeps_values |= self._record_values
        if not tf.executing_eagerly():
            self._listener.enter_graph(tf.compat.v1.get_default_graph())

    def _stop_listening(self, *, is_gone: bool = False) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.leave(self._note.serial, is_gone=is_gone)

    def _hide_frames(self) -> None:
        """An error passed through: TensorFlow's messages are to name the user's lines only, while this tape lives."""
        if not self._frames_are_hidden and not self._blind:
            self._frames_are_hidden = True
            _tensorflow.hide_frames()

    def _is_heard(self) -> bool:
        return self._listener is not None and self._listener.is_on

    def _switched(self, on: bool) -> None:
        if not self._is_heard():
            return
        assert self._listener is not None
        self._listener.mark("on" if on else "off", self._note.serial, self._why)
        if on:
            self._listener.make_room()
        elif not self._is_asked:
            self._listener.be_patient()
        if self._buffer_is_off != on:
            self._buffer_is_off = on
            (_tensorflow.buffer_off if on else _tensorflow.buffer_on)()

    def _note_watched(self, nest: Any) -> None:
        ids = []
        for leaf in [nest] if nest.__class__ in _PLAIN else tf.nest.flatten(nest, expand_composites=True):
            handle = _tensorflow.variable_handle(leaf)
            watched = leaf if handle is None else handle
            ids.append(_tensorflow.tensor_id(watched))
            self._notes_of_now().specs.setdefault(ids[-1], _tensorflow.spec(watched))
            if handle is not None:
                self._note.watched[ids[-1]] = weakref.ref(leaf)
        assert self._listener is not None
        self._listener.mark("watch", self._note.serial, ids=tuple(ids))

    def _note_variables(self) -> None:
        """Remember which Variables were watched: using up or resetting the tape forgets them."""
        for variable in self._variables():
            handle = _tensorflow.variable_handle(variable)
            if handle is not None:
                self._note.watched.setdefault(_tensorflow.tensor_id(handle), weakref.ref(variable))

    def _watched_now(self) -> list[int]:
        handles = (_tensorflow.variable_handle(variable) for variable in self._variables())
        return [_tensorflow.tensor_id(handle) for handle in handles if handle is not None]

    def _notes_of_now(self) -> Notes:
        if self._notes is None:
            self._notes = Notes()
            self._notes.tapes[self._note.serial] = self._note
        return self._notes


def _with_plain_variables(nest: Any) -> Any:
    """The nest with the `tf.Variable` inside each Keras 3 variable, which TensorFlow's own tape takes."""
    if nest.__class__ in _PLAIN or (nest.__class__ in (list, tuple) and all(leaf.__class__ in _PLAIN for leaf in nest)):
        return nest
    leaves = tf.nest.flatten(nest)
    if not any(_tensorflow.is_keras_variable(leaf) for leaf in leaves):
        return nest
    return tf.nest.pack_sequence_as(nest, [_tensorflow.plain_variable(leaf) for leaf in leaves])
