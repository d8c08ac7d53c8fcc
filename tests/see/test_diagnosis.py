"""diagnose(): counts each problem once, in eager code, traced functions and Keras's fit, and leaves all as it was."""

from __future__ import annotations

import io
import json
import sys
import threading
import types
import warnings
from abc import ABC
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow import GradientTape as ImportedTape

from tfgrad import _tensorflow
from tfgrad.errors import GradError, GradientProblem, GradientWarning
from tfgrad.see.diagnosing.diagnosis import Diagnosis, diagnose
from tfgrad.see.diagnosing.watching import PLAIN

ORIGINAL = (PLAIN,)  # a plain name for it would be replaced here too
QUIET = {"on_none": "ignore", "on_nonfinite": "ignore"}


def found(d: Diagnosis) -> list[tuple[str, str, str, int, int]]:
    return [(p.path, p.symptom, p.cause, p.count, p.first_step) for p in d.problems]


def rounded(w: tf.Variable) -> None:
    with tf.GradientTape() as tape:
        y = tf.round(w) * 2.0
    assert tape.gradient(y, w) is None


def test_a_problem_that_comes_at_every_step_is_told_once_with_its_count() -> None:
    w = tf.Variable(1.5, name="w")
    with diagnose(**QUIET) as d:
        for _ in range(5):
            rounded(w)
    assert found(d) == [("w", "none", "nondifferentiable-op", 5, 1)]
    assert d.problems[0].where is not None
    assert d.problems[0].where.text == "y = tf.round(w) * 2.0"
    assert d.watched == {"tapes": 5, "gradient_calls": 5, "variables": 1}


def test_a_problem_that_comes_later_has_its_first_step() -> None:
    w = tf.Variable([4.0], name="w")
    with diagnose(**QUIET) as d:
        for start in (4.0, 1.0, 0.0):
            w.assign([start])
            with tf.GradientTape() as tape:
                y = tf.sqrt(w)
            tape.gradient(y, w)
    assert found(d) == [("w", "nonfinite", "singular-point", 1, 3)]


def test_a_sound_program_has_no_problems() -> None:
    model = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with diagnose("raise", "raise") as d:
        model.fit(np.ones([8, 3]), np.ones([8]), epochs=2, verbose=0)
    assert d.ok
    assert d.notes == ()
    assert d.watched["gradient_calls"] == 2
    assert d.watched["variables"] == 4


def test_none_warns_at_the_users_line_and_can_raise() -> None:
    w = tf.Variable(1.5, name="w")
    with pytest.warns(GradientWarning, match=r"tf\.round"), diagnose():
        rounded(w)
    with pytest.raises(GradientProblem, match=r"tf\.round"), diagnose(on_none="raise"):
        rounded(w)


def test_the_gravest_wish_of_nested_diagnoses_counts() -> None:
    w = tf.Variable(1.5, name="w")
    with diagnose(on_none="raise") as outer, diagnose(**QUIET) as inner, pytest.raises(GradientProblem):
        rounded(w)
    assert found(outer) == found(inner) == [("w", "none", "nondifferentiable-op", 1, 1)]


def test_a_wish_that_is_no_word_is_refused() -> None:
    with pytest.raises(GradError, match="'shout'"), diagnose(on_none="shout"):
        pass


def test_names_are_put_back_also_after_an_exception() -> None:
    module = types.ModuleType("somebody")
    module.T = tf.GradientTape
    sys.modules["somebody"] = module
    try:
        with pytest.raises(ZeroDivisionError), diagnose(**QUIET):
            assert tf.GradientTape is not ORIGINAL[0]
            assert module.T is tf.autodiff.GradientTape is tf.compat.v1.GradientTape is tf.compat.v2.GradientTape
            assert module.T is tf.GradientTape
            _ = 1 // 0
        assert (
            module.T
            is tf.autodiff.GradientTape
            is tf.compat.v1.GradientTape
            is tf.compat.v2.GradientTape
            is ORIGINAL[0]
        )
        assert tf.GradientTape is ORIGINAL[0]
        assert ImportedTape is ORIGINAL[0]
        assert not _tensorflow.hooks_are_on()
    finally:
        del sys.modules["somebody"]


def test_nested_diagnoses_put_names_back_after_the_last() -> None:
    with diagnose(**QUIET):
        with diagnose(**QUIET):
            pass
        assert tf.GradientTape is not ORIGINAL[0]
    assert tf.GradientTape is ORIGINAL[0]


def test_a_name_that_the_user_set_meanwhile_is_left() -> None:
    class Mine:
        pass

    with diagnose(**QUIET):
        tf.GradientTape = Mine
    try:
        assert tf.GradientTape is Mine
    finally:
        tf.GradientTape = ORIGINAL[0]


