"""Where numbers stopped being finite on the way forward: the first op that made infinity or NaN of finite numbers.

An infinity that is meant, the -inf of a mask, is no fault: the op that makes NaN of it is looked for then.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tfgrad.see.numbers.nonfinite_causes import Blame, judge_forward
from tfgrad.see.numbers.opkinds import MASKING, RECTIFIERS, SMOOTH, STRUCTURAL
from tfgrad.see.numbers.turns import Turn, Turns
from tfgrad.see.ways.cuts import FLOATING, STATEFUL_SOURCES

# Ops that answer a finite number for an infinite one, and so hide where it came from.
_SWALLOWING = frozenset({"RealDiv", "Div", "Reciprocal", "Rsqrt", "Exp", "Softmax", "Sigmoid", "Tanh"})
_PICKING = frozenset({"GatherV2", "GatherNd", "StridedSlice", "Slice"})
_LISTS = ("TensorList", "EmptyTensorList")
_MAKING_LISTS = (
    "TensorListSetItem",
    "TensorListReserve",
    "TensorListFromTensor",
    "TensorListPushBack",
    "EmptyTensorList",
)
_VARIANT = 21  # the dtype's number
_SELECTING = frozenset({"SelectV2", "Select"})
_MOST_HOPS = 200


def found(turns: Turns, broken: Iterable[int]) -> Blame | None:
    """Who is to blame for tensors that are not finite; None if it can't be told."""
    blames, seen = _births(turns, broken)
    sure = [blame for blame in blames if not (blame.cause == "nan-input" and _is_meant(turns, blame, seen))]
    if not sure and not seen:
        return None
    first = min(sure or [_where_nan(turns, seen)], key=lambda blame: blame.order)
    return _masked_whole(turns, first, seen) or _before(turns, first) or first


def is_broken(turns: Turns, i: int) -> bool:
    """Whether a tensor holds NaN or infinity, as far as its value is known."""
    values = turns.array(i)
    return values is not None and not bool(np.isfinite(values).all())


def _births(turns: Turns, broken: Iterable[int]) -> tuple[list[Blame], set[int]]:
    """The ops that made something of finite numbers that is not, and all tensors on the way that are not finite."""
    todo, seen = list(broken), set()
    blames: list[Blame] = []
    while todo:
        i = todo.pop()
        if i in seen:
            continue
        seen.add(i)
        turn = turns.makers.get(i)
        if _is_variant(turns, i) or (turn is not None and turn.op.startswith(_LISTS)):
            # What a list holds was put in one by one.
            given = turn.inputs if turn is not None else ()
            todo += [j for j in given if _is_variant(turns, j) or is_broken(turns, j)]
            continue
        if turn is None or _only_brings(turns, turn):
            blames.append(Blame("nan-input", _first_user(turns, i, seen), 0, i))
            continue
        before = [j for j in _chosen(turns, turn, i) if is_broken(turns, j)] or _unknown(turns, turn, i)
        todo += before
        if not before:
            blames.append(judge_forward(turns, turn, i))
    return blames, seen


def _unknown(turns: Turns, turn: Turn, i: int) -> list[int]:
    """The inputs without a known value that must have brought a NaN: the op makes none of finite numbers."""
    if turn.op not in STRUCTURAL | MASKING and not (turn.op in SMOOTH | RECTIFIERS and has_nan(turns, i)):
        return []
    return [j for j in turn.inputs if _is_float(turns, j) and turns.array(j) is None]


def _only_brings(turns: Turns, turn: Turn) -> bool:
    """Whether an op computes nothing: it reads a Variable, a dataset, a table."""
    if turn.op == "ReadVariableOp" or turn.kind == "variable" or turn.op in STATEFUL_SOURCES:
        return True
    return turn.op != "Cast" and turn.kind == "op" and not any(_is_float(turns, i) for i in turn.inputs)


def _is_variant(turns: Turns, i: int) -> bool:
    maker = turns.makers.get(i)
    spec = turns.spec(i)
    return spec[0] == _VARIANT if spec is not None else maker is not None and maker.op.startswith(_MAKING_LISTS)


def _is_float(turns: Turns, i: int) -> bool:
    spec = turns.spec(i)
    return spec is None or spec[0] in FLOATING


def _first_user(turns: Turns, i: int, seen: set[int]) -> Turn | None:
    users = [turn for turn, _ in turns.users.get(i, ()) if not seen.isdisjoint(turn.outputs)]
    return min(users, key=lambda turn: turn.order, default=turns.makers.get(i))


