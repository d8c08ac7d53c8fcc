"""What f gave: one real number where a gradient is asked, else a nest of tensors that cotangents belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.compute import primals, wrt
from tfgrad.errors import IntegerError, LeftTensorFlowError, NotScalarError, StructureError


def check_scalar(value: Any, who: str) -> tf.Tensor:
    """f's value as a tensor, refused where it is not one real number.

    Raises:
        NotScalarError: a shape other than `[]`, a complex number, or a nest.
        IntegerError: an integer, bool or string tensor.
        LeftTensorFlowError: None, a Python number, a NumPy array, a KerasTensor.
    """
    if isinstance(value, tf.Tensor) and value.dtype.is_floating and value.shape.rank == 0:
        return value
    tensor = _tensor(value, who, _ONE_NUMBER)
    if tensor.dtype.is_complex:
        raise NotScalarError(
            f"{who}: f returned {wording.describe(tensor)}, a complex number",
            "one real number, shape []",
            "tf.math.real, or tf.abs(y)**2; the gradient is then dL/dRe z + i dL/dIm z",
        )
    if not tensor.dtype.is_floating:
        raise IntegerError(
            f"{who}: f returned {wording.describe(tensor)}, and {wording.dtype(tensor)} has no derivative",
            "one real number of a floating dtype, shape []",
            "compute in floats: a cast at the end would cut the gradient off; tf.cast the inputs to tf.float32 instead",
        )
    if tensor.shape.rank not in (0, None):
        raise NotScalarError(f"{who}: f returned {wording.describe(tensor)}", _ONE_NUMBER, _advice_for_shape(tensor))
    return tensor


def check_tensor(value: Any, who: str) -> tf.Tensor:
    """f's value as one real tensor of any shape.

    Raises:
        NotScalarError: a complex tensor, or a nest.
        IntegerError: an integer, bool or string tensor.
        LeftTensorFlowError: no tensor.
    """
    tensor = _tensor(value, who, "one tensor")
    check_real(tensor, "f returned", who)
    return tensor


def check_real(tensor: tf.Tensor, did: str, who: str) -> None:
    """Refuse an output whose derivative is not one real or complex number for each pair of elements.

    Raises:
        NotScalarError: it is complex.
        IntegerError: it is of integers, bools or strings.
    """
    if tensor.dtype.is_complex:
        raise NotScalarError(
            f"{who}: {did} {wording.describe(tensor)}, complex numbers",
            "real numbers: the derivative of a complex number by another has four parts",
            "return (tf.math.real(y), tf.math.imag(y)); or tfgrad.vjp(f, ...), tfgrad.jvp(f, ...)",
        )
    if not tensor.dtype.is_floating:
        raise IntegerError(
            f"{who}: {did} {wording.describe(tensor)}, and {wording.dtype(tensor)} has no derivative",
            "real numbers of a floating dtype",
            "compute in floats (a cast at the end would cut the gradient off); where it is meant to go along: has_aux",
        )


def _tensor(value: Any, who: str, needed: str) -> tf.Tensor:
    kind = wording.kind(value)
    if kind in ("tensor", "variable") or wording.is_keras_variable(value):
        return tf.convert_to_tensor(wrt.tensor_of(value))
    if kind in ("nest", "composite"):
        raise NotScalarError(f"{who}: f returned {wording.describe(value)}", needed, _advice_for_nest(value, kind))
    raise _left(value, "f returned", who, needed)


_ONE_NUMBER = "one number, shape []"


def _advice_for_shape(tensor: tf.Tensor) -> str:
    if tensor.shape.num_elements() == 1:
        return "tf.squeeze or tf.reshape(y, []), as it has one element"
    return (
        "reduce it with tf.reduce_sum or tf.reduce_mean;\n"
        "or tfgrad.jacobian(f) for the derivative of each element;\n"
        "or tfgrad.vjp(f, ...) for a weighted sum of them"
    )


def _advice_for_nest(value: Any, kind: str) -> str:
    if kind == "composite":
        return "tf.reduce_sum of its values"
    if isinstance(value, tuple) and len(value) == 2:
        return "has_aux=True, where f returns (value, anything else)"
    return "return the one tensor that is meant; or tfgrad.vjp(f, ...), which takes any nest"


@dataclass(frozen=True)
class Outputs:
    """A nest that f gave: `targets` are its differentiable tensors, those in ragged and sparse leaves too."""

    value: Any
    leaves: tuple[Any, ...]
    targets: list[tf.Tensor]

    def cotangents(self, given: Any, who: str) -> list[tf.Tensor]:
        """One cotangent for each target, checked for structure and shape.

        Raises:
            StructureError: another structure or shape.
        """
        given = primals.as_one(given, self.value, "cotangents", who)
        primals.check_structure(given, self.value, "cotangents", "f's value", who)
        found: list[tf.Tensor] = []
        paths = trees.paths(self.value, "cotangents")
        for path, leaf, cotangent in zip(paths, self.leaves, trees.flatten(given), strict=True):
            found += _cotangents_of(leaf, cotangent, path, who)
        return found

    def answer(self, tangents: Sequence[Any]) -> Any:
        """The nest of tangents, zeros where there is None or where a leaf has no derivative."""
        left = list(tangents)
        answers = []
        for leaf in self.leaves:
            answers.append(None if leaf is None else _tangent_of_leaf(leaf, left))
        return trees.rebuild(self.value, answers)


def tensors_out(y: Any, who: str) -> Outputs:
    """f's nest of outputs, to be called while the tape still records.

    Raises:
        LeftTensorFlowError: a leaf is a Python float, a NumPy array or a KerasTensor, or all is None.
    """
    if y is None:
        raise _left(None, "f returned", who, "a tensor or a nest of tensors")
    paths = trees.paths(y, "y")
    leaves = tuple(_output(leaf, path, who) for path, leaf in zip(paths, trees.flatten(y), strict=True))
    value = trees.rebuild(y, leaves)
    parts = [part for leaf in leaves if leaf is not None for part in trees.components(leaf)]
    return Outputs(value, leaves, [part for part in parts if trees.is_differentiable(part)])


def _output(leaf: Any, path: str, who: str) -> Any:
    kind = wording.kind(leaf)
    if kind in ("none", "tensor", "composite"):
        return leaf
    if kind == "variable" or wording.is_keras_variable(leaf):
        return tf.convert_to_tensor(wrt.tensor_of(leaf))
    if kind in ("int", "bool"):
        return tf.convert_to_tensor(leaf)
    where = "f returned" if path == "y" else f"f returned, at {path},"
    raise _left(leaf, where, who, "tensors")


def _cotangents_of(leaf: Any, cotangent: Any, path: str, who: str) -> list[tf.Tensor]:
    """The cotangents of one leaf; None means zero where the leaf has no derivative anyway."""
    if leaf is None:
        return []
    parts = trees.components(leaf)
    if not any(trees.is_differentiable(part) for part in parts):
        return []
    given = trees.components(cotangent)
    if len(given) != len(parts):
        raise StructureError(
            f"{who}: {path} is {wording.describe(cotangent)}",
            f"{wording.describe(leaf)}, as f returned",
            "the same kind of tensor with the same row splits or indices",
        )
    pairs = zip(given, parts, strict=True)
    return [primals.tensor_like(g, part, path, who) for g, part in pairs if trees.is_differentiable(part)]


def _tangent_of_leaf(leaf: Any, left: list[Any]) -> Any:
    parts = trees.components(leaf)
    if len(parts) > 1 or parts[0] is not leaf:
        made = [_tangent_of(part, left) if trees.is_differentiable(part) else part for part in parts]
        return trees.recompose(leaf, made)
    if not trees.is_differentiable(leaf):
        return leaf if leaf.dtype == tf.string else tf.zeros_like(leaf)
    return _tangent_of(leaf, left)


def _tangent_of(part: tf.Tensor, left: list[Any]) -> tf.Tensor:
    tangent = trees.densified(left.pop(0), part)
    return tf.zeros_like(part) if tangent is None else tangent


def _left(value: Any, did: str, who: str, needed: str) -> LeftTensorFlowError:
    kind = wording.kind(value)
    if kind == "none":
        return LeftTensorFlowError(f"{who}: {did} None", needed, "a `return` at the end of f, on every path")
    if kind == "keras tensor":
        return LeftTensorFlowError(
            f"{who}: {did} {wording.describe(value)}", needed, "call the model on real data inside f"
        )
    if kind in ("float", "int", "bool", "complex", "array"):
        return LeftTensorFlowError(
            f"{who}: {did} {wording.describe(value)}: it has left TensorFlow, and the gradient with it",
            f"{needed}, computed by TensorFlow",
            "tf.reduce_mean for np.mean, tf.sin for math.sin, and no .numpy() or float() on the way;\n"
            "tf.constant(...) where it is a constant on purpose",
        )
    return LeftTensorFlowError(f"{who}: {did} {wording.describe(value)}", needed, "return the tensor itself")
