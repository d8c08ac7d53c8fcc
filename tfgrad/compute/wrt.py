"""What to differentiate with respect to: positions of arguments, Variables, or all that a model trains.

Parsed once, when a transform is made, so that a wrong `wrt` is told there. Positions are checked against the
arguments at each call; a model's variables are looked up after f ran, as an unbuilt model has none before.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.errors import IntegerError, KindError, StructureError

_NOT_BY_KEYWORD = {
    "wrt": "keyword arguments are never differentiated",
    "batch": "keyword arguments are the same for every example",
}


@dataclass(frozen=True)
class Positions:
    """Arguments of f, by number; `single` where the answer is one gradient and not a tuple of them."""

    numbers: tuple[int, ...]
    single: bool

    def among(self, count: int, who: str, name: str = "wrt") -> tuple[int, ...]:
        """The positions counted from 0 in a call with so many positional arguments.

        Raises:
            StructureError: one is out of range, or two name the same argument.
        """
        found = tuple(n + count if n < 0 else n for n in self.numbers)
        for n, place in zip(self.numbers, found, strict=True):
            if not 0 <= place < count:
                called = wording.count(count, "positional argument")
                raise StructureError(
                    f"{who}: {name}={self._text()}, but f was called with {called}",
                    f"{name} {_range_text(count)}" if count else "an argument to differentiate",
                    f"pass argument {n} by position: {_NOT_BY_KEYWORD[name]}"
                    if n >= 0
                    else "count from -1, the last positional argument",
                )
        if len(set(found)) < len(found):
            raise StructureError(
                f"{who}: {name}={self._text()} names the same argument twice",
                "each argument at most once",
                f"{name}={tuple(dict.fromkeys(found))}",
            )
        return found

    def _text(self) -> str:
        return str(self.numbers[0] if self.single else self.numbers)


@dataclass(frozen=True)
class Variables:
    """A nest of Variables that f closes over, each counted even if it is not trainable."""

    tree: Any


@dataclass(frozen=True)
class Module:
    """A Keras model or layer, or a tf.Module: its `trainable_variables`, in their order, looked up after each call."""

    owner: Any

    def variables(self, who: str) -> list[Any]:
        """The variables as they stand now.

        Raises:
            StructureError: nothing is trainable.
        """
        found = list(self.owner.trainable_variables)
        if not found:
            raise StructureError(
                f"{who}: {wording.describe(self.owner)} has {_untrained(self.owner)}",
                "something to differentiate with respect to",
                "check `trainable`, and that f calls the model (a Keras model builds its variables when first called)",
            )
        return found


def _untrained(owner: Any) -> str:
    count = len(getattr(owner, "variables", ()))
    if not count:
        return "no trainable variables, even after f ran"
    return f"{wording.count(count, 'variable')}, none of them trainable"


About = Positions | Variables | Module


def parse(wrt: Any, who: str) -> About:
    """What a `wrt` says.

    Raises:
        KindError: it is neither numbers, nor Variables, nor a module.
        StructureError: it is an empty nest.
    """
    if _is_number(wrt):
        return Positions((operator.index(wrt),), single=True)
    if isinstance(wrt, tuple) and all(_is_number(n) for n in wrt):
        return Positions(tuple(operator.index(n) for n in wrt), single=False)
    if _is_variable(wrt):
        return Variables(wrt)
    if not tf.nest.is_nested(wrt):
        if hasattr(wrt, "trainable_variables") and not isinstance(wrt, type):
            return Module(wrt)
        raise KindError(f"{who}: wrt is {wording.describe(wrt)}", _NEEDED, _advice(wrt))
    leaves = trees.flatten(wrt)
    if not leaves:
        raise StructureError(f"{who}: wrt={wrt!r} names nothing", _NEEDED, "wrt=0, the first argument")
    if any(_is_number(leaf) for leaf in leaves):
        mixed = any(_is_variable(leaf) for leaf in leaves)
        raise KindError(
            f"{who}: wrt mixes positions with Variables" if mixed else f"{who}: wrt={wrt!r}",
            "either numbers of arguments (an int or a tuple of ints), or Variables",
            "pass the Variables' values as arguments, or close over them all"
            if mixed
            else f"wrt={tuple(leaves)!r}, a tuple",
        )
    for path, leaf in zip(trees.paths(wrt, "wrt"), leaves, strict=True):
        if not _is_variable(leaf):
            raise KindError(f"{who}: {path} is {wording.describe(leaf)}", _NEEDED, _advice(leaf))
    return Variables(wrt)


def tensor_of(variable: Any) -> Any:
    """The tf.Variable of a Keras 3 variable; anything else as it is."""
    return variable.value if wording.is_keras_variable(variable) else variable


def check_variable(variable: Any, path: str, who: str) -> None:
    """Refuse a Variable whose dtype has no derivatives.

    Raises:
        IntegerError: it is one of integers, bools or strings.
    """
    if not trees.is_differentiable(variable):
        raise IntegerError(
            f"{who}: {path} is {wording.describe(variable)}, and {wording.dtype(variable)} has no derivative",
            "Variables of a floating or complex dtype",
            "make it with a float (tf.Variable(3.0)), or with trainable=False where it only counts",
        )


_NEEDED = (
    "the position of an argument (an int or a tuple of ints), a Variable, a nest of Variables, a model or a module"
)


def _advice(wrt: Any) -> str:
    if wording.kind(wrt) == "function":
        name = wording.function(wrt)
        return f"wrt=0 for the first argument of {name}; functions come first: tfgrad.grad({name})"
    if wording.kind(wrt) in ("tensor", "array", "composite", "float"):
        return "make it an argument of f and give its position, or make it a tf.Variable"
    if wording.kind(wrt) == "str":
        return "the argument's position: names are not looked up"
    return "wrt=0, the first argument"


def _range_text(count: int) -> str:
    return "0" if count == 1 else f"from 0 to {count - 1}"


def _is_number(value: Any) -> bool:
    kind = wording.kind(value)
    return kind == "int" or (kind == "array" and value.dtype.kind in "iu" and value.shape == ())


def _is_variable(value: Any) -> bool:
    return wording.kind(value) in ("variable", "keras variable") or wording.is_keras_variable(value)
