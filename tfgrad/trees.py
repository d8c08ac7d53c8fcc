"""Nests of tensors: their leaves, the paths of these, and nests rebuilt from new leaves.

A nest is what `tf.nest` takes for one, in its order (the keys of a dict sorted). Composite tensors (ragged, sparse)
are one leaf here, and `components` are the plain tensors that one holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf


def flatten(tree: Any) -> list[Any]:
    """The leaves of a nest, in `tf.nest`'s order; None counts as a leaf."""
    return tf.nest.flatten(tree)


def rebuild(structure: Any, leaves: Sequence[Any]) -> Any:
    """A nest of the given structure, holding the given leaves.

    >>> rebuild({"w": 1, "b": (2, 3)}, [10, 20, 30])
    {'w': 30, 'b': (10, 20)}
    """
    return tf.nest.pack_sequence_as(structure, leaves)


def transform(f: Callable[[Any], Any], tree: Any) -> Any:
    """The same nest, f applied to each leaf."""
    return rebuild(tree, [f(leaf) for leaf in flatten(tree)])


def components(leaf: Any) -> list[Any]:
    """The plain tensors that a leaf holds: itself, or the values and index tensors of a composite one."""
    return tf.nest.flatten(leaf, expand_composites=True)


def recompose(leaf: Any, parts: Sequence[Any]) -> Any:
    """A leaf like the given one, made from other components."""
    return tf.nest.pack_sequence_as(leaf, parts, expand_composites=True)


def paths(tree: Any, root: str = "") -> list[str]:
    """How to write each leaf of a nest in Python, from its root; as many as `flatten` gives leaves.

    >>> paths({"w": [1, 2], "b": None}, "args[0]")
    ["args[0]['b']", "args[0]['w'][0]", "args[0]['w'][1]"]
    """
    if not tf.nest.is_nested(tree):
        return [root]
    return [path for step, child in _children(tree) for path in paths(child, root + step)]


def _children(tree: Any) -> list[tuple[str, Any]]:
    if isinstance(tree, Mapping):
        return [(f"[{key!r}]", tree[key]) for key in sorted(tree)]
    fields = getattr(tree, "_fields", None) if isinstance(tree, tuple) else None
    if fields:
        return [(f".{field}", getattr(tree, field)) for field in fields]
    attributes = getattr(type(tree), "__attrs_attrs__", None)
    if attributes is not None:
        return [(f".{attribute.name}", getattr(tree, attribute.name)) for attribute in attributes]
    flattener = getattr(tree, "__tf_flatten__", None)
    if flattener is not None:
        return [(f".{_field_holding(tree, part, i)}", part) for i, part in enumerate(flattener()[1])]
    return [(f"[{i}]", child) for i, child in enumerate(tree)]


def _field_holding(tree: Any, part: Any, position: int) -> str:
    for name, held in vars(tree).items() if hasattr(tree, "__dict__") else ():
        if held is part:
            return name
    return f"__tf_flatten__()[1][{position}]"


def is_differentiable(tensor: Any) -> bool:
    """Whether a tensor's dtype has derivatives: floating or complex.

    Source: `tf.GradientTape` drops every other dtype without a word (TensorFlow 2.21).
    """
    dtype = getattr(tensor, "dtype", None)
    if dtype is None:
        return False
    dtype = tf.as_dtype(dtype)
    return bool(dtype.is_floating or dtype.is_complex)


def zeros(tree: Any) -> Any:
    """The same nest with zeros, shapes and dtypes kept; None stays None, and index tensors of a composite leaf stay.

    >>> zeros({"w": tf.constant([1.0, 2.0])})["w"].numpy()
    array([0., 0.], dtype=float32)
    """
    return transform(_zero, tree)


def _zero(leaf: Any) -> Any:
    if leaf is None:
        return None
    parts = components(leaf)
    if len(parts) == 1 and parts[0] is leaf:
        return tf.zeros_like(leaf)
    return recompose(leaf, [tf.zeros_like(part) if is_differentiable(part) else part for part in parts])


def dot(a: Any, b: Any) -> tf.Tensor:
    """The inner product of two nests over the reals: the sum over all leaves of Re(conj(a) b), shape [].

    >>> float(dot([tf.constant([1.0, 2.0])], [tf.constant([3.0, 4.0])]))
    11.0
    """
    total = tf.constant(0.0)
    for x, y in zip(flatten(a), flatten(b), strict=True):
        if x is None or y is None:
            continue
        product = tf.reduce_sum(tf.math.real(tf.math.conj(x) * y))
        total = tf.cast(total, product.dtype) + product
    return total


def densified(gradient: Any, like: Any) -> Any:
    """A gradient as one dense tensor: `tf.IndexedSlices` (of gather, of an embedding) added up into like's shape.

    Repeated indices add up. Source: `tf.IndexedSlices`, which may leave `dense_shape` None (TensorFlow 2.21).
    """
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    dense = tf.math.unsorted_segment_sum(gradient.values, gradient.indices, tf.shape(like)[0])
    return tf.ensure_shape(dense, like.shape)
