"""`checkpoint`: the same derivatives to any order, with the insides run again and not remembered."""

from __future__ import annotations

import weakref
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgrad as tg
from tests.zoo import SCALARS, Known

ZOO = pytest.mark.parametrize("known", SCALARS, ids=lambda known: known.name)
HOW = pytest.mark.parametrize(
    "how",
    [lambda g: g, tf.function, lambda g: tf.function(g, jit_compile=True)],
    ids=["eager", "graph", "xla"],
)


@ZOO
def test_derivatives_are_those_known_by_hand(known: Known) -> None:
    f = tg.checkpoint(known.f)
    np.testing.assert_allclose(f(tf.constant(known.x)), known.f(tf.constant(known.x)))
    np.testing.assert_allclose(tg.grad(f)(known.x), known.gradient(known.x), rtol=1e-12)
    np.testing.assert_allclose(tg.hessian(f)(known.x), known.hessian(known.x), rtol=1e-12, atol=1e-12)
    v = np.arange(1.0, known.x.size + 1)
    np.testing.assert_allclose(tg.jvp(f, (known.x,), (v,))[1], known.gradient(known.x) @ v, rtol=1e-12)


@HOW
def test_derivatives_of_second_order_and_forward_mode_in_every_engine(how: Any) -> None:
    f = lambda x: tf.reduce_sum(tf.tanh(x) ** 2)
    x = tf.constant([0.1, 0.5, -1.0])
    c = tg.checkpoint(f)
    np.testing.assert_allclose(how(tg.grad(c))(x), tg.grad(f)(x), rtol=1e-5)
    np.testing.assert_allclose(how(tg.hessian(c))(x), tg.hessian(f)(x), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(how(tg.jacobian(tg.checkpoint(tf.tanh), mode="fwd"))(x), tg.jacobian(tf.tanh)(x), 1e-4)


@HOW
def test_a_tensor_that_f_closes_over_gets_its_gradient(how: Any) -> None:
    def f(w: Any) -> Any:
        return tg.checkpoint(lambda x: tf.reduce_sum(w**2 * x))(tf.constant([1.0, 2.0]))

    np.testing.assert_allclose(how(tg.grad(f))(tf.constant([3.0, 4.0])), [6.0, 16.0])


def test_a_tensor_held_by_a_partial_a_method_or_an_inner_function_gets_its_gradient() -> None:
    class Holder:
        def __init__(self, w: Any) -> None:
            self.w = w

        def times(self, x: Any) -> Any:
            return self.w * x

    def inner(w: Any) -> Any:
        product = lambda x: w * x
        return tg.checkpoint(lambda x: product(x))(3.0)

    assert float(tg.grad(lambda w: tg.checkpoint(Holder(w).times)(3.0))(2.0)) == 3.0
    assert float(tg.grad(inner)(2.0)) == 3.0


def test_a_name_that_is_not_set_yet_is_no_matter() -> None:
    f = tg.checkpoint(lambda x: x**2 if x is not None else later)
    assert float(tg.grad(f)(3.0)) == 6.0
    later = None
    assert later is None


@HOW
def test_variables_get_their_gradients(how: Any) -> None:
    v = tf.Variable([1.0, 2.0])
    f = lambda x: tf.reduce_sum(tg.checkpoint(lambda x: v**2 * x)(x))
    np.testing.assert_allclose(how(tg.grad(f, wrt=v))(tf.constant([1.0, 10.0])), [2.0, 40.0])
    np.testing.assert_allclose(how(tg.hessian(f, wrt=v))(tf.constant([1.0, 10.0])), [[2.0, 0.0], [0.0, 20.0]])


def test_variables_alone_without_any_argument_get_their_gradients() -> None:
    v = tf.Variable(3.0)
    assert float(tg.grad(lambda: tg.checkpoint(lambda: v**2)(), wrt=v)()) == 6.0


def test_a_model_is_checkpointed_as_it_is() -> None:
    model = keras.Sequential([keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
    x = tf.random.normal([2, 3])
    model(x)
    plain = tg.grad(lambda x: tf.reduce_sum(model(x)), wrt=model)(x)
    checkpointed = tg.grad(lambda x: tf.reduce_sum(tg.checkpoint(model)(x)), wrt=model)(x)
    for p, c in zip(plain, checkpointed, strict=True):
        np.testing.assert_allclose(p, c, rtol=1e-6)


def test_nests_and_things_that_are_no_tensors_go_in_and_out() -> None:
    def f(d: Any, n: int, *, word: str) -> Any:
        return {"y": d["a"] * d["b"][0] * n, "word": word, "count": tf.constant(3), "none": None}

    y = tg.checkpoint(f)({"a": tf.constant(2.0), "b": (tf.constant(5.0), None)}, 3, word="w")
    assert (float(y["y"]), y["word"], int(y["count"]), y["none"]) == (30.0, "w", 3, None)
    g = tg.grad(lambda d: tg.checkpoint(f)(d, 3, word="w")["y"])({"a": 2.0, "b": (5.0, None)})
    assert (float(g["a"]), float(g["b"][0])) == (15.0, 6.0)


def test_f_runs_once_forward_and_once_backward() -> None:
    calls = []
    f = tg.checkpoint(lambda x: calls.append(1) or x**2)
    with tf.GradientTape() as tape:
        x = tf.constant(3.0)
        tape.watch(x)
        y = f(x)
    assert calls == [1]
    assert float(tape.gradient(y, x)) == 6.0
    assert calls == [1, 1]


INSIDES: list[Any] = []
WEIGHTS = {"argument": tf.ones([50, 50]), "variable": tf.Variable(tf.ones([50, 50]))}


def with_insides(x: Any, w: Any) -> Any:
    """A function that leaves a weak reference to what it computed on the way."""
    h = tf.tanh(tf.matmul(x, tf.convert_to_tensor(w)))
    INSIDES.append(weakref.ref(h))
    return tf.tanh(h)


@pytest.mark.parametrize("w", WEIGHTS)
def test_a_transform_does_not_keep_what_f_computed_on_the_way(w: str) -> None:
    _, vjp_fn = tg.vjp(lambda x: tg.checkpoint(lambda x: with_insides(x, WEIGHTS[w]))(x), tf.ones([50, 50]))
    assert INSIDES.pop()() is None
    assert vjp_fn(tf.ones([50, 50]))[0].shape == [50, 50]


def test_without_checkpoint_it_is_kept() -> None:
    y, vjp_fn = tg.vjp(lambda x: with_insides(x, WEIGHTS["argument"]), tf.ones([50, 50]))
    assert INSIDES.pop()() is not None
    del y, vjp_fn


def test_a_plain_tape_does_not_keep_what_f_computed_from_its_arguments() -> None:
    x = tf.ones([50, 50])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tg.checkpoint(lambda x: with_insides(x, WEIGHTS["argument"]))(x)
    assert INSIDES.pop()() is None
    assert tape.gradient(y, x) is not None


def test_tapes_that_f_opens_itself_record() -> None:
    def slope(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x**3
        return tape.gradient(y, x)

    assert float(tg.grad(tg.checkpoint(slope))(2.0)) == 12.0
    assert float(tg.grad(tg.checkpoint(tg.grad(lambda x: x**3)))(2.0)) == 12.0


@HOW
def test_zero_nan_and_infinite_cotangents_do_not_disturb_the_recomputed_values(how: Any) -> None:
    f = tg.checkpoint(lambda x: x * x)
    for cotangent in (0.0, float("inf"), -3.0):
        (dx,) = how(lambda x, w: tg.vjp(f, x)[1](w))(tf.constant(2.0), tf.constant(cotangent))
        assert float(dx) == 4.0 * cotangent
    (dx,) = how(lambda x, w: tg.vjp(f, x)[1](w))(tf.constant([2.0, 3.0]), tf.constant([float("nan"), 1.0]))
    assert float(dx[1]) == 6.0


def test_control_flow_inside_is_converted_in_a_graph() -> None:
    def doubled(x: Any) -> Any:
        while x < 10:
            x = x * 2
        return x

    assert float(tf.function(tg.grad(tg.checkpoint(doubled)))(tf.constant(3.0))) == 4.0
