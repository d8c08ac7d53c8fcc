"""A Tape changes nothing in TensorFlow that stays, and keeps nothing alive longer than it lives itself."""

import contextlib
import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tfgrad import _tensorflow
from tfgrad._tensorflow import private
from tfgrad.see.recording import listening
from tfgrad.see.tape import Tape


def is_clean() -> bool:
    """Whether TensorFlow is as if no Tape had ever been made on this thread."""
    memoryview(tf.constant([1.0]))
    return (
        not _tensorflow.hooks_are_on()
        and not _tensorflow.thread_state().op_callbacks
        and listening.here.listener is None
        and listening.here.backward is None
    )


@pytest.fixture(autouse=True)
def _clean_before_and_after() -> Iterator[None]:
    gc.collect()
    assert is_clean()
    yield
    gc.collect()
    assert is_clean()


def test_nothing_is_left_after_gradient() -> None:
    x = tf.Variable(2.0)
    with Tape() as tape:
        y = x * x
        assert _tensorflow.hooks_are_on()
    tape.gradient(y, x)
    assert is_clean()


def test_nothing_is_left_after_an_exception_in_the_block() -> None:
    def program() -> None:
        with Tape() as tape:
            tape.watch(tf.constant(1.0))
            raise KeyError("the user's own")

    with pytest.raises(KeyError) as caught:
        program()
    caught.value.__traceback__ = None
    del caught
    gc.collect()
    assert is_clean()


def test_nothing_is_left_after_an_exception_in_gradient() -> None:
    x = tf.Variable(tf.ones([2, 2, 3]))
    with Tape() as tape:
        y = tf.image.adjust_hue(x, 0.1)
    with pytest.raises(LookupError):
        tape.gradient(y, x)
    assert is_clean()


def test_nothing_is_left_after_del() -> None:
    x = tf.Variable(2.0)
    with Tape() as tape:
        assert float(x * x) == 4.0
    assert not is_clean()
    del tape
    assert is_clean()


def test_nothing_is_left_where_a_block_is_never_left() -> None:
    def forever() -> Iterator[None]:
        with Tape() as tape:
            tape.watch(tf.constant(1.0))
            yield
            yield

    steps = forever()
    next(steps)
    steps.close()
    del steps
    assert is_clean()


def test_nothing_is_left_of_a_persistent_tape_that_lives_on() -> None:
    x = tf.Variable(2.0)
    with Tape(persistent=True) as tape:
        y = x * x
    tape.gradient(y, x)
    assert is_clean()
    assert float(tape.gradient(y, x)) == 4.0
    assert is_clean()


def test_nothing_is_left_after_a_tape_died_in_another_thread() -> None:
    tapes = []

    def work() -> None:
        x = tf.Variable(2.0)
        tape = Tape(persistent=True)
        with tape:
            assert float(x * x) == 4.0
        tapes.append(tape)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert _tensorflow.hooks_are_on()
    tapes.clear()
    assert not _tensorflow.hooks_are_on()


def test_listening_ends_some_time_after_the_block() -> None:
    x = tf.Variable(2.0)
    with Tape() as tape:
        y = x * x
    for _ in range(listening.PATIENCE + 10):
        tf.identity(1.0)
    assert is_clean()
    assert len(tape.record.timeline) <= listening.PATIENCE + 10
    assert float(tape.gradient(y, x)) == 4.0


def test_a_tape_that_dies_while_nothing_is_noticed_is_not_heard_again() -> None:
    tape = Tape()
    with tape:
        tf.sin(1.0)
    with _tensorflow.unnoticed():
        del tape
    assert is_clean()


def test_user_callbacks_keep_working_beside_a_tape() -> None:
    heard: list[Any] = []
    from tensorflow.python.framework import op_callbacks

    def callback(op_type: Any, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None) -> None:
        heard.append(op_type)

    x = tf.Variable(2.0)
    op_callbacks.add_op_callback(callback)
    try:
        with Tape() as tape:
            y = tf.sin(x * x)
        tape.gradient(y, x)
        tf.cos(1.0)
        assert list(_tensorflow.thread_state().op_callbacks) == [callback]
    finally:
        op_callbacks.remove_op_callback(callback)
    assert "Sin" in heard
    assert "Cos" in heard


