"""What diagnose() adds to a traced function: seen in loops and calls, gone where XLA compiles it or it is saved."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgrad.see.diagnosing.diagnosis import Diagnosis, diagnose

QUIET: dict[str, Any] = {"on_none": "ignore", "on_nonfinite": "ignore"}
X = tf.constant([[-1.0, 0.5, 0.1], [0.0, 0.0, 0.0], [0.3, 0.4, 0.5]])


def told(d: Diagnosis) -> list[tuple[str, str, str, str]]:
    return [(p.path, p.symptom, p.cause, p.where.text if p.where is not None else "") for p in d.problems]


def root_step(w: tf.Variable) -> Any:
    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.sqrt(w))
        return tape.gradient(y, w)

    return step


def test_a_function_that_ran_by_itself_can_be_compiled_by_xla_afterwards() -> None:
    w = tf.Variable([4.0, 0.0], name="w")
    with diagnose(**QUIET) as d:
        step = root_step(w)
        alone = step()

        @tf.function(jit_compile=True)
        def compiled() -> tf.Tensor:
            return step() + 1.0

        np.testing.assert_array_equal(compiled(), alone + 1.0)
        step()
    assert [(p.cause, p.count, p.steps) for p in d.problems] == [("singular-point", 2, 2)]
    assert any("XLA compiles a function that calls this one" in note for note in d.notes)


def test_what_xla_compiles_through_a_loop_and_another_function_is_without_our_ops() -> None:
    w = tf.Variable([4.0, 1.0], name="w")
    with diagnose(**QUIET) as d:
        step = root_step(w)

        @tf.function
        def thrice() -> tf.Tensor:
            total = tf.zeros([2])
            for _ in tf.range(3):
                total += step()
            return total

        @tf.function(jit_compile=True)
        def compiled() -> tf.Tensor:
            return thrice()

        np.testing.assert_allclose(thrice(), [0.75, 1.5])
        np.testing.assert_allclose(compiled(), [0.75, 1.5])
    assert d.watched["gradient_calls"] == 3


def test_a_gradient_through_a_function_with_a_tape_is_compiled_by_xla() -> None:
    w = tf.Variable([4.0, 1.0], name="w")
    with diagnose(**QUIET):
        step = root_step(w)
        step()

        @tf.function(jit_compile=True)
        def second() -> tf.Tensor:
            with tf.GradientTape() as tape:
                y = tf.reduce_sum(step() ** 2)
            return tape.gradient(y, w)

        np.testing.assert_allclose(second(), [-0.25 / 16.0, -0.25], rtol=1e-6)


def test_a_function_traced_meanwhile_is_compiled_when_diagnosing_is_over() -> None:
    w = tf.Variable([4.0], name="w")
    with diagnose(**QUIET):
        step = root_step(w)
        step()
    np.testing.assert_allclose(tf.function(lambda: step(), jit_compile=True)(), [0.25])


class Trained(tf.Module):
    def __init__(self) -> None:
        self.w = tf.Variable([4.0, 1.0], name="w")

    @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
    def train_step(self, x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.sqrt(self.w) * x)
        self.w.assign_sub(tape.gradient(y, self.w))
        return y


def saved(folder: pathlib.Path) -> bytes:
    return (folder / "saved_model.pb").read_bytes()


def test_a_saved_function_is_without_our_ops(tmp_path: pathlib.Path) -> None:
    plain = Trained()
    plain.train_step(tf.ones([2]))
    tf.saved_model.save(plain, str(tmp_path / "plain"))
    with diagnose(**QUIET):
        module = Trained()
        module.train_step(tf.ones([2]))
        tf.saved_model.save(module, str(tmp_path / "watched"))
    counts = []
    for name in ("plain", "watched"):
        text = saved(tmp_path / name)
        assert b"PyFunc" not in text
        assert b"_tfgrad" not in text
        counts.append(_functions(text))
    assert counts[0] == counts[1]
    loaded = tf.saved_model.load(str(tmp_path / "watched"))
    assert float(loaded.train_step(tf.ones([2]))) == float(plain.train_step(tf.ones([2])))


def _functions(text: bytes) -> list[tuple[str, int]]:
    """The functions of a SavedModel, each without its number, and how many ops it has."""
    from tensorflow.core.protobuf import saved_model_pb2

    graph = saved_model_pb2.SavedModel.FromString(text).meta_graphs[0].graph_def
    return sorted(
        (function.signature.name.rsplit("_", 1)[0], len(function.node_def)) for function in graph.library.function
    )


# Keras's own, when it reads weights with NumPy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_keras_model_with_a_step_of_its_own_is_saved_and_exported(tmp_path: pathlib.Path) -> None:
    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.dense(x)

        @tf.function
        def own_step(self, x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self(x) - y) ** 2)
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
            return loss

    x, y = np.ones([4, 3], "float32"), np.zeros([4, 1], "float32")
    with diagnose(**QUIET):
        model = Model()
        model.compile("sgd", "mse")
        model.fit(x, y, verbose=0)
        model.own_step(x, y)
        model.save(tmp_path / "model.keras")
        model.export(str(tmp_path / "exported"))
        tf.saved_model.save(model, str(tmp_path / "saved"))
    loaded = tf.saved_model.load(str(tmp_path / "exported"))
    np.testing.assert_allclose(loaded.serve(x), model(x), rtol=1e-6)
    assert b"PyFunc" not in saved(tmp_path / "exported") + saved(tmp_path / "saved")


def in_map(h: Callable[[Any], Any], w: tf.Variable) -> Any:
    return tf.reduce_sum(tf.map_fn(lambda row: h(tf.reduce_sum(row * w)), X))


def in_array(h: Callable[[Any], Any], w: tf.Variable) -> Any:
    array = tf.TensorArray(tf.float32, size=3)
    for i in tf.range(3):
        array = array.write(i, h(tf.reduce_sum(X[i] * w)))
    return tf.reduce_sum(array.stack())


def in_scan(h: Callable[[Any], Any], w: tf.Variable) -> Any:
    return tf.scan(lambda total, row: total + h(tf.reduce_sum(row * w)), X, initializer=0.0)[-1]


def in_rows(h: Callable[[Any], Any], w: tf.Variable) -> Any:
    total = 0.0
    for row in X:
        total += h(tf.reduce_sum(row * w))
    return total


def in_branch(h: Callable[[Any], Any], w: tf.Variable) -> Any:
    return tf.reduce_sum(h(X @ w[:, None])) if tf.reduce_sum(X) > -9.0 else tf.reduce_sum(w)


def in_case(h: Callable[[Any], Any], w: tf.Variable) -> Any:
    return tf.switch_case(tf.shape(X)[0] - 2, [lambda: tf.reduce_sum(w), lambda: tf.reduce_sum(h(X @ w[:, None]))])


def root(x: Any) -> Any:
    return tf.sqrt(tf.abs(x))


def dead(x: Any) -> Any:
    return tf.nn.relu(-1.0 - tf.exp(x))


def sound(x: Any) -> Any:
    return tf.tanh(x)


@pytest.mark.parametrize("within", [in_map, in_array, in_scan, in_rows, in_branch, in_case])
@pytest.mark.parametrize(
    ("f", "symptom", "cause"), [(root, "nonfinite", "singular-point"), (dead, "zero", "saturated"), (sound, "", "")]
)
def test_a_fault_inside_control_flow_is_found_at_its_line(within: Any, f: Any, symptom: str, cause: str) -> None:
    w = tf.Variable([0.5, -0.3, 0.8], name="w")

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            y = within(f, w)
        return tape.gradient(y, w)

    plain = tf.function(step.python_function)()
    with diagnose(**QUIET) as d:
        watched = step()
    np.testing.assert_array_equal(watched, plain)
    line = {"nonfinite": "return tf.sqrt(tf.abs(x))", "zero": "return tf.nn.relu(-1.0 - tf.exp(x))"}
    assert told(d) == ([("w", symptom, cause, line[symptom])] if symptom else [])


def test_two_gradients_of_one_tape_at_one_line_are_told_apart() -> None:
    w, v = tf.Variable([1.0], name="w"), tf.Variable([1.0], name="v")

    @tf.function
    def step() -> Any:
        with tf.GradientTape(persistent=True) as tape:
            a, b = tf.nn.relu(-w), v * v
        return tape.gradient(a, w), tape.gradient(b, v)

    with diagnose(**QUIET) as d:
        step()
        step()
    assert [(p.path, p.symptom, p.count, p.steps) for p in d.problems] == [("w", "zero", 2, 2)]


def test_nan_in_a_jacobian_of_a_traced_function_is_located() -> None:
    w = tf.Variable([0.0, 4.0], name="w")

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            y = tf.sqrt(w * 2.0)
        return tape.jacobian(y, w)

    with diagnose(**QUIET) as d:
        step()
    assert told(d) == [("w", "nonfinite", "singular-point", "y = tf.sqrt(w * 2.0)")]


def test_a_loss_that_is_nan_at_finite_gradients_is_a_problem() -> None:
    w = tf.Variable(2.0, name="w")

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            y = tf.math.log(w)
        w.assign_sub(6.0 * tape.gradient(y, w))

    with diagnose(**QUIET) as d:
        for _ in range(3):
            step()
    assert told(d) == [("w", "nonfinite", "singular-point", "y = tf.math.log(w)")]
    assert d.problems[0].first_step == 2


def test_a_place_is_named_once_in_a_chain_of_traced_code() -> None:
    with diagnose(**QUIET) as d:
        root_step(tf.Variable([0.0], name="w"))()
    (problem,) = d.problems
    assert [place.op for place in problem.chain] == ["Sqrt"]


def test_what_comes_after_a_loop_that_cannot_be_run_again_is_explained() -> None:
    w = tf.Variable([0.5], name="w")

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            seen = tf.TensorArray(tf.float32, size=2)
            for i in tf.range(2):
                noise = tf.numpy_function(lambda: np.float32(0.0), [], tf.float32)
                seen = seen.write(i, w[0] * noise)
            y = tf.reduce_sum(tf.math.log(seen.stack()))
        return tape.gradient(y, w)

    with diagnose(**QUIET) as d:
        step()
    assert told(d) == [("w", "nonfinite", "singular-point", "y = tf.reduce_sum(tf.math.log(seen.stack()))")]


def test_gradients_of_each_example_under_vectorized_map_are_what_they_were() -> None:
    w = tf.Variable([0.5, -0.3, 0.8], name="w")

    def one(row: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            y = tf.tanh(tf.reduce_sum(row * w))
        return tape.gradient(y, w)

    plain = tf.vectorized_map(one, X)
    with diagnose(**QUIET) as d:
        np.testing.assert_array_equal(tf.vectorized_map(one, X), plain)
    assert d.ok


def test_nan_weights_after_code_compiled_by_xla_are_said_in_its_note() -> None:
    w = tf.Variable([0.0], name="w")

    @tf.function(jit_compile=True)
    def step() -> None:
        with tf.GradientTape() as tape:
            y = tf.sqrt(w)
        w.assign_sub(tape.gradient(y, w))

    with diagnose(**QUIET) as d:
        step()
    assert any("in the end 'w' is not finite" in note for note in d.notes)
