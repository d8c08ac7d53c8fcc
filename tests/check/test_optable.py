"""The table of ops: what is asked most, names, faults that are faults, and a sample of it measured again."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

import tfgrad
from tfgrad.check import optable

SCRIPTS = Path(__file__).parents[2] / "scripts"
MEASURED_HERE = optable.table().tensorflow == tf.__version__
measured_here = pytest.mark.skipif(not MEASURED_HERE, reason="the table was measured with another TensorFlow")
MARKS = {"yes", "none", "zero", "raises", "wrong", "-"}


def test_the_table_holds_a_thousand_functions_and_the_versions() -> None:
    table = tfgrad.ops()
    assert len(table) >= 1000
    assert table.tensorflow.count(".") == 2
    assert table.keras.count(".") == 2
    assert len({op.name for op in table}) == len(table)


def test_every_mark_is_one_of_those_that_are_explained() -> None:
    for op in tfgrad.ops():
        assert {op.reverse, op.second, op.forward, op.accumulator} <= MARKS, op.name
        assert {op.pfor, op.xla} <= {"yes", "no", "wrong", "-"}, op.name
        assert {fault.kind for fault in op.faults} <= {"none", "wrong", "raises"}, op.name


@pytest.mark.parametrize(
    ("name", "reverse", "words"),
    [
        ("tf.round", "none", "use instead: x + tf.stop_gradient(tf.round(x) - x)"),
        ("tf.math.argmax", "none", "soft argmax"),
        ("tf.sign", "zero", "zero, without a word"),
        ("tf.image.hsv_to_rgb", "none", "use instead"),
        ("tf.image.adjust_hue", "raises", "LookupError"),
        ("tf.nn.softsign", "yes", "forward: raises"),
        ("tf.linalg.det", "yes", "wrong (complex): reverse, order 1"),
        ("tf.pad", "yes", "none (by constant_values)"),
        ("tf.Variable.assign", "none", "use instead: x"),
    ],
)
def test_what_is_asked_most(name: str, reverse: str, words: str) -> None:
    op = tfgrad.ops(name)
    assert op.reverse == reverse
    assert words in str(op)


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("tf.maximum", "tf.maximum(x, 0.) at 0: 1, 0 (slope [0 0] on the left, [1 1] on the right)"),
        ("relu", "at 0: 0 (slope 0 on the left, 1 on the right)"),
        ("tf.abs", "at 0: 0 (slope -1 on the left, 1 on the right)"),
        ("tf.sqrt", "at 0: inf (slope undefined on the left, inf on the right)"),
        ("tf.norm", "at 0: [nan nan] (slope [-1 -1] on the left, [1 1] on the right)"),
        ("tf.pow", "at 0 ** 1: 1, 0"),
        ("tf.math.divide_no_nan", "at 0 / 0: 0, 0"),
        ("tf.reduce_max", "at a tie of two: [0.5 0.5] (slope [0 0] on the left, [1 1] on the right)"),
        ("tf.clip_by_value", "at the border 1: 1 (slope 1 on the left, 0 on the right)"),
        ("tf.sort", "at a tie: [1 1]"),
        ("tf.acos", "at 1: -inf (slope -inf on the left, undefined on the right)"),
        ("tf.atan2", "at (0, 0): nan, nan (slope [inf -inf] on the left, [inf 0] on the right)"),
        ("tf.nn.relu6", "at 6: 0 (slope 1 on the left, 0 on the right)"),
        ("tf.keras.activations.hard_sigmoid", "at 3: 0 (slope 0.167 on the left, 0 on the right)"),
        ("tf.math.xlogy", "at (0, 2): 0, 0 (wrong: the slope is [0.693 0])"),
        ("tf.experimental.numpy.logaddexp", "at a tie (x, y): 1, 0 (wrong: the slope is [0.5 0.5])"),
    ],
)
def test_kinks_and_singular_points_have_the_choice_of_tensorflow(name: str, point: str) -> None:
    assert point in tfgrad.ops(name).points


def test_who_has_no_gradient_is_told_what_to_use() -> None:
    lacking = [op.name for op in tfgrad.ops() if op.reverse in ("none", "zero", "raises", "wrong") and not op.instead]
    assert lacking == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("tf.abs", "tf.math.abs"),
        ("tf.math.abs", "tf.math.abs"),
        ("softmax", "tf.nn.softmax"),
        ("matmul", "tf.linalg.matmul"),
        ("tf.matmul", "tf.linalg.matmul"),
        ("np.round", "tf.math.round"),
        ("jnp.argmax", "tf.math.argmax"),
        ("torch.clamp", "tf.clip_by_value"),
        ("torch.nn.functional.relu", "tf.nn.relu"),
        ("tnp.cumsum", "tf.experimental.numpy.cumsum"),
        ("keras.ops.sort", "tf.keras.ops.sort"),
        ("tf.compat.v1.reduce_sum", "tf.math.reduce_sum"),
        ("MatMul", "tf.linalg.matmul"),
        ("tf.raw_ops.Relu6", "tf.nn.relu6"),
        ("tf.round()", "tf.math.round"),
    ],
)
def test_a_name_is_found_as_people_write_it(written: str, meant: str) -> None:
    assert tfgrad.ops(written).name == meant


def test_every_alias_leads_to_its_function() -> None:
    for op in tfgrad.ops():
        for alias in op.aliases:
            assert tfgrad.ops(alias).name == op.name


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("tf.ruond", "tf.round"),
        ("tf.linalg.Softmax", "tf.math.softmax"),
        ("tf.nn.matmul", "tf.matmul"),
        ("reluu", "relu"),
    ],
)
def test_a_near_miss_is_told_the_name(written: str, near: str) -> None:
    with pytest.raises(tfgrad.StructureError, match=near.replace(".", r"\.")):
        tfgrad.ops(written)


def test_what_is_like_nothing_is_told_where_all_names_are() -> None:
    with pytest.raises(tfgrad.StructureError, match=r"tfgrad\.ops\(\) for all"):
        tfgrad.ops("qqqqqqqq")


@measured_here
def test_every_name_is_public_in_this_tensorflow() -> None:
    for op in tfgrad.ops():
        found: Any = tf
        for step in op.name.partition("(")[0].split(".")[1:]:
            found = getattr(found, step, None)
        assert found is not None, op.name


def test_the_table_is_json() -> None:
    json.dumps([op.to_dict() for op in tfgrad.ops()], allow_nan=False)


def test_the_table_as_text_has_a_row_for_each_and_counts() -> None:
    table = tfgrad.ops()
    lines = str(table).splitlines()
    assert len(lines) == len(table) + 2
    assert lines[-1].startswith(f"{len(table)} functions (")


FAULTS = [(op.name, fault) for op in optable.table() for fault in op.faults if fault.kind != "raises"]
CHOSEN = random.Random(json.dumps([op.to_dict() for op in optable.table()])).sample(FAULTS, 10)


def shows(example: str) -> bool:
    """Whether the line of an example raises what it is to show."""
    try:
        eval(example, {"tf": tf, "tfgrad": tfgrad})
    except tfgrad.GradientMismatch:
        return True
    return False


def test_more_than_a_hundred_faults_of_tensorflow_are_known() -> None:
    assert len(FAULTS) >= 100


@measured_here
@pytest.mark.parametrize(("name", "fault"), CHOSEN, ids=[f"{name} {fault.when}" for name, fault in CHOSEN])
def test_the_example_of_a_known_fault_is_wrong(name: str, fault: optable.Fault) -> None:
    assert shows(fault.example), fault.example


@measured_here
@pytest.mark.slow
def test_all_examples_of_known_faults_are_wrong() -> None:
    assert [fault.example for _, fault in FAULTS if not shows(fault.example)] == []


SAMPLE = [
    "tf.math.sin",
    "tf.math.round",
    "tf.math.sign",
    "tf.linalg.lu",
    "tf.math.softsign",
    "tf.image.adjust_hue",
    "tf.signal.rfft",
    "tf.math.betainc",
]
REST = random.Random(2).sample(sorted(op.name for op in optable.table() if op.xla == "yes" and not op.faults), 4)


@measured_here
@pytest.mark.parametrize("name", [*SAMPLE, *REST])
def test_a_sample_measured_again_says_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])
    from op_specs import measuring

    measured = measuring.measure(measuring.specs()[name])
    kept = json.loads(json.dumps(tfgrad.ops(name).to_dict()))
    assert not measured.pop("doubtful")
    measured["xla"] = measuring.compiled(measuring.specs()[name]) if measuring.usable(measured) else "-"
    assert {mark: kept[mark] for mark in measured} == measured
