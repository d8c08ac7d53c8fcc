"""What can be given to check_grads: nests, Variables, models; and what can't, told in three lines."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgrad

X = tf.constant([0.5, -1.0], tf.float64)


def test_inputs_are_named_by_path_and_other_leaves_left_alone() -> None:
    nest = {"w": [X, None], "n": 3, "s": "text", "i": tf.constant([1, 0])}
    check = tfgrad.check_grads(lambda p, k: tf.gather(p["w"][0], p["i"]) ** p["n"] * k, (nest, np.array(2.0)))
    assert check.inputs == ("args[0]['w'][0]", "args[1]")


def test_wrt_takes_positions() -> None:
    check = tfgrad.check_grads(lambda a, b: a * tf.stop_gradient(b), (X, X), wrt=0)
    assert check.inputs == ("args[0]",)


def test_a_model_is_checked_by_its_weights_and_keeps_them() -> None:
    model = keras.Sequential([keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)])
    data = tf.constant([[0.5, -1.0], [2.0, 0.3]])
    check = tfgrad.check_grads(lambda x: tf.reduce_mean(model(x) ** 2), (data,), wrt=model)
    assert check.inputs == tuple(variable.path for variable in model.trainable_variables)
    before = [variable.numpy() for variable in model.variables]
    tfgrad.check_grads(lambda x: tf.reduce_mean(model(x) ** 2), (data,), wrt=model, order=2)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_a_frozen_statistic_is_put_back() -> None:
    layer = keras.layers.BatchNormalization()
    data = tf.constant([[0.5, -1.0], [2.0, 0.3], [1.0, 1.0]])
    layer(data)
    tfgrad.check_grads(lambda x: layer(x, training=True), (data,), wrt=layer)
    np.testing.assert_allclose(layer.moving_mean.numpy(), [0.01 * 3.5 / 3, 0.01 * 0.3 / 3], rtol=1e-4)


@pytest.mark.parametrize(
    ("call", "error", "given", "advice"),
    [
        (lambda: tfgrad.check_grads(tf.sin, X), tfgrad.KindError, "args is float64[2]", "(x,)"),
        (lambda: tfgrad.check_grads(3, (X,)), tfgrad.KindError, "f is the Python int 3", "check_grads"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), order=3), tfgrad.StructureError, "order=3", "tfgrad.grad"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), modes="rev"), tfgrad.StructureError, "modes='rev'", 'modes=("rev",)'),
        (lambda: tfgrad.check_grads(tf.sin, (X,), modes=()), tfgrad.StructureError, "modes=()", "modes"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), rtol=-1.0), tfgrad.StructureError, "rtol=-1.0", "leave rtol out"),
        (
            lambda: tfgrad.check_grads(tf.sin, (X,), atol=float("nan")),
            tfgrad.StructureError,
            "atol=nan",
            "leave atol out",
        ),
        (lambda: tfgrad.check_grads(tf.sin, (X,), eps=0.0), tfgrad.StructureError, "eps=0.0", "leave eps out"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), eps=1e-300), tfgrad.StructureError, "moves none", "leave eps out"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), rtol="1e-3"), tfgrad.StructureError, "rtol='1e-3'", "leave rtol"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), rtol=True), tfgrad.StructureError, "rtol=True", "leave rtol out"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), rtol=2.0), tfgrad.StructureError, "rtol=2.0", "rtol=1e-3"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), atol=[1.0]), tfgrad.StructureError, "atol=[1.0]", "leave atol out"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), order=0), tfgrad.StructureError, "order=0", "tfgrad.grad"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), order="2"), tfgrad.StructureError, "order='2'", "tfgrad.grad"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), order=True), tfgrad.StructureError, "order=True", "tfgrad.grad"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), modes=("reverse",)), tfgrad.StructureError, "'reverse'", "rev"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), modes=3), tfgrad.StructureError, "modes=3", "rev"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), seed="x"), tfgrad.StructureError, "seed='x'", "seed=0"),
        (lambda: tfgrad.check_grads(tf.sin, [X]), tfgrad.KindError, "a list", "(x,)"),
        (lambda: tfgrad.check_grads(tf.strings.as_string, (X,)), tfgrad.IntegerError, "returned nothing", "before"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), wrt=X), tfgrad.KindError, "wrt is float64", "tf.Variable"),
        (lambda: tfgrad.check_grads(tf.sin, (X,), wrt="x"), tfgrad.KindError, "the string 'x'", "position"),
        (lambda: tfgrad.check_grads(tf.abs, (tf.constant([1, 2]),)), tfgrad.IntegerError, "int32[2]", "tf.cast"),
        (lambda: tfgrad.check_grads(lambda: X, ()), tfgrad.StructureError, "no arguments", "wrt=variable"),
        (lambda: tfgrad.check_grads(tf.argmax, (X,)), tfgrad.IntegerError, "f returned nothing", "before it was cast"),
        (lambda: tfgrad.check_grads(lambda x: None, (X,)), tfgrad.LeftTensorFlowError, "None", "return"),
        (lambda: tfgrad.check_grads(lambda x: x.numpy(), (X,)), tfgrad.LeftTensorFlowError, "left TensorFlow", "tf."),
        (lambda: tfgrad.check_grads(tf.sin, (X,), wrt=2), tfgrad.StructureError, "wrt=2", "position"),
    ],
)
def test_a_wrong_call_is_told_in_three_lines(call: Any, error: type, given: str, advice: str) -> None:
    with pytest.raises(error) as caught:
        call()
    text = str(caught.value)
    assert given in text.splitlines()[0]
    assert "  try     " in text
    assert advice in text


@pytest.mark.parametrize("fails_at", [1, 7])
def test_what_f_raises_comes_through_with_the_line_of_f_and_no_internals(fails_at: int) -> None:
    calls = []

    def f(x: tf.Tensor) -> tf.Tensor:
        calls.append(1)
        if len(calls) == fails_at:
            raise RuntimeError("mine")
        return x * x

    with pytest.raises(RuntimeError, match="mine") as caught:
        tfgrad.check_grads(f, (X,))
    assert [entry.frame.code.name for entry in caught.traceback][-2:] == ["check_grads", "f"]
    assert caught.value.__context__ is None


def test_a_wrong_number_of_arguments_is_told_by_python() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'y'"):
        tfgrad.check_grads(lambda x, y: x, (X,))


def test_other_outputs_when_called_again_are_told() -> None:
    calls = []

    def f(x: tf.Tensor) -> tf.Tensor:
        calls.append(1)
        return tf.ones([len(calls) % 3 + 1], tf.float64) * tf.reduce_sum(x)

    with pytest.raises(tfgrad.GradientMismatch, match=r"its outputs had the shapes \[\d\], then \[\d\]"):
        tfgrad.check_grads(f, (X,))


def test_a_function_that_changes_what_it_reads_is_told() -> None:
    variable = tf.Variable([1.0, 2.0], dtype=tf.float64)

    def f(x: tf.Tensor) -> tf.Tensor:
        variable.assign_add([1.0, 1.0])
        return x * variable

    with pytest.raises(tfgrad.GradientMismatch, match="leave Variables unchanged"):
        tfgrad.check_grads(f, (X,))


def test_numbers_that_are_not_finite_are_left_alone() -> None:
    for lost in (np.nan, np.inf):
        check = tfgrad.check_grads(tf.sin, (tf.constant([lost, 1.0], tf.float64),))
        assert check.notes == ("args[0][0]: not finite, so not judged",)


def test_nothing_to_judge_is_not_called_right() -> None:
    for x in ([], [np.nan]):
        check = tfgrad.check_grads(tf.sin, (tf.constant(x, tf.float64),))
        assert ": not judged (" in check.summary()


def test_what_has_no_numbers_is_passed_on() -> None:
    seen = set()

    def f(data: Any, made: Any, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        seen.add((type(data).__name__, type(made).__name__))
        return x * 2.0, tf.constant("text")

    check = tfgrad.check_grads(f, (tf.data.Dataset.range(3), (i for i in range(2)), X))
    assert check.inputs == ("args[2]",)
    assert {name for _, name in seen} == {"generator"}


def test_a_step_that_is_too_large_is_to_blame_and_not_the_rule() -> None:
    check = tfgrad.check_grads(tf.sin, (X,), eps=100.0)
    assert check.notes == ("eps=100 is too large for f: with smaller steps the numbers agree",)
    wrong = tfgrad.custom_gradient(lambda x: (tf.sin(x), lambda dy: dy * tf.sin(x)))
    with pytest.raises(tfgrad.GradientMismatch):
        tfgrad.check_grads(wrong, (X,), eps=100.0)


def test_a_tolerance_above_all_derivatives_is_told() -> None:
    check = tfgrad.check_grads(tf.sin, (X,), atol=1e9)
    assert check.notes == ("atol=1e+09 is more than every derivative: no value could have been called wrong",)


def test_inside_a_tf_function_it_is_refused() -> None:
    with pytest.raises(tfgrad.GradError, match=r"while a tf\.function is traced"):
        tf.function(lambda x: tfgrad.check_grads(tf.sin, (x,)), autograph=False)(X)


def test_a_huge_tensor_is_sampled_and_the_cost_of_all_is_told() -> None:
    x = tf.ones([300_000], tf.float64)
    check = tfgrad.check_grads(lambda x: tf.reduce_sum(x * x), (x,))
    assert check.evaluations < 500
    assert any(note.startswith("300000 numbers:") for note in check.notes)


def test_a_generous_tolerance_lets_a_small_fault_pass() -> None:
    f = tfgrad.custom_gradient(lambda x: (x * x, lambda dy: 2.02 * x * dy))
    with pytest.raises(tfgrad.GradientMismatch):
        tfgrad.check_grads(f, (X,))
    assert tfgrad.check_grads(f, (X,), rtol=0.05).ok
    assert tfgrad.check_grads(f, (X,), atol=0.1).ok


def test_a_given_step_is_used() -> None:
    seen = []

    def f(x: tf.Tensor) -> tf.Tensor:
        seen.append(float(x.numpy()[0]) if hasattr(x, "numpy") else 0.5)
        return x * x

    assert tfgrad.check_grads(f, (X,), eps=0.25).ok
    assert max(abs(value - 0.5) for value in seen) <= 0.25


def test_ints_beside_floats_are_not_moved() -> None:
    seen = set()

    def f(x: tf.Tensor, i: Any) -> tf.Tensor:
        seen.add(i)
        return x * i

    tfgrad.check_grads(f, (X, 3))
    assert seen == {3}
