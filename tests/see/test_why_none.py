"""Why a gradient is None: the cause and the line of many small programs, and what the explanation says."""

import contextlib
import importlib
import inspect
import pkgutil

import cases
import keras
import pytest
import tensorflow as tf

from tfgrad import Tape
from tfgrad.see.explanation import Explanation


def programs():
    found = []
    for module in sorted(m.name for m in pkgutil.iter_modules(cases.__path__) if m.name.startswith("none_")):
        for function in vars(importlib.import_module(f"{cases.__name__}.{module}")).values():
            if inspect.isfunction(function) and not function.__name__.startswith("_"):
                found.append(pytest.param(function, id=f"{module}.{function.__name__}"))
    return found


def asked(answer) -> Explanation:
    if not isinstance(answer, tuple):
        return answer
    tape, target, source = answer
    with contextlib.suppress(Exception):
        tape.gradient(target, source)
    return tape.explain(target, source)


@pytest.mark.parametrize("program", programs())
def test_the_cause_and_the_line_of_a_program_are_told(program):
    symptom, cause = program.__doc__.split(": ")
    lines, first = inspect.getsourcelines(program)
    here = [first + i for i, line in enumerate(lines) if line.rstrip().endswith("# HERE")]
    found = asked(program(Tape))
    assert (found.symptom, found.cause) == (symptom, cause), str(found)
    if here:
        assert found.where is not None
        assert found.where.line in here, str(found)


def why(tape, target, source):
    tape.gradient(target, source)
    return tape.explain(target, source)


def test_the_way_is_told_in_the_users_own_names():
    weights = tf.Variable([1.2, 2.7], name="weights")
    with Tape() as tape:
        hidden = tf.tanh(weights)
        scaled = hidden * 8.0
        rounded = tf.round(scaled)
        loss = tf.reduce_sum(rounded)
    text = " ".join(str(why(tape, loss, weights)).split())
    assert "weights -> hidden = Tanh" in text
    assert "-> scaled = Mul" in text
    assert "-> rounded = Round" in text


def test_the_first_cut_from_the_source_counts_and_the_rest_are_listed():
    x = tf.Variable([1.2, 2.7])
    with Tape() as tape:
        stopped = tf.stop_gradient(x * 2.0)
        stopped_again = tf.round(stopped)
        flat = tf.floor(x)
        loss = tf.reduce_sum(stopped_again + flat)
    reason = why(tape, loss, x)[0]
    assert reason.cause == "stop-gradient"
    assert reason.where.text == "stopped = tf.stop_gradient(x * 2.0)"
    assert [(other.cause, other.where.text) for other in reason.others] == [
        ("nondifferentiable-op", "flat = tf.floor(x)")
    ]


def test_a_float_that_is_lost_goes_before_an_index_or_a_shape():
    x = tf.Variable([1.2, 2.7])
    with Tape() as tape:
        size = tf.cast(tf.shape(x * 1.0)[0], tf.float32)
        best = tf.cast(tf.argmax(x), tf.float32)
        loss = size + best + tf.reduce_sum(tf.round(x))
    assert why(tape, loss, x).where.expression == "tf.round(x)"


def test_inside_a_function_the_line_inside_is_named_and_the_call_is_on_the_way():
    @tf.function
    def quantised(v):
        return tf.reduce_sum(tf.round(v * 4.0))

    x = tf.Variable([1.2, 2.7])
    with Tape() as tape:
        y = quantised(x)
    reason = why(tape, y, x)[0]
    assert reason.where.text == "return tf.reduce_sum(tf.round(v * 4.0))"
    assert [place.op for place in reason.chain] == ["quantised()", "Round"]


def test_the_layer_is_named_where_the_line_is_the_call_of_a_model():
    model = keras.Sequential([keras.Input((4,), dtype="float32"), keras.layers.Embedding(10, 2, name="words")])
    ids = tf.constant([[1.0, 2.0, 3.0, 4.0]])
    with Tape() as tape:
        tape.watch(ids)
        out = model(ids)
    reason = why(tape, out, ids)[0]
    assert reason.cause == "integer-dtype"
    assert reason.where.text == "out = model(ids)"
    assert "words" in reason.detail