def test_check_numerics_works_beside_a_tape() -> None:
    tf.debugging.enable_check_numerics()
    try:

        @tf.function
        def f(x: tf.Tensor) -> Any:
            with Tape() as tape:
                tape.watch(x)
                y = tf.sin(x) * x
            return tape.gradient(y, x)

        assert np.isfinite(float(f(tf.constant(2.0))))
    finally:
        tf.debugging.disable_check_numerics()


def test_tape_is_freed_without_the_garbage_collector() -> None:
    x = tf.Variable(2.0)
    gc.disable()
    try:
        with Tape() as tape:
            y = tf.sin(x) * x
        tape.gradient(y, x)
        alive = weakref.ref(tape)
        del tape
        assert alive() is None
    finally:
        gc.enable()


def simple(tape_type: type) -> None:
    x = tf.Variable(2.0)
    c = tf.constant(3.0)
    with tape_type() as tape:
        tape.watch(c)
        y = tf.sin(x * c) * float(x) + np.float32(1.0)
    tape.gradient(y, [x, c])


def persistent(tape_type: type) -> None:
    x = tf.constant([1.0, 2.0])
    with tape_type(persistent=True) as tape:
        tape.watch(x)
        y = tf.reduce_sum(x * x)
        tape.gradient(y, x)
        tape.reset()
        z = x * 2.0
    tape.gradient(z, x)


def nested(tape_type: type) -> None:
    x = tf.Variable(2.0)
    with tape_type() as outer, tape_type() as inner:
        y = x**3
    dy = inner.gradient(y, x)
    outer.gradient(dy, x)


def not_finite(tape_type: type) -> None:
    x = tf.Variable(0.0)
    with tape_type() as tape:
        y = tf.sqrt(x)
    tape.gradient(y, x)


def failing(tape_type: type) -> None:
    x = tf.Variable(tf.ones([2, 2, 3]))
    with tape_type() as tape:
        y = tf.image.adjust_hue(x, 0.1)
    with contextlib.suppress(LookupError):
        tape.gradient(y, x)


def never_asked(tape_type: type) -> None:
    x = tf.Variable(2.0)
    with tape_type():
        tf.sin(x)


def keeping_values(tape_type: type) -> None:
    x = tf.Variable(2.0)
    with tape_type(record_values=True) if tape_type is Tape else tape_type() as tape:
        y = tf.sin(x)
    tape.gradient(y, x)


def reading_record(tape_type: type) -> None:
    x = tf.Variable(2.0)
    with tape_type() as tape:
        y = tf.round(x) * x
    tape.gradient(y, x)
    if tape_type is Tape:
        assert len(list(tape.record.events)) > 0


PROGRAMS = (simple, persistent, nested, not_finite, failing, never_asked, keeping_values, reading_record)


def alive() -> dict[str, int]:
    """How many objects of each type the garbage collector knows, and how many tensors there are."""
    gc.collect()
    found: dict[str, int] = {}
    for thing in gc.get_objects():
        name = type(thing).__name__
        found[name] = found.get(name, 0) + 1
    return found


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_no_object_is_alive_after_the_tape(program: Callable[[type], None]) -> None:
    def run() -> None:
        for _ in range(5):
            program(Tape)

    run()
    before = alive()
    run()
    after = alive()
    grown = {name: after[name] - before.get(name, 0) for name in after if after[name] > before.get(name, 0)}
    for harmless in ("dict", "list", "tuple", "set", "cell"):
        grown.pop(harmless, None) if grown.get(harmless, 0) <= 3 else None
    assert grown == {}


PROGRAM_WITH_A_CELL = """
import gc, weakref
import numpy as np, tensorflow as tf
from tfgrad.see.tape import Tape
CELL = '''
def once():
    x = tf.constant(0.0)
    with Tape(record_values=True) as tape:
        tape.watch(x)
        y = tf.sqrt(x) * float(x) * np.float32(2.0)
    tape.gradient(y, x)
    tape.record
'''
def run():
    names = {'tf': tf, 'np': np, 'Tape': Tape}
    exec(compile(CELL, '<cell>', 'exec'), names)
    names['once']()
    return weakref.ref(names['once'].__code__)
run()
held = run()
gc.collect()
assert held() is None
"""


