"""What a tensor, a handle and a Variable are, without asking TensorFlow for more than must be."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tfgrad._tensorflow.private import RESOURCE, EagerTensor, datatype_enum, shape_tuple
from tfgrad._tensorflow.quiet import unnoticed


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
