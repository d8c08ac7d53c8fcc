"""What is said of a zero gradient: what made it so further up, by which numbers, whether there is anything to mend."""

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


def test_a_second_derivative_of_relu_says_that_relu_is_straight() -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as outer:
        with Tape() as inner:
            y = tf.reduce_sum(tf.nn.relu(3.0 * x))
        slope = inner.gradient(y, x)
        loss = tf.reduce_sum(slope**2)
    found = why(outer, loss, x)
    assert found.cause == "piecewise-constant"
    assert line(found) == "y = tf.reduce_sum(tf.nn.relu(3.0 * x))"
    assert "straight pieces" in found.detail
    assert "tf.nn.softplus" in found.advice


def test_a_pinn_with_relu_is_told_of_relu_at_each_weight_that_gets_zeros() -> None:
    model = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)])
    points = tf.random.stateless_normal((5, 1), [1, 2])
    model(points)
    with Tape() as tape:
        with Tape() as second:
            second.watch(points)
            with Tape() as first:
                first.watch(points)
                u = model(points)
            ux = first.gradient(u, points)
        uxx = second.gradient(ux, points)
        loss = tf.reduce_mean(tf.square(uxx))
    tape.gradient(loss, model.layers[0].trainable_variables)
    for found in tape.explain(loss, model.layers[0].trainable_variables):
        assert found.cause == "piecewise-constant"
        assert line(found) == "u = model(points)"


def test_a_clip_with_elements_beyond_both_limits_counts_each() -> None:
    x = tf.Variable([-5.0, 7.0, 9.0])
    with Tape() as tape:
        y = tf.reduce_sum(tf.clip_by_value(x, -1.0, 1.0))
    assert "Of 3 elements 2 are above 1 (between 7 and 9) and 1 is below -1 (-5)." in why(tape, y, x).detail


def test_a_limit_close_by_is_told_apart() -> None:
    p = tf.Variable([1.0, 1.0])
    with Tape() as tape:
        y = tf.reduce_sum(tf.math.log(tf.clip_by_value(p, 1e-7, 1.0 - 1e-7)))
    assert "2 are above 0.999999881 (1)" in why(tape, y, p).detail


def test_a_tie_says_who_gets_the_slope() -> None:
    x = tf.Variable([0.0, 0.0])
    with Tape() as tape:
        y = tf.reduce_sum(tf.maximum(0.0, x))
    found = why(tape, y, x)
    assert "Both sides are 0" in found.detail
    assert "tf.maximum(x, 0.0)" in found.advice
    with Tape() as tape:
        y = tf.reduce_sum(tf.maximum(x, 0.0))
    assert tape.gradient(y, x).numpy().tolist() == [1.0, 1.0]


@pytest.mark.parametrize("vectors", [lambda a: tf.linalg.eigh(a)[1], lambda a: tf.linalg.svd(a)[1]])
def test_vectors_of_equal_values_are_told_of(vectors) -> None:
    a = tf.Variable(tf.eye(3))
    with Tape() as tape:
        y = tf.reduce_sum(vectors(a) * [[1.0, 2.0, 3.0]])
    found = why(tape, y, a)
    assert found.cause == "constant-here"
    assert "are equal (1)" in found.detail
    assert "1 / (" in found.detail
    told_apart = a + tf.linalg.diag(1e-3 * tf.range(3, dtype=a.dtype))
    with tf.GradientTape() as tape:
        tape.watch(told_apart)
        y = tf.reduce_sum(vectors(told_apart) * [[1.0, 2.0, 3.0]])
    assert np.abs(tape.gradient(y, told_apart)).max() > 1.0


@pytest.mark.parametrize("shape", [(8, 4), (4, 6, 6, 2)])
def test_a_bias_before_a_normalisation_is_left_out(shape) -> None:
    layer = keras.layers.Dense(3) if len(shape) == 2 else keras.layers.Conv2D(3, 3)
    norm = keras.layers.BatchNormalization()
    x = tf.random.stateless_normal(shape, [1, 2])
    weights = tf.random.stateless_normal(norm(layer(x)).shape, [3, 4])
    with Tape() as tape:
        y = tf.reduce_mean(norm(layer(x), training=True) * weights)
    found = why(tape, y, layer.bias)
    assert found.cause == "cancels"
    assert "use_bias=False" in found.advice
    assert "nothing to mend" in found.advice