def _chosen(turns: Turns, turn: Turn, i: int) -> tuple[int, ...]:
    """The inputs that an output's numbers come from; of a select only the branches that were taken."""
    if turn.op not in _SELECTING:
        return turn.inputs
    condition, out = turns.raw(turn.inputs[0]), turns.array(i)
    if condition is None or out is None:
        return turn.inputs
    taken = np.broadcast_to(np.asarray(condition), out.shape) if turn.op == "SelectV2" else np.asarray(condition)
    if taken.shape != out.shape:
        return turn.inputs
    bad = ~np.isfinite(out)
    return tuple(j for j, there in zip(turn.inputs[1:], (taken[bad], ~taken[bad]), strict=True) if there.any())


def _is_meant(turns: Turns, blame: Blame, seen: set[int]) -> bool:
    """Whether an infinite constant was written into the program, such as the -inf of a mask."""
    values = turns.array(blame.input)
    if values is None or bool(np.isnan(values).any()):
        return False
    leaf = turns.record.leaves.get(blame.input)
    if (leaf is not None and leaf.kind == "scalar") or (leaf is None and blame.input < 0 and values.size == 1):
        return True
    mask = set(np.unique(values).tolist())
    born = _where_nan(turns, seen).turn
    return -np.inf in mask and len(mask) <= 2 and born is not None and born.op in ("Softmax", "LogSoftmax", "Mul")


def _where_nan(turns: Turns, seen: set[int]) -> Blame:
    """The first op that made NaN of numbers without one."""
    born = [
        judge_forward(turns, turn, i)
        for i in seen
        if (turn := turns.makers.get(i)) is not None
        and has_nan(turns, i)
        and not any(has_nan(turns, j) for j in turn.inputs)
    ]
    return min(born, key=lambda blame: blame.order, default=Blame("", None, 0, -1))


def has_nan(turns: Turns, i: int) -> bool:
    """Whether a tensor holds NaN, as far as its value is known."""
    values = turns.array(i)
    return values is not None and bool(np.isnan(values).any())


def _masked_whole(turns: Turns, first: Blame, seen: set[int]) -> Blame | None:
    """A softmax over a row of -inf, where the -inf is the logarithm of a mask."""
    if first.turn is None or first.turn.op != "Log" or first.back:
        return None
    born = _where_nan(turns, seen)
    if born.turn is None or born.turn.op not in ("Softmax", "LogSoftmax"):
        return None
    values = turns.array(born.turn.inputs[0])
    if values is None or np.isposinf(values).any():
        return None
    return None if turns.upward(first.turn.inputs) & turns.learnt else born


def _before(turns: Turns, first: Blame) -> Blame | None:
    """The earlier op whose infinity was swallowed: 1 / inf is 0, and the logarithm of that is what broke."""
    if first.turn is None or first.cause == "nan-input":
        return None
    todo = [i for i in first.turn.inputs if not is_broken(turns, i)]
    seen: set[int] = set()
    while todo and len(seen) < _MOST_HOPS:
        i = todo.pop()
        turn = turns.makers.get(i)
        if i in seen or turn is None or turn.kind != "op" or turn.op in MASKING - _PICKING:
            continue
        seen.add(i)
        infinite = _swallowed(turns, turn)
        if infinite:
            births, on_way = _births(turns, infinite)
            real = [each for each in births if each.cause in ("overflow", "singular-point")]
            if real and not _has_masks(turns, births, on_way):
                return min(real, key=lambda blame: blame.order)
        todo += [j for j in turn.inputs if not is_broken(turns, j)]
    return None


def _swallowed(turns: Turns, turn: Turn) -> list[int]:
    """The infinite tensors that an op made finite numbers of; where it picks elements, those behind what it picked."""
    infinite = [j for j in turn.inputs if is_broken(turns, j)]
    if infinite and turn.op in _PICKING:
        made = turns.makers.get(infinite[0])
        infinite = [j for j in made.inputs if is_broken(turns, j)] if made is not None else []
        return infinite if made is not None and made.op in _SWALLOWING else []
    return infinite if turn.op in _SWALLOWING else []


def _has_masks(turns: Turns, births: Iterable[Blame], seen: set[int]) -> bool:
    return any(each.cause == "nan-input" for each in births) or all(
        (values := turns.array(i)) is not None and not np.isnan(values).any() and not np.isposinf(values).any()
        for i in seen
    )
