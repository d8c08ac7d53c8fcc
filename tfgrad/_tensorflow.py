"""The only file that touches what is private in TensorFlow: what a Tape needs to notice what TensorFlow does.

| private name                             | what for                               | where it is gone       |
|------------------------------------------|----------------------------------------|------------------------|
| `Tensor._id`, `_datatype_enum`, ...      | naming a tensor, its dtype and shape   | a Tape sees nothing    |
| `context()._thread_local_data`           | op callbacks and layer names           | a Tape sees nothing    |
| `TFE_Py_RegisterGradientFunction`        | steps of the backward pass             | a Tape sees nothing    |
| `record.record_operation`                | function calls, custom gradients       | a Tape sees nothing    |
| `execute.record_gradient`, `.execute`    | attributes of ops in graphs; slow path | a Tape sees nothing    |
| `_EagerTensorBase._numpy`, `__array__`   | values read by Python and NumPy        | a Tape sees nothing    |
| the type's buffer slot (CPython)         | `np.sin(tensor)`                       | such reads go unseen   |
| `constant_op.convert_to_eager_tensor`    | tensors made from Python data          | a Tape sees nothing    |
| `Graph._is_function`, `_get_function`    | the graphs of loops and branches       | lines inside go unseen |
| `traceback_utils._EXCLUDED_PATHS`        | our frames in TensorFlow's messages    | they are named there   |
| `GradientTape._push_tape`, `_pop_tape`   | when a tape records                    | a Tape sees nothing    |

All were seen in TensorFlow 2.16 to 2.21 and are tried by `see.trial` before a Tape trusts them.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

try:
    from tensorflow.python import pywrap_tfe
    from tensorflow.python.eager import backprop, context, execute, record
    from tensorflow.python.framework import constant_op, op_def_registry, ops
    from tensorflow.python.ops import resource_variable_ops
    from tensorflow.python.util import tf_stack, traceback_utils

    EagerTensor: Any = ops.EagerTensor
    ResourceVariable: Any = resource_variable_ops.ResourceVariable
    datatype_enum: Callable[[Any], int] = EagerTensor._datatype_enum
    shape_tuple: Callable[[Any], tuple[int, ...]] = EagerTensor._shape_tuple
    numpy_view: Callable[[Any], Any] = EagerTensor._numpy_internal
    element_count: Callable[[Any], int] = EagerTensor._num_elements
    is_stopped: Callable[[], bool] = pywrap_tfe.TFE_Py_TapeSetIsStopped
    next_id: Callable[[], int] = pywrap_tfe.TFE_Py_UID
    _TENSOR_BASE: Any = ops._EagerTensorBase
    MISSING = ""
except (ImportError, AttributeError) as moved:
    MISSING = f"TensorFlow {tf.__version__} keeps something elsewhere: {moved}"

_HERE = os.path.dirname(os.path.abspath(__file__))
_OURS = os.path.join(_HERE, "see") + os.sep, os.path.join(_HERE, "_tensorflow.py")
tensor_id: Callable[[Any], int] = attrgetter("_id")
scope_name: Callable[[Any], str | None] = attrgetter("scope_name")
RESOURCE = tf.resource.as_datatype_enum


class Sensors(Protocol):
    """What `hooks_on` tells to whoever listens; each is called on the thread where it happened."""

    def value_was_read(self, tensor: Any, value: Any, reader: Any) -> None: ...
    def tensor_was_made(self, tensor: Any, value: Any) -> None: ...
    def operation_was_recorded(
        self, op: Any, outputs: Any, inputs: Any, backward: Callable[..., Any]
    ) -> Callable[..., Any]: ...
    def graph_attributes_were_seen(self, attrs: Any, results: Any) -> None: ...
    def gradient_function(self, original: Callable[..., Any]) -> Callable[..., Any]: ...


def spec(tensor: Any) -> tuple[int, tuple[int | None, ...] | None]:
    """A tensor's dtype, as TensorFlow's number for it, and its shape (None: the rank is not known)."""
    if isinstance(tensor, EagerTensor):
        return datatype_enum(tensor), shape_tuple(tensor)
    shape = tensor.shape
    return tensor.dtype.as_datatype_enum, tuple(shape) if shape.rank is not None else None


def is_on_cpu(tensor: Any) -> bool:
    """Whether an eager tensor (or IndexedSlices) can be looked at without waiting for an accelerator."""
    if isinstance(tensor, tf.IndexedSlices):
        tensor = tensor.values
    return "CPU:" in tensor.backing_device if isinstance(tensor, EagerTensor) else True


def variable_handle(variable: Any) -> Any:
    """The handle of a Variable, also of a Keras 3 one; None where it has none now.

    An autocast scope would give a Keras variable's value as a plain tensor, and a distributed Variable has a handle
    in a replica only.
    """
    if variable.__class__ is EagerTensor:
        return None
    if variable.__class__ is EagerTensor:
        return None
    try:
        return plain_variable(variable).handle
    except (AttributeError, ValueError):
        return None


def plain_variable(variable: Any) -> Any:
    """The `tf.Variable` inside a Keras 3 variable; anything else as it is.

    Source: `keras.src.backend.tensorflow.core.Variable` (Keras 3.0 to 3.15).
    """
    inner = getattr(variable, "_value", None)
    return inner if isinstance(inner, tf.Variable) else variable


def is_keras_variable(leaf: Any) -> bool:
    """Whether a leaf is a Keras 3 variable, which is no `tf.Variable` but holds one."""
    return isinstance(getattr(leaf, "_value", None), tf.Variable) and not isinstance(leaf, tf.Variable)


def variable_value(handle: Any) -> Any:
    """The value that the Variable of a handle has now, None if this is no handle or the Variable is gone."""
    if not isinstance(handle, EagerTensor) or datatype_enum(handle) != RESOURCE:
        return None
    data = getattr(handle, "_handle_data", None)
    if data is None or not data.is_set or len(data.shape_and_type) != 1:
        return None
    try:
        with unnoticed():
            return tf.raw_ops.ReadVariableOp(resource=handle, dtype=data.shape_and_type[0].dtype)
    except tf.errors.OpError:
        return None


def outermost(handle: Any) -> Any:
    """The handle outside all graphs that one in a graph stands for; None if there is none."""
    while handle is not None and not isinstance(handle, EagerTensor):
        captures = getattr(handle.graph, "captures", None) or ()
        handle = next((outer for outer, inner in captures if inner is handle), None)
    return handle


def stored_dtype(handle: Any) -> Any:
    """The dtype of the Variable behind a handle that a graph captured; None if this is no such handle."""
    data = getattr(outermost(handle), "_handle_data", None) if handle.dtype == tf.resource else None
    if data is None or not data.is_set or len(data.shape_and_type) != 1:
        return None
    return tf.as_dtype(data.shape_and_type[0].dtype)


def thread_state() -> Any:
    """TensorFlow's own state for this thread: its list `op_callbacks`, and `scope_name`."""
    return context.context()._thread_local_data


