"""Derivatives of each example of a batch: `batch_jacobian` of outputs, `per_example_grad` of a loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.compute import blocks, sources
from tfgrad.compute import wrt as wrts
from tfgrad.compute.calling import check_function, left_alone, named
from tfgrad.compute.mapping import FEW_EXAMPLES, mapped
from tfgrad.compute.targets import check_scalar
from tfgrad.errors import KindError, StructureError


@left_alone
def batch_jacobian(f: Callable[..., Any], wrt: Any = 0) -> Any:
    """A function of f's arguments that gives the Jacobian of each example, `[examples, out..., in...]`.

    Args:
        f: acts on each example of a leading axis alone: from `[examples, in...]` to `[examples, out...]`, or a nest.
        wrt: the position of an argument, or a tuple of them.

    Raises:
        StructureError: an output or input without the leading axis, or axes of different lengths.
        NotScalarError, IntegerError, KindError: as for `jacobian`.

    >>> x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    >>> batch_jacobian(lambda x: x**2)(x).numpy()
    array([[[2., 0.],
            [0., 4.]],
    <BLANKLINE>
           [[6., 0.],
            [0., 8.]]], dtype=float32)
    """
    check_function(f, "batch_jacobian")
    about = wrts.parse(wrt, "batch_jacobian")
    if not isinstance(about, wrts.Positions):
        raise KindError(
            "batch_jacobian: wrt names Variables, which have no example axis",
            "the position of an argument, or a tuple of them",
            "tfgrad.per_example_grad or tfgrad.jacobian, for the derivative by what is shared",
        )

    def batch_jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        asked = sources.asked(about, args, kwargs, "batch_jacobian")
        outputs, _, recording = sources.recorded(
            f, asked, args, kwargs, blocks.real_outputs, who="batch_jacobian", persistent=True
        )
        recording.sources.check_dense("batch_jacobian")
        _check_examples(outputs.targets, recording.sources.tensors)
        return blocks.by_outputs(outputs, recording.sources, blocks.of_examples(recording, outputs.targets), 1)

    return named(batch_jacobian_of_f, "batch_jacobian", f)


@left_alone
def per_example_grad(f: Callable[..., Any], wrt: Any = 0, *, batch: int | tuple[int, ...] | None = None) -> Any:
    """A function like f, of a whole batch, that gives the gradient of each example's loss, `[examples, ...]`.

    Args:
        f: the loss of ONE example, a tensor of shape `[]`; it gets its example without the example axis (for a Keras
            model: `model(x[None])[0]`). It runs once for many examples together, so that what it prints or counts is
            not told of each.
        wrt: as for `grad`.
        batch: the positional arguments that carry a leading example axis `[examples, ...]`, among them `wrt` itself
            if meant; by default those outside `wrt` whose leaves are all arrays of rank 1 or more.

    Raises:
        StructureError: no argument carries examples, or their numbers differ.
        NotScalarError, LeftTensorFlowError, IntegerError: as for `grad`.

    >>> loss = lambda w, x, y: (tf.tensordot(w, x, axes=1) - y) ** 2
    >>> w, x, y = tf.constant([1.0, 2.0]), tf.constant([[1.0, 0.0], [0.0, 1.0]]), tf.constant([0.0, 1.0])
    >>> per_example_grad(loss)(w, x, y).numpy()
    array([[2., 0.],
           [0., 2.]], dtype=float32)
    """
    check_function(f, "per_example_grad")
    about = wrts.parse(wrt, "per_example_grad")
    named_batch = None if batch is None else _parsed(batch)

    def gradients_of_f(*args: Any, **kwargs: Any) -> Any:
        places = _places(named_batch, about, args)
        examples = _Examples(args, places)
        one = _One(f, about, kwargs, examples)
        if isinstance(about, wrts.Module) and not about.owner.trainable_variables:
            one([stack[0] for stack in examples.stacks])
        stacked = mapped(one, examples.stacks, FEW_EXAMPLES)
        return one.sources.answer(stacked, trees.zeros)

    return named(gradients_of_f, "per_example_grad", f)


class _Examples:
    """The arguments that carry examples: their leaves as stacks, and the arguments of one example."""

    def __init__(self, args: tuple[Any, ...], places: tuple[int, ...]) -> None:
        self._args = args
        self._places = places
        self._leaves = {place: trees.flatten(args[place]) for place in places}
        leaves = [(place, leaf) for place in places for leaf in self._leaves[place] if leaf is not None]
        for place, leaf in leaves:
            _check_dense(leaf, f"args[{place}]")
        self.stacks = [tf.convert_to_tensor(wrts.tensor_of(leaf)) for _, leaf in leaves]
        self._check([f"args[{place}]" for place, _ in leaves])

    def _check(self, names: list[str]) -> None:
        lengths = {stack.shape[0] if stack.shape.rank else None for stack in self.stacks}
        scalars = [name for name, stack in zip(names, self.stacks, strict=True) if stack.shape.rank == 0]
        if not self.stacks:
            raise StructureError(
                f"per_example_grad: no argument carries examples, of {wording.count(len(self._args), 'argument')}",
                "an argument outside wrt whose leaves are all arrays of rank 1 or more, or one that batch= names",
                "tfgrad.per_example_grad(loss)(w, x), x of shape [examples, ...]; or batch= its position",
            )
        if scalars or len(lengths - {None}) > 1:
            shapes = [f"{name} {wording.shape(stack)}" for name, stack in zip(names, self.stacks, strict=True)]
            raise StructureError(
                f"per_example_grad: the arguments with examples are {wording.listing(shapes)}",
                "arguments with a leading axis of examples, of one length",
                "batch= the positions of those that have it",
            )

    def of(self, row: list[tf.Tensor]) -> tuple[Any, ...]:
        """The arguments, each stack replaced by one of its rows."""
        args, left = list(self._args), iter(row)
        for place in self._places:
            one = [None if leaf is None else next(left) for leaf in self._leaves[place]]
            args[place] = trees.rebuild(self._args[place], one)
        return tuple(args)


class _One:
    """The gradients of one example; `sources` are those of the last one, for the structure of the answer."""

    sources: sources.Sources

    def __init__(self, f: Callable[..., Any], about: wrts.About, kwargs: dict[str, Any], examples: _Examples) -> None:
        self._f = f
        self._about = about
        self._kwargs = kwargs
        self._examples = examples

    def __call__(self, row: list[tf.Tensor]) -> list[Any]:
        args = self._examples.of(row)
        asked = sources.asked(self._about, args, self._kwargs, "per_example_grad")
        value, _, recording = sources.recorded(self._f, asked, args, self._kwargs, check_scalar, who="per_example_grad")
        self.sources = recording.sources
        self.sources.check_dense("per_example_grad")
        pairs = zip(recording.gradients(value), self.sources.tensors, strict=True)
        return [tf.zeros_like(tensor) if g is None else g for g, tensor in pairs]


def _check_dense(leaf: Any, path: str) -> None:
    if wording.kind(leaf) == "composite":
        sparse = isinstance(leaf, tf.SparseTensor)
        raise KindError(
            f"per_example_grad: {path} is {wording.describe(leaf)}",
            "dense tensors with a leading axis of examples, rows of one shape",
            "tf.sparse.to_dense(...)" if sparse else "its to_tensor(), and a mask of what is no padding",
        )


def _parsed(batch: Any) -> wrts.Positions:
    about = wrts.parse(batch, "per_example_grad")
    if not isinstance(about, wrts.Positions):
        raise KindError(
            f"per_example_grad: batch is {wording.describe(batch)}", "an int or a tuple of ints", "batch=(1, 2)"
        )
    return about


def _places(batch: wrts.Positions | None, about: wrts.About, args: tuple[Any, ...]) -> tuple[int, ...]:
    if batch is not None:
        return batch.among(len(args), "per_example_grad", "batch")
    asked = about.among(len(args), "per_example_grad") if isinstance(about, wrts.Positions) else ()
    return tuple(i for i, arg in enumerate(args) if i not in asked and _has_rows(arg))


def _has_rows(arg: Any) -> bool:
    leaves = [leaf for leaf in trees.flatten(arg) if leaf is not None]
    return bool(leaves) and all(tf.TensorShape(getattr(leaf, "shape", ())).rank != 0 for leaf in leaves)


def _check_examples(outputs: Sequence[Any], inputs: Sequence[Any]) -> None:
    """Refuse what has no leading axis, or one of another length."""
    lengths = {None if x.shape.rank is None else tuple(x.shape[:1]) for x in [*outputs, *inputs]}
    if () in lengths or len(lengths - {None, (None,)}) > 1:
        raise StructureError(
            f"batch_jacobian: f returned {_shapes(outputs)} from {_shapes(inputs)}",
            "a leading axis of examples, of one length for outputs and inputs",
            "tfgrad.jacobian(f), where f is no function of a batch",
        )


def _shapes(tensors: Sequence[Any]) -> str:
    return wording.listing([wording.describe(tensor) for tensor in tensors])
