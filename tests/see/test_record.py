"""The Record says what ran, in order: events, marks, reads, and the backward passes."""

import gc
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgrad import _tensorflow
from tfgrad.errors import GradError, GradientProblem, GradientWarning
from tfgrad.see.record import Event, Mark, Read, Record
from tfgrad.see.recording import backward, complaints, trial
from tfgrad.see.recording.asking import asked
from tfgrad.see.tape import Tape


@pytest.fixture(autouse=True)
def _no_tape_of_an_earlier_test_listens() -> None:
    gc.collect()


def story(record: Record) -> list[str]:
    """The time line in words."""
    words = []
    for entry in record.timeline:
        if isinstance(entry, Event):
            words.append(entry.op)
        elif isinstance(entry, Mark):
            words.append(f"<{entry.what} {entry.why}>".replace(" >", ">"))
        else:
            words.append(f"[{entry.how}]")
    return words


def test_timeline_is_in_order_and_numbered() -> None:
    x = tf.Variable(2.0)
    c = tf.constant(3.0)
    with Tape() as tape:
        tape.watch(c)
        y = tf.sin(x) * c
        float(y)
    tape.gradient(y, x)
    record = tape.record
    assert story(record) == [
        *("<on with>", "<watch>", "ReadVariableOp", "Sin", "Mul", "[__float__]", "<off with>"),
        *("<call gradient>", "<return gradient>"),
    ]
    assert [entry.n for entry in record.timeline] == list(range(len(record.timeline)))


def test_events_are_joined_by_ids() -> None:
    x = tf.Variable(2.0)
    with Tape() as tape:
        y = tf.sin(x)
        z = y * y
    record = tape.record
    read, sin, mul = record.events
    assert (read.kind, sin.kind) == ("variable", "op")
    assert sin.inputs == read.outputs
    assert mul.inputs == sin.outputs * 2
    assert record.producers[sin.outputs[0]] == sin.n
    assert record.users[sin.outputs[0]] == (mul.n,)
    assert read.inputs == asked(x)[0].ids
    assert mul.outputs == asked(z)[0].ids
    assert (record.dtype(sin.outputs[0]), record.shape(sin.outputs[0])) == (tf.float32, ())


def test_event_names_its_expression() -> None:
    x = tf.Variable(2.0)
    with Tape() as tape:
        tf.sin(x) * tf.cos(x)
    positions = {event.op: tape.record.position(event) for event in tape.record.events}
    assert positions["Mul"].text == "tf.sin(x) * tf.cos(x)"
    if positions["Mul"].column is not None:
        assert positions["Sin"].expression == "tf.sin(x)"
        assert positions["Cos"].expression == "tf.cos(x)"


def test_hidden_variable_reads_are_events() -> None:
    w = tf.Variable(tf.ones([2, 2]))
    with Tape() as tape:
        tf.square(w)
        tf.raw_ops.MatMul(a=tf.ones([1, 2]), b=w)
    reads = [event for event in tape.record.events if event.op == "ReadVariableOp"]
    assert [event.kind for event in reads] == ["variable", "variable"]
    leaf = tape.record.leaves[reads[0].inputs[0]]
    assert leaf.kind == "variable"


def test_leaves_say_what_they_were_made_of() -> None:
    array = np.array([1.0, 2.0], "float32")
    x = tf.constant([3.0, 4.0])
    with Tape() as tape:
        tape.watch(x)
        y = x * array + 5.0
        z = y + tf.constant([6.0, 7.0])
        z - tf.convert_to_tensor(np.float32(8.0))
    kinds = {leaf.kind: leaf for leaf in tape.record.leaves.values()}
    assert kinds["ndarray"].value is array
    assert kinds["list"].value == (6.0, 7.0)
    assert {leaf.value for leaf in tape.record.leaves.values() if leaf.kind == "scalar"} == {5.0, 8.0}
    assert tape.record.position(kinds["ndarray"]).text == "y = x * array + 5.0"


