"""What a Tape says aloud about a gradient: a warning, an error, or a note on TensorFlow's own error.

The words are the explanation's. Where there is none to be had, a plain sentence takes its place: what is said here
must never break the program that it is about.
"""

from __future__ import annotations

import sys
import threading
import warnings
import weakref
from types import CodeType
from typing import TYPE_CHECKING, Any

from tfgrad import _tensorflow, source
from tfgrad.errors import GradientProblem, GradientWarning
from tfgrad.see.record import Answer
from tfgrad.see.recording.asking import told
from tfgrad.see.recording.measuring import measure
from tfgrad.see.recording.notes import CallNote

if TYPE_CHECKING:
    from tfgrad.see.tape import Tape

_lock = threading.Lock()
_said: weakref.WeakKeyDictionary[CodeType, set[tuple[int, str, str]]] = weakref.WeakKeyDictionary()


def complain(tape: Tape, call: CallNote, on_none: str, on_nonfinite: str) -> None:
    """Warn or raise if a gradient is None or not finite and the tape was made for that.

    Raises:
        GradientProblem: the wish was "raise".
    """
    wishes = {"none": on_none if call.unconnected == "none" else "ignore", "nonfinite": on_nonfinite}
    if set(wishes.values()) == {"ignore"}:
        return
    for state, wish in wishes.items():
        leaves = [] if wish == "ignore" else [k for k, answer in enumerate(call.answers) if _state(answer) == state]
        if leaves and wish == "raise":
            raise GradientProblem(_words(tape, call, state, leaves))
        fresh = [k for k in leaves if _is_new(call, state, k)]
        if fresh:
            warn(_words(tape, call, state, fresh), call)


def warn(text: str, call: CallNote | None = None) -> None:
    """A GradientWarning at the user's line."""
    if call is not None:
        place = source.position(call.code, call.lasti)
        file, line = place.file, place.line
    else:
        frame = sys._getframe(1)
        while frame.f_back is not None and not source.is_user_file[frame.f_code.co_filename]:
            frame = frame.f_back
        file, line = frame.f_code.co_filename, frame.f_lineno
    warnings.warn_explicit(text, GradientWarning, file, line)


def add_note(tape: Tape, error: Exception) -> None:
    """Put the explanation on an error of TensorFlow's that passes through; its own text stays as it is."""
    if not tape._adds_notes:
        return
    text = _explanation(tape)
    if not text:
        return
    if hasattr(error, "add_note"):
        error.add_note(text)
    else:
        # Python 3.10 has no add_note, but later tools read what it would have set.
        setattr(error, "__notes__", [*getattr(error, "__notes__", []), text])  # noqa: B010


def _name(call: CallNote, leaf: int) -> str:
    source_leaf = told(call.sources[leaf : leaf + 1], lambda i: None)[0]
    return source_leaf.name or source_leaf.path or f"source {leaf}"


def _state(answer: Any) -> str:
    if not isinstance(answer, Answer):
        return "ok"
    if answer.state != "unseen":
        return answer.state
    found = measure(answer.value)
    return found.state if found is not None else "ok"


def _is_new(call: CallNote, state: str, leaf: int) -> bool:
    """Whether this was not said before for this line and leaf."""
    what = call.lasti, state, _name(call, leaf)
    if not isinstance(call.code, CodeType):
        return True
    with _lock:
        said = _said.setdefault(call.code, set())
        if what in said:
            return False
        said.add(what)
        return True


def _words(tape: Tape, call: CallNote, state: str, leaves: list[int]) -> str:
    found = _explained(tape)
    if found is not None and len(found.reasons) == len(call.sources):
        return "\n".join(str(found.reasons[k]) for k in leaves)
    names = ", ".join(_name(call, k) for k in leaves)
    word = "None" if state == "none" else "not finite"
    return f"the gradient with respect to {names} is {word}"


def _explanation(tape: Tape) -> str:
    found = _explained(tape)
    return str(found) if found is not None else ""


def _explained(tape: Tape) -> Any:
    """The explanation of the last call, None where there is none to be had."""
    try:
        with _tensorflow.unnoticed():
            return tape.explain()
    # An explanation that fails must not take the place of the gradient, or of TensorFlow's own error.
    except Exception:  # noqa: BLE001
        return None
