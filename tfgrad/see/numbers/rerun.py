"""One op, run again on its own: its outputs, and the gradients at its inputs, from its type and attributes.

Used to look at what ran unseen (inside a tf.function) or was let go. Ops that change state, draw random numbers from
the session's generator or call Python are refused: running them twice would be another program.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import tensorflow as tf

from tfgrad import _tensorflow
from tfgrad.see.ways import probe

Answer = TypeVar("Answer")


class CannotRerun(Exception):
    """The op is unknown here, or running it again would do something."""


@dataclass(frozen=True, eq=False)
class Ran:
    """The outputs of an op that was run, and what it takes to go back through it."""

    outputs: tuple[Any, ...]
    _inputs: tuple[Any, ...]
    _tape: Any

    def back(self, upstream: Sequence[Any]) -> list[Any]:
        """The gradient at each input; None where there is none.

        Args:
            upstream: the gradient at each output, None for one without.

        Raises:
            Exception: whatever TensorFlow's gradient of the op raises.
        """
        given = [(out, up) for out, up in zip(self.outputs, upstream, strict=True) if up is not None]
        if not given:
            return [None] * len(self._inputs)
        outputs, seeds = zip(*given, strict=True)
        found = self._tape.gradient(list(outputs), list(self._inputs), output_gradients=list(seeds))
        return [dense(gradient) for gradient in found]


# Ops marked as stateful that only read, or whose result depends on their inputs alone.
_HARMLESS = frozenset(
    {"StatelessIf", "VarHandleOp", "VariableShape", "LookupTableFindV2", "LookupTableSizeV2", "Assert"}
)
# Ops with a generator of their own: a second run draws other numbers.
RANDOM = frozenset(
    {
        "RandomUniform",
        "RandomUniformInt",
        "RandomStandardNormal",
        "TruncatedNormal",
        "RandomShuffle",
        "RandomGammaGrad",
        "RandomGamma",
        "RandomPoissonV2",
        "Multinomial",
        "ParameterizedTruncatedNormal",
    }
)


def run(op: str, attributes: Mapping[str, Any], inputs: Sequence[Any], *, random: bool = False) -> Ran:
    """The outputs of one op.

    Args:
        op: its type.
        attributes: its attributes by name.
        inputs: its inputs, eager tensors.
        random: whether an op that draws random numbers may be run.

    Raises:
        CannotRerun: it is not known here how to run it, or it has effects.
        Exception: whatever the op raises on these inputs.
    """
    make = getattr(tf.raw_ops, op, None)
    names = _tensorflow.argument_names(op)
    if make is None or names is None or not _is_repeatable(op, random):
        raise CannotRerun(op)
    keywords = _keywords_of(op)
    with tf.GradientTape(persistent=True) as tape:
        # Each input as a tensor of its own: the same one twice has two gradients.
        copies = tuple(tf.identity(each) if carries(each) else each for each in inputs)
        tape.watch([each for each in copies if carries(each)])
        arguments = probe.arguments_of(names, keywords, list(copies))
        wanted = {name: attributes[name] for name in keywords if name in attributes and name not in arguments}
        made = make(**arguments, **wanted)
    outputs = tuple(each for each in tf.nest.flatten(made) if isinstance(each, tf.Tensor))
    return Ran(outputs, copies, tape)


@lru_cache(maxsize=1024)
def _keywords_of(op: str) -> tuple[str, ...]:
    return probe.keywords_of(getattr(tf.raw_ops, op))


@lru_cache(maxsize=1024)
def _is_repeatable(op: str, random: bool) -> bool:
    if op in RANDOM:
        return random
    return op in _HARMLESS or not _tensorflow.is_stateful(op)


def carries(tensor: Any) -> bool:
    """Whether an eager tensor can carry a gradient; a resource's handle is none here."""
    dtype = tensor.dtype
    return bool(dtype.is_floating or dtype.is_complex or dtype == tf.variant)


def dense(gradient: Any) -> Any:
    """A gradient as a plain tensor."""
    return tf.convert_to_tensor(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient


def elsewhere(work: Callable[[], Answer]) -> Answer:
    """What some work answers when done on a thread of its own, where no tape records and nobody listens.

    Raises:
        Exception: what the work raises.
    """
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def do() -> None:
        try:
            answers.append(work())
        # It is raised again on the thread that asked.
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    thread = threading.Thread(target=do, name="tfgrad")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]
