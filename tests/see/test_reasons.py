"""Which question is asked: of a tape, of a function; and bad questions."""

import keras
import pytest
import tensorflow as tf

import tfgrad
from tfgrad import Tape, explain
from tfgrad.errors import GradError, KindError, StructureError


def test_a_tape_that_was_never_entered_is_refused():
    with pytest.raises(StructureError, match="never entered") as caught:
        Tape().explain()
    assert "with tfgrad.Tape() as tape" in caught.value.advice


def test_nothing_asked_yet_is_refused_with_what_to_type():
    x = tf.Variable(1.0)
    with Tape() as tape:
        x * 2.0
    with pytest.raises(GradError, match="no gradient") as caught:
        tape.explain()
    assert "tape.explain(y, x)" in caught.value.advice


def test_a_target_alone_asks_for_all_that_was_watched():
    a, b, x = tf.Variable(1.0, name="a"), tf.Variable(2.0, name="b"), tf.constant(3.0)
    with Tape(persistent=True) as tape:
        tape.watch(x)
        y = a * x + tf.round(b)
    tape.gradient(y, [a, b, x])
    assert {reason.path: reason.cause for reason in tape.explain(y)}["b"] == "nondifferentiable-op"


@pytest.mark.parametrize("nonsense", ["a string", object(), 3, [None], {"w": 2.0}], ids=str)
def test_what_is_no_tensor_is_a_symptom_and_not_an_exception(nonsense):
    x = tf.Variable(1.0)
    with Tape() as tape:
        y = x * 2.0
    assert tape.explain(y, nonsense).symptom == "error"
    assert tape.explain(nonsense, x).symptom == "error"


def test_tensors_of_another_tape_are_told_as_such():
    x = tf.Variable(1.0)
    with Tape() as tape:
        x * 2.0
    with Tape():
        z = x * 3.0
    assert tape.explain(z, x).cause == "outside-tape"


def test_an_empty_source_is_ok():
    x = tf.Variable(1.0)
    with Tape() as tape:
        y = x * 2.0
    assert tape.explain(y, []).ok


def test_a_target_that_is_summed_is_a_note():
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = x * 2.0
    tape.gradient(y, x)
    found = tape.explain()
    assert found.ok
    assert found.notes == ("The target has shape [2]: the gradient is that of the sum of all its elements.",)


def test_while_tracing_what_comes_back_is_unknown_and_none_is_told():
    found = {}

    @tf.function
    def step(v):
        with Tape(persistent=True) as tape:
            tape.watch(v)
            lost, kept = tf.reduce_sum(tf.round(v)), tf.reduce_sum(tf.sin(v))
        tape.gradient(lost, v)
        found["lost"] = tape.explain(lost, v)
        tape.gradient(kept, v)
        found["kept"] = tape.explain(kept, v)
        return lost

    step(tf.constant([1.0, 2.0]))
    assert found["lost"].cause == "nondifferentiable-op"
    assert found["lost"].where.text == "lost, kept = tf.reduce_sum(tf.round(v)), tf.reduce_sum(tf.sin(v))"
    assert found["kept"].symptom == "unknown"


def test_explain_of_a_function_names_the_arguments():
    found = explain(lambda p, k: tf.reduce_sum(tf.round(p["w"]) * p["b"] * k), {"w": 1.2, "b": [2.0]}, 3.0, wrt=(0, 1))
    assert [(reason.path, reason.cause) for reason in found] == [
        ("args[0]['b'][0]", "ok"),
        ("args[0]['w']", "nondifferentiable-op"),
        ("args[1]", "ok"),
    ]


def test_explain_counts_positions_from_the_end():
    assert explain(lambda a, b: a * tf.round(b), 1.0, 2.0, wrt=-1)[0].path == "args[1]"


def test_explain_takes_a_model():
    model = keras.Sequential([keras.layers.Dense(2)])
    found = explain(lambda x: tf.reduce_sum(tf.stop_gradient(model(x))), tf.ones((1, 3)), wrt=model)
    assert {reason.cause for reason in found} == {"stop-gradient"}
    assert found[0].path.endswith("dense/kernel") or "kernel" in found[0].path


def test_explain_takes_a_variable_and_no_argument():
    w = tf.Variable(2.0)
    assert explain(lambda: w * 3.0, wrt=w).ok


def test_explain_names_a_variable_without_a_name_by_its_place_in_wrt():
    variables = {"a": tf.Variable(2.0), "b": tf.Variable(3.0, trainable=False, name="frozen")}
    found = explain(lambda: variables["a"] * variables["b"], wrt=variables)
    assert found.ok
    assert [reason.path for reason in found] == ["wrt['a']", "frozen"]


def test_explain_of_an_integer_says_so():
    assert explain(lambda n: n * 2, 3).cause == "integer-dtype"


def test_explain_of_a_float_result_says_where_it_left():
    found = explain(lambda x: float(x) * 2.0, 3.0)
    assert (found.symptom, found.cause) == ("error", "left-tensorflow")


def test_explain_shows_nan_with_values():
    found = explain(lambda x: tf.norm(x), tf.zeros(3))
    assert (found.symptom, found.cause) == ("nonfinite", "singular-point")


def test_explain_refuses_what_names_nothing():
    with pytest.raises(StructureError, match="wrt=4"):
        explain(lambda x: x, 1.0, wrt=4)
    with pytest.raises(KindError):
        explain(3, 1.0)


def test_an_error_of_the_function_itself_passes():
    with pytest.raises(ZeroDivisionError):
        explain(lambda x: 1 / 0, 1.0)


def test_a_fault_of_our_own_is_told_and_does_not_break_the_program(monkeypatch):
    from tfgrad.see import reasons

    def broken(leaf):
        raise RuntimeError("broken")

    monkeypatch.setitem(reasons.QUESTIONS, "none", broken)
    monkeypatch.setattr(reasons, "_STRICT", False)
    x = tf.Variable(1.0)
    with Tape() as tape:
        y = tf.round(x)
    tape.gradient(y, x)
    found = tape.explain()
    assert found.cause == "unknown"
    assert "broken" in found[0].detail


def test_public_names_are_there():
    assert tfgrad.explain is explain
    assert tfgrad.Explanation is type(explain(lambda x: x, 1.0))


def test_a_function_that_returns_nothing_is_explained_as_a_target_of_none() -> None:
    found = explain(lambda x: None, 1.0)
    assert (found.symptom, found.cause) == ("error", "bad-argument")
    assert "return" in found.advice


def test_an_empty_list_of_sources_gets_a_note() -> None:
    x = tf.Variable(1.0)
    with Tape() as tape:
        y = x * x
    tape.gradient(y, [])
    found = tape.explain()
    assert found.ok
    assert "The list of sources is empty." in found.notes[0]
