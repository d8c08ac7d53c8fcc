"""Where a gradient became zero, the verdict on it, and how its numbers and names are put into words.

The vocabulary of `zero_causes`, `zero_factors` and `zero_picks`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfgrad.see.numbers.turns import Turn, Turns
from tfgrad.see.ways.cuts import CARRYING, READS

_MOST_HOPS = 12


@dataclass(frozen=True, eq=False)
class Blocked:
    """Where a gradient became zero: at an op's input ("op"), or in the "sum" of what several uses of a tensor
    got; where nothing was picked ("empty"), or at a "branch" that was not taken."""

    kind: str
    turn: Turn
    k: int
    input: int
    uses: tuple[tuple[Turn, int], ...]

    @property
    def closed(self) -> Turn | None:
        """The function call that has to be opened to tell more, if it is one."""
        return self.turn if self.turn.kind == "function" else None


@dataclass(frozen=True, eq=False)
class Verdict:
    """A cause, the op to look at, what was seen there, and advice that fits better than the cause's own."""

    cause: str
    turn: Turn
    seen: str
    advice: str | None = None


def carries(turns: Turns, i: int) -> bool:
    """Whether a tensor's dtype carries gradients; True for one that was never seen."""
    spec = turns.spec(i)
    return spec is None or spec[0] in CARRYING


def spread(values: np.ndarray) -> str:
    """The range of some numbers in words."""
    return apart(values)[0]


def apart(*several: np.ndarray) -> list[str]:
    """The ranges of some arrays, with as many digits as tell them apart."""
    ranges = [_range(values) for values in several]
    for digits in (6, 9, 17):
        told = [_told(low, high, digits) for low, high in ranges]
        if len(set(told)) == len(set(ranges)):
            break
    return told


def _range(values: np.ndarray) -> tuple[float, float]:
    sizes = np.abs(values) if values.dtype.kind == "c" else values
    # A zero without its sign.
    return float(sizes.min()) + 0.0, float(sizes.max()) + 0.0


def _told(low: float, high: float, digits: int) -> str:
    return f"{low:.{digits}g}" if low == high else f"between {low:.{digits}g} and {high:.{digits}g}"


def dtype_of(values: np.ndarray, turns: Turns, i: int) -> str:
    """The name of a tensor's dtype."""
    import tensorflow as tf

    spec = turns.spec(i)
    return tf.as_dtype(spec[0]).name if spec is not None else str(values.dtype)


def stored(turns: Turns, i: int) -> tuple[str, bool] | None:
    """The name of the Variable that a tensor was read from and whether it is trainable; None if it was not read."""
    read = False
    for _ in range(_MOST_HOPS):
        turn = turns.makers.get(i)
        if turn is None:
            break
        read = read or turn.op in READS or turn.kind == "variable"
        if turn.op not in READS and turn.kind not in ("variable", "alias") and turn.op != "Identity":
            return None
        i = turn.inputs[0]
    leaf = turns.record.leaves.get(i)
    watched = turns.record.tapes[turns.record.tape].watched.get(i)
    variable = watched if watched is not None else leaf.value if leaf is not None and leaf.kind == "variable" else None
    name = getattr(variable, "path", None) or getattr(variable, "name", None)
    if not isinstance(name, str) or name.startswith("Variable"):
        name = ""
    if variable is None:
        # The tape watches all that are trainable.
        return ("", False) if read else None
    return name.removesuffix(":0"), bool(getattr(variable, "trainable", True))
