"""Derivatives as arrays: `jacobian` and `hessian`, and `hvp`, which is the Hessian's product without its array.

The key idea: f runs once, and its recording is pulled back for each row of a unit matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.compute import blocks, sources
from tfgrad.compute import wrt as wrts
from tfgrad.compute.calling import check_function, left_alone, named
from tfgrad.compute.products import check_pairs, directions
from tfgrad.compute.sources import Recording
from tfgrad.compute.tapes import recording
from tfgrad.compute.targets import check_scalar
from tfgrad.errors import NotScalarError, StructureError

Mode = Literal["auto", "rev", "fwd"]


@left_alone
def jacobian(
    f: Callable[..., Any], wrt: Any = 0, *, mode: Mode = "auto", has_aux: bool = False, chunk: int | None = None
) -> Any:
    """A function of f's arguments that gives the derivative of each output element by each input element.

    Args:
        f: gives a real tensor or a nest of them; with `has_aux` the pair of that and anything else.
        wrt: as for `grad`.
        mode: "rev" pulls back one output element after the other, "fwd" pushes one input element after the other,
            "auto" takes the fewer.
        has_aux: the answer is `(jacobian, aux)`.
        chunk: rows at a time, to bound the memory.

    Returns:
        A function; in its answer each leaf has the shape of the output followed by that of the input, `[m, n]` for
        f from `[n]` to `[m]`; outer structure that of the outputs, inner that of `wrt`. Zeros where nothing depends.

    Raises:
        NotScalarError: a complex output.
        IntegerError: an output of integers, bools or strings, or such an input.
        KindError: a ragged or sparse output or input; an unknown mode.

    >>> jacobian(lambda x: x**2)(tf.constant([1.0, 2.0, 3.0])).numpy()
    array([[2., 0., 0.],
           [0., 4., 0.],
           [0., 0., 6.]], dtype=float32)
    """
    check_function(f, "jacobian")
    about = wrts.parse(wrt, "jacobian")
    _check_options(mode, chunk)

    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        asked = sources.asked(about, args, kwargs, "jacobian")
        outputs, aux, seen = sources.recorded(
            f, asked, args, kwargs, blocks.real_outputs, who="jacobian", has_aux=has_aux, persistent=True
        )
        seen.sources.check_dense("jacobian")
        J = blocks.by_outputs(outputs, seen.sources, _blocks(seen, outputs.targets, mode, chunk))
        return (J, aux) if has_aux else J

    return named(jacobian_of_f, "jacobian", f)


@left_alone
def hessian(f: Callable[..., Any], wrt: Any = 0, *, has_aux: bool = False) -> Any:
    """A function of f's arguments that gives the second derivatives of f's scalar value.

    Args:
        f: gives one real number, a tensor of shape `[]`; with `has_aux` the pair of it and anything else.
        wrt: as for `grad`; a tuple `(0, 1)` gives `((H00, H01), (H10, H11))`.
        has_aux: the answer is `(hessian, aux)`.

    Returns:
        A function; in its answer each leaf has the shape of one input followed by that of the other, `[n, n]` for f of
        one argument `[n]`. Zeros where nothing depends.

    Raises:
        NotScalarError: what f gave is not one real number, or an input is complex.
        IntegerError: the path of a leaf that has no derivative.

    >>> hessian(lambda x: x[0] ** 2 * x[1])(tf.constant([2.0, 3.0])).numpy()
    array([[6., 4.],
           [4., 0.]], dtype=float32)
    """
    check_function(f, "hessian")
    about = wrts.parse(wrt, "hessian")

    def hessian_of_f(*args: Any, **kwargs: Any) -> Any:
        asked = sources.asked(about, args, kwargs, "hessian")
        with recording(tf.GradientTape(persistent=True, watch_accessed_variables=asked.accessed)) as outer:
            outer.watch(asked.tensors)
            value, aux, inner = sources.recorded(f, asked, args, kwargs, check_scalar, who="hessian", has_aux=has_aux)
            slopes = inner.gradients(value)
        inner.sources.check_dense("hessian")
        _check_real_inputs(inner.sources.tensors, "hessian")
        H = _second(Recording(outer, inner.sources), slopes)
        return (H, aux) if has_aux else H

    return named(hessian_of_f, "hessian", f)


@left_alone
def hvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, ...]:
    """The Hessian of f's scalar value times a direction, without the Hessian: a tuple with one entry for each primal.

    Args:
        f: gives one real number from the primals, a tensor of shape `[]`.
        primals, tangents: tuples of nests of the same structures and shapes.

    Raises:
        KindError: primals or tangents that are no tuples.
        StructureError: tangents of another structure or shape.
        NotScalarError, LeftTensorFlowError: what f gave is not one real number.

    >>> (hv,) = hvp(lambda x: tf.reduce_sum(x**3), (tf.constant([1.0, 2.0]),), (tf.constant([1.0, 10.0]),))
    >>> hv.numpy()
    array([  6., 120.], dtype=float32)

    Source: reverse over reverse, which costs TensorFlow less than forward over reverse (measured with 2.21);
    Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994).
    """
    check_function(f, "hvp")
    check_pairs(primals, tangents, "hvp")
    asked = sources.every_one(primals, "hvp")
    along = directions(tangents, asked, "hvp")
    with recording(tf.GradientTape(watch_accessed_variables=False)) as outer:
        outer.watch(asked.tensors)
        value, _, inner = sources.recorded(f, asked, primals, {}, check_scalar, who="hvp")
        slopes = inner.gradients(value)
    reached = [(g, v) for g, v in zip(slopes, along, strict=True) if g is not None]
    second = Recording(outer, asked).gradients([g for g, _ in reached], [v for _, v in reached])
    answer: tuple[Any, ...] = asked.answer(second, trees.zeros)
    return answer


def _second(seen: Recording, slopes: list[Any]) -> Any:
    """The nest of nests of second derivatives, from the recording of the first ones."""
    tensors = seen.sources.tensors
    connected = iter(blocks.pulled(seen, [slope for slope in slopes if slope is not None]))
    rows = []
    for slope, tensor in zip(slopes, tensors, strict=True):
        found = [None] * len(tensors) if slope is None else next(connected)
        rows.append(seen.sources.answer(found, blocks.zeros_after(tensor)))
    return seen.sources.answer(rows, trees.zeros)


def _check_options(mode: str, chunk: int | None) -> None:
    if mode not in ("auto", "rev", "fwd"):
        raise StructureError(f"jacobian: mode={mode!r}", "one of 'auto', 'rev', 'fwd'", "mode='auto'")
    if chunk is not None and (isinstance(chunk, bool) or not isinstance(chunk, int) or chunk < 1):
        raise StructureError(f"jacobian: chunk={chunk!r}", "a number of rows, 1 or more, or None for all", "chunk=100")


def _check_real_inputs(tensors: Sequence[Any], who: str) -> None:
    for tensor in tensors:
        if tf.as_dtype(tensor.dtype).is_complex:
            raise NotScalarError(
                f"{who}: an input is {wording.describe(tensor)}, complex numbers",
                "real inputs",
                "make f a function of the real and the imaginary part: tf.complex(a, b) inside it",
            )


def _blocks(seen: Recording, targets: list[tf.Tensor], mode: Mode, chunk: int | None) -> list[list[Any]]:
    if mode == "fwd":
        _check_real_inputs(seen.sources.tensors, "jacobian: mode='fwd'")
        return blocks.pushed(seen, targets, chunk)
    if mode == "auto" and _is_tall(targets, seen.sources.tensors):
        try:
            return blocks.pushed(seen, targets, chunk)
        except LookupError:
            # TensorFlow has no gradient of some op's gradient; reverse mode needs none.
            return blocks.pulled(seen, targets, chunk)
    return blocks.pulled(seen, targets, chunk)


def _is_tall(targets: list[tf.Tensor], tensors: list[Any]) -> bool:
    """Whether outputs are so many that forward mode costs less; each of its rows costs two of reverse mode."""
    outputs, inputs = blocks.size_of(targets), blocks.size_of(tensors)
    real = not any(tf.as_dtype(tensor.dtype).is_complex for tensor in tensors)
    return real and outputs is not None and inputs is not None and outputs > 2 * inputs
