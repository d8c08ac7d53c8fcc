"""No false complaint: right functions at awkward points, with TensorFlow's own checker as a witness of a few."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf
from right_functions import CASES, FIRST_ORDER_ONLY, d

import tfgrad


@pytest.mark.parametrize("name", CASES)
def test_a_right_derivative_is_not_complained_about(name: str) -> None:
    f, args = CASES[name]
    check = tfgrad.check_grads(f, args)
    assert check.ok
    assert check.modes == ("reverse", "forward")


@pytest.mark.parametrize("name", [name for i, name in enumerate(CASES) if i % 5 == 0 and name not in FIRST_ORDER_ONLY])
def test_right_second_derivatives_are_not_complained_about(name: str) -> None:
    f, args = CASES[name]
    assert tfgrad.check_grads(f, args, order=2).ok


ALARMS = ["log near zero", "steep sine", "a large constant in float32", "relu with a kink nearby"]


@pytest.mark.parametrize("name", ALARMS)
def test_tensorflows_own_checker_is_far_off_where_this_one_is_not(name: str) -> None:
    f, (x,) = CASES[name]
    theirs, numbers = tf.test.compute_gradient(f, [x])
    scale = abs(theirs[0]).max()
    assert not abs(theirs[0] - numbers[0]).max() <= 1e-3 * scale
    assert tfgrad.check_grads(f, (x,)).ok


@pytest.mark.parametrize(
    ("f", "x", "words"),
    [
        (tf.nn.relu, d(0.0, 1.0), "at a kink of output[0] (slope 0 on the left, 1 on the right)"),
        (tf.abs, d(0.0, 1.0), "TensorFlow answers 0"),
        (lambda x: tf.maximum(x, 0.0), d(0.0, 1.0), "TensorFlow answers 1, the slope on the right"),
        (tf.sqrt, d(0.0, 1.0), "at the edge of where output[0] is finite"),
        (lambda x: tf.sign(x - 0.5), d(0.5, 1.0), "output[0] jumps or is singular in args[0][0]"),
    ],
)
def test_a_point_without_a_slope_is_told_and_not_judged(f: Any, x: Any, words: str) -> None:
    check = tfgrad.check_grads(f, (x,))
    assert check.ok
    assert any(words in note for note in check.notes), check.notes


def test_a_symmetric_matrix_is_judged_by_symmetric_changes() -> None:
    f, args = CASES["cholesky"]
    check = tfgrad.check_grads(f, args)
    assert any("args[0] is a symmetric matrix" in note for note in check.notes)


def test_a_mode_that_is_not_to_be_had_is_a_note_unless_it_was_asked_for() -> None:
    x = d(0.5, -1.0)
    assert any(
        "forward mode is not to be had: LookupError" in note for note in tfgrad.check_grads(tf.nn.softsign, (x,)).notes
    )
    with pytest.raises(tfgrad.GradientMismatch, match="raises LookupError"):
        tfgrad.check_grads(tf.nn.softsign, (x,), modes=("rev", "fwd"))


def test_the_same_seed_gives_the_same_check() -> None:
    x = d(0.5, -1.0)
    assert tfgrad.check_grads(tf.sin, (x,), seed=3).to_dict() == tfgrad.check_grads(tf.sin, (x,), seed=3).to_dict()
