"""Functions with a fault in their derivative: name -> (f, args, what the check has to say about it)."""

# ruff: noqa: E501  a function a line

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

RNG = np.random.default_rng(7)


@dataclass(frozen=True)
class Wrong:
    """A faulty function: which input is to be named, which element (any if None), what words the reason has."""

    f: Callable[..., Any]
    args: tuple[Any, ...]
    input: str = "args[0]"
    element: str | None = None
    reason: str = ""
    order: int = 1
    wrt: Any = None
    more: dict[str, Any] = field(default_factory=dict)


def normal(*shape: int) -> tf.Tensor:
    return tf.constant(RNG.normal(size=shape))


def ruled(f: Callable[..., Any], rule: Callable[..., Any]) -> Callable[..., Any]:
    """f with another derivative: rule(dy, *args) gives one gradient, or a tuple of them."""

    @tf.custom_gradient
    def with_rule(*args: Any) -> Any:
        def grad(dy: Any) -> Any:
            return rule(dy, *args)

        return f(*args), grad

    return with_rule


def square(rule: Callable[..., Any]) -> Callable[..., Any]:
    return ruled(lambda x: x * x, rule)


def wrong_at(index: int, size: int, by: float = 1.5) -> tf.Tensor:
    return tf.one_hot(index, size, on_value=tf.constant(by, tf.float64), off_value=tf.constant(1.0, tf.float64))


def only_second_order(x: tf.Tensor) -> tf.Tensor:
    slope = ruled(lambda x: 3 * x**2, lambda dy, x: 5 * x * dy)
    return ruled(lambda x: x**3, lambda dy, x: slope(x) * dy)(x)


M = normal(3, 3)
A = normal(4, 3)
X = tf.constant([0.5, -1.0, 2.0, 0.7], tf.float64)
XF = tf.cast(X, tf.float32)
Z = tf.complex(normal(3), normal(3))
V = tf.Variable([0.5, -1.0], dtype=tf.float32, name="weight")
CALLS = [0.0]


def fresh_noise(dy: Any, x: tf.Tensor) -> tf.Tensor:
    CALLS[0] += 1.0
    return 2 * x * dy * (1 + 1e-3 * CALLS[0])


def every_second_time(dy: Any, x: tf.Tensor) -> tf.Tensor:
    CALLS[0] += 1.0
    return 2 * x * dy * (1.01 if CALLS[0] % 2 else 1.0)


