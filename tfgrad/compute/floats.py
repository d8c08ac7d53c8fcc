"""The dtype of Python floats that are differentiated: that of the floating arrays they come with, as for `jit`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.compute import wrt as wrts


def typed(taken: Sequence[Any], arguments: Any) -> list[Any]:
    """The differentiated nests, their Python floats in the one floating dtype that arrays of the call have.

    Args:
        taken: the nests that are differentiated.
        arguments: the nest of all arguments of the call; where its arrays differ, floats stay as they are (float32).
    """
    if not any(_holds_float(tree) for tree in taken):
        return list(taken)
    found = {_floating_dtype(leaf) for leaf in trees.flatten(arguments)} - {None}
    dtype = found.pop() if len(found) == 1 else None
    if dtype is None:
        return list(taken)
    return [_cast(tree, dtype) for tree in taken]


def _holds_float(tree: Any) -> bool:
    if isinstance(tree, tf.Tensor):
        return False
    return type(tree) is float or (tf.nest.is_nested(tree) and float in map(type, trees.flatten(tree)))


def _floating_dtype(leaf: Any) -> Any:
    leaf = wrts.tensor_of(leaf)
    kind = wording.kind(leaf)
    if kind in ("tensor", "variable"):
        return leaf.dtype if leaf.dtype.is_floating else None
    return tf.as_dtype(leaf.dtype) if kind == "array" and leaf.dtype.kind == "f" else None


def _cast(tree: Any, dtype: Any) -> Any:
    if not tf.nest.is_nested(tree):
        return tf.constant(tree, dtype) if type(tree) is float else tree
    return trees.transform(lambda leaf: tf.constant(leaf, dtype) if type(leaf) is float else leaf, tree)
