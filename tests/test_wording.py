"""Words for values: what every message says of what was given."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tfgrad import wording


class Extension(tf.experimental.ExtensionType):
    values: tf.Tensor


KINDS = [
    (None, "none"),
    (True, "bool"),
    (1, "int"),
    (1.0, "float"),
    (1j, "complex"),
    ("a", "str"),
    (np.ones(2), "array"),
    (np.float64(1.0), "array"),
    (np.bool_(True), "array"),
    (tf.constant(1.0), "tensor"),
    (tf.Variable(1.0), "variable"),
    (keras.Variable(1.0), "keras variable"),
    (keras.Input((2,)), "keras tensor"),
    (tf.ragged.constant([[1.0]]), "composite"),
    (tf.sparse.from_dense([[1.0]]), "composite"),
    (tf.IndexedSlices(tf.ones([1, 2]), tf.constant([0])), "composite"),
    (Extension(tf.constant(1.0)), "composite"),
    (keras.layers.Dense(1), "module"),
    (tf.Module(), "module"),
    ([1], "nest"),
    ({}, "nest"),
    ((), "nest"),
    (len, "function"),
    (lambda: None, "function"),
    (functools.partial(len), "function"),
    (object(), "object"),
]


@pytest.mark.parametrize(("value", "expected"), KINDS, ids=[kind for _, kind in KINDS])
def test_every_sort_of_value_has_its_kind(value: Any, expected: str) -> None:
    assert wording.kind(value) in (expected, "variable" if expected == "keras variable" else expected)
    assert wording.is_keras_variable(value) is (expected == "keras variable")


def test_a_symbolic_tensor_of_a_graph_is_a_tensor() -> None:
    seen = []
    tf.function(lambda x: seen.append(wording.kind(x)) or x)(tf.constant(1.0))
    assert set(seen) == {"tensor"}


DESCRIPTIONS = [
    (tf.zeros([2, 3]), "float32[2, 3]"),
    (tf.constant(1, tf.int64), "int64[]"),
    (tf.Variable(1.0, name="w"), "the tf.Variable 'w' float32[]"),
    (keras.Variable(1.0, name="k"), "the Keras variable 'k' float32[]"),
    (keras.Input((2,)), "a KerasTensor float32[?, 2], which is symbolic and has no values"),
    (tf.ragged.constant([[1.0]]), "a RaggedTensor float32[1, ?]"),
    (np.float32(2.5), "the NumPy number float32[]"),
    ({"a": 1}, "a dict of 1"),
    (len, "the function len"),
    (keras.layers.Dense(1, name="head"), "the Dense 'head'"),
    (object(), "an object"),
]


@pytest.mark.parametrize(("value", "expected"), DESCRIPTIONS)
def test_a_description_says_kind_dtype_and_shape(value: Any, expected: str) -> None:
    assert wording.describe(value) == expected


def test_a_long_string_is_shortened() -> None:
    assert wording.describe("x" * 100) == "the string '" + "x" * 35 + "...'"


def test_a_partial_is_named_after_its_function() -> None:
    assert wording.function(functools.partial(len)) == "partial(len)"


def test_unknown_lengths_and_ranks_are_shown() -> None:
    assert wording.shape(tf.TensorSpec([None, 2])) == "[?, 2]"
    assert wording.shape(tf.TensorSpec(None)) == "[...]"


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_number_reads_back_to_six_digits(x: float) -> None:
    assert float(wording.number(x)) == pytest.approx(x, rel=1e-5, abs=0)


@pytest.mark.parametrize("x", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_keep_their_names(x: float) -> None:
    assert wording.number(x) in ("nan", "inf", "-inf")


@given(st.lists(st.sampled_from("abc"), max_size=9))
def test_a_listing_names_at_most_its_limit(items: list[str]) -> None:
    text = wording.listing(items, limit=3)
    assert ("more" in text) is (len(items) > 3)


@pytest.mark.parametrize(
    ("typed", "expected"), [("jacobain", "jacobian"), ("GRAD", "grad"), ("hess", "hessian"), ("qqqq", None)]
)
def test_the_nearest_name_comes_first(typed: str, expected: str | None) -> None:
    found = wording.nearest(typed, ["grad", "jacobian", "hessian"])
    assert (found[0] if found else None) == expected
