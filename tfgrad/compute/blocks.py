"""The blocks of a Jacobian: for each output tensor and each source, the derivatives `[out..., in...]`.

A recording of f is pulled back for each row of a unit matrix (reverse), or its transpose for each column (forward).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.compute.mapping import FEW_ROWS, Row, mapped
from tfgrad.compute.products import transposable
from tfgrad.compute.sources import Recording, Sources
from tfgrad.compute.targets import Outputs, check_real, tensors_out
from tfgrad.errors import KindError


def real_outputs(y: Any, who: str) -> Outputs:
    """f's nest of outputs, of which a Jacobian is to be had.

    Raises:
        LeftTensorFlowError, NotScalarError, IntegerError, KindError: a leaf is no dense real tensor.
    """
    outputs = tensors_out(y, who)
    for path, leaf in zip(trees.paths(y, "y"), outputs.leaves, strict=True):
        did = "f returned" if path == "y" else f"f returned, at {path},"
        if leaf is not None and not isinstance(leaf, tf.Tensor):
            raise KindError(f"{who}: {did} {wording.describe(leaf)}", "dense tensors", "return its values")
        if leaf is not None:
            check_real(leaf, did, who)
    return outputs


def pulled(recording: Recording, targets: list[tf.Tensor], chunk: int | None = None) -> list[list[Any]]:
    """For each target, the derivatives by each source, or None; a row for each output element."""
    tensors = recording.sources.tensors
    few = _few(targets)
    blocks = []
    for target in targets:
        if _is_empty(target):
            blocks.append([None] * len(tensors))
            continue
        rows = mapped(_pull(recording, target), [_units(target)], few, chunk)
        blocks.append([_reshaped(g, [target, tensor]) for g, tensor in zip(rows, tensors, strict=True)])
    return blocks


def pushed(recording: Recording, targets: list[tf.Tensor], chunk: int | None = None) -> list[list[Any]]:
    """The same as `pulled`, by forward mode: a column for each input element."""
    tensors = recording.sources.tensors
    tape, probes, slopes = transposable(recording, targets)
    few = _few(tensors)
    columns = []
    for slope, tensor in zip(slopes, tensors, strict=True):
        if slope is None or _is_empty(tensor):
            columns.append([None] * len(targets))
            continue

        def pushed_row(row: list[tf.Tensor], slope: Any = slope) -> list[Any]:
            return list(tape.gradient([slope], probes, output_gradients=row))

        rows = mapped(pushed_row, [_units(tensor)], few, chunk)
        columns.append([_turned(g, target, tensor) for g, target in zip(rows, targets, strict=True)])
    return [[column[i] for column in columns] for i in range(len(targets))]


def of_examples(recording: Recording, targets: list[tf.Tensor]) -> list[list[Any]]:
    """For each target `[examples, out...]`, the derivatives of each example by its own input, or None.

    Returns:
        Blocks `[examples, out..., in...]`: one row for an output element serves all examples at once.
    """
    tensors = recording.sources.tensors
    few = _few([target[0] for target in targets if not _is_empty(target)])
    blocks = []
    for target in targets:
        if _is_empty(target):
            blocks.append([None] * len(tensors))
            continue
        units = tf.expand_dims(_units(target[0]), 1)
        units = tf.broadcast_to(units, tf.concat([tf.shape(units)[:1], tf.shape(target)], 0))
        rows = mapped(_pull(recording, target), [units], few)
        swapped = [None if g is None else tf.transpose(g, [1, 0, *range(2, g.shape.rank)]) for g in rows]
        blocks.append([_reshaped(g, [target, tensor], 1) for g, tensor in zip(swapped, tensors, strict=True)])
    return blocks


def by_outputs(outputs: Outputs, sources: Sources, blocks: list[list[Any]], shared: int = 0) -> Any:
    """The nest of the outputs, holding in place of each tensor the nest of `wrt`; zeros where a block is None."""
    answers = []
    left = iter(zip(outputs.targets, blocks, strict=True))
    for leaf in outputs.leaves:
        target, found = (None, None) if leaf is None else next(left)
        answers.append(None if found is None else sources.answer(found, zeros_after(target, shared)))
    return trees.rebuild(outputs.value, answers)


def zeros_after(target: Any, shared: int = 0) -> Callable[[Any], tf.Tensor]:
    """Zeros in the shape of a target followed by that of a source, without the source's first `shared` axes."""
    return lambda source: tf.zeros(_joined([target, source], shared), source.dtype)


def size_of(tensors: Sequence[Any]) -> int | None:
    """How many elements all tensors have together, None where a shape is not known."""
    sizes = [tensor.shape.num_elements() for tensor in tensors]
    return None if None in sizes else sum(sizes)


def _few(tensors: Sequence[Any]) -> int:
    return FEW_ROWS if (size_of(tensors) or 0) <= FEW_ROWS else 0


def _is_empty(tensor: Any) -> bool:
    return bool(tensor.shape.num_elements() == 0)


def _pull(recording: Recording, target: tf.Tensor) -> Row:
    return lambda row: recording.gradients([target], row)


def _units(tensor: Any) -> tf.Tensor:
    """A unit matrix with a row for each element of a tensor, each row in the tensor's shape."""
    size = tensor.shape.num_elements()
    eye = tf.eye(tf.size(tensor) if size is None else size, dtype=tensor.dtype)
    return _reshaped(eye, [eye[0], tensor])


def _turned(rows: Any, target: tf.Tensor, source: Any) -> Any:
    """`[inputs, out...]` as `[out..., in...]`, in the dtype that reverse mode gives."""
    if rows is None:
        return None
    flat = tf.reshape(rows, [tf.size(source), tf.size(target)])
    return _reshaped(tf.cast(tf.transpose(flat), source.dtype), [target, source])


def _reshaped(block: Any, tensors: Sequence[Any], shared: int = 0) -> Any:
    return None if block is None else tf.reshape(block, _joined(tensors, shared))


def _joined(tensors: Sequence[Any], shared: int = 0) -> Any:
    """The shape of the first tensor followed by those of the others, without their first `shared` axes."""
    first, *others = tensors
    static = first.shape
    for other in others:
        static = static.concatenate(other.shape[shared:])
    if static.is_fully_defined():
        return static
    return tf.concat([tf.shape(first), *(tf.shape(other)[shared:] for other in others)], 0)
