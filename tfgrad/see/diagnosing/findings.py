"""What came out of every gradient() call while somebody diagnosed, counted by line and leaf; each kind explained once.

Only what is not fine costs anything beyond counting, and what is kept is bounded by the program's text, not by how
long it runs. Whether a finding is a problem is decided afterwards, by `see.verdicts`.
"""

from __future__ import annotations

import gc
import math
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import numpy as np

from tfgrad import _tensorflow, source
from tfgrad.see import reasons
from tfgrad.see.diagnosing.moving import FirstSight, first_sights
from tfgrad.see.explanation import Explanation, Reason
from tfgrad.see.record import Answer
from tfgrad.see.recording import asking
from tfgrad.see.recording.measuring import measure
from tfgrad.see.recording.notes import CallNote
from tfgrad.see.tape import Tape

_MOST_SITES = 500
_MOST_LOOKED_AT = 10_000
_MOST_TALLIES = 1000  # of a line: far more than a model has weights


@dataclass(eq=False)
class Tally:
    """One leaf at one line that got a gradient of one kind ("none", "zero", "nonfinite", "error").

    `first` and `last` are steps: the first gradient() call at that line is step 1; `moment` is the number of the first
    among all calls of the run. `at_nothing` counts the calls whose target was 0, `at_broken` those whose target was
    NaN or infinite. `reason` is None as long as it was not explained; `waiting` explains it when somebody asks.
    """

    index: int
    state: str
    name: str = ""
    is_variable: bool = False
    count: int = 0
    at_nothing: int = 0
    at_broken: int = 0
    first: int = 0
    last: int = 0
    moment: int = 0
    reason: Reason | None = None
    waiting: Callable[[], Reason | None] | None = None

    def came(self, step: int, moment: int) -> None:
        """It came at this step; steps of several threads may be told in any order."""
        self.count += 1
        self.first = min(self.first or step, step)
        self.moment = min(self.moment or moment, moment)
        self.last = max(self.last, step)


@dataclass(eq=False)
class Site:
    """A line with a gradient() call: how often it was called, for how many leaves, and what was not fine."""

    file: str
    line: int
    function: str
    leaves: int = 0
    calls: int = 0
    is_traced: bool = False
    closed: str = ""
    loss_scaled: bool | None = None
    sights: dict[int, FirstSight] = field(default_factory=dict)
    tallies: dict[tuple[object, str], Tally] = field(default_factory=dict)

    def tally(self, leaf: object, index: int, state: str) -> Tally:
        """The tally of a leaf, by its name and place; by its place alone where names never end."""
        if (leaf, state) not in self.tallies and len(self.tallies) >= _MOST_TALLIES:
            leaf = index
        name = str(leaf[0]) if isinstance(leaf, tuple) and leaf[0] else f"sources[{index}]"
        return self.tallies.setdefault((leaf, state), Tally(index, state, name))


