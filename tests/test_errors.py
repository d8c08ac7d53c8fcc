"""Errors: how a message is put together, and that each kind is caught by the name a caller expects."""

from __future__ import annotations

import copy
import pickle

import pytest
import tensorflow as tf

import tfgrad as tg
from tfgrad.errors import message

KINDS = [
    (tg.UnconnectedError, ValueError),
    (tg.IntegerError, TypeError),
    (tg.NotScalarError, ValueError),
    (tg.LeftTensorFlowError, TypeError),
    (tg.StructureError, ValueError),
    (tg.KindError, TypeError),
    (tg.GradientProblem, ArithmeticError),
    (tg.GradientMismatch, AssertionError),
]


@pytest.mark.parametrize(("kind", "builtin"), KINDS)
def test_each_error_is_a_grad_error_and_of_a_builtin_kind(kind: type, builtin: type) -> None:
    assert issubclass(kind, tg.GradError)
    assert issubclass(kind, builtin)


def test_the_warning_is_a_user_warning() -> None:
    assert issubclass(tg.GradientWarning, UserWarning)


def test_a_message_has_given_needed_and_try_each_under_its_word() -> None:
    assert message("grad: it is so", "that\nand that", "this\nor this") == (
        "grad: it is so\n  needed  that\n          and that\n  try     this\n          or this"
    )


def test_a_part_that_is_not_given_has_no_line() -> None:
    assert message("only this") == "only this"
    assert str(tg.GradError("only this")) == "only this"


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
def test_an_error_keeps_its_parts_when_pickled_or_copied(kind: type[tg.GradError]) -> None:
    error = kind("given", "needed", "advice")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(twin), twin.given, twin.needed, twin.advice) == (kind, "given", "needed", "advice")


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
def test_an_error_keeps_its_type_and_text_through_autograph(kind: type[tg.GradError]) -> None:
    def f(x: tf.Tensor) -> tf.Tensor:
        raise kind("what was given", "what was needed", "what to type")

    with pytest.raises(kind, match=r"what was given\s+needed  what was needed\s+try     what to type"):
        tf.function(f)(1.0)