@pytest.mark.parametrize(
    ("read", "how"),
    [
        (lambda x: float(x[0]), "__float__"),
        (lambda x: x.numpy(), "numpy"),
        (lambda x: np.mean(x), "__array__"),
        (lambda x: np.sin(x), "__array__"),
        (lambda x: int(x[0]), "__int__"),
        (lambda x: bool(x[0] > 0), "__bool__"),
        (lambda x: np.asarray(x), "__array__"),
        (lambda x: keras.ops.convert_to_numpy(x), "__array__"),
    ],
)
def test_reads_are_noted_at_the_users_line(read: Any, how: str) -> None:
    x = tf.constant([1.0, 2.0])
    with Tape() as tape:
        read(x)
    found = list(tape.record.reads)
    assert [entry.how for entry in found] == [how]
    assert "read" in tape.record.position(found[0]).function or "lambda" in tape.record.position(found[0]).function


def test_printing_and_tensorflows_own_reads_are_not_noted() -> None:
    x = tf.constant([[1.0, 2.0]])
    with Tape() as tape:
        assert str(x)
        assert repr(x)
        assert f"{x[0, 0]}"
        tf.reduce_sum(x, axis=tf.constant(0))
        tf.reshape(x, tf.constant([2, 1]))
        tf.transpose(x, tf.constant([1, 0]))
    assert list(tape.record.reads) == []


def test_branch_is_a_read_of_its_own_kind() -> None:
    x = tf.constant(1.0)
    with Tape() as tape:
        tf.cond(x > 0.0, lambda: x, lambda: -x)
    assert [entry.how for entry in tape.record.reads] == ["branch"]


def test_read_gives_the_array_while_it_lives() -> None:
    x = tf.constant([1.0, 2.0])
    with Tape() as tape:
        array = np.asarray(x)
    read = next(tape.record.reads)
    assert read.result is array
    assert read.id == x._id


def test_marks_say_why() -> None:
    x = tf.Variable(2.0)
    with Tape() as tape:
        with tape.stop_recording():
            tf.sin(x)
        tape.reset()
        y = x * x
        tape.gradient(y, x)
    assert [word for word in story(tape.record) if word.startswith("<")] == [
        *("<on with>", "<off stop_recording>", "<on stop_recording>", "<off reset>", "<on reset>"),
        *("<call gradient>", "<off gradient>", "<return gradient>"),
    ]


def test_what_ran_after_the_block_is_on_the_record() -> None:
    x = tf.Variable(2.0)
    with Tape() as tape:
        y = x * x
    z = tf.sin(y)
    tape.gradient(z, x)
    words = story(tape.record)
    assert words.index("Sin") > words.index("<off with>")


def test_stopped_is_true_under_any_stop() -> None:
    x = tf.Variable(2.0)
    with Tape() as tape:
        tf.sin(x)
        tf.stop_gradient(x)
    stopped = {event.op: event.stopped for event in tape.record.events if event.kind == "op"}
    assert stopped == {"Sin": False, "StopGradient": True}


def test_custom_gradient_supersedes_its_inner_ops() -> None:
    @tf.custom_gradient
    def f(x: tf.Tensor) -> Any:
        return tf.sin(x), lambda upstream: upstream

    x = tf.Variable(2.0)
    with Tape() as tape:
        y = f(x * 1.0)
    tape.gradient(y, x)
    custom = next(event for event in tape.record.events if event.kind == "custom")
    superseded = [event for event in tape.record.events if event.superseded_by == custom.n]
    assert custom.recorded
    assert len(superseded) == 1
    assert tape.record.producers[custom.outputs[0]] == custom.n


