"""What is checked: f, its arguments or Variables by which it is differentiated, as a `Flat`, also in double precision.

Every floating or complex leaf of the arguments counts, or those that `wrt` names; all other leaves stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.check.flat import Flat, OfFunction, OfVariables, Tensors, outputs_of
from tfgrad.check.vectors import Part, part_of, vector_of
from tfgrad.compute import wrt as wrts
from tfgrad.compute.calling import call
from tfgrad.compute.targets import tensors_out
from tfgrad.errors import GradError, IntegerError, StructureError

WHO = "check_grads"
_WIDE = {tf.float16: tf.float64, tf.bfloat16: tf.float64, tf.float32: tf.float64, tf.complex64: tf.complex128}


@dataclass(frozen=True)
class Subject:
    """f as the caller gave it, and in float64 where f takes that; `variables` are to be put back afterwards."""

    native: Flat
    wide: Flat | None
    variables: tuple[Any, ...]


def subject(f: Callable[..., Any], args: tuple[Any, ...], wrt: Any) -> Subject:
    """What is to be checked.

    Raises:
        IntegerError: no argument, or no output, of a floating or complex dtype.
        LeftTensorFlowError: f gave None, NumPy arrays or Python numbers.
        StructureError: `wrt` names no argument.
    """
    if wrt is None:
        return _by_arguments(f, args, tuple(range(len(args))))
    about = wrts.parse(wrt, WHO)
    if isinstance(about, wrts.Positions):
        return _by_arguments(f, args, about.among(len(args), WHO))
    return _by_variables(f, args, about)


@contextmanager
def kept(variables: tuple[Any, ...]) -> Iterator[None]:
    """The Variables' values as they were, also after an exception."""
    values = [variable.read_value() for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def _by_arguments(f: Callable[..., Any], args: tuple[Any, ...], places: tuple[int, ...]) -> Subject:
    leaves = _Leaves(args, places)
    if not leaves.inputs:
        raise _nothing_to_check(args, places)
    native = OfFunction(leaves.caller(f, wide=False), leaves.inputs, leaves.tensors)
    first, paths = _first(f, leaves.rebuilt(leaves.tensors, wide=False), args)
    native.outputs = outputs_of(first, paths)
    return Subject(native, _widened(f, leaves, native, first), ())


class _Leaves:
    """The arguments taken apart: the differentiable tensors, and how to put others in their place."""

    def __init__(self, args: tuple[Any, ...], places: tuple[int, ...]) -> None:
        self._args, self._places = args, places
        self.tensors: Tensors = []
        self.inputs: list[Part] = []
        hint = _dtype_for_numbers(args)
        for place in places:
            for path, leaf in zip(trees.paths(args[place], f"args[{place}]"), trees.flatten(args[place]), strict=True):
                for inner, tensor in _differentiable(leaf, hint):
                    self.tensors.append(tensor)
                    self.inputs.append(part_of(path + inner, tensor))

    def rebuilt(self, tensors: Tensors, *, wide: bool) -> tuple[Any, ...]:
        """The arguments holding other tensors."""
        left = list(tensors)
        made = []
        for place, arg in enumerate(self._args):
            chosen = place in self._places
            made.append(trees.transform(lambda leaf: _replaced(leaf, left) if chosen else _beside(leaf, wide), arg))  # noqa: B023
        return tuple(made)

    def caller(self, f: Callable[..., Any], *, wide: bool) -> Callable[[Tensors], Tensors]:
        """f from the tensors, giving its outputs' differentiable tensors."""
        return lambda tensors: _outputs(f(*self.rebuilt(tensors, wide=wide)))[0]


def _dtype_for_numbers(args: tuple[Any, ...]) -> tf.DType | None:
    """The dtype that Python floats take: that of all floating tensors beside them, if it is one and the same."""
    leaves = [
        leaf for leaf in trees.flatten(args) if wording.kind(leaf) in ("tensor", "array", "variable", "composite")
    ]
    found = {tf.as_dtype(leaf.dtype).real_dtype for leaf in leaves if trees.is_differentiable(leaf)}
    return found.pop() if len(found) == 1 else None


def _differentiable(leaf: Any, hint: tf.DType | None = None) -> list[tuple[str, tf.Tensor]]:
    """The tensors of a leaf that have derivatives, and how they are written after the leaf's path."""
    kind = wording.kind(leaf)
    if kind == "composite":
        inner = ".flat_values" if isinstance(leaf, tf.RaggedTensor) else ".values"
        return [(inner, part) for part in trees.components(leaf) if trees.is_differentiable(part)]
    if kind == "float":
        return [("", tf.constant(leaf, hint or tf.float32))]
    if kind == "complex" or (kind == "array" and leaf.dtype.kind in "fcV" and not leaf.dtype.names):
        return [("", tf.convert_to_tensor(leaf))]
    if kind in ("tensor", "variable", "keras variable") and trees.is_differentiable(leaf):
        return [("", tf.identity(wrts.tensor_of(leaf)))]
    return []


def _replaced(leaf: Any, left: Tensors) -> Any:
    if not _differentiable(leaf):
        return leaf
    if wording.kind(leaf) == "composite":
        parts = [left.pop(0) if trees.is_differentiable(part) else part for part in trees.components(leaf)]
        return trees.recompose(leaf, parts)
    return left.pop(0)


def _beside(leaf: Any, wide: bool) -> Any:
    """A leaf that is not differentiated, cast to double precision where the others are."""
    if not wide or wording.kind(leaf) not in ("tensor", "array", "composite"):
        return leaf
    dtype = _WIDE.get(tf.as_dtype(leaf.dtype)) if trees.is_differentiable(leaf) else None
    return leaf if dtype is None else tf.cast(leaf, dtype)


def _widened(f: Callable[..., Any], leaves: _Leaves, native: OfFunction, first: Tensors) -> Flat | None:
    """f with every float64 or complex128 in place of narrower numbers, None where f does not take that."""
    if all(part.dtype not in _WIDE for part in (*native.inputs, *native.outputs)):
        return None
    tensors = [tf.cast(tensor, _WIDE.get(tensor.dtype, tensor.dtype)) for tensor in leaves.tensors]
    run = leaves.caller(f, wide=True)
    try:
        found = run(tensors)
    except Exception:  # noqa: BLE001  a function that refuses double precision may do so by any exception
        return None
    if len(found) != len(first) or any(
        a.dtype in _WIDE or a.shape != b.shape for a, b in zip(found, first, strict=True)
    ):
        return None
    inputs = [Part(part.path, tensor.dtype, part.shape) for part, tensor in zip(leaves.inputs, tensors, strict=True)]
    made = OfFunction(run, inputs, tensors)
    made.outputs = outputs_of(found, [part.path for part in native.outputs])
    return made if _same_function(vector_of(first), vector_of(found), first) else None


def _rounding(dtype: tf.DType) -> float:
    return 2.0**-7 if dtype == tf.bfloat16 else float(np.finfo(dtype.as_numpy_dtype).eps)


def _same_function(narrow: Any, wide: Any, first: Tensors) -> bool:
    """Whether the values in both precisions are near enough for the same function."""
    eps = max(_rounding(tensor.dtype.real_dtype) for tensor in first)
    with np.errstate(all="ignore"):
        both = np.isfinite(narrow) & np.isfinite(wide)
        difference = np.abs(narrow - wide)[both]
        size = np.maximum(np.abs(wide[both]), np.median(np.abs(wide[both])) if both.any() else 0.0)
    return bool((difference <= eps**0.4 * size + 1e-30).all())


def _by_variables(f: Callable[..., Any], args: tuple[Any, ...], about: wrts.Variables | wrts.Module) -> Subject:
    first, paths = _first(f, args, args)
    if isinstance(about, wrts.Module):
        chosen = list(about.variables(WHO))
        others = list(getattr(about.owner, "variables", chosen))
    else:
        chosen = others = trees.flatten(about.tree)
    for variable in chosen:
        wrts.check_variable(variable, wording.variable_name(variable), WHO)
    tensors = [wrts.tensor_of(variable) for variable in chosen]
    names = [wording.variable_name(variable) or f"wrt[{i}]" for i, variable in enumerate(chosen)]
    inputs = [part_of(name, variable) for name, variable in zip(names, tensors, strict=True)]
    made = OfVariables(lambda: _outputs(f(*args))[0], inputs, tensors)
    made.outputs = outputs_of(first, paths)
    put_back = {id(each): each for each in map(wrts.tensor_of, [*chosen, *others])}
    return Subject(made, None, tuple(put_back.values()))


def _first(f: Callable[..., Any], args: tuple[Any, ...], given: tuple[Any, ...]) -> tuple[Tensors, list[str]]:
    """f's outputs' differentiable tensors and their paths, from a first call: it builds models and meets errors."""
    tensors, paths = _outputs(call(f, args, {}, given, WHO))
    if not tensors:
        raise IntegerError(
            f"{WHO}: f returned nothing of a floating or complex dtype",
            "at least one tensor of real or complex numbers",
            "return what the result was computed from, before it was cast, rounded to integers or compared",
        )
    return tensors, paths


def _outputs(value: Any) -> tuple[Tensors, list[str]]:
    found = tensors_out(value, WHO)
    tensors, paths = [], []
    for path, leaf in zip(trees.paths(found.value, "output"), found.leaves, strict=True):
        for part in [] if leaf is None else trees.components(leaf):
            if trees.is_differentiable(part):
                tensors.append(part)
                paths.append(path)
    return tensors, paths


def _nothing_to_check(args: tuple[Any, ...], places: tuple[int, ...]) -> GradError:
    if not args or not places:
        return StructureError(
            f"{WHO}: there are no arguments to differentiate by",
            "a tuple of f's arguments, or wrt= the Variables or the model that f closes over",
            "check_grads(f, (x,)) or check_grads(f, (), wrt=variable)",
        )
    return IntegerError(
        f"{WHO}: none of {wording.listing([wording.describe(args[place]) for place in places])} has a derivative",
        "at least one leaf of a floating or complex dtype",
        "floats: 3.0 for 3, tf.cast(x, tf.float32); or wrt= the Variables that f closes over",
    )
