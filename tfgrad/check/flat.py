"""The function under test as one map between vectors of real numbers, whatever nest it takes and gives.

`Flat` has its inputs and outputs as `Part`s, a value at any vector, and the two products with its Jacobian as
TensorFlow computes them. Its derivatives are `Flat` again (`Pulled`, `Pushed`), which is how second order is checked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.check.vectors import Part, Vector, length, name_of, part_of, place_of, slices, tensors_of, vector_of
from tfgrad.compute.products import linearize, vjp

Sources = list[Any]
Tensors = list[tf.Tensor]


class Flat(ABC):
    """A map from R^n to R^m, and where it is looked at."""

    inputs: tuple[Part, ...]
    outputs: tuple[Part, ...]
    point: Vector
    order = 1
    other = ""
    """What f gave when it gave other outputs than at first."""
    taped = False
    """Whether the sources are Variables."""

    @abstractmethod
    def run(self, sources: Sources) -> Tensors:
        """The outputs' tensors."""

    @abstractmethod
    def sources(self, vector: Vector) -> Sources:
        """What TensorFlow differentiates by, holding the vector's numbers."""

    def products(self, sources: Sources) -> Products:
        """J^T w and J u there."""
        return (TapedProducts if self.taped else Products)(self, sources)

    @property
    def n(self) -> int:
        """The number of real inputs."""
        return length(self.inputs)

    @property
    def m(self) -> int:
        """The number of real outputs."""
        return length(self.outputs)

    def value(self, vector: Vector, run: Callable[[Sources], Tensors] | None = None) -> Vector:
        """The outputs at a vector; NaN where the function refuses it or gives other shapes there.

        Args:
            vector: the inputs, `[n]`.
            run: another way to run the function, such as a trace of it.
        """
        try:
            found = (run or self.run)(self.sources(vector))
        except (tf.errors.OpError, ValueError, ArithmeticError):
            # A domain's edge: a matrix that is no longer positive definite, an assertion of the user's.
            return np.full(self.m, np.nan)
        if _shapes(found) == self._shapes:
            return vector_of(found)
        first, again = (
            wording.listing([str(list(shape)) for shape in each]) for each in (self._shapes, _shapes(found))
        )
        self.other = f"its outputs had the shapes {first}, then {again}"
        return np.full(self.m, np.nan)

    @property
    def _shapes(self) -> list[tuple[int, ...]]:
        return [part.shape for part in self.outputs]

    def at_point(self) -> Products:
        """The products with the Jacobian at the point of interest."""
        return self.products(self.sources(self.point))


def _shapes(tensors: Tensors) -> list[tuple[int, ...]]:
    return [tuple(tensor.shape) for tensor in tensors]


@dataclass(frozen=True)
class Answer:
    """A product as TensorFlow gave it: zeros where there was None (`missing`), `odd` where shape or dtype is wrong."""

    vector: Vector
    missing: tuple[bool, ...]
    odd: tuple[tuple[int, str], ...] = ()


def answer(found: Sequence[Any], parts: Sequence[Part]) -> Answer:
    """Derivatives beside what they belong to."""
    vector = np.zeros(length(parts))
    odd = []
    for number, (given, part, piece) in enumerate(zip(found, parts, slices(parts), strict=True)):
        if given is None:
            continue
        if tuple(given.shape) != part.shape:
            odd.append((number, f"has shape {list(given.shape)}, and must have that of the input, {list(part.shape)}"))
            continue
        if given.dtype != part.dtype:
            odd.append((number, f"is {given.dtype.name}, and must be {part.dtype.name}"))
        vector[piece] = vector_of([given])
    return Answer(vector, tuple(given is None for given in found), tuple(odd))


class Products:
    """J^T w and J u by tfgrad's vjp and jvp; f runs once, and once more for its linear part if that is asked for."""

    def __init__(self, flat: Flat, sources: Sources) -> None:
        self._flat = flat
        self._sources = sources
        self._pull: Callable[..., Any] | None = None
        self._push: Callable[..., Any] | None = None

    def pull(self, w: Vector) -> Answer:
        """J^T w, by reverse mode."""
        return answer(self.pulled(tensors_of(w, self._flat.outputs)), self._flat.inputs)

    def push(self, u: Vector) -> Answer:
        """J u, by forward mode."""
        return answer(self.pushed(tensors_of(u, self._flat.inputs)), self._flat.outputs)

    def pulled(self, cotangents: Tensors) -> list[Any]:
        """J^T w, a tensor or None for each input."""
        if self._pull is None:
            _, self._pull = vjp(self._on_tensors, *self._sources)
        return list(self._pull(cotangents))

    def pushed(self, tangents: Tensors) -> list[Any]:
        """J u, a tensor or None for each output."""
        if self._push is None:
            _, self._push = linearize(self._on_tensors, *self._sources)
        return list(self._push(*tangents))

    def _on_tensors(self, *tensors: tf.Tensor) -> Tensors:
        return self._flat.run(list(tensors))