@pytest.mark.skipif(tf.__version__.startswith("2.16."), reason="TensorFlow 2.16's own tape holds on to the code")
def test_no_code_object_is_held_after_the_tape() -> None:
    # Not within pytest, and with no Variable made in the cell: there TensorFlow itself holds on to the code.
    subprocess.run([sys.executable, "-c", PROGRAM_WITH_A_CELL], check=True, capture_output=True, timeout=120)


def test_no_tensor_is_kept_by_default() -> None:
    x = tf.Variable(tf.ones([50]))
    with Tape() as tape:
        y = x * 2.0
        hidden = x + 1.0
        kept = weakref.ref(hidden)
        del hidden
        assert kept() is None
        z = tf.reduce_sum(y)
    found = tape.gradient(z, x)
    gradient = weakref.ref(found)
    del found, y, z
    assert gradient() is None


def test_values_are_kept_if_wanted() -> None:
    x = tf.Variable(2.0)
    with Tape(record_values=True) as tape:
        y = tf.exp(x) * 2.0
    tape.gradient(y, x)
    record = tape.record
    made = [event.outputs[0] for event in record.events if event.op == "Exp"]
    assert float(record.value(made[0])) == pytest.approx(np.exp(2.0))


def test_frames_of_the_user_are_not_kept() -> None:
    class Marker:
        pass

    def program() -> tuple[Tape, weakref.ref[Marker]]:
        marker = Marker()
        x = tf.Variable(2.0)
        with Tape() as tape:
            y = x * float(x)
        tape.gradient(y, x)
        return tape, weakref.ref(marker)

    tape, marker = program()
    assert marker() is None
    assert tape.record.last_call is not None


def test_notes_are_bounded_where_nothing_is_watched() -> None:
    with Tape(watch_accessed_variables=False) as tape:
        x = tf.constant(1.0)
        for _ in range(3 * listening.ROOM):
            x = tf.negative(x)
    assert tape._notes is not None
    assert len(tape._notes.log) <= listening.ROOM + 10
    assert len(tape._notes.specs) <= 2 * listening.ROOM + 100
    assert tape.record.lost > 0


def test_notes_of_what_is_watched_are_kept_when_others_are_dropped() -> None:
    w = tf.Variable(1.0)
    with Tape() as tape:
        y = w * 2.0
        x = tf.constant(1.0)
        for _ in range(2 * listening.ROOM):
            x = tf.negative(x)
        z = y * x
    assert float(tape.gradient(z, w)) == 2.0
    ops = [event.op for event in tape.record.events if event.op != "Neg"]
    assert ops == ["ReadVariableOp", "Mul", "Mul"]


def test_training_loop_with_overlapping_tapes_stays_small() -> None:
    w = tf.Variable(1.0)
    tapes: list[Tape] = []
    for _ in range(1500):
        with Tape() as tape:
            tf.sin(w) * 2.0
        tapes[:] = [tape]
    notes = tapes[0]._notes
    assert notes is not None
    assert len(notes.log) < 2 * listening.PATIENCE + 100
    assert len(notes.tapes) < 1000


def test_code_of_a_hundred_tapes_leaves_the_type_of_tensors_alone() -> None:
    base = private.TENSOR_BASE
    before = dict(base.__dict__)
    x = tf.Variable(1.0)
    for _ in range(100):
        with Tape() as tape:
            y = x * float(x)
        tape.gradient(y, x)
    assert all(base.__dict__[name] is value for name, value in before.items())


def test_a_tape_left_by_an_exception_and_kept_does_not_spoil_later_ones() -> None:
    w = tf.Variable([1.0, 2.0])
    kept = Tape()
    with contextlib.suppress(ValueError), kept:
        tf.reduce_sum(w * w)
        raise ValueError("as a notebook keeps it, with the traceback")
    for step in range(400):
        with Tape() as tape:
            loss = tf.reduce_sum(w**2)
        tape.gradient(loss, w)
        if step % 40 == 0:
            assert tape.explain().ok
    assert len(tape.record.timeline) < 100
    assert kept.record.events
