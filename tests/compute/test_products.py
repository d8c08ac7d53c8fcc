"""`vjp`, `jvp`, `linearize`: against Jacobians by hand, and against TensorFlow's own forward accumulator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import tfgrad as tg
from tests.zoo import MAPPINGS, Mapping, doubled_until_large

ZOO = pytest.mark.parametrize("known", MAPPINGS, ids=lambda known: known.name)
EAGER_AND_GRAPH = pytest.mark.parametrize("how", [lambda g: g, tf.function], ids=["eager", "graph"])


@ZOO
@EAGER_AND_GRAPH
def test_vjp_is_the_transposed_jacobian_times_the_cotangent(known: Mapping, how: Any) -> None:
    J = known.jacobian(known.x)
    w = np.random.normal(size=J.shape[:-1])
    (dx,) = how(lambda x: tg.vjp(known.f, x)[1](w))(tf.constant(known.x))
    np.testing.assert_allclose(dx, np.tensordot(w, J, w.ndim), rtol=1e-12, atol=1e-12)


@ZOO
@EAGER_AND_GRAPH
def test_jvp_is_the_jacobian_times_the_tangent(known: Mapping, how: Any) -> None:
    v = np.random.normal(size=known.x.shape)
    y, dy = how(lambda x: tg.jvp(known.f, (x,), (v,)))(tf.constant(known.x))
    np.testing.assert_allclose(y, known.f(tf.constant(known.x)))
    np.testing.assert_allclose(dy, known.jacobian(known.x) @ v, rtol=1e-12, atol=1e-12)


@ZOO
def test_a_linearized_function_is_called_many_times(known: Mapping) -> None:
    y, jvp_fn = tg.linearize(known.f, known.x)
    np.testing.assert_allclose(y, known.f(tf.constant(known.x)))
    for scale in (1.0, -2.0):
        v = scale * np.arange(1.0, known.x.size + 1)
        np.testing.assert_allclose(jvp_fn(v), known.jacobian(known.x) @ v, rtol=1e-12, atol=1e-12)


def test_linearize_runs_f_once_however_often_its_answer_is_called() -> None:
    calls = []
    _, jvp_fn = tg.linearize(lambda x: calls.append(1) or x**2, 3.0)
    assert [float(jvp_fn(v)) for v in (1.0, 2.0, 3.0)] == [6.0, 12.0, 18.0]
    assert calls == [1]


def test_the_pullback_may_be_called_many_times_and_runs_no_more_of_f() -> None:
    calls = []
    y, vjp_fn = tg.vjp(lambda a, b: calls.append(1) or a * b, 3.0, 4.0)
    assert [tuple(map(float, vjp_fn(w))) for w in (1.0, 10.0)] == [(4.0, 3.0), (40.0, 30.0)]
    assert (float(y), calls) == (12.0, [1])


def f_of_nests(d: Any, c: Any) -> Any:
    return {"p": d["a"] * c, "q": [tf.reduce_sum(d["b"]) * d["a"], None]}


def test_vjp_takes_and_gives_nests() -> None:
    primals = ({"a": 2.0, "b": tf.constant([1.0, 3.0]), "none": None}, 5.0)
    y, vjp_fn = tg.vjp(f_of_nests, *primals)
    assert (float(y["p"]), float(y["q"][0]), y["q"][1]) == (10.0, 8.0, None)
    dd, dc = vjp_fn({"p": 1.0, "q": [10.0, None]})
    assert (float(dd["a"]), float(dc), dd["none"]) == (45.0, 2.0, None)
    np.testing.assert_array_equal(dd["b"], [20.0, 20.0])


def test_jvp_takes_and_gives_nests() -> None:
    primals = ({"a": 2.0, "b": tf.constant([1.0, 3.0])}, 5.0)
    tangents = ({"a": 1.0, "b": tf.constant([0.0, 10.0])}, 100.0)
    _, dy = tg.jvp(f_of_nests, primals, tangents)
    assert (float(dy["p"]), float(dy["q"][0]), dy["q"][1]) == (205.0, 24.0, None)


def test_an_output_that_does_not_depend_on_the_input_moves_by_zero() -> None:
    f = lambda x: (tf.constant([1.0, 2.0]), x)
    _, (d_constant, dx) = tg.jvp(f, (3.0,), (5.0,))
    np.testing.assert_array_equal(d_constant, [0.0, 0.0])
    assert float(dx) == 5.0
    (back,) = tg.vjp(f, 3.0)[1]((tf.ones([2]), 0.0))
    assert float(back) == 0.0


def test_an_input_that_is_not_used_gets_zeros() -> None:
    (da, db) = tg.vjp(lambda a, b: a, 1.0, tf.ones([2]))[1](1.0)
    assert float(da) == 1.0
    np.testing.assert_array_equal(db, [0.0, 0.0])


def test_integer_outputs_go_along_and_move_by_zero() -> None:
    f = lambda x: (x**2, tf.cast(x, tf.int32), 7)
    y, dy = tg.jvp(f, (3.0,), (1.0,))
    assert [int(v) for v in y] == [9, 3, 7]
    assert [int(v) for v in dy] == [6, 0, 0]
    assert float(tg.vjp(f, 3.0)[1]((1.0, None, None))[0]) == 6.0


def test_a_tensor_returned_twice_adds_its_cotangents() -> None:
    def f(x: Any) -> Any:
        y = x**2
        return y, y, x

    assert float(tg.vjp(f, 3.0)[1]((1.0, 10.0, 100.0))[0]) == 6.0 + 60.0 + 100.0
    assert [float(d) for d in tg.jvp(f, (3.0,), (1.0,))[1]] == [6.0, 6.0, 1.0]


def test_a_returned_variable_is_its_value() -> None:
    v = tf.Variable([1.0, 2.0])
    y, vjp_fn = tg.vjp(lambda x: v, 3.0)
    np.testing.assert_array_equal(y, [1.0, 2.0])
    assert float(vjp_fn([1.0, 1.0])[0]) == 0.0


def test_has_aux_carries_anything_along() -> None:
    f = lambda x: (x**2, "aux")
    y, vjp_fn, aux = tg.vjp(f, 3.0, has_aux=True)
    assert (float(y), float(vjp_fn(1.0)[0]), aux) == (9.0, 6.0, "aux")
    y, dy, aux = tg.jvp(f, (3.0,), (1.0,), has_aux=True)
    assert (float(y), float(dy), aux) == (9.0, 6.0, "aux")


def test_jvp_obeys_a_custom_gradient_where_the_forward_accumulator_does_not() -> None:
    @tf.custom_gradient
    def ten_times(x: Any) -> Any:
        return x**2, lambda dy: 10.0 * dy

    x, one = tf.constant(3.0), tf.constant(1.0)
    with tf.autodiff.ForwardAccumulator(x, one) as accumulator:
        y = ten_times(x)
    assert float(accumulator.jvp(y)) == 6.0
    assert float(tg.jvp(ten_times, (x,), (one,))[1]) == 10.0
    assert float(tf.function(lambda x: tg.jvp(ten_times, (x,), (one,))[1])(x)) == 10.0


OPS = [
    tf.sin,
    tf.nn.relu,
    lambda x: tf.linalg.matvec(tf.linalg.inv(tf.eye(3, dtype=x.dtype) + tf.tensordot(x, x, 0)), x),
    lambda x: tf.cumsum(x) * tf.reverse(x, [0]),
    lambda x: tf.nn.softmax(x),
    lambda x: tf.scan(lambda a, b: a * b, x),
    lambda x: tf.sort(x),
    lambda x: tf.where(x > 0, x**2, -x),
    doubled_until_large,
]


@pytest.mark.parametrize("f", OPS)
def test_jvp_is_what_the_forward_accumulator_gives(f: Any) -> None:
    x, v = tf.constant([0.3, -1.2, 2.0], tf.float64), tf.constant([1.0, 0.5, -2.0], tf.float64)
    with tf.autodiff.ForwardAccumulator(x, v) as accumulator:
        y = f(x)
    np.testing.assert_allclose(tg.jvp(f, (x,), (v,))[1], accumulator.jvp(y), rtol=1e-9, atol=1e-12)


def test_jvp_of_a_holomorphic_function_is_its_complex_derivative_times_the_tangent() -> None:
    z, v = tf.constant(3 - 1j), tf.constant(0.5 + 2j)
    _, dy = tg.jvp(lambda z: z**2 * (1 + 2j), (z,), (v,))
    assert complex(dy) == pytest.approx(2 * complex(z) * (1 + 2j) * complex(v))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 10_000))
def test_the_two_products_are_transposes_of_each_other(n: int, m: int, seed: int) -> None:
    random = np.random.RandomState(seed)
    W = tf.constant(random.normal(size=(m, n)))
    f = lambda x, s: (tf.sin(tf.linalg.matvec(W, x)) * s, tf.reduce_sum(x) * s)
    primals = (random.normal(size=n), np.float64(random.normal()))
    tangents = (random.normal(size=n), np.float64(random.normal()))
    cotangents = (random.normal(size=m), np.float64(random.normal()))
    _, dy = tg.jvp(f, primals, tangents)
    dx = tg.vjp(f, *primals)[1](cotangents)
    forwards = sum(np.sum(a * b) for a, b in zip(cotangents, dy, strict=True))
    backwards = sum(np.sum(a * b) for a, b in zip(tangents, dx, strict=True))
    np.testing.assert_allclose(forwards, backwards, rtol=1e-9, atol=1e-9)


def test_ragged_and_sparse_tensors_go_through_both_products() -> None:
    ragged = tf.ragged.constant([[1.0, 2.0], [3.0]])
    _, dy = tg.jvp(lambda r: r * r, (ragged,), (tf.ragged.constant([[1.0, 1.0], [10.0]]),))
    assert dy.to_list() == [[2.0, 4.0], [60.0]]
    (dx,) = tg.vjp(lambda r: r * r, ragged)[1](tf.ragged.constant([[1.0, 1.0], [10.0]]))
    assert dx.to_list() == [[2.0, 4.0], [60.0]]
    sparse = tf.sparse.from_dense([[1.0, 0.0], [0.0, 2.0]])
    (dx,) = tg.vjp(lambda s: tf.sparse.reduce_sum(s), sparse)[1](3.0)
    np.testing.assert_array_equal(dx.values, [3.0, 3.0])


def test_no_argument_at_all_is_no_derivative_at_all() -> None:
    y, vjp_fn = tg.vjp(lambda: tf.constant(3.0))
    assert (float(y), vjp_fn(1.0)) == (3.0, ())
    assert float(tg.jvp(lambda: tf.constant(3.0), (), ())[1]) == 0.0


def test_python_numbers_and_lists_serve_as_cotangents_of_a_tensor() -> None:
    (dx,) = tg.vjp(lambda x: 2 * x, tf.ones([2]))[1]([1, 10])
    np.testing.assert_array_equal(dx, [2.0, 20.0])


def test_jvp_of_a_float64_output_of_a_float32_input_has_the_output_s_dtype() -> None:
    _, dy = tg.jvp(lambda x: tf.cast(x, tf.float64) ** 2, (tf.constant(3.0),), (tf.constant(1.0),))
    assert (dy.dtype, float(dy)) == (tf.float64, 6.0)
