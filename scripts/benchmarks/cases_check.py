"""The check of a Jacobian of a million elements in float64, by tfgrad and by TensorFlow's own checker.

Each gives 1 if TensorFlow's derivatives and the numbers agree, as the Jacobians themselves are not what is wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

import tfgrad as tg
from benchmarks import functions as fn
from benchmarks import inputs
from benchmarks.cases import Call, case
from benchmarks.rows import BY_TENSORFLOW, CHECKED, OURS


def function_and_point() -> tuple[Callable[[tf.Tensor], tf.Tensor], tf.Tensor]:
    matrices, x = ([tf.constant(part, tf.float64) for part in parts] for parts in inputs.of_check())
    return lambda x: fn.layers(matrices, x), x[0]


@case(CHECKED, OURS)
def by_tfgrad() -> Call:
    f, x = function_and_point()
    return lambda: tf.constant(float(tg.check_grads(f, (x,)).ok))


@case(CHECKED, BY_TENSORFLOW)
def by_tensorflow() -> Call:
    f, x = function_and_point()

    def call() -> Any:
        (theirs,), (numbers,) = tf.test.compute_gradient(f, [x])
        return tf.constant(float(abs(theirs - numbers).max() < inputs.AGREE))

    return call
