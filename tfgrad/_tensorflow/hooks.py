"""The hooks: TensorFlow tells what it does to whoever listens. Counted, and taken away after the last."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from tfgrad._tensorflow.private import TENSOR_BASE, backprop, constant_op, execute, pywrap_tfe, record


class Sensors(Protocol):
    """What `hooks_on` tells to whoever listens; each is called on the thread where it happened."""

    def value_was_read(self, tensor: Any, value: Any, reader: Any) -> None: ...
    def tensor_was_made(self, tensor: Any, value: Any) -> None: ...
    def operation_was_recorded(
        self, op: Any, outputs: Any, inputs: Any, backward: Callable[..., Any]
    ) -> Callable[..., Any]: ...
    def graph_attributes_were_seen(self, attrs: Any, results: Any) -> None: ...
    def gradient_function(self, original: Callable[..., Any]) -> Callable[..., Any]: ...


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
    from tfgrad._tensorflow import hooks

    return hooks._read(self)


def _as_array(self, dtype=None, copy=None):  # type: ignore[no-untyped-def]
    from tfgrad._tensorflow import hooks

    return hooks._array(self, dtype, copy)


_read: Callable[[Any], Any]


_array: Callable[[Any, Any, Any], Any]


def _hear_reads(sensors: Sensors) -> None:
    global _read, _array
    function = TENSOR_BASE.__dict__["_numpy"]
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
    _swap_code(TENSOR_BASE.__dict__["__array__"], _as_array.__code__, (None, None))


def _swap_code(function: Any, code: Any, defaults: tuple[Any, ...] | None = None) -> None:
    old = function.__code__, function.__defaults__
    function.__code__, function.__defaults__ = code, defaults if defaults is not None else old[1]

    def back() -> None:
        function.__code__, function.__defaults__ = old

    _undo.append(back)
