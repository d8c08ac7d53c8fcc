"""The table of ops: what is asked most, near misses, and a sample of it measured again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

import tfgrad
from tfgrad.check import optable

SCRIPTS = Path(__file__).parents[2] / "scripts"


def test_the_table_holds_four_hundred_functions_and_the_version() -> None:
    table = tfgrad.ops()
    assert len(table) >= 400
    assert table.tensorflow.count(".") == 2
    assert len({op.name for op in table}) == len(table)


MARKS = {"yes", "none", "zero", "raises", "wrong", "-"}


def test_every_mark_is_one_of_those_that_are_explained() -> None:
    for op in tfgrad.ops():
        assert {op.reverse, op.second, op.forward, op.accumulator} <= MARKS, op.name
        assert {op.pfor, op.xla} <= {"yes", "no", "-"}, op.name


@pytest.mark.parametrize(
    ("name", "reverse", "words"),
    [
        ("tf.round", "none", "use instead: x + tf.stop_gradient(tf.round(x) - x)"),
        ("tf.math.argmax", "none", "soft argmax"),
        ("tf.sign", "zero", "zero, without a word"),
        ("tf.maximum", "yes", "tf.maximum(x, 0.) at 0: 1, 0"),
        ("relu", "yes", "at 0: 0"),
        ("tf.sqrt", "yes", "at 0: inf"),
        ("tf.norm", "yes", "at 0: [nan nan]"),
        ("tf.image.hsv_to_rgb", "none", "use instead"),
        ("tf.image.adjust_hue", "raises", "LookupError"),
        ("tf.nn.softsign", "yes", "forward: raises"),
    ],
)
def test_what_is_asked_most(name: str, reverse: str, words: str) -> None:
    op = tfgrad.ops(name)
    assert op.reverse == reverse
    assert words in str(op)


def test_who_has_no_gradient_is_told_what_to_use() -> None:
    lacking = [op.name for op in tfgrad.ops() if op.reverse in ("none", "zero", "raises") and not op.instead]
    assert len(lacking) <= 60, lacking


def test_a_near_miss_is_told_the_name() -> None:
    with pytest.raises(tfgrad.StructureError, match=r"tf\.math\.round"):
        tfgrad.ops("tf.ruond")


def test_every_name_is_public_in_this_tensorflow() -> None:
    for op in tfgrad.ops():
        found: Any = tf
        for step in op.name.partition("(")[0].split(".")[1:]:
            found = getattr(found, step, None)
        assert found is not None or optable.table().tensorflow != tf.__version__, op.name


def test_the_table_is_json() -> None:
    json.dumps([op.to_dict() for op in tfgrad.ops()], allow_nan=False)


SAMPLE = [
    "tf.math.sin",
    "tf.math.round",
    "tf.math.sign",
    "tf.math.atan2",
    "tf.linalg.cholesky",
    "tf.linalg.lu",
    "tf.math.softsign",
    "tf.nn.conv2d",
    "tf.image.adjust_hue",
    "tf.math.segment_max",
    "tf.sparse.sparse_dense_matmul",
    "tf.signal.rfft",
]


@pytest.mark.skipif(optable.table().tensorflow != tf.__version__, reason="measured with another TensorFlow")
@pytest.mark.parametrize("name", SAMPLE)
def test_a_sample_measured_again_says_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])
    import measure_ops

    measured = measure_ops.measure(measure_ops.specs()[name])
    kept = tfgrad.ops(name).to_dict()
    for mark in ("reverse", "second", "forward", "accumulator", "pfor", "aliases", "points"):
        assert measured[mark] == kept[mark], mark
