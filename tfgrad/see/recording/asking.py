"""What a gradient() call was asked for and what it answered, described without keeping it alive.

Targets and sources may be anything a user can type, also what TensorFlow will refuse: describing them never fails.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from tfgrad import _tensorflow, trees
from tfgrad.see.record import Answer, Asked
from tfgrad.see.recording.measuring import Measure, measure

_EAGER = _tensorflow.EagerTensor
_SINGLE = (np.dtype("float32"), np.dtype("float64"))
Jotting: TypeAlias = tuple[str, tuple[int, ...], Any, str]  # kind, ids, weak reference, path
Fine: TypeAlias = tuple[int, Any]  # id, weak reference
_NOTHING_LARGE = 1e-7  # a gradient this small against what came in on its way counts as zero


def asked(nest: Any) -> tuple[Asked, ...]:
    """The leaves of a target or source, in `tf.nest`'s order."""
    leaves = tf.nest.flatten(nest)
    if len(leaves) == 1 and leaves[0] is nest:
        return (_one(nest, ""),)
    paths = trees.paths(nest)
    if len(paths) != len(leaves):
        paths = [""] * len(leaves)
    return tuple(_one(leaf, path) for leaf, path in zip(leaves, paths, strict=True))


def jotted(nest: Any) -> tuple[Jotting | Asked, ...]:
    """The leaves of a target or source in short, for `told` to make into Asked if that is ever wanted."""
    if nest.__class__ is _EAGER:
        return (("tensor", (_tensorflow.tensor_id(nest),), weakref.ref(nest), ""),)
    leaves = nest if nest.__class__ is list or nest.__class__ is tuple else (nest,)
    found = []
    for k, leaf in enumerate(leaves):
        path = f"[{k}]" if leaves is nest else ""
        if leaf.__class__ is _EAGER:
            found.append(("tensor", (_tensorflow.tensor_id(leaf),), weakref.ref(leaf), path))
        elif leaf.__class__ is _tensorflow.ResourceVariable:
            found.append(("variable", (_tensorflow.tensor_id(leaf.handle),), weakref.ref(leaf), path))
        elif _tensorflow.is_keras_variable(leaf) and (handle := _tensorflow.variable_handle(leaf)) is not None:
            found.append(("keras-variable", (_tensorflow.tensor_id(handle),), weakref.ref(leaf), path))
        else:
            return asked(nest)
    return tuple(found)


def told(
    jottings: Sequence[Jotting | Asked], spec: Callable[[int], tuple[int, tuple[int | None, ...] | None] | None]
) -> tuple[Asked, ...]:
    """What was jotted down, in full; a tensor that is gone is described by its spec on the record."""
    return tuple(j if isinstance(j, Asked) else _told(j, spec) for j in jottings)


def _told(jotting: Jotting, spec: Callable[[int], tuple[int, tuple[int | None, ...] | None] | None]) -> Asked:
    kind, ids, reference, path = jotting
    leaf = reference()
    if leaf is not None:
        return _one(leaf, path)
    known = spec(ids[0])
    dtype, shape = (tf.as_dtype(known[0]).name, known[1]) if known is not None and kind == "tensor" else (None, None)
    return Asked(kind, ids, dtype, shape, None, None, "", path, reference)


def answers(nest: Any, incoming: Callable[[], float], traced: bool) -> tuple[Answer | Fine, ...]:
    """One Answer for each gradient of a nest; `incoming` tells the largest gradient met on the way, if it is needed."""
    if nest.__class__ is _EAGER:
        leaves = [nest]
    else:
        flat = nest.__class__ is list and all(leaf is None or leaf.__class__ is _EAGER for leaf in nest)
        leaves = nest if flat else tf.nest.flatten(nest)
    # NumPy would warn of an overflow where the user's program has none.
    with np.errstate(over="ignore", invalid="ignore"):
        return tuple(_fine(leaf) or _answer(leaf, incoming, traced) for leaf in leaves)


def answered(found: Sequence[Answer | Fine]) -> tuple[Answer, ...]:
    """The answers in full."""
    return tuple(a if isinstance(a, Answer) else Answer("ok", (a[0],), measure(a[1]()), a[1]) for a in found)


