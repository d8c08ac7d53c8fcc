"""What is told to whom: each message of `compute`, part by part (given, needed, try)."""

from __future__ import annotations

import pytest
import tensorflow as tf

import tfgrad as tg
from tests.compute import wrong_options, wrong_values
from tests.compute.wrong import Case
from tfgrad.compute import matrices

x3 = tf.constant([1.0, 2.0, 3.0])

CASES = [
    *wrong_values.INTEGERS,
    *wrong_values.TARGETS,
    *wrong_values.ARGUMENTS,
    *wrong_options.POSITIONS,
    *wrong_options.PRODUCTS,
    *wrong_options.EXAMPLES,
    *wrong_options.RULES,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_part_of_the_message_says_its_thing(case: Case) -> None:
    with pytest.raises(case.kind) as caught:
        case.call()
    error = caught.value
    assert case.given in str(error) if not error.needed else case.given in error.given
    assert case.needed in (error.needed or str(error))
    assert case.advice in (error.advice or str(error))
    assert case.needed == "" or "needed" in str(error)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_message_begins_with_the_name_that_was_called(case: Case) -> None:
    with pytest.raises(tg.GradError) as caught:
        case.call()
    if caught.value.needed:
        caller = caught.value.given.partition(":")[0]
        assert caller in {*tg.__all__, "vjp_fn"}


def test_a_list_that_f_takes_for_an_array_is_told_in_a_note() -> None:
    with pytest.raises(TypeError) as caught:
        tg.grad(lambda x: x**2)([1.0, 2.0])
    assert any("args[0] is a list" in note and "tf.constant" in note for note in caught.value.__notes__)


def test_many_traces_from_one_number_are_told_once() -> None:
    scaled = tg.jit(lambda x, n: x * n)
    for n in range(15):
        scaled(x3, n)
    with pytest.warns(tg.GradientWarning, match=r"args\[1\] came with so many values, last the Python int 15"):
        scaled(x3, 15)
    scaled(x3, 16)


def test_modes_are_the_three_that_the_message_names() -> None:
    assert matrices.Mode.__args__ == ("auto", "rev", "fwd")