def test_the_bias_of_a_key_in_attention_has_nothing_to_learn() -> None:
    attention = keras.layers.MultiHeadAttention(2, 4)
    x = tf.random.stateless_normal((2, 3, 4), [1, 2])
    attention(x, x)
    with Tape() as tape:
        y = tf.reduce_sum(attention(x, x) ** 2)
    [bias] = [v for v in attention.trainable_variables if v.path.endswith("key/bias")]
    found = why(tape, y, bias)
    assert found.cause == "cancels"
    assert "softmax" in found.advice


@pytest.mark.parametrize("traced", [False, True])
def test_what_made_a_value_zero_is_told_where_its_square_is_flat(traced) -> None:
    def masked(x):
        mask = tf.cast(x > 10.0, tf.float32)
        kept = x * mask
        return tf.reduce_sum(kept**2)

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = (tf.function(masked) if traced else masked)(x)
    found = why(tape, y, x)
    assert found.cause == "masked"
    assert line(found) == "kept = x * mask"


def test_a_minimum_stays_the_minimum() -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = tf.reduce_sum((2.0 * x - [2.0, 4.0]) ** 2)
    found = why(tape, y, x)
    assert found.cause == "constant-here"
    assert line(found) == "y = tf.reduce_sum((2.0 * x - [2.0, 4.0]) ** 2)"


def test_a_factor_that_starts_at_zero_is_named_and_said_to_move() -> None:
    a = tf.Variable(tf.ones((3, 2)), name="lora_a")
    b = tf.Variable(tf.zeros((2, 3)), name="lora_b")
    with Tape() as tape:
        y = tf.reduce_mean((tf.ones((4, 3)) @ a @ b - 1.0) ** 2)
    found = why(tape, y, a)
    assert found.cause == "constant-here"
    assert "'lora_b', which is 0" in found.detail
    assert "nothing to mend" in found.advice


def test_a_weight_that_is_not_trained_is_a_mask() -> None:
    beta = tf.Variable(0.0, trainable=False)
    x = tf.Variable([1.0, 2.0])

    @tf.function
    def loss(x):
        return beta * tf.reduce_sum(tf.sin(x)) + 1.0

    with Tape() as tape:
        y = loss(x)
    found = why(tape, y, x)
    assert found.cause == "masked"
    assert "not trained" in found.detail
    assert "warmed up" in found.advice


@pytest.mark.parametrize("traced", [False, True])
def test_tensorflows_own_rules_are_not_called_written_by_hand(traced) -> None:
    x = tf.Variable([-200.0, -150.0])
    silu = tf.function(lambda x: tf.nn.silu(x)) if traced else tf.nn.silu
    with Tape() as tape:
        y = tf.reduce_sum(silu(x))
    found = why(tape, y, x)
    assert found.cause == "saturated"
    assert "between -200 and -150" in found.detail


def test_a_rule_of_the_users_on_one_line_is_still_the_users() -> None:
    held = tf.custom_gradient(lambda x: (x * 2.0, lambda dy: tf.zeros_like(dy)))
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = tf.reduce_sum(held(x))
    assert why(tape, y, x).cause == "custom-gradient"


@pytest.mark.parametrize(
    "certain",
    [
        lambda z: tf.nn.sparse_softmax_cross_entropy_with_logits([0], z),
        lambda z: tf.nn.sigmoid_cross_entropy_with_logits([[1.0, 0.0]], z),
        lambda z: keras.losses.BinaryCrossentropy(from_logits=True)(tf.constant([[1.0, 0.0]]), z),
    ],
)
def test_a_cross_entropy_that_is_certain_and_right_has_nothing_to_learn(certain) -> None:
    z = tf.Variable([[1000.0, -1000.0]])
    with Tape() as tape:
        y = tf.reduce_mean(certain(z))
    found = why(tape, y, z)
    assert found.cause == "saturated"
    assert "at its minimum" in found.detail
    assert "nothing left to learn" in found.advice


@pytest.mark.parametrize(
    ("far", "cause", "words"),
    [
        (lambda x: 1.0 / (1e25 * x), "saturated", "a / b**2"),
        (lambda x: keras.activations.gelu(-40.0 * x), "saturated", "Erf"),
        (lambda x: tf.reduce_prod(1e-3 * tf.repeat(x, 30)), "constant-here", "60 factors"),
        (lambda x: tf.math.reduce_variance(x[:1]), "cancels", "mean of a single value"),
    ],
)
def test_numbers_too_small_for_the_dtype_are_told(far, cause, words) -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = tf.reduce_sum(far(x))
    found = why(tape, y, x)
    assert (found.symptom, found.cause) == ("zero", cause)
    assert words in found.detail


