"""What is private in TensorFlow works as `_tensorflow` believes, and is left as it was."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf

from tfgrad import _tensorflow
from tfgrad._tensorflow import private
from tfgrad.see.recording import trial
from tfgrad.see.recording.listening import SENSORS


def test_self_test_finds_nothing_wrong() -> None:
    assert trial.self_test() == ""


def test_self_test_works_where_recording_is_stopped() -> None:
    with tf.GradientTape() as tape, tape.stop_recording():
        assert trial.self_test() == ""


def test_self_test_works_while_a_function_is_traced() -> None:
    seen = []

    @tf.function(autograph=False)
    def f():
        seen.append(trial.self_test())
        return tf.constant(1.0)

    f()
    assert seen == [""]


def test_self_test_leaves_no_trace() -> None:
    before = list(_tensorflow.thread_state().op_callbacks)
    trial.self_test()
    assert _tensorflow.thread_state().op_callbacks == before
    assert not _tensorflow.hooks_are_on()
    assert memoryview(tf.constant([1.0])).nbytes == 4


def test_self_test_says_what_has_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    before = changed_things()
    monkeypatch.delattr(private.backprop, "_gradient_function")
    assert "_gradient_function" in trial.self_test()
    assert changed_things() == before


def changed_things() -> list[object]:
    base = private.TENSOR_BASE
    return [
        base.__dict__["_numpy"].__code__,
        base.__dict__["__array__"].__code__,
        base.__dict__["__array__"].__defaults__,
        private.record.record_operation,
        private.execute.record_gradient,
        private.execute.execute,
        private.constant_op.convert_to_eager_tensor,
    ]


def test_hooks_are_counted_and_undone() -> None:
    before = changed_things()
    _tensorflow.hooks_on(SENSORS)
    _tensorflow.hooks_on(SENSORS)
    _tensorflow.hooks_off()
    assert _tensorflow.hooks_are_on()
    assert changed_things() != before
    _tensorflow.hooks_off()
    assert not _tensorflow.hooks_are_on()
    assert changed_things() == before


def test_arrays_are_the_same_without_the_buffer_protocol() -> None:
    tensors = [tf.constant(2.5), tf.constant([[1.0, 2.0]]), tf.constant([True]), tf.constant([b"a"]), tf.zeros([0, 3])]
    before = [np.asarray(t) for t in tensors]
    _tensorflow.hooks_on(SENSORS)
    _tensorflow.buffer_off()
    try:
        after = [np.asarray(t) for t in tensors]
        as_double = np.asarray(tensors[1], dtype="float64")
        total = np.add(tensors[1], 1.0)
    finally:
        _tensorflow.buffer_on()
        _tensorflow.hooks_off()
    for a, b in zip(before, after, strict=True):
        assert type(b) is np.ndarray
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert np.array_equal(a, b)
    assert as_double.dtype == np.float64
    assert total.tolist() == [[2.0, 3.0]]


def test_environment_switches_numpy_reads_off() -> None:
    program = """
import numpy as np, tensorflow as tf
from tfgrad.see.tape import Tape
x = tf.constant([1.0])
with Tape() as tape:
    assert memoryview(x).nbytes == 4
    np.sin(x)
    float(x[0])
assert [read.how for read in tape.record.reads] == ["__float__"]
"""
    environment = os.environ | {"TFGRAD_NUMPY_READS": "0"}
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=120, env=environment)


def test_hooks_from_many_threads_end_off() -> None:
    def work() -> None:
        for _ in range(200):
            _tensorflow.hooks_on(SENSORS)
            _tensorflow.buffer_off()
            _tensorflow.buffer_on()
            _tensorflow.hooks_off()

    before = changed_things()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert changed_things() == before


def test_unnoticed_ops_are_on_no_tape() -> None:
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        with _tensorflow.unnoticed():
            y = x * x
        z = y + x
    assert float(tape.gradient(z, x)) == 1.0


def test_devices_can_still_be_configured_after_a_tape_was_made() -> None:
    program = """
import tensorflow as tf
import tfgrad.see.tape
from tfgrad import _tensorflow
tape = tfgrad.see.tape.Tape()
assert not _tensorflow.is_context_ready()
with tfgrad.see.tape.Tape():
    pass
assert not _tensorflow.is_context_ready()
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
x = tf.Variable(3.0)
with tape:
    y = x * x
assert float(tape.gradient(y, x)) == 6.0
assert len(tf.config.list_logical_devices("CPU")) == 2
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=120)


def test_names_of_arguments_come_from_the_op() -> None:
    assert _tensorflow.argument_names("MatMul") == [("a", False), ("b", False)]
    assert _tensorflow.argument_names("ConcatV2") == [("values", True), ("axis", False)]
    assert _tensorflow.argument_names("NoSuchOp") is None
