"""Which cause a NaN or infinity has, from the op where it was born: its values, the gradient that came in, who hid it.

Judged at single elements: the first one that is not finite stands for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfgrad.see.numbers.opkinds import DIVIDING, MASKING, SINGULAR, SMOOTH
from tfgrad.see.numbers.turns import Turn, Turns
from tfgrad.see.numbers.zero_factors import origin

_HIDING = MASKING | {"Relu", "Relu6", "BooleanMask"}
_MOST_HOPS = 60


@dataclass(frozen=True, eq=False)
class Blame:
    """A cause, the turn where it shows, its input by place and number.

    `back`: it broke on the way back. `index` is the element; `hider` the op that kept the bad value out of the target.
    `cause` is empty where the op alone does not tell.
    """

    cause: str
    turn: Turn | None
    k: int
    input: int
    back: bool = False
    index: tuple[int, ...] | None = None
    hider: Turn | None = None
    event: str = ""

    @property
    def order(self) -> tuple[int, int]:
        """When the op ran."""
        return self.turn.order if self.turn is not None else (1 << 60, 0)


def judge_forward(turns: Turns, turn: Turn, output: int) -> Blame:
    """The cause where an op made infinity or NaN of finite numbers."""
    values = turns.array(output)
    index = first_bad(values)
    k = 0
    if turn.op in DIVIDING and len(turn.inputs) == 2:
        bottom = _at(turns.array(turn.inputs[1]), values, index)
        top = _at(turns.array(turn.inputs[0]), values, index)
        k, event = 1, ("0/0" if top == 0 else "division by 0") if bottom == 0 else ""
        return Blame(*("overflow" if bottom else "singular-point", turn, k, turn.inputs[1]), False, index, None, event)
    if turn.op == "Pow" and len(turn.inputs) == 2:
        base = _at(turns.array(turn.inputs[0]), values, index)
        grown = base is not None and base != 0 and values is not None and index is not None and np.isinf(values[index])
        cause = "overflow" if grown else "singular-point"
        return Blame(cause, turn, 0, turn.inputs[0], False, index, None, "")
    if turn.kind == "function":
        return Blame("", turn, 0, output, False, index)
    infinite = values is not None and bool(np.isinf(values).any())
    known = [turns.array(i) for i in turn.inputs if i in turns.values]
    if turn.op in SINGULAR or any(array is not None and not np.isfinite(array).all() for array in known):
        cause = "singular-point"
    else:
        cause = "overflow" if infinite or turn.op in SMOOTH else "singular-point"
    return Blame(
        cause, turn, k, turn.inputs[0] if turn.inputs else output, False, index, None, _met(turns, turn, values)
    )


def _met(turns: Turns, turn: Turn, out: np.ndarray | None) -> str:
    """What met where two infinities, or one and a zero, made NaN; empty where nothing of the kind did."""
    if len(turn.inputs) != 2 or out is None:
        return ""
    index = first_bad(out)
    a, b = (_at(turns.array(i), out, index) for i in turn.inputs)
    if a is None or b is None or index is None or not np.isnan(out[index]):
        return ""
    if turn.op == "Mul" and 0 in (a, b):
        return "0 * inf"
    return "inf - inf" if turn.op in ("AddV2", "Add", "Sub") and np.isinf([a, b]).all() else ""


def judge_back(turns: Turns, turn: Turn, k: int) -> Blame:
    """The cause where an op's gradient broke; without a cause where values were broken before and nobody hid them."""
    down = turn.downstream_array(k)
    index = first_bad(down)
    seen = (turn, k, turn.inputs[k], True, index)
    if turn.kind == "function":
        return Blame("", *seen)
    inner = _broke_in_rule(turns, turn)
    if inner is not None:
        return judge_back(turns, *inner)
    if _hidden(turn, down):
        hider = _hider(turns, turn, index if down is not None and _same_shape(turn, down) else None)
        if hider is not None:
            return Blame("where-trap", *seen, hider, "0 * inf")
    broken = [turns.array(i) for i in (*turn.inputs, *turn.outputs)]
    if any(array is not None and not np.isfinite(array).all() for array in broken):
        return Blame("", *seen)
    zero = _hidden(turn, down)
    base = _at(turns.array(turn.inputs[0]), down, index) if turn.op == "Pow" else None
    if base is not None and abs(base) > 1:
        return Blame("overflow", *seen)
    return Blame(
        "overflow" if turn.op in SMOOTH and not zero else "singular-point", *seen, None, "0 * inf" if zero else ""
    )


