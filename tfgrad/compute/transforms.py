"""Functions made from functions: `vjp`, `jvp`, `value_and_grad`, `grad`.

Every one runs the user's Python on each call, under `tf.GradientTape`; nothing is traced or kept. The key idea: jvp is
the vjp of the vjp, so it differentiates whatever reverse mode does, and obeys `tf.custom_gradient`
(TensorFlow's ForwardAccumulator, eagerly, does not).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.compute import primals
from tfgrad.compute import wrt as wrts
from tfgrad.compute.calling import aux_split, call, named
from tfgrad.compute.primals import Primal
from tfgrad.compute.targets import check_scalar, tensors_out
from tfgrad.errors import KindError, StructureError, UnconnectedError

Unconnected = Literal["error", "none", "zero"]


def grad(f: Callable[..., Any], wrt: Any = 0, *, has_aux: bool = False, unconnected: Unconnected = "error") -> Any:
    """A function of f's arguments that gives the gradient of f's scalar value.

    Args:
        f: gives one real number, a tensor of shape `[]`; with `has_aux` the pair of it and anything else.
        wrt: the position of an argument (negative from the end), a tuple of them, a `tf.Variable`, a nest of Variables,
            a Keras model or layer or a `tf.Module`: the answer is a list in the order of its `trainable_variables`.
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


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """f's value, and the function that pulls cotangents back through f (the vector-Jacobian product).

    Args:
        f: any nest of tensors from the primals; with `has_aux` the pair of it and anything else.
        primals: f's arguments, any nests of floating or complex leaves.

    Returns:
        `(y, vjp_fn)`, or `(y, vjp_fn, aux)`. `vjp_fn(cotangents)` takes the structure and shapes of y and gives a
        tuple, one entry a primal, zeros where y does not depend on it; it may be called many times.

    Raises:
        IntegerError: the path of a leaf that has no derivative.
        LeftTensorFlowError: a leaf of y that is no tensor.
        StructureError: cotangents of another structure or shape.

    >>> y, vjp_fn = vjp(lambda a, b: {"sum": a + b, "product": a * b}, 3.0, 4.0)
    >>> [float(g) for g in vjp_fn({"sum": 1.0, "product": 10.0})]
    [41.0, 31.0]

    Source: reverse mode; Griewank and Walther, "Evaluating Derivatives", 2nd edition, section 3.2.
    """
    y, pull, aux, _ = _pullback(f, primals, has_aux, "vjp")
    return (y, pull, aux) if has_aux else (y, pull)


