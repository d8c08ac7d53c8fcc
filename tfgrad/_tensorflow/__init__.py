"""The only folder that touches what is private in TensorFlow; this is what a Tape needs to notice what TensorFlow does.

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
| `from_func_graph`, `_build_meta_graph`   | no op of ours in XLA and SavedModels   | NaN in graphs unseen   |
| `tf_stack._source_filter_stacks`         | our frames in the stacks of graph ops  | they are named there   |
| `Graph._attr_scope`                      | marks our ops in graphs                | NaN in graphs unseen   |

All were seen in TensorFlow 2.16 to 2.21; what a Tape hears by is tried by `see.trial` before it is trusted.
"""

from __future__ import annotations

from tfgrad._tensorflow.buffer import HEARS_NUMPY, buffer_off, buffer_on
from tfgrad._tensorflow.frames import hide_frames, leave_out, show_frames
from tfgrad._tensorflow.graphs import (
    argument_names,
    body_graphs,
    gradient_function,
    is_compiled_with_xla,
    is_stateful,
    mapped_stack,
    original_error,
)
from tfgrad._tensorflow.hooks import Sensors, hooks_are_on, hooks_off, hooks_on
from tfgrad._tensorflow.marked import marking
from tfgrad._tensorflow.noticed import NoticedTape
from tfgrad._tensorflow.private import (
    MISSING,
    RESOURCE,
    EagerTensor,
    ResourceVariable,
    datatype_enum,
    element_count,
    is_stopped,
    next_id,
    numpy_view,
    scope_name,
    shape_tuple,
    tensor_id,
)
from tfgrad._tensorflow.quiet import is_context_ready, recording, remove_callback, thread_state, unnoticed
from tfgrad._tensorflow.variables import (
    is_keras_variable,
    is_on_cpu,
    outermost,
    plain_variable,
    spec,
    stored_dtype,
    variable_handle,
    variable_value,
)

__all__ = [
    "HEARS_NUMPY",
    "MISSING",
    "RESOURCE",
    "EagerTensor",
    "NoticedTape",
    "ResourceVariable",
    "Sensors",
    "argument_names",
    "body_graphs",
    "buffer_off",
    "buffer_on",
    "datatype_enum",
    "element_count",
    "gradient_function",
    "hide_frames",
    "hooks_are_on",
    "hooks_off",
    "hooks_on",
    "is_compiled_with_xla",
    "is_context_ready",
    "is_keras_variable",
    "is_on_cpu",
    "is_stateful",
    "is_stopped",
    "leave_out",
    "mapped_stack",
    "marking",
    "next_id",
    "numpy_view",
    "original_error",
    "outermost",
    "plain_variable",
    "recording",
    "remove_callback",
    "scope_name",
    "shape_tuple",
    "show_frames",
    "spec",
    "stored_dtype",
    "tensor_id",
    "thread_state",
    "unnoticed",
    "variable_handle",
    "variable_value",
]
