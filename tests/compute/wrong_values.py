"""Wrong calls by what was passed and what f gave: integers, targets, arguments."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tfgrad as tg
from tests.compute.wrong import Case

x3 = tf.constant([1.0, 2.0, 3.0])
square = lambda x: x**2
ragged = tf.ragged.constant([[1.0], [2.0, 3.0]])
WEIGHT = tf.Variable(1.0, name="weight")
COUNTER = tf.Variable(0, name="counter")


def with_variable(*, wrt: Any) -> Any:
    return tg.grad(lambda: tf.constant(1.0), wrt=wrt)


class Records(tf.Module):
    """A module whose only Variable counts."""

    def __init__(self) -> None:
        super().__init__()
        self.count = tf.Variable(0, name="count")


INTEGERS = [
    Case("int", lambda: tg.grad(square)(3), tg.IntegerError, "grad: args[0] is the Python int 3", "float", "3.0"),
    Case("bool", lambda: tg.grad(square)(True), tg.IntegerError, "args[0] is the Python bool True", "float", "wrt"),
    Case(
        "int tensor in a dict",
        lambda: tg.grad(square)({"w": x3, "i": tf.constant([1])}),
        tg.IntegerError,
        "args[0]['i'] is int32[1]",
        "floating",
        "tf.cast(args[0]['i'], tf.float32)",
    ),
    Case(
        "int array", lambda: tg.grad(square)(np.arange(3)), tg.IntegerError, "int64[3]", "floating", "tf.cast(args[0]"
    ),
    Case("string", lambda: tg.grad(square)({"s": "a"}), tg.IntegerError, "args[0]['s'] is the string 'a'", "", "wrt"),
    Case(
        "string tensor",
        lambda: tg.vjp(square, tf.constant("a")),
        tg.IntegerError,
        "vjp: primals[0] is string[]",
        "",
        "",
    ),
    Case(
        "list of ints",
        lambda: tg.grad(square)([1, 2]),
        tg.IntegerError,
        "args[0][0] is the Python int 1",
        "",
        "a list is a nest of its elements; for one tensor: tf.constant([...], tf.float32)",
    ),
    Case("quantized", lambda: tg.grad(square)(tf.cast(1, tf.qint8)), tg.IntegerError, "qint8[]", "", "tf.cast"),
    Case(
        "int ragged",
        lambda: tg.grad(square)(tf.ragged.constant([[1]])),
        tg.IntegerError,
        "a RaggedTensor int32",
        "",
        "",
    ),
    Case("variable", lambda: with_variable(wrt=COUNTER)(), tg.IntegerError, "counter", "floating", "tf.Variable(3.0)"),
    Case(
        "module",
        lambda: tg.grad(square, wrt=Records())(tf.constant(1.0)),
        tg.IntegerError,
        "count",
        "",
        "trainable=False",
    ),
    Case(
        "variable()",
        lambda: tg.variable({"n": 3}, name="p"),
        tg.IntegerError,
        "value['n'] is the Python int 3",
        "",
        "3.0",
    ),
    Case(
        "int value",
        lambda: tg.grad(lambda x: tf.cast(x, tf.int32))(3.0),
        tg.IntegerError,
        "f returned int32[]",
        "one real number",
        "tf.cast the inputs",
    ),
    Case(
        "int output",
        lambda: tg.jacobian(lambda x: {"n": tf.cast(x, tf.int32)})(x3),
        tg.IntegerError,
        "f returned, at y['n'], int32[3]",
        "floating",
        "has_aux",
    ),
    Case(
        "int cotangent",
        lambda: tg.vjp(square, x3)[1](tf.constant([1, 2, 3])),
        tg.IntegerError,
        "int32[3]",
        "float32[3]",
        "tf.cast",
    ),
]

TARGETS = [
    Case(
        "vector",
        lambda: tg.grad(square)(x3),
        tg.NotScalarError,
        "grad: f returned float32[3]",
        "one number, shape []",
        "tf.reduce_sum or tf.reduce_mean;\nor tfgrad.jacobian(f)",
    ),
    Case(
        "vector names its caller",
        lambda: tg.value_and_grad(square)(x3),
        tg.NotScalarError,
        "value_and_grad: f",
        "",
        "vjp",
    ),
    Case("one element", lambda: tg.grad(square)(x3[:1]), tg.NotScalarError, "float32[1]", "", "tf.squeeze"),
    Case("pair", lambda: tg.grad(lambda x: (x, 1))(1.0), tg.NotScalarError, "a tuple of 2", "", "has_aux=True"),
    Case("dict", lambda: tg.grad(lambda x: {"a": x})(1.0), tg.NotScalarError, "a dict of 1", "", "tfgrad.vjp"),
    Case("ragged", lambda: tg.grad(lambda r: r)(ragged), tg.NotScalarError, "a RaggedTensor", "", "tf.reduce_sum"),
    Case("complex", lambda: tg.grad(square)(1j), tg.NotScalarError, "complex128[], a complex", "real", "tf.math.real"),
    Case(
        "complex output",
        lambda: tg.jacobian(square)(tf.complex(x3, x3)),
        tg.NotScalarError,
        "complex64[3]",
        "four parts",
        "tf.math.imag",
    ),
    Case(
        "complex Hessian",
        lambda: tg.hessian(lambda z: tf.abs(z) ** 2)(1j),
        tg.NotScalarError,
        "an input is complex128",
        "real",
        "tf.complex",
    ),
    Case(
        "complex forward",
        lambda: tg.jacobian(tf.abs, mode="fwd")(tf.complex(x3, x3)),
        tg.NotScalarError,
        "mode='fwd'",
        "real",
        "",
    ),
    Case(
        "float",
        lambda: tg.grad(lambda x: math.sin(x))(1.0),
        tg.LeftTensorFlowError,
        "the Python float 0.8",
        "TensorFlow",
        "tf.sin for math.sin",
    ),
    Case(
        "numpy",
        lambda: tg.grad(lambda x: np.sum(x))(x3),
        tg.LeftTensorFlowError,
        "the NumPy number float32[]",
        "",
        "tf.reduce_mean for np.mean",
    ),
    Case(
        "array output",
        lambda: tg.vjp(lambda x: {"a": x.numpy()}, x3),
        tg.LeftTensorFlowError,
        "f returned, at y['a'], a NumPy array",
        "tensors",
        ".numpy()",
    ),
    Case(
        "None",
        lambda: tg.grad(lambda x: None)(1.0),
        tg.LeftTensorFlowError,
        "f returned None",
        "one number",
        "`return`",
    ),
    Case(
        "None of vjp",
        lambda: tg.vjp(lambda x: None, 1.0),
        tg.LeftTensorFlowError,
        "f returned None",
        "a nest",
        "`return`",
    ),
    Case(
        "string value",
        lambda: tg.grad(lambda x: "a")(1.0),
        tg.LeftTensorFlowError,
        "the string 'a'",
        "",
        "the tensor itself",
    ),
    Case(
        "KerasTensor value",
        lambda: tg.grad(lambda x: keras.Input((2,)))(1.0),
        tg.LeftTensorFlowError,
        "a KerasTensor",
        "",
        "real data",
    ),
    Case(
        "KerasTensor",
        lambda: tg.grad(square)(keras.Input((2,))),
        tg.LeftTensorFlowError,
        "args[0] is a KerasTensor float32[?, 2]",
        "values",
        "real data",
    ),
    Case(
        "no pair",
        lambda: tg.grad(square, has_aux=True)(1.0),
        tg.StructureError,
        "has_aux=True, and f returned float32[]",
        "(value, aux)",
        "leave has_aux out",
    ),
    Case(
        "other shape",
        lambda: tg.elementwise_grad(tf.reduce_sum)(x3),
        tg.StructureError,
        "float32[] from float32[3]",
        "the same place",
        "tfgrad.jacobian",
    ),
    Case(
        "ragged output",
        lambda: tg.jacobian(lambda x: tf.RaggedTensor.from_row_lengths(x, [1, 2]))(x3),
        tg.KindError,
        "a RaggedTensor",
        "dense",
        "values",
    ),
    Case(
        "ragged input",
        lambda: tg.jacobian(lambda r: r.flat_values)(ragged),
        tg.KindError,
        "args[0] is a RaggedTensor",
        "dense",
        "tfgrad.vjp",
    ),
]

ARGUMENTS = [
    Case(
        "None",
        lambda: tg.grad(square)(None),
        tg.StructureError,
        "args[0] is None",
        "something to differentiate",
        "wrt=",
    ),
    Case(
        "model",
        lambda: tg.grad(square)(keras.layers.Dense(1)),
        tg.KindError,
        "args[0] is the Dense",
        "a tensor",
        "wrt=model",
    ),
    Case(
        "function argument",
        lambda: tg.grad(square)(square),
        tg.KindError,
        "the function <lambda>, which is no number",
        "",
        "position",
    ),
    Case("object", lambda: tg.grad(square)({"o": object()}), tg.KindError, "args[0]['o'] is an object", "a tensor", ""),
    Case(
        "object array", lambda: tg.grad(square)(np.array([None, 1.0])), tg.KindError, "object[2]", "floating", "astype"
    ),
    Case(
        "record array",
        lambda: tg.grad(square)(np.zeros(2, [("a", "f4")])),
        tg.KindError,
        "can't hold",
        "",
        "one array a field",
    ),
    Case(
        "assign",
        lambda: tg.grad(lambda v: v.assign(3.0))(WEIGHT),
        tg.KindError,
        "f called assign() on an argument",
        "as its value",
        "wrt=variable",
    ),
    Case(
        "read_value",
        lambda: tg.grad(lambda v: v.read_value() ** 2)(WEIGHT),
        tg.KindError,
        "f called read_value() on an argument",
        "as its value",
        "x itself is the value",
    ),
    Case(
        "value in a graph",
        lambda: tf.function(lambda: tg.grad(lambda v: v.value() ** 2)(WEIGHT))(),
        tg.KindError,
        "f called value()",
        "",
        "",
    ),
    Case(
        "assign_add in a graph",
        lambda: tf.function(lambda: tg.grad(lambda v: v.assign_add(3.0))(WEIGHT))(),
        tg.KindError,
        "f called assign_add()",
        "",
        "",
    ),
    Case(
        "unconnected",
        lambda: tg.grad(lambda a, b: a, wrt=(0, 1))(1.0, [2.0, 3.0]),
        tg.UnconnectedError,
        "does not depend on args[1][0] and args[1][1]",
        "a path",
        "tfgrad.explain(f, ..., wrt=...)",
    ),
    Case(
        "unconnected, default",
        lambda: tg.grad(lambda a: tf.constant(1.0))(1.0),
        tg.UnconnectedError,
        "args[0]",
        "",
        'tfgrad.explain(f, ...) to see where it was lost;\nunconnected="zero"',
    ),
]
