"""What is kept while somebody diagnoses does not grow with the steps: live objects are counted, not megabytes."""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Callable, Iterator

import pytest
import tensorflow as tf

from tfgrad import GradientWarning, diagnose
from tfgrad.see.diagnosing.diagnosis import Diagnosis

QUIET = {"on_none": "ignore", "on_nonfinite": "ignore"}
FEW = 50  # caches of TensorFlow's own


def live_objects() -> int:
    gc.collect()
    return len(gc.get_objects())


def growth(step: Callable[[int], object], steps: int, begun: int = 50) -> int:
    """How many more objects are alive after so many steps than after the first few."""
    for i in range(begun):
        step(i)
    before = live_objects()
    for i in range(steps):
        step(begun + i)
    return live_objects() - before


@pytest.fixture
def variables() -> list[tf.Variable]:
    values = {"sound": [1.5, 2.0], "nan": [1.0, 0.0], "none": [1.0], "zero": [1.0]}
    return [tf.Variable(value, name=name) for name, value in values.items()]


def loss(variables: list[tf.Variable]) -> tf.Tensor:
    """A loss with all three faults at once."""
    sound, nan, none, zero = variables
    return (
        tf.reduce_sum(tf.sin(sound) ** 2)
        + tf.reduce_sum(tf.sqrt(nan))
        + tf.reduce_sum(tf.round(none))
        + tf.reduce_sum(tf.nn.relu(-zero))
    )


def told(d: Diagnosis) -> set[tuple[str, str, int]]:
    return {(problem.path, problem.symptom, problem.count) for problem in d.problems}


@pytest.mark.slow
def test_ten_thousand_eager_steps_with_every_fault_keep_nothing(variables: list[tf.Variable]) -> None:
    def step(_: int) -> None:
        with tf.GradientTape() as tape:
            y = loss(variables)
        tape.gradient(y, variables)

    with diagnose(**QUIET) as d:
        assert growth(step, 10_000) < FEW
    assert d.watched["gradient_calls"] == 10_050
    assert told(d) == {("nan", "nonfinite", 10_050), ("none", "none", 10_050), ("zero", "zero", 10_050)}


@pytest.mark.slow
def test_ten_thousand_traced_steps_with_every_fault_keep_nothing(variables: list[tf.Variable]) -> None:
    @tf.function
    def step(_: tf.Tensor) -> object:
        with tf.GradientTape() as tape:
            y = loss(variables)
        return [gradient for gradient in tape.gradient(y, variables) if gradient is not None]

    with diagnose(**QUIET) as d:
        assert growth(lambda i: step(tf.constant(i)), 10_000) < FEW
    assert d.watched == {"tapes": 1, "gradient_calls": 10_050, "variables": 4}
    assert told(d) == {("nan", "nonfinite", 10_050), ("none", "none", 10_050), ("zero", "zero", 10_050)}


def test_a_tape_of_another_shape_at_each_step_keeps_nothing(variables: list[tf.Variable]) -> None:
    def step(i: int) -> None:
        with tf.GradientTape() as tape:
            y = variables[0][0] * tf.ones([i + 1])
            for _ in range(i % 20):
                y = tf.sin(y)
            y = tf.reduce_sum(y) + tf.reduce_sum(tf.round(variables[2]))
        tape.gradient(y, variables)

    with diagnose(**QUIET):
        assert growth(step, 150) < FEW


def test_gradients_asked_for_at_ever_new_lines_are_kept_for_some_hundred_only() -> None:
    text = "with tf.GradientTape() as tape:\n    y = tf.round(w)\ntape.gradient(y, w)\n"
    names = {"tf": tf, "w": tf.Variable([1.0], name="w")}

    def step(i: int) -> None:
        exec(compile("\n" * (i % 1000) + text, f"made{i // 1000}.py", "exec"), names)

    with diagnose(**QUIET) as d:
        assert growth(step, 200, begun=510) < FEW
    assert d.watched["gradient_calls"] == 710
    assert sum(problem.count for problem in d.problems) == 710


def test_faults_of_ever_new_weights_are_kept_for_some_hundred_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tfgrad.see.diagnosing.findings._MOST_TALLIES", 100)

    def step(i: int) -> None:
        w = tf.Variable([1.0], name=f"w{i}")
        with tf.GradientTape() as tape:
            y = tf.round(w)
        tape.gradient(y, w)

    with diagnose(**QUIET) as d:
        assert growth(step, 100, begun=110) < FEW
    assert len(d.problems) == 101
    assert sum(problem.count for problem in d.problems) == 210


@pytest.fixture
def calm() -> Iterator[None]:
    """TensorFlow complains of functions that are traced again and again."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(level)


@pytest.mark.usefixtures("calm")
def test_a_function_made_anew_at_each_step_goes_with_all_that_was_noted_of_it(variables: list[tf.Variable]) -> None:
    def step(_: int) -> None:
        @tf.function
        def gradients() -> object:
            with tf.GradientTape() as tape:
                y = loss(variables)
            return [gradient for gradient in tape.gradient(y, variables) if gradient is not None]

        gradients()

    with diagnose(**QUIET):
        assert growth(step, 10, begun=5) < FEW


def test_a_warning_comes_once_however_often_its_reason_does(variables: list[tf.Variable]) -> None:
    def step(_: int) -> None:
        with tf.GradientTape() as tape:
            y = loss(variables)
        tape.gradient(y, variables)

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with diagnose("warn", "warn"):
            assert growth(step, 150) < FEW
    assert [warning.category for warning in said] == [GradientWarning] * 2
