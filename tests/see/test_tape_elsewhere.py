"""A Tape works wherever a `tf.GradientTape` does: in traced functions, Keras, replicas and threads."""

import gc
import threading
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgrad import _tensorflow
from tfgrad.see.record import Record
from tfgrad.see.tape import Tape


@pytest.fixture(autouse=True)
def _no_tape_of_an_earlier_test_listens() -> None:
    gc.collect()


def lines(record: Record, op: str) -> list[str]:
    """The user's lines of all ops of this type."""
    found = [record.position(event) for event in record.events if event.op == op]
    return [position.text for position in found if position is not None]


def test_tape_in_a_function_gives_the_same_gradient() -> None:
    @tf.function
    def f(x: tf.Tensor) -> Any:
        with Tape() as tape:
            tape.watch(x)
            y = x * x
            for _ in tf.range(3):
                y = y * x
            if tf.reduce_sum(y) > 0.0:
                y = y * 2.0
        return tape.gradient(y, x)

    assert float(f(tf.constant(2.0))) == 160.0
    assert float(f(tf.constant(1.0))) == 10.0


def test_all_methods_work_in_a_function() -> None:
    @tf.function
    def f(x: tf.Tensor) -> Any:
        tape = Tape(persistent=True)
        with tape:
            tape.watch(x)
            y = x * x
            with tape.stop_recording():
                z = y * 2.0
            tape.reset()
            tape.watch(x)
            w = x * x * x
        return tape.gradient(w, x), tape.jacobian(w, x), tape.batch_jacobian(w, x), z

    gradient, jacobian, batch, _ = f(tf.constant([[1.0], [2.0]]))
    assert gradient.numpy().ravel().tolist() == [3.0, 12.0]
    assert jacobian.numpy().ravel().tolist() == [3.0, 0.0, 0.0, 12.0]
    assert batch.numpy().ravel().tolist() == [3.0, 12.0]


def test_record_of_a_traced_tape_has_the_lines_inside() -> None:
    tapes = []

    @tf.function
    def f(x: tf.Tensor) -> Any:
        with Tape() as tape:
            tape.watch(x)
            y = tf.round(x)
            if tf.reduce_sum(x) > 0.0:
                y = tf.sin(y)
        tapes.append(tape)
        return tape.gradient(y, x)

    f(tf.constant([1.0]))
    record = tapes[0].record
    assert lines(record, "Round") == ["y = tf.round(x)"]
    assert lines(record, "Sin") == ["y = tf.sin(y)"]
    call = record.last_call
    assert call is not None
    assert call.traced
    assert [answer.state for answer in call.answers] == ["none"]
    assert record.position(call).text == "return tape.gradient(y, x)"
    assert [record.position(mark).text for mark in record.timeline if getattr(mark, "what", "") == "watch"] == [
        "tape.watch(x)"
    ]


def test_ops_before_the_tape_are_on_a_traced_record() -> None:
    tapes = []

    @tf.function
    def f(x: tf.Tensor) -> Any:
        h = tf.cos(x)
        with Tape() as tape:
            tape.watch(x)
            y = h * x
        tapes.append(tape)
        return tape.gradient(y, x)

    f(tf.constant(1.0))
    before = [event.op for event in tapes[0].record.events if event.kind == "before"]
    assert before == ["Cos"]


def test_steps_of_a_traced_tape_know_their_ops() -> None:
    tapes = []

    @tf.function
    def f(x: tf.Tensor) -> Any:
        with Tape() as tape:
            tape.watch(x)
            y = tf.sin(tf.round(x) + x) * x
        tapes.append(tape)
        return tape.gradient(y, [x, tf.constant(1.0)])

    f(tf.constant(1.0))
    record = tapes[0].record
    steps = record.last_call.steps
    assert [step.op for step in steps][:2] == ["Mul", "Sin"]
    assert [record.timeline[step.event].op for step in steps if step.event is not None] == [step.op for step in steps]
    assert len(steps) == 4


def test_traced_call_of_a_function_is_one_event_with_its_graph() -> None:
    @tf.function
    def inner(x: tf.Tensor) -> tf.Tensor:
        return tf.sin(x)

    x = tf.Variable(1.0)
    with Tape() as tape:
        y = inner(x * 2.0)
    tape.gradient(y, x)
    called = [event for event in tape.record.events if event.kind == "function"]
    assert len(called) == 1
    assert called[0].recorded
    assert [op.type for op in called[0].graph.get_operations() if op.type == "Sin"] == ["Sin"]
    assert tape.record.position(called[0]).text == "y = inner(x * 2.0)"


def test_function_call_that_no_tape_watches_is_not_recorded() -> None:
    @tf.function
    def inner(x: tf.Tensor) -> tf.Tensor:
        return tf.sin(x)

    with Tape() as tape:
        inner(tf.constant(1.0))
    called = [event for event in tape.record.events if event.kind == "function"]
    assert [event.recorded for event in called] == [False]


def test_tracing_beside_an_eager_tape_is_not_recorded() -> None:
    x = tf.Variable(1.0)
    with Tape() as tape:
        y = tf.function(lambda a: tf.sin(tf.cos(tf.tan(a))))(x)
    tape.gradient(y, x)
    assert [event.op for event in tape.record.events if event.op in ("Sin", "Cos", "Tan")] == []


