"""A traced function called with as little Python as TensorFlow allows.

| private name                                    | what for                        | where it is gone                 |
|-------------------------------------------------|---------------------------------|----------------------------------|
| `TFE_Py_Execute`, `context()._handle`           | running a function by its name  | `concrete(*tensors)`             |
| `ConcreteFunction._inference_function`          | that name                       | `concrete(*tensors)`             |
| `TFE_Py_TapeSetIsEmpty`                         | whether anything differentiates | always taken to differentiate    |
| `EagerTensor._datatype_enum`, `._shape_tuple`   | a tensor's signature            | `dtype`, `shape`                 |
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

try:
    from tensorflow.python import pywrap_tfe
    from tensorflow.python.eager import context, core
    from tensorflow.python.framework import ops

    EagerTensor: Any = ops.EagerTensor
    dtype_of: Callable[[Any], Any] = EagerTensor._datatype_enum
    shape_of: Callable[[Any], Any] = EagerTensor._shape_tuple
    _nothing_records: Callable[[], bool] = pywrap_tfe.TFE_Py_TapeSetIsEmpty
    _execute: Callable[..., list[Any]] = pywrap_tfe.TFE_Py_Execute
    _context: Any = context.context()
    MISSING = ""
except (ImportError, AttributeError) as moved:
    MISSING = f"TensorFlow {tf.__version__} keeps something elsewhere: {moved}"
    EagerTensor = type(tf.constant(0.0))

    def dtype_of(tensor: Any) -> Any:
        """A tensor's dtype."""
        return tensor.dtype

    def shape_of(tensor: Any) -> Any:
        """A tensor's shape."""
        return tuple(tensor.shape)

    def _nothing_records() -> bool:
        return False


def may_call_lean() -> bool:
    """Whether no tape or accumulator is listening on this thread, and TensorFlow is as it was when this was written."""
    return _nothing_records() and _works()


def lean_call(concrete: Any, by_name: bool = False) -> Callable[[list[Any]], list[Any]]:
    """A function from the flat list of a `ConcreteFunction`'s tensors to the flat list of its results, eager only.

    Args:
        concrete: what a `tf.function` traced.
        by_name: run the function itself and not a StatefulPartitionedCall of it: slower to start in a graph (53 us
            more, TensorFlow 2.21), but the only way to what XLA compiled.
    """
    function = concrete._inference_function
    name, count = function.name.decode(), len(concrete.outputs)
    captured = list(concrete.captured_inputs)
    config = ("config_proto", _context.function_call_options.config_proto_serialized, "executor_type", "")
    operation = name
    attributes: tuple[Any, ...] = config
    if not by_name:
        types = [[tensor.dtype.as_datatype_enum for tensor in side] for side in (concrete.inputs, concrete.outputs)]
        operation = "StatefulPartitionedCall"
        attributes = ("Tin", types[0], "Tout", types[1], "f", name, "config", "", *config)
    handle = _context._handle

    def call(tensors: list[Any]) -> list[Any]:
        try:
            found = _execute(handle, _context.device_name, operation, tensors + captured, attributes, count)
        except core._NotOkStatusException as status:
            raise core._status_to_exception(status) from None
        return found or []

    # The concrete function owns what is called by name.
    call.owner = concrete  # type: ignore[attr-defined]
    return call


@functools.cache
def _works() -> bool:
    """Whether lean calls give what an ordinary one gives."""
    if MISSING:
        return False
    offset = tf.constant(3.0)
    concrete = tf.function(lambda x: (2.0 * x + offset, x)).get_concrete_function(tf.TensorSpec([], tf.float32))
    try:
        found = [lean_call(concrete, by_name)([tf.constant(5.0)]) for by_name in (False, True)]
    except (AttributeError, TypeError, tf.errors.OpError):
        # A private name has moved or means something else: the ordinary call stays.
        return False
    return [[float(value) for value in values] for values in found] == [[13.0, 5.0]] * 2
