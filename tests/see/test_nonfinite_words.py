"""What is said of NaN and infinities: where they were born, of which numbers, and advice that the dtype can hold."""

import re

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


def hand_made(x, label):
    e = tf.exp(x)
    p = e / tf.reduce_sum(e, axis=1, keepdims=True)
    return -tf.reduce_mean(tf.math.log(tf.gather(p, [label], axis=1)))


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("label", [0, 1])
def test_an_infinity_that_a_division_swallowed_is_named_and_not_the_log_of_its_zero(traced, label) -> None:
    x = tf.Variable([[100.0, 2.0, 3.0]])
    with Tape() as tape:
        y = (tf.function(hand_made) if traced else hand_made)(x, label)
    found = why(tape, y, x)
    assert found.cause == "overflow"
    assert line(found) == "e = tf.exp(x)"
    assert "made inf of 100" in found.detail


def test_an_exponential_that_grew_in_a_sigmoid_by_hand_is_named() -> None:
    x = tf.Variable([-100.0])
    with Tape() as tape:
        p = 1.0 / (1.0 + tf.exp(-x))
        y = -tf.math.log(p)
    found = why(tape, y, x)
    assert found.cause == "overflow"
    assert line(found) == "p = 1.0 / (1.0 + tf.exp(-x))"


def test_where_a_zero_came_from_is_told() -> None:
    x = tf.Variable([[-200.0, 300.0]])
    with Tape() as tape:
        p = tf.nn.softmax(x)
        y = -tf.reduce_sum(tf.math.log(p)[:, 0])
    found = why(tape, y, x)
    assert line(found) == "y = -tf.reduce_sum(tf.math.log(p)[:, 0])"
    assert "The 0 comes from Softmax at line" in found.detail
    assert "between -200 and 300" in found.detail


