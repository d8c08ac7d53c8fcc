"""Wrong calls by how a transform was asked: wrt, tangents, batches, rules, options."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

import tfgrad as tg
from tests.compute.wrong import Case

x3 = tf.constant([1.0, 2.0, 3.0])
square = lambda x: x**2
ragged = tf.ragged.constant([[1.0], [2.0, 3.0]])
WEIGHT = tf.Variable(1.0, name="weight")


class Frozen(tf.Module):
    """A module with a Variable that is not to be trained."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(1.0, trainable=False)


FROZEN = Frozen()


@tg.custom_gradient
def keyword_only(x: Any, *, k: Any) -> Any:
    return x * k, lambda dy: dy


@tg.custom_gradient
def one_too_few(a: Any, b: Any) -> Any:
    return a * b, lambda dy: dy


@tg.custom_gradient
def wrong_shape(x: Any) -> Any:
    return x**2, lambda dy: tf.reduce_sum(dy)


@tg.custom_gradient
def wrong_dtype(x: Any) -> Any:
    return x**2, lambda dy: tf.cast(dy, tf.float64)


@tg.custom_gradient
def no_rule(x: Any) -> Any:
    return x**2


def growing(x: Any) -> Any:
    array = tf.TensorArray(tf.float32, 0, dynamic_size=True)
    for i in tf.range(3):
        array = array.write(i, x)
    return tf.reduce_sum(array.stack())


POSITIONS = [
    Case(
        "out of range",
        lambda: tg.grad(square, wrt=2)(1.0),
        tg.StructureError,
        "wrt=2, but f was called with 1 positional argument",
        "wrt 0",
        "pass argument 2 by position",
    ),
    Case("below range", lambda: tg.grad(square, wrt=-3)(1.0, 2.0), tg.StructureError, "wrt=-3", "from 0 to 1", "-1"),
    Case(
        "no argument",
        lambda: tg.grad(square)(),
        tg.StructureError,
        "0 positional arguments",
        "an argument",
        "by position",
    ),
    Case(
        "doubled",
        lambda: tg.grad(square, wrt=(0, -1))(1.0),
        tg.StructureError,
        "wrt=(0, -1) names the same argument twice",
        "at most once",
        "wrt=(0,)",
    ),
    Case(
        "function",
        lambda: tg.grad(square, wrt=square),
        tg.KindError,
        "wrt is the function <lambda>",
        "a Variable",
        "functions come first",
    ),
    Case(
        "mixed",
        lambda: tg.grad(square, wrt=(0, WEIGHT)),
        tg.KindError,
        "mixes positions with Variables",
        "either",
        "close over",
    ),
    Case(
        "list of ints", lambda: tg.grad(square, wrt=[0, 1]), tg.KindError, "wrt=[0, 1]", "a tuple of ints", "wrt=(0, 1)"
    ),
    Case(
        "name", lambda: tg.grad(square, wrt="x"), tg.KindError, "the string 'x'", "position", "names are not looked up"
    ),
    Case("tensor", lambda: tg.grad(square, wrt=x3), tg.KindError, "wrt is float32[3]", "a Variable", "tf.Variable"),
    Case("bool", lambda: tg.grad(square, wrt=True), tg.KindError, "the Python bool True", "int", "wrt=0"),
    Case("array", lambda: tg.grad(square, wrt=np.array([0, 1])), tg.KindError, "a NumPy array", "tuple", ""),
    Case("None", lambda: tg.grad(square, wrt=None), tg.KindError, "wrt is None", "position", "wrt=0"),
    Case("empty", lambda: tg.grad(square, wrt=[]), tg.StructureError, "wrt=[] names nothing", "a model", "wrt=0"),
    Case(
        "inside a nest",
        lambda: tg.grad(square, wrt={"a": WEIGHT, "b": square}),
        tg.KindError,
        "wrt['b'] is the function",
        "",
        "",
    ),
    Case(
        "nothing trainable",
        lambda: tg.grad(square, wrt=tf.Module())(tf.constant(1.0)),
        tg.StructureError,
        "the Module 'module' has no trainable variables",
        "",
        "`trainable`",
    ),
    Case(
        "all frozen",
        lambda: tg.grad(lambda x: x * FROZEN.weight, wrt=FROZEN)(tf.constant(1.0)),
        tg.StructureError,
        "has 1 variable, none of them trainable",
        "",
        "`trainable`",
    ),
    Case(
        "no function",
        lambda: tg.grad(3.0),
        tg.KindError,
        "grad: f is the Python float 3.0",
        "a function",
        "tfgrad.grad(f)(x)",
    ),
    Case(
        "unconnected",
        lambda: tg.grad(square, unconnected="zeros"),
        tg.StructureError,
        "unconnected='zeros'",
        "'zero'",
        "'zero'",
    ),
    Case("mode", lambda: tg.jacobian(square, mode="forward"), tg.StructureError, "mode='forward'", "'fwd'", "'auto'"),
    Case("chunk", lambda: tg.jacobian(square, chunk=0), tg.StructureError, "chunk=0", "1 or more", "chunk=100"),
    Case(
        "batch by Variables",
        lambda: tg.batch_jacobian(square, wrt=WEIGHT),
        tg.KindError,
        "wrt names Variables",
        "position",
        "tfgrad.per_example_grad",
    ),
    Case(
        "batch=",
        lambda: tg.per_example_grad(square, batch=WEIGHT),
        tg.KindError,
        "batch is the tf.Variable 'weight'",
        "ints",
        "batch=(1, 2)",
    ),
]

