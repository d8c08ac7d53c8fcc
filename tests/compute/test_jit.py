"""`jit`: what is traced when, that its answers are those of the plain function, and where it steps aside."""

from __future__ import annotations

import collections
import copy
import functools
import gc
import pickle
import threading
import weakref
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgrad as tg
from tests.zoo import MAPPINGS, SCALARS, Known, Mapping, doubled_until_large
from tfgrad._tensorflow import lean


class Counted:
    """A function that counts how often its Python ran."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f
        self.runs = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.runs += 1
        return self.f(*args, **kwargs)


XLA = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])


def test_the_lean_call_works_with_this_tensorflow() -> None:
    assert lean.MISSING == ""
    assert lean.may_call_lean()


@pytest.mark.parametrize("known", SCALARS, ids=lambda known: known.name)
@XLA
def test_compiled_gradient_and_hessian_are_those_known_by_hand(known: Known, xla: bool) -> None:
    gradient, hessian = tg.jit(tg.grad(known.f), xla=xla), tg.jit(tg.hessian(known.f), xla=xla)
    for x in (known.x, known.x + 0.5, known.x):
        np.testing.assert_allclose(gradient(x), known.gradient(x), rtol=1e-9)
        np.testing.assert_allclose(hessian(x), known.hessian(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("known", MAPPINGS, ids=lambda known: known.name)
@pytest.mark.parametrize("mode", ["rev", "fwd"])
def test_compiled_jacobian_is_the_one_known_by_hand(known: Mapping, mode: Any) -> None:
    J = tg.jit(tg.jacobian(known.f, mode=mode))
    for x in (known.x, known.x + 0.5):
        np.testing.assert_allclose(J(x), known.jacobian(x), rtol=1e-12, atol=1e-12)


def test_a_known_signature_runs_none_of_the_python() -> None:
    f = Counted(lambda x: tf.reduce_sum(x**2))
    gradient = tg.jit(tg.grad(f))
    for i in range(5):
        np.testing.assert_array_equal(gradient(tf.constant([1.0, float(i)])), [2.0, 2.0 * i])
    assert f.runs == 1


def test_floats_and_arrays_are_fed_so_that_no_value_retraces() -> None:
    f = Counted(lambda x, y, z: x * y * tf.reduce_sum(z))
    g = tg.jit(f)
    assert [float(g(float(i), np.float32(2.0), np.ones(2, np.float32))) for i in range(4)] == [0.0, 4.0, 8.0, 12.0]
    assert f.runs == 1


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_float_has_the_dtype_of_the_floating_arrays(dtype: str) -> None:
    assert tg.jit(lambda x, y: y)(tf.constant(1.0, dtype), 2.0).dtype.name == dtype
    assert tg.jit(lambda x, y: y)(np.ones(2, dtype), 2.0).dtype.name == dtype


def test_a_float_is_float32_without_floating_arrays_or_where_they_differ() -> None:
    assert tg.jit(lambda y: y)(2.0).dtype == tf.float32
    assert tg.jit(lambda x, y: y)(tf.constant(1), 2.0).dtype == tf.float32
    assert tg.jit(lambda x, z, y: y)(tf.constant(1.0), np.float64(1.0), 2.0).dtype == tf.float32


def test_ints_bools_strings_none_and_functions_are_static() -> None:
    seen = []

    def f(x: Any, n: int, flag: bool, word: str, nothing: None, g: Any) -> Any:
        seen.append((n, flag, word, nothing, g))
        return g(x) * n if flag else x

    compiled = tg.jit(f)
    for _ in range(2):
        assert float(compiled(2.0, 3, True, "w", None, tf.square)) == 12.0
        assert float(compiled(2.0, 3, False, "w", None, tf.square)) == 2.0
    assert seen == [(3, True, "w", None, tf.square), (3, False, "w", None, tf.square)]


def test_true_and_one_are_different_signatures() -> None:
    compiled = tg.jit(lambda x, n: x + (10.0 if n is True else 0.0))
    assert [float(compiled(1.0, n)) for n in (1, True, 1)] == [1.0, 11.0, 1.0]


def test_keys_that_are_equal_and_of_another_type_have_their_own_trace() -> None:
    f = tg.jit(lambda d, x: x if isinstance(next(iter(d)), bool) else 2.0 * x)
    assert [float(f({key: 5}, 3.0)) for key in (True, 1, True, 1.0)] == [3.0, 6.0, 3.0, 6.0]


def test_new_shapes_and_dtypes_are_traced_once_each() -> None:
    f = Counted(lambda x: tf.reduce_sum(x))
    compiled = tg.jit(f)
    for _ in range(2):
        for x in (tf.ones([1]), tf.ones([2]), tf.ones([2], tf.float64), tf.ones([2, 1])):
            assert float(compiled(x)) == float(tf.size(x))
    assert f.runs == 4


def test_nests_and_keywords_go_in_and_nests_come_out() -> None:
    f = Counted(lambda d, *, k: {"y": d["a"] * k, "pair": (d["b"][0], None), "word": "w", "n": [3, 2.5]})
    compiled = tg.jit(f)
    for a in (1.0, 2.0):
        y = compiled({"b": [tf.constant([1.0, 2.0])], "a": a}, k=tf.constant(10.0))
        assert (float(y["y"]), y["pair"][1], y["word"]) == (10 * a, None, "w")
        np.testing.assert_array_equal(y["pair"][0], [1.0, 2.0])
        assert (int(y["n"][0]), float(y["n"][1])) == (3, 2.5)
    assert f.runs == 1


def test_positional_and_keyword_arguments_of_one_value_are_told_apart() -> None:
    compiled = tg.jit(lambda a=0.0, b=0.0: a - b)
    assert float(compiled(1.0)) == 1.0
    assert float(compiled(b=1.0)) == -1.0
    assert float(compiled(a=1.0)) == 1.0


def test_new_values_of_captured_variables_are_seen() -> None:
    v = tf.Variable(2.0)
    slope = tg.jit(tg.grad(lambda x: v * x))
    assert float(slope(1.0)) == 2.0
    v.assign(5.0)
    assert float(slope(1.0)) == 5.0


def test_captured_tensors_and_several_variables_are_fed_in_their_order() -> None:
    a, b, c = tf.Variable(2.0), tf.constant([1.0, 10.0]), tf.Variable([3.0, 4.0])
    compiled = tg.jit(lambda x: tf.reduce_sum(x * a * b - c))
    for _ in range(2):
        assert float(compiled(tf.constant([1.0, 1.0]))) == 22.0 - 7.0


def test_a_function_may_assign_to_variables() -> None:
    v = tf.Variable(0.0)
    add = tg.jit(lambda x: v.assign_add(x))
    assert [float(add(x)) for x in (1.0, 2.0, 3.0)] == [1.0, 3.0, 6.0]


def test_variables_and_composites_as_arguments_are_taken() -> None:
    f = Counted(tg.grad(lambda v: tf.reduce_sum(v**2)))
    compiled = tg.jit(f)
    for value in (1.0, 2.0):
        assert float(compiled(tf.Variable(value))) == 2 * value
    assert f.runs == 1
    assert float(compiled(keras.Variable(3.0))) == 6.0
    assert compiled(tf.ragged.constant([[1.0], [2.0, 3.0]])).to_list() == [[2.0], [4.0, 6.0]]
    sparse = tg.jit(tf.sparse.from_dense)(tf.constant([0.0, 3.0]))
    np.testing.assert_array_equal(sparse.indices, [[1]])


def test_a_variable_argument_may_be_assigned_to() -> None:
    v = tf.Variable(1.0)
    tg.jit(lambda v, x: v.assign_add(x))(v, 2.0)
    assert float(v) == 3.0


@XLA
def test_control_flow_is_converted(xla: bool) -> None:
    f = lambda x: tf.where(x > 0, x, 0.0) if xla else doubled_until_large(x)
    assert float(tg.jit(tg.grad(f), xla=xla)(0.3)) == (1.0 if xla else 4096.0)


def test_an_error_while_tracing_is_the_user_s_and_is_not_kept() -> None:
    fail = [True]

    def f(x: Any) -> Any:
        if fail[0]:
            raise ValueError("not yet")
        return x

    compiled = tg.jit(f)
    with pytest.raises(ValueError, match="not yet"):
        compiled(1.0)
    fail[0] = False
    assert float(compiled(1.0)) == 1.0


def test_an_error_while_running_is_tensorflow_s_own() -> None:
    compiled = tg.jit(lambda x: tf.debugging.check_numerics(x, "not finite"))
    assert float(compiled(1.0)) == 1.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="not finite"):
        compiled(float("nan"))
    assert float(compiled(2.0)) == 2.0


def test_an_error_of_this_package_keeps_its_type() -> None:
    with pytest.raises(tg.UnconnectedError, match=r"args\[0\]"):
        tg.jit(tg.grad(lambda x: tf.constant(1.0)))(1.0)


TRANSFORMS = {
    "grad": lambda f: tg.grad(f),
    "jvp": lambda f: lambda x: tg.jvp(f, (x,), (tf.ones_like(x),))[1],
    "tape": lambda f: lambda x: _with_tape(f, x),
    "accumulator": lambda f: lambda x: _with_accumulator(f, x),
}


def _with_tape(f: Any, x: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


def _with_accumulator(f: Any, x: Any) -> Any:
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
        y = f(x)
    return accumulator.jvp(y)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_jitted_function_is_differentiated_after_and_before_it_was_called(name: str) -> None:
    cube = tg.jit(lambda x: x**3)
    derivative = TRANSFORMS[name](cube)
    x = tf.constant(2.0)
    assert float(derivative(x)) == 12.0
    assert float(cube(x)) == 8.0
    assert float(derivative(x)) == 12.0
    assert float(TRANSFORMS[name](tg.jit(tg.grad(lambda x: x**3)))(x)) == 12.0


def test_a_variable_in_a_jitted_function_is_differentiated() -> None:
    v = tf.Variable(3.0)
    f = tg.jit(lambda x: x * v**2)
    assert float(f(1.0)) == 9.0
    assert float(tg.grad(f, wrt=v)(2.0)) == 12.0


def test_a_jitted_function_runs_inside_tf_function_vectorized_map_and_jit() -> None:
    cube = tg.jit(lambda x: x**3)
    assert float(tf.function(lambda x: cube(x) + cube(2 * x))(tf.constant(1.0))) == 9.0
    np.testing.assert_array_equal(tf.vectorized_map(cube, tf.constant([1.0, 2.0])), [1.0, 8.0])
    assert float(tg.jit(lambda x: cube(x) + 1.0)(2.0)) == 9.0


def test_a_first_call_in_a_graph_or_under_a_tape_does_not_spoil_the_next() -> None:
    cube = tg.jit(tg.grad(lambda x: x**3))
    tf.function(lambda x: cube(x))(tf.constant(1.0))
    _with_tape(cube, tf.constant(1.0))
    assert float(cube(2.0)) == 12.0


def test_threads_share_one_trace() -> None:
    f = Counted(lambda x: tf.reduce_sum(x**2))
    gradient = tg.jit(tg.grad(f))
    answers: dict[int, float] = {}
    barrier = threading.Barrier(4)

    def work(i: int) -> None:
        barrier.wait()
        answers[i] = float(gradient(tf.constant([float(i)]))[0])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {i: 2.0 * i for i in range(4)}
    assert f.runs == 1


class Scaled:
    """A class with a jitted method."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    @tg.jit
    def times(self, x: Any) -> Any:
        return self.factor * x


