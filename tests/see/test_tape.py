"""A Tape is a `tf.GradientTape`: same values, same structures, same errors, whatever is differentiated."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgrad.see.tape import Tape

MATRIX = [[1.0, 2.0], [3.0, 4.0]]


def matrix() -> tf.Variable:
    return tf.Variable(MATRIX)


def both(program: Callable[[type], Any]) -> None:
    """The program answers the same with either tape, in the same structure."""
    tf.random.set_seed(7)
    expected = program(tf.GradientTape)
    tf.random.set_seed(7)
    found = program(Tape)
    tf.nest.assert_same_structure(expected, found, expand_composites=True)
    pairs = zip(
        tf.nest.flatten(expected, expand_composites=True), tf.nest.flatten(found, expand_composites=True), strict=True
    )
    for a, b in pairs:
        assert type(a) is type(b)
        if a is not None:
            assert a.dtype == b.dtype
            np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=1e-6)


def watched(program: Callable[..., Any], *values: Any) -> Callable[[type], Any]:
    """A program that watches tensors and asks for all gradients."""

    def run(tape_type: type) -> Any:
        xs = [tf.constant(value) if not isinstance(value, tf.RaggedTensor) else value for value in values]
        with tape_type() as tape:
            tape.watch(xs)
            y = program(*xs)
        return tape.gradient(y, xs)

    return run


EMBEDDED = [[1.0, 0.5], [2.0, 0.1], [0.3, 0.4], [0.9, 0.2]]
PROGRAMS = {
    "mul": watched(lambda x: x * x, 3.0),
    "matmul": watched(lambda a, b: tf.matmul(a, b), MATRIX, MATRIX),
    "broadcast": watched(lambda a, b: a * b, MATRIX, [2.0, 3.0]),
    "integer power": watched(lambda x: x**3, MATRIX),
    "unconnected": watched(lambda a, b: a * 2.0, 1.0, 2.0),
    "concat": watched(lambda a, b: tf.concat([a, b], 0), MATRIX, MATRIX),
    "split": watched(lambda a: tf.split(a, 2)[0], MATRIX),
    "unstack": watched(lambda a: tf.unstack(a)[1], MATRIX),
    "strided slice": watched(lambda a: a[0, ::1] * 2.0, MATRIX),
    "gather": watched(lambda a: tf.gather(a, [0, 0, 1]), EMBEDDED),
    "sort": watched(lambda a: tf.sort(a) * tf.constant(MATRIX), MATRIX),
    "softmax": watched(lambda a: tf.nn.softmax(a)[:, 0], MATRIX),
    "cross entropy": watched(lambda a: tf.nn.sparse_softmax_cross_entropy_with_logits([0, 1], a), MATRIX),
    "conv": watched(
        lambda x, k: tf.nn.conv2d(x, k, 1, "SAME"),
        np.ones([1, 4, 4, 1], "float32"),
        np.ones([2, 2, 1, 1], "float32"),
    ),
    "einsum": watched(lambda a, b: tf.einsum("ij,jk->ik", a, b), MATRIX, MATRIX),
    "cholesky": watched(tf.linalg.cholesky, [[2.0, 0.5], [0.5, 1.0]]),
    "svd": watched(lambda a: tf.linalg.svd(a, compute_uv=False), MATRIX),
    "complex": watched(lambda z: tf.math.real(z) ** 2, 3.0 - 1.0j),
    "double": watched(lambda x: tf.sin(x), np.float64(0.3)),
    "half": watched(lambda x: x * x, np.float16(0.5)),
    "cast": watched(lambda x: tf.cast(x, tf.float64) * 2.0, 1.0),
    "where": watched(lambda x: tf.where(x > 2.0, x * x, x), MATRIX),
    "map_fn": watched(lambda x: tf.map_fn(lambda row: row * row, x), MATRIX),
    "scan": watched(lambda x: tf.scan(lambda a, b: a * b, x), [1.0, 2.0, 3.0]),
    "vectorized_map": watched(lambda x: tf.vectorized_map(lambda row: row * row, x), MATRIX),
    "while_loop": watched(lambda x: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * x), [0, x])[1], 1.5),
    "cond": watched(lambda x: tf.cond(x > 1.0, lambda: x * 2.0, lambda: x), 1.5),
    "TensorArray": watched(lambda x: tf.TensorArray(tf.float32, 2).write(0, x).write(1, x * x).stack(), 1.5),
    "py_function": watched(lambda x: tf.py_function(lambda a: a * a, [x], tf.float32), 1.5),
    "numpy_function": watched(lambda x: tf.numpy_function(np.sin, [x], tf.float32) + x, 1.5),
    "recompute_grad": watched(lambda x: tf.recompute_grad(lambda a: tf.sin(a) * a)(x), 1.5),
    "tf.function": watched(tf.function(lambda x: tf.sin(x) * x), 1.5),
    "nested tf.function": watched(tf.function(lambda x: tf.function(tf.sin)(x) * x), 1.5),
    "xla": watched(tf.function(lambda x: tf.sin(x) * x, jit_compile=True), 1.5),
    "ragged": watched(lambda x: x * x, tf.ragged.constant([[1.0, 2.0], [3.0]])),
    "non-scalar target": watched(lambda x: [x, {"a": x * x}], MATRIX),
    "copied tensor": watched(lambda x: tf.identity(x) + tf.constant(x), 1.5),
    "zero size": watched(lambda x: tf.reduce_sum(x), np.zeros([0, 3], "float32")),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradient_is_that_of_a_gradient_tape(name: str) -> None:
    both(PROGRAMS[name])


def test_isinstance_holds() -> None:
    assert isinstance(Tape(), tf.GradientTape)
    with Tape() as tape:
        assert type(tape) is Tape


def test_structure_of_the_sources_is_kept() -> None:
    def program(tape_type: type) -> Any:
        a, b = tf.Variable(1.0), tf.Variable(2.0)
        with tape_type() as tape:
            y = a * b
        return tape.gradient(y, {"b": [b], "a": (a, {"again": a})})

    both(program)


def test_embedding_answers_indexed_slices() -> None:
    def program(tape_type: type) -> Any:
        table = tf.Variable(EMBEDDED)
        with tape_type() as tape:
            y = tf.nn.embedding_lookup(table, [1, 1, 2]) * 2.0
        found = tape.gradient(y, table)
        assert isinstance(found, tf.IndexedSlices)
        return found

    both(program)


def test_output_gradients_are_taken() -> None:
    def program(tape_type: type) -> Any:
        x = matrix()
        with tape_type() as tape:
            y = x * x
        return tape.gradient(y, [x], output_gradients=[tf.ones([2, 2]) * 3.0])

    both(program)


@pytest.mark.parametrize("zero", [tf.UnconnectedGradients.ZERO, "zero"])
def test_unconnected_gradients_may_be_zero(zero: object) -> None:
    def program(tape_type: type) -> Any:
        x, unused = tf.Variable(1.0), matrix()
        with tape_type() as tape:
            y = x * x
        return tape.gradient(y, [x, unused], unconnected_gradients=zero)

    both(program)


@pytest.mark.parametrize("pfor", [True, False])
def test_jacobian_is_that_of_a_gradient_tape(pfor: bool) -> None:
    def program(tape_type: type) -> Any:
        x, y = matrix(), tf.Variable([1.0, 2.0])
        with tape_type(persistent=True) as tape:
            z = tf.linalg.matvec(x, y) ** 2
        return tape.jacobian(z, [x, y], experimental_use_pfor=pfor)

    both(program)


def test_jacobian_inside_the_block() -> None:
    def program(tape_type: type) -> Any:
        x = matrix()
        with tape_type(persistent=True) as outer:
            with tape_type() as tape:
                z = x * x * x
            found = tape.jacobian(z, x)
        return found, outer.gradient(found, x)

    both(program)


def test_batch_jacobian_is_that_of_a_gradient_tape() -> None:
    def program(tape_type: type) -> Any:
        x = tf.constant(MATRIX)
        with tape_type() as tape:
            tape.watch(x)
            y = x * x
        return tape.batch_jacobian(y, x)

    both(program)


def test_persistent_tape_answers_many_times() -> None:
    def program(tape_type: type) -> Any:
        x = tf.Variable(3.0)
        with tape_type(persistent=True) as tape:
            y = x * x
            z = y * y
        return tape.gradient(z, x), tape.gradient(y, x), tape.gradient(z, y), tape.jacobian(z, x)

    both(program)


def test_persistent_tape_inside_its_block() -> None:
    def program(tape_type: type) -> Any:
        x = tf.Variable(3.0)
        with tape_type(persistent=True) as tape:
            y = x * x * x
            dy = tape.gradient(y, x)
        return dy, tape.gradient(dy, x)

    both(program)


def test_gradient_inside_the_block_uses_up_the_tape() -> None:
    def program(tape_type: type) -> Any:
        x = tf.Variable(3.0)
        with tape_type() as tape:
            y = x * x
            dy = tape.gradient(y, x)
        return dy

    both(program)


def test_tape_may_be_entered_again() -> None:
    def program(tape_type: type) -> Any:
        x = tf.Variable(2.0)
        tape = tape_type(persistent=True)
        with tape:
            y = x * x
        z_before = y * 5.0
        with tape:
            z = y * 3.0
        return tape.gradient(z, x), tape.gradient(z_before, x)

    both(program)


def test_reset_forgets() -> None:
    def program(tape_type: type) -> Any:
        x = tf.Variable(2.0)
        with tape_type(persistent=True) as tape:
            y = x * x
            tape.reset()
            z = y + x
        return tape.gradient(z, x), tape.gradient(y, x)

    both(program)


def test_stop_recording_leaves_ops_out() -> None:
    def program(tape_type: type) -> Any:
        x = tf.Variable(2.0)
        with tape_type(persistent=True) as tape:
            y = x * x
            with tape.stop_recording():
                z = x * x * x
            w = y + z
        return tape.gradient(w, x), tape.gradient(z, x)

    both(program)


def test_watched_variables_are_in_the_order_they_were_made() -> None:
    a, b, frozen = tf.Variable(1.0), tf.Variable(2.0), tf.Variable(3.0, trainable=False)
    with Tape() as tape:
        y = b * a * frozen
    assert [v is w for v, w in zip(tape.watched_variables(), (a, b), strict=True)] == [True, True]
    tape.gradient(y, [a, b])
    assert len(tape.watched_variables()) == 2


def test_no_variable_is_watched_by_itself_if_not_wanted() -> None:
    def program(tape_type: type) -> Any:
        a, b = tf.Variable(1.0), tf.Variable(2.0)
        with tape_type(watch_accessed_variables=False) as tape:
            tape.watch(a)
            y = a * b
        return tape.gradient(y, [a, b])

    both(program)


@pytest.mark.parametrize("outer", [tf.GradientTape, Tape])
@pytest.mark.parametrize("inner", [tf.GradientTape, Tape])
def test_nested_tapes_give_second_derivatives(outer: type, inner: type) -> None:
    x = tf.Variable(2.0)
    with outer() as o:
        with inner() as i:
            y = x**3
        dy = i.gradient(y, x)
    assert float(o.gradient(dy, x)) == 12.0


def test_three_nested_tapes_give_third_derivatives() -> None:
    x = tf.Variable(2.0)
    with Tape() as a:
        with Tape() as b:
            with Tape() as c:
                y = x**4
            first = c.gradient(y, x)
        second = b.gradient(first, x)
    assert float(a.gradient(second, x)) == 48.0


def test_forward_accumulator_over_tape() -> None:
    x = tf.Variable(2.0)
    with tf.autodiff.ForwardAccumulator(x, tf.constant(1.0)) as forward:
        with Tape() as tape:
            y = x**3
        dy = tape.gradient(y, x)
    assert float(forward.jvp(dy)) == 12.0


def test_tape_over_forward_accumulator() -> None:
    x = tf.Variable(2.0)
    with Tape() as tape:
        with tf.autodiff.ForwardAccumulator(x, tf.constant(1.0)) as forward:
            y = x**3
        dy = forward.jvp(y)
    assert float(tape.gradient(dy, x)) == 12.0


def test_custom_gradient_is_obeyed() -> None:
    @tf.custom_gradient
    def doubled(x: tf.Tensor) -> Any:
        return x * 1.0, lambda upstream: upstream * 2.0

    both(watched(lambda x: doubled(x) * x, 3.0))


def test_custom_gradient_with_variables_is_obeyed() -> None:
    w = tf.Variable(2.0, use_resource=True)

    @tf.custom_gradient
    def scaled(x: tf.Tensor) -> Any:
        def backward(upstream: tf.Tensor, variables: Any = None) -> Any:
            return upstream * w, [upstream * 5.0]

        return x * w, backward

    def program(tape_type: type) -> Any:
        x = tf.constant(3.0)
        with tape_type() as tape:
            tape.watch(x)
            y = scaled(x)
        return tape.gradient(y, [x, w])

    both(program)


def test_keras_variables_are_sources_and_watched() -> None:
    layer = keras.layers.Dense(2)
    x = tf.ones([3, 4])
    layer(x)
    with Tape(watch_accessed_variables=False) as tape:
        tape.watch(layer.trainable_variables)
        y = tf.reduce_sum(layer(x) ** 2)
    found = tape.gradient(y, {"all": layer.trainable_variables})
    with tf.GradientTape() as plain:
        y = tf.reduce_sum(layer(x) ** 2)
    expected = plain.gradient(y, layer.trainable_variables)
    for a, b in zip(found["all"], expected, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy())


def test_unconnected_zero_works_for_keras_variables() -> None:
    used, unused = keras.Variable([1.0, 2.0]), keras.Variable([3.0])
    with Tape() as tape:
        y = tf.reduce_sum(used * used)
    found = tape.gradient(y, [used, unused], unconnected_gradients="zero")
    assert [g.numpy().tolist() for g in found] == [[2.0, 4.0], [0.0]]


def test_keras_variable_under_autocast_is_the_variable() -> None:
    layer = keras.layers.Dense(2, dtype="mixed_float16")
    layer.build([None, 3])
    with Tape() as tape:
        tape.watch(layer.trainable_variables)
        y = tf.reduce_sum(tf.cast(layer(tf.ones([1, 3])), tf.float32))
    found = tape.gradient(y, layer.trainable_variables)
    assert [g.dtype for g in found] == [tf.float32, tf.float32]


def faulty(program: Callable[[type], Any]) -> tuple[type, str]:
    with pytest.raises(Exception) as caught:
        program(Tape)
    with pytest.raises(type(caught.value)) as expected:
        program(tf.GradientTape)
    return type(caught.value), str(expected.value) if str(caught.value) == str(expected.value) else "another text"


def asks(target: Any, source: Any) -> Callable[[type], Any]:
    def program(tape_type: type) -> Any:
        x = tf.Variable(1.0)
        with tape_type() as tape:
            y = x * x
        return tape.gradient(y if target == "y" else target, x if source == "x" else source)

    return program


def used_twice(tape_type: type) -> Any:
    x = tf.Variable(1.0)
    with tape_type() as tape:
        y = x * x
    tape.gradient(y, x)
    return tape.gradient(y, x)


def entered_twice(tape_type: type) -> None:
    with tape_type() as tape, tape:
        pass


def without_a_gradient(tape_type: type) -> Any:
    x = tf.Variable(tf.ones([2, 2, 3]))
    with tape_type() as tape:
        y = tf.image.adjust_hue(x, 0.1)
    return tape.gradient(y, x)


def custom_with_wrong_count(tape_type: type) -> Any:
    @tf.custom_gradient
    def f(a: tf.Tensor, b: tf.Tensor) -> Any:
        return a * b, lambda upstream: upstream

    x = tf.Variable(1.0)
    with tape_type() as tape:
        y = f(x * 1.0, x * 2.0)
    return tape.gradient(y, x)


def indexed_slices_as_source(tape_type: type) -> Any:
    slices = tf.IndexedSlices(tf.constant([1.0, 2.0]), tf.constant([0, 2]), tf.constant([3]))
    with tape_type() as tape:
        tape.watch(slices)
        y = tf.convert_to_tensor(slices) * 3.0
    return tape.gradient(y, slices)


ERRORS: dict[str, Callable[[type], Any]] = {
    "None target": asks(None, "x"),
    "float target": asks(1.0, "x"),
    "None source": asks("y", None),
    "string source": asks("y", "weights"),
    "float source": asks("y", 2.0),
    "used twice": used_twice,
    "entered twice": entered_twice,
    "never entered": lambda tape_type: tape_type().gradient(tf.constant(1.0), tf.constant(1.0)),
    "no gradient": without_a_gradient,
    "wrong count": custom_with_wrong_count,
    "IndexedSlices source": indexed_slices_as_source,
    "watch a float": lambda tape_type: tape_type().watch(1.0),
    "watch unentered": lambda tape_type: tape_type().watch(tf.constant(1.0)),
    "stop unentered": lambda tape_type: tape_type().stop_recording().__enter__(),
    "reset unentered": lambda tape_type: tape_type().reset(),
    "bad unconnected": lambda tape_type: _unconnected(tape_type, "nonsense"),
    "qr": lambda tape_type: watched(
        lambda a: tf.linalg.qr(a, full_matrices=True)[0], [[1.0, 2.0], [0.0, 1.0], [1.0, 0.0]]
    )(tape_type),
}


def _unconnected(tape_type: type, wish: str) -> Any:
    x = tf.Variable(1.0)
    with tape_type() as tape:
        y = x * x
    return tape.gradient(y, x, unconnected_gradients=wish)


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_tensorflows_own(name: str) -> None:
    assert faulty(ERRORS[name])[1] != "another text"


def test_hooks_do_not_change_arithmetic_with_numpy() -> None:
    x = tf.constant(MATRIX)
    array = np.array(MATRIX, "float32")
    with Tape():
        assert isinstance(array * x, tf.Tensor)
        assert np.sin(x).tolist() == np.sin(array).tolist()
        assert np.mean(x) == 2.5
        assert x.numpy().tolist() == MATRIX
        assert float(x[0, 0]) == 1.0
        assert [int(v) for v in x[1]] == [3, 4]


def test_memoryview_is_refused_only_while_recording() -> None:
    x = tf.constant([1.0])
    with Tape() as tape:
        tape.watch(x)
        with pytest.raises(TypeError):
            memoryview(x)
        with tape.stop_recording():
            assert memoryview(x).nbytes == 4
    assert memoryview(x).nbytes == 4
