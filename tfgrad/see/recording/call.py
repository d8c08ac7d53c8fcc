"""One gradient() call of a Tape, from the question to the answer or the error.

While it runs, the backward pass is noted step by step. Afterwards its steps are let go unless a gradient is None,
zero or not finite, and a tape that no longer records stops listening.
"""

from __future__ import annotations

import itertools
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tfgrad import _tensorflow, source
from tfgrad.see.record import Answer
from tfgrad.see.recording import asking, complaints
from tfgrad.see.recording.backward import Backward, StepNote
from tfgrad.see.recording.listening import SENSORS, here, user_position
from tfgrad.see.recording.notes import CallNote, MarkNote

if TYPE_CHECKING:
    from tfgrad.see.tape import Tape

_numbers = itertools.count(1)
_FINE = {"ok", "symbolic"}


class Call:
    """A context in which the tape's own method is called; what it answers is put into `answer`."""

    def __init__(
        self, tape: Tape, method: str, target: Any, sources: Any, unconnected: Any, seeded: bool = False
    ) -> None:
        self.answer: Any = None
        self._tape = tape
        self._notes = tape._notes_of_now()
        self._listener = tape._listener if tape._is_heard() else None
        self.note = CallNote(
            number=next(_numbers),
            tape=tape._note.serial,
            method=method,
            target=asking.jotted(target),
            sources=asking.jotted(sources),
            unconnected=str(getattr(unconnected, "value", unconnected)),
            seeded=seeded,
            traced=not tf.executing_eagerly(),
            after=tape._used_up_by if tape._is_empty else None,
            code=None,
            lasti=0,
        )
        self.note.code, self.note.lasti = user_position(sys._getframe(1))

    def __enter__(self) -> Call:
        tape, notes, number = self._tape, self._notes, self.note.number
        tape._is_asked, tape._why = True, "gradient"
        tape._note_variables()
        self._let_go_of_earlier()
        notes.calls.append(self.note)
        self._mark("call")
        self.note.backward = Backward(self.note.method == "gradient", tape._record_values)
        self._outer = here.backward
        here.backward = self.note.backward
        # Nobody may be listening any more; the steps are to be noted all the same.
        self._hooked = self._listener is None and not tape._blind
        if self._hooked:
            _tensorflow.hooks_on(SENSORS)
        if self._listener is not None:
            self._outer_call, self._listener.call = self._listener.call, number
            if not self._is_backward_recorded():
                self._listener.ignore_ops()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tape, listener = self._tape, self._listener
        here.backward = self._outer
        if self._hooked:
            _tensorflow.hooks_off()
        if listener is not None:
            listener.call = self._outer_call
        tape._is_asked, tape._why = False, "with"
        if tape._is_empty and tape._used_up_by is None:
            tape._used_up_by = self.note.number
        if error is None:
            self._returned()
        elif isinstance(error, Exception):
            self._raised(error, trace)
        self._mark("return")
        self._go_on_or_stop()
        if isinstance(error, Exception):
            # While a graph is built, TensorFlow writes its message later.
            tape._hide_frames()
            complaints.add_note(tape, error)

    def _is_backward_recorded(self) -> bool:
        """Whether the ops of the backward pass matter to a tape: another one that listens, or this very one."""
        assert self._listener is not None
        return len(self._listener.tapes) > 1 or (self._tape._is_recording and self._tape._note.persistent)

    def _go_on_or_stop(self) -> None:
        if self._listener is None:
            return
        if self._tape._is_recording:
            self._listener.hear_ops()
            return
        if self._listener.is_on and len(self._listener.tapes) > 1:
            self._listener.hear_ops()
        self._tape._stop_listening()

    def _mark(self, what: str) -> None:
        note = self.note
        self._notes.log.append(MarkNote(what, note.tape, note.method, (), note.code, note.lasti, note.number))

    def _let_go_of_earlier(self) -> None:
        """The steps of the call before this one: only the last one's are kept."""
        if self._tape._record_values:
            return
        for call in self._notes.calls:
            if call.tape == self.note.tape and call.backward is not None:
                call.backward, call.released = None, True

    def _returned(self) -> None:
        note, backward = self.note, self.note.backward
        assert backward is not None
        note.answers = asking.answers(self.answer, backward.largest_incoming, note.traced)
        states = {answer.state for answer in note.answers if isinstance(answer, Answer)}
        if note.method != "gradient" or (states <= _FINE and not self._tape._record_values):
            note.backward, note.released = None, True
        elif states & {"zero", "nonfinite"}:
            self._capture(backward)

    def _capture(self, backward: Backward) -> None:
        """Remember the values that captured Variables have now, before an optimizer changes them."""
        for step in backward.steps:
            if isinstance(step, StepNote) and isinstance(step.key, tuple) and _is_function_call(step.key):
                step.captured = {
                    _tensorflow.tensor_id(tensor): value
                    for tensor in step.inputs
                    if (value := _tensorflow.variable_value(tensor)) is not None
                }

    def _raised(self, error: Exception, trace: TracebackType | None) -> None:
        key, op = (self.note.backward.current if self.note.backward is not None else None) or (None, None)
        trail = []
        while trace is not None:
            code = trace.tb_frame.f_code
            if source.is_user_file[code.co_filename]:
                trail.append((code, trace.tb_lasti))
            trace = trace.tb_next
        self.note.failure = (*_tensorflow.original_error(error), key, op, tuple(trail))


def _is_function_call(key: tuple[Any, ...]) -> bool:
    return len(key) == 10 and getattr(key[9], "kind", None) == "function"
