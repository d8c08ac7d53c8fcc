"""Transforms inside other things: one another, tapes, accumulators, tf.function, vectorized_map, threads, replicas."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import tfgrad as tg
from tests.zoo import doubled_until_large

EAGER_AND_GRAPH = pytest.mark.parametrize("how", [lambda g: g, tf.function], ids=["eager", "graph"])


def f(x: Any) -> Any:
    return tf.sin(x) * x**2


# sin(x) x^2 at 0.7, by hand
X = 0.7
THIRD = 6 * np.cos(X) - 6 * X * np.sin(X) - X**2 * np.cos(X)

FIRST = {
    "grad": lambda f: tg.grad(f),
    "vjp": lambda f: lambda x: tg.vjp(f, x)[1](tf.constant(1.0, tf.float64))[0],
    "jvp": lambda f: lambda x: tg.jvp(f, (x,), (tf.constant(1.0, tf.float64),))[1],
    "linearize": lambda f: lambda x: tg.linearize(f, x)[1](tf.constant(1.0, tf.float64)),
    "jacobian rev": lambda f: tg.jacobian(f, mode="rev"),
    "jacobian fwd": lambda f: tg.jacobian(f, mode="fwd"),
    "elementwise_grad": lambda f: tg.elementwise_grad(f),
    "checkpoint": lambda f: tg.grad(tg.checkpoint(f)),
}


@pytest.mark.parametrize("names", list(itertools.product(FIRST, repeat=2)), ids="/".join)
@EAGER_AND_GRAPH
def test_any_two_derivatives_compose(names: tuple[str, str], how: Any) -> None:
    outer, inner = (FIRST[name] for name in names)
    second = how(outer(inner(f)))(tf.constant(X, tf.float64))
    np.testing.assert_allclose(second, 2 * np.sin(X) + 4 * X * np.cos(X) - X**2 * np.sin(X), rtol=1e-12)


@pytest.mark.parametrize("name", FIRST)
@EAGER_AND_GRAPH
def test_third_derivatives(name: str, how: Any) -> None:
    third = how(tg.grad(FIRST[name](tg.grad(f))))(tf.constant(X, tf.float64))
    np.testing.assert_allclose(third, THIRD, rtol=1e-12)


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("made", [tf.constant, tf.Variable])
def test_an_outer_tape_differentiates_a_transform(name: str, made: Any) -> None:
    x = made(X, dtype=tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        slope = FIRST[name](f)(x)
    np.testing.assert_allclose(tape.gradient(slope, x), tg.hessian(f)(np.float64(X)), rtol=1e-12)


@pytest.mark.parametrize("name", ["grad", "vjp", "jvp", "jacobian rev"])
def test_an_outer_accumulator_differentiates_a_transform(name: str) -> None:
    x = tf.constant(X, tf.float64)
    with tf.autodiff.ForwardAccumulator(x, tf.constant(1.0, tf.float64)) as accumulator:
        slope = FIRST[name](f)(x)
    np.testing.assert_allclose(accumulator.jvp(slope), tg.hessian(f)(np.float64(X)), rtol=1e-12)


def test_a_pullback_made_under_a_tape_is_differentiated_by_the_point_and_by_the_cotangent() -> None:
    x, w = tf.constant(X, tf.float64), tf.constant(2.0, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch([x, w])
        _, vjp_fn = tg.vjp(f, x)
        (dx,) = vjp_fn(w)
    by_x, by_w = tape.gradient(dx, [x, w])
    np.testing.assert_allclose(by_x, 2 * tg.hessian(f)(np.float64(X)), rtol=1e-12)
    np.testing.assert_allclose(by_w, tg.grad(f)(np.float64(X)), rtol=1e-12)


def test_a_jvp_is_differentiated_by_the_tangent() -> None:
    by_v = tg.grad(lambda v: tg.jvp(f, (np.float64(X),), (v,))[1])(np.float64(3.0))
    np.testing.assert_allclose(by_v, tg.grad(f)(np.float64(X)), rtol=1e-12)


@pytest.mark.parametrize("name", FIRST)
def test_vectorized_map_takes_every_transform(name: str) -> None:
    xs = tf.constant([0.1, 0.7, -2.0], tf.float64)
    np.testing.assert_allclose(
        tf.vectorized_map(FIRST[name](f), xs), 2 * xs * np.sin(xs) + xs**2 * np.cos(xs), rtol=1e-12
    )


def test_map_fn_takes_a_transform() -> None:
    np.testing.assert_allclose(tf.map_fn(tg.grad(lambda x: x**3), tf.constant([1.0, 2.0])), [3.0, 12.0])


def test_transforms_inside_a_traced_loop_and_branch() -> None:
    @tf.function
    def walk(x: Any, n: Any) -> Any:
        for _ in tf.range(n):
            if x > 0:
                x = x - 0.1 * tg.grad(lambda a: a**2)(x)
            else:
                x = x + tg.jvp(lambda a: a**2, (x,), (tf.ones_like(x),))[1]
        return x

    np.testing.assert_allclose(walk(tf.constant(1.0), tf.constant(3)), 0.8**3, rtol=1e-6)


TRACED = {
    "grad": lambda x: tg.grad(doubled_until_large)(x),
    "vjp": lambda x: tg.vjp(doubled_until_large, x)[1](tf.ones_like(x))[0],
    "jvp": lambda x: tg.jvp(doubled_until_large, (x,), (tf.ones_like(x),))[1],
    "linearize": lambda x: tg.linearize(doubled_until_large, x)[1](tf.ones_like(x)),
    "jacobian": lambda x: tg.jacobian(doubled_until_large)(x),
}


@pytest.mark.parametrize("name", TRACED)
def test_the_control_flow_of_f_is_converted_where_a_transform_is_called_in_a_graph(name: str) -> None:
    np.testing.assert_allclose(tf.function(TRACED[name])(tf.constant(0.3)), 4096.0)


@pytest.mark.parametrize("name", TRACED)
def test_a_tf_function_is_differentiated_like_any_other(name: str) -> None:
    np.testing.assert_allclose(TRACED[name](tf.constant(0.3)), 4096.0)
    np.testing.assert_allclose(tg.grad(tf.function(doubled_until_large))(0.3), 4096.0)


def test_autograph_off_leaves_the_python_as_it_is() -> None:
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        tf.function(tg.grad(doubled_until_large), autograph=False)(tf.constant(0.3))


@pytest.mark.parametrize("name", FIRST)
def test_xla_compiles_every_transform(name: str) -> None:
    compiled = tf.function(FIRST[name](f), jit_compile=True)
    np.testing.assert_allclose(compiled(tf.constant(X, tf.float64)), tg.grad(f)(np.float64(X)), rtol=1e-9)


def test_threads_do_not_disturb_one_another() -> None:
    answers: dict[int, float] = {}
    barrier = threading.Barrier(4)

    def work(i: int) -> None:
        barrier.wait()
        answers[i] = float(sum(tg.grad(lambda x: x**3)(float(i)) for _ in range(20))) / 20

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {i: 3.0 * i**2 for i in range(4)}


def test_a_transform_inside_f_on_another_thread_is_its_own() -> None:
    def with_thread(x: Any) -> Any:
        found = []
        thread = threading.Thread(target=lambda: found.append(tg.grad(lambda a: a**2)(5.0)))
        thread.start()
        thread.join()
        return x * found[0]

    assert float(tg.grad(with_thread)(1.0)) == 10.0


@pytest.mark.parametrize("jitted", [lambda g: g, tf.function], ids=["eager", "graph"])
def test_replicas_get_the_gradient_of_a_mirrored_variable(jitted: Any) -> None:
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        v = tf.Variable(3.0)
    step = jitted(lambda: strategy.run(lambda: tg.grad(lambda: v**2, wrt=v)()))
    assert [float(g) for g in strategy.experimental_local_results(step())] == [6.0, 6.0]
    assert float(tg.grad(lambda: v**2, wrt=v)()) == 6.0


def test_a_transform_works_in_an_input_pipeline() -> None:
    data = tf.data.Dataset.from_tensor_slices([1.0, 2.0]).map(tg.grad(lambda x: x**3))
    assert [float(g) for g in data] == [3.0, 12.0]


def test_functions_of_every_kind_are_taken() -> None:
    import functools

    class Square:
        def __call__(self, x: Any) -> Any:
            return x**2

        def method(self, x: Any) -> Any:
            return x**2

    for g in (Square(), Square().method, functools.partial(tf.pow, y=2.0), tf.square):
        assert float(tg.grad(g)(3.0)) == 6.0
        assert float(tf.function(lambda x, g=g: tg.grad(g)(x))(tf.constant(3.0))) == 6.0
