"""Nests: leaves, paths and rebuilding, held against `tf.nest` on random nests."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfgrad import trees

Point = collections.namedtuple("Point", "x y")

LEAVES = st.one_of(st.none(), st.integers(-3, 3), st.floats(-2, 2), st.sampled_from(["a", "b"]))
KEYS = st.sampled_from(["w", "b", "a key", "it's"])
NESTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(KEYS, inner, max_size=3),
        st.dictionaries(KEYS, inner, max_size=3).map(collections.OrderedDict),
        st.tuples(inner, inner).map(lambda pair: Point(*pair)),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(NESTS)
def test_rebuilding_from_the_leaves_gives_the_nest(nest: Any) -> None:
    rebuilt = trees.rebuild(nest, trees.flatten(nest))
    assert rebuilt == nest
    assert type(rebuilt) is type(nest)


@settings(deadline=None)
@given(NESTS)
def test_a_path_evaluated_in_python_gives_its_leaf(nest: Any) -> None:
    leaves, paths = trees.flatten(nest), trees.paths(nest, "root")
    assert len(leaves) == len(paths) == len(set(paths))
    for leaf, path in zip(leaves, paths, strict=True):
        assert eval(path, {"root": nest}) is leaf


@settings(deadline=None)
@given(NESTS)
def test_flatten_is_in_the_order_of_tf_nest(nest: Any) -> None:
    assert trees.flatten(nest) == tf.nest.flatten(nest)


@settings(deadline=None)
@given(NESTS)
def test_transform_keeps_the_structure(nest: Any) -> None:
    assert trees.paths(trees.transform(lambda leaf: 7, nest), "r") == trees.paths(nest, "r")


def test_paths_name_the_fields_of_named_tuples() -> None:
    assert trees.paths({"p": Point(1, [2])}, "args[0]") == ["args[0]['p'].x", "args[0]['p'].y[0]"]


def test_paths_go_into_the_containers_that_a_module_makes_of_its_attributes() -> None:
    module = tf.Module()
    module.items = [1.0, {"k": 2.0}]
    assert trees.paths(module.items, "m") == ["m[0]", "m[1]['k']"]


def test_a_composite_tensor_is_one_leaf_of_several_components() -> None:
    ragged = tf.ragged.constant([[1.0], [2.0, 3.0]])
    assert trees.flatten({"r": ragged}) == [ragged]
    values, splits = trees.components(ragged)
    twice = trees.recompose(ragged, [2 * values, splits])
    assert twice.to_list() == [[2.0], [4.0, 6.0]]


def test_zeros_keep_structure_shape_dtype_none_and_indices() -> None:
    sparse = tf.sparse.from_dense([[1.0, 0.0], [0.0, 2.0]])
    zeros = trees.zeros({"a": tf.ones([2, 3], tf.float16), "n": None, "s": sparse})
    assert zeros["n"] is None
    assert zeros["a"].dtype == tf.float16
    np.testing.assert_array_equal(zeros["a"], np.zeros([2, 3]))
    np.testing.assert_array_equal(zeros["s"].indices, sparse.indices)
    np.testing.assert_array_equal(zeros["s"].values, [0.0, 0.0])


def test_dot_sums_over_all_leaves_and_is_real_for_complex_ones() -> None:
    a = {"x": tf.constant([1.0, 2.0]), "z": tf.constant(1 + 2j, tf.complex64), "n": None}
    b = {"x": tf.constant([3.0, 4.0]), "z": tf.constant(3 - 1j, tf.complex64), "n": None}
    assert float(trees.dot(a, b)) == 11.0 + (3.0 - 2.0)


@pytest.mark.parametrize(("dtype", "expected"), [("float16", True), ("bfloat16", True), ("complex64", True)])
def test_floating_and_complex_dtypes_are_differentiable(dtype: str, expected: bool) -> None:
    assert trees.is_differentiable(tf.zeros([], dtype)) is expected


@pytest.mark.parametrize("value", [tf.constant(1), tf.constant(True), tf.constant("a"), 1.0, None, "a", object()])
def test_all_other_things_are_not_differentiable(value: Any) -> None:
    assert trees.is_differentiable(value) is False


def test_densified_adds_up_repeated_indices_into_the_shape() -> None:
    slices = tf.IndexedSlices(tf.constant([[1.0], [2.0], [4.0]]), tf.constant([0, 0, 2]))
    np.testing.assert_array_equal(trees.densified(slices, tf.zeros([3, 1])), [[3.0], [0.0], [4.0]])


def test_densified_leaves_a_dense_gradient_and_none_alone() -> None:
    dense = tf.ones([2])
    assert trees.densified(dense, dense) is dense
    assert trees.densified(None, dense) is None