class TapedProducts(Products):
    """The same with respect to Variables, or with None told from zero: one tape, and its transpose."""

    def __init__(self, flat: Flat, sources: Sources) -> None:
        super().__init__(flat, sources)
        self._tape = tf.GradientTape(persistent=True, watch_accessed_variables=False)
        with self._tape:
            self._tape.watch(sources)
            self._targets = flat.run(sources)

    def pulled(self, cotangents: Tensors) -> list[Any]:
        """J^T w, a tensor or None for each input."""
        found = self._tape.gradient(self._targets, self._sources, output_gradients=cotangents)
        return [trees.densified(g, source) for g, source in zip(found, self._sources, strict=True)]

    def pushed(self, tangents: Tensors) -> list[Any]:
        """J u, a tensor or None for each output."""
        probes = [tf.ones_like(target) for target in self._targets]
        with tf.GradientTape(watch_accessed_variables=False) as outer:
            outer.watch(probes)
            pulled = self.pulled(probes)
        reached = [(g, v) for g, v in zip(pulled, tangents, strict=True) if g is not None]
        if not reached:
            return [None] * len(probes)
        targets, vectors = zip(*reached, strict=True)
        return list(outer.gradient(list(targets), probes, output_gradients=list(vectors)))


class OfFunction(Flat):
    """A function of tensors."""

    def __init__(self, run: Callable[[Tensors], Tensors], inputs: Sequence[Part], tensors: Tensors) -> None:
        self._run = run
        self.inputs = tuple(inputs)
        self.point = vector_of(tensors)
        self.outputs = ()

    def run(self, sources: Sources) -> Tensors:
        return self._run(sources)

    def sources(self, vector: Vector) -> Sources:
        return list(tensors_of(vector, self.inputs))


class OfVariables(Flat):
    """A function of what Variables hold, which are assigned to; whoever uses it puts their values back."""

    taped = True

    def __init__(self, run: Callable[[], Tensors], inputs: Sequence[Part], variables: Sequence[Any]) -> None:
        self._run = run
        self._variables = list(variables)
        self.inputs = tuple(inputs)
        self.point = vector_of([variable.read_value() for variable in variables])
        self.outputs = ()

    def run(self, sources: Sources) -> Tensors:
        return self._run()

    def sources(self, vector: Vector) -> Sources:
        for variable, tensor in zip(self._variables, tensors_of(vector, self.inputs), strict=True):
            variable.assign(tensor)
        return self._variables


class OneOutput(Flat):
    """One real output of a `Flat`."""

    def __init__(self, base: Flat, place: int) -> None:
        number, _ = place_of(base.outputs, place)
        self.base, self.place = base, place
        self.inputs, self.point = base.inputs, base.point
        self.order, self.taped = base.order, base.taped
        self.outputs = (Part(name_of(base.outputs, place), base.outputs[number].dtype.real_dtype, ()),)

    def run(self, sources: Sources) -> Tensors:
        return self.base.run(sources)

    def sources(self, vector: Vector) -> Sources:
        return self.base.sources(vector)

    def value(self, vector: Vector, run: Callable[[Sources], Tensors] | None = None) -> Vector:
        return self.base.value(vector, run)[[self.place]]

    def products(self, sources: Sources) -> Products:
        return ProductsOfOne(self.base.products(sources), self.base.m, self.place)


class ProductsOfOne(Products):
    """The products for one real output."""

    def __init__(self, base: Products, m: int, place: int) -> None:
        self._base, self._m, self._place = base, m, place

    def pull(self, w: Vector) -> Answer:
        whole = np.zeros(self._m)
        whole[self._place] = w[0]
        return self._base.pull(whole)

    def push(self, u: Vector) -> Answer:
        found = self._base.push(u)
        return Answer(found.vector[[self._place]], (False,))


class Derived(Flat):
    """A derivative of a `Flat`, as a function of where it is taken and of what it is multiplied with."""

    order = 2

    def __init__(self, base: Flat, along: Sequence[Part], beside: Vector, outputs: Sequence[Part]) -> None:
        self.base = base
        self.inputs = (*base.inputs, *along)
        self.outputs = tuple(outputs)
        self.point = np.concatenate([base.point, beside])
        self.taped = base.taped
        self._along = tuple(along)

    def sources(self, vector: Vector) -> Sources:
        n = self.base.n
        return [*self.base.sources(vector[:n]), *tensors_of(vector[n:], self._along)]

    def _zeros_for_none(self, found: Sequence[Any], parts: Sequence[Part]) -> Tensors:
        return [tf.zeros(part.shape, part.dtype) if g is None else g for g, part in zip(found, parts, strict=True)]


class Pulled(Derived):
    """J(x)^T w as a function of x and w."""

    def __init__(self, base: Flat, w: Vector) -> None:
        super().__init__(base, [_named("cotangent", part, base.outputs) for part in base.outputs], w, base.inputs)

    def run(self, sources: Sources) -> Tensors:
        k = len(self.base.inputs)
        return self._zeros_for_none(self.base.products(sources[:k]).pulled(sources[k:]), self.base.inputs)


class Pushed(Derived):
    """J(x) u as a function of x and u."""

    def __init__(self, base: Flat, u: Vector) -> None:
        super().__init__(base, [_named("tangent", part, base.inputs) for part in base.inputs], u, base.outputs)

    def run(self, sources: Sources) -> Tensors:
        k = len(self.base.inputs)
        return self._zeros_for_none(self.base.products(sources[:k]).pushed(sources[k:]), self.base.outputs)


def _named(word: str, part: Part, among: Sequence[Part]) -> Part:
    return Part(word if len(among) == 1 else f"{word} of {part.path}", part.dtype, part.shape)


def outputs_of(tensors: Sequence[tf.Tensor], paths: Sequence[str]) -> tuple[Part, ...]:
    """The parts that some outputs are."""
    return tuple(part_of(path, tensor) for path, tensor in zip(paths, tensors, strict=True))