def is_context_ready() -> bool:
    """Whether TensorFlow has set up its devices. Until then an op would take that choice from the user."""
    return context._context is not None and context._context._initialized


def argument_names(op: str) -> list[tuple[str, bool]] | None:
    """Names of an op's inputs as its Python function has them, and whether each is a list; None if not known."""
    definition = op_def_registry.get(op)
    if definition is None:
        return None
    return [(arg.name, bool(arg.number_attr or arg.type_list_attr)) for arg in definition.input_arg]


def is_stateful(op: str) -> bool:
    """Whether an op is declared to have effects, or to depend on more than its inputs."""
    definition = op_def_registry.get(op)
    return definition is None or bool(definition.is_stateful)


def is_compiled_with_xla() -> bool:
    """Whether the function that is being traced, or one around it, is for XLA.

    Source: `_jit_compile` of a `tf.function` (TensorFlow 2.16 to 2.21).
    """
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "__call__" and getattr(frame.f_locals.get("self"), "_jit_compile", False):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def mapped_stack() -> list[Any]:
    """The stack while a graph is built, AutoGraph's generated code mapped back to the user's lines."""
    return list(tf_stack.extract_stack())


def body_graphs(op: Any, attributes: Iterable[str]) -> list[Any]:
    """The graphs that a call, loop or branch of a graph runs; empty where one of them is not to be had."""
    found = []
    for value in (op.node_def.attr[name] for name in attributes if name in op.node_def.attr):
        functions = [value.func] if value.HasField("func") else value.list.func
        found += [_graph_named(op.graph, function.name) for function in functions]
    return found if all(graph is not None for graph in found) else []