@pytest.mark.parametrize("traced", [False, True])
def test_the_slope_of_a_nan_that_relu_takes_as_zero_leads_to_the_nan(traced) -> None:
    b = tf.Variable([1.0, 2.0])

    def loss(x):
        scaled = x / tf.norm(x)
        return tf.reduce_sum(tf.nn.relu(scaled + b))

    with Tape() as tape:
        y = (tf.function(loss) if traced else loss)(tf.zeros(2))
    found = why(tape, y, b)
    assert found.symptom in ("zero", "nonfinite")
    assert found.cause == "singular-point"
    assert line(found) == "scaled = x / tf.norm(x)"


def test_a_factor_that_no_weight_goes_into_is_a_mask() -> None:
    dense = keras.layers.Dense(2)
    dense(tf.ones((1, 3)))

    @tf.function
    def loss(x):
        each = tf.reduce_mean(dense(x) ** 2, axis=1)
        return tf.reduce_sum(each * tf.zeros(4))

    with Tape() as tape:
        y = loss(tf.ones((4, 3)))
    found = why(tape, y, dense.kernel)
    assert found.cause == "masked"
    assert line(found) == "return tf.reduce_sum(each * tf.zeros(4))"


def test_an_input_of_zeros_leads_to_what_made_them() -> None:
    body, head = keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)
    x = tf.random.stateless_normal((4, 2), [1, 2])
    head(body(x))
    with Tape() as tape:
        h = body(x)
        h = h * 0.0
        y = tf.reduce_mean((head(h) - 1.0) ** 2)
    found = why(tape, y, head.kernel)
    assert found.cause == "constant-here"
    made = [n for n, text in enumerate(lines_of_this_file(), 1) if text.strip() == "h = h * 0.0"]
    assert f"Mul at line {made[0]} answers 0 everywhere" in found.detail
    assert f"look at what feeds it: at line {made[0]}" in found.advice


def lines_of_this_file() -> list[str]:
    with open(__file__, encoding="utf-8") as file:
        return file.readlines()


def test_a_loop_without_a_round_is_masked() -> None:
    @tf.function
    def f(x, n):
        total = tf.constant(1.0)
        for _ in tf.range(n):
            total += tf.reduce_sum(x**2)
        return total

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = f(x, tf.constant(0))
    found = why(tape, y, x)
    assert found.cause == "masked"
    assert "no round" in found.detail


def test_a_dropout_that_keeps_nothing_is_told_as_one() -> None:
    x = tf.Variable(tf.ones(3))
    with Tape() as tape:
        y = tf.reduce_sum(tf.nn.dropout(x, 0.9999999))
    found = why(tape, y, x)
    assert found.cause == "masked"
    assert "drawn at random" in found.advice


def test_an_attention_to_one_key_only_has_nothing_to_choose() -> None:
    scores = tf.Variable([[1.0, 2.0, 3.0]])
    with Tape() as tape:
        masked = scores + tf.constant([[0.0, -1e9, -1e9]])
        y = tf.reduce_sum(tf.nn.softmax(masked) * [[1.0, 2.0, 3.0]])
    found = why(tape, y, scores)
    assert found.cause == "saturated"
    assert "one element in each row" in found.detail


def test_examples_that_pull_both_ways_cancel_where_they_are_summed() -> None:
    w = tf.Variable([[0.0, 0.0]])
    with Tape() as tape:
        logits = tf.tile(w, [2, 1])
        y = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits([[1.0, 0.0], [0.0, 1.0]], logits))
    found = why(tape, y, w)
    assert found.cause == "cancels"
    assert line(found) == "logits = tf.tile(w, [2, 1])"


def test_the_most_uncertain_softmax_is_stationary_and_not_constant() -> None:
    logits = tf.Variable([0.0, 0.0, 0.0])
    with Tape() as tape:
        p = tf.nn.softmax(logits)
        y = tf.reduce_sum(p * tf.math.log(p))
    found = why(tape, y, logits)
    assert found.cause == "cancels"
    assert "At this point" in found.detail
    assert "minimum or maximum" in found.advice


def test_at_the_bottom_of_a_square_it_says_what_is_subtracted() -> None:
    w = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        residual = 2.0 * w - [2.0, 4.0]
        y = tf.reduce_mean(tf.square(residual))
    found = why(tape, y, w)
    assert found.cause == "constant-here"
    assert "both sides of Sub at line" in found.detail
    assert "nothing to mend at the minimum" in found.advice
