"""`checkpoint`: a function whose insides are recomputed in the backward pass instead of remembered.

Forward, f runs on detached inputs while tapes pause; backward, it runs again under a tape. The backward pass is made
of ordinary operations, so that it can be differentiated again; `tf.recompute_grad` refuses that (TensorFlow 2.21).
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.compute.calling import call, check_function, left_alone, named
from tfgrad.compute.tapes import paused, recording


@left_alone
def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """f, with the same values and derivatives, which keeps only its arguments until the backward pass and then reruns.

    Args:
        f: any function of nests to a nest of tensors. It runs twice, so what it does besides its value is done twice,
            and random numbers must come from a seed (`tf.random.stateless_uniform`), or the second run differs.
            Derivatives reach its arguments, the trainable Variables it reads, and tensors that it closes over or that
            its object holds as attributes. Memory is saved under the transforms of this package, and in graphs; a
            `tf.GradientTape` of your own that watches Variables still keeps, eagerly, what is computed with them.

    Returns:
        A function that can be differentiated to any order and by `jvp`.

    >>> import tfgrad
    >>> float(tfgrad.grad(tfgrad.grad(checkpoint(lambda x: tf.sin(x) ** 2)))(0.0))
    2.0

    Source: Griewank and Walther, "Evaluating Derivatives", 2nd edition, chapter 12.
    """
    check_function(f, "checkpoint")

    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        run = _Run(f, args, kwargs)
        inputs = run.inputs
        taken = {id(tensor) for tensor in inputs}
        closed = [tf.convert_to_tensor(tensor) for tensor in _held(f) if id(tensor) not in taken]
        kept: list[Any] = []

        @tf.custom_gradient
        def forward(*tensors: tf.Tensor) -> Any:
            with paused():
                y = run([tf.stop_gradient(x) for x in tensors[: len(inputs)]])
            kept.append(y)

            def backward(*cotangents: tf.Tensor, variables: Any = None) -> Any:
                return _again(run, tensors[: len(inputs)], closed, cotangents, variables)

            return _differentiable(y), backward

        found = forward(*inputs, *closed) if inputs or closed else _differentiable_of_nothing(run, kept)
        return _with(kept[-1], found)

    return named(checkpointed, "checkpoint", f)


class _Run:
    """f with its arguments, as a function of the differentiable tensors among them."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._f = f
        self._given = args
        self._tree = (args, kwargs)
        self.inputs = _differentiable(self._tree)

    def __call__(self, tensors: Any) -> Any:
        args, kwargs = _with(self._tree, tensors)
        return call(self._f, args, kwargs, self._given, "checkpoint")


def _again(run: _Run, inputs: Any, closed: list[tf.Tensor], cotangents: Any, variables: Any) -> Any:
    """The gradients by inputs and closed-over tensors, and those by the Variables where there are any."""
    with recording(tf.GradientTape(watch_accessed_variables=False)) as tape:
        fresh = _after(inputs, cotangents)
        sources = [*fresh, *closed, *(variables or [])]
        tape.watch(sources)
        outputs = _differentiable(run(fresh))
    gradients = tape.gradient(outputs, sources, output_gradients=list(cotangents))
    count = len(fresh) + len(closed)
    return gradients[:count] if variables is None else (gradients[:count], gradients[count:])


def _after(inputs: Any, cotangents: Any) -> list[tf.Tensor]:
    """The inputs once more; in a graph made to wait for the cotangents, or all would be recomputed at the start.

    The wait is a factor of one that XLA can't fold: it obeys no control dependencies (TensorFlow 2.21).
    """
    if tf.executing_eagerly():
        return [tf.identity(x) for x in inputs]
    first = tf.cast(tf.math.real(tf.reshape(cotangents[0], [-1])[:1]), tf.float32)
    arrived = tf.cast(tf.reduce_max(first), tf.bool)
    one = tf.stop_gradient(tf.where(tf.equal(arrived, arrived), 1.0, float("nan")))
    return [x * tf.cast(one, x.dtype) for x in inputs]


def _differentiable(tree: Any) -> list[tf.Tensor]:
    return [part for leaf in trees.flatten(tree) for part in _parts(leaf) if _takes_part(part)]


def _with(tree: Any, tensors: Any) -> Any:
    """The nest with its differentiable tensors replaced by others."""
    left = iter(tensors)

    def renewed(leaf: Any) -> Any:
        parts = _parts(leaf)
        if len(parts) == 1 and parts[0] is leaf:
            return next(left) if _takes_part(leaf) else leaf
        return trees.recompose(leaf, [next(left) if _takes_part(part) else part for part in parts])

    return trees.transform(renewed, tree)


def _parts(leaf: Any) -> list[Any]:
    return trees.components(leaf) if wording.kind(leaf) == "composite" else [leaf]


def _takes_part(part: Any) -> bool:
    return isinstance(part, tf.Tensor) and trees.is_differentiable(part)


def _differentiable_of_nothing(run: _Run, kept: list[Any]) -> list[tf.Tensor]:
    """Without a tensor to differentiate by there is nothing to recompute: only Variables could be left."""
    kept.append(run(()))
    return _differentiable(kept[-1])


def _held(f: Any) -> list[tf.Tensor]:
    """The differentiable tensors that a function closes over, or that its object holds."""
    found: dict[int, tf.Tensor] = {}
    seen: set[int] = set()
    waiting = [f]
    while waiting:
        holder = waiting.pop()
        if id(holder) in seen:
            continue
        seen.add(id(holder))
        for value in _contents(holder):
            for leaf in trees.flatten(value):
                if inspect.isroutine(leaf) or isinstance(leaf, functools.partial):
                    waiting.append(leaf)
                for part in _parts(leaf):
                    if _takes_part(part):
                        found[id(part)] = part
    return list(found.values())


def _contents(holder: Any) -> Iterator[Any]:
    if isinstance(holder, functools.partial):
        yield from (holder.func, holder.args, holder.keywords)
    elif inspect.ismethod(holder):
        yield holder.__func__
        yield from _attributes(holder.__self__)
    elif inspect.isfunction(holder):
        yield from _filled(holder.__closure__ or ())
        yield from (holder.__globals__[name] for name in holder.__code__.co_names if name in holder.__globals__)
        yield from holder.__defaults__ or ()
    elif not inspect.isroutine(holder):
        yield from _attributes(holder)


def _filled(cells: Sequence[Any]) -> list[Any]:
    """What closure cells hold; one of a variable that is not set yet holds nothing, and says so by ValueError."""
    found = []
    for cell in cells:
        with contextlib.suppress(ValueError):
            found.append(cell.cell_contents)
    return found


def _attributes(owner: Any) -> list[Any]:
    return [value for value in getattr(owner, "__dict__", {}).values() if not callable(value)]
