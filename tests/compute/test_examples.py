"""`batch_jacobian` and `per_example_grad`: against the same thing done example by example."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgrad as tg

EAGER_AND_GRAPH = pytest.mark.parametrize("how", [lambda g: g, tf.function], ids=["eager", "graph"])
COUNTS = pytest.mark.parametrize("count", [1, 3, 40])


@EAGER_AND_GRAPH
@COUNTS
def test_batch_jacobian_is_the_jacobian_of_each_example(how: Any, count: int) -> None:
    W = tf.random.normal([2, 3])
    f = lambda x: tf.tanh(tf.einsum("ij,bj->bi", W, x))
    x = tf.random.normal([count, 3])
    J = how(tg.batch_jacobian(f))(x)
    one = tg.jacobian(lambda x: f(x[None])[0])
    np.testing.assert_allclose(J, np.stack([one(row) for row in x]), rtol=1e-5, atol=1e-6)


def test_batch_jacobian_is_what_a_plain_tape_gives() -> None:
    x = tf.random.normal([5, 2, 3])
    f = lambda x: tf.reduce_sum(x, 1) ** 2
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    np.testing.assert_allclose(tg.batch_jacobian(f)(x), tape.batch_jacobian(y, x), rtol=1e-6)


def test_batch_jacobian_of_a_scalar_an_example_has_one_axis() -> None:
    np.testing.assert_array_equal(tg.batch_jacobian(lambda x: x**2)(tf.constant([1.0, 2.0])), [2.0, 4.0])


def test_batch_jacobian_of_nests_and_of_what_is_unconnected() -> None:
    x, y = tf.ones([2, 3]), tf.ones([2, 1])
    J = tg.batch_jacobian(lambda x, y: {"a": 2 * x, "b": tf.ones([2, 4])}, wrt=(0, 1))(x, y)
    np.testing.assert_array_equal(J["a"][0], np.stack([2 * np.eye(3)] * 2))
    assert [leaf.shape for leaf in (*J["a"], *J["b"])] == [[2, 3, 3], [2, 3, 1], [2, 4, 3], [2, 4, 1]]


def loss(w: Any, x: Any, y: Any) -> Any:
    return (tf.tensordot(w["k"], x, 1) + w["b"] - y) ** 2


@EAGER_AND_GRAPH
@COUNTS
def test_per_example_gradients_are_those_of_each_example(how: Any, count: int) -> None:
    w = {"k": tf.random.normal([3]), "b": tf.constant(0.5)}
    x, y = tf.random.normal([count, 3]), tf.random.normal([count])
    got = how(tg.per_example_grad(loss))(w, x, y)
    singly = [tg.grad(loss)(w, xi, yi) for xi, yi in zip(x, y, strict=True)]
    for key in w:
        np.testing.assert_allclose(got[key], np.stack([g[key] for g in singly]), rtol=1e-4, atol=1e-5)


def test_the_mean_of_per_example_gradients_is_the_gradient_of_the_mean_loss() -> None:
    w, x = tf.random.normal([3]), tf.random.normal([50, 3])
    one = lambda w, x: tf.sin(tf.tensordot(w, x, 1))
    mean = tg.grad(lambda w: tf.reduce_mean(tf.sin(tf.linalg.matvec(x, w))))(w)
    np.testing.assert_allclose(tf.reduce_mean(tg.per_example_grad(one)(w, x), 0), mean, rtol=1e-4, atol=1e-6)


@COUNTS
def test_per_example_gradients_by_a_model_s_weights(count: int) -> None:
    model = keras.Sequential([keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
    x, y = tf.random.normal([count, 3]), tf.random.normal([count, 1])
    one = lambda x, y: tf.reduce_sum((model(x[None])[0] - y) ** 2)
    got = tg.per_example_grad(one, wrt=model)(x, y)
    for g, v in zip(got, model.trainable_variables, strict=True):
        assert g.shape == [count, *v.shape]
    for i in (0, count - 1):
        for g, e in zip(got, tg.grad(one, wrt=model)(x[i], y[i]), strict=True):
            np.testing.assert_allclose(g[i], e, rtol=1e-4, atol=1e-5)


@COUNTS
def test_batch_may_name_the_argument_that_is_differentiated(count: int) -> None:
    w, x = tf.random.normal([count, 2]), tf.random.normal([count, 2])
    got = tg.per_example_grad(lambda w, x: tf.reduce_sum(w**2 * x), batch=(0, 1))(w, x)
    np.testing.assert_allclose(got, 2 * w * x, rtol=1e-6)


def test_scalars_and_other_things_outside_wrt_are_shared_by_all_examples() -> None:
    f = lambda w, x, scale, table: w * x * scale * table["t"]
    got = tg.per_example_grad(f)(2.0, tf.constant([1.0, 3.0]), 10.0, {"t": tf.constant(5.0)})
    np.testing.assert_array_equal(got, [50.0, 150.0])


def test_examples_may_be_nests_with_integers_in_them() -> None:
    table = tf.Variable([1.0, 2.0, 3.0])
    f = lambda e: tf.gather(table, e["index"]) ** 2 * e["weight"]
    got = tg.per_example_grad(f, wrt=table)({"index": tf.constant([0, 2]), "weight": tf.constant([1.0, 10.0])})
    np.testing.assert_array_equal(got, [[2.0, 0.0, 0.0], [0.0, 0.0, 60.0]])


def test_a_loss_that_does_not_depend_on_wrt_has_zero_gradients() -> None:
    np.testing.assert_array_equal(tg.per_example_grad(lambda w, x: x)(1.0, tf.ones([3])), [0.0, 0.0, 0.0])


def test_no_examples_give_no_gradients_of_the_right_shape() -> None:
    assert tg.per_example_grad(lambda w, x: tf.reduce_sum(w * x))(tf.ones([2]), tf.ones([0, 2])).shape == [0, 2]


def test_gradients_of_examples_of_a_traced_loop_are_those_of_a_plain_one() -> None:
    loss = lambda w, x: tf.reduce_sum(tf.scan(lambda a, b: a * b, w * x)[-1])
    w, x = tf.constant([2.0, 3.0]), tf.random.normal([3, 2])
    found = tg.jit(tg.per_example_grad(loss))(w, x)
    np.testing.assert_allclose(found, tg.per_example_grad(loss)(w, x), rtol=1e-5)


def test_a_loop_that_can_not_be_vectorised_is_not_logged_and_done_one_by_one(caplog: pytest.LogCaptureFixture) -> None:
    def loss(w: Any, x: Any) -> Any:
        total = tf.constant(0.0)
        for v in x:
            if total > 3.0:
                break
            total += w * v * v
        return total

    logger = tf.get_logger()
    propagates, before = logger.propagate, list(logger.filters)
    logger.propagate = True
    try:
        found = tg.jit(tg.per_example_grad(loss))(2.0, tf.reshape(tf.range(12.0), [3, 4]))
    finally:
        logger.propagate = propagates
    np.testing.assert_array_equal(found, [0.0 + 1.0 + 4.0, 16.0, 64.0])
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
    assert logger.filters == before
