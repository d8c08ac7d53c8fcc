"""Why a gradient is NaN or infinite: the cause, the line, the element and the numbers; and what is fine after all."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgrad.see.explanation import Reason
from tfgrad.see.tape import Tape


def why(tape: Tape, target: object, source: object) -> Reason:
    tape.gradient(target, source)
    found = tape.explain(target, source).worst
    assert found is not None
    return found


def line(reason: Reason) -> str:
    assert reason.where is not None
    return reason.where.text


def test_the_evidence_is_element_input_upstream_and_slope() -> None:
    x = tf.Variable([4.0, 0.0])
    with Tape() as tape:
        r = tf.sqrt(x)
        y = tf.reduce_sum(3.0 * r)
    found = why(tape, y, x)
    assert (found.symptom, found.cause) == ("nonfinite", "singular-point")
    assert line(found) == "r = tf.sqrt(x)"
    assert "Sqrt at element [1]" in found.detail
    assert "3 * inf = inf" in found.detail


@pytest.mark.parametrize(
    ("f", "point"),
    [
        (tf.norm, [0.0, 0.0]),
        (tf.math.log, [0.0, 1.0]),
        (tf.acos, [1.0, 0.5]),
        (tf.asin, [1.0, 0.5]),
        (tf.acosh, [1.0, 2.0]),
        (tf.math.rsqrt, [0.0, 1.0]),
        (lambda x: x**0.5, [0.0, 1.0]),
        (lambda x: x**x, [0.0, 1.0]),
        (lambda x: 1.0 / x, [0.0, 1.0]),
        (lambda x: x / tf.reduce_sum(x), [0.0, 0.0]),
        (lambda x: tf.atan2(x[0], x[1]), [0.0, 0.0]),
        (tf.math.reduce_std, [2.0, 2.0]),
        (lambda x: x[0] * tf.math.log(x[0]), [0.0, 1.0]),
    ],
)
def test_points_without_a_derivative_are_singular(f, point) -> None:
    x = tf.Variable(point)
    with Tape() as tape:
        y = tf.reduce_sum(f(x))
    assert why(tape, y, x).cause == "singular-point"


@pytest.mark.parametrize(
    "hidden",
    [
        lambda x: tf.where(x > 0.0, tf.math.log(x), 0.0),
        lambda x: tf.where(x > 0.0, 1.0 / x, 0.0),
        lambda x: tf.where(x == 0.0, 1.0, tf.sin(x) / x),
        lambda x: tf.maximum(tf.math.log(x), -20.0),
        lambda x: tf.clip_by_value(1.0 / x, -10.0, 10.0),
        lambda x: tf.boolean_mask(tf.math.log(x), x > 0.0),
        lambda x: tf.pow(x, 0.5) * tf.cast(x > 0.0, tf.float32),
        lambda x: tf.pow(x, 0.5) * tf.constant([0.0, 1.0]),
        lambda x: tf.math.log(x)[1:],
        lambda x: tf.where(x > 0.0, 2.0 * tf.math.log(3.0 * x) + 1.0, 0.0),
    ],
)
def test_what_is_hidden_from_the_value_is_a_where_trap(hidden) -> None:
    x = tf.Variable([0.0, 2.0])
    with Tape() as tape:
        y = tf.reduce_sum(hidden(x))
    assert np.isfinite(float(y))
    found = why(tape, y, x)
    assert (found.symptom, found.cause) == ("nonfinite", "where-trap")
    assert line(found).startswith("lambda x:")
    assert "element [0]" in found.detail


def test_a_where_trap_names_the_branch_and_who_hides_it() -> None:
    x = tf.Variable([0.0, 2.0])
    with Tape() as tape:
        bad = tf.math.log(x)
        y = tf.where(x > 0.0, bad, 0.0)
    found = why(tape, y, x)
    assert line(found) == "bad = tf.math.log(x)"
    assert "0 * inf = nan" in found.detail
    assert "SelectV2 at line" in found.detail


def test_a_zero_that_no_mask_made_is_no_trap() -> None:
    x = tf.Variable([0.0, 1.0])
    with Tape() as tape:
        y = tf.reduce_sum(tf.pow(tf.pow(x, 0.5), 2.0))
    assert why(tape, y, x).cause == "singular-point"


@pytest.mark.parametrize(
    ("f", "point"),
    [
        (lambda x: tf.exp(x) / tf.reduce_sum(tf.exp(x)), [100.0, 1.0]),
        (lambda x: tf.math.log(1.0 + tf.exp(x)), [100.0, 1.0]),
        (lambda x: 1.0 / (1.0 + tf.exp(-x)), [-100.0, 1.0]),
        (lambda x: tf.square(tf.square(x)), [1e20, 1.0]),
        (lambda x: x * 1e30 * 1e30, [1.0, 1.0]),
    ],
)
def test_numbers_too_large_for_their_dtype_overflow(f, point) -> None:
    x = tf.Variable(point)
    with Tape() as tape:
        y = tf.reduce_sum(f(x))
    found = why(tape, y, x)
    assert (found.symptom, found.cause) == ("nonfinite", "overflow")


def test_overflow_says_what_the_dtype_holds() -> None:
    x = tf.Variable([300.0], dtype=tf.float16)
    with Tape() as tape:
        sq = x**2
        y = tf.reduce_sum(sq / tf.reduce_sum(sq))
    found = why(tape, y, x)
    assert found.cause == "overflow"
    assert line(found) == "sq = x**2"
    assert "The largest float16 is 6.55e+04" in found.detail


def test_overflow_on_the_way_back_alone_is_overflow() -> None:
    x = tf.Variable([1.0], dtype=tf.float16)
    with Tape() as tape:
        y = tf.reduce_sum(x * 300.0)
    tape.gradient(y, x, output_gradients=tf.constant(60000.0, tf.float16))
    found = tape.explain(y, x)
    assert (found.symptom, found.cause) == ("nonfinite", "overflow")


def test_data_that_was_nan_is_found_where_it_was_first_used() -> None:
    w, x = tf.Variable([[1.0], [2.0]]), tf.constant([[1.0, np.nan], [1.0, 2.0]])
    with Tape() as tape:
        h = x @ w
        y = tf.reduce_mean(tf.tanh(h))
    found = why(tape, y, w)
    assert found.cause == "nan-input"
    assert line(found) == "h = x @ w"
    assert "1 of 4 numbers" in found.detail
    assert "[0, 1]" in found.detail


def test_weights_that_were_nan_are_found() -> None:
    w = tf.Variable([1.0, np.nan])
    with Tape() as tape:
        y = tf.reduce_sum(tf.sin(w) * 2.0)
    found = why(tape, y, w)
    assert found.cause == "nan-input"
    assert "tf.sin(w)" in line(found)


def test_a_mean_of_nothing_is_told() -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        m = tf.reduce_mean(tf.boolean_mask(x, x > 5.0))
        y = tf.reduce_sum(x) * m
    found = why(tape, y, x)
    assert found.cause == "singular-point"
    assert "no elements" in found.detail


def test_in_a_function_the_line_inside_is_named() -> None:
    @tf.function
    def distance(a):
        squares = tf.reduce_sum(a**2)
        return tf.sqrt(squares)

    x = tf.Variable([0.0, 0.0])
    with Tape() as tape:
        y = distance(x) * 2.0
    found = why(tape, y, x)
    assert found.cause == "singular-point"
    assert line(found) == "return tf.sqrt(squares)"


def test_in_a_loop_of_a_function_a_trap_is_found() -> None:
    @tf.function
    def f(x):
        for _ in tf.range(2):
            x = tf.where(x > 0.0, tf.math.log(x), x)
        return tf.reduce_sum(x)

    x = tf.Variable([0.0, 2.0])
    with Tape() as tape:
        y = f(x)
    found = why(tape, y, x)
    assert found.cause == "where-trap"
    assert line(found).startswith("x = tf.where")


def test_a_second_derivative_is_blamed_on_the_forward_line() -> None:
    x = tf.Variable([0.0, 1.0])
    with Tape() as outer:
        with Tape() as inner:
            y = tf.reduce_sum(x**1.5)
        g = inner.gradient(y, x)
        z = tf.reduce_sum(g)
    found = why(outer, z, x)
    assert found.cause == "singular-point"
    assert line(found) == "y = tf.reduce_sum(x**1.5)"


@pytest.mark.parametrize(
    ("f", "point"),
    [
        (lambda x: tf.where(x > 0.0, tf.math.log(tf.where(x > 0.0, x, 1.0)), 0.0), [0.0, 2.0]),
        (lambda x: tf.sqrt(tf.reduce_sum(x**2) + 1e-12), [0.0, 2.0]),
        (lambda x: tf.math.divide_no_nan(1.0, x), [0.0, 2.0]),
        (lambda x: tf.nn.softplus(x), [500.0, 2.0]),
        (lambda x: tf.nn.softmax(tf.where([True, False], x, -np.inf)) * [1.0, 2.0] + x, [1.0, 2.0]),
        (lambda x: tf.math.xlogy(x, x + 1.0), [0.0, 2.0]),
        (lambda x: tf.where(x > 0.0, tf.sqrt(x), 0.0), [0.0, 2.0]),
    ],
)
def test_what_is_kept_off_the_point_is_fine(f, point) -> None:
    x = tf.Variable(point)
    with Tape() as tape:
        y = tf.reduce_sum(f(x))
    assert why(tape, y, x).symptom == "ok"


def test_a_jacobian_is_explained_by_taking_its_steps_again() -> None:
    x = tf.constant([[0.0, 0.0], [1.0, 2.0]])
    with Tape() as tape:
        tape.watch(x)
        n = tf.norm(x, axis=1, keepdims=True)
        y = n * 2.0
    tape.batch_jacobian(y, x)
    found = tape.explain(y, x).worst
    assert found is not None
    assert found.cause == "singular-point"
    assert line(found) == "n = tf.norm(x, axis=1, keepdims=True)"


def test_a_vectorized_map_shows_the_line_in_its_function() -> None:
    x = tf.Variable([[0.0, 0.0], [1.0, 2.0]])
    with Tape() as tape:
        y = tf.reduce_sum(tf.vectorized_map(lambda row: tf.sqrt(tf.reduce_sum(row**2)), x * 1.0))
    found = why(tape, y, x)
    assert found.cause == "singular-point"
    assert "tf.sqrt" in line(found)


def test_nan_that_nothing_was_kept_of_is_traced_to_the_data() -> None:
    w = tf.Variable([[1.0], [2.0]])
    with Tape() as tape:
        x = tf.transpose(tf.constant([[1.0, np.nan], [1.0, 2.0]]))
        y = tf.reduce_sum(tf.tanh(x @ w))
    assert why(tape, y, w).cause == "nan-input"


def test_nan_in_the_data_is_told_behind_a_relu_that_keeps_only_its_output() -> None:
    layer = keras.layers.Dense(2, activation="relu")
    data = tf.constant([[np.nan, 1.0]])
    with Tape() as tape:
        loss = tf.reduce_sum(layer(data))
    found = why(tape, loss, layer.trainable_variables)
    assert (found.symptom, found.cause) == ("nonfinite", "nan-input")
    assert "assert_all_finite(data, 'data')" in found.advice
