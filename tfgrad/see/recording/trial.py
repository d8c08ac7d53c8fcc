"""The trial of TensorFlow's inside: a few ops under all hooks, before a Tape trusts them.

It runs once, when the first Tape is entered and TensorFlow has set up its devices. Where something has moved, every
Tape is a plain `tf.GradientTape`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfgrad import _tensorflow


class _Trial:
    """Sensors that only count, for the self-test."""

    def __init__(self) -> None:
        self.ops: dict[int, str] = {}
        self.heard: set[str] = set()
        self.switches: list[bool] = []

    def value_was_read(self, tensor: Any, value: Any, reader: Any) -> None:
        self.heard.add(reader.f_code.co_name)

    def tensor_was_made(self, tensor: Any, value: Any) -> None:
        self.heard.add("made")

    def operation_was_recorded(self, op: Any, outputs: Any, inputs: Any, backward: Any) -> Any:
        return backward

    def graph_attributes_were_seen(self, attrs: Any, results: Any) -> None:
        pass

    def gradient_function(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any) -> Any:
            if self.ops.get(id(arguments[1])) == arguments[0]:
                self.heard.add("step")
            return original(*arguments)

        return step

    def callback(self, op: Any, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None) -> Any:
        self.ops[id(attrs)] = op
        self.kept = (getattr(self, "kept", None), attrs)
        self.heard.update(
            ("op", "ids") if _tensorflow.tensor_id(outputs[0]) > _tensorflow.tensor_id(inputs[0]) else ("op",)
        )
        return outputs if graph is not None else None


_lock = threading.RLock()
_lock = threading.RLock()
_tested: str | None = None
_told = False


def trouble() -> str:
    """Empty if a Tape can listen, else why not. Tested once, as soon as TensorFlow has set up its devices.

    Not while somebody listens, on whatever thread: the test would not hear what the hooks tell.
    """
    global _tested
    with _lock:
        can_be_tested = _tensorflow.MISSING or (_tensorflow.is_context_ready() and not _tensorflow.hooks_are_on())
        if _tested is None and can_be_tested:
            _tested = self_test()
        return _tested or ""


def tell_once() -> bool:
    """True for the first caller only, who then says what the trouble is."""
    global _told
    first, _told = not _told, True
    return first


def self_test() -> str:
    """Empty if all that is private works as this file believes, else a sentence that says what does not.

    It runs a few ops, so nobody may call it before `_tensorflow.is_context_ready`.
    """
    if _tensorflow.MISSING:
        return _tensorflow.MISSING
    try:
        with tf.init_scope():
            if not tf.executing_eagerly():
                return ""
            with tf.device("CPU:0"), _tensorflow.recording():
                return _try_hooks()
    # Whatever goes wrong here means only that private names are not what they were; the user's program must go on.
    except Exception as error:  # noqa: BLE001
        return f"TensorFlow {tf.__version__} does not work inside as expected: {type(error).__name__}: {error}"


def _try_hooks() -> str:
    trial = _Trial()
    switches: list[bool] = []
    state = _tensorflow.thread_state()

    class TrialTape(_tensorflow.NoticedTape):
        def _switched(self, on: bool) -> None:
            switches.append(on)

    _tensorflow.hooks_on(trial)
    _tensorflow.buffer_off()
    try:
        state.op_callbacks.append(trial.callback)
        x = tf.constant(2.0)
        with TrialTape() as tape:
            tape.watch(x)
            y = tf.square(x)
        slope = tape.gradient(y, x)
        float(y)
        heard_array = np.asarray(x)
    finally:
        if trial.callback in state.op_callbacks:
            state.op_callbacks.remove(trial.callback)
        _tensorflow.buffer_on()
        _tensorflow.hooks_off()
    wanted = {"op", "ids", "step", "made", "__float__"}
    missed = sorted(wanted - trial.heard)
    if missed or switches != [True, False] or float(slope) != 4.0 or float(heard_array) != 2.0:
        return f"TensorFlow {tf.__version__} does not tell of: {', '.join(missed) or 'tapes'}"
    return ""
