"""Every fault is found, at the right input and element, with the likely reason."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from wrong_rules import CASES, ruled

import tfgrad


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_derivative_is_found_where_it_is(name: str) -> None:
    case = CASES[name]
    with pytest.raises(tfgrad.GradientMismatch) as caught:
        tfgrad.check_grads(case.f, case.args, order=case.order, wrt=case.wrt, **case.more)
    found = [each for each in caught.value.check.mismatches if each.input == case.input]
    assert found, str(caught.value)
    assert len({each.input for each in caught.value.check.mismatches} - {"cotangent", "tangent"}) <= 1, str(
        caught.value
    )
    assert case.element is None or case.element in [each.element for each in found]
    assert any(case.reason in each.reason for each in found), str(caught.value)


LINEAR = [
    "sign",
    "factor of 2",
    "a ten-thousandth",
    "transposed",
    "missing term",
    "argument of the other",
    "second argument wrong",
    "second argument forgotten",
    "averaged cotangent",
    "one element of five",
    "one element of ten thousand, summed",
    "one element, a ten-thousandth",
    "only where negative",
    "not conjugated",
    "reversed",
    "zero",
    "a dict's leaf",
    "a Variable",
    "mixed scales",
    "mixed scales, summed",
    "beside a kink",
    "steep",
    "several outputs, the small one",
]


@pytest.mark.parametrize("name", LINEAR)
def test_forward_mode_finds_it_alone(name: str) -> None:
    case = CASES[name]
    with pytest.raises(tfgrad.GradientMismatch) as caught:
        tfgrad.check_grads(case.f, case.args, wrt=case.wrt, modes=("fwd",))
    (found,) = caught.value.check.mismatches
    assert found.input == case.input
    assert case.element is None or found.element == case.element
    assert found.mode == "forward"


def test_the_text_says_what_is_wrong() -> None:
    f = ruled(lambda x: x * x, lambda dy, x: -2 * x * dy)
    with pytest.raises(tfgrad.GradientMismatch) as caught:
        tfgrad.check_grads(f, (tf.constant([0.5], tf.float64),))
    lines = str(caught.value).splitlines()
    assert lines[0] == "check_grads: the derivative by args[0] is wrong in reverse mode"
    assert "  element   d output[0] / d args[0][0]" in lines
    assert "  reverse   -1   <- wrong" in lines
    assert any(line.startswith("  numerical 1 +- ") for line in lines)
    assert "  off by    2, relative 2" in lines
    assert "  likely    the sign: minus what it should be" in lines
    assert any(line.startswith("  the rule  grad at wrong_rules.py:") for line in lines)


def test_the_rule_is_found_inside_a_function_that_was_traced_before() -> None:
    inner = tf.function(ruled(lambda x: x * x, lambda dy, x: -2 * x * dy))
    outer = tf.function(lambda x: inner(x) + 1.0)
    x = tf.constant([0.5], tf.float64)
    tfgrad.vjp(outer, x)[1](x)
    with pytest.raises(tfgrad.GradientMismatch) as caught:
        tfgrad.check_grads(outer, (x,))
    (found,) = caught.value.check.mismatches
    assert found.rule.name == "grad"
    assert found.rule.file == "wrong_rules.py"
    assert not tf.config.functions_run_eagerly()


def test_no_internals_stand_in_the_traceback() -> None:
    f = ruled(lambda x: x * x, lambda dy, x: -2 * x * dy)
    with pytest.raises(tfgrad.GradientMismatch) as caught:
        tfgrad.check_grads(f, (tf.constant([0.5], tf.float64),))
    own = [entry for entry in caught.traceback if "tfgrad" in str(entry.path) and "tests" not in str(entry.path)]
    assert [entry.frame.code.name for entry in own] == ["check_grads"]
    assert all(entry.ishidden(caught) for entry in own)
    assert caught.value.__suppress_context__


def test_tensorflows_own_checker_agrees_about_the_values() -> None:
    f = ruled(lambda x: x**3, lambda dy, x: 2 * x**2 * dy)
    x = tf.constant([0.5, -1.0], tf.float64)
    with pytest.raises(tfgrad.GradientMismatch) as caught:
        tfgrad.check_grads(f, (x,))
    (found,) = caught.value.check.mismatches
    theirs, numbers = tf.test.compute_gradient(f, [x])
    index = int(found.element[-2])
    assert found.reverse == pytest.approx(theirs[0][index, index])
    assert found.number == pytest.approx(numbers[0][index, index], rel=1e-5)


def test_variables_are_put_back_also_after_a_mismatch_and_an_exception() -> None:
    variable = tf.Variable([0.5, -1.0])
    calls = []

    def breaks() -> tf.Tensor:
        calls.append(1)
        if len(calls) > 5:
            raise RuntimeError("enough")
        return variable * variable

    with pytest.raises(RuntimeError, match="enough"):
        tfgrad.check_grads(breaks, (), wrt=variable)
    np.testing.assert_array_equal(variable.numpy(), np.float32([0.5, -1.0]))
    with pytest.raises(tfgrad.GradientMismatch):
        tfgrad.check_grads(lambda: tf.stop_gradient(variable) * variable, (), wrt=variable)
    np.testing.assert_array_equal(variable.numpy(), np.float32([0.5, -1.0]))


def test_one_wrong_element_of_a_million_is_found() -> None:
    weights = tf.Variable(tf.random.stateless_normal([1_000_000], [1, 2], dtype=tf.float64))
    mistake = tf.one_hot(654_321, 1_000_000, on_value=1.01, off_value=1.0, dtype=tf.float64)
    f = ruled(lambda x: tf.reduce_sum(tf.sin(x)), lambda dy, x: tf.cos(x) * dy * mistake)
    with pytest.raises(tfgrad.GradientMismatch) as caught:
        tfgrad.check_grads(f, (weights,), modes=("rev",))
    assert caught.value.check.mismatches[0].element == "args[0][654321]"