def test_answers_say_their_state() -> None:
    x, unused, zero = tf.Variable([0.0, 1.0]), tf.Variable(1.0), tf.Variable(3.0)
    with Tape() as tape:
        y = tf.reduce_sum(tf.sqrt(x)) + zero * 0.0
    tape.gradient(y, [x, unused, zero])
    call = tape.record.last_call
    assert [answer.state for answer in call.answers] == ["nonfinite", "none", "zero"]
    assert [leaf.kind for leaf in call.sources] == ["variable"] * 3
    assert [leaf.path for leaf in call.sources] == ["[0]", "[1]", "[2]"]
    assert np.isinf(call.answers[0].value.numpy()).tolist() == [True, False]


def test_answer_next_to_nothing_counts_as_zero() -> None:
    x = tf.Variable([[2.0]])
    with Tape() as tape:
        y = 1e-9 * x + tf.stop_gradient(x)
    tape.gradient(y, x)
    assert tape.record.last_call.answers[0].state == "zero"


def test_steps_are_let_go_where_all_is_fine() -> None:
    x = tf.Variable(2.0)
    with Tape() as tape:
        y = tf.sin(x)
    tape.gradient(y, x)
    call = tape.record.last_call
    assert (call.steps, call.released) == ((), True)
    assert call.answers[0].state == "ok"


def test_steps_are_kept_with_values_where_something_is_wrong() -> None:
    x = tf.Variable(0.0)
    with Tape() as tape:
        y = tf.sqrt(x * 2.0)
    tape.gradient(y, x)
    record = tape.record
    steps = record.last_call.steps
    assert [step.op for step in steps] == ["Sqrt", "Mul", "ReadVariableOp"]
    assert [record.timeline[step.event].op for step in steps[:2]] == ["Sqrt", "Mul"]
    assert [found.state for found in steps[0].upstream_measures] == ["ok"]
    assert [found.state for found in steps[0].downstream_measures] == ["nonfinite"]
    assert float(record.value(steps[0].upstream[0]._id)) == 1.0


def test_step_of_a_function_has_values_of_captured_variables_at_that_time() -> None:
    w = tf.Variable(0.0)
    f = tf.function(lambda x: tf.sqrt(w) * x)
    f(tf.constant(1.0))
    with Tape() as tape:
        y = f(tf.constant(2.0))
    tape.gradient(y, w)
    w.assign(5.0)
    step = tape.record.last_call.steps[0]
    assert tape.record.timeline[step.event].kind == "function"
    assert [float(value) for value in step.captured.values()] == [0.0]
    assert len(step.inputs) == len(tape.record.timeline[step.event].inputs)


def test_steps_beyond_the_budget_keep_their_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backward, "BUDGET", 1000)
    x = tf.Variable(tf.zeros([600]))
    with Tape() as tape:
        y = x
        for _ in range(6):
            y = y * 2.0
        z = tf.reduce_sum(tf.sin(tf.sqrt(y) + 1.0))
    tape.gradient(z, x)
    steps = tape.record.last_call.steps
    kept = [step.op for step in steps if step.kept]
    assert "Sqrt" in kept
    assert len(kept) < len(steps)
    settled = next(step for step in steps if not step.kept)
    assert settled.downstream_measures[0] is not None
    assert settled.event is not None


def test_failure_names_the_op_whose_turn_it_was() -> None:
    x = tf.Variable(tf.ones([2, 2, 3]))
    with Tape() as tape:
        y = tf.image.adjust_hue(x, 0.1) * 2.0
    with pytest.raises(LookupError):
        tape.gradient(y, x)
    failure = tape.record.last_call.failure
    assert (failure.type, failure.op) == ("LookupError", "AdjustHue")
    assert tape.record.position(tape.record.timeline[failure.event]).text == "y = tf.image.adjust_hue(x, 0.1) * 2.0"


def test_failure_in_a_jacobian_names_the_op_too() -> None:
    x = tf.Variable(tf.ones([2, 2, 3]))
    with Tape() as tape:
        y = tf.image.adjust_hue(x, 0.1)
    # TensorFlow's vectorization puts an error of its own in the place of the LookupError.
    with pytest.raises(Exception, match="AdjustHue"):
        tape.jacobian(y, x)
    failure = tape.record.last_call.failure
    assert (failure.type, failure.op) == ("LookupError", "AdjustHue")


