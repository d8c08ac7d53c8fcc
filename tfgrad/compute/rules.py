"""Where the user says how a value takes part in differentiation: `custom_gradient`, `stop_gradient`, `variable`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad._tensorflow import autograph
from tfgrad.compute import primals, wrt
from tfgrad.compute.calling import check_function, left_alone
from tfgrad.errors import KindError, StructureError


@left_alone
def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """f's value, with the derivative that f's own rule gives: `tf.custom_gradient`, with its answers checked.

    Args:
        f: gives `(y, rule)`. `rule(*dy)` takes the gradient by each tensor of y and gives one by each positional
            argument, in its structure, shape and dtype, or None (a tensor given by keyword is one of them, up to where
            f's signature has it); where f reads Variables,
            `rule(*dy, variables=None)` gives `(gradients, gradients by the variables)`.

    Returns:
        A function, also usable as a method; all modes obey the rule. `jvp` is the transpose of the rule, and so means
        something only where the rule is linear in dy: one that clips dy has no forward mode.

    Raises:
        StructureError: when the rule runs, and its answers do not fit the arguments.
        KindError: a tensor for a keyword-only argument, which no rule reaches.

    >>> @custom_gradient
    ... def doubled(x):
    ...     return x, lambda dy: dy * 2.0
    >>> import tfgrad
    >>> float(tfgrad.grad(lambda x: 5.0 * doubled(x))(2.0))
    10.0
    """
    check_function(f, "custom_gradient")

    @functools.wraps(f)
    def ruled(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = _by_position(f, args, kwargs)
        args = tuple(trees.transform(_as_tensor, arg) for arg in args)
        places = [i for i, arg in enumerate(args) if wording.kind(arg) not in _NO_NUMBERS]

        def of_numbers(*numbers: Any) -> Any:
            filled = list(args)
            for place, number in zip(places, numbers, strict=True):
                filled[place] = number
            y, rule = _pair(autograph.converted(f)(*filled, **kwargs), f)
            return y, _checked(rule, numbers, places, f)

        of_numbers.__name__ = wording.function(f)
        return tf.custom_gradient(of_numbers)(*(args[place] for place in places))

    return left_alone(ruled)


def _by_position(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The same call with tensors by position, as `tf.custom_gradient` differentiates nothing else.

    Raises:
        KindError: a tensor for a parameter that has no position.
    """
    tensors = [name for name, value in kwargs.items() if any(map(_may_differentiate, trees.flatten(value)))]
    if not tensors:
        return args, kwargs
    parameters = [p for p in inspect.signature(f).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    places = {parameter.name: place for place, parameter in enumerate(parameters)}
    for name in tensors:
        if name not in places:
            raise KindError(
                f"custom_gradient: {wording.function(f)} got a tensor as {name}=, which has no position",
                "tensors by position, as a rule gives one gradient for each positional argument",
                f"take {name} out of what follows the * in the signature; or close over it",
            )
    left, moved = dict(kwargs), list(args)
    for parameter in parameters[len(args) : 1 + max(places[name] for name in tensors)]:
        moved.append(left.pop(parameter.name, parameter.default))
    # A call that does not fit the signature is left for f to refuse.
    fits = all(value is not inspect.Parameter.empty for value in moved)
    return (tuple(moved), left) if fits else (args, kwargs)


def _may_differentiate(leaf: Any) -> bool:
    known = wording.kind(leaf) in ("tensor", "variable", "composite") or wording.is_keras_variable(leaf)
    return known and any(trees.is_differentiable(part) for part in trees.components(leaf))


def _as_tensor(leaf: Any) -> Any:
    """Floats as tensors, as they reach f in a graph anyway."""
    return tf.convert_to_tensor(leaf) if wording.kind(leaf) in ("float", "complex", "array") else leaf


_NO_NUMBERS = ("none", "str", "bool", "function", "object", "module")


def _pair(given: Any, f: Any) -> tuple[Any, Callable[..., Any]]:
    if not isinstance(given, tuple) or len(given) != 2 or not callable(given[1]):
        raise StructureError(
            f"custom_gradient: {wording.function(f)} returned {wording.describe(given)}",
            "the pair (y, rule), rule a function of the gradient by y",
            "return y, lambda dy: ...",
        )
    return given


def _checked(rule: Callable[..., Any], numbers: Any, places: list[int], f: Any) -> Callable[..., Any]:
    """The rule, refusing answers that do not fit f's arguments."""
    name = wording.function(f)
    wanted = [
        pair
        for place, number in zip(places, numbers, strict=True)
        for pair in zip(trees.paths(number, f"args[{place}]"), trees.flatten(number), strict=True)
    ]

    def check(gradients: Any) -> None:
        found = trees.flatten(gradients)
        if len(found) != len(wanted):
            raise StructureError(
                f"custom_gradient: the rule of {name} gave {wording.count(len(found), 'gradient')}",
                f"{len(wanted)}, one for each of {wording.listing([path for path, _ in wanted])}",
                "None for an argument that has no derivative",
            )
        for gradient, (path, leaf) in zip(found, wanted, strict=True):
            _check_fits(gradient, leaf, path, name)

    def rule_without(*dy: Any) -> Any:
        gradients = rule(*dy)
        check(gradients)
        return gradients

    def rule_with(*dy: Any, variables: Any = None) -> Any:
        if variables is None:
            return rule_without(*dy)
        gradients, by_variables = rule(*dy, variables=variables)
        check(gradients)
        return gradients, by_variables

    return rule_with if _takes_variables(rule) else rule_without


def _takes_variables(rule: Callable[..., Any]) -> bool:
    kinds = inspect.signature(rule).parameters
    return "variables" in kinds or any(kind.kind is inspect.Parameter.VAR_KEYWORD for kind in kinds.values())


def _check_fits(gradient: Any, leaf: Any, path: str, name: str) -> None:
    if gradient is None or wording.kind(gradient) == "composite" or not trees.is_differentiable(leaf):
        return
    found = tf.convert_to_tensor(gradient)
    if found.dtype != leaf.dtype or not found.shape.is_compatible_with(leaf.shape):
        raise StructureError(
            f"custom_gradient: the rule of {name} gave {wording.describe(found)} for {path}",
            f"{wording.dtype(leaf)}{wording.shape(leaf)}, as {path} is",
            f"tf.cast(..., {path}.dtype)"
            if found.dtype != leaf.dtype
            else "multiply by dy; tf.reduce_sum over axes that were broadcast",
        )


@left_alone
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


@left_alone
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
