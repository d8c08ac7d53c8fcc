"""Why a gradient is zero: the op nearest to the source that gets a gradient and hands back none.

The search starts at the source, so that of several flat spots on the way the one that counts is named. A call of a
traced function is opened and searched in the same way.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from tfgrad.see.explanation import Reason
from tfgrad.see.numbers import again, cancelling, forward, nonfinite_words, zero_causes, zero_words
from tfgrad.see.numbers.blocked import Blocked, carries
from tfgrad.see.numbers.nonfinite_causes import Blame
from tfgrad.see.numbers.opkinds import STRUCTURAL
from tfgrad.see.numbers.turns import Turn, Turns
from tfgrad.see.question import LeafQuestion
from tfgrad.see.ways.cuts import NUMPY_CALLS

# What counts as zero beside the gradient that came in; a sum of contributions beside the largest of them.
TINY = 1e-7
_CANCELLED = 2e-6
_STEEP = 1e-4
_ROUNDS = 8
_MOST_HOPS = 50
_SHAPES = frozenset({"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"})


def reason(leaf: LeafQuestion) -> Reason:
    """The cause of a gradient that is zero."""
    if leaf.record.blind:
        return leaf.reason("unknown", "unknown", detail=leaf.record.blind)
    turns = again.of_leaf(leaf)
    if turns is None:
        return leaf.reason("unknown", "unknown", detail="The gradient is zero; the steps that led to it were not kept.")
    for _ in range(_ROUNDS):
        found = Search(turns, leaf.ids, leaf.question.target_ids).found()
        closed = found.closed if found is not None else None
        opened = turns.opened(closed) if closed is not None else None
        if opened is None:
            break
        turns = opened
    blame = _nan_met(leaf, turns, found)
    if blame is not None:
        return nonfinite_words.told(leaf, turns, blame, "zero")
    return zero_words.told(leaf, *_behind(leaf, turns, found))


def _nan_met(leaf: LeafQuestion, turns: Turns, found: Blocked | None) -> Blame | None:
    """Who made the NaN at which an op takes its slope as 0, as relu does; None if the values are finite or unknown."""
    if found is None:
        way = turns.upward(leaf.question.target_ids) & turns.downward(leaf.ids)
        broken = [i for i in way if forward.has_nan(turns, i)]
    else:
        of_op = found.kind == "op" and found.closed is None
        broken = [found.input] if of_op and forward.has_nan(turns, found.input) else []
    blame = forward.found(turns, broken) if broken else None
    return blame if blame is not None and blame.cause and blame.turn is not None else None


def _behind(leaf: LeafQuestion, turns: Turns, found: Blocked | None) -> tuple[Turns, Blocked | None]:
    """What made a value 0 and holds back its gradient too, where a slope is 0 only because that value is.

    At the square of a masked value two gradients are 0: that of the square, at 0, and that of the mask.
    """
    if found is None or found.kind != "op" or found.closed is not None or found.input in leaf.ids:
        return turns, found
    zeros = [
        i for i in (found.input, *found.turn.inputs) if (values := turns.array(i)) is not None and not values.any()
    ]
    if not zeros or zero_causes.cause(turns, found).cause != "constant-here":
        return turns, found
    before = again.of_value(turns, zeros[0])
    if before is None or not before.is_zero(leaf.ids, TINY):
        return turns, found
    nearer = Search(before, leaf.ids, zeros[:1]).found()
    if nearer is None or nearer.closed is not None or nearer.kind == "branch":
        return turns, found
    if nearer.kind == "op" and nearer.turn.down[nearer.k] is None:
        return turns, found
    return before, nearer


@dataclass(frozen=True)
class _Look:
    """What one use of a tensor shows: the largest gradient that came in to the op and the largest that came out."""

    turn: Turn
    k: int
    came: float | None
    left: float | None


class Search:
    """The search through the turns of a call, breadth first from the source."""

    def __init__(self, turns: Turns, source: Iterable[int], target: Iterable[int]) -> None:
        self.turns = turns
        self.source, self.target = tuple(source), tuple(target)
        self.alive = turns.upward(self.target)
        self.cuts: list[Blocked] = []
        self.flat: list[Blocked] = []
        self.weakest: tuple[float, Blocked] | None = None
        self.floor = TINY * self._largest()

    def _largest(self) -> float:
        """The largest gradient on the way back to the source."""
        reached: set[int] = set(self.source)
        largest = 0.0
        for turn in self.turns.turns:
            if not reached.isdisjoint(turn.inputs) and not self.alive.isdisjoint(turn.outputs):
                reached.update(turn.outputs)
                largest = max(largest, turn.largest_up or 0.0)
        return largest

    def found(self) -> Blocked | None:
        """The nearest op that lets nothing through; None if there is none to be seen."""
        todo, seen = deque(self.source), set(self.source)
        while todo:
            i = todo.popleft()
            looks = [self._look(turn, k) for turn, k in self.turns.users.get(i, ())]
            looks = [look for look in looks if not self.alive.isdisjoint(look.turn.outputs)]
            if self._cancel(i, looks):
                return self._sum(i, looks)
            if i in self.source and self._differs(looks):
                return None
            for look in looks:
                for output in self._onward(i, look):
                    if output not in seen:
                        seen.add(output)
                        todo.append(output)
            if self.flat:
                return self._structural(self.flat[0])
        if self.weakest is not None and not self.cuts:
            return self.weakest[1]
        return self._first_cut() or self._python() or self._branch()

    def _first_cut(self) -> Blocked | None:
        """The first op that gives no gradient at all; one that only reads the shape tells least."""
        ranked = sorted(self.cuts, key=lambda cut: (cut.turn.op in _SHAPES, cut.turn.order))
        return ranked[0] if ranked and not (ranked[0].turn.op in _SHAPES and self._python()) else None

    def _branch(self) -> Blocked | None:
        """The first branch taken inside a traced function that the source's value was offered to, and not used in."""
        reached = set(self.source)
        for turn in self.turns.turns:
            if reached.isdisjoint(turn.inputs):
                continue
            if turn.kind == "branch":
                k = next(k for k, i in enumerate(turn.inputs) if i in reached)
                return Blocked("branch", turn, k, turn.inputs[k], ())
            reached.update(turn.outputs)
        return None

    def _python(self) -> Blocked | None:
        """The py_function that all ways to the target lead through: it can't be run again, and numbers end there."""
        calls = [
            turn for turn in self.turns.turns if turn.op in NUMPY_CALLS and not self.alive.isdisjoint(turn.outputs)
        ]
        reached, first = set(self.source), None
        for turn in self.turns.turns:
            k = next((k for k, i in enumerate(turn.inputs) if i in reached), None)
            if k is None:
                continue
            if turn in calls:
                first = first or Blocked("op", turn, k, turn.inputs[k], ())
            else:
                reached.update(turn.outputs)
        return first if first is not None and reached.isdisjoint(self.target) else None

    def _look(self, turn: Turn, k: int) -> _Look:
        down = turn.down[k] if k < len(turn.down) else None
        came = math.inf if not turn.finite_up else turn.largest_up
        return _Look(turn, k, came, None if down is None else down.largest if down.finite else math.inf)

    def _cancel(self, i: int, looks: list[_Look]) -> bool:
        """Whether the gradients that come back to a tensor are not zero, but their sum is."""
        parts = [look.left for look in looks if look.left is not None]
        if len([part for part in parts if part > self.floor]) < 2:
            return False
        total = zero_causes.total([(look.turn, look.k) for look in looks])
        return total is not None and total <= _CANCELLED * max(parts)

    def _differs(self, looks: list[_Look]) -> bool:
        """Whether a function that was run again gives a gradient where the first run gave none."""
        return any((look.left or 0.0) > 10 * self.floor and look.turn.order[1] for look in looks)

    def _sum(self, i: int, looks: list[_Look]) -> Blocked:
        uses = tuple((look.turn, look.k) for look in looks if (look.left or 0.0) > self.floor)
        return Blocked("sum", cancelling.meet(self.turns, uses), 0, i, uses)

    def _onward(self, i: int, look: _Look) -> Iterable[int]:
        """The outputs to go on with; what stops here is noted."""
        turn = look.turn
        if turn.is_transparent:
            return turn.outputs
        blocked = Blocked("op", turn, look.k, i, ())
        if look.came is None:
            if not self._carries(turn.outputs) and self._carries((i,)):
                self.cuts.append(blocked)
            return turn.outputs
        if look.left is None:
            if look.k not in turn.skipped and self._carries((i,)) and not _is_value_of_rule(turn, look.k):
                self.cuts.append(blocked)
            return ()
        if look.left > self.floor or look.came <= self.floor:
            return turn.outputs if look.came <= self.floor else self._weak(look, blocked)
        if look.left > _STEEP * look.came:
            return self._weak(look, blocked)
        given = self.turns.array(i)
        self.flat.append(self._emptied(blocked) if given is not None and given.size == 0 else blocked)
        return ()

    def _emptied(self, blocked: Blocked) -> Blocked:
        """The op that picked nothing of what it was given, where an op further on has nothing to work with."""
        i = blocked.input
        for _ in range(_MOST_HOPS):
            turn = self.turns.makers.get(i)
            if turn is None or not turn.inputs:
                break
            full = [k for k, j in enumerate(turn.inputs) if (values := self.turns.array(j)) is not None and values.size]
            if full:
                return Blocked("empty", turn, full[0], turn.inputs[full[0]], ())
            i = turn.inputs[0]
        return blocked

    def _weak(self, look: _Look, blocked: Blocked) -> Iterable[int]:
        """An op that lets a little through: the weakest of them is to blame if no other lets nothing through."""
        ratio = (look.left or 0.0) / (look.came or 1.0)
        if look.turn.op not in STRUCTURAL and (self.weakest is None or ratio < self.weakest[0]):
            self.weakest = (ratio, blocked)
        return look.turn.outputs

    def _carries(self, ids: Iterable[int]) -> bool:
        return any(carries(self.turns, i) for i in ids)

    def _structural(self, blocked: Blocked) -> Blocked:
        """The op to blame where one that only moves values about hands back a zero: what it was moved to."""
        turn, i = blocked.turn, blocked.input
        for _ in range(_MOST_HOPS):
            if turn.op not in STRUCTURAL or zero_causes.sums(self.turns, turn, blocked.k, i):
                return Blocked("op", turn, blocked.k if turn is blocked.turn else self._place(turn, i), i, ())
            later = [
                (user, o)
                for o in turn.outputs
                for user, k in self.turns.users.get(o, ())
                if user.largest_up is not None and not self.alive.isdisjoint(user.outputs)
            ]
            if not later:
                break
            turn, i = min(later, key=lambda pair: pair[0].order)
        return blocked

    def _place(self, turn: Turn, i: int) -> int:
        return turn.inputs.index(i)


def _is_value_of_rule(turn: Turn, k: int) -> bool:
    """Whether an input of a traced custom_gradient is the value itself: the gradient goes to its arguments instead."""
    return (
        turn.op == "IdentityN"
        and "_gradient_op_type" in getattr(turn.graph_op, "node_def", _NoNode).attr
        and (k < len(turn.up) and turn.up[k] is not None)
    )


class _NoNode:
    attr: tuple[str, ...] = ()
