"""NaN and zeros that come when a traced `tf.function` runs: one number a gradient is looked at in each step.

Where a number is bad for the first time, the function's inputs, reads and random draws of that very step are copied.
From these, when somebody asks, `see.refilling` computes every value of that step again, and it is explained as if it
had run eagerly. In the step itself nothing is explained, and nothing is run.
"""

from __future__ import annotations

import itertools
import math
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf

from tfgrad import _tensorflow
from tfgrad.see.diagnosing import refilling
from tfgrad.see.diagnosing.findings import Findings, Site, Tally, is_wanted, loss_is_scaled
from tfgrad.see.explanation import Reason
from tfgrad.see.recording import asking
from tfgrad.see.recording.notes import CallNote
from tfgrad.see.tape import Tape

_MOST_COPIES = 4
_MOST_BYTES = 2**29  # where one copy is larger there is no second
_NOTHING = 1e-9  # a gradient whose root mean square is this small is looked at more closely
_lock = threading.Lock()
_numbers = itertools.count(1)
_steps: weakref.WeakValueDictionary[int, Step] = weakref.WeakValueDictionary()


def look(findings: Findings, site: Site, tape: Tape, note: CallNote, answer: Any) -> None:
    """Adds to the graph that is being traced what tells of bad gradients when it runs."""
    closed = _closed()
    if closed:
        site.closed = closed
        return
    gradients = tf.nest.flatten(answer)
    leaves = [k for k, gradient in enumerate(gradients) if gradient is not None and _is_float(gradient)]
    if not leaves:
        return
    graph = tf.compat.v1.get_default_graph()
    step = Step(findings, site, tape, note, leaves, [_size(gradients[k]) for k in leaves])
    with _tensorflow.unnoticed(), _tensorflow.marking(graph, step.was_taken_out), tf.name_scope("diagnosis"):
        squares = [_half_square(gradients[k]) for k in leaves]
        squares.append(_whole([_half_square(target) for target in _targets(note, graph)]))
        step.roots = refilling.roots(graph, tape, note.number)
        number = _kept_with(graph, step)
        wanted = _python(_ran, [number, tf.stack(squares)])
        tensors = step.roots.tensors
        if tensors:
            tf.cond(wanted, lambda: _python(_copied, [number, *tensors]), lambda: False)


def _closed() -> str:
    """Why no Python can be called from the graph that is being traced; empty if it can."""
    if _tensorflow.is_compiled_with_xla():
        return "XLA compiles this function: only None gradients are seen in it, no NaN and no zeros"
    strategy = type(tf.distribute.get_strategy()).__name__
    if strategy.startswith(("ParameterServerStrategy", "TPUStrategy")):
        return f"this runs elsewhere under {strategy}: only None gradients are seen in it, no NaN and no zeros"
    return ""


def _kept_with(graph: Any, step: Step) -> int:
    """The number of a step, which is kept as long as the function that is being traced, and no longer."""
    while hasattr(graph, "outer_graph"):
        graph._tfgrad_steps = (*getattr(graph, "_tfgrad_steps", ()), step)
        graph = graph.outer_graph
    number = next(_numbers)
    _steps[number] = step
    return number


def _python(function: Callable[..., Any], inputs: Sequence[Any]) -> Any:
    """Calls one of the two functions below, in a graph.

    Source: `tf.numpy_function` registers what it calls anew each time, for good (TensorFlow 2.16 to 2.21). These two
    are registered once.
    """
    with _lock:
        token = _tokens()[1][function]
    with tf.device("/device:CPU:0"):
        (wanted,) = tf.raw_ops.PyFunc(input=inputs, token=token, Tout=[tf.bool])
    wanted.set_shape([])
    return wanted


