"""Why gradient() raised: the cause, the line to look at and what to type."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgrad.see.explanation import Reason
from tfgrad.see.tape import Tape


def why(tape: Tape, target: object, source: object, method: str = "gradient") -> Reason:
    with pytest.raises(Exception):  # noqa: B017 - each kind of error is TensorFlow's own
        getattr(tape, method)(target, source)
    found = tape.explain(target, source).worst
    assert found is not None
    assert found.symptom == "error"
    return found


def line(reason: Reason) -> str:
    assert reason.where is not None
    return reason.where.text


def test_a_used_tape_shows_its_first_call() -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = x**2
    tape.jacobian(y, x)
    found = why(tape, y, x)
    assert found.cause == "tape-consumed"
    assert line(found) == "tape.jacobian(y, x)"
    assert "persistent=True" in found.advice


def test_a_loop_over_sources_shows_its_own_line() -> None:
    x, z = tf.Variable(1.0), tf.Variable(2.0)
    with Tape() as tape:
        y = x * z
    with contextlib.suppress(RuntimeError):
        for v in (x, z):
            tape.gradient(y, v)
    found = tape.explain(y, z).worst
    assert found is not None
    assert found.cause == "tape-consumed"
    assert "runs more than once" in found.detail


@pytest.mark.parametrize(
    ("f", "advised"),
    [
        (lambda x: tf.image.adjust_contrast(x, 0.7), "reduce_mean"),
        (lambda x: tf.image.adjust_saturation(x, 0.7), "rgb_to_grayscale"),
        (lambda x: tf.image.adjust_hue(x, 0.1), "custom_gradient"),
        (lambda x: tf.image.resize(x, (2, 2), method="area"), "bilinear"),
        (lambda x: tf.math.bincount([0, 1, 1], weights=x[0, 0, 0]), "segment_sum"),
        (lambda x: tf.unique(x[0, 0, 0])[0], "tf.gather"),
    ],
)
def test_an_op_without_gradient_is_named_with_a_way_round(f, advised) -> None:
    x = tf.Variable(tf.random.stateless_uniform((1, 4, 4, 3), [1, 2]))
    with Tape() as tape:
        y = tf.reduce_sum(f(x))
    found = why(tape, y, x)
    assert found.cause == "no-gradient-registered"
    assert line(found).startswith("(lambda x:")
    assert advised in found.advice


def test_an_op_without_second_gradient_shows_the_forward_line() -> None:
    x = tf.Variable(tf.random.stateless_uniform((1, 2, 2, 1), [1, 2]))
    with Tape() as outer:
        with Tape() as inner:
            up = tf.image.resize(x, (4, 4), method="bicubic")
            y = tf.reduce_sum(up**2)
        g = inner.gradient(y, x)
        z = tf.reduce_sum(g**2)
    found = why(outer, z, x)
    assert found.cause == "no-gradient-registered"
    assert line(found) == 'up = tf.image.resize(x, (4, 4), method="bicubic")'
    assert "first derivative" in found.detail


def test_an_op_without_gradient_in_a_loop_of_a_graph_is_found() -> None:
    x = tf.Variable(tf.random.stateless_uniform((1, 2, 2, 3), [1, 2]))
    reasons: list[Reason] = []

    @tf.function
    def step():
        with Tape() as tape:
            h = x * 1.0
            for _ in tf.range(2):
                h = tf.image.adjust_contrast(h, 0.7)
            y = tf.reduce_sum(h)
        reasons.append(why(tape, y, x))
        return y

    step()
    assert reasons[0].cause == "no-gradient-registered"
    assert line(reasons[0]) == "h = tf.image.adjust_contrast(h, 0.7)"


@pytest.mark.parametrize(
    ("f", "advised"),
    [
        (lambda a: tf.linalg.svd(a, full_matrices=True)[1], "full_matrices=False"),
        (lambda a: tf.linalg.qr(a, full_matrices=True)[0], "full_matrices=False"),
        (lambda a: tf.linalg.lstsq(a, tf.ones((5, 1)), fast=False), "fast=True"),
    ],
)
def test_options_without_a_gradient_are_unsupported(f, advised) -> None:
    a = tf.Variable(tf.random.stateless_normal((5, 2), [1, 2]))
    with Tape() as tape:
        y = tf.reduce_sum(f(a))
    found = why(tape, y, a)
    assert found.cause == "unsupported"
    assert advised in found.advice


@pytest.mark.parametrize(
    ("given", "advised"),
    [
        (None, "return loss"),
        ("loss", "the Variable itself"),
        (lambda: 1.0, "call it"),
        (3.0, "tensors computed inside the block"),
    ],
)
def test_a_target_that_is_no_tensor_is_a_bad_argument(given, advised) -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        tf.reduce_sum(x)
    found = why(tape, given, x)
    assert found.cause == "bad-argument"
    assert "getattr(tape, method)(target, source)" in line(found)
    assert advised in found.advice


@pytest.mark.parametrize("given", [[None], 0.5, np.ones(2), "x", [1.0, 2.0], keras.layers.Dense(1)])
def test_a_source_that_is_no_tensor_is_a_bad_argument(given) -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = tf.reduce_sum(x)
    assert why(tape, y, given).cause == "bad-argument"


def test_one_bad_source_is_named_for_all() -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = tf.reduce_sum(x)
    with pytest.raises(TypeError):
        tape.gradient(y, {"x": x, "rate": 0.1})
    explanation = tape.explain(y, {"x": x, "rate": 0.1})
    assert [reason.cause for reason in explanation] == ["bad-argument", "bad-argument"]
    assert "['rate']" in explanation[0].detail


@pytest.mark.parametrize(
    "leave", [lambda y: y.numpy(), lambda y: float(y), lambda y: np.mean(y), lambda y: y.numpy().item() * 2.0]
)
def test_a_target_that_was_read_as_a_number_has_left_tensorflow(leave) -> None:
    x = tf.Variable([1.0, 2.5])
    with Tape() as tape:
        y = leave(tf.reduce_sum(x**2))
    found = why(tape, y, x)
    assert found.cause == "left-tensorflow"
    assert line(found).startswith('"leave", [lambda y')


@pytest.mark.parametrize("role", ["target", "source"])
def test_a_keras_tensor_is_symbolic(role) -> None:
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    with Tape() as tape:
        y = model(tf.ones((1, 2)))
    pair = (model.output, model.trainable_variables) if role == "target" else (y, model.layers[1].output)
    assert why(tape, *pair).cause == "symbolic-tensor"


@pytest.mark.parametrize(
    ("rule", "advised"),
    [
        (lambda dy: (dy, dy), "exactly one gradient"),
        (lambda dy: [], "exactly one gradient"),
        (lambda: None, "one gradient for each output"),
        (lambda dy, scale: dy, "one gradient for each output"),
        (lambda dy: tf.ones((7,)), "own shape"),
    ],
)
def test_a_rule_written_wrongly_is_named(rule, advised) -> None:
    @tf.custom_gradient
    def f(x):
        return x * 2.0, rule

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = tf.reduce_sum(f(tf.sin(x)))
    found = why(tape, y, x)
    assert found.cause == "custom-gradient"
    assert advised in found.advice


def test_a_rule_that_raises_shows_its_own_line() -> None:
    @tf.custom_gradient
    def f(x):
        def grad(dy):
            return dy * [1.0][3]

        return x * 2.0, grad

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = tf.reduce_sum(f(x))
    found = why(tape, y, x)
    assert found.cause == "custom-gradient"
    assert line(found) == "return dy * [1.0][3]"


def test_a_rule_that_forgot_the_variables_is_told_so() -> None:
    scale = tf.Variable(2.0)

    @tf.custom_gradient
    def f(x):
        def grad(dy, variables=None):
            return dy * scale, []

        return x * scale, grad

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = tf.reduce_sum(f(x))
    assert "variables=None" in why(tape, y, [x, scale]).advice


def test_a_gradient_that_can_not_be_computed_is_singular() -> None:
    a = tf.Variable([[1.0, 2.0], [2.0, 4.0]])
    with Tape() as tape:
        d = tf.linalg.det(a)
        y = d * 2.0
    found = why(tape, y, a)
    assert found.cause == "singular-point"
    assert line(found) == "d = tf.linalg.det(a)"
    assert "not invertible" in found.detail


@pytest.mark.parametrize("looped", [False, True])
def test_inside_a_function_it_is_the_line_inside(looped) -> None:
    @tf.function
    def f(m):
        total = tf.constant(0.0)
        if looped:
            for _ in tf.range(2):
                total += tf.linalg.det(m * 1.0)
        else:
            total = tf.linalg.det(m * 1.0)
        return total

    a = tf.Variable([[1.0, 2.0], [2.0, 4.0]])
    with Tape() as tape:
        y = f(a)
    found = why(tape, y, a)
    assert found.cause == "singular-point"
    assert "tf.linalg.det(m * 1.0)" in line(found)


def test_a_jacobian_of_a_nest_is_a_bad_argument() -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = {"a": x**2, "b": x}
    assert why(tape, y, x, "jacobian").cause == "bad-argument"