ROWS = [[0.0, 0.0, -np.inf], [-np.inf, -np.inf, -np.inf]]


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize(
    "masked",
    [
        lambda x: x + tf.constant(ROWS),
        lambda x: x + tf.math.log(tf.constant([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])),
    ],
)
def test_a_softmax_of_a_row_that_is_masked_whole_names_the_row(traced, masked) -> None:
    def policy(x):
        logits = masked(x)
        p = tf.nn.softmax(logits)
        return tf.reduce_sum(p * [[1.0, 2.0, 3.0]])

    x = tf.Variable([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    with Tape() as tape:
        y = (tf.function(policy) if traced else policy)(x)
    found = why(tape, y, x)
    assert found.cause == "singular-point"
    assert line(found) == "p = tf.nn.softmax(logits)"
    assert "All 3 numbers of row [1] are -inf" in found.detail
    assert "unmasked" in found.advice


def test_a_probability_of_zero_times_its_logarithm_is_named_not_the_mask() -> None:
    @tf.function
    def entropy(x):
        logits = tf.where([[True, False, True]], x, -np.inf)
        return -tf.reduce_sum(tf.nn.softmax(logits) * tf.nn.log_softmax(logits))

    x = tf.Variable([[1.0, 1.0, 2.0]])
    with Tape() as tape:
        y = entropy(x)
    found = why(tape, y, x)
    assert found.cause == "singular-point"
    assert "(0 * inf)" in found.detail
    assert "xlogy" in found.advice


def test_a_ratio_that_a_minimum_hides_is_hidden_by_the_minimum() -> None:
    log_ratio = tf.Variable([100.0, 0.0])
    with Tape() as tape:
        ratio = tf.exp(log_ratio)
        gain = ratio * [1.0, -1.0]
        y = tf.reduce_mean(tf.minimum(gain, tf.clip_by_value(ratio, 0.8, 1.2)))
    found = why(tape, y, log_ratio)
    assert found.cause == "where-trap"
    assert "Minimum at line" in found.detail


@pytest.mark.parametrize(
    ("broken", "matrix", "words"),
    [
        (tf.linalg.cholesky, [[1.0, 1.0], [1.0, 1.0]], "smallest eigenvalue is 0"),
        (lambda a: tf.linalg.triangular_solve(a, tf.ones((2, 1))), [[0.0, 0.0], [1.0, 1.0]], "1 of 2 zeros"),
    ],
)
def test_for_a_matrix_its_eigenvalues_are_told_and_no_element(broken, matrix, words) -> None:
    a = tf.Variable(matrix)
    with Tape() as tape:
        y = tf.reduce_sum(broken(a))
    found = why(tape, y, a)
    assert found.cause == "singular-point"
    assert words in found.detail
    assert "diagonal" in found.advice


@pytest.mark.parametrize("dtype", [tf.float16, tf.float32, tf.float64])
@pytest.mark.parametrize(
    ("f", "safe"),
    [
        (tf.sqrt, lambda x, eps: tf.sqrt(x + eps)),
        (tf.math.log, lambda x, eps: tf.math.log(x + eps)),
        (tf.math.rsqrt, lambda x, eps: tf.math.rsqrt(x + eps)),
    ],
)
def test_the_epsilon_of_the_advice_does_not_vanish_in_the_dtype(dtype, f, safe) -> None:
    x = tf.Variable(tf.constant([0.0, 1.0], dtype))
    with Tape() as tape:
        y = tf.reduce_sum(f(x))
    advised = re.search(r"\+ (1e-\d+)", why(tape, y, x).advice)
    assert advised is not None
    with tf.GradientTape() as plain:
        y = tf.reduce_sum(safe(x, float(advised[1])))
    assert np.isfinite(plain.gradient(y, x)).all()


def test_an_epsilon_that_is_zero_in_float16_is_told() -> None:
    x = tf.Variable(tf.zeros(3, tf.float16))
    with Tape() as tape:
        y = tf.sqrt(tf.reduce_sum(x**2) + 1e-12)
    assert "The 1e-12 at this line is 0 in float16." in why(tape, y, x).detail


def test_a_loss_scale_too_large_for_float16_is_advised_on() -> None:
    x = tf.Variable([30.0, 2.0])
    with Tape() as tape:
        h = tf.cast(x, tf.float16)
        y = tf.cast(tf.reduce_mean(h * h), tf.float32) * 2.0**15
    found = why(tape, y, x)
    assert found.cause == "overflow"
    assert "loss scale" in found.advice


@pytest.mark.parametrize(
    ("f", "point", "advised"),
    [
        (tf.sqrt, -1.0, "tf.sqrt(tf.nn.relu(s) + 1e-12)"),
        (lambda x: x**1.5, -1.0, "tf.sign(x) * tf.pow(tf.abs(x) + 1e-12, p)"),
        (tf.sqrt, 0.0, "tf.sqrt(s + 1e-12)"),
    ],
)
def test_a_number_below_zero_gets_other_advice_than_zero(f, point, advised) -> None:
    x = tf.Variable([point, 2.0])
    with Tape() as tape:
        y = tf.reduce_sum(f(x))
    assert advised in why(tape, y, x).advice


def test_weights_that_are_nan_are_named() -> None:
    dense = keras.layers.Dense(2, name="body")
    dense(tf.ones((1, 3)))
    dense.kernel.assign(tf.fill((3, 2), np.nan))
    with Tape() as tape:
        y = tf.reduce_sum(tf.square(dense(tf.ones((1, 3)))))
    found = why(tape, y, dense.bias)
    assert found.cause == "nan-input"
    assert "of 'body/kernel' were not finite" in found.detail
    assert "a step before" in found.advice


@pytest.mark.parametrize("traced", [False, True])
def test_a_target_of_nan_at_finite_gradients_is_noted(traced) -> None:
    def loss(x):
        return tf.reduce_sum(tf.math.log(x))

    x = tf.Variable([-1.0, 2.0])
    with Tape() as tape:
        y = (tf.function(loss) if traced else loss)(x)
    tape.gradient(y, x)
    found = tape.explain(y, x)
    assert found.ok
    assert "The target itself is not finite: singular-point at line" in found.notes[0]
    assert "made nan of -1" in found.notes[0]


def test_a_product_shows_the_ranges_of_what_it_was_given() -> None:
    x = tf.Variable([[3.0, 4.0], [5.0, 6.0]])
    with Tape() as tape:
        h = tf.ones((1, 2))
        for _ in range(60):
            h = h @ x
        y = tf.reduce_sum(h)
    found = why(tape, y, x)
    assert found.cause == "overflow"
    assert "numbers between 3 and 6" in found.detail


@pytest.mark.parametrize(
    "grown",
    [
        lambda w: tf.scan(lambda a, _: a * w * w, tf.range(20.0), initializer=tf.constant(1.0))[-1],
        lambda w: tf.foldl(lambda a, x: a * w * x, tf.fill([20], 50.0), initializer=tf.constant(1.0)),
    ],
)
def test_what_grew_in_a_loop_of_lists_is_found_inside(grown) -> None:
    w = tf.Variable(50.0)
    f = tf.function(lambda: grown(w))
    with Tape() as tape:
        y = f()
    found = why(tape, y, w)
    assert found.cause == "overflow"
    assert "made inf of" in found.detail


def test_noise_that_was_drawn_at_the_border_is_no_mask() -> None:
    x = tf.Variable([1.0, 0.5])
    with Tape(record_values=True) as tape:
        drawn = tf.constant([1.0, 0.5])
        noise = -tf.math.log(-tf.math.log(drawn))
        y = tf.reduce_sum(tf.nn.softmax(x + noise) * [1.0, 2.0])
    found = why(tape, y, x)
    assert found.cause == "singular-point"
    assert line(found) == "noise = -tf.math.log(-tf.math.log(drawn))"


def test_a_logarithm_that_is_weighed_gets_the_advice_for_entropies() -> None:
    x = tf.Variable([[0.0, 1.0]])
    with Tape() as tape:
        y = tf.reduce_sum(x * tf.math.log(x))
    assert "tf.math.xlogy(p, p)" in why(tape, y, x).advice


def test_a_leaf_with_a_fault_of_its_own_is_not_told_of_that_of_another() -> None:
    mean, log_scale = tf.Variable([0.0, 1.0]), tf.Variable([200.0, 1.0])
    with Tape() as tape:
        root = tf.sqrt(mean)
        scale = tf.exp(log_scale)
        y = tf.reduce_sum(root) + tf.reduce_sum(scale)
    tape.gradient(y, [mean, log_scale])
    of_mean, of_scale = tape.explain(y, [mean, log_scale])
    assert (of_mean.cause, line(of_mean)) == ("singular-point", "root = tf.sqrt(mean)")
    assert (of_scale.cause, line(of_scale)) == ("overflow", "scale = tf.exp(log_scale)")


def test_a_leaf_that_a_broken_factor_breaks_has_no_way_to_it() -> None:
    w, x = tf.Variable(1.0), tf.Variable(200.0)
    with Tape() as tape:
        grown = tf.exp(x)
        y = w * grown
    tape.gradient(y, [w, x])
    of_w, of_x = tape.explain(y, [w, x])
    assert line(of_w) == line(of_x) == "grown = tf.exp(x)"
    assert of_w.chain == ()
    assert of_x.chain != ()


def test_a_value_beside_a_broken_softmax_is_told_of_the_softmax() -> None:
    x = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    query, value = tf.Variable(tf.eye(2)), tf.Variable(tf.eye(2))
    with Tape() as tape:
        scores = tf.where([[True, True], [False, False]], x @ query, -np.inf)
        weights = tf.nn.softmax(scores)
        mixed = weights @ (x @ value)
        again = tf.where([[True, True], [False, False]], mixed @ mixed, 0.0)
        y = tf.reduce_sum(mixed) + tf.reduce_sum(again)
    tape.gradient(y, [query, value])
    for found in tape.explain(y, [query, value]):
        assert found.cause == "singular-point"
        assert line(found) == "weights = tf.nn.softmax(scores)"


def test_a_number_beside_a_border_is_told_apart_from_it() -> None:
    x = tf.Variable([1.0000002, 0.5])
    with Tape() as tape:
        y = tf.reduce_sum(tf.acos(x))
    assert "made nan of 1.00000024" in why(tape, y, x).detail