def test_a_jitted_method_belongs_to_its_object() -> None:
    two, three = Scaled(2.0), Scaled(3.0)
    assert [float(s.times(5.0)) for s in (two, three, two)] == [10.0, 15.0, 10.0]
    assert float(Scaled.times(two, 5.0)) == 10.0


def test_an_object_with_a_jitted_method_is_freed() -> None:
    scaled = Scaled(2.0)
    scaled.times(1.0)
    gone = weakref.ref(scaled)
    del scaled
    gc.collect()
    assert gone() is None


def test_a_partial_and_a_callable_object_are_taken() -> None:
    assert float(tg.jit(functools.partial(lambda a, b: a * b, b=3.0))(2.0)) == 6.0
    assert float(tg.jit(Counted(lambda x: 2 * x))(2.0)) == 4.0


def network() -> keras.Model:
    return keras.Sequential([keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])


def test_a_model_that_is_built_by_the_call_and_trained_in_between() -> None:
    model, optimizer = network(), keras.optimizers.SGD(0.1)
    x = tf.random.normal([16, 3])
    loss = lambda x: tf.reduce_mean((model(x) - tf.reduce_sum(x, 1, keepdims=True)) ** 2)
    step, losses = tg.jit(tg.value_and_grad(loss, wrt=model)), []
    for _ in range(10):
        value, gradients = step(x)
        plain = tg.grad(loss, wrt=model)(x)
        for g, p in zip(gradients, plain, strict=True):
            np.testing.assert_allclose(g, p, rtol=1e-4, atol=1e-6)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        losses.append(float(value))
    assert losses[-1] < losses[0]