def _fine(gradient: Any) -> Fine | None:
    """The id and a weak reference of a gradient that is certainly finite and not zero, by one quick look; else None."""
    if gradient.__class__ is not _EAGER or not _tensorflow.is_on_cpu(gradient):
        return None
    numbers = _tensorflow.numpy_view(gradient)
    if numbers.dtype not in _SINGLE:
        return None
    flat = numbers.reshape(-1)
    if 1e-10 < flat.dot(flat) < math.inf:
        return _tensorflow.tensor_id(gradient), weakref.ref(gradient)
    return None


def _one(leaf: Any, path: str) -> Asked:
    if isinstance(leaf, tf.Tensor) and hasattr(leaf, "_id") and not hasattr(leaf, "trainable"):
        return _tensor(leaf, "tensor", [leaf], None, None, path)
    if _tensorflow.is_keras_variable(leaf):
        return _tensor(leaf, "keras-variable", [_tensorflow.variable_handle(leaf)], leaf.path, leaf.trainable, path)
    if isinstance(leaf, tf.Variable):
        name = leaf.name.removesuffix(":0")
        return _tensor(leaf, "variable", [_tensorflow.variable_handle(leaf)], name, leaf.trainable, path)
    if isinstance(leaf, tf.__internal__.CompositeTensor):
        return _tensor(leaf, "composite", trees.components(leaf), None, None, path)
    return Asked(_kind(leaf), (), _dtype(leaf), _shape(leaf), None, None, _about(leaf), path, _reference(leaf))


def _tensor(leaf: Any, kind: str, parts: Sequence[Any], name: str | None, trainable: bool | None, path: str) -> Asked:
    ids = tuple(_tensorflow.tensor_id(part) for part in parts if hasattr(part, "_id"))
    return Asked(kind, ids, _dtype(leaf), _shape(leaf), name, trainable, "", path, _reference(leaf))


def _kind(leaf: Any) -> str:
    if leaf is None:
        return "none"
    if any(base.__name__ == "KerasTensor" for base in type(leaf).__mro__):
        return "keras-tensor"
    if isinstance(leaf, np.ndarray):
        return "ndarray"
    return "number" if isinstance(leaf, (bool, int, float, complex, np.number, np.bool_)) else "other"


def _about(leaf: Any) -> str:
    kind = type(leaf).__name__
    if isinstance(leaf, np.ndarray):
        return f"NumPy {leaf.dtype}{list(leaf.shape)}"
    if leaf is None or isinstance(leaf, (bool, int, float, complex, str, np.generic)):
        return f"{leaf!r}" if leaf is None else f"{kind} {leaf!r}"[:80]
    return kind


def _dtype(leaf: Any) -> str | None:
    dtype = getattr(leaf, "dtype", None)
    return getattr(dtype, "name", None) or (str(dtype) if dtype is not None else None)


def _shape(leaf: Any) -> tuple[int | None, ...] | None:
    shape = getattr(leaf, "shape", None)
    if isinstance(shape, tf.TensorShape):
        return tuple(shape) if shape.rank is not None else None
    return tuple(shape) if isinstance(shape, tuple) else None


def _reference(leaf: Any) -> Callable[[], Any] | None:
    try:
        return weakref.ref(leaf)
    except TypeError:
        return None


def _answer(gradient: Any, incoming: Callable[[], float], traced: bool) -> Answer:
    if gradient is None:
        return Answer("none", (), None, None)
    parts = trees.components(gradient)
    ids = tuple(_tensorflow.tensor_id(part) for part in parts if hasattr(part, "_id"))
    if traced or not isinstance(parts[0], _tensorflow.EagerTensor):
        return Answer("symbolic", ids, None, _reference(gradient))
    if not _tensorflow.is_on_cpu(parts[0]):
        return Answer("unseen", ids, None, lambda: gradient)
    found = measure(gradient)
    state = _state(found, incoming)
    if state in ("zero", "nonfinite"):
        return Answer(state, ids, found, lambda: gradient)
    return Answer("ok", ids, found, _reference(gradient))


def _state(found: Measure | None, incoming: Callable[[], float]) -> str:
    if found is None or found.size == 0:
        return "ok"
    if found.state != "ok":
        return found.state
    # Asking for the largest incoming gradient looks at all steps: only where the answer could depend on it.
    if found.largest < 1e-5 and found.largest <= _NOTHING_LARGE * incoming():
        return "zero"
    return "ok"