def _graph_named(graph: Any, name: str) -> Any:
    while graph is not None and not graph._is_function(name):
        graph = getattr(graph, "outer_graph", None)
    return getattr(graph._get_function(name), "graph", None) if graph is not None else None


def original_error(error: BaseException) -> tuple[str, str]:
    """Type and text of an error as it was first raised, where AutoGraph has put another one in its place."""
    cause = getattr(getattr(error, "ag_error_metadata", None), "cause_message", None)
    kind, colon, text = cause.partition(": ") if isinstance(cause, str) else ("", "", "")
    return (kind, text) if colon and kind.isidentifier() else (type(error).__name__, str(error))


def gradient_function(op: str) -> Any:
    """The registered gradient of an op; None if it is declared to have none.

    Raises:
        LookupError: nothing is registered for it.
    """
    return ops._gradient_registry.lookup(op)


class NoticedTape(tf.GradientTape):
    """A `tf.GradientTape` that tells when it starts and stops recording."""

    def _switched(self, on: bool) -> None:
        """Called right after recording started, and right after it stopped."""

    def _push_tape(self) -> None:
        super()._push_tape()
        self._switched(True)

    def _pop_tape(self) -> None:
        super()._pop_tape()
        self._switched(False)

    def _variables(self) -> tuple[Any, ...]:
        """The Variables watched since it was last empty."""
        return tuple(self._tape.watched_variables()) if self._tape is not None else ()

    @property
    def _is_recording(self) -> bool:
        return bool(self._recording)

    @property
    def _is_empty(self) -> bool:
        """Nothing is on the tape: it was used up, or never entered."""
        return self._tape is None


_lock = threading.RLock()
_listening = 0
_undo: list[Callable[[], None]] = []


def hooks_on(sensors: Sensors) -> None:
    """Make TensorFlow tell the sensors. Counted: each call needs one of `hooks_off`."""
    global _listening
    with _lock:
        if _listening == 0:
            try:
                _install(sensors)
            except BaseException:
                _uninstall()
                raise
        _listening += 1


def hooks_off() -> None:
    """Take the hooks away again when nobody listens any more."""
    global _listening
    with _lock:
        _listening -= 1
        if _listening == 0:
            _uninstall()


def _uninstall() -> None:
    while _undo:
        _undo.pop()()


def hooks_are_on() -> bool:
    """Whether anything of TensorFlow is changed at this moment."""
    return bool(_undo)


def _install(sensors: Sensors) -> None:
    _replace(constant_op, "convert_to_eager_tensor", _telling_convert(constant_op.convert_to_eager_tensor, sensors))
    _replace(record, "record_operation", _telling_record(record.record_operation, sensors))
    _replace(execute, "record_gradient", _telling_attributes(execute.record_gradient, sensors))
    if execute.execute is execute.quick_execute:
        # op_callbacks.remove_op_callback resets this for all threads when one thread has no callback left.
        _replace(execute, "execute", execute.execute_with_callbacks)
    _hear_reads(sensors)
    original = backprop._gradient_function
    pywrap_tfe.TFE_Py_RegisterGradientFunction(sensors.gradient_function(original))
    _undo.append(lambda: pywrap_tfe.TFE_Py_RegisterGradientFunction(original))


def _replace(module: Any, name: str, new: Any) -> None:
    old = getattr(module, name)
    setattr(module, name, new)
    _undo.append(lambda: setattr(module, name, old))


def _telling_convert(original: Any, sensors: Sensors) -> Any:
    def convert_to_eager_tensor(value: Any, ctx: Any, dtype: Any = None) -> Any:
        tensor = original(value, ctx, dtype)
        if tensor is not value:
            sensors.tensor_was_made(tensor, value)
        return tensor

    return convert_to_eager_tensor


