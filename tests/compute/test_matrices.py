"""`jacobian`, `hessian`, `hvp`: by hand, then against plain tapes, in every mode, eagerly and in graphs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgrad as tg
from tests.zoo import MAPPINGS, SCALARS, Known, Mapping, differences

KNOWN_MAPPINGS = pytest.mark.parametrize("known", MAPPINGS, ids=lambda known: known.name)
KNOWN_SCALARS = pytest.mark.parametrize("known", SCALARS, ids=lambda known: known.name)
EAGER_AND_GRAPH = pytest.mark.parametrize("how", [lambda g: g, tf.function], ids=["eager", "graph"])
MODES = pytest.mark.parametrize("mode", ["auto", "rev", "fwd"])


@KNOWN_MAPPINGS
@MODES
@EAGER_AND_GRAPH
def test_jacobian_is_the_one_known_by_hand(known: Mapping, mode: Any, how: Any) -> None:
    J = how(tg.jacobian(known.f, mode=mode))(tf.constant(known.x))
    assert J.shape == known.jacobian(known.x).shape
    assert J.dtype == tf.float64
    np.testing.assert_allclose(J, known.jacobian(known.x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("known", [k for k in MAPPINGS if "custom" not in k.name], ids=lambda known: known.name)
def test_jacobian_is_what_differences_give(known: Mapping) -> None:
    np.testing.assert_allclose(tg.jacobian(known.f)(known.x), differences(known.f, known.x), rtol=1e-6, atol=1e-8)


@KNOWN_SCALARS
@EAGER_AND_GRAPH
def test_hessian_is_the_one_known_by_hand(known: Known, how: Any) -> None:
    H = how(tg.hessian(known.f))(tf.constant(known.x))
    assert H.shape == known.hessian(known.x).shape
    np.testing.assert_allclose(H, known.hessian(known.x), rtol=1e-12, atol=1e-12)


@KNOWN_SCALARS
@EAGER_AND_GRAPH
def test_hvp_is_the_hessian_times_the_direction(known: Known, how: Any) -> None:
    v = np.arange(1.0, known.x.size + 1)
    (hv,) = how(lambda x: tg.hvp(known.f, (x,), (v,)))(tf.constant(known.x))
    np.testing.assert_allclose(hv, known.hessian(known.x) @ v, rtol=1e-12, atol=1e-12)


@KNOWN_SCALARS
def test_jacobian_of_the_gradient_is_the_hessian(known: Known) -> None:
    gradient = tg.grad(known.f, unconnected="zero")
    np.testing.assert_allclose(tg.jacobian(gradient)(known.x), known.hessian(known.x), rtol=1e-12, atol=1e-12)


@MODES
def test_jacobian_has_the_outputs_structure_outside_and_that_of_wrt_inside(mode: Any) -> None:
    f = lambda a, d: {"p": a * d["q"][:2], "none": None, "s": [tf.reduce_sum(a)]}
    a, d = tf.constant([1.0, 2.0]), {"q": tf.constant([3.0, 4.0, 5.0]), "left": None, "unused": tf.constant(1.0)}
    J = tg.jacobian(f, wrt=(0, 1), mode=mode)(a, d)
    assert J["none"] is None
    by_a, by_d = J["p"]
    np.testing.assert_array_equal(by_a, [[3.0, 0.0], [0.0, 4.0]])
    np.testing.assert_array_equal(by_d["q"], [[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    np.testing.assert_array_equal(by_d["unused"], [0.0, 0.0])
    assert by_d["left"] is None
    np.testing.assert_array_equal(J["s"][0][0], [1.0, 1.0])


@MODES
@pytest.mark.parametrize(("out", "into"), [((2, 3), (4,)), ((), (2, 2)), ((3,), ()), ((0,), (2,)), ((2,), (0, 3))])
def test_a_leaf_has_the_output_s_shape_and_then_the_input_s(mode: Any, out: Any, into: Any) -> None:
    f = lambda x: tf.reduce_sum(tf.sin(x)) * tf.ones(out)
    assert tg.jacobian(f, mode=mode)(tf.ones(into)).shape == (*out, *into)


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 100])
@MODES
@EAGER_AND_GRAPH
def test_chunks_give_the_same_jacobian(chunk: int, mode: Any, how: Any) -> None:
    x = tf.constant([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    J = how(tg.jacobian(lambda x: tf.sin(x) * tf.reduce_sum(x), mode=mode, chunk=chunk))(x)
    np.testing.assert_allclose(J, tg.jacobian(lambda x: tf.sin(x) * tf.reduce_sum(x))(x), rtol=1e-6)


def test_jacobian_of_many_rows_is_what_a_plain_tape_gives() -> None:
    W = tf.random.normal([400, 5])
    f, x = lambda x: tf.tanh(tf.linalg.matvec(W, x)), tf.random.normal([5])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    expected = tape.jacobian(y, x)
    for mode in ("rev", "fwd"):
        np.testing.assert_allclose(tg.jacobian(f, mode=mode)(x), expected, rtol=1e-5, atol=1e-7)


def test_jacobian_runs_f_once() -> None:
    calls = []
    tg.jacobian(lambda x: calls.append(1) or tf.tile(x, [300]), mode="rev")(tf.ones([2]))
    assert calls == [1]


def test_jacobian_has_the_dtype_of_its_input_in_both_modes() -> None:
    f = lambda x: tf.cast(x, tf.float64) ** 2
    assert [tg.jacobian(f, mode=mode)(tf.ones([2])).dtype for mode in ("rev", "fwd")] == [tf.float32] * 2


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@MODES
def test_jacobian_in_short_floats(dtype: str, mode: Any) -> None:
    J = tg.jacobian(lambda x: x * x, mode=mode)(tf.constant([1.0, 2.0], dtype))
    np.testing.assert_array_equal(tf.cast(J, tf.float32), [[2.0, 0.0], [0.0, 4.0]])


def test_jacobian_by_complex_inputs_is_in_tensorflow_s_convention() -> None:
    J = tg.jacobian(lambda z: tf.abs(z) ** 2)(tf.constant([1 + 2j, 3j]))
    np.testing.assert_allclose(J, [[2 + 4j, 0], [0, 6j]])


def test_jacobian_by_variables_and_models() -> None:
    v, u = tf.Variable([1.0, 2.0]), tf.Variable(3.0)
    for mode in ("rev", "fwd"):
        by_v, by_u = tg.jacobian(lambda: v * u, wrt=[v, u], mode=mode)()
        np.testing.assert_array_equal(by_v, [[3.0, 0.0], [0.0, 3.0]])
        np.testing.assert_array_equal(by_u, [1.0, 2.0])
    model = keras.Sequential([keras.layers.Dense(2)])
    J = tg.jacobian(lambda x: model(x), wrt=model)(tf.ones([4, 3]))
    assert [j.shape for j in J] == [[4, 2, 3, 2], [4, 2, 2]]


def test_shapes_that_are_known_only_at_run_time_are_no_matter() -> None:
    signature = [tf.TensorSpec([None], tf.float64)]
    x = tf.constant([1.0, 2.0, 3.0], tf.float64)
    for mode in ("rev", "fwd"):
        J = tf.function(tg.jacobian(lambda x: x**2, mode=mode), input_signature=signature)(x)
        np.testing.assert_array_equal(J, np.diag([2.0, 4.0, 6.0]))
    H = tf.function(tg.hessian(lambda x: tf.reduce_sum(x**3)), input_signature=signature)(x)
    np.testing.assert_array_equal(H, np.diag([6.0, 12.0, 18.0]))


def test_has_aux_goes_along() -> None:
    J, aux = tg.jacobian(lambda x: (x**2, "aux"), has_aux=True)(3.0)
    assert (float(J), aux) == (6.0, "aux")
    H, aux = tg.hessian(lambda x: (x**2, "aux"), has_aux=True)(3.0)
    assert (float(H), aux) == (2.0, "aux")


def test_hessian_of_two_arguments_is_two_by_two() -> None:
    (H00, H01), (H10, H11) = tg.hessian(lambda a, b: a**2 * tf.reduce_sum(b), wrt=(0, 1))(2.0, tf.constant([3.0, 4.0]))
    assert float(H00) == 14.0
    np.testing.assert_array_equal(H01, [4.0, 4.0])
    np.testing.assert_array_equal(H10, [4.0, 4.0])
    np.testing.assert_array_equal(H11, np.zeros([2, 2]))


def test_hessian_of_a_dict_is_a_dict_of_dicts() -> None:
    H = tg.hessian(lambda d: d["a"] ** 2 * d["b"])({"a": 2.0, "b": 3.0})
    assert {k: {j: float(h) for j, h in row.items()} for k, row in H.items()} == {
        "a": {"a": 6.0, "b": 4.0},
        "b": {"a": 4.0, "b": 0.0},
    }


def test_hessian_by_a_model_s_weights_is_symmetric_and_what_tapes_give() -> None:
    model = keras.Sequential([keras.layers.Dense(2, activation="tanh"), keras.layers.Dense(1)])
    x = tf.random.normal([4, 3])
    model(x)
    loss = lambda x: tf.reduce_sum(model(x) ** 2)
    H = tg.hessian(loss, wrt=model)(x)
    weights = [v.value for v in model.trainable_variables]
    with tf.GradientTape(persistent=True) as outer:
        with tf.GradientTape() as inner:
            value = loss(x)
        slopes = inner.gradient(value, weights)
    for slope, row in zip(slopes, H, strict=True):
        for weight, block in zip(weights, row, strict=True):
            expected = outer.jacobian(slope, weight, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            np.testing.assert_allclose(block, expected, rtol=1e-4, atol=1e-5)


def test_hvp_is_a_tuple_as_long_as_the_primals() -> None:
    f = lambda a, b: a**2 * tf.reduce_sum(b)
    ha, hb = tg.hvp(f, (2.0, tf.constant([3.0, 4.0])), (1.0, tf.constant([0.0, 10.0])))
    assert float(ha) == 14.0 + 40.0
    np.testing.assert_array_equal(hb, [4.0, 4.0])


def test_hvp_of_a_linear_function_is_zero() -> None:
    (hv,) = tg.hvp(tf.reduce_sum, (tf.ones([2]),), (tf.ones([2]),))
    np.testing.assert_array_equal(hv, [0.0, 0.0])


def mapped_cubes(x: Any) -> Any:
    return tf.reduce_sum(tf.map_fn(lambda a: a**3, x))


def scanned_product(x: Any) -> Any:
    return tf.scan(lambda a, b: a * b, x)[-1]


def squared_until_large(x: Any) -> Any:
    a = tf.reduce_sum(x)
    for _ in tf.range(10):
        a = a * a
        if a > 100.0:
            break
    return a


@pytest.mark.parametrize("f", [mapped_cubes, scanned_product, squared_until_large], ids=lambda f: f.__name__)
@pytest.mark.parametrize("second", [tg.hessian, lambda f: tg.jacobian(tg.grad(f), chunk=2)], ids=["hessian", "chunk"])
def test_a_traced_loop_has_a_hessian(f: Any, second: Any) -> None:
    x = tf.constant([2.0, 3.0, 4.0])
    np.testing.assert_allclose(tg.jit(second(f))(x), tg.hessian(f)(x), rtol=1e-5)


def test_a_hessian_of_a_loop_has_more_rows_than_are_done_one_by_one() -> None:
    np.testing.assert_allclose(tg.hessian(mapped_cubes)(tf.ones([120])), 6.0 * np.eye(120))


def test_a_traced_loop_over_an_unknown_length_has_a_hessian() -> None:
    hessian = tf.function(tg.hessian(mapped_cubes), input_signature=[tf.TensorSpec([None])])
    np.testing.assert_allclose(hessian(tf.constant([1.0, 2.0])), np.diag([6.0, 12.0]))