def test_tapes_made_before_and_inside_are_instances_of_each_other_s_class() -> None:
    before = tf.GradientTape()
    with diagnose(**QUIET):
        inside = tf.GradientTape()
        assert isinstance(before, tf.GradientTape)
        assert isinstance(inside, tf.GradientTape)
        assert issubclass(ORIGINAL[0], tf.GradientTape)
        assert not isinstance(3, tf.GradientTape)
    assert isinstance(inside, tf.GradientTape)


def test_a_subclass_made_inside_is_watched_and_works_afterwards() -> None:
    w = tf.Variable(1.5, name="w")
    with diagnose(**QUIET) as d:

        class Mine(tf.GradientTape, ABC):
            def twice(self, y: tf.Tensor, x: tf.Variable) -> tf.Tensor:
                return 2.0 * self.gradient(y, x)

        with Mine() as tape:
            y = tf.round(w)
        assert tape.gradient(y, w) is None
        assert not isinstance(tf.GradientTape(), Mine)
    assert found(d) == [("w", "none", "nondifferentiable-op", 1, 1)]
    with Mine() as tape:
        y = w * w
    assert float(tape.twice(y, w)) == 6.0


def test_a_subclass_made_before_is_said_not_to_be_watched() -> None:
    class Earlier(ORIGINAL[0]):
        pass

    with diagnose(**QUIET) as d:
        assert isinstance(Earlier(), tf.GradientTape)
    assert any("Earlier" in note for note in d.notes)


def test_the_transforms_of_the_package_are_not_watched() -> None:
    import tfgrad as tg

    with diagnose("raise", "raise") as d:
        assert float(tg.hessian(lambda x: 3.0 * x)(1.0)) == 0.0
    assert d.watched["tapes"] == 0


