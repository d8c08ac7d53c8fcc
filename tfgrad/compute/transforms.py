"""Functions made from functions: `grad`, `value_and_grad`, `elementwise_grad`.

Each call runs the user's Python under a `tf.GradientTape`; nothing is traced or kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.compute import sources, targets
from tfgrad.compute import wrt as wrts
from tfgrad.compute.calling import aux_split, call, check_function, left_alone, named
from tfgrad.compute.tapes import recording
from tfgrad.errors import StructureError, UnconnectedError

Unconnected = Literal["error", "none", "zero"]


@left_alone
def grad(f: Callable[..., Any], wrt: Any = 0, *, has_aux: bool = False, unconnected: Unconnected = "error") -> Any:
    """A function of f's arguments that gives the gradient of f's scalar value.

    Args:
        f: gives one real number, a tensor of shape `[]`; with `has_aux` the pair of it and anything else.
        wrt: the position of an argument (negative from the end), a tuple of them, a `tf.Variable`, a nest of Variables,
            a Keras model or layer or a `tf.Module`: the answer is a list in the order of its `trainable_variables`. A
            Python float takes the dtype of the floating arrays among the arguments, float32 if none or they differ.
        has_aux: f gives `(value, aux)`, and the answer is `(gradient, aux)`.
        unconnected: for a leaf that the value does not depend on: "error", or None ("none"), or zeros ("zero").

    Returns:
        A function; its answer has the structure of `wrt`, each leaf the shape and dtype of what it belongs to. For a
        complex leaf z it is dL/dRe z + i dL/dIm z, TensorFlow's convention.

    Raises:
        NotScalarError, LeftTensorFlowError: what f gave, and what reduces it to one number.
        IntegerError: the path of a leaf that has no derivative.
        UnconnectedError: the paths of the leaves that the value does not depend on.

    >>> x = tf.range(4.0)
    >>> grad(lambda x: 2 * tf.tensordot(x, x, axes=1))(x).numpy()
    array([ 0.,  4.,  8., 12.], dtype=float32)
    >>> grad(lambda x, y: x * y, wrt=(0, 1))(3.0, 4.0)[1].numpy()
    np.float32(3.0)
    """
    evaluate = _evaluator(f, wrt, has_aux, unconnected, "grad")

    def gradient_of_f(*args: Any, **kwargs: Any) -> Any:
        _, gradient, aux = evaluate(args, kwargs)
        return (gradient, aux) if has_aux else gradient

    return named(gradient_of_f, "grad", f)


@left_alone
def value_and_grad(
    f: Callable[..., Any], wrt: Any = 0, *, has_aux: bool = False, unconnected: Unconnected = "error"
) -> Any:
    """A function of f's arguments that gives `(value, gradient)`; with `has_aux`, `((value, aux), gradient)`.

    Takes and raises what `grad` does.

    >>> value, gradient = value_and_grad(lambda x: x**2)(3.0)
    >>> float(value), float(gradient)
    (9.0, 6.0)
    """
    evaluate = _evaluator(f, wrt, has_aux, unconnected, "value_and_grad")

    def value_and_gradient_of_f(*args: Any, **kwargs: Any) -> Any:
        value, gradient, aux = evaluate(args, kwargs)
        return ((value, aux), gradient) if has_aux else (value, gradient)

    return named(value_and_gradient_of_f, "value_and_grad", f)


@left_alone
def elementwise_grad(f: Callable[..., Any], wrt: Any = 0) -> Any:
    """A function of f's arguments that gives the derivative of each output element by the input element in its place.

    Args:
        f: acts on each element alone, and gives a tensor of the shape of what it is differentiated by.
        wrt: as for `grad`; each leaf of it has the shape of f's value.

    Raises:
        StructureError: a leaf of another shape than f's value.

    >>> elementwise_grad(lambda x: x**3)(tf.constant([1.0, 2.0])).numpy()
    array([ 3., 12.], dtype=float32)
    >>> elementwise_grad(elementwise_grad(tf.sin))(0.5) == -tf.sin(0.5)
    <tf.Tensor: shape=(), dtype=bool, numpy=True>
    """
    check_function(f, "elementwise_grad")
    about = wrts.parse(wrt, "elementwise_grad")

    def slope_of_f(*args: Any, **kwargs: Any) -> Any:
        asked = sources.asked(about, args, kwargs, "elementwise_grad")
        value, _, seen = sources.recorded(f, asked, args, kwargs, targets.check_tensor, who="elementwise_grad")
        for tensor in seen.sources.tensors:
            _check_same_shape(value, tensor)
        return seen.sources.answer(seen.gradients(value), trees.zeros)

    return named(slope_of_f, "elementwise_grad", f)


def _check_same_shape(value: tf.Tensor, tensor: Any) -> None:
    if not value.shape.is_compatible_with(tensor.shape):
        raise StructureError(
            f"elementwise_grad: f returned {wording.describe(value)} from {wording.describe(tensor)}",
            "an output element for each input element, in the same place",
            "tfgrad.jacobian(f) for any other function",
        )


def _evaluator(f: Any, wrt: Any, has_aux: bool, unconnected: str, who: str) -> Callable[[Any, Any], Any]:
    """A function of (args, kwargs) giving (value, gradient, aux)."""
    check_function(f, who)
    if unconnected not in ("error", "none", "zero"):
        raise StructureError(
            f"{who}: unconnected={unconnected!r}", "one of 'error', 'none', 'zero'", "unconnected='zero'"
        )
    about = wrts.parse(wrt, who)
    missing = trees.zeros if unconnected == "zero" else _none

    place = about.numbers[0] if isinstance(about, wrts.Positions) and about.single else None

    def evaluate(args: Any, kwargs: Any) -> tuple[Any, Any, Any]:
        if place is not None and 0 <= place < len(args) and _is_plain(args[place]):
            value, gradient, aux = _of_one_tensor(f, args, place, kwargs, has_aux, who)
            if gradient is not None:
                return value, gradient, aux
            if unconnected == "error":
                raise _unconnected([f"args[{place}]"], who, about)
            return value, missing(args[place]), aux
        asked = sources.asked(about, args, kwargs, who)
        value, aux, seen = sources.recorded(f, asked, args, kwargs, targets.check_scalar, who=who, has_aux=has_aux)
        gradients = seen.gradients(value)
        if unconnected == "error" and any(g is None for g in gradients):
            raise _unconnected(seen.sources.lost(gradients), who, about)
        return value, seen.sources.answer(gradients, missing), aux

    return evaluate


def _is_plain(x: Any) -> bool:
    return isinstance(x, tf.Tensor) and bool(x.dtype.is_floating)


def _of_one_tensor(f: Any, args: Any, place: int, kwargs: Any, has_aux: bool, who: str) -> tuple[Any, Any, Any]:
    """What the general way does, for one plain tensor: without nests it costs a tenth of a small gradient less."""
    x = tf.raw_ops.Identity(input=args[place])
    fresh = (*args[:place], x, *args[place + 1 :])
    with recording(tf.GradientTape(watch_accessed_variables=False)) as tape:
        tape.watch(x)
        value, aux = aux_split(call(f, fresh, kwargs, args, who), has_aux, who)
        value = targets.check_scalar(value, who)
    return value, trees.densified(tape.gradient(value, x), x), aux


def _unconnected(lost: list[str], who: str, about: wrts.About) -> UnconnectedError:
    default = isinstance(about, wrts.Positions) and about.numbers == (0,) and about.single
    return UnconnectedError(
        f"{who}: f's value does not depend on {wording.listing(lost)}, as far as TensorFlow can see",
        "a path of differentiable TensorFlow operations from each of them to the value",
        f"tfgrad.explain(f, ...{'' if default else ', wrt=...'}) to see where it was lost;\n"
        'unconnected="zero" where zeros are meant, unconnected="none" for None',
    )


def _none(_: Any) -> None:
    return None