def test_second_call_on_a_used_tape_names_the_first() -> None:
    x = tf.Variable(2.0)
    with Tape() as tape:
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError):
        tape.gradient(y, x)
    first, second = tape.record.calls
    assert second.after == first.number
    assert second.failure is not None


def test_failure_in_a_custom_gradient_has_the_users_lines() -> None:
    @tf.custom_gradient
    def f(x: tf.Tensor) -> Any:
        def backward(upstream: tf.Tensor) -> tf.Tensor:
            raise ValueError("mine")

        return x * 1.0, backward

    x = tf.Variable(2.0)
    with Tape() as tape:
        y = f(x + 0.0)
    with pytest.raises(ValueError, match="mine"):
        tape.gradient(y, x)
    failure = tape.record.last_call.failure
    assert failure.trail[-1].text == 'raise ValueError("mine")'
    assert tape.record.timeline[failure.event].kind == "custom"


@pytest.mark.parametrize(
    ("leaf", "kind", "about"),
    [
        (None, "none", "None"),
        (2.5, "number", "float 2.5"),
        (np.ones([2], "float32"), "ndarray", "NumPy float32[2]"),
        ("w", "other", "str 'w'"),
        (keras.Input([3]), "keras-tensor", "KerasTensor"),
    ],
)
def test_what_is_no_tensor_is_described(leaf: Any, kind: str, about: str) -> None:
    found = asked(leaf)
    assert [(a.kind, a.ids, a.about) for a in found] == [(kind, (), about)]


def test_nest_is_described_leaf_by_leaf() -> None:
    ragged = tf.ragged.constant([[1.0], [2.0, 3.0]])
    v = keras.Variable([1.0], name="kernel")
    found = asked({"b": [ragged], "a": v})
    assert [(a.kind, a.path) for a in found] == [("keras-variable", "['a']"), ("composite", "['b'][0]")]
    assert found[0].name == v.path
    assert len(found[1].ids) == 2


def test_tape_entered_again_keeps_one_record() -> None:
    x = tf.Variable(2.0)
    tape = Tape(persistent=True)
    with tape:
        y = tf.sin(x)
    tape.gradient(y, x)
    with Tape() as other:
        tf.cos(x)
        with tape:
            z = tf.tan(y)
    del other
    tape.gradient(z, x)
    ops = [event.op for event in tape.record.events if event.op != "ReadVariableOp"]
    assert ops == ["Sin", "Cos", "Tan"]
    assert len([call for call in tape.record.calls if call.tape == tape.record.tape]) == 2


def test_nested_tapes_share_the_timeline_and_mark_backward_ops() -> None:
    x = tf.Variable(2.0)
    with Tape() as outer:
        with Tape() as inner:
            y = x**3
        dy = inner.gradient(y, x)
    outer.gradient(dy, x)
    record = outer.record
    number = next(call.number for call in record.calls if call.tape != record.tape)
    assert {event.call for event in record.events} == {None, number}
    assert asked(dy)[0].ids[0] in record.producers


def test_variables_watched_are_known_after_the_tape_is_used_up() -> None:
    a, b = tf.Variable(1.0), tf.Variable(2.0, trainable=False)
    with Tape() as tape:
        y = a * b
    tape.gradient(y, a)
    state = tape.record.tapes[tape.record.tape]
    assert list(state.watched.values()) == [a] or [v is a for v in state.watched.values()] == [True]
    assert state.entered
    assert state.first_id is not None


def test_record_of_a_tape_never_entered_is_empty() -> None:
    tape = Tape()
    assert tape.record.timeline == ()
    assert not tape.record.tapes[tape.record.tape].entered


def test_record_is_read_while_recording() -> None:
    x = tf.Variable(2.0)
    with Tape() as tape:
        tf.sin(x)
        assert len(list(tape.record.events)) == 2
        tf.cos(x)
    assert len(list(tape.record.events)) == 4