def test_threads_are_watched() -> None:
    w = tf.Variable(1.5, name="w")
    with diagnose(**QUIET) as d:
        threads = [threading.Thread(target=rounded, args=(w,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found(d) == [("w", "none", "nondifferentiable-op", 4, 1)]


def test_two_diagnoses_on_two_threads_end_in_any_order() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def other() -> None:
        with diagnose(**QUIET):
            begun.set()
            may_end.wait(10)

    thread = threading.Thread(target=other)
    with diagnose(**QUIET):
        thread.start()
        assert begun.wait(10)
    assert tf.GradientTape is not ORIGINAL[0]
    may_end.set()
    thread.join()
    assert tf.GradientTape is ORIGINAL[0]


def test_an_error_of_gradient_is_a_problem_and_goes_on_to_the_user() -> None:
    w = tf.Variable(1.5, name="w")
    with diagnose(**QUIET) as d, tf.GradientTape() as tape:
        y = w * w
    tape.gradient(y, w)
    with diagnose(**QUIET) as d:
        with tf.GradientTape() as tape:
            y = w * w
        tape.gradient(y, w)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="non-persistent"):
                tape.gradient(y, w)
    assert [(p.symptom, p.cause, p.count) for p in d.problems] == [("error", "tape-consumed", 2)]


def test_none_in_a_traced_function_is_found_while_tracing_and_counted_as_it_runs() -> None:
    w, v = tf.Variable(1.5, name="w"), tf.Variable(2.0, name="v")

    @tf.function
    def step() -> list[tf.Tensor | None]:
        with tf.GradientTape() as tape:
            y = tf.round(w) + v * v
        return tape.gradient(y, [w, v])[1:]

    with diagnose(**QUIET) as d:
        for _ in range(3):
            step()
    assert found(d) == [("w", "none", "nondifferentiable-op", 3, 1)]
    assert d.problems[0].where is not None
    assert d.problems[0].where.text == "y = tf.round(w) + v * v"


def test_nan_in_a_traced_function_is_located_with_its_step() -> None:
    w = tf.Variable([1.0, 4.0], name="w")

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            root = tf.sqrt(w)
            y = tf.reduce_sum(root)
        return tape.gradient(y, w)

    with diagnose(**QUIET) as d:
        step()
        w.assign([0.0, 4.0])
        step()
    assert found(d) == [("w", "nonfinite", "singular-point", 1, 2)]
    (problem,) = d.problems
    assert problem.where is not None
    assert problem.where.text == "root = tf.sqrt(w)"
    assert problem.when == "at every step since step 2 of 2"


def test_nan_in_a_traced_function_is_warned_of_at_the_end() -> None:
    w = tf.Variable([0.0], name="w")

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            y = tf.sqrt(w)
        return tape.gradient(y, w)

    with pytest.warns(GradientWarning, match="singular-point"), diagnose():
        step()


def test_random_numbers_of_the_very_step_are_used() -> None:
    w = tf.Variable([1.0] * 8, name="w")

    @tf.function
    def step() -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            noise = tf.random.uniform([8])
            shifted = noise - tf.reduce_min(noise)
            y = tf.reduce_sum(tf.sqrt(w * shifted))
        return tape.gradient(y, w), tf.argmin(noise)

    with diagnose(**QUIET) as d:
        _, place = step()
    assert [p.symptom for p in d.problems] == ["nonfinite"]
    assert f"[{int(place)}]" in d.problems[0].detail


def test_diagnosing_changes_no_random_number_of_a_traced_function() -> None:
    def draws() -> list[float]:
        tf.random.set_seed(3)
        w = tf.Variable(1.0)

        @tf.function
        def step() -> tf.Tensor:
            with tf.GradientTape() as tape:
                y = w * tf.random.normal([])
            return tape.gradient(y, w) + tf.random.normal([])

        return [float(step()) for _ in range(3)]

    plain = draws()
    with diagnose(**QUIET):
        watched = draws()
    assert watched == plain


def test_zeros_in_a_traced_function_are_seen() -> None:
    w = tf.Variable([-3.0, -4.0], name="w")

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.nn.relu(w))
        return tape.gradient(y, w)

    with diagnose(**QUIET) as d:
        step()
    assert found(d) == [("w", "zero", "saturated", 1, 1)]


def test_a_function_compiled_by_xla_runs_and_says_that_it_is_not_looked_into() -> None:
    w = tf.Variable([0.0], name="w")

    @tf.function(jit_compile=True)
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            y = tf.sqrt(w)
        return tape.gradient(y, w)

    with diagnose(**QUIET) as d:
        assert np.isinf(step()).all()
    assert d.ok
    assert any("XLA" in note for note in d.notes)


def test_a_loop_inside_a_traced_function_is_watched_at_each_round() -> None:
    w = tf.Variable(2.0, name="w")

    @tf.function
    def train() -> None:
        for _ in tf.range(4):
            with tf.GradientTape() as tape:
                y = tf.math.log(w)
            w.assign_sub(tape.gradient(y, w) * 2.0)

    with diagnose(**QUIET) as d:
        train()
    assert d.watched["gradient_calls"] == 4


def test_weights_that_turn_nan_after_the_first_nan_are_not_problems_of_their_own() -> None:
    w, v = tf.Variable([0.0], name="w"), tf.Variable([1.0], name="v")
    with diagnose(**QUIET) as d:
        for _ in range(3):
            with tf.GradientTape() as tape:
                y = tf.sqrt(w) + w * v * v
            gradients = tape.gradient(y, [w, v])
            w.assign_sub(gradients[0])
            v.assign_sub(gradients[1])
    assert [(p.path, p.cause) for p in d.problems] == [("w", "singular-point")]


def test_a_zero_at_some_steps_is_a_note_and_one_that_stays_is_a_problem() -> None:
    w = tf.Variable([1.0], name="w")

    def steps(signs: list[float]) -> Diagnosis:
        with diagnose(**QUIET) as d:
            for sign in signs:
                with tf.GradientTape() as tape:
                    y = tf.reduce_sum(tf.nn.relu(w * sign)) + 0.5
                tape.gradient(y, w)
        return d

    now_and_then = steps([1.0, -1.0, 1.0, 1.0])
    assert now_and_then.ok
    assert len(now_and_then.notes) == 1
    stays = steps([1.0, -1.0, -1.0, -1.0])
    assert found(stays) == [("w", "zero", "saturated", 3, 2)]
    assert stays.problems[0].when == "at every step since step 2 of 4"


def test_a_few_weights_that_the_loss_does_not_use_are_a_note_unless_the_program_fails() -> None:
    model = keras.Sequential([keras.layers.Dense(2) for _ in range(4)])
    extra = keras.layers.Dense(2)
    x = tf.ones([1, 2])
    model(x), extra(x)

    def ask() -> None:
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(model(x))
        gradients = tape.gradient(y, model.trainable_variables + extra.trainable_variables)
        assert gradients[-1] is None

    with diagnose(**QUIET) as d:
        ask()
    assert d.ok
    assert sum("unconnected" in note for note in d.notes) == 1
    assert "kernel' and '" in d.notes[0]

    def ask_and_fail() -> None:
        ask()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), diagnose(**QUIET) as d:
        ask_and_fail()
    assert [p.cause for p in d.problems] == ["unconnected", "unconnected"]


def test_a_vector_target_is_a_note() -> None:
    w = tf.Variable([1.0, 2.0])
    with diagnose(**QUIET) as d:
        with tf.GradientTape() as tape:
            y = w * w
        tape.gradient(y, w)
    assert d.ok
    assert any("shape [2]" in note for note in d.notes)