@lru_cache(maxsize=1)
def _tokens() -> tuple[Any, dict[Any, Any]]:
    """What TensorFlow calls the two functions, and the graph that keeps them."""
    with tf.Graph().as_default() as graph:
        called = {function: tf.numpy_function(function, [1, 1], tf.bool).op for function in (_ran, _copied)}
    return graph, {function: op.get_attr("token") for function, op in called.items()}


def _ran(number: Any, squares: Any) -> Any:
    step = _steps.get(int(number))
    return np.False_ if step is None else step.ran(squares)


def _copied(number: Any, *values: Any) -> Any:
    step = _steps.get(int(number))
    return np.False_ if step is None else step.copied(*values)


def _targets(note: CallNote, graph: Any) -> list[Any]:
    """The tensors that are differentiated, as far as a look at them costs nothing."""
    found = [leaf.object for leaf in asking.told(note.target, lambda i: None)]
    return [each for each in found if isinstance(each, tf.Tensor) and _is_float(each) and each.graph is graph]


def _whole(squares: Sequence[Any]) -> Any:
    return tf.add_n(squares) if squares else tf.constant(1.0, tf.float64)


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
    bytes: int = 0
    _new: list[Tally] = field(default_factory=list)

    def was_taken_out(self) -> None:
        """A function compiled by XLA calls the one that this was to look at."""
        self.site.closed = "XLA compiles a function that calls this one: there no NaN and no zeros are seen"

    def ran(self, squares: Any) -> Any:
        """A step was run; whether its values are to be copied."""
        if not self.findings.active:
            return np.False_
        with self.findings.lock:
            fresh = self._fresh(self.findings.next_step(self.site), squares.tolist())
            full = self.copies >= _MOST_COPIES or self.bytes > _MOST_BYTES
            if not fresh or full or not self.roots.tensors:
                return np.False_
            self.copies += 1
            self._new = fresh
        if self.site.loss_scaled is None and any(tally.state == "nonfinite" for tally in fresh):
            self.site.loss_scaled = loss_is_scaled()
        return np.True_

    def _fresh(self, number: int, squares: Sequence[float]) -> list[Tally]:
        """Counts what is bad; the tallies that are to be explained."""
        *of_gradients, of_target = squares
        found = [
            (k, _state(square, size)) for k, square, size in zip(self.leaves, of_gradients, self.sizes, strict=True)
        ]
        bad = [(k, state) for k, state in found if state and is_wanted(self.note, state)]
        if not math.isfinite(of_target) and all(state != "nonfinite" for _, state in bad):
            bad.append((self.leaves[0], "nonfinite"))
        tallies = [self._counted(k, state, number, of_target) for k, state in bad]
        return [tally for tally in tallies if tally.count == 1]

    def _counted(self, k: int, state: str, number: int, of_target: float) -> Tally:
        leaf = asking.told(self.note.sources[k : k + 1], lambda i: None)[0]
        tally = self.site.tally((leaf.name, k), k, state)
        tally.is_variable = leaf.kind.endswith("variable")
        tally.came(number, self.findings.calls)
        tally.at_nothing += state == "zero" and number > 1 and of_target == 0
        tally.at_broken += state == "nonfinite" and not math.isfinite(of_target)
        return tally

    def copied(self, *values: Any) -> Any:
        """The values of this step, which TensorFlow will overwrite."""
        copies = [np.array(value) for value in values]
        self.bytes += sum(copy.nbytes for copy in copies)
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
        self._given: Any = tape, number, roots, values
        self._told = refilling.Told((), None)

    def of(self, tally: Tally) -> Any:
        """A function that gives a leaf's reason, None if nothing is wrong after all."""

        def reason() -> Reason | None:
            if self._given is not None:
                self._told, self._given = refilling.explained(*self._given), None
            if tally.index >= len(self._told.reasons):
                return Reason(tally.name, "unknown", "unknown")
            found = self._told.reasons[tally.index]
            if found.symptom in (tally.state, "unknown"):
                return found
            return self._told.of_target if tally.state == "nonfinite" else None

        return reason