class Findings:
    """A watcher that counts; see `see.watching`."""

    def __init__(self, on_none: str, on_nonfinite: str, adds_notes: bool = True) -> None:
        self.on_none = on_none
        self.on_nonfinite = on_nonfinite
        self.adds_notes = adds_notes
        self.active = True
        self.tapes = 0
        self.calls = 0
        self.variables: set[int] = set()
        self.sites: dict[object, Site] = {}
        self.notes: dict[str, None] = {}
        self.lock = threading.RLock()

    def tape_was_made(self) -> None:
        """A tape was made by the program."""
        with self.lock:
            self.tapes += 1

    def gradient_was_answered(self, tape: Tape, note: CallNote, answer: Any) -> None:
        """Count a call, and have explained what is new."""
        if not self.active:
            return
        try:
            if note.traced:
                self._traced(tape, note, answer)
            else:
                self._answered(tape, note)
        # A diagnosis that fails must not take the place of the gradient.
        except Exception as error:  # noqa: BLE001
            self._stumbled(error)

    def gradient_raised(self, tape: Tape, note: CallNote) -> None:
        """Count a call that raised, and have it explained if it is new."""
        if not self.active:
            return
        try:
            site = self.site(note)
            with self.lock:
                step = self.next_step(site)
                assert note.failure is not None
                tally = site.tally(note.failure[0], 0, "error")
                tally.came(step, self.calls)
                is_new = tally.count == 1
            if is_new:
                found = explanation(tape)
                tally.reason = found.worst if found is not None else None
        # As above: the user's own error goes on.
        except Exception as error:  # noqa: BLE001
            self._stumbled(error)

    def _stumbled(self, error: Exception) -> None:
        self.notes[f"a gradient could not be looked at: {type(error).__name__}: {error}"] = None

    def site(self, note: CallNote, nth: int = 0) -> Site:
        """The site of a call, the nth of its tape at its line: in a graph no more than the line is known."""
        if isinstance(note.code, CodeType):
            key: object = (note.code.co_filename, note.code.co_name, note.code.co_firstlineno, note.lasti)
        else:
            key = (note.code, nth)
        found = self.sites.get(key)
        if found is None:
            place = source.position(note.code, note.lasti)
            with self.lock:
                if len(self.sites) >= _MOST_SITES:
                    key = None
                found = self.sites.setdefault(key, Site(place.file, place.line, place.function))
        return found

    def next_step(self, site: Site) -> int:
        """Counts a call at a site; its number."""
        self.calls += 1
        site.calls += 1
        return site.calls

    def _answered(self, tape: Tape, note: CallNote) -> None:
        site = self.site(note)
        with self.lock:
            step = self.next_step(site)
        if tape._blind:
            self.notes[f"what happened could not be seen: {tape._blind}"] = None
        if step <= 2 or len(note.sources) != site.leaves:
            self._first_seen(site, note)
        bad = [(k, state) for k, answer in enumerate(note.answers) if (state := state_of(answer)) != "ok"]
        if target_is_broken(note) and all(state in ("ok", "zero") for _, state in bad):
            self._counted_target(site, tape, note, step)
        if not bad:
            return
        fresh = [tally for k, state in bad if (tally := self._counted(site, note, k, state, step)) is not None]
        if fresh:
            self._explain(tape, fresh)

    def _first_seen(self, site: Site, note: CallNote) -> None:
        leaves = asking.told(note.sources, lambda i: None)
        site.leaves = len(leaves)
        self.variables.update(i for leaf in leaves if leaf.kind.endswith("variable") for i in leaf.ids)
        if not site.sights:
            site.sights = first_sights(leaves)
        target = asking.told(note.target, lambda i: None)
        summed = [leaf for leaf in target if leaf.kind == "tensor" and leaf.shape]
        variables = any(leaf.kind.endswith("variable") for leaf in leaves)
        if summed and variables and note.method == "gradient" and not note.seeded and len(target) == 1:
            shape = list(summed[0].shape or ())
            self.notes[
                f"{spot(site)}: the target has shape {shape}; the gradient is that of the sum of all its elements"
            ] = None

    def _counted(self, site: Site, note: CallNote, k: int, state: str, step: int) -> Tally | None:
        """Counts one leaf; its tally if it is to be explained."""
        if not is_wanted(note, state):
            return None
        leaf = asking.told(note.sources[k : k + 1], lambda i: None)[0]
        with self.lock:
            tally = site.tally((leaf.name, k), k, state)
            tally.is_variable = leaf.kind.endswith("variable")
            tally.came(step, self.calls)
            tally.at_nothing += state == "zero" and step > 1 and target_is_nothing(note)
            tally.at_broken += state == "nonfinite" and target_is_broken(note)
        if state == "nonfinite" and site.loss_scaled is None:
            site.loss_scaled = loss_is_scaled()
        return tally if tally.count == 1 else None

    def _counted_target(self, site: Site, tape: Tape, note: CallNote, step: int) -> None:
        """Counts a target that is NaN at finite gradients, for the first leaf."""
        tally = self._counted(site, note, 0, "nonfinite", step) if note.answers else None
        if tally is not None:
            tally.reason = target_reason(tape)

    def _explain(self, tape: Tape, fresh: Sequence[Tally]) -> None:
        found = explanation(tape)
        if found is None:
            return
        for tally in fresh:
            reason = found.reasons[tally.index]
            tally.reason = reason if reason.symptom == tally.state else None

    def _traced(self, tape: Tape, note: CallNote, answer: Any) -> None:
        from tfgrad.see.diagnosing import tracing

        before = [call for call in tape._notes_of_now().calls if call.tape == note.tape and call.number < note.number]
        site = self.site(note, sum(call.code == note.code for call in before))
        with self.lock:
            site.is_traced = True
            site.calls = site.calls or 0
        self._first_seen(site, note)
        bad = [k for k, found in enumerate(note.answers) if state_of(found) == "none"]
        fresh = [tally for k in bad if (tally := self._counted(site, note, k, "none", 1)) is not None]
        if fresh:
            self._explain(tape, fresh)
        tracing.look(self, site, tape, note, answer)


