"""What is told as a problem and what as a note: a gradient that is a fault in one program is meant in another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
import tensorflow as tf

from tfgrad.see.diagnosing.diagnosis import Diagnosis, diagnose

QUIET = {"on_none": "ignore", "on_nonfinite": "ignore"}


def told(d: Diagnosis) -> list[tuple[str, str]]:
    return [(p.symptom, p.cause) for p in d.problems]


def steps(loss: Callable[[int, tf.Variable], tf.Tensor], w: tf.Variable, many: int = 8) -> Diagnosis:
    with diagnose(**QUIET) as d:
        for step in range(many):
            with tf.GradientTape() as tape:
                target = loss(step, w)
            tape.gradient(target, w)
    return d


def test_a_frozen_variable_is_a_note_unless_the_program_can_do_nothing_with_its_none() -> None:
    w, b = tf.Variable(2.0, name="w"), tf.Variable(1.0, name="b", trainable=False)

    def train(filters: bool) -> None:
        for _ in range(2):
            with tf.GradientTape() as tape:
                loss = (w * 3.0 + b) ** 2
            for gradient, variable in zip(tape.gradient(loss, [w, b]), [w, b], strict=True):
                if gradient is not None or not filters:
                    variable.assign_sub(0.01 * gradient)

    with diagnose(**QUIET) as d:
        train(filters=True)
    assert d.ok
    assert "not-trainable" in d.notes[0]
    with pytest.raises(TypeError), diagnose(**QUIET) as d:
        train(filters=False)
    assert told(d) == [("none", "not-trainable")]


def test_a_program_that_ends_much_later_did_not_end_of_a_none() -> None:
    w, b = tf.Variable(2.0, name="w"), tf.Variable(1.0, name="b", trainable=False)

    def train() -> None:
        for step in range(4):
            with tf.GradientTape() as tape:
                loss = (w * 3.0 + b) ** 2
            tape.gradient(loss, [w, b])
            if step == 3:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), diagnose(**QUIET) as d:
        train()
    assert d.ok


def test_a_program_that_is_interrupted_has_not_failed() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), diagnose(**QUIET) as d:
        interrupted()
    assert not d.failed


def test_an_encoder_that_the_loss_forgot_is_a_problem_and_a_pooler_is_not() -> None:
    def unused(which: int) -> Diagnosis:
        layers = [keras.layers.Dense(2) for _ in range(4)]
        x = tf.ones([1, 2])
        for layer in layers:
            layer(x)
        with diagnose(**QUIET) as d:
            for _ in range(3):
                with tf.GradientTape() as tape:
                    loss = sum(tf.reduce_sum(layer(x)) for layer in layers if layer is not layers[which])
                tape.gradient(loss, [v for layer in layers for v in layer.trainable_variables])
        return d

    assert told(unused(0)) == [("none", "unconnected")] * 2
    assert unused(3).ok


def test_a_hinge_that_is_satisfied_after_some_steps_is_a_note() -> None:
    w = tf.Variable([2.0], name="w")
    d = steps(lambda step, w: tf.reduce_sum(tf.nn.relu((step + 1.0) * -w + 5.0)), w)
    assert d.ok
    assert "zero for 'w'" in d.notes[0]


def test_a_unit_that_dies_while_the_loss_is_not_zero_is_a_problem() -> None:
    w = tf.Variable([2.0], name="w")
    d = steps(lambda step, w: tf.reduce_sum(tf.nn.relu((step + 1.0) * -w + 5.0)) + 1.0, w)
    assert told(d) == [("zero", "saturated")]


def test_ratios_that_are_all_clipped_after_some_steps_are_a_note_and_from_the_first_on_a_problem() -> None:
    w = tf.Variable([1.0], name="w")
    assert steps(lambda step, w: tf.reduce_sum(tf.minimum(w * (1.0 + step), [2.5])), w).ok
    assert told(steps(lambda _, w: tf.reduce_sum(tf.minimum(w * 5.0, [2.5])), w)) == [("zero", "masked")]


def test_an_optimizer_that_has_arrived_is_a_note() -> None:
    w = tf.Variable([1.0], name="w")

    def square(step: int, w: tf.Variable) -> tf.Tensor:
        w.assign([1.0] if step == 0 else [0.0])
        return tf.reduce_sum(w * w) + 3.0

    assert steps(square, w).ok


def test_a_target_that_is_nan_at_finite_gradients_is_a_problem() -> None:
    w = tf.Variable([-1.0], name="w")
    d = steps(lambda _, w: tf.reduce_sum(tf.math.log(w)), w)
    assert told(d) == [("nonfinite", "singular-point")]
    assert d.problems[0].where is not None
    assert "tf.math.log(w)" in d.problems[0].where.text
    assert d.problems[0].when == "at all 8 steps"


def test_gradients_too_large_to_be_squared_are_fine_and_make_no_warning() -> None:
    w = tf.Variable([1.0], name="w")
    assert steps(lambda _, w: tf.reduce_sum(w * 1e30), w).ok


def test_zeros_at_all_steps_that_nobody_can_explain_are_told_as_they_are() -> None:
    w = tf.Variable([1.0, 2.0], name="w")

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            total = tf.constant(0.0)
            for k in tf.range(3):
                read = tf.numpy_function(lambda v: v + v, [w[0]], tf.float32)
                total += tf.reshape(read, []) + 0.0 * w[1] * tf.cast(k, tf.float32)
        return tape.gradient(total, w)

    with diagnose(**QUIET) as d:
        for _ in range(4):
            step()
    assert told(d) == [("zero", "unknown")]
    assert d.problems[0].where is not None
    assert d.problems[0].where.text == "return tape.gradient(total, w)"
    assert "run_functions_eagerly" in d.problems[0].advice
    assert d.problems[0].when == "at all 4 steps"
    assert told(d) == [("zero", "unknown")]


def test_a_target_that_is_the_none_of_another_gradient_is_a_note_below_it() -> None:
    x = tf.constant(3.0)

    def second() -> Any:
        with tf.GradientTape(persistent=True) as tape:
            y = x**3
        dy = tape.gradient(y, x)
        return tape.gradient(dy, x)

    with pytest.raises((TypeError, AttributeError)), diagnose(**QUIET) as d:
        second()
    assert told(d) == [("none", "unwatched")]
    assert len(d.notes) == 1
    assert "The target is the None that gradient() gave at line" in d.notes[0]


def test_a_target_of_none_from_elsewhere_stays_an_error() -> None:
    w = tf.Variable(3.0)

    def loss() -> Any:
        w * 2.0

    with pytest.raises((TypeError, AttributeError)), diagnose(**QUIET) as d:
        with tf.GradientTape() as tape:
            y = loss()
        tape.gradient(y, w)
    assert told(d) == [("error", "bad-argument")]
    assert "return loss" in d.problems[0].advice


def test_variables_that_stay_as_their_gradients_are_zero_get_no_note_of_their_own() -> None:
    w = tf.Variable([-3.0], name="w")
    with diagnose(**QUIET) as d:
        for _ in range(4):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.nn.relu(w))
            w.assign_sub(0.1 * tape.gradient(loss, w))
    assert told(d) == [("zero", "saturated")]
    assert d.notes == ()


def test_sources_of_one_list_that_nobody_watched_are_told_together() -> None:
    a, b = tf.constant(1.0), tf.constant(2.0)
    with diagnose(**QUIET) as d, tf.GradientTape() as tape:
        y = a * 3.0 + b * 2.0
        tape.gradient(y, [a, b])
    assert told(d) == [("none", "unwatched")] * 2
    assert "1 gradient problem in" in str(d)


def test_a_frozen_variable_that_is_the_only_source_is_a_problem() -> None:
    image = tf.Variable([2.0], trainable=False, name="image")
    with diagnose(**QUIET) as d:
        for _ in range(3):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(image**2)
            tape.gradient(loss, image)
    assert told(d) == [("none", "not-trainable")]