def jvp(f: Callable[..., Any], primals: Any, tangents: Any, *, has_aux: bool = False) -> Any:
    """f's value, and its change along the tangents (the Jacobian-vector product).

    Args:
        f: any nest of tensors from the primals; with `has_aux` the pair of it and anything else.
        primals: the tuple of f's arguments.
        tangents: a tuple of the same structure and shapes.

    Returns:
        `(y, dy)`, or `(y, dy, aux)`; dy has y's structure, zeros where y does not depend on the primals.

    Raises:
        KindError: primals or tangents that are no tuples.
        StructureError: tangents of another structure or shape.

    >>> y, dy = jvp(tf.sin, (0.0,), (2.0,))
    >>> float(y), float(dy)
    (0.0, 2.0)

    Source: J v = d(u . J v)/du with u . J v = (J^T u) . v: two reverse passes give the forward one.
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, tuple):
            raise KindError(
                f"jvp: {name} is {wording.describe(given)}",
                "a tuple with one entry for each argument of f",
                f"tuple({name})" if isinstance(given, list) else "jvp(f, (x,), (v,)): a tuple of one is written (x,)",
            )
    if len(primals) != len(tangents):
        raise StructureError(
            f"jvp: {wording.count(len(primals), 'primal')} but {wording.count(len(tangents), 'tangent')}",
            "a tangent for each primal",
            "tf.zeros_like(primal) for one that does not change",
        )
    y, pull, aux, taken = _pullback(f, primals, has_aux, "jvp")
    directions = [
        part
        for i, (tangent, primal) in enumerate(zip(tangents, taken, strict=True))
        for part in _tangents(tangent, primal, f"tangents[{i}]")
    ]
    dy = pull.push(directions)
    return (y, dy, aux) if has_aux else (y, dy)


def _tangents(tangent: Any, primal: Primal, root: str) -> list[tf.Tensor]:
    return primals.like(tangent, primal, root, "jvp")


class _Pullback:
    """J^T as a function of cotangents, and J as its own pullback."""

    def __init__(self, tape: tf.GradientTape, outputs: Any, taken: tuple[Primal, ...]) -> None:
        self._tape = tape
        self._outputs = outputs
        self._taken = taken

    def __call__(self, cotangents: Any) -> tuple[Any, ...]:
        left = self._pulled(self._outputs.cotangents(cotangents, "vjp_fn"))
        answers = []
        for primal in self._taken:
            mine, left = left[: len(primal.sources)], left[len(primal.sources) :]
            answers.append(primal.answer(mine, trees.zeros))
        return tuple(answers)

    def _pulled(self, cotangents: list[tf.Tensor]) -> list[Any]:
        sources = [source for primal in self._taken for source in primal.sources]
        if not self._outputs.targets or not sources:
            return [None] * len(sources)
        return self._tape.gradient(self._outputs.targets, sources, output_gradients=cotangents)

    def push(self, directions: list[tf.Tensor]) -> Any:
        """J v: the pullback is linear in its cotangents, so its own transpose does not depend on where it is taken."""
        probes = [tf.ones_like(target) for target in self._outputs.targets]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(probes)
            sources = [source for primal in self._taken for source in primal.sources]
            pulled = [trees.densified(g, source) for g, source in zip(self._pulled(probes), sources, strict=True)]
        reached = [(g, v) for g, v in zip(pulled, directions, strict=True) if g is not None]
        if not reached:
            return self._outputs.answer([None] * len(probes))
        pulled_back, vectors = zip(*reached, strict=True)
        return self._outputs.answer(tape.gradient(list(pulled_back), probes, output_gradients=list(vectors)))


def _pullback(f: Any, args: tuple[Any, ...], has_aux: bool, who: str) -> tuple[Any, _Pullback, Any, tuple[Primal, ...]]:
    check_function(f, who)
    taken = tuple(primals.primal(arg, f"primals[{i}]", who) for i, arg in enumerate(args))
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch([source for primal in taken for source in primal.sources])
        y, aux = aux_split(call(f, tuple(primal.tree for primal in taken), {}, args, who), has_aux, who)
        outputs = tensors_out(y, who)
    return outputs.value, _Pullback(tape, outputs, taken), aux, taken


def check_function(f: Any, who: str) -> None:
    """Refuse what can't be called.

    Raises:
        KindError: f is no function.
    """
    if not callable(f):
        raise KindError(
            f"{who}: f is {wording.describe(f)}",
            "a function; transforms take the function first and its arguments afterwards",
            f"tfgrad.{who}(f)(x)" if who.endswith("grad") else f"tfgrad.{who}(f, ...)",
        )


def _evaluator(f: Any, wrt: Any, has_aux: bool, unconnected: str, who: str) -> Callable[[Any, Any], Any]:
    """A function of (args, kwargs) giving (value, gradient, aux)."""
    check_function(f, who)
    if unconnected not in ("error", "none", "zero"):
        raise StructureError(
            f"{who}: unconnected={unconnected!r}", "one of 'error', 'none', 'zero'", "unconnected='zero'"
        )
    about = wrts.parse(wrt, who)
    if isinstance(about, wrts.Positions):
        return lambda args, kwargs: _by_arguments(f, about, args, kwargs, has_aux, unconnected, who)
    return lambda args, kwargs: _by_variables(f, about, args, kwargs, has_aux, unconnected, who)


def _by_arguments(
    f: Any, about: wrts.Positions, args: Any, kwargs: Any, has_aux: bool, unconnected: str, who: str
) -> Any:
    places = about.among(len(args), who)
    taken = [primals.primal(args[place], f"args[{place}]", who) for place in places]
    fresh = list(args)
    for place, primal in zip(places, taken, strict=True):
        fresh[place] = primal.tree
    sources = [primal.sources for primal in taken]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(sources)
        value, aux = aux_split(call(f, tuple(fresh), kwargs, args, who), has_aux, who)
        value = check_scalar(value, who)
    gradients = tape.gradient(value, sources)
    if unconnected == "error":
        lost = [path for primal, found in zip(taken, gradients, strict=True) for path in primal.unconnected(found)]
        _check_connected(lost, who, about)
    missing = trees.zeros if unconnected == "zero" else _none
    answers = tuple(primal.answer(found, missing) for primal, found in zip(taken, gradients, strict=True))
    return value, answers[0] if about.single else answers, aux


def _by_variables(
    f: Any, about: wrts.Variables | wrts.Module, args: Any, kwargs: Any, has_aux: bool, unconnected: str, who: str
) -> Any:
    named_variables = [] if isinstance(about, wrts.Module) else _checked(about.tree, who)
    with tf.GradientTape(watch_accessed_variables=isinstance(about, wrts.Module)) as tape:
        tape.watch([wrts.tensor_of(variable) for variable in named_variables])
        value, aux = aux_split(call(f, args, kwargs, args, who), has_aux, who)
        value = check_scalar(value, who)
    tree = about.variables(who) if isinstance(about, wrts.Module) else about.tree
    variables = named_variables or _checked(tree, who)
    gradients = tape.gradient(value, [wrts.tensor_of(variable) for variable in variables])
    if unconnected == "error":
        names = _names(tree)
        _check_connected([name for name, g in zip(names, gradients, strict=True) if g is None], who, about)
    missing = _zeros_of_variable if unconnected == "zero" else _none
    answers = [
        missing(variable) if g is None else trees.densified(g, wrts.tensor_of(variable))
        for variable, g in zip(variables, gradients, strict=True)
    ]
    return value, trees.rebuild(tree, answers), aux


def _names(tree: Any) -> list[str]:
    pairs = zip(trees.flatten(tree), trees.paths(tree, "wrt"), strict=True)
    return [wording.variable_name(variable) or path for variable, path in pairs]


def _checked(tree: Any, who: str) -> list[Any]:
    variables = trees.flatten(tree)
    for variable, name in zip(variables, _names(tree), strict=True):
        wrts.check_variable(variable, name, who)
    return variables


def _check_connected(lost: list[str], who: str, about: Any) -> None:
    if not lost:
        return
    default = isinstance(about, wrts.Positions) and about.numbers == (0,) and about.single
    raise UnconnectedError(
        f"{who}: f's value does not depend on {wording.listing(lost)}, as far as TensorFlow can see",
        "a path of differentiable TensorFlow operations from each of them to the value",
        f"tfgrad.explain(f, ...{'' if default else ', wrt=...'}) to see where it was lost;\n"
        'unconnected="zero" where zeros are meant, unconnected="none" for None',
    )


def _none(_: Any) -> None:
    return None


def _zeros_of_variable(variable: Any) -> tf.Tensor:
    return tf.zeros_like(wrts.tensor_of(variable))
