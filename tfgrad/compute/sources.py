"""What one call is differentiated by, arguments or Variables: the tensors for the tape, and the answer's structure.

The one place where a transform runs f: `recorded` watches the sources, calls f and checks what it gave, under a tape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.compute import floats, primals
from tfgrad.compute import wrt as wrts
from tfgrad.compute.calling import aux_split, call
from tfgrad.compute.primals import Primal
from tfgrad.compute.tapes import recording
from tfgrad.errors import KindError

Missing = Callable[[Any], Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Arguments:
    """Arguments of f as fresh tensors; `single` where the answer is one gradient and not a tuple of them."""

    args: tuple[Any, ...]
    taken: tuple[Primal, ...]
    single: bool
    accessed = False

    @property
    def tensors(self) -> list[tf.Tensor]:
        """What to differentiate by, in the order of the answer's leaves."""
        return [source for primal in self.taken for source in primal.sources]

    def after(self, who: str) -> Arguments:
        """The sources as they stand once f ran."""
        return self

    def answer(self, gradients: Sequence[Any], missing: Missing) -> Any:
        """The structure of `wrt`, from a gradient for each of `tensors`; `missing(leaf)` where there is None."""
        answers = [primal.answer(own, missing) for primal, own in self._shared(gradients)]
        return answers[0] if self.single else tuple(answers)

    def lost(self, gradients: Sequence[Any]) -> list[str]:
        """The paths of the leaves without a gradient."""
        return [path for primal, own in self._shared(gradients) for path in primal.unconnected(own)]

    def check_dense(self, who: str) -> None:
        """Refuse ragged and sparse leaves, which no array of derivatives fits.

        Raises:
            KindError: with the path of the first.
        """
        for primal in self.taken:
            for i, leaf in enumerate(primal.leaves):
                if leaf is not None and not isinstance(leaf, tf.Tensor):
                    raise KindError(
                        f"{who}: {primal.paths[i]} is {wording.describe(leaf)}",
                        "dense tensors, whose shapes make the shape of the answer",
                        "pass its values, and put it together inside f; or tfgrad.grad, tfgrad.vjp, tfgrad.jvp",
                    )

    def _shared(self, gradients: Sequence[Any]) -> list[tuple[Primal, Sequence[Any]]]:
        shares, start = [], 0
        for primal in self.taken:
            end = start + len(primal.sources)
            shares.append((primal, gradients[start:end]))
            start = end
        return shares


@dataclass(frozen=True)
class Closed:
    """Variables that f closes over: a nest of them, or all that a model trains, looked up once f ran."""

    args: tuple[Any, ...]
    about: wrts.Variables | wrts.Module
    tree: Any

    @property
    def accessed(self) -> bool:
        """Whether the tape has to watch what f reads, as the variables are not known before."""
        return isinstance(self.about, wrts.Module)

    @property
    def tensors(self) -> list[Any]:
        """What to differentiate by, in the order of the answer's leaves."""
        return [wrts.tensor_of(variable) for variable in trees.flatten(self.tree)]

    def after(self, who: str) -> Closed:
        """The sources as they stand once f ran."""
        if not isinstance(self.about, wrts.Module):
            return self
        found = Closed(self.args, self.about, self.about.variables(who))
        found.check(who)
        return found

    def check(self, who: str) -> None:
        """Refuse Variables that have no derivative."""
        for variable, name in zip(trees.flatten(self.tree), self._names(), strict=True):
            wrts.check_variable(variable, name, who)

    def check_dense(self, who: str) -> None:
        """Variables are dense."""

    def answer(self, gradients: Sequence[Any], missing: Missing) -> Any:
        """The structure of `wrt`, from a gradient for each of `tensors`; `missing(variable)` where there is None."""
        pairs = zip(self.tensors, gradients, strict=True)
        return trees.rebuild(self.tree, [missing(v) if g is None else trees.densified(g, v) for v, g in pairs])

    def lost(self, gradients: Sequence[Any]) -> list[str]:
        """The names of the Variables without a gradient."""
        return [name for name, g in zip(self._names(), gradients, strict=True) if g is None]

    def _names(self) -> list[str]:
        pairs = zip(trees.flatten(self.tree), trees.paths(self.tree, "wrt"), strict=True)
        return [wording.variable_name(variable) or path for variable, path in pairs]


Sources = Arguments | Closed


def asked(about: wrts.About, args: tuple[Any, ...], kwargs: dict[str, Any], who: str) -> Sources:
    """The sources of one call, as they stand before f runs."""
    if isinstance(about, wrts.Positions):
        places = about.among(len(args), who)
        given = floats.typed([args[place] for place in places], (args, kwargs))
        pairs = zip(places, given, strict=True)
        taken = tuple(primals.primal(arg, f"args[{place}]", who) for place, arg in pairs)
        fresh = list(args)
        for place, primal in zip(places, taken, strict=True):
            fresh[place] = primal.tree
        return Arguments(tuple(fresh), taken, about.single)
    if isinstance(about, wrts.Module):
        return Closed(args, about, [])
    closed = Closed(args, about, about.tree)
    closed.check(who)
    return closed


def every_one(args: tuple[Any, ...], who: str) -> Arguments:
    """All arguments of f as sources, called `primals` in messages."""
    given = floats.typed(list(args), args)
    taken = tuple(primals.primal(arg, f"primals[{i}]", who) for i, arg in enumerate(given))
    return Arguments(tuple(primal.tree for primal in taken), taken, single=False)


@dataclass(frozen=True)
class Recording:
    """The tape that saw f run, and the sources as they stand afterwards."""

    tape: tf.GradientTape
    sources: Sources

    def gradients(self, targets: Any, cotangents: Any = None) -> list[Any]:
        """A dense gradient, or None, for each of the sources' tensors."""
        tensors = self.sources.tensors
        if len(tensors) == 1 and not isinstance(targets, list):
            return [trees.densified(self.tape.gradient(targets, tensors[0]), tensors[0])]
        if not tensors or (isinstance(targets, list) and not targets):
            return [None] * len(tensors)
        found = self.tape.gradient(targets, tensors, output_gradients=cotangents)
        return [trees.densified(g, tensor) for g, tensor in zip(found, tensors, strict=True)]


def recorded(
    f: Callable[..., Any],
    sources: Sources,
    given: tuple[Any, ...],
    kwargs: dict[str, Any],
    check: Callable[[Any, str], T],
    *,
    who: str,
    has_aux: bool = False,
    persistent: bool = False,
) -> tuple[T, Any, Recording]:
    """f's value as `check(value, who)` has it, f's aux, and the recording; `given` are the caller's own arguments."""
    with recording(tf.GradientTape(persistent=persistent, watch_accessed_variables=sources.accessed)) as tape:
        tape.watch(sources.tensors)
        value, aux = aux_split(call(f, sources.args, kwargs, given, who), has_aux, who)
        value = check(value, who)
    return value, aux, Recording(tape, sources.after(who))
