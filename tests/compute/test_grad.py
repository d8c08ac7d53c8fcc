"""`grad`, `value_and_grad`, `elementwise_grad`: values by hand, then a plain tape, then numerical differences."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import tfgrad as tg
from tests.zoo import SCALARS, Known, differences, doubled_until_large

ZOO = pytest.mark.parametrize("known", SCALARS, ids=lambda known: known.name)
EAGER_AND_GRAPH = pytest.mark.parametrize("how", [lambda g: g, tf.function], ids=["eager", "graph"])


@ZOO
def test_gradient_is_the_one_known_by_hand(known: Known) -> None:
    np.testing.assert_allclose(tg.grad(known.f)(known.x), known.gradient(known.x), rtol=1e-12)


@ZOO
def test_gradient_is_the_same_in_a_graph(known: Known) -> None:
    x = tf.constant(known.x)
    np.testing.assert_allclose(tf.function(tg.grad(known.f))(x), known.gradient(known.x), rtol=1e-12)


@ZOO
def test_value_and_grad_gives_the_value_too(known: Known) -> None:
    value, gradient = tg.value_and_grad(known.f)(known.x)
    np.testing.assert_allclose(value, known.f(tf.constant(known.x)))
    np.testing.assert_allclose(gradient, known.gradient(known.x), rtol=1e-12)


@pytest.mark.parametrize("known", [k for k in SCALARS if "custom" not in k.name], ids=lambda known: known.name)
def test_gradient_is_what_differences_give(known: Known) -> None:
    np.testing.assert_allclose(tg.grad(known.f)(known.x), differences(known.f, known.x), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("a", [0.3, -0.3, 1e-5, -700.0, 1e6])
def test_gradient_goes_through_loops_and_branches(a: float) -> None:
    expected = doubled_until_large(tf.constant(a)) / a
    np.testing.assert_allclose(tg.grad(doubled_until_large)(a), expected, rtol=1e-6)
    np.testing.assert_allclose(tf.function(tg.grad(doubled_until_large))(tf.constant(a)), expected, rtol=1e-6)


def test_wrt_takes_a_tuple_in_its_order_and_counts_from_the_end() -> None:
    f = lambda a, b, c: a * b**2 * c**3
    db, da = tg.grad(f, wrt=(1, 0))(2.0, 3.0, 1.0)
    assert (float(da), float(db)) == (9.0, 12.0)
    assert float(tg.grad(f, wrt=-1)(2.0, 3.0, 1.0)) == 54.0
    assert isinstance(tg.grad(f, wrt=(0,))(2.0, 3.0, 1.0), tuple)


def test_wrt_takes_numpy_integers() -> None:
    assert float(tg.grad(lambda a, b: a * b, wrt=np.int64(1))(2.0, 3.0)) == 2.0


def test_keyword_arguments_pass_through_and_are_not_differentiated() -> None:
    seen = {}

    def f(x: Any, *, power: int) -> Any:
        seen["power"] = power
        return x**power

    assert float(tg.grad(f)(3.0, power=2)) == 6.0
    assert seen["power"] == 2


def test_other_arguments_arrive_as_given() -> None:
    marker, seen = object(), []
    tg.grad(lambda x, *others: seen.append(others) or x * 1.0)(2.0, marker, "text", None, 3)
    assert seen == [(marker, "text", None, 3)]


def test_has_aux_carries_anything_along() -> None:
    f = lambda x: (x**2, {"any": "thing", "twice": 2 * x})
    gradient, aux = tg.grad(f, has_aux=True)(3.0)
    assert (float(gradient), aux["any"], float(aux["twice"])) == (6.0, "thing", 6.0)
    (value, aux), gradient = tg.value_and_grad(f, has_aux=True)(3.0)
    assert (float(value), aux["any"], float(gradient)) == (9.0, "thing", 6.0)


def test_f_runs_once_a_call() -> None:
    calls = []
    f = lambda x: calls.append(x) or x**2
    gradient = tg.grad(f)
    for n in range(1, 4):
        gradient(2.0)
        assert len(calls) == n


def test_each_call_runs_the_python_anew_so_that_no_trace_is_stale() -> None:
    factor = [2.0]
    gradient = tg.grad(lambda x: factor[0] * x)
    assert float(gradient(1.0)) == 2.0
    factor[0] = 5.0
    assert float(gradient(1.0)) == 5.0


def test_an_error_inside_f_comes_out_as_it_is() -> None:
    def f(x: Any) -> Any:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        tg.grad(f)(1.0)


def test_a_function_that_returns_its_argument_has_slope_one() -> None:
    assert float(tg.grad(lambda x: x)(3.0)) == 1.0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_gradient_has_the_dtype_and_shape_of_its_argument(dtype: str) -> None:
    gradient = tg.grad(lambda x: tf.reduce_sum(x * x))(tf.ones([2, 1, 3], dtype))
    assert (gradient.dtype.name, gradient.shape) == (dtype, [2, 1, 3])
    np.testing.assert_array_equal(tf.cast(gradient, tf.float32), np.full([2, 1, 3], 2.0))


def test_gradient_of_an_empty_argument_is_empty() -> None:
    assert tg.grad(tf.reduce_sum)(tf.zeros([0, 3])).shape == [0, 3]


def test_complex_gradient_is_by_the_real_part_plus_i_by_the_imaginary_part() -> None:
    assert complex(tg.grad(lambda z: tf.abs(z) ** 2)(tf.constant(3 - 1j))) == pytest.approx(6 - 2j)
    assert complex(tg.grad(lambda z: tf.math.real(z * 1j))(tf.constant(3 - 1j))) == pytest.approx(0 - 1j)


def test_gradient_of_gathered_rows_is_dense() -> None:
    gradient = tg.grad(lambda table: tf.reduce_sum(tf.gather(table, [0, 0, 2])))(tf.ones([3, 2]))
    assert isinstance(gradient, tf.Tensor)
    np.testing.assert_array_equal(gradient, [[2, 2], [0, 0], [1, 1]])


def test_gradient_of_a_ragged_argument_is_ragged() -> None:
    ragged = tf.ragged.constant([[1.0, 2.0], [], [3.0]])
    gradient = tg.grad(lambda r: tf.reduce_sum(r * r))(ragged)
    assert gradient.to_list() == [[2.0, 4.0], [], [6.0]]


def test_gradient_of_a_sparse_argument_is_sparse_with_its_indices() -> None:
    sparse = tf.sparse.from_dense([[1.0, 0.0], [0.0, 2.0]])
    gradient = tg.grad(lambda s: tf.reduce_sum(tf.sparse.sparse_dense_matmul(s, [[1.0], [10.0]])))(sparse)
    np.testing.assert_array_equal(gradient.indices, sparse.indices)
    np.testing.assert_array_equal(gradient.values, [1.0, 10.0])


class Pair(tf.experimental.ExtensionType):
    a: tf.Tensor
    steps: int


def test_gradient_of_an_extension_type_is_one() -> None:
    gradient = tg.grad(lambda p: tf.reduce_sum(p.a**p.steps))(Pair(tf.constant([1.0, 2.0]), 2))
    assert isinstance(gradient, Pair)
    np.testing.assert_array_equal(gradient.a, [2.0, 4.0])


NESTS = st.recursive(
    st.lists(st.integers(0, 3), max_size=2).map(tuple),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map(list),
        st.dictionaries(st.sampled_from("wb"), inner, min_size=1, max_size=2),
    ),
    max_leaves=4,
)


@settings(deadline=None, max_examples=40)
@given(NESTS, st.sampled_from(["float32", "float64"]), st.randoms(use_true_random=False))
def test_gradient_over_any_nest_is_what_a_plain_tape_gives(shapes: Any, dtype: str, random: Any) -> None:
    def tensors(shape: Any) -> Any:
        if isinstance(shape, dict):
            return {key: tensors(inner) for key, inner in shape.items()}
        if isinstance(shape, list):
            return [tensors(inner) for inner in shape]
        return tf.constant(np.reshape([random.uniform(-1, 1) for _ in range(int(np.prod(shape)))], shape), dtype)

    def f(nest: Any) -> Any:
        leaves = tf.nest.flatten(nest)
        return tf.add_n([(i + 1) * tf.reduce_sum(tf.sin(leaf) * leaf) for i, leaf in enumerate(leaves)])

    nest = tensors(shapes)
    with tf.GradientTape() as tape:
        tape.watch(nest)
        value = f(nest)
    expected = tape.gradient(value, nest)
    got = tg.grad(f)(nest)
    tf.nest.assert_same_structure(got, nest)
    for g, e in zip(tf.nest.flatten(got), tf.nest.flatten(expected), strict=True):
        assert (g.dtype, g.shape) == (e.dtype, e.shape)
        np.testing.assert_array_equal(g, e)


# unconnected leaves


def lonely(nest: Any) -> Any:
    return nest["used"] ** 2


def test_gradient_of_an_unused_leaf_is_an_error_by_default() -> None:
    with pytest.raises(tg.UnconnectedError, match=r"args\[0\]\['unused'\]"):
        tg.grad(lonely)({"used": 1.0, "unused": 2.0})


def test_gradient_of_an_unused_leaf_is_zero_where_zeros_are_asked() -> None:
    gradient = tg.grad(lonely, unconnected="zero")({"used": 1.0, "unused": tf.ones([2], tf.float64)})
    np.testing.assert_array_equal(gradient["unused"], [0.0, 0.0])
    assert gradient["unused"].dtype == tf.float64
    assert float(gradient["used"]) == 2.0


def test_gradient_of_an_unused_leaf_is_none_where_none_is_asked() -> None:
    gradient = tg.grad(lonely, unconnected="none")({"used": 1.0, "unused": tf.ragged.constant([[1.0]])})
    assert gradient["unused"] is None


def test_gradient_of_an_unused_ragged_leaf_is_ragged_zeros() -> None:
    gradient = tg.grad(lonely, unconnected="zero")({"used": 1.0, "unused": tf.ragged.constant([[1.0], [2.0, 3.0]])})
    assert gradient["unused"].to_list() == [[0.0], [0.0, 0.0]]


def test_gradient_of_a_linear_gradient_is_unconnected_as_its_value_is_constant() -> None:
    with pytest.raises(tg.UnconnectedError):
        tg.grad(tg.grad(lambda x: 3 * x))(1.0)
    assert float(tg.grad(tg.grad(lambda x: 3 * x), unconnected="zero")(1.0)) == 0.0


def test_gradient_of_an_unused_variable_is_told_by_its_name() -> None:
    used, unused = tf.Variable(1.0, name="used"), tf.Variable([2.0], name="unused")
    with pytest.raises(tg.UnconnectedError, match="does not depend on unused,"):
        tg.grad(lambda: used * 2, wrt=[used, unused])()
    zero = tg.grad(lambda: used * 2, wrt=[used, unused], unconnected="zero")()
    np.testing.assert_array_equal(zero[1], [0.0])
    assert tg.grad(lambda: used * 2, wrt=[used, unused], unconnected="none")()[1] is None


# arguments and what f closes over are different things


def test_one_variable_passed_twice_is_two_arguments() -> None:
    v = tf.Variable(2.0)
    da, db = tg.grad(lambda a, b: a**2 * b, wrt=(0, 1))(v, v)
    assert (float(da), float(db)) == (8.0, 4.0)


def test_one_tensor_passed_twice_is_two_arguments() -> None:
    x = tf.constant(2.0)
    da, db = tg.grad(lambda a, b: a**2 * b, wrt=(0, 1))(x, x)
    assert (float(da), float(db)) == (8.0, 4.0)


@pytest.mark.parametrize("made", [tf.constant, tf.Variable])
@EAGER_AND_GRAPH
def test_what_f_closes_over_is_another_thing_than_the_argument(made: Any, how: Any) -> None:
    x = made(3.0)
    assert float(how(tg.grad(lambda a: a * x))(x)) == 3.0


# Variables and models


def test_wrt_a_variable_f_may_take_no_arguments() -> None:
    v = tf.Variable(3.0)
    assert float(tg.grad(lambda: v**2, wrt=v)()) == 6.0


def test_a_function_that_returns_the_variable_itself_has_slope_one() -> None:
    v = tf.Variable(3.0)
    assert float(tg.grad(lambda: v, wrt=v)()) == 1.0


def test_a_variable_named_by_itself_counts_though_it_is_not_trainable() -> None:
    v = tf.Variable(3.0, trainable=False)
    assert float(tg.grad(lambda: v**2, wrt=v)()) == 6.0


def test_a_nest_of_variables_is_answered_in_its_structure() -> None:
    a, b = tf.Variable(2.0), tf.Variable([3.0])
    gradient = tg.grad(lambda x: x * a * tf.reduce_sum(b), wrt={"one": a, "rest": [b, a]})(10.0)
    assert float(gradient["one"]) == float(gradient["rest"][1]) == 30.0
    np.testing.assert_array_equal(gradient["rest"][0], [20.0])


def test_a_module_s_own_list_and_dict_of_variables_are_nests() -> None:
    module = tf.Module()
    module.items = [tf.Variable(2.0), tf.Variable(3.0)]
    module.table = {"k": tf.Variable(5.0)}
    f = lambda: module.items[0] * module.items[1] * module.table["k"]
    assert [float(g) for g in tg.grad(f, wrt=module.items)()] == [15.0, 10.0]
    assert float(tg.grad(f, wrt=module.table)()["k"]) == 6.0


def test_a_module_is_answered_in_the_order_of_its_trainable_variables() -> None:
    module = tf.Module()
    module.b, module.a, module.frozen = tf.Variable(2.0), tf.Variable(3.0), tf.Variable(5.0, trainable=False)
    gradients = tg.grad(lambda: module.b**2 * module.a * module.frozen, wrt=module)()
    by_hand = {id(module.a): 20.0, id(module.b): 60.0}
    assert [float(g) for g in gradients] == [by_hand[id(v)] for v in module.trainable_variables]


def test_a_gathered_variable_has_a_dense_gradient() -> None:
    table = tf.Variable(tf.ones([3, 2]))
    gradient = tg.grad(lambda i: tf.reduce_sum(tf.nn.embedding_lookup(table, i)), wrt=table)(tf.constant([0, 0]))
    np.testing.assert_array_equal(gradient, [[2, 2], [0, 0], [0, 0]])


def network() -> keras.Model:
    return keras.Sequential([keras.layers.Dense(2, activation="tanh"), keras.layers.Dense(1)])


@EAGER_AND_GRAPH
def test_a_model_that_is_built_by_the_call_itself_is_differentiated(how: Any) -> None:
    model = network()
    gradients = how(tg.grad(lambda x: tf.reduce_mean(model(x) ** 2), wrt=model))(tf.ones([4, 3]))
    assert [g.shape for g in gradients] == [v.shape for v in model.trainable_variables]


def test_a_model_s_gradients_are_those_of_a_plain_tape() -> None:
    model, x = network(), tf.random.normal([4, 3])
    loss = lambda x: tf.reduce_mean(model(x) ** 2)
    with tf.GradientTape() as tape:
        value = loss(x)
    expected = tape.gradient(value, model.trainable_variables)
    for g, e in zip(tg.grad(loss, wrt=model)(x), expected, strict=True):
        np.testing.assert_array_equal(g, e)


def test_a_frozen_layer_of_a_model_is_left_out() -> None:
    model = network()
    model(tf.ones([1, 3]))
    model.layers[0].trainable = False
    assert len(tg.grad(lambda x: tf.reduce_mean(model(x)), wrt=model)(tf.ones([1, 3]))) == 2


def test_an_optimizer_takes_the_gradients_as_they_come() -> None:
    model, x = network(), tf.random.normal([64, 3])
    y = tf.reduce_sum(x, 1, keepdims=True)
    optimizer = keras.optimizers.Adam(0.05)
    step = tg.value_and_grad(lambda x, y: tf.reduce_mean((model(x, training=True) - y) ** 2), wrt=model)
    losses = []
    for _ in range(20):
        loss, gradients = step(x, y)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        losses.append(float(loss))
    assert losses[-1] < 0.8 * losses[0]


def test_a_keras_variable_is_taken_as_wrt_and_as_an_argument() -> None:
    v = keras.Variable(3.0)
    assert float(tg.grad(lambda: tf.convert_to_tensor(v) ** 2, wrt=v)()) == 6.0
    assert float(tg.grad(lambda a: a**2)(v)) == 6.0


# elementwise_grad


def test_elementwise_gradient_is_the_slope_at_each_element() -> None:
    x = np.array([[0.1, -2.0], [3.0, 0.0]])
    np.testing.assert_allclose(tg.elementwise_grad(tf.sin)(x), np.cos(x))
    np.testing.assert_allclose(tg.elementwise_grad(tg.elementwise_grad(tf.sin))(x), -np.sin(x))


def test_elementwise_gradient_of_a_broadcast_second_argument() -> None:
    b = np.array([1.0, 2.0])
    np.testing.assert_allclose(tg.elementwise_grad(lambda a, b: a * b**2, wrt=1)(np.float64(3.0), b), 6 * b)


def test_elementwise_gradient_of_a_constant_is_zero() -> None:
    np.testing.assert_array_equal(tg.elementwise_grad(lambda x: tf.ones_like(x))(tf.ones([2])), [0.0, 0.0])


@pytest.mark.parametrize("kind", [lambda x: x, lambda x: x.numpy(), tf.Variable], ids=["tensor", "array", "variable"])
def test_a_differentiated_float_takes_the_dtype_of_the_floating_arrays(kind: Any) -> None:
    x = kind(tf.constant([1.0, 2.0], tf.float64))
    f = lambda s, x: tf.reduce_sum(x) * s["scale"][0]
    gradient = tg.grad(f)({"scale": [2.0]}, x)["scale"][0]
    assert gradient.dtype == tf.float64
    assert float(gradient) == 3.0
    assert tg.grad(lambda s, *, x: tf.reduce_sum(x) * s)(2.0, x=x).dtype == tf.float64
    assert float(tg.jvp(lambda s, x: tf.reduce_sum(x) * s, (2.0, x), (1.0, [0.0, 0.0]))[1]) == 3.0


def test_a_differentiated_float_is_float32_without_floating_arrays_or_where_they_differ() -> None:
    double, single = tf.constant(1.0, tf.float64), tf.constant(1.0)
    assert tg.grad(lambda s: s * s)(2.0).dtype == tf.float32
    assert tg.grad(lambda s, n: s * s)(2.0, tf.constant(1)).dtype == tf.float32
    assert tg.grad(lambda s, a, b: s * s)(2.0, double, single).dtype == tf.float32
