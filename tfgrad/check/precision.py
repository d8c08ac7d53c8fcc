"""To what a function's numbers are rounded: the steps and the tolerance that this asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf

from tfgrad.check.flat import Flat
from tfgrad.check.numbers import BRAIN, DOUBLE, HALF, SINGLE, Ladder

_BITS = {tf.bfloat16: 8, tf.float16: 11, tf.float32: 24, tf.float64: 53}
_LADDERS = {tf.bfloat16: BRAIN, tf.float16: HALF, tf.float32: SINGLE, tf.float64: DOUBLE}
_RTOL = {DOUBLE: 1e-6, SINGLE: 2e-3, HALF: 5e-2, BRAIN: 2e-1}
_NEAR = {DOUBLE: 1e-9, SINGLE: 3e-5, HALF: 2e-2, BRAIN: 1e-1}


def ladder(dtypes: Iterable[tf.DType]) -> Ladder:
    """The steps for the narrowest of some dtypes."""
    real = {dtype.real_dtype for dtype in dtypes} & _BITS.keys()
    return _LADDERS[min(real, key=lambda dtype: _BITS[dtype])] if real else DOUBLE


def tolerances(chosen: Ladder) -> tuple[float, float]:
    """What an element may be off by, relative, and what a sum over many may."""
    return _RTOL[chosen], _NEAR[chosen]


def rounds_to(flat: Flat) -> tf.DType | None:
    """The narrowest dtype to which wider numbers are cast inside, None if none or the function can't be traced."""
    try:
        graph = tf.function(flat.run, autograph=False).get_concrete_function(flat.sources(flat.point)).graph
    except Exception:  # noqa: BLE001  whatever a function does that can't be traced
        return None
    found = [to for source, to in _casts(graph.as_graph_def()) if _BITS[to] < _BITS[source]]
    return min(found, key=lambda dtype: _BITS[dtype], default=None)


def _casts(graph: Any) -> Iterator[tuple[tf.DType, tf.DType]]:
    bodies = [graph.node, *(function.node_def for function in graph.library.function)]
    for node in (node for body in bodies for node in body):
        if node.op == "Cast":
            source, to = (tf.as_dtype(node.attr[name].type).real_dtype for name in ("SrcT", "DstT"))
            if source in _BITS and to in _BITS:
                yield source, to