def test_a_late_watch_is_told_with_its_line():
    x = tf.constant([1.0, 2.0])
    with Tape() as tape:
        y = tf.sin(x)
        tape.watch(x)
    reason = why(tape, y, x)[0]
    assert (reason.cause, reason.where.text) == ("unwatched", "y = tf.sin(x)")
    assert f"line {reason.where.line + 1}" in reason.detail


def test_a_late_watch_is_no_fault_where_the_op_was_recorded_anyway():
    x, w = tf.Variable([1.0, 2.0]), tf.Variable(3.0)
    with Tape() as tape:
        y = tf.round(x) * w
        tape.watch(x)
    assert why(tape, y, x).cause == "nondifferentiable-op"


def test_a_reset_is_shown_itself():
    w = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        h = tf.tanh(w)
        tape.reset()
        loss = tf.reduce_sum(h)
    assert why(tape, loss, w).where.text == "tape.reset()"


def test_zeros_asked_for_are_explained_like_none():
    a, b = tf.Variable(1.0), tf.Variable(2.0)
    with Tape() as tape:
        y = a * 3.0
    tape.gradient(y, [a, b], unconnected_gradients="zero")
    found = tape.explain()
    assert [(reason.symptom, reason.cause) for reason in found] == [("ok", "ok"), ("zero", "unconnected")]


def test_before_any_gradient_the_record_alone_tells_of_none():
    x = tf.Variable([1.2, 2.7])
    with Tape() as tape:
        lost, kept = tf.round(x), tf.sin(x)
    assert tape.explain(lost, x).cause == "nondifferentiable-op"
    assert tape.explain(kept, x).symptom == "unknown"
    assert tape.gradient(kept, x) is not None


def test_a_persistent_tape_is_asked_by_explain_itself():
    x = tf.Variable([1.2, 2.7])
    with Tape(persistent=True) as tape:
        y = tf.sin(x)
    assert tape.explain(y, x).ok
    assert tape.gradient(y, x) is not None


def test_every_leaf_of_a_nest_has_its_reason_in_order():
    params = {"b": tf.Variable(1.0), "a": [tf.Variable(2.0), tf.constant(3.0)]}
    with Tape() as tape:
        y = params["a"][0] * params["a"][1] + tf.round(params["b"])
    found = why(tape, y, params)
    assert [reason.path for reason in found] == ["source['a'][0]", "source['a'][1]", "source['b']"]
    assert [reason.cause for reason in found] == ["ok", "unwatched", "nondifferentiable-op"]


def test_the_expression_in_the_gradient_call_names_a_leaf():
    x, params = tf.constant(1.0), {"w": tf.Variable(2.0)}
    with Tape() as tape:
        y = x * params["w"]
    tape.gradient(y, [x, params["w"]])
    assert [reason.path for reason in tape.explain()] == ["x", "params['w']"]


def test_of_two_branches_the_same_one_is_told_every_time():
    @tf.function
    def f(v):
        return tf.cond(v > 1.0, lambda: tf.math.ceil(v), lambda: tf.floor(v))

    lines = set()
    for _ in range(3):
        x = tf.Variable(4.0)
        with Tape() as tape:
            y = f(x)
        found = why(tape, y, x)
        lines.add((found.where.line, found.cause, found.reasons[0].detail))
    assert len(lines) == 1


def test_a_variable_of_integers_that_is_gone_is_still_known_as_one():
    def ask():
        count = tf.Variable(3)
        with Tape() as tape:
            y = count * count
        tape.gradient(y, [count])
        return tape

    assert ask().explain().cause == "integer-dtype"


def test_a_frozen_variable_that_is_gone_is_still_known_as_one():
    def ask():
        scale = tf.Variable(3.0, trainable=False)
        with Tape() as tape:
            y = scale * scale
        tape.gradient(y, [scale])
        return tape

    assert ask().explain().cause == "not-trainable"