def spot(site: Site) -> str:
    """File and line of a site."""
    from tfgrad.see import telling

    return f"{telling.file_name(site.file)}:{site.line}"


def state_of(answer: Any) -> str:
    """The state of an answer as it was put down; on a GPU it is looked at now."""
    if not isinstance(answer, Answer):
        return "ok"
    if answer.state == "unseen":
        found = measure(answer.value)
        return found.state if found is not None else "ok"
    return "ok" if answer.state == "symbolic" else answer.state


def target_is_nothing(note: CallNote) -> bool:
    """Whether what was differentiated is 0: nothing is left to learn."""
    numbers = _target_numbers(note)
    return bool(numbers) and not any(np.any(each) for each in numbers)


def target_is_broken(note: CallNote) -> bool:
    """Whether what was differentiated is NaN or infinite, as the log of a number below 0 whose slope is a number."""
    return not all(np.isfinite(each).all() if each.ndim else math.isfinite(each) for each in _target_numbers(note))


def _target_numbers(note: CallNote) -> list[Any]:
    """The numbers of a target; none where there are many, or they are on a GPU."""
    targets = [leaf[2]() if isinstance(leaf, tuple) else leaf.object for leaf in note.target]
    if not all(each.__class__ is _tensorflow.EagerTensor and _tensorflow.is_on_cpu(each) for each in targets):
        return []
    numbers = [_tensorflow.numpy_view(each) for each in targets]
    return numbers if all(each.dtype.kind == "f" and each.size <= _MOST_LOOKED_AT for each in numbers) else []


def is_wanted(note: CallNote, state: str) -> bool:
    """Whether a state says anything: zeros that were asked for, and zeros in a jacobian, don't."""
    if note.unconnected == "zero" or note.method != "gradient":
        return state == "nonfinite" or (state == "none" and note.unconnected == "none")
    return True


def explanation(tape: Tape) -> Explanation | None:
    """The explanation of a tape's last call, None where there is none to be had."""
    try:
        with _tensorflow.unnoticed():
            return tape.explain()
    # What can't be explained is not reported.
    except Exception:  # noqa: BLE001
        return None


def target_reason(tape: Tape) -> Reason | None:
    """Why the target of a tape's last call is not finite; None where that is not known."""
    try:
        with _tensorflow.unnoticed():
            return reasons.of_target(tape)
    # As above.
    except Exception:  # noqa: BLE001
        return None


def loss_is_scaled() -> bool:
    """Whether the program has an optimizer that scales the loss and skips steps whose gradients overflow.

    Source: `keras.optimizers.LossScaleOptimizer` starts at 32768 and overflows on purpose (Keras 3).
    """
    if "keras" not in sys.modules:
        return False
    return any(type(thing).__name__ == "LossScaleOptimizer" for thing in gc.get_objects())
