"""What to use in place of functions that have no gradient, or a wrong one: an expression that runs, and how it is tried."""

# ruff: noqa: E501  a function a line

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from op_specs.inputs import d


@dataclass(frozen=True)
class Advice:
    """An expression, what there is to say of it, and how it is tried.

    `values` are those of its names, besides the usual `x`, `y` and `t`; its gradient by the name `by` must be there.
    Where `like` is given, another expression, both have the same value, but for `tolerance`.
    """

    code: str
    say: str = ""
    like: str = ""
    tolerance: float = 1e-6
    by: str = "x"
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The line that the table shows."""
        return ", ".join(part for part in (self.code, self.say) if part)

    def names(self) -> dict[str, Any]:
        """What the expression is evaluated with."""
        usual = {
            "x": d(0.3, -1.2, 2.6),
            "y": d(0.7, -0.6, 1.5),
            "t": 0.1,
            "tf": tf,
            "np": np,
            "tnp": tf.experimental.numpy,
        }
        return usual | self.values


_INSTEAD: dict[str, Advice] = {}


def instead() -> dict[str, Advice]:
    """All advice by the name of the function."""
    for name in ("advice_numbers", "advice_networks"):
        importlib.import_module(f"op_specs.{name}")
    return _INSTEAD


def put(
    names: str | Sequence[str],
    code: str,
    say: str = "",
    like: str = "",
    tolerance: float = 1e-6,
    by: str = "x",
    **values: Any,
) -> None:
    """Give some functions, by their names with blanks between, the same advice."""
    for name in names.split() if isinstance(names, str) else names:
        _INSTEAD[name] = Advice(code, say, like, tolerance, by, values)


def drop(name: str) -> None:
    """Take back advice for a name that there is not."""
    del _INSTEAD[name]


def also(*short: str, tnp: bool = True, keras: bool = True) -> str:
    """The names in tf.math, and in the NumPy and Keras modules."""
    return " ".join(
        f"{place}.{name}"
        for name in short
        for place, wanted in (("tf.math", True), ("tf.experimental.numpy", tnp), ("tf.keras.ops", keras))
        if wanted
    )


def straight(whole: str) -> tuple[str, str, str]:
    """The unrounded number's gradient for the rounded one: an expression, what there is to say, and the rounded one."""
    return f"x + tf.stop_gradient({whole} - x)", "which passes the gradient straight through", whole


def value(advice: Advice) -> Any:
    """What the expression gives."""
    return eval(advice.code, advice.names())


def gradient(advice: Advice) -> Any:
    """Its gradient by the name it is tried with."""
    names = advice.names()
    leaves = [
        leaf
        for leaf in tf.nest.flatten(names[advice.by], expand_composites=True)
        if leaf.dtype.is_floating or leaf.dtype.is_complex
    ]
    with tf.GradientTape() as tape:
        tape.watch(leaves)
        found = eval(advice.code, names)
        total = tf.add_n([tf.reduce_sum(tf.math.real(part) ** 2) for part in floats(found)])
    return tape.gradient(total, leaves[0])


def original(advice: Advice) -> Any:
    """What the other expression gives."""
    return eval(advice.like, advice.names())


def floats(nest: Any) -> list[Any]:
    """The floating parts of a nest."""
    parts = [tf.convert_to_tensor(part) for part in tf.nest.flatten(nest, expand_composites=True)]
    return [part for part in parts if part.dtype.is_floating or part.dtype.is_complex]
