"""Where the user says how a value takes part in differentiation: `stop_gradient` and `variable`."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.compute import primals, wrt


def stop_gradient(tree: Any) -> Any:
    """The same values, with no gradient flowing back through them.

    Args:
        tree: any nest of tensors, Variables, arrays and numbers, each `[...]`; strings and None stay as they are.

    >>> x = tf.constant([1.0, 2.0])
    >>> import tfgrad
    >>> tfgrad.grad(lambda x: tf.reduce_sum(tfgrad.stop_gradient(x * x) * x))(x).numpy()
    array([1., 4.], dtype=float32)

    Source: `tf.stop_gradient` (TensorFlow 2.21), which takes one tensor.
    """
    return trees.transform(_stopped, tree)


def _stopped(leaf: Any) -> Any:
    if wording.kind(leaf) in ("none", "str", "function", "object", "module", "keras tensor"):
        return leaf
    if wording.kind(leaf) == "composite":
        return trees.recompose(leaf, [tf.stop_gradient(part) for part in trees.components(leaf)])
    return tf.stop_gradient(wrt.tensor_of(leaf))


def variable(value: Any, *, name: str | None = None, trainable: bool = True) -> Any:
    """A new `tf.Variable` for each leaf of a nest, holding its value.

    Args:
        value: a tensor, Variable, array or float `[...]`, or a nest of them; None stays None.
        name: the Variable's name; in a nest each leaf's path is added to it.
        trainable: whether a tape watches it by itself.

    Raises:
        IntegerError: a leaf is an integer, bool or string, whose gradient would be None without a word.

    >>> variable(3.0, name="w").numpy()
    np.float32(3.0)
    """
    if not tf.nest.is_nested(value):
        return _variable(value, "value", name, trainable)
    root = name or ""
    made = [
        None if leaf is None else _variable(leaf, "value" + path, root + path if name else None, trainable)
        for path, leaf in zip(trees.paths(value, ""), trees.flatten(value), strict=True)
    ]
    return trees.rebuild(value, made)


def _variable(leaf: Any, path: str, name: str | None, trainable: bool) -> tf.Variable:
    return tf.Variable(primals.primal(leaf, path, "variable").tree, name=name, trainable=trainable)
