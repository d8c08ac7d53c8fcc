"""The private names, looked up once; None, and `MISSING` says which, where this TensorFlow keeps them elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import tensorflow as tf

try:
    from tensorflow.python import pywrap_tfe
    from tensorflow.python.eager import backprop, context, execute, record
    from tensorflow.python.eager.polymorphic_function import atomic_function
    from tensorflow.python.framework import constant_op, op_def_registry, ops
    from tensorflow.python.ops import resource_variable_ops
    from tensorflow.python.saved_model import save
    from tensorflow.python.util import tf_stack, traceback_utils

    EagerTensor: Any = ops.EagerTensor
    ResourceVariable: Any = resource_variable_ops.ResourceVariable
    TENSOR_BASE: Any = ops._EagerTensorBase
    datatype_enum: Callable[[Any], int] = EagerTensor._datatype_enum
    shape_tuple: Callable[[Any], tuple[int, ...]] = EagerTensor._shape_tuple
    numpy_view: Callable[[Any], Any] = EagerTensor._numpy_internal
    element_count: Callable[[Any], int] = EagerTensor._num_elements
    is_stopped: Callable[[], bool] = pywrap_tfe.TFE_Py_TapeSetIsStopped
    next_id: Callable[[], int] = pywrap_tfe.TFE_Py_UID
    MISSING = ""
except (ImportError, AttributeError) as moved:
    MISSING = f"TensorFlow {tf.__version__} keeps something elsewhere: {moved}"
    atomic_function = backprop = constant_op = context = execute = op_def_registry = ops = record = save = None
    pywrap_tfe = tf_stack = traceback_utils = EagerTensor = ResourceVariable = TENSOR_BASE = None
    datatype_enum = shape_tuple = numpy_view = element_count = is_stopped = next_id = None  # type: ignore[assignment]

tensor_id: Callable[[Any], int] = attrgetter("_id")
scope_name: Callable[[Any], str | None] = attrgetter("scope_name")
RESOURCE = tf.resource.as_datatype_enum
