"""A tf.function that is run again op by op gives the values and gradients of the function itself."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgrad.see.numbers import inside, rerun

POINT = [1.0, 2.0]


def replayed(f: Any, *args: tf.Tensor) -> tuple[Any, list[Any], inside.Replay]:
    """The first output of f, the gradients at its float arguments and Variables, and the replay."""
    graph = f.get_concrete_function(*args).graph
    captured = [outer for outer, _ in graph.captures]
    handles = {variable.handle._id: variable for variable in graph.variables}

    def work() -> tuple[Any, list[Any], inside.Replay]:
        given = [*args, *captured]
        values = {tensor._id: tensor for tensor in given if tensor.dtype != tf.resource}
        variables = {i: handles[i].read_value() for i in (tensor._id for tensor in captured) if i in handles}
        replay = inside.Replay(values, variables)
        (number,) = replay.forward(graph, [tensor._id for tensor in given], 1)
        out = replay.values.get(number)
        found = replay.backward({number: tf.ones_like(out)}) if out is not None else {}
        wanted = [tensor for tensor in given if tensor.dtype.is_floating or tensor._id in handles]
        return out, [found.get(tensor._id) for tensor in wanted], replay

    return rerun.elsewhere(work)


def agrees(f: Any, *args: tf.Tensor) -> inside.Replay:
    """The replay of f, once its value and gradients are found to be those of f itself."""
    out, gradients, replay = replayed(f, *args)
    graph = f.get_concrete_function(*args).graph
    handles = {variable.handle._id: variable for variable in graph.variables}
    sources = [arg for arg in args if arg.dtype.is_floating]
    sources += [handles[outer._id] for outer, _ in graph.captures if outer._id in handles]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        expected = f(*args)
    np.testing.assert_allclose(out, expected, rtol=1e-5)
    right = tape.gradient(expected, sources, unconnected_gradients="zero")
    for found, wanted in zip(gradients, right, strict=True):
        dense = tf.convert_to_tensor(wanted)
        np.testing.assert_allclose(tf.zeros_like(dense) if found is None else found, dense, rtol=1e-4, atol=1e-6)
    return replay


def test_straight_code_is_replayed() -> None:
    agrees(tf.function(lambda x: tf.reduce_sum(tf.exp(x) * tf.sin(x) + x * x)), tf.constant(POINT))


def test_the_same_tensor_twice_has_a_gradient_for_each_use() -> None:
    replay = agrees(tf.function(lambda x: tf.reduce_sum(x * x)), tf.constant(POINT))
    (product,) = [inner for inner in replay.ran if inner.graph_op.type == "Mul"]
    for part in product.downstream:
        np.testing.assert_allclose(part, POINT)


def test_nested_calls_are_opened() -> None:
    inner = tf.function(lambda x: tf.tanh(x) * 2.0)
    middle = tf.function(lambda x: inner(x) + inner(x * 0.5))
    replay = agrees(tf.function(lambda x: tf.reduce_sum(middle(x) ** 2)), tf.constant(POINT))
    assert sum(inner.graph_op.type == "Tanh" for inner in replay.ran) == 2


def test_a_loop_has_its_ops_once_a_round() -> None:
    @tf.function
    def f(x: tf.Tensor) -> tf.Tensor:
        for _ in tf.range(3):
            x = tf.sqrt(x) + 0.1 * x
        return tf.reduce_sum(x)

    replay = agrees(f, tf.constant(POINT))
    assert sum(inner.graph_op.type == "Sqrt" for inner in replay.ran) == 3


def test_a_loop_that_ends_by_its_value_ends_there_again() -> None:
    @tf.function
    def f(x: tf.Tensor) -> tf.Tensor:
        while tf.reduce_max(x) > 0.3:
            x = x * 0.5
        return tf.reduce_sum(x**2)

    agrees(f, tf.constant(POINT))


@pytest.mark.parametrize("taken", [True, False])
def test_only_the_branch_that_is_taken_is_run(taken: bool) -> None:
    @tf.function
    def f(x: tf.Tensor, flag: tf.Tensor) -> tf.Tensor:
        y = tf.exp(x) if flag else tf.sin(x)
        return tf.reduce_sum(y)

    replay = agrees(f, tf.constant(POINT), tf.constant(taken))
    ops = {inner.graph_op.type for inner in replay.ran}
    assert ("Exp" in ops, "Sin" in ops) == (taken, not taken)


def test_one_of_many_branches_is_run() -> None:
    @tf.function
    def f(x: tf.Tensor, which: tf.Tensor) -> tf.Tensor:
        branches = [lambda: tf.exp(x), lambda: tf.sin(x), lambda: x**3]
        return tf.reduce_sum(tf.switch_case(which, branches))

    for which in range(3):
        agrees(f, tf.constant(POINT), tf.constant(which))


def test_tensor_arrays_carry_gradients() -> None:
    @tf.function
    def f(x: tf.Tensor) -> tf.Tensor:
        kept = tf.TensorArray(tf.float32, 3)
        for i in tf.range(3):
            x = x * 1.5
            kept = kept.write(i, x)
        return tf.reduce_sum(kept.stack() ** 2)

    agrees(f, tf.constant(POINT))


def test_variables_and_tables_get_their_gradients() -> None:
    w, table = tf.Variable(POINT), tf.Variable([[1.0, 2.0], [3.0, 4.0]])

    @tf.function
    def f(x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(x * w * tf.gather(table, [0, 1, 1]))

    agrees(f, tf.constant(POINT))


def test_an_assignment_inside_is_seen_by_later_reads_and_not_made() -> None:
    w = tf.Variable(POINT)

    @tf.function
    def f(x: tf.Tensor) -> tf.Tensor:
        w.assign_add([1.0, 1.0])
        return tf.reduce_sum(x * w)

    out, _, _ = replayed(f, tf.constant(POINT))
    assert float(out) == 1.0 * 2.0 + 2.0 * 3.0
    np.testing.assert_array_equal(w, POINT)


def test_rules_written_by_hand_are_obeyed() -> None:
    @tf.custom_gradient
    def doubled(x: tf.Tensor) -> Any:
        grown = tf.exp(x)

        def grad(dy: tf.Tensor) -> tf.Tensor:
            return dy * grown * 2.0

        return grown, grad

    agrees(tf.function(lambda x: tf.reduce_sum(doubled(x) * 3.0)), tf.constant(POINT))


def test_a_rule_inside_a_loop_uses_the_values_of_its_round() -> None:
    @tf.custom_gradient
    def squared(x: tf.Tensor) -> Any:
        return x * x, lambda dy: dy * 2.0 * x

    @tf.function
    def f(x: tf.Tensor) -> tf.Tensor:
        for _ in range(3):
            x = squared(x)
        return tf.reduce_sum(x)

    agrees(f, tf.constant([0.9, 1.1]))


def test_a_keras_model_is_replayed() -> None:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.GRU(3), keras.layers.Dense(1)])
    f = tf.function(lambda x: tf.reduce_sum(model(x) ** 2))
    agrees(f, tf.random.normal((2, 4, 3)))


def test_stopped_gradients_stay_stopped() -> None:
    _, (gradient,), _ = replayed(tf.function(lambda x: tf.reduce_sum(tf.stop_gradient(x) * 2.0)), tf.constant(POINT))
    assert gradient is None


def test_random_numbers_are_owned_up_to() -> None:
    _, _, replay = replayed(tf.function(lambda x: tf.reduce_sum(x * tf.random.uniform([2]))), tf.constant(POINT))
    assert replay.drew
    _, _, replay = replayed(tf.function(lambda x: tf.reduce_sum(x)), tf.constant(POINT))
    assert not replay.drew


def test_python_inside_is_not_run_a_second_time() -> None:
    times: list[int] = []

    def host(a: tf.Tensor) -> tf.Tensor:
        times.append(1)
        return a * 2.0

    f = tf.function(lambda x: tf.reduce_sum(tf.py_function(host, [x], tf.float32)))
    out, _, replay = replayed(f, tf.constant(POINT))
    assert out is None
    assert "EagerPyFunc" in replay.unknown
    assert times == []


def test_a_loop_without_end_in_sight_is_given_up() -> None:
    @tf.function
    def f(x: tf.Tensor) -> tf.Tensor:
        for _ in tf.range(100_000):
            x = x * 1.0
        return tf.reduce_sum(x)

    with pytest.raises(inside.TooLong):
        replayed(f, tf.constant(POINT))


def test_an_op_whose_gradient_raises_is_named() -> None:
    f = tf.function(lambda m: tf.linalg.det(m) * 2.0)
    _, _, replay = replayed(f, tf.constant([[1.0, 2.0], [2.0, 4.0]]))
    assert replay.broke is not None
    assert replay.broke.graph_op.type == "MatrixDeterminant"
    assert "invertible" in str(replay.error)


def test_work_elsewhere_is_on_no_tape() -> None:
    x = tf.Variable(POINT)
    with tf.GradientTape() as tape:
        y = rerun.elsewhere(lambda: tf.reduce_sum(x * x))
    assert tape.gradient(y, x) is None


def test_an_error_elsewhere_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        rerun.elsewhere(lambda: 1 // 0)


@pytest.mark.parametrize("op", ["RandomUniform", "EagerPyFunc", "AssignVariableOp", "NoSuchOp"])
def test_what_would_do_something_is_not_run_again(op: str) -> None:
    with pytest.raises(rerun.CannotRerun):
        rerun.run(op, {}, [])


def test_a_small_tensor_from_outside_is_an_input_though_it_is_a_constant_of_the_graph() -> None:
    x = tf.constant(POINT)
    f = tf.function(lambda: tf.reduce_sum(tf.exp(x) * 2.0))
    _, gradients, _ = replayed(f)
    np.testing.assert_allclose(gradients[0], 2.0 * np.exp(POINT), rtol=1e-5)
