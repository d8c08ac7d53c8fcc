"""Listening to TensorFlow on one thread: every op, read and made tensor becomes an entry in the notes.

A `Listener` is on while at least one Tape of its thread listens; all these Tapes share it and its notes. What is here
runs for every op of the user's program: it notes ids and code positions and decodes nothing.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfgrad import _tensorflow, source
from tfgrad.see.recording import leaving
from tfgrad.see.recording.backward import Backward, StepNote
from tfgrad.see.recording.notes import LeafNote, MarkNote, More, Notes, ReadNote, TapeNote

PATIENCE = 2000  # ops heard after all tapes were left, before nobody listens any more
ROOM = 10_000  # entries kept before those that nothing watched leads to are let go


class _Here(threading.local):
    """This thread's listener, and the backward pass it is in."""

    listener: Listener | None = None
    backward: Backward | None = None


here = _Here()
_user_file = source.is_user_file


class Listener:
    """Writes down what happens on one thread while Tapes listen."""

    def __init__(self) -> None:
        self.notes = Notes()
        self.thread = threading.get_ident()
        self.tapes: dict[int, weakref.ref[Any]] = {}
        self.noted: dict[int, weakref.ref[Any]] = {}  # those that listened before too: their notes are in the log
        self.graphs: list[Any] = []
        self.call: int | None = None
        self.limit = ROOM
        self.keeps_values = False
        self.is_on = False
        self.hears_ops = False
        self._state: Any = None
        self._callback: Callable[..., Any] | None = None

    def start(self) -> None:
        """Begin to hear ops, reads and everything else."""
        self._state = _tensorflow.thread_state()
        self._callbacks = self._state.op_callbacks
        self._callback = _op_callback(self)
        _tensorflow.hooks_on(SENSORS)
        self.is_on = True
        self.hear_ops()
        here.listener = self

    def stop(self) -> None:
        """Leave no trace in TensorFlow. Also works from another thread, where a tape may be garbage collected."""
        if not self.is_on:
            return
        self.is_on = False
        self.ignore_ops()
        self._callback = None
        self._state = None
        self.graphs.clear()
        self.tapes.clear()
        _tensorflow.hooks_off()
        if here.listener is self:
            here.listener = None

    def hear_ops(self) -> None:
        """Hear ops again."""
        if self._callback is not None and not self.hears_ops:
            self._callbacks.append(self._callback)
            self.hears_ops = True

    def ignore_ops(self) -> None:
        """Don't hear ops: a backward pass that no tape records costs nothing then."""
        if self.hears_ops:
            _tensorflow.remove_callback(self._callbacks, self._callback)
        self.hears_ops = False

    def leave(self, serial: int, *, is_gone: bool) -> None:
        """A tape listens no more; one that is not gone can still be asked, and its notes stay."""
        self.tapes.pop(serial, None)
        if is_gone:
            self.noted.pop(serial, None)
        if not self.tapes:
            self.stop()
        elif len(self.notes.log) > PATIENCE:
            self.noted = {known: ref for known, ref in self.noted.items() if ref() is not None}
            self.notes.forget_before(set(self.tapes) | set(self.noted))

    def is_forgotten(self) -> bool:
        """Whether all its tapes were left long ago, and never asked: a notebook keeps them with a traceback."""
        log = self.notes.log
        if len(log) < PATIENCE:
            return False
        tapes = [tape for tape in (ref() for ref in self.tapes.values()) if tape is not None]
        if any(tape._is_recording or tape._is_asked for tape in tapes):
            return False
        return not any(type(entry) is MarkNote and entry.tape in self.tapes for entry in log[-PATIENCE:])

    def is_wanted(self, graph: Any) -> bool:
        """Whether a Tape was entered in this graph or in one around it."""
        while graph is not None and self.graphs:
            if any(graph is wanted for wanted in self.graphs):
                return True
            graph = getattr(graph, "outer_graph", None)
        return False

    def mark(self, what: str, tape: int, why: str = "", ids: tuple[int, ...] = ()) -> None:
        """Write down what was done to a tape, at the user's line."""
        self.notes.log.append(MarkNote(what, tape, why, ids, *user_position(sys._getframe(1)), self.call))

    def enter_graph(self, graph: Any) -> None:
        """Hear the ops of this graph too. What it already holds happened before."""
        if any(graph is known for known in self.graphs):
            return
        self.graphs.append(graph)
        made = {i for entry in self.notes.log if type(entry) is tuple for i in entry[2]}
        for outer, inner in getattr(graph, "captures", None) or ():
            if _tensorflow.tensor_id(inner) not in made:
                self._note_graph_op("captured_value", [outer], [inner], None, More("alias", inner.op, None))
        for op in graph.get_operations():
            if op.type != "Placeholder" and op.outputs and _tensorflow.tensor_id(op.outputs[0]) not in made:
                self._note_graph_op(op.type, op.inputs, op.outputs, None, More("before", op, None))

    def hear_graph_op(self, op: str, inputs: Any, attrs: Any, outputs: Any, name: str | None, graph: Any) -> Any:
        """Note an op added to a graph that a Tape was entered in. The outputs must be handed on to the next callback.

        Source: `invoke_op_callbacks` gives one callback's None to the next one (TensorFlow 2.16 to 2.21).
        """
        if outputs is None and name:
            outputs = graph.get_operation_by_name(name).outputs
        if self.is_wanted(graph):
            graph_op = outputs[0].op if outputs else graph.get_operation_by_name(name) if name else None
            called = _called_graph(sys._getframe(2)) if op in _CALLS else None
            kind = "function" if op in _CALLS else "op"
            self._note_graph_op(op, inputs, outputs or (), attrs, More(kind, graph_op, called))
        return outputs

    def _note_graph_op(self, op: str, inputs: Any, outputs: Any, attrs: Any, more: More) -> None:
        for tensor in (*inputs, *outputs):
            self.notes.specs.setdefault(_tensorflow.tensor_id(tensor), _tensorflow.spec(tensor))
        ins = tuple(_tensorflow.tensor_id(t) for t in inputs)
        outs = tuple(_tensorflow.tensor_id(t) for t in outputs)
        stopped = _tensorflow.is_stopped()
        self.notes.log.append((op, ins, outs, attrs, None, 0, stopped, "", self.call, more))
        self.check_room()

    def check_room(self) -> None:
        """Called when the notes have grown: nobody may listen any more, or much may be worth nothing."""
        if len(self.notes.log) < self.limit:
            return
        tapes = [tape for tape in (ref() for ref in self.tapes.values()) if tape is not None]
        if not any(tape._is_recording or tape._is_asked for tape in tapes):
            self.stop()
            return
        watched = {i for tape in tapes for i in tape._watched_now()}
        self.notes.forget_untracked(watched, ROOM // 2)
        self.limit = max(ROOM, 2 * len(self.notes.log))

    def be_patient(self) -> None:
        """No tape records: listen on for some time, to name what is computed after the block."""
        self.limit = len(self.notes.log) + PATIENCE

    def make_room(self) -> None:
        """A tape records again."""
        self.limit = max(self.limit, len(self.notes.log) + ROOM)

    def give_up(self, error: Exception) -> None:
        """Something in TensorFlow was not as expected: the user's program goes on, nothing more is noted."""
        self.notes.blind = f"Recording stopped: {type(error).__name__}: {error}"
        self.stop()


_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


def _op_callback(listener: Listener) -> Callable[..., Any]:
    """The function that TensorFlow calls after every op of this thread."""
    notes, state, thread = listener.notes, listener._state, listener.thread
    log, specs, values = notes.log, notes.specs, notes.values
    append, getframe, get_ident = log.append, sys._getframe, threading.get_ident
    tensor_id, datatype_enum, shape_tuple = _tensorflow.tensor_id, _tensorflow.datatype_enum, _tensorflow.shape_tuple
    is_stopped, scope_name, user_file = _tensorflow.is_stopped, _tensorflow.scope_name, _user_file

    def note(op: Any, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None) -> Any:
        # MirroredStrategy shares the list of callbacks with the threads of its replicas.
        if get_ident() != thread:
            return outputs if graph is not None else None
        try:
            if type(op) is bytes:
                op = op.decode()
            if graph is not None:
                return listener.hear_graph_op(op, inputs, attrs, outputs, op_name, graph)
            # The first frame is the op's own function, never the user's.
            frame = first = getframe(2)
            while not user_file[frame.f_code.co_filename]:
                above = frame.f_back
                if above is None:
                    frame = first
                    break
                frame = above
            taken = tuple([tensor_id(tensor) for tensor in inputs])
            for i in taken:
                if i not in specs:
                    k = taken.index(i)
                    _first_seen(listener, i, inputs[k], k, op, getframe(1), frame)
            if len(outputs) == 1:
                tensor = outputs[0]
                i = tensor_id(tensor)
                made: tuple[int, ...] = (i,)
                specs[i] = datatype_enum(tensor), shape_tuple(tensor)
            else:
                made = tuple([tensor_id(tensor) for tensor in outputs])
                for i, tensor in zip(made, outputs, strict=False):
                    specs[i] = datatype_enum(tensor), shape_tuple(tensor)
            more = More("function", None, _called_graph(first)) if op[0] == "_" else None
            at, last, call = frame.f_code, frame.f_lasti, listener.call
            append((op, taken, made, attrs, at, last, is_stopped(), scope_name(state), call, more))
            if listener.keeps_values:
                values.update(zip(taken, inputs, strict=True))
                values.update(zip(made, outputs, strict=True))
            if len(log) >= listener.limit:
                listener.check_room()
        # Whatever is wrong here is our or TensorFlow's inner matter, never a reason to break the user's program.
        except Exception as error:  # noqa: BLE001
            listener.give_up(error)
        return outputs if graph is not None else None

    return note


def user_position(frame: Any) -> tuple[Any, int]:
    """The code position of the first frame, going out, that is the user's own; inside AutoGraph the original line."""
    first = frame
    while frame is not None:
        is_users = _user_file[frame.f_code.co_filename]
        if is_users:
            return frame.f_code, frame.f_lasti
        if is_users is None:
            line = source.user_frame(_tensorflow.mapped_stack())
            if line is not None:
                return line, 0
        frame = frame.f_back
    return first.f_code, first.f_lasti


def _called_graph(frame: Any) -> Any:
    """The FuncGraph of the `tf.function` that is being called, found on the stack; None if it isn't there."""
    while frame is not None:
        if frame.f_code.co_name == "_call_flat":
            return getattr(frame.f_locals.get("self"), "graph", None)
        frame = frame.f_back
    return None


def _first_seen(listener: Listener, i: int, tensor: Any, k: int, op: str, frame: Any, user: Any) -> None:
    """Note where a tensor came from that no op seen made: the k-th input of an op whose Python function is `frame`."""
    notes = listener.notes
    notes.specs[i] = _tensorflow.spec(tensor)
    position = user.f_code, user.f_lasti
    if notes.specs[i][0] == _tensorflow.RESOURCE:
        notes.log.append(LeafNote(i, "variable", None, *position))
        return
    given = leaving.argument(op, k, frame)
    if given is not None and given is not tensor and hasattr(given, "trainable"):
        # The variable was read inside TensorFlow's C++, which no callback hears.
        handle = _tensorflow.variable_handle(given)
        h = _tensorflow.tensor_id(handle)
        if h not in notes.specs:
            notes.specs[h] = _tensorflow.spec(handle)
            notes.log.append(LeafNote(h, "variable", weakref.ref(given), *position))
        stopped = _tensorflow.is_stopped() and op != "StopGradient"
        notes.log.append(
            ("ReadVariableOp", (h,), (i,), None, *position, stopped, "", listener.call, More("variable", None, None))
        )
        return
    kind, value = leaving.kind_and_value(given, tensor)
    notes.log.append(LeafNote(i, kind, value, *position))


class _Sensors:
    """What TensorFlow's hooks tell, handed to the listener of the thread where it happened."""

    def value_was_read(self, tensor: Any, value: Any, reader: Any) -> None:
        """A tensor's numbers went to Python or NumPy."""
        listener = here.listener
        if listener is None or not listener.is_on:
            return
        try:
            found = leaving.reading(reader)
            if found is None:
                return
            how, frame = found
            i = _tensorflow.tensor_id(tensor)
            listener.notes.specs.setdefault(i, _tensorflow.spec(tensor))
            array = weakref.ref(value) if isinstance(value, np.ndarray) else None
            scalar = None if array is not None else value
            position = user_position(frame)
            listener.notes.log.append(ReadNote(i, how, *position, listener.call, array, scalar))
        # As in the op callback: never break the user's program.
        except Exception as error:  # noqa: BLE001
            listener.give_up(error)

    def tensor_was_made(self, tensor: Any, value: Any) -> None:
        """A tensor was made from Python or NumPy data, without an op."""
        listener = here.listener
        if listener is None or not listener.hears_ops or isinstance(value, _tensorflow.EagerTensor):
            return
        try:
            i = _tensorflow.tensor_id(tensor)
            notes = listener.notes
            if i in notes.specs:
                return
            notes.specs[i] = _tensorflow.datatype_enum(tensor), _tensorflow.shape_tuple(tensor)
            kind, found = leaving.kind_and_value(value, None)
            code, lasti = user_position(sys._getframe(2))
            notes.log.append(LeafNote(i, kind, found, code, lasti))
            if listener.keeps_values:
                listener.notes.values[i] = tensor
        # As in the op callback: never break the user's program.
        except Exception as error:  # noqa: BLE001
            listener.give_up(error)

    def operation_was_recorded(
        self, op: Any, outputs: Any, inputs: Any, backward: Callable[..., Any]
    ) -> Callable[..., Any]:
        """A function call, a custom gradient or a capture was offered to the tapes."""
        listener = here.listener
        if listener is None or not listener.is_on or not len(outputs):
            return backward
        if not tf.executing_eagerly() and not listener.is_wanted(getattr(outputs[0], "graph", None)):
            return backward
        try:
            note = _record_note(listener, op.decode() if isinstance(op, bytes) else op, outputs, inputs)
        # As in the op callback: never break the user's program.
        except Exception as error:  # noqa: BLE001
            listener.give_up(error)
            return backward
        listener.notes.log.append(note)
        listener.check_room()
        return _noticed_backward(note, backward, tuple(inputs), tuple(outputs)) if note[9].kind != "alias" else backward

    def graph_attributes_were_seen(self, attrs: Any, results: Any) -> None:
        """In a graph: these attributes, by whose identity a step is told, belong to the op that made the results."""
        listener = here.listener
        if listener is not None and attrs and listener.graphs and len(results):
            listener.notes.graph_attributes[id(attrs)] = attrs, getattr(results[0], "_id", -1)

    def gradient_function(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """What TensorFlow calls for the registered gradient of an op."""

        def step(op: Any, attrs: Any, n: Any, ins: Any, outs: Any, upstream: Any, skipped: Any, scope: Any) -> Any:
            backward = here.backward
            if backward is None:
                return original(op, attrs, n, ins, outs, upstream, skipped, scope)
            backward.current = attrs, op
            downstream = original(op, attrs, n, ins, outs, upstream, skipped, scope)
            backward.current = None
            backward.take(StepNote(attrs, op, ins, outs, upstream, downstream, skipped))
            return downstream

        return step


SENSORS = _Sensors()


def _record_note(listener: Listener, op: str, outputs: Any, inputs: Any) -> tuple[Any, ...]:
    specs = listener.notes.specs
    for tensor in (*inputs, *outputs):
        i = _tensorflow.tensor_id(tensor)
        if i not in specs:
            specs[i] = _tensorflow.spec(tensor)
            if specs[i][0] == _tensorflow.RESOURCE:
                listener.notes.log.append(LeafNote(i, "variable", None, *user_position(sys._getframe(2))))
    frame = sys._getframe(2)
    graph_op = None if isinstance(outputs[0], _tensorflow.EagerTensor) else outputs[0].op
    if op in ("captured_value", "ReadVariableOp", "_copy"):
        more = More("alias" if op != "ReadVariableOp" else "variable", graph_op, None)
    elif op.startswith(("__forward_", "__inference_")) or op in _CALLS:
        more = More("function", graph_op, _called_graph(frame))
    else:
        more = More("custom", graph_op, None)
    ins = tuple(_tensorflow.tensor_id(t) for t in inputs)
    outs = tuple(_tensorflow.tensor_id(t) for t in outputs)
    stopped = _tensorflow.is_stopped()
    scope = _tensorflow.scope_name(listener._state) or ""
    return (op, ins, outs, (), *user_position(frame), stopped, scope, listener.call, more)


def _noticed_backward(
    note: tuple[Any, ...], backward: Callable[..., Any], inputs: tuple[Any, ...], outputs: tuple[Any, ...]
) -> Callable[..., Any]:
    """The backward function of a recorded operation, which tells its step."""

    def step(*upstream: Any) -> Any:
        pass_ = here.backward
        if pass_ is None:
            return backward(*upstream)
        pass_.current = note, note[0]
        downstream = backward(*upstream)
        pass_.current = None
        pass_.take(StepNote(note, note[0], inputs, outputs, upstream, downstream, ()))
        return downstream

    return step


def join(tape: Any, notes: TapeNote, earlier: Notes | None) -> Listener:
    """The listener of this thread, started if none is on; a tape that listens again brings its earlier notes."""
    listener = here.listener
    if listener is not None and listener.is_on and listener.is_forgotten():
        listener.stop()
    if listener is None or not listener.is_on:
        listener = Listener()
        if earlier is not None:
            listener.notes = earlier
        listener.start()
    elif earlier is not None and earlier is not listener.notes:
        listener.notes.follow(earlier)
    listener.tapes[notes.serial] = listener.noted[notes.serial] = weakref.ref(tape)
    listener.notes.tapes[notes.serial] = notes
    return listener