def test_the_dictionary_has_the_schema_and_is_json() -> None:
    w = tf.Variable(1.5, name="w")
    with diagnose(**QUIET) as d:
        rounded(w)
    data = json.loads(json.dumps(d.to_dict(), allow_nan=False))
    assert set(data) == {"schema", "problems", "notes", "watched"}
    (problem,) = data["problems"]
    assert {"symptom", "cause", "path", "where", "chain", "detail", "advice", "count", "first_step", "others"} <= set(
        problem
    )
    assert problem["where"]["line"] > 0


def test_the_text_ends_in_what_was_watched() -> None:
    w = tf.Variable(1.5, name="w")
    with diagnose(**QUIET) as d:
        pass
    assert str(d) == "No gradient problems in 0 gradient calls (0 tapes, 0 Variables)."
    with diagnose(**QUIET) as d:
        rounded(w)
    lines = str(d).splitlines()
    assert lines[-1] == "1 gradient problem in 1 gradient call (1 tape, 1 Variable)."
    assert "  when        once" in lines


def test_colour_and_html_say_the_same() -> None:
    from rich.console import Console

    w = tf.Variable(1.5, name="<w>")
    with diagnose(**QUIET) as d:
        rounded(w)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(d)
    assert "nondifferentiable-op" in console.export_text()
    html = d._repr_html_()
    assert "&lt;w&gt;" in html
    assert "<w>" not in html
    assert "1 gradient problem" in html


def test_warnings_of_others_are_not_touched() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with diagnose(**QUIET):
            warnings.warn("mine", UserWarning, stacklevel=1)
    assert [str(w.message) for w in caught] == ["mine"]


def test_variables_whose_gradients_are_not_applied_are_a_note() -> None:
    w, v = tf.Variable([1.0], name="w"), tf.Variable([1.0], name="v")

    def steps(updated: list[tf.Variable]) -> Diagnosis:
        with diagnose(**QUIET) as d:
            for _ in range(3):
                with tf.GradientTape() as tape:
                    y = tf.reduce_sum(w * v * v)
                for variable, gradient in zip([w, v], tape.gradient(y, [w, v]), strict=True):
                    if any(variable is each for each in updated):
                        variable.assign_sub(0.1 * gradient)
        assert d.ok
        return d

    assert steps([w, v]).notes == ()
    assert "'v' did not change in 3 steps" in steps([w]).notes[0]
    assert "did not change in 3 steps; were their gradients applied?" in steps([]).notes[0]


def test_weights_that_some_steps_do_not_use_are_a_note() -> None:
    w, v = tf.Variable([1.0], name="w"), tf.Variable([1.0], name="v")
    with diagnose(**QUIET) as d:
        for step in range(4):
            with tf.GradientTape() as tape:
                y = tf.reduce_sum(w * v if step % 2 else w * w)
            for variable, gradient in zip([w, v], tape.gradient(y, [w, v]), strict=True):
                if gradient is not None:
                    variable.assign_sub(0.1 * gradient)
    assert d.ok
    assert any("None for 'v' at 2 of 4 steps" in note for note in d.notes)


def test_nan_inside_a_loop_of_a_traced_function_is_located() -> None:
    w = tf.Variable([1.0, 0.0], name="w")

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            y = 0.0
            for _ in tf.range(3):
                y += tf.acos(w[0])
        return tape.gradient(y, w)

    with diagnose(**QUIET) as d:
        step()
    assert found(d) == [("w", "nonfinite", "singular-point", 1, 1)]
    assert d.problems[0].where is not None
    assert d.problems[0].where.text == "y += tf.acos(w[0])"


def test_nan_inside_a_function_called_by_a_traced_one_is_located() -> None:
    w = tf.Variable([0.0, 4.0], name="w")

    @tf.function
    def root() -> tf.Tensor:
        return tf.sqrt(w)

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(root())
        w.assign_sub(tape.gradient(y, w))

    with diagnose(**QUIET) as d:
        for _ in range(2):
            step()
    assert [(p.path, p.cause, p.first_step) for p in d.problems] == [("w", "singular-point", 1)]
    assert d.problems[0].where is not None
    assert d.problems[0].where.text == "return tf.sqrt(w)"


def test_a_bias_that_cancels_is_a_note_and_a_target_that_depends_on_nothing_a_problem() -> None:
    model = keras.Sequential([keras.Input([3]), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(2)])
    x = tf.random.normal([8, 3])

    def ask(target: Any) -> Diagnosis:
        with diagnose(**QUIET) as d:
            with tf.GradientTape() as tape:
                y = target(model(x))
            tape.gradient(y, model.trainable_variables)
        return d

    differences = ask(lambda y: tf.reduce_sum(tf.square(y[:4] - y[4:])))
    assert differences.ok
    assert ["cancels" in note for note in differences.notes] == [True]
    summed = ask(lambda y: tf.reduce_sum(tf.nn.softmax(y)))
    assert {p.cause for p in summed.problems} == {"cancels"}
