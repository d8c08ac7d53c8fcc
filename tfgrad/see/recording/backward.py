"""The steps of one backward pass, held as they are taken, within a budget.

A plain tape frees each activation as it goes back. To keep the peak near that, what lies beyond the budget is looked
at once and let go: only steps that made a gradient zero or not finite keep their tensors, the others their measures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tfgrad import _tensorflow
from tfgrad.see.record import Measure
from tfgrad.see.recording.measuring import measure

_EAGER, _element_count = _tensorflow.EagerTensor, _tensorflow.element_count
BUDGET = 1_000_000  # numbers (4 MB of float32) held before they are looked at


@dataclass(slots=True)
class StepNote:
    """A step with its tensors. `key` is the very attrs tuple, or the note, of the forward event."""

    key: Any
    op: str
    inputs: Any
    outputs: Any
    upstream: Any
    downstream: Any
    skipped: Any
    captured: dict[int, Any] | None = None
    looked_at: bool = False


@dataclass(frozen=True, slots=True)
class SettledStep:
    """A step whose tensors were let go."""

    key: Any
    op: str
    skipped: frozenset[int]
    has_gradient: tuple[bool, ...]
    upstream: tuple[Measure | None, ...]
    downstream: tuple[Measure | None, ...]


class Backward:
    """One backward pass while it runs, and what is kept of it afterwards.

    Args:
        keeps: whether steps are noted at all; a jacobian only has its current one known.
        all_of_it: keep every tensor, whatever the budget.
    """

    __slots__ = ("_all", "_held", "_keeps", "_kept", "current", "steps")

    def __init__(self, keeps: bool, all_of_it: bool) -> None:
        self.steps: list[StepNote | SettledStep] = []
        self.current: tuple[Any, str] | None = None
        self._keeps = keeps
        self._all = all_of_it
        self._held = 0
        self._kept = 0

    def take(self, step: StepNote) -> None:
        """Note a step that was taken."""
        if not self._keeps:
            return
        self.steps.append(step)
        downstream = step.downstream
        for gradient in downstream if downstream.__class__ is list or downstream.__class__ is tuple else (downstream,):
            if gradient.__class__ is _EAGER:
                self._held += _element_count(gradient)
        if self._held > BUDGET and not self._all:
            self._settle()

    def largest_incoming(self) -> float:
        """The largest gradient that came into any step."""
        return max((found.largest for step in self.steps for found in upstream_measures(step) if found), default=0.0)

    def _settle(self) -> None:
        """Look at all steps that still hold their tensors, and let go of those where nothing happened."""
        for k, step in enumerate(self.steps):
            if isinstance(step, SettledStep) or step.looked_at:
                continue
            upstream, downstream = _seen_at_once(step.upstream), _seen_at_once(gradients_of(step.downstream))
            if _is_where_it_happened(upstream, downstream) and self._kept < BUDGET:
                self._kept += sum(found.size for found in downstream if found is not None)
                step.looked_at = True
                continue
            has = tuple(gradient is not None for gradient in gradients_of(step.downstream))
            self.steps[k] = SettledStep(
                step.key, step.op, frozenset(step.skipped or ()), has, tuple(upstream), tuple(downstream)
            )
        self._held = 0


def _is_where_it_happened(upstream: Sequence[Measure | None], downstream: Sequence[Measure | None]) -> bool:
    """Whether a gradient that was fine when it came in was zero or not finite when it left."""
    states = {found.state for found in upstream if found is not None}
    return "ok" in states and any(found.state != "ok" for found in downstream if found is not None)


def _seen_at_once(gradients: Sequence[Any]) -> list[Measure | None]:
    """Measures of what is in the CPU's memory; looking at an accelerator's would make the program wait for it."""
    return [
        measure(gradient) if gradient is not None and _tensorflow.is_on_cpu(gradient) else None
        for gradient in gradients
    ]


def gradients_of(answer: Any) -> Sequence[Any]:
    """What a gradient function answered, as a sequence: some answer a single gradient."""
    return answer if isinstance(answer, (list, tuple)) else (answer,)


def upstream_measures(step: StepNote | SettledStep) -> list[Measure | None]:
    """The measures of the gradients that came in."""
    return list(_measures(step.upstream))


def downstream_measures(step: StepNote | SettledStep) -> list[Measure | None]:
    """The measures of the gradients that went out."""
    return list(_measures(gradients_of(step.downstream)))


def _measures(gradients: Sequence[Any]) -> Iterator[Measure | None]:
    for gradient in gradients:
        yield gradient if gradient is None or isinstance(gradient, Measure) else measure(gradient)
