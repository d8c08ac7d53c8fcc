"""Values that leave TensorFlow for Python, and Python data that come in: who asked, and what it was.

Most reads are TensorFlow's and Keras' own, of shapes and axes, and mean nothing; what counts is a read for the user.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from tfgrad import _tensorflow, source

_PRINTING = {"numpy_text", "value_text", "__format__", "__str__", "__repr__", "__reduce__", "_tensor_str"}
_BETWEEN = {
    "numpy",
    "__array__",
    "__iter__",
    "__float__",
    "__int__",
    "__bool__",
    "__complex__",
    "__index__",
    "_as_array",
}
_BRANCHES = (
    "ops/cond.py",
    "ops/while_loop.py",
    "framework/smart_cond.py",
    "ops/control_flow_case.py",
    "ops/control_flow_switch_case.py",
)
_FOR_THE_USER = {"convert_to_numpy", "predict", "predict_on_batch", "evaluate"}
_DEEPEST = 40  # frames looked at, so that a read in a deep library costs little

_NUMBERS = (float, int, bool)

_names: dict[str, list[tuple[str, bool]] | None] = {}
_is_user = source.is_user_file


def reading(reader: Any) -> tuple[str, Any] | None:
    """What asked for a value and the frame that it was for; None if that was only TensorFlow, or a print."""
    how = "__array__" if reader.f_code.co_name == "array" else reader.f_code.co_name
    if how in _PRINTING:
        return None
    frame = reader.f_back
    while frame is not None and (frame.f_code.co_name in _BETWEEN or _is_numpy(frame.f_code.co_filename)):
        if _is_user[frame.f_code.co_filename]:
            break
        frame = frame.f_back
    if frame is None:
        return None
    if _is_user[frame.f_code.co_filename]:
        return how, frame
    return _for_the_user(how, frame)


def _for_the_user(how: str, frame: Any) -> tuple[str, Any] | None:
    """A read inside a library: for a branch, for numpy_function, or by something like `predict` that answers arrays."""
    depth = 0
    while frame is not None and depth < _DEEPEST and not _is_user[frame.f_code.co_filename]:
        file, name = frame.f_code.co_filename.replace("\\", "/"), frame.f_code.co_name
        if depth < 3 and how in ("__bool__", "numpy") and file.endswith(_BRANCHES):
            return "branch", frame
        if depth < 3 and file.endswith("ops/script_ops.py"):
            return how, frame
        if name in _FOR_THE_USER:
            return (name if name != "convert_to_numpy" else how), frame
        frame, depth = frame.f_back, depth + 1
    return None


def _is_numpy(file: str) -> bool:
    return file.startswith(_NUMPY) or "/scipy/" in file.replace("\\", "/")


_NUMPY = np.__file__.removesuffix("__init__.py")


def argument(op: str, k: int, frame: Any) -> Any:
    """What the user's program gave as an op's k-th input, before TensorFlow made a tensor of it; None if unknown."""
    while frame is not None and frame.f_code.co_name.endswith(("_eager_fallback", "quick_execute", "with_callbacks")):
        frame = frame.f_back
    if frame is None or "gen_" not in frame.f_code.co_filename:
        return None
    if op not in _names:
        _names[op] = _tensorflow.argument_names(op)
    names = _names[op]
    if names is None:
        return None
    given = frame.f_locals
    flat: list[Any] = []
    for name, is_list in names:
        value = given.get(name, given.get(name + "_"))
        flat += list(value) if is_list and isinstance(value, (list, tuple)) else [value]
    return flat[k] if k < len(flat) else None


def kind_and_value(given: Any, tensor: Any) -> tuple[str, Any]:
    """What kind of leaf this made (see `record.Leaf`), and what to remember of it."""
    if given.__class__ in _NUMBERS:
        return "scalar", given
    if isinstance(given, np.ndarray):
        return "ndarray", weakref.ref(given)
    if isinstance(given, (bool, int, float, complex, np.generic)):
        return "scalar", given
    if isinstance(given, (list, tuple)):
        return "list", _numbers(given)
    return "tensor", None


def _numbers(values: Any) -> tuple[Any, ...]:
    """Up to 16 of the numbers in a nested list."""
    found: list[Any] = []
    todo = [values]
    while todo and len(found) < 16:
        value = todo.pop(0)
        if isinstance(value, (list, tuple)):
            todo[:0] = list(value[:16])
        elif isinstance(value, np.ndarray):
            found += value.reshape(-1)[:16].tolist()
        elif isinstance(value, (bool, int, float, complex, np.generic)):
            found.append(value)
    return tuple(found[:16])
