"""`custom_gradient`, `stop_gradient`, `variable`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgrad as tg

EAGER_AND_GRAPH = pytest.mark.parametrize("how", [lambda g: g, tf.function], ids=["eager", "graph"])


@tg.custom_gradient
def ten_times(x: Any) -> Any:
    return x**3, lambda dy: 10.0 * dy


@EAGER_AND_GRAPH
def test_reverse_and_forward_mode_obey_the_rule(how: Any) -> None:
    x = tf.constant(2.0)
    assert float(how(tg.grad(ten_times))(x)) == 10.0
    y, dy = how(lambda x: tg.jvp(ten_times, (x,), (1.0,)))(x)
    assert (float(y), float(dy)) == (8.0, 10.0)


@EAGER_AND_GRAPH
def test_a_rule_made_of_operations_is_differentiated_again(how: Any) -> None:
    @tg.custom_gradient
    def cube(x: Any) -> Any:
        return x**3, lambda dy: dy * 3 * x**2

    x = tf.constant(2.0)
    assert float(how(tg.hessian(cube))(x)) == 12.0
    assert float(how(tg.grad(tg.hessian(cube)))(x)) == 6.0


def test_a_rule_takes_and_gives_nests() -> None:
    @tg.custom_gradient
    def f(d: Any, c: Any) -> Any:
        return {"p": d["a"] * d["b"], "c": c}, lambda dc, dp: ({"a": dp, "b": 2 * dp}, 5 * dc)

    y = lambda d, c: tf.add_n(tf.nest.flatten(f(d, c)))
    d, c = tg.grad(y, wrt=(0, 1))({"a": tf.constant(1.0), "b": tf.constant(2.0)}, tf.constant(3.0))
    assert (float(d["a"]), float(d["b"]), float(c)) == (1.0, 2.0, 5.0)


@EAGER_AND_GRAPH
def test_a_rule_works_as_a_method_with_keywords_and_things_that_are_no_numbers(how: Any) -> None:
    class Layer:
        factor = 3.0

        @tg.custom_gradient
        def __call__(self, x: Any, name: str, *, power: int = 1) -> Any:
            assert name == "name"
            return self.factor * x**power, lambda dy: 7.0 * dy

    assert float(how(tg.grad(lambda x: Layer()(x, "name", power=2)))(tf.constant(2.0))) == 7.0


@EAGER_AND_GRAPH
def test_a_rule_may_give_gradients_by_the_variables_that_f_reads(how: Any) -> None:
    v = tf.Variable([1.0, 2.0])

    @tg.custom_gradient
    def f(x: Any) -> Any:
        def rule(dy: Any, variables: Any = None) -> Any:
            return 2 * dy, [3 * dy * tf.ones_like(w) for w in variables]

        return tf.reduce_sum(x * v), rule

    assert float(how(tg.grad(f))(tf.constant(1.0))) == 2.0
    np.testing.assert_array_equal(how(tg.grad(lambda: f(tf.constant(1.0)), wrt=v))(), [3.0, 3.0])


def test_none_stands_for_no_derivative() -> None:
    f = tg.custom_gradient(lambda x, y: (x * y, lambda dy: (dy, None)))
    assert float(tg.grad(f)(2.0, 3.0)) == 1.0
    assert float(tg.grad(f, wrt=1, unconnected="zero")(2.0, 3.0)) == 0.0


def test_the_function_keeps_its_name_and_docstring() -> None:
    @tg.custom_gradient
    def documented(x: Any) -> Any:
        """What it says."""
        return x, lambda dy: dy

    assert (documented.__name__, documented.__doc__) == ("documented", "What it says.")


def test_control_flow_inside_a_rule_s_function_is_converted_in_a_graph() -> None:
    @tg.custom_gradient
    def doubled(x: Any) -> Any:
        y = x
        while y < 10:
            y = y * 2
        return y, lambda dy: 5 * dy

    value, gradient = tf.function(tg.value_and_grad(doubled))(tf.constant(3.0))
    assert (float(value), float(gradient)) == (12.0, 5.0)


# stop_gradient


def test_no_gradient_flows_through_stopped_values() -> None:
    gradient = tg.grad(lambda x: tf.reduce_sum(tg.stop_gradient(x * x) * x))(tf.constant([1.0, 2.0]))
    np.testing.assert_array_equal(gradient, [1.0, 4.0])


def test_stop_gradient_keeps_any_nest_and_its_values() -> None:
    ragged = tf.ragged.constant([[1.0], [2.0, 3.0]])
    nest = {"a": [tf.ones([2]), 3, None, "text"], "r": ragged, "v": tf.Variable(2.0), "n": np.ones(1)}
    stopped = tg.stop_gradient(nest)
    assert stopped["a"][2:] == [None, "text"]
    assert (int(stopped["a"][1]), float(stopped["v"])) == (3, 2.0)
    assert stopped["r"].to_list() == ragged.to_list()
    assert float(tg.grad(lambda r, x: tf.reduce_sum(tg.stop_gradient(r)) * x, wrt=1)(ragged, 2.0)) == 6.0


def test_stop_gradient_takes_a_keras_variable() -> None:
    assert float(tg.stop_gradient(keras.Variable(2.0))) == 2.0


@EAGER_AND_GRAPH
def test_stop_gradient_stops_forward_mode_too(how: Any) -> None:
    _, dy = how(lambda x: tg.jvp(lambda x: tg.stop_gradient(x) * x, (x,), (1.0,)))(tf.constant(3.0))
    assert float(dy) == 3.0


# variable


def test_variable_makes_one_for_each_leaf_and_names_it() -> None:
    made = tg.variable({"w": [1.0, 2.0], "none": None}, name="p")
    assert made["none"] is None
    assert [v.name for v in made["w"]] == ["p['w'][0]:0", "p['w'][1]:0"]
    assert float(tg.grad(lambda: made["w"][0] * made["w"][1], wrt=made["w"][0])()) == 2.0


def test_variable_holds_its_value_dtype_and_trainability() -> None:
    v = tg.variable(np.ones([2], np.float64), trainable=False)
    assert (v.dtype, v.trainable) == (tf.float64, False)
    w = tg.variable(tf.Variable(3.0))
    w.assign(5.0)
    assert float(w) == 5.0


@EAGER_AND_GRAPH
def test_a_rule_is_obeyed_for_tensors_given_by_keyword(how: Any) -> None:
    @tg.custom_gradient
    def product(x: Any, y: Any = 2.0, *, n: int = 1) -> Any:
        return x * y * n, lambda dy: (10.0 * dy, 20.0 * dy)

    def swapped(x: Any) -> Any:
        return product(y=x, x=x, n=2)

    x = tf.constant(3.0)
    assert float(how(tg.grad(swapped))(x)) == 30.0
    assert float(tg.jit(tg.grad(swapped))(x)) == 30.0
    assert float(how(tg.grad(lambda x: ten_times(x=x)))(x)) == 10.0


def test_a_call_that_does_not_fit_the_rule_s_function_is_refused_by_python() -> None:
    x = tf.constant(1.0)
    product = tg.custom_gradient(lambda x, y: (x * y, lambda dy: (dy, dy)))
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        product(y=x)
    with pytest.raises(TypeError, match="multiple values for argument 'x'"):
        product(x, x=x)