PRODUCTS = [
    Case("primals", lambda: tg.jvp(square, x3, (x3,)), tg.KindError, "jvp: primals is float32[3]", "a tuple", "(x,)"),
    Case(
        "tangents",
        lambda: tg.jvp(square, (x3,), [x3]),
        tg.KindError,
        "tangents is a list of 1",
        "a tuple",
        "tuple(tangents)",
    ),
    Case(
        "count",
        lambda: tg.jvp(square, (x3,), (x3, x3)),
        tg.StructureError,
        "1 primal but 2 tangents",
        "for each primal",
        "tf.zeros_like",
    ),
    Case(
        "linearize count",
        lambda: tg.linearize(square, x3)[1](),
        tg.StructureError,
        "linearize: 1 primal but 0 tangents",
        "",
        "",
    ),
    Case(
        "tangent shape",
        lambda: tg.jvp(square, (x3,), (1.0,)),
        tg.StructureError,
        "tangents[0] has shape []",
        "shape [3]",
        "tf.broadcast_to",
    ),
    Case(
        "tangent None",
        lambda: tg.jvp(lambda d: d, ({"a": x3},), ({"a": None},)),
        tg.StructureError,
        "tangents[0]['a'] is None",
        "float32[3]",
        "tf.zeros_like",
    ),
    Case(
        "tangent structure",
        lambda: tg.jvp(lambda d: d, ({"a": x3},), ({"b": x3},)),
        tg.StructureError,
        "has tangents[0]['b'] and lacks tangents[0]['a']",
        "the structure of primals[0]",
        "tf.nest.map_structure",
    ),
    Case(
        "cotangent shape",
        lambda: tg.vjp(square, x3)[1](tf.ones([2])),
        tg.StructureError,
        "vjp_fn: cotangents has shape [2]",
        "shape [3]",
        "tf.reshape",
    ),
    Case(
        "cotangent in a tuple",
        lambda: tg.vjp(square, x3)[1]((x3,)),
        tg.StructureError,
        "a tuple of 1 around the tensor",
        "float32[3]",
        "w itself in place of (w,)",
    ),
    Case(
        "cotangent structure",
        lambda: tg.vjp(lambda x: (x, x), x3)[1]((x3,)),
        tg.StructureError,
        "lacks cotangents[1]",
        "f's value, a tuple of 2",
        "",
    ),
    Case(
        "two cotangents",
        lambda: tg.vjp(lambda x: (x, x), x3)[1](x3, x3),
        tg.KindError,
        "vjp_fn: called with 2 cotangents",
        "one nest of cotangents",
        "vjp_fn((u1, u2))",
    ),
    Case(
        "cotangent for a tuple",
        lambda: tg.vjp(lambda x: (x, x), x3)[1](x3),
        tg.StructureError,
        "cotangents is float32[3], and no nest",
        "f's value, a tuple of 2",
        "(u1, u2)",
    ),
    Case(
        "tangents in one tuple",
        lambda: tg.linearize(lambda a, b: a * b, 2.0, 3.0)[1]((1.0, 0.0)),
        tg.StructureError,
        "jvp_fn was called with one tuple of 2 tangents",
        "2 arguments",
        "jvp_fn(*tangents)",
    ),
    Case(
        "tangent dtype",
        lambda: tg.jvp(square, (x3,), (tf.cast(x3, tf.float64),)),
        tg.StructureError,
        "tangents[0] is float64[3]",
        "float32[3]",
        "tf.cast(..., tf.float32)",
    ),
    Case(
        "complex cotangent",
        lambda: tg.vjp(square, x3)[1](tf.complex(x3, x3)),
        tg.KindError,
        "cotangents is complex64[3]",
        "float32[3]",
        "tf.math.real",
    ),
    Case(
        "dense for ragged",
        lambda: tg.vjp(lambda r: r * r, ragged)[1](x3),
        tg.StructureError,
        "cotangents is float32[3]",
        "a RaggedTensor",
        "row splits",
    ),
    Case(
        "hvp",
        lambda: tg.hvp(square, 1.0, (1.0,)),
        tg.KindError,
        "hvp: primals is the Python float 1.0",
        "a tuple",
        "hvp(f, (x,), (v,))",
    ),
    Case(
        "hvp shape",
        lambda: tg.hvp(tf.reduce_sum, (x3,), (1.0,)),
        tg.StructureError,
        "hvp: tangents[0] has shape []",
        "[3]",
        "",
    ),
]

