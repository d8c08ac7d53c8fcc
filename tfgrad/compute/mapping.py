"""A linear map, or a gradient, done for each row of a stack: one by one where rows are few, vectorised where many.

Eagerly `tf.vectorized_map` traces its function at each call, which costs as much as some hundred small gradients;
in a graph, where tracing is paid once, it always wins. Source: measured with TensorFlow 2.21 on two cores.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

FEW_ROWS = 100
FEW_EXAMPLES = 32

Row = Callable[[list[tf.Tensor]], list[Any]]


def mapped(one: Row, stacks: Sequence[tf.Tensor], few: int, chunk: int | None = None) -> list[Any]:
    """`one` of each row of the stacks, the answers stacked likewise; an answer that is always None stays None.

    Args:
        one: takes a row of each stack, `[...]`, and gives a list of tensors and Nones.
        stacks: tensors `[rows, ...]`, at least one.
        few: up to so many rows are done one by one, where that is to be had.
        chunk: so many rows at a time, to bound the memory.
    """
    rows = stacks[0].shape[0]
    if rows == 0:
        return _of_none(one, stacks)
    if rows is None or chunk is None or chunk >= rows:
        return _all_at_once(one, stacks, few, rows)
    if tf.executing_eagerly() and chunk == 1:
        return _one_by_one(one, stacks, rows)
    whole = _traced_once(one) if tf.executing_eagerly() else _Vectorised(one)
    parts = [whole([stack[start : start + chunk] for stack in stacks]) for start in range(0, rows, chunk)]
    return [None if column[0] is None else tf.concat(column, 0) for column in zip(*parts, strict=True)]


def _of_none(one: Row, stacks: Sequence[tf.Tensor]) -> list[Any]:
    """No rows; what one would give is learnt from a row of zeros."""
    answers = one([tf.zeros(stack.shape[1:], stack.dtype) for stack in stacks])
    return [None if answer is None else tf.zeros([0, *answer.shape], answer.dtype) for answer in answers]


def _all_at_once(one: Row, stacks: Sequence[tf.Tensor], few: int, rows: int | None) -> list[Any]:
    if rows is not None and tf.executing_eagerly() and rows <= few:
        return _one_by_one(one, stacks, rows)
    return _Vectorised(one)(stacks)


def _one_by_one(one: Row, stacks: Sequence[tf.Tensor], rows: int) -> list[Any]:
    columns = zip(*(one(row) for row in _split(stacks, rows)), strict=True)
    return [None if column[0] is None else tf.stack(column) for column in columns]


def _split(stacks: Sequence[tf.Tensor], rows: int) -> list[list[tf.Tensor]]:
    return [list(row) for row in zip(*(tf.unstack(stack, rows) for stack in stacks), strict=True)]


# What vectorising says where it can't: at the second derivative of a loop that was traced (TensorFlow 2.21).
_NOT_VECTORISED = ("Required handle data not set", "`dtype` <dtype: 'variant'> is not compatible with 0")


class _Vectorised:
    """`one` over whole stacks. What is None is known only once `one` ran, and a vectorised answer can't hold it."""

    def __init__(self, one: Row) -> None:
        self._one = one
        self._connected: list[bool] = []

    def __call__(self, stacks: Sequence[tf.Tensor]) -> list[Any]:
        try:
            with _unlogged():
                found = tf.vectorized_map(self._dense, list(stacks))
        except (ValueError, TypeError) as error:
            if not any(text in str(error) for text in _NOT_VECTORISED):
                raise
            found = self._in_a_loop(stacks)
        left = list(found)
        return [left.pop(0) if connected else None for connected in self._connected]

    def _in_a_loop(self, stacks: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
        rows = stacks[0].shape[0]
        if tf.executing_eagerly() and rows is not None:
            return [tf.stack(column) for column in zip(*map(self._dense, _split(stacks, rows)), strict=True)]
        # A loop has to know the dtypes beforehand; the graph drops this one row again, as nothing uses it.
        dtypes = [answer.dtype for answer in self._dense([stack[0] for stack in stacks])]
        return tf.map_fn(self._dense, list(stacks), fn_output_signature=dtypes)

    def _dense(self, row: list[tf.Tensor]) -> list[tf.Tensor]:
        answers = self._one(row)
        self._connected = [answer is not None for answer in answers]
        return [answer for answer in answers if answer is not None] or [tf.zeros([])]


@contextmanager
def _unlogged() -> Iterator[None]:
    """What vectorising can't do is raised, and need not be logged too, a screenful an op: often a loop can do it.

    Source: `tensorflow/python/ops/parallel_for/pfor.py` (TensorFlow 2.16 to 2.21).
    """
    thread, logger = threading.get_ident(), tf.get_logger()

    def is_wanted(record: logging.LogRecord) -> bool:
        return record.thread != thread or record.filename != "pfor.py" or record.levelno < logging.ERROR

    logger.addFilter(is_wanted)
    try:
        yield
    finally:
        logger.removeFilter(is_wanted)


def _traced_once(one: Row) -> Callable[[Sequence[tf.Tensor]], list[Any]]:
    vectorised = _Vectorised(one)
    return tf.function(vectorised, autograph=False)