def test_a_whole_train_step() -> None:
    model, optimizer = network(), keras.optimizers.Adam(0.05)
    x = tf.random.normal([16, 3])
    y = tf.reduce_sum(x, 1, keepdims=True)
    model.build((None, 3))
    optimizer.build(model.trainable_variables)

    @tg.jit
    def step(x: Any, y: Any) -> Any:
        loss, gradients = tg.value_and_grad(lambda: tf.reduce_mean((model(x) - y) ** 2), wrt=model)()
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    losses = [float(step(x, y)) for _ in range(20)]
    assert losses[-1] < 0.5 * losses[0]


def test_functions_run_eagerly_runs_the_python_each_time() -> None:
    f = Counted(lambda x: x**2)
    compiled = tg.jit(f)
    tf.config.run_functions_eagerly(True)
    try:
        assert [float(compiled(tf.constant(x))) for x in (1.0, 2.0)] == [1.0, 4.0]
    finally:
        tf.config.run_functions_eagerly(False)
    assert f.runs == 2


def test_a_jitted_function_computes_on_the_device_that_is_asked_for() -> None:
    double = tg.jit(lambda x: 2 * x)
    for device in ("CPU:0", "CPU:1"):
        with tf.device(device):
            assert double(tf.constant(1.0)).device.endswith(device)


