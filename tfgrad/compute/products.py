"""The two products with a Jacobian, without the Jacobian: `vjp` backwards, `jvp` and `linearize` forwards.

The key idea: jvp is the vjp of the vjp, so it differentiates whatever reverse mode does, and obeys
`tf.custom_gradient` (TensorFlow's ForwardAccumulator, eagerly, does not).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.compute import sources
from tfgrad.compute.calling import check_function, left_alone
from tfgrad.compute.primals import like
from tfgrad.compute.sources import Arguments, Recording
from tfgrad.compute.tapes import recording
from tfgrad.compute.targets import Outputs, tensors_out
from tfgrad.errors import KindError, StructureError


@left_alone
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
        StructureError: cotangents of another structure or shape, or tensors of another floating dtype.

    >>> y, vjp_fn = vjp(lambda a, b: {"sum": a + b, "product": a * b}, 3.0, 4.0)
    >>> [float(g) for g in vjp_fn({"sum": 1.0, "product": 10.0})]
    [41.0, 31.0]

    Source: reverse mode; Griewank and Walther, "Evaluating Derivatives", 2nd edition, section 3.2.
    """
    y, aux, pull = _pullback(f, primals, has_aux, "vjp")
    return (y, pull, aux) if has_aux else (y, pull)


@left_alone
def jvp(f: Callable[..., Any], primals: Any, tangents: Any, *, has_aux: bool = False) -> Any:
    """f's value, and its change along the tangents (the Jacobian-vector product).

    Args:
        f: any nest of tensors from the primals; with `has_aux` the pair of it and anything else.
        primals: the tuple of f's arguments.
        tangents: a tuple of the same structure and shapes.

    Returns:
        `(y, dy)`, or `(y, dy, aux)`; dy has y's structure, zeros where y does not depend on the primals. A rule of
        `custom_gradient` enters as its transpose, which is the forward mode only of a rule that is linear in dy.

    Raises:
        KindError: primals or tangents that are no tuples.
        StructureError: tangents of another structure or shape, or tensors of another floating dtype.

    >>> y, dy = jvp(tf.sin, (0.0,), (2.0,))
    >>> float(y), float(dy)
    (0.0, 2.0)

    Source: J v = d(u . J v)/du with u . J v = (J^T u) . v: two reverse passes give the forward one.
    """
    check_pairs(primals, tangents, "jvp")
    y, aux, pull = _pullback(f, primals, has_aux, "jvp")
    dy = pull.transposed("jvp")(*tangents)
    return (y, dy, aux) if has_aux else (y, dy)


@left_alone
def linearize(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """f's value, and f's linear part there: `jvp_fn(*tangents)`, which may be called many times and runs no more of f.

    Args:
        f: any nest of tensors from the primals.
        primals: f's arguments, any nests of floating or complex leaves.

    Raises:
        StructureError: tangents of another number, structure or shape; the rest is as for `vjp`.

    >>> y, jvp_fn = linearize(lambda x: x**2, 3.0)
    >>> float(y), float(jvp_fn(1.0)), float(jvp_fn(10.0))
    (9.0, 6.0, 60.0)
    """
    y, _, pull = _pullback(f, primals, False, "linearize")
    return y, pull.transposed("linearize")


def check_pairs(primals: Any, tangents: Any, who: str) -> None:
    """Refuse primals and tangents that are no tuples, or not as many.

    Raises:
        KindError: no tuple.
        StructureError: another number of them.
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, tuple):
            raise KindError(
                f"{who}: {name} is {wording.describe(given)}",
                "a tuple with one entry for each argument of f",
                f"tuple({name})" if isinstance(given, list) else f"{who}(f, (x,), (v,)); a tuple of one is (x,)",
            )
    _check_count(len(primals), len(tangents), who)


def directions(tangents: tuple[Any, ...], taken: Arguments, who: str) -> list[tf.Tensor]:
    """A tangent for each of the sources' tensors, checked for structure and shape.

    Raises:
        StructureError: another structure or shape.
    """
    pairs = enumerate(zip(tangents, taken.taken, strict=True))
    return [part for i, (tangent, primal) in pairs for part in like(tangent, primal, f"tangents[{i}]", who)]


def _check_separate(primals: int, tangents: tuple[Any, ...], who: str) -> None:
    if len(tangents) == 1 < primals and isinstance(tangents[0], tuple | list) and len(tangents[0]) == primals:
        raise StructureError(
            f"{who}: jvp_fn was called with one {type(tangents[0]).__name__} of {primals} tangents",
            f"{primals} arguments, a tangent for each primal",
            "jvp_fn(*tangents)",
        )
    _check_count(primals, len(tangents), who)


def _check_count(primals: int, tangents: int, who: str) -> None:
    if primals != tangents:
        raise StructureError(
            f"{who}: {wording.count(primals, 'primal')} but {wording.count(tangents, 'tangent')}",
            "a tangent for each primal",
            "tf.zeros_like(primal) for one that does not change",
        )


def _pullback(f: Any, args: tuple[Any, ...], has_aux: bool, who: str) -> tuple[Any, Any, _Pullback]:
    check_function(f, who)
    asked = sources.every_one(args, who)
    outputs, aux, seen = sources.recorded(f, asked, args, {}, tensors_out, who=who, has_aux=has_aux, persistent=True)
    return outputs.value, aux, _Pullback(seen, outputs, asked)


@left_alone
class _Pullback:
    """J^T as a function of cotangents."""

    def __init__(self, seen: Recording, outputs: Outputs, taken: Arguments) -> None:
        self._seen = seen
        self._outputs = outputs
        self._taken = taken

    def __call__(self, cotangents: Any, *more: Any) -> tuple[Any, ...]:
        if more:
            raise KindError(
                f"vjp_fn: called with {1 + len(more)} cotangents",
                f"one nest of cotangents, in the structure of f's value, {wording.describe(self._outputs.value)}",
                "vjp_fn((u1, u2)), where f's value is a tuple of two",
            )
        given = self._outputs.cotangents(cotangents, "vjp_fn")
        answer: tuple[Any, ...] = self._taken.answer(self._seen.gradients(self._outputs.targets, given), trees.zeros)
        return answer

    def transposed(self, who: str) -> Callable[..., Any]:
        """J as a function of tangents: J^T is linear, so its own transpose does not depend on where it is taken."""
        tape, probes, pulled = transposable(self._seen, self._outputs.targets)

        def jvp_fn(*tangents: Any) -> Any:
            _check_separate(len(self._taken.taken), tangents, who)
            pairs = zip(pulled, directions(tangents, self._taken, who), strict=True)
            reached = [(g, v) for g, v in pairs if g is not None]
            if not reached:
                return self._outputs.answer([None] * len(probes))
            targets, vectors = zip(*reached, strict=True)
            return self._outputs.answer(tape.gradient(list(targets), probes, output_gradients=list(vectors)))

        return left_alone(jvp_fn)


def transposable(pullback: Recording, targets: list[tf.Tensor]) -> tuple[tf.GradientTape, list[tf.Tensor], list[Any]]:
    """J^T of probes, one for each target, with the tape that recorded it: its gradients by the probes are J.

    Source: J v = d(u . J v)/du with u . J v = (J^T u) . v.
    """
    probes = [tf.ones_like(target) for target in targets]
    with recording(tf.GradientTape(persistent=True, watch_accessed_variables=False)) as tape:
        tape.watch(probes)
        pulled = pullback.gradients(targets, probes)
    return tape, probes, pulled
