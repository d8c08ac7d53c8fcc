"""NaN and zeros that come when a traced `tf.function` runs: one number a gradient is looked at in each step.

Where a number is bad for the first time, the function's inputs, reads and random draws of that very step are copied.
From these, when somebody asks, `see.refilling` computes every value of that step again, and it is explained as if it
had run eagerly. In the step itself nothing is explained, and nothing is run.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from tfgrad import _tensorflow
from tfgrad.see import asking, refilling
from tfgrad.see.explanation import Reason
from tfgrad.see.findings import Findings, Site, Tally, is_wanted, loss_is_scaled
from tfgrad.see.notes import CallNote
from tfgrad.see.tape import Tape

_MOST_COPIES = 4
_NOTHING = 1e-9  # a gradient whose root mean square is this small is looked at more closely
_lock = threading.Lock()


def look(findings: Findings, site: Site, tape: Tape, note: CallNote, answer: Any) -> None:
    """Adds to the graph that is being traced what tells of bad gradients when it runs."""
    if _tensorflow.is_compiled_with_xla():
        site.closed = "XLA compiles this function: only None gradients are seen in it, no NaN and no zeros"
        return
    gradients = tf.nest.flatten(answer)
    leaves = [k for k, gradient in enumerate(gradients) if gradient is not None and _is_float(gradient)]
    if not leaves:
        return
    graph = tf.compat.v1.get_default_graph()
    with _tensorflow.unnoticed(), tf.name_scope("diagnosis"):
        squares = [_half_square(gradients[k]) for k in leaves]
        step = Step(findings, site, tape, note, leaves, [_size(gradients[k]) for k in leaves])
        step.roots = refilling.roots(graph, tape, note.number)
        wanted = tf.numpy_function(step.ran, [tf.stack(squares)], tf.bool)
        wanted.set_shape([])
        tensors = step.roots.tensors
        if tensors:
            tf.cond(wanted, lambda: tf.numpy_function(step.copied, tensors, tf.bool), lambda: False)


def _is_float(gradient: Any) -> bool:
    return bool(gradient.dtype.is_floating or gradient.dtype.is_complex)


def _half_square(gradient: Any) -> Any:
    """Half the sum of squares in one op: NaN, infinite or 0 where the gradient is."""
    values = _values(gradient)
    if values.dtype.is_complex:
        values = tf.abs(values)
    if values.dtype in (tf.float16, tf.bfloat16):
        values = tf.cast(values, tf.float32)
    return tf.cast(tf.nn.l2_loss(values), tf.float64)


def _values(gradient: Any) -> Any:
    """A gradient's numbers as one tensor."""
    if isinstance(gradient, tf.RaggedTensor):
        return gradient.flat_values
    if isinstance(gradient, (tf.IndexedSlices, tf.SparseTensor)):
        return gradient.values
    return tf.convert_to_tensor(gradient)


def _size(gradient: Any) -> int:
    return int(_values(gradient).shape.num_elements() or 1)


@dataclass(eq=False)
class Step:
    """What one traced gradient() call tells when it runs; its two methods are called by TensorFlow, on any thread."""

    findings: Findings
    site: Site
    tape: Tape
    note: CallNote
    leaves: Sequence[int]
    sizes: Sequence[int]
    roots: refilling.Roots = field(default_factory=lambda: refilling.Roots((), ()))
    copies: int = 0
    _new: list[Tally] = field(default_factory=list)

    def ran(self, squares: Any) -> Any:
        """A step was run; whether its values are to be copied."""
        if not self.findings.active:
            return np.False_
        with self.findings.lock:
            number = self.findings.next_step(self.site)
            bad = [
                (k, state)
                for k, square, size in zip(self.leaves, squares.tolist(), self.sizes, strict=True)
                if (state := _state(square, size)) and is_wanted(self.note, state)
            ]
            fresh = [tally for k, state in bad if (tally := self._counted(k, state, number)) is not None]
            if not fresh or self.copies >= _MOST_COPIES or not self.roots.tensors:
                return np.False_
            self.copies += 1
            self._new = fresh
        if self.site.loss_scaled is None and any(tally.state == "nonfinite" for tally in fresh):
            self.site.loss_scaled = loss_is_scaled()
        return np.True_

    def _counted(self, k: int, state: str, number: int) -> Tally | None:
        leaf = asking.told(self.note.sources[k : k + 1], lambda i: None)[0]
        tally = self.site.tally((leaf.name, k), k, state)
        tally.is_variable = leaf.kind.endswith("variable")
        tally.came(number, self.findings.calls)
        return tally if tally.count == 1 else None

    def copied(self, *values: Any) -> Any:
        """The values of this step, which TensorFlow will overwrite."""
        copies = [np.array(value) for value in values]
        with _lock:
            told = _Explained(self.tape, self.note.number, self.roots, copies)
        for tally in self._new:
            tally.waiting = told.of(tally)
        return np.True_


def _state(half_square: float, size: int) -> str:
    if not math.isfinite(half_square):
        return "nonfinite"
    return "zero" if math.sqrt(2 * half_square / size) < _NOTHING else ""


class _Explained:
    """The explanation of one step that ran, made when the first leaf of it is asked for."""

    def __init__(self, tape: Tape, number: int, roots: refilling.Roots, values: Sequence[Any]) -> None:
        self._given = tape, number, roots, values
        self._reasons: Sequence[Reason] | None = None

    def of(self, tally: Tally) -> Any:
        """A function that gives a leaf's reason, None if nothing is wrong after all."""

        def reason() -> Reason | None:
            if self._reasons is None:
                self._reasons = refilling.explained(*self._given)
            found = self._reasons[tally.index] if tally.index < len(self._reasons) else None
            return found if found is not None and found.symptom == tally.state else None

        return reason