def test_random_numbers_are_drawn_anew_at_each_call() -> None:
    draw = tg.jit(lambda x: x * tf.random.normal([]))
    assert len({float(draw(1.0)) for _ in range(5)}) == 5


def test_a_function_without_tensors_in_or_out() -> None:
    v = tf.Variable(1.0)
    assert tg.jit(lambda: None)() is None
    bump = tg.jit(lambda: [v.assign_add(1.0), None][1])
    for _ in range(3):
        assert bump() is None
    assert float(v) == 4.0


def test_a_tensor_that_is_returned_twice_and_an_argument_that_is_returned() -> None:
    def f(x: Any) -> Any:
        y = 2 * x
        return y, y, x

    compiled = tg.jit(f)
    for x in (1.0, 2.0):
        assert [float(t) for t in compiled(x)] == [2 * x, 2 * x, x]


@pytest.mark.parametrize("how", [lambda g: g, tf.function], ids=["eager", "graph"])
def test_replicas_run_a_jitted_gradient(how: Any) -> None:
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        v = tf.Variable(3.0)
    slope = tg.jit(tg.grad(lambda: v**2, wrt=v))
    step = how(lambda: strategy.run(slope))
    assert [float(g) for g in strategy.experimental_local_results(step())] == [6.0, 6.0]
    assert float(slope()) == 6.0