def _broke_in_rule(turns: Turns, turn: Turn) -> tuple[Turn, int] | None:
    """The op that broke inside a rule that ran ops again, such as that of tf.recompute_grad."""
    broke = [
        (each, k)
        for each in (turns.during if turn.kind == "custom" else ())
        for k, down in enumerate(each.down)
        if down is not None and not down.finite and each.finite_up
    ]
    return min(broke, key=lambda pair: pair[0].order, default=None)


def first_bad(values: np.ndarray | None) -> tuple[int, ...] | None:
    """The index of the first element that is not finite."""
    if values is None:
        return None
    bad = np.argwhere(~np.isfinite(values))
    return tuple(int(n) for n in bad[0]) if len(bad) else None


def _at(values: np.ndarray | None, like: np.ndarray | None, index: tuple[int, ...] | None) -> float | None:
    """The element of an array that was broadcast to another's shape."""
    if values is None or like is None or index is None:
        return None
    try:
        return float(np.real(np.broadcast_to(values, like.shape)[index]))
    except ValueError:
        return None


def _same_shape(turn: Turn, down: np.ndarray) -> bool:
    upstream = turn.upstream_array()
    return upstream is not None and upstream.shape == down.shape


def _hidden(turn: Turn, down: np.ndarray | None) -> bool:
    """Whether the gradient that came in is exactly 0 wherever the one that went out is not finite."""
    upstream = turn.upstream_array()
    if down is None or upstream is None:
        return False
    if sum(found is not None for found in turn.up) > 1:
        return turn.largest_up == 0
    bad = ~np.isfinite(down)
    try:
        if upstream.size <= down.size:
            return not np.broadcast_to(upstream, down.shape)[bad].any()
        return not upstream[np.broadcast_to(bad, upstream.shape)].any()
    except ValueError:
        return not upstream.any()


def _hider(turns: Turns, turn: Turn, index: tuple[int, ...] | None) -> Turn | None:
    """The op downstream that made the gradient 0, if it is one that picks or masks; followed by element."""
    here = turn
    for _ in range(_MOST_HOPS):
        onward = [
            (user, k)
            for o in here.outputs
            for user, k in turns.users.get(o, ())
            if k < len(user.down) and user.down[k] is not None
        ]
        if not onward:
            return None
        hiding = [user for user, k in onward if _hides(turns, user, k, index)]
        if hiding:
            return hiding[0]
        here, k = min(onward, key=lambda pair: pair[0].order)
        down, upstream = here.downstream_array(k), here.upstream_array()
        if down is not None and upstream is not None:
            if here.kind not in ("alias", "variable") and _stops(down, upstream, index):
                return None
            index = index if down.shape == upstream.shape else None
    return None


def _hides(turns: Turns, user: Turn, k: int, index: tuple[int, ...] | None) -> bool:
    """Whether an op drops what comes in at its k-th input, at an element if that is known."""
    down, upstream = user.downstream_array(k), user.upstream_array()
    if down is None or upstream is None:
        return user.op in _HIDING
    at = down[index] if index is not None and len(index) == down.ndim else None
    if at is not None and at != 0:
        return False
    if not upstream.any():
        return False
    if user.op in _HIDING:
        same = at is not None and upstream.shape == down.shape
        return not same or bool(upstream[index] != 0)
    if at is not None and upstream.shape == down.shape and upstream[index] == 0:
        return False
    if user.op in ("Mul", "MulNoNan", "DivNoNan", "MatMul", "BatchMatMulV2", "Einsum") and len(user.inputs) == 2:
        return origin(turns, user.inputs[1 - k])[0] in ("mask", "data")
    return False


def _stops(down: np.ndarray, upstream: np.ndarray, index: tuple[int, ...] | None) -> bool:
    """Whether the gradient became 0 here, at the element if it is known."""
    if index is not None and down.shape == upstream.shape and len(index) == down.ndim:
        return bool(down[index] == 0 and upstream[index] != 0)
    return bool(not down.any() and upstream.any())