def _telling_record(original: Any, sensors: Sensors) -> Any:
    def record_operation(
        op_type: Any, output_tensors: Any, input_tensors: Any, backward_function: Any, forward_function: Any = None
    ) -> None:
        backward = sensors.operation_was_recorded(op_type, output_tensors, input_tensors, backward_function)
        original(op_type, output_tensors, input_tensors, backward, forward_function)

    return record_operation


def _telling_attributes(original: Any, sensors: Sensors) -> Any:
    def record_gradient(op_name: Any, inputs: Any, attrs: Any, results: Any) -> Any:
        sensors.graph_attributes_were_seen(attrs, results)
        return original(op_name, inputs, attrs, results)

    return record_gradient


# The functions below run in the place of TensorFlow's: only their code is swapped. Setting an attribute of the type
# would make CPython forget what it knows about it, and 3.12 and 3.13 stop remembering after a thousand times.


def _numpy(self):  # type: ignore[no-untyped-def]
    from tfgrad import _tensorflow

    return _tensorflow._read(self)


def _as_array(self, dtype=None, copy=None):  # type: ignore[no-untyped-def]
    from tfgrad import _tensorflow

    return _tensorflow._array(self, dtype, copy)


_read: Callable[[Any], Any]
_array: Callable[[Any, Any, Any], Any]


def _hear_reads(sensors: Sensors) -> None:
    global _read, _array
    function = _TENSOR_BASE.__dict__["_numpy"]
    quiet = type(function)(function.__code__, function.__globals__)

    def read(tensor: Any) -> Any:
        value = quiet(tensor)
        sensors.value_was_read(tensor, value, sys._getframe(2))
        return value

    def array(tensor: Any, dtype: Any, copy: Any) -> Any:
        found = np.asarray(tensor._numpy())
        if dtype is not None and found.dtype != dtype:
            return found.astype(dtype)
        return found.copy() if copy else found

    _read, _array = read, array
    _swap_code(function, _numpy.__code__)
    _swap_code(_TENSOR_BASE.__dict__["__array__"], _as_array.__code__, (None, None))


def _swap_code(function: Any, code: Any, defaults: tuple[Any, ...] | None = None) -> None:
    old = function.__code__, function.__defaults__
    function.__code__, function.__defaults__ = code, defaults if defaults is not None else old[1]

    def back() -> None:
        function.__code__, function.__defaults__ = old

    _undo.append(back)


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


_BUFFER_OFFSET = 160  # of tp_as_buffer in PyTypeObject, 64-bit CPython 3.10 to 3.13
_emptied = 0
HEARS_NUMPY = os.environ.get("TFGRAD_NUMPY_READS") != "0"


def _buffer_slot() -> ctypes.c_void_p | None:
    """Where EagerTensor keeps its function for the buffer protocol, None where that can't be told for sure."""
    if sys.implementation.name != "cpython" or ctypes.sizeof(ctypes.c_void_p) != 8 or hasattr(sys, "gettotalrefcount"):
        return None
    if hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled():
        return None
    # A class of our own keeps its slots inside itself: that shows whether the offset is right on this CPython.
    probe = type("Probe", (bytearray,), {})
    slots = ctypes.c_void_p.from_address(id(probe) + _BUFFER_OFFSET).value
    if slots is None or not id(probe) < slots < id(probe) + type.__sizeof__(probe):
        return None
    where = ctypes.c_void_p.from_address(id(EagerTensor) + _BUFFER_OFFSET).value
    return ctypes.c_void_p.from_address(where) if where else None


_slot: ctypes.c_void_p | None = None
_slot_value: int | None = None


def buffer_off() -> None:
    """Make NumPy read tensors by `__array__`, which can be heard, and not by the buffer protocol. Counted."""
    global _emptied, _slot, _slot_value
    with _lock:
        _emptied += 1
        if _emptied == 1:
            if _slot is None and HEARS_NUMPY:
                _slot = _buffer_slot()
            if _slot is not None and HEARS_NUMPY:
                _slot_value, _slot.value = _slot.value, 0


def buffer_on() -> None:
    """The buffer protocol again, when no Tape records any more."""
    global _emptied, _slot_value
    with _lock:
        _emptied -= 1
        if _emptied == 0 and _slot is not None and _slot_value is not None:
            _slot.value, _slot_value = _slot_value, None


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
