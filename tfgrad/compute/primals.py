"""The arguments of f as fresh tensors to differentiate by, and answers put back into their structure.

A differentiated argument reaches f as a new tensor, so one Variable passed twice is two arguments, and a tensor that f
closes over is another thing than the argument. Source: the tape knows tensors by identity (TensorFlow 2.21).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.compute import wrt as wrts
from tfgrad.errors import IntegerError, KindError, LeftTensorFlowError, StructureError


@dataclass(frozen=True)
class Primal:
    """One differentiated nest: what f gets, its leaves, and how its root is written in Python."""

    tree: Any
    leaves: tuple[Any, ...]
    root: str

    @property
    def paths(self) -> list[str]:
        """How to write each leaf in Python."""
        return trees.paths(self.tree, self.root)

    @property
    def sources(self) -> list[tf.Tensor]:
        """The differentiable tensors inside, those of ragged and sparse leaves too."""
        return [part for leaf in self.leaves for part in _sources_of(leaf)]

    def answer(self, gradients: Sequence[Any], missing: Callable[[Any], Any]) -> Any:
        """The nest of gradients, from one for each of `sources`; `missing(leaf)` stands where there is None."""
        if len(self.leaves) == 1 and self.tree is self.leaves[0]:
            return _answer_of(self.tree, list(gradients), missing)
        left = list(gradients)
        return trees.rebuild(self.tree, [_answer_of(leaf, left, missing) for leaf in self.leaves])

    def unconnected(self, gradients: Sequence[Any]) -> list[str]:
        """The paths of the leaves that have no gradient."""
        left = list(gradients)
        return [
            path
            for path, leaf in zip(self.paths, self.leaves, strict=True)
            if leaf is not None and any(left.pop(0) is None for _ in _sources_of(leaf))
        ]


def primal(tree: Any, root: str, who: str) -> Primal:
    """A nest as f gets it, each leaf a fresh tensor.

    Raises:
        IntegerError: a leaf is an integer, a bool, a string.
        LeftTensorFlowError: a leaf is a KerasTensor.
        StructureError: the nest is None.
        KindError: a leaf is no number at all.
    """
    if isinstance(tree, tf.Tensor) and tree.dtype.is_floating:
        leaf = tf.raw_ops.Identity(input=tree)
        return Primal(leaf, (leaf,), root)
    if tree is None:
        raise StructureError(
            f"{who}: {root} is None",
            "something to differentiate: a tensor, a Variable, a NumPy array, a float, or a nest of them",
            "name the argument that is meant by wrt=, or pass its value",
        )
    if not tf.nest.is_nested(tree):
        leaf = fresh(tree, root, who)
        return Primal(leaf, (leaf,), root)
    given = trees.flatten(tree)
    leaves = tuple(
        None if leaf is None else fresh(leaf, path, who)
        for path, leaf in zip(trees.paths(tree, root), given, strict=True)
    )
    return Primal(trees.rebuild(tree, leaves), leaves, root)


def fresh(leaf: Any, path: str, who: str) -> Any:
    """A leaf as a new tensor of its own identity, refused where it has no derivative."""
    kind = wording.kind(leaf)
    if kind in ("int", "bool", "str"):
        raise _integer(leaf, path, who)
    if kind == "keras tensor":
        raise LeftTensorFlowError(
            f"{who}: {path} is {wording.describe(leaf)}",
            "values to differentiate at",
            "call the model on real data inside f, or build a second keras.Model whose output it is",
        )
    if kind in ("module", "function", "object", "nest"):
        raise KindError(
            f"{who}: {path} is {wording.describe(leaf)}, which is no number",
            "a tensor, a Variable, a NumPy array, a float, or a nest of them",
            "wrt=model, the model itself" if kind == "module" else "wrt= the position of the argument that is meant",
        )
    if kind == "composite":
        if not any(trees.is_differentiable(part) for part in trees.components(leaf)):
            raise _integer(leaf, path, who)
        return trees.recompose(leaf, [tf.identity(part) for part in trees.components(leaf)])
    if kind == "array" and _is_no_number(leaf):
        raise KindError(
            f"{who}: {path} is {wording.describe(leaf)}, which TensorFlow can't hold",
            "an array of floating or complex numbers",
            "one array a field, in a dict or a tuple; or array.astype('float32')",
        )
    if kind == "array" and leaf.dtype.kind not in "fcV":
        raise _integer(leaf, path, who)
    tensor = tf.identity(wrts.tensor_of(leaf))
    if not trees.is_differentiable(tensor):
        raise _integer(leaf, path, who)
    return tensor


def _is_no_number(array: Any) -> bool:
    return array.dtype.kind == "O" or bool(array.dtype.names)


def like(tree: Any, primal: Primal, root: str, who: str) -> list[tf.Tensor]:
    """Tangents for a primal: one tensor for each of its `sources`, checked for structure, shape and kind.

    Raises:
        StructureError: another structure or shape.
    """
    tree = as_one(tree, primal.tree, root, who)
    check_structure(tree, primal.tree, root, primal.root, who)
    found = zip(trees.paths(primal.tree, root), trees.flatten(tree), primal.leaves, strict=True)
    return [part for path, given, leaf in found if leaf is not None for part in _parts_like(given, leaf, path, who)]


def as_one(given: Any, expected: Any, root: str, who: str) -> Any:
    """A list or tuple of numbers as the one tensor that is expected, where it can be one.

    Raises:
        StructureError: a tuple around the tensor itself.
    """
    if not isinstance(expected, tf.Tensor) or not isinstance(given, list | tuple):
        return given
    if len(given) == 1 and hasattr(given[0], "shape") and given[0].shape == expected.shape:
        raise StructureError(
            f"{who}: {root} is {wording.describe(given)} around the tensor",
            f"the tensor itself, {wording.describe(expected)}",
            "w itself in place of (w,)",
        )
    if any(leaf is None for leaf in trees.flatten(given)):
        return given
    return tf.convert_to_tensor(given, dtype_hint=expected.dtype)


def check_structure(given: Any, expected: Any, root: str, expected_root: str, who: str) -> None:
    """Refuse a nest of another structure.

    Raises:
        StructureError: with the path where they first differ.
    """
    have, want = trees.paths(given, ""), trees.paths(expected, "")
    if have == want:
        return
    if tf.nest.is_nested(expected) and not tf.nest.is_nested(given):
        raise StructureError(
            f"{who}: {root} is {wording.describe(given)}, and no nest",
            f"the structure of {expected_root}, {wording.describe(expected)}",
            _WRITTEN.get(type(expected), f"build it with tf.nest.map_structure over {expected_root}"),
        )
    extra = [root + path for path in have if path not in want]
    lacking = [root + path for path in want if path not in have]
    differ = [f"{word} {wording.listing(found)}" for word, found in (("has", extra), ("lacks", lacking)) if found]
    raise StructureError(
        f"{who}: {root} is {wording.describe(given)} that {' and '.join(differ)}",
        f"the structure of {expected_root}, {wording.describe(expected)}",
        f"build it with tf.nest.map_structure over {expected_root}",
    )


_WRITTEN: dict[Any, str] = {
    tuple: "a tuple with an entry for each: (u1, u2)",
    list: "a list with an entry for each: [u1, u2]",
}


def tensor_like(given: Any, like: tf.Tensor, path: str, who: str) -> tf.Tensor:
    """A tensor of the same dtype and shape as another.

    Raises:
        StructureError: another shape, None, or a tensor of another floating dtype (arrays and numbers are cast).
        IntegerError: no float.
        KindError: complex where real numbers belong.
    """
    if given is None:
        raise StructureError(
            f"{who}: {path} is None",
            f"{wording.dtype(like)}{wording.shape(like)}",
            "tf.zeros_like of what it belongs to, where no change is meant",
        )
    given = wrts.tensor_of(given)
    if hasattr(given, "dtype") and not trees.is_differentiable(given):
        raise IntegerError(
            f"{who}: {path} is {wording.describe(given)}",
            f"{wording.dtype(like)}{wording.shape(like)}",
            f"tf.cast(..., tf.{wording.dtype(like)})",
        )
    tensor = tf.convert_to_tensor(given, dtype_hint=like.dtype)
    if tensor.dtype.is_complex and not like.dtype.is_complex:
        raise KindError(
            f"{who}: {path} is {wording.describe(tensor)}",
            f"real numbers, {wording.dtype(like)}{wording.shape(like)}",
            "tf.math.real(...), where the imaginary part means nothing",
        )
    if wording.kind(given) in ("tensor", "variable") and _is_other_precision(tensor.dtype, like.dtype):
        raise StructureError(
            f"{who}: {path} is {wording.describe(tensor)}",
            f"{wording.dtype(like)}{wording.shape(like)}, the dtype of what it belongs to",
            f"tf.cast(..., tf.{wording.dtype(like)})",
        )
    tensor = tf.cast(tensor, like.dtype)
    if not tensor.shape.is_compatible_with(like.shape):
        raise StructureError(
            f"{who}: {path} has shape {wording.shape(tensor)}",
            f"shape {wording.shape(like)}, that of what it belongs to",
            "tf.broadcast_to or tf.reshape, where that is meant",
        )
    return tensor


def _is_other_precision(found: tf.DType, wanted: tf.DType) -> bool:
    return found != wanted and found.is_complex == wanted.is_complex


def _parts_like(given: Any, leaf: Any, path: str, who: str) -> list[tf.Tensor]:
    parts, given_parts = trees.components(leaf), trees.components(given)
    if len(parts) != len(given_parts):
        raise StructureError(
            f"{who}: {path} is {wording.describe(given)}",
            f"{wording.describe(leaf)}, as what it belongs to",
            "the same kind of tensor with the same row splits or indices",
        )
    pairs = zip(given_parts, parts, strict=True)
    return [tensor_like(g, p, path, who) for g, p in pairs if trees.is_differentiable(p)]


def _sources_of(leaf: Any) -> list[Any]:
    if isinstance(leaf, tf.Tensor):
        return [leaf]
    return [part for part in trees.components(leaf) if trees.is_differentiable(part)]


def _answer_of(leaf: Any, left: list[Any], missing: Callable[[Any], Any]) -> Any:
    """The gradient of one leaf, its parts taken from the front of `left`."""
    if leaf is None:
        return None
    if isinstance(leaf, tf.Tensor):
        gradient = left.pop(0)
        return missing(leaf) if gradient is None else trees.densified(gradient, leaf)
    parts = trees.components(leaf)
    answers = [trees.densified(left.pop(0), part) if trees.is_differentiable(part) else part for part in parts]
    if any(answer is None for answer in answers):
        return missing(leaf)
    return trees.recompose(leaf, answers)


def _integer(leaf: Any, path: str, who: str) -> IntegerError:
    kind = wording.kind(leaf)
    if kind == "str" or wording.dtype(leaf) in ("string", "object") or wording.dtype(leaf).startswith("str"):
        why, advice = "a string has no derivative", "leave it out of wrt, or pass numbers"
    elif kind == "int":
        why, advice = "integers have no derivative", f"a float: {leaf}.0 or tf.constant({leaf}.0)"
    elif kind == "bool" or wording.dtype(leaf) == "bool":
        why, advice = "a bool has no derivative", "leave it out of wrt, or pass a float"
    else:
        why = f"{wording.dtype(leaf)} has no derivative"
        advice = f"a float: tf.cast({path}, tf.float32); or leave it out of wrt where it is an index"
    if path.endswith("]") and path.count("[") > 1 and kind in ("int", "bool"):
        advice += "\na list is a nest of its elements; for one tensor: tf.constant([...], tf.float32)"
    return IntegerError(f"{who}: {path} is {wording.describe(leaf)}, and {why}", "floating or complex numbers", advice)