def lost(**wishes: str) -> Tape:
    x = tf.Variable(2.0, name="w")
    with Tape(**wishes) as tape:
        y = tf.round(x)
    tape.gradient(y, x)
    return tape


def thrice(**wishes: str) -> None:
    for _ in range(3):
        lost(**wishes)


def test_none_raises_if_wanted() -> None:
    with pytest.raises(GradientProblem, match="w"):
        lost(on_none="raise")


def test_none_warns_once_for_each_line_and_leaf() -> None:
    complaints._said.clear()
    with pytest.warns(GradientWarning) as caught:
        thrice(on_none="warn")
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_none_is_no_problem_where_zeros_are_wanted() -> None:
    x, unused = tf.Variable(2.0), tf.Variable(3.0)
    with Tape(on_none="raise") as tape:
        y = x * x
    found = tape.gradient(y, [x, unused], unconnected_gradients="zero")
    assert [float(g) for g in found] == [4.0, 0.0]


def test_nonfinite_raises_if_wanted_and_names_only_that_leaf() -> None:
    x, fine = tf.Variable(0.0, name="singular"), tf.Variable(3.0, name="harmless")
    with Tape(on_nonfinite="raise") as tape:
        y = tf.sqrt(x) + fine
    with pytest.raises(GradientProblem) as caught:
        tape.gradient(y, [x, fine])
    assert "singular" in str(caught.value)
    assert "harmless" not in str(caught.value)


def test_none_raises_while_a_function_is_traced() -> None:
    @tf.function
    def f(x: tf.Tensor) -> Any:
        with Tape(on_none="raise", on_nonfinite="raise") as tape:
            tape.watch(x)
            y = tf.round(x)
        return tape.gradient(y, x)

    with pytest.raises(GradientProblem):
        f(tf.constant(1.0))


def test_unknown_wish_is_refused() -> None:
    with pytest.raises(GradError, match="on_none='shout'"):
        Tape(on_none="shout")


def test_errors_of_tensorflow_carry_a_note_and_their_own_text() -> None:
    x = tf.Variable(tf.ones([2, 2, 3]))
    with Tape() as tape:
        y = tf.image.adjust_hue(x, 0.1)
    with pytest.raises(LookupError) as caught:
        tape.gradient(y, x)
    assert str(caught.value) == "gradient registry has no entry for: AdjustHue"
    assert "adjust_hue" in "\n".join(caught.value.__notes__)


def test_tape_without_hooks_is_a_plain_tape_that_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_tested", "TensorFlow 9.9 is different inside")
    monkeypatch.setattr(trial, "_told", False)
    x = tf.Variable(3.0)
    tape = Tape(persistent=True)
    with pytest.warns(GradientWarning, match="9.9") as caught, tape:
        y = x * x
    with tape:
        z = y * x
    assert float(tape.gradient(z, x)) == 27.0
    assert len(caught) == 1
    assert "9.9" in tape.record.blind
    assert list(tape.record.events) == []


def test_trouble_in_a_hook_never_reaches_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    from tfgrad.see.recording import leaving

    def broken(*_: object) -> None:
        raise OSError("inside a hook")

    monkeypatch.setattr(leaving, "argument", broken)
    x = tf.Variable(3.0)
    with Tape() as tape:
        y = tf.square(x) * 2.0
    assert float(tape.gradient(y, x)) == 12.0
    assert "inside a hook" in tape.record.blind
    assert not _tensorflow.hooks_are_on()


def test_reads_inside_the_backward_pass_are_of_that_call() -> None:
    @tf.custom_gradient
    def f(x: tf.Tensor) -> Any:
        return x * 1.0, lambda upstream: upstream * float(upstream)

    x = tf.Variable(2.0)
    with Tape() as tape:
        y = f(x + 0.0)
    tape.gradient(y, x)
    record = tape.record
    assert [(type(r), r.call) for r in record.reads] == [(Read, record.last_call.number)]