EXAMPLES = [
    Case(
        "no batch",
        lambda: tg.per_example_grad(square)(1.0),
        tg.StructureError,
        "no argument carries examples, of 1 argument",
        "outside wrt",
        "batch= its position",
    ),
    Case(
        "ragged examples",
        lambda: tg.per_example_grad(lambda w, x: w)(1.0, ragged),
        tg.KindError,
        "args[1] is a RaggedTensor",
        "dense",
        "to_tensor()",
    ),
    Case(
        "sparse examples",
        lambda: tg.per_example_grad(lambda w, x: w, batch=1)(1.0, tf.sparse.from_dense([[1.0, 0.0]])),
        tg.KindError,
        "args[1] is a SparseTensor",
        "dense",
        "tf.sparse.to_dense",
    ),
    Case(
        "batch out of range",
        lambda: tg.per_example_grad(lambda w, x: w, batch=5)(1.0, x3),
        tg.StructureError,
        "batch=5, but f was called with 2 positional arguments",
        "batch from 0 to 1",
        "same for every example",
    ),
    Case(
        "lengths",
        lambda: tg.per_example_grad(lambda w, x, y: w)(1.0, x3, tf.ones([2])),
        tg.StructureError,
        "args[1] [3] and args[2] [2]",
        "of one length",
        "batch=",
    ),
    Case(
        "scalar example",
        lambda: tg.per_example_grad(lambda w, x: w, batch=1)(1.0, 2.0),
        tg.StructureError,
        "args[1] []",
        "leading axis",
        "",
    ),
    Case(
        "vector loss",
        lambda: tg.per_example_grad(lambda w, x: w * x)(1.0, tf.ones([2, 2])),
        tg.NotScalarError,
        "per_example_grad: f returned float32[2]",
        "",
        "",
    ),
    Case(
        "batch_jacobian",
        lambda: tg.batch_jacobian(tf.reduce_sum)(x3),
        tg.StructureError,
        "f returned float32[] from float32[3]",
        "leading axis",
        "tfgrad.jacobian",
    ),
]

RULES = [
    Case(
        "count",
        lambda: tg.grad(one_too_few)(1.0, 2.0),
        tg.StructureError,
        "the rule of one_too_few gave 1 gradient",
        "2, one for each of args[0] and args[1]",
        "None",
    ),
    Case(
        "shape",
        lambda: tg.grad(lambda x: tf.reduce_sum(wrong_shape(x)))(x3),
        tg.StructureError,
        "gave float32[] for args[0]",
        "float32[3]",
        "tf.reduce_sum",
    ),
    Case(
        "dtype",
        lambda: tg.grad(wrong_dtype)(1.0),
        tg.StructureError,
        "gave float64[] for args[0]",
        "float32[]",
        "tf.cast",
    ),
    Case(
        "keyword-only tensor",
        lambda: keyword_only(1.0, k=x3),
        tg.KindError,
        "keyword_only got a tensor as k=",
        "by position",
        "close over it",
    ),
    Case("no rule", lambda: no_rule(1.0), tg.StructureError, "no_rule returned float32[]", "(y, rule)", "lambda dy"),
    Case(
        "xla",
        lambda: tg.jit(growing, xla=True)(1.0),
        tg.KindError,
        "dynamic_size=True",
        "known beforehand",
        "without xla",
    ),
]
