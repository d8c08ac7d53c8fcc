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


def test_what_f_raises_comes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        tfgrad.check_grads(lambda x: 1 / 0, (X,))


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