def test_xla_and_vectorized_map_and_while_loop() -> None:
    def slope(x: tf.Tensor) -> Any:
        with Tape() as tape:
            tape.watch(x)
            y = tf.sin(x) * x
        return tape.gradient(y, x)

    expected = float(slope(tf.constant(2.0)))
    assert float(tf.function(slope, jit_compile=True)(tf.constant(2.0))) == pytest.approx(expected)
    assert tf.vectorized_map(slope, tf.constant([2.0, 2.0])).numpy().tolist() == pytest.approx([expected] * 2)
    looped = tf.function(lambda: tf.while_loop(lambda i, s: i < 2, lambda i, s: (i + 1, s + slope(s)), (0, 2.0)))()
    assert np.isfinite(float(looped[1]))


class TapedModel(keras.Model):
    """A model whose own train_step uses the given type of tape."""

    def __init__(self, tape_type: type) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.tape_type = tape_type

    def call(self, x: Any) -> Any:
        return self.dense(x)

    def train_step(self, data: Any) -> Any:
        x, y = data
        with self.tape_type() as tape:
            loss = tf.reduce_mean((self(x, training=True) - y) ** 2)
        found = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(found, self.trainable_variables, strict=True))
        return {"loss": loss}


@pytest.mark.parametrize("eagerly", [False, True])
def test_keras_train_step_learns_the_same(eagerly: bool) -> None:
    def weights(tape_type: type) -> list[Any]:
        keras.utils.set_random_seed(1)
        model = TapedModel(tape_type)
        model.compile(optimizer=keras.optimizers.SGD(0.1), run_eagerly=eagerly)
        x = np.random.rand(64, 3).astype("float32")
        model(x)
        first = model.get_weights()[0].copy()
        model.fit(x, x.sum(1, keepdims=True), epochs=2, batch_size=16, verbose=0)
        assert not np.allclose(first, model.get_weights()[0])
        return model.get_weights()

    for a, b in zip(weights(Tape), weights(tf.GradientTape), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    assert not _tensorflow.thread_state().op_callbacks


def test_layer_of_keras_is_in_the_scope_of_its_ops() -> None:
    model = keras.Sequential([keras.layers.Dense(2, name="first"), keras.layers.Dense(1, name="second")], name="net")
    x = tf.ones([1, 3])
    model(x)
    with Tape() as tape:
        y = model(x)
    tape.gradient(y, model.trainable_variables)
    scopes = {event.scope for event in tape.record.events if event.op == "MatMul"}
    assert any("first" in scope for scope in scopes)
    assert any("second" in scope for scope in scopes)
    assert set(lines(tape.record, "MatMul")) == {"y = model(x)"}


@pytest.mark.parametrize("traced", [False, True])
def test_replicas_each_have_their_tape(traced: bool) -> None:
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        w = tf.Variable(3.0)

    def step() -> Any:
        with Tape() as tape:
            y = w * w
        return tape.gradient(y, w)

    run = tf.function(strategy.run) if traced else strategy.run
    found = strategy.experimental_local_results(run(step))
    assert [float(g) for g in found] == [6.0, 6.0]
    assert not _tensorflow.thread_state().op_callbacks
    assert not _tensorflow.hooks_are_on()


def test_tape_around_replicas_gives_what_a_gradient_tape_gives() -> None:
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        w = tf.Variable(3.0)

    def run(tape_type: type) -> list[float]:
        with tape_type() as tape:
            y = strategy.reduce("sum", strategy.run(lambda: w * w), axis=None)
        found = tape.gradient(y, w.values)
        return [float(g) if g is not None else -1.0 for g in found]

    assert run(Tape) == run(tf.GradientTape)


def test_threads_have_records_of_their_own() -> None:
    found: dict[int, tuple[float, float, int]] = {}

    def work(k: int) -> None:
        v = tf.Variable(float(k))
        for _ in range(20):
            with Tape() as tape:
                y = tf.sin(v) * v + float(np.asarray(tf.constant(1.0)))
            g = tape.gradient(y, v)
            found[k] = float(g), float(np.sin(k) + k * np.cos(k)), len(tape.record.timeline)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for value, expected, _ in found.values():
        assert value == pytest.approx(expected, rel=1e-4)
    assert len({entries for *_, entries in found.values()}) == 1
    assert not _tensorflow.hooks_are_on()


def test_gradient_may_be_asked_on_another_thread() -> None:
    x = tf.Variable(3.0)
    with Tape() as tape:
        y = x * x
    answers: list[float] = []
    thread = threading.Thread(target=lambda: answers.append(float(tape.gradient(y, x))))
    thread.start()
    thread.join()
    assert answers == [6.0]
    assert not _tensorflow.hooks_are_on()


def test_error_in_a_function_does_not_name_our_frames() -> None:
    def text(tape_type: type) -> str:
        @tf.function
        def f(x: tf.Tensor) -> Any:
            with tape_type() as tape:
                tape.watch(x)
                y = tf.image.adjust_hue(x, 0.1)
            return tape.gradient(y, x)

        with pytest.raises(Exception, match="AdjustHue") as caught:
            f(tf.ones([2, 2, 3]))
        return str(caught.value)

    assert text(Tape) == text(tf.GradientTape)


def test_graph_of_tensorflow_one_works() -> None:
    with tf.Graph().as_default():
        x = tf.constant(3.0)
        with Tape() as tape:
            tape.watch(x)
            y = x * x
        slope = tape.gradient(y, x)
        with tf.compat.v1.Session() as session:
            assert session.run(slope) == 6.0