def test_a_dict_and_keywords_in_another_order_are_the_same_values() -> None:
    difference = lambda d: d["a"] - d["b"]
    given, turned = {"a": 3.0, "b": 7.0}, {"b": 3.0, "a": 7.0}
    f = tg.jit(difference)
    nested = tg.jit(lambda tree: difference(tree[0]["inner"]))
    keywords = tg.jit(lambda **d: d["a"] - d["b"])
    for d, answer in [(given, -4.0), (turned, 4.0), (given, -4.0)]:
        assert float(f(d)) == float(nested([{"inner": d}])) == float(keywords(**d)) == answer
        assert float(tf.function(lambda d=d: f(d))()) == answer
        assert [float(tg.grad(f)(d)[name]) for name in "ab"] == [1.0, -1.0]


@pytest.mark.parametrize("kind", [dict, collections.OrderedDict])
def test_f_sees_a_dict_s_own_order(kind: Any) -> None:
    first = tg.jit(lambda d: next(iter(d.values())))
    assert float(first(kind([("a", 1.0), ("b", 2.0)]))) == 1.0
    assert float(first(kind([("b", 2.0), ("a", 1.0)]))) == 2.0


class TenTimes(Scaled):
    """A jitted method that calls the one that it overrides."""

    @tg.jit
    def times(self, x: Any) -> Any:
        return 10.0 * super().times(x)


def test_a_jitted_method_calls_the_one_it_overrides() -> None:
    scaled = TenTimes(2.0)
    assert float(scaled.times(3.0)) == 60.0
    assert float(super(TenTimes, scaled).times(3.0)) == 6.0
    assert float(scaled.times(4.0)) == 80.0


def test_a_copy_of_an_object_has_a_jitted_method_of_its_own_and_nothing_is_added_to_objects() -> None:
    scaled = Scaled(2.0)
    scaled.times(1.0)
    assert vars(scaled) == {"factor": 2.0}
    for copied in (copy.copy(scaled), copy.deepcopy(scaled), pickle.loads(pickle.dumps(scaled))):
        copied.factor = 5.0
        assert float(copied.times(1.0)) == 5.0


def test_a_jitted_method_keeps_its_object_alive() -> None:
    times = Scaled(2.0).times
    gc.collect()
    assert float(times(3.0)) == 6.0


class Equal:
    """Equal to any other, and unhashable."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __eq__(self, other: object) -> bool:
        return True

    @tg.jit
    def times(self, x: Any) -> Any:
        return self.factor * x


def test_objects_that_are_equal_and_unhashable_have_their_own_jitted_methods() -> None:
    two, three = Equal(2.0), Equal(3.0)
    assert [float(e.times(5.0)) for e in (two, three, two)] == [10.0, 15.0, 10.0]


class Slotted:
    """An object that can't be referred to weakly."""

    __slots__ = ("runs",)

    def __init__(self) -> None:
        self.runs = 0

    @tg.jit
    def twice(self, x: Any) -> Any:
        self.runs += 1
        return 2 * x


def test_a_jitted_method_of_an_object_with_slots_is_traced_once() -> None:
    slotted, other = Slotted(), Slotted()
    assert [float(slotted.twice(x)) for x in (1.0, 2.0)] == [2.0, 4.0]
    assert float(other.twice(3.0)) == 6.0
    assert (slotted.runs, other.runs) == (1, 1)