CASES: dict[str, Wrong] = {
    "sign": Wrong(square(lambda dy, x: -2 * x * dy), (X,), reason="the sign"),
    "sign in float32": Wrong(square(lambda dy, x: -2 * x * dy), (XF,), reason="the sign"),
    "factor of 2": Wrong(square(lambda dy, x: 4 * x * dy), (X,), reason="2 times"),
    "half": Wrong(square(lambda dy, x: x * dy), (X,), reason="half"),
    "a tenth of a percent": Wrong(square(lambda dy, x: 2.002 * x * dy), (X,), reason="1.001 times"),
    "a ten-thousandth": Wrong(square(lambda dy, x: 2.0002 * x * dy), (X,), reason="1.0001 times"),
    "a tenth of a percent in float32": Wrong(square(lambda dy, x: 2.002 * x * dy), (XF,), reason="1.001 times"),
    "five percent, no float64": Wrong(
        ruled(lambda x: x * x * tf.constant(1.0), lambda dy, x: 2.1 * x * dy), (XF,), reason="times"
    ),
    "mean for sum": Wrong(ruled(tf.reduce_sum, lambda dy, x: dy * tf.ones_like(x) / 4), (X,), reason="a quarter"),
    "mean for sum of ten": Wrong(
        ruled(tf.reduce_sum, lambda dy, x: dy * tf.ones_like(x) / 10), (normal(10),), reason="number of its elements"
    ),
    "transposed": Wrong(ruled(lambda m: m * m * M, lambda dy, m: tf.transpose(2 * m * M * dy)), (M,), reason="transpose"),
    "matrix from the wrong side": Wrong(
        ruled(lambda x: tf.linalg.matvec(M, x), lambda dy, x: tf.linalg.matvec(M, dy)), (normal(3),), reason="transposed"
    ),
    "missing term": Wrong(ruled(lambda x: x**2 + 3 * x, lambda dy, x: 2 * x * dy), (X,), reason="missing term: 3 * dy"),
    "missing term, times x": Wrong(ruled(lambda x: x**2 + tf.sin(x), lambda dy, x: tf.cos(x) * dy), (X,), reason="missing term: 2 * dy * x"),
    "missing term, unlike": Wrong(ruled(lambda x: tf.exp(x) + tf.sin(x), lambda dy, x: tf.cos(x) * dy), (X,), reason="missing"),
    "argument of the other": Wrong(
        ruled(lambda a, b: a * b * b, lambda dy, a, b: (2 * a * b * dy, 2 * a * b * dy)),
        (normal(3), normal(3)),
        reason="another argument: args[1]",
    ),
    "second argument wrong": Wrong(
        ruled(lambda a, b: a * b, lambda dy, a, b: (b * dy, -a * dy)), (normal(3), normal(3)), input="args[1]", reason="sign"
    ),
    "second argument forgotten": Wrong(
        ruled(lambda a, b: a * b, lambda dy, a, b: (b * dy, None)), (normal(3), normal(3)), input="args[1]", reason="None"
    ),
    "frozen cotangent": Wrong(square(lambda dy, x: 2 * x * tf.stop_gradient(dy)), (X,), reason="zero"),
    "frozen cotangent, reverse mode alone": Wrong(
        square(lambda dy, x: 2 * x * tf.stop_gradient(dy)),
        (X,),
        input="cotangent",
        order=2,
        reason="silently missing",
        more={"modes": ("rev",)},
    ),
    "dropped cotangent": Wrong(square(lambda dy, x: 2 * x), (X,), reason="not used"),
    "averaged cotangent": Wrong(square(lambda dy, x: 2 * x * tf.reduce_mean(dy)), (X,), reason="averaged"),
    "clipped cotangent": Wrong(square(lambda dy, x: 2 * x * tf.clip_by_value(dy, -3.0, 3.0)), (X,), reason="not linear"),
    "clipped cotangent, norm": Wrong(square(lambda dy, x: 2 * x * tf.clip_by_norm(dy, 5.0)), (X,), reason="not linear"),
    "absolute cotangent": Wrong(square(lambda dy, x: 2 * x * tf.abs(dy)), (X,), reason="not linear"),
    "squared cotangent": Wrong(square(lambda dy, x: 2 * x * dy * dy), (X,), reason="not linear"),
    "small cotangents lost": Wrong(square(lambda dy, x: 2 * x * tf.where(tf.abs(dy) < 1e-2, 0.0, dy)), (X,), reason="not linear"),
    "large cotangents clipped": Wrong(square(lambda dy, x: 2 * x * tf.clip_by_norm(dy, 100.0)), (X,), reason="not linear"),
    "wrong every second time": Wrong(square(every_second_time), (X,), reason="differently when called twice"),
    "TensorFlow's cumprod at a zero": Wrong(tf.math.cumprod, (tf.constant([1.0, 0.0, 3.0], tf.float64),), element="args[0][1]"),
    "TensorFlow's xlogy at zero": Wrong(lambda x: tf.math.xlogy(x, tf.constant([2.0, 3.0], tf.float64)), (tf.constant([0.0, 1.0], tf.float64),), element="args[0][0]"),
    "unreduced broadcast": Wrong(
        ruled(lambda a, b: a + b, lambda dy, a, b: (dy, dy)), (normal(2, 3), normal(3)), input="args[1]", reason="summed"
    ),
    "one element of ten thousand": Wrong(
        square(lambda dy, x: 2 * x * dy * wrong_at(4321, 10_000)), (normal(10_000),), element="args[0][4321]", reason="one element"
    ),
    "one element of ten thousand, summed": Wrong(
        ruled(lambda x: tf.reduce_sum(x * x), lambda dy, x: 2 * x * dy * wrong_at(777, 10_000)),
        (normal(10_000),),
        element="args[0][777]",
        reason="one element",
    ),
    "one element of a million in the Jacobian": Wrong(
        ruled(
            lambda x: tf.linalg.matvec(BIG, x),
            lambda dy, x: tf.linalg.matvec(BIG, dy, transpose_a=True)
            + tf.one_hot(17, 1000, dtype=tf.float64) * dy[23] * 0.01,
        ),
        (normal(1000),),
        element="args[0][17]",
    ),
    "one element of five": Wrong(
        square(lambda dy, x: 2 * x * dy * wrong_at(2, 5)), (normal(5),), element="args[0][2]", reason="one element"
    ),
    "one element, a ten-thousandth": Wrong(
        square(lambda dy, x: 2 * x * dy * wrong_at(321, 1000, 1.0001)), (normal(1000),), element="args[0][321]"
    ),
    "one element of a thousand in float32": Wrong(
        square(lambda dy, x: 2 * x * dy * tf.cast(wrong_at(321, 1000), x.dtype)),
        (tf.cast(normal(1000), tf.float32),),
        element="args[0][321]",
    ),
    "only where negative": Wrong(
        square(lambda dy, x: tf.where(x < 0, x, 2 * x) * dy), (X,), element="args[0][1]", reason="negative"
    ),
    "second order only": Wrong(only_second_order, (X,), order=2, reason="times"),
    "not conjugated": Wrong(ruled(lambda z: z * z, lambda dy, z: dy * 2 * z), (Z,), reason="conjugate"),
    "conjugated too much": Wrong(ruled(lambda z: 3 * z, lambda dy, z: 3 * tf.math.conj(dy)), (Z,), reason="conj"),
    "imaginary part lost": Wrong(
        ruled(lambda z: z * z, lambda dy, z: tf.cast(tf.math.real(dy * 2 * tf.math.conj(z)), z.dtype)),
        (Z,),
        reason="imaginary part is missing",
    ),
    "reversed": Wrong(ruled(lambda x: x[::-1] * 2.0, lambda dy, x: dy * 2.0), (X,), reason="reversed"),
    "shifted": Wrong(ruled(lambda x: tf.roll(x, 1, 0), lambda dy, x: dy), (X,), reason="shifted"),
    "zero": Wrong(square(lambda dy, x: tf.zeros_like(x)), (X,), reason="zero"),
    "stopped": Wrong(lambda x: tf.stop_gradient(x) * x, (X,), reason="half"),
    "stopped wholly": Wrong(lambda x: tf.stop_gradient(x * x), (X,), reason="None"),
    "NaN": Wrong(lambda x: tf.where(x > 0, x**0.5, 0.0), (X,), element="args[0][1]", reason="nan"),
    "NaN for a smooth norm": Wrong(lambda x: tf.norm(x) ** 2, (tf.zeros([2], tf.float64),), reason="nan"),
    "inf": Wrong(square(lambda dy, x: 2 * x * dy / tf.constant([1.0, 0.0, 1.0, 1.0], tf.float64)), (X,), element="args[0][1]"),
    "fresh noise in the rule": Wrong(square(fresh_noise), (X,), reason="differently when called twice"),
    "fresh noise in f": Wrong(lambda x: x * tf.random.normal([], dtype=tf.float64), (X,), input="its arguments", reason="f answers differently"),
    "wrong dtype": Wrong(ruled(lambda x: tf.cast(x, tf.float32) * 2, lambda dy, x: dy * 2), (X,), reason="float32"),
    "only in float32": Wrong(
        square(lambda dy, x: (2.1 if x.dtype == tf.float32 else 2.0) * x * dy), (XF,), reason="times"
    ),
    "a rule that raises": Wrong(square(lambda dy, x: dy @ x), (X,), reason="raises"),
    "scalar": Wrong(square(lambda dy, x: 2.5 * x * dy), (tf.constant(1.5, tf.float64),), element="args[0]", reason="1.25 times"),
    "a dict's leaf": Wrong(
        lambda p: square(lambda dy, x: 3 * x * dy)(p["w"]) + p["b"],
        ({"w": normal(2), "b": normal(2)},),
        input="args[0]['w']",
        reason="1.5 times",
    ),
    "a Variable": Wrong(
        lambda: square(lambda dy, x: 3 * x * dy)(tf.convert_to_tensor(V)), (), input="weight", wrt=V, reason="1.5"
    ),
    "a Variable of two": Wrong(lambda x: tf.stop_gradient(V) * x + V, (tf.constant([1.0, 2.0]),), input="weight", wrt=V),
    "relu's rule at x > 1": Wrong(ruled(tf.nn.relu, lambda dy, x: tf.where(x > 1, dy, 0.0)), (X,), reason="2 elements only"),
    "softmax without its second term": Wrong(
        ruled(tf.nn.softmax, lambda dy, x: tf.nn.softmax(x) * dy), (normal(4),), reason="missing or wrong term"
    ),
    "large outputs": Wrong(ruled(lambda x: 1e9 * tf.sin(x), lambda dy, x: 1.001e9 * tf.cos(x) * dy), (X,), reason="1.001"),
    "mixed scales": Wrong(
        ruled(lambda x: x * x, lambda dy, x: 2 * x * dy * tf.constant([1.01, 1.0, 1.0], tf.float64)),
        (tf.constant([1e-6, 1.0, 1e6], tf.float64),),
        element="args[0][0]",
    ),
    "mixed scales, summed": Wrong(
        ruled(
            lambda x: tf.reduce_sum(tf.math.log(x)),
            lambda dy, x: dy / x * tf.constant([1.01, 1.0, 1.0], tf.float64),
        ),
        (tf.constant([1e-6, 1.0, 1e6], tf.float64),),
        element="args[0][0]",
    ),
    "beside a kink": Wrong(
        ruled(lambda x: tf.reduce_sum(tf.nn.relu(x)), lambda dy, x: dy * tf.cast(x > 0, tf.float64) * 1.01),
        (tf.constant([0.0, 1.0, -1.0], tf.float64),),
        element="args[0][1]",
    ),
    "steep": Wrong(ruled(lambda x: tf.sin(1e6 * x), lambda dy, x: 1.01e6 * tf.cos(1e6 * x) * dy), (X,), reason="1.01"),
    "matmul, second forgotten transpose": Wrong(
        ruled(tf.matmul, lambda dy, a, b: (dy @ tf.transpose(b), a @ dy)), (M, M + 1), input="args[1]"
    ),
    "inside tf.function": Wrong(tf.function(lambda x: square(lambda dy, x: -2 * x * dy)(x)), (X,), reason="sign"),
    "ragged": Wrong(
        lambda r: r.with_flat_values(square(lambda dy, x: 3 * x * dy)(r.flat_values)),
        (tf.ragged.constant([[1.0, 2.0], [3.0]], tf.float64),),
        input="args[0].flat_values",
        reason="1.5",
    ),
    "several outputs, the small one": Wrong(
        lambda x: (x * 1e6, square(lambda dy, x: -2 * x * dy)(x * 1e-6)), (X,), reason="sign"
    ),
}  # fmt: skip
BIG = normal(1000, 1000)
