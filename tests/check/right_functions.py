"""Functions whose derivatives are right, at points that are awkward for numbers: name -> (f, args).

Scales of 1e-6 and 1e6 side by side, kinks nearby, float32, large outputs, steep slopes, many dtypes and structures.
"""

# ruff: noqa: E501  a function a line

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

Case = tuple[Callable[..., Any], tuple[Any, ...]]
RNG = np.random.default_rng(5)


def d(*values: Any) -> tf.Tensor:
    return tf.constant(values if len(values) > 1 else values[0], tf.float64)


def s(*values: Any) -> tf.Tensor:
    return tf.constant(values if len(values) > 1 else values[0], tf.float32)


def normal(*shape: int) -> tf.Tensor:
    return tf.constant(RNG.normal(size=shape))


def positive(*shape: int) -> tf.Tensor:
    return tf.constant(RNG.uniform(0.3, 2.0, size=shape))


def unit(*shape: int) -> tf.Tensor:
    return tf.constant(RNG.uniform(-0.8, 0.8, size=shape))


def z(*shape: int) -> tf.Tensor:
    return tf.complex(normal(*shape), normal(*shape))


def spd(n: int) -> tf.Tensor:
    a = RNG.normal(size=(n, n))
    return tf.constant(a @ a.T + n * np.eye(n))


def sym(a: tf.Tensor) -> tf.Tensor:
    return (a + tf.linalg.matrix_transpose(a)) / 2


def scalar(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: tf.reduce_sum(f(*args))


MIXED = d(1e-6, 1.0, 1e6)
ELEMENTWISE: dict[str, tuple[Callable[..., Any], tf.Tensor]] = {
    "sin": (tf.sin, normal(4)),
    "cos": (tf.cos, normal(4)),
    "tan": (tf.tan, unit(4)),
    "asin": (tf.asin, unit(4)),
    "acos": (tf.acos, unit(4)),
    "atan": (tf.atan, normal(4)),
    "sinh": (tf.sinh, normal(4)),
    "cosh": (tf.cosh, normal(4)),
    "tanh": (tf.tanh, normal(4)),
    "asinh": (tf.asinh, normal(4)),
    "acosh": (tf.acosh, 1 + positive(4)),
    "atanh": (tf.atanh, unit(4)),
    "exp": (tf.exp, normal(4)),
    "expm1": (tf.math.expm1, normal(4)),
    "log": (tf.math.log, positive(4)),
    "log1p": (tf.math.log1p, positive(4)),
    "sqrt": (tf.sqrt, positive(4)),
    "rsqrt": (tf.math.rsqrt, positive(4)),
    "square": (tf.square, normal(4)),
    "reciprocal": (tf.math.reciprocal, positive(4)),
    "sigmoid": (tf.sigmoid, normal(4)),
    "softplus": (tf.nn.softplus, normal(4)),
    "softsign": (tf.nn.softsign, normal(4)),
    "elu": (tf.nn.elu, normal(4)),
    "selu": (tf.nn.selu, normal(4)),
    "gelu": (tf.nn.gelu, normal(4)),
    "swish": (tf.nn.silu, normal(4)),
    "relu": (tf.nn.relu, normal(4)),
    "relu6": (tf.nn.relu6, 4 * normal(4)),
    "leaky_relu": (tf.nn.leaky_relu, normal(4)),
    "abs": (tf.abs, normal(4)),
    "sign": (tf.sign, normal(4)),
    "floor": (tf.floor, normal(4)),
    "round": (tf.round, normal(4)),
    "erf": (tf.math.erf, normal(4)),
    "erfc": (tf.math.erfc, normal(4)),
    "erfinv": (tf.math.erfinv, unit(4)),
    "ndtri": (tf.math.ndtri, 0.5 + 0.5 * unit(4)),
    "lgamma": (tf.math.lgamma, positive(4)),
    "digamma": (tf.math.digamma, positive(4)),
    "bessel_i0": (tf.math.bessel_i0, normal(4)),
    "bessel_i1e": (tf.math.bessel_i1e, normal(4)),
    "log_sigmoid": (tf.math.log_sigmoid, normal(4)),
    "cube root": (lambda x: tf.sign(x) * tf.pow(tf.abs(x), 1 / 3), normal(4)),
}
CASES: dict[str, Case] = {name: (f, (x,)) for name, (f, x) in ELEMENTWISE.items()}
CASES |= {f"{name} in float32": (f, (tf.cast(x, tf.float32),)) for name, (f, x) in ELEMENTWISE.items()}
CASES |= {f"sum of {name}": (scalar(f), (x,)) for name, (f, x) in list(ELEMENTWISE.items())[::3]}
CASES |= {
    "log of mixed scales": (tf.math.log, (MIXED,)),
    "sum of logs of mixed scales": (scalar(tf.math.log), (MIXED,)),
    "square of mixed scales": (tf.square, (MIXED,)),
    "sum of squares of mixed scales": (scalar(tf.square), (MIXED,)),
    "sqrt of mixed scales": (tf.sqrt, (MIXED,)),
    "product of mixed scales": (lambda x: tf.reduce_prod(x), (MIXED,)),
    "mixed arguments": (lambda a, b: a * b + a / b, (d(1e-6), d(1e6))),
    "steep sine": (lambda x: tf.sin(1e6 * x), (d(0.3, 0.7),)),
    "steep sigmoid": (lambda x: tf.sigmoid(1e4 * (x - 0.5)), (d(0.5001, 0.4999, 0.2),)),
    "steep tanh in float32": (lambda x: tf.tanh(100 * x), (s(0.003, 0.01),)),
    "steep exponential": (lambda x: tf.exp(-1e5 * x), (d(1e-5, 2e-5),)),
    "a large constant": (lambda x: 1e6 + tf.sin(x), (d(0.5, 1.0),)),
    "a large constant in float32": (lambda x: 1e6 + tf.sin(x), (s(0.5, 1.0),)),
    "large outputs": (lambda x: 1e12 * tf.sin(x), (d(0.5, 1.0),)),
    "small outputs": (lambda x: 1e-12 * tf.sin(x), (d(0.5, 1.0),)),
    "large inputs of sine": (tf.sin, (d(1e6, 1e4),)),
    "log near zero": (tf.math.log, (d(1e-6, 1e-9, 1e-3),)),
    "reciprocal near zero": (lambda x: 1 / x, (d(1e-6, -1e-4),)),
    "sqrt near zero": (tf.sqrt, (d(1e-8, 1e-4),)),
    "acos near one": (tf.acos, (d(1 - 1e-6, -1 + 1e-4),)),
    "atanh near one": (tf.atanh, (d(1 - 1e-6),)),
    "relu with a kink nearby": (tf.nn.relu, (d(1e-5, -1e-5, 1e-7),)),
    "sum of relus with kinks nearby": (scalar(tf.nn.relu), (d(1e-5, -1e-5, 0.5),)),
    "relu at its kink": (tf.nn.relu, (d(0.0, 1.0, -1.0),)),
    "sum of relus at the kink": (scalar(tf.nn.relu), (d(0.0, 1.0, -1.0),)),
    "abs at its kink": (tf.abs, (d(0.0, 2.0),)),
    "abs shifted to a near kink": (lambda x: tf.abs(x - 1.00001), (d(1.0, 2.0),)),
    "maximum at a tie": (tf.maximum, (d(1.0, 2.0), d(1.0, 1.0))),
    "reduce_max at a tie": (tf.reduce_max, (d(1.0, 1.0, 0.0),)),
    "clip at its border": (lambda x: tf.clip_by_value(x, -1.0, 1.0), (d(1.0, 0.3, 5.0),)),
    "norm at zero": (tf.norm, (d(0.0, 0.0),)),
    "sqrt at zero": (tf.sqrt, (d(0.0, 1.0),)),
    "pow at zero": (lambda x: x**1.5, (d(0.0, 1.0),)),
    "acos at one": (tf.acos, (d(1.0, 0.5),)),
    "atan2 at the origin": (tf.atan2, (d(0.0), d(0.0))),
    "floor near a step": (tf.floor, (d(1.0 + 1e-7, 0.5),)),
    "relu of many zeros": (scalar(lambda x: tf.nn.relu(x) * tf.range(40.0, dtype=tf.float64)), (tf.zeros([40], tf.float64),)),
    "xlogy": (tf.math.xlogy, (d(0.5, 1.0), d(2.0, 3.0))),
    "divide_no_nan by zero": (tf.math.divide_no_nan, (d(1.0, 1.0), d(0.0, 2.0))),
    "where on both sides": (lambda x: tf.where(x > 0, x**2, -x), (d(1.0, -1.0),)),
    "the double where": (lambda x: tf.where(x > 0, tf.math.log(tf.where(x > 0, x, 1.0)), 0.0), (d(1.0, -1.0),)),
    "logsumexp of large numbers": (tf.reduce_logsumexp, (d(1000.0, 999.0, 0.0),)),
    "softmax far out": (tf.nn.softmax, (d(50.0, 0.0, -50.0),)),
    "log_softmax": (tf.nn.log_softmax, (normal(3, 4),)),
    "sigmoid far out": (tf.sigmoid, (d(40.0, -40.0, 700.0),)),
    "sigmoid far out in float32": (tf.sigmoid, (s(40.0, -40.0, 88.0),)),
    "tanh saturated in float32": (tf.tanh, (s(20.0, 9.0),)),
    "softplus far out in float32": (tf.nn.softplus, (s(-100.0, 100.0),)),
    "cross entropy": (lambda x: tf.nn.softmax_cross_entropy_with_logits(d([0.2, 0.3, 0.5]), x), (normal(3),)),
    "sparse cross entropy": (lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits([0, 2], x), (normal(2, 3),)),
    "sigmoid cross entropy": (lambda x: tf.nn.sigmoid_cross_entropy_with_logits(d(0.0, 1.0), x), (d(30.0, -30.0),)),
    "matmul": (tf.matmul, (normal(3, 4), normal(4, 2))),
    "matmul in float32": (tf.matmul, (tf.cast(normal(3, 4), tf.float32), tf.cast(normal(4, 2), tf.float32))),
    "batched matmul": (lambda a, b: tf.matmul(a, b, transpose_b=True), (normal(2, 3, 4), normal(2, 5, 4))),
    "matvec": (tf.linalg.matvec, (normal(4, 3), normal(3))),
    "einsum": (lambda a, b: tf.einsum("bij,jk->bik", a, b), (normal(2, 3, 4), normal(4, 2))),
    "tensordot": (lambda a, b: tf.tensordot(a, b, 1), (normal(3), normal(3))),
    "inverse": (tf.linalg.inv, (spd(3),)),
    "inverse, badly conditioned": (tf.linalg.inv, (d([[1.0, 1.0], [1.0, 1.00001]]),)),
    "determinant": (tf.linalg.det, (normal(3, 3),)),
    "log determinant": (lambda a: tf.linalg.slogdet(a)[1], (spd(3),)),
    "solve": (tf.linalg.solve, (spd(3), normal(3, 2))),
    "triangular solve": (lambda a, b: tf.linalg.triangular_solve(a, b), (spd(3), normal(3, 1))),
    "cholesky": (tf.linalg.cholesky, (spd(3),)),
    "cholesky, symmetrised": (lambda a: tf.linalg.cholesky(sym(a)), (spd(3),)),
    "eigenvalues": (lambda a: tf.linalg.eigvalsh(a), (spd(3),)),
    "eigenvalues, symmetrised": (lambda a: tf.linalg.eigvalsh(sym(a)), (spd(3),)),
    "singular values": (lambda a: tf.linalg.svd(a, compute_uv=False), (normal(3, 2),)),
    "lstsq": (lambda a, b: tf.linalg.lstsq(a, b, fast=True), (normal(4, 2), normal(4, 1))),
    "expm": (tf.linalg.expm, (normal(3, 3),)),
    "qr": (lambda a: tf.linalg.qr(a)[1], (normal(3, 2),)),
    "matrix square root": (tf.linalg.sqrtm, (spd(2),)),
    "trace": (tf.linalg.trace, (normal(3, 3),)),
    "diag": (tf.linalg.diag, (normal(3),)),
    "band_part": (lambda a: tf.linalg.band_part(a, 1, 0), (normal(3, 3),)),
    "cross": (tf.linalg.cross, (normal(3), normal(3))),
    "normalize": (lambda x: tf.linalg.normalize(x)[0], (normal(3),)),
    "global norm": (lambda a, b: tf.linalg.global_norm([a, b]), (normal(3), normal(2))),
    "cumsum": (tf.cumsum, (normal(5),)),
    "cumprod": (tf.math.cumprod, (positive(5),)),
    "cumulative logsumexp": (tf.math.cumulative_logsumexp, (normal(4),)),
    "reduce_prod with a zero": (tf.reduce_prod, (d(0.0, 2.0, 3.0),)),
    "reduce_std": (tf.math.reduce_std, (normal(4),)),
    "reduce_variance": (tf.math.reduce_variance, (normal(4),)),
    "reduce_mean": (tf.reduce_mean, (normal(3, 4),)),
    "sort": (tf.sort, (normal(5),)),
    "top_k": (lambda x: tf.math.top_k(x, 2)[0], (normal(5),)),
    "gather with repeats": (lambda x: tf.gather(x, [0, 2, 2]), (normal(3, 2),)),
    "gather_nd": (lambda x: tf.gather_nd(x, [[0, 1], [0, 1]]), (normal(2, 2),)),
    "scatter_nd": (lambda x: tf.scatter_nd([[1], [1]], x, [3]), (normal(2),)),
    "segment_sum": (lambda x: tf.math.segment_sum(x, [0, 0, 1]), (normal(3),)),
    "segment_max": (lambda x: tf.math.segment_max(x, [0, 0, 1]), (normal(3),)),
    "embedding": (lambda w: tf.nn.embedding_lookup(w, [0, 1, 1]), (normal(3, 2),)),
    "conv1d": (lambda x, k: tf.nn.conv1d(x, k, 1, "SAME"), (normal(1, 5, 2), normal(3, 2, 2))),
    "conv2d": (lambda x, k: tf.nn.conv2d(x, k, 1, "VALID"), (normal(1, 4, 4, 1), normal(2, 2, 1, 2))),
    "depthwise conv": (lambda x, k: tf.nn.depthwise_conv2d(x, k, [1, 1, 1, 1], "SAME"), (normal(1, 3, 3, 2), normal(2, 2, 2, 1))),
    "avg_pool": (lambda x: tf.nn.avg_pool2d(x, 2, 2, "VALID"), (normal(1, 4, 4, 1),)),
    "max_pool": (lambda x: tf.nn.max_pool2d(x, 2, 2, "VALID"), (normal(1, 4, 4, 1),)),
    "batch norm": (lambda x: tf.nn.batch_normalization(x, 0.1, 2.0, 0.3, 1.5, 1e-3), (normal(3),)),
    "moments": (lambda x: tf.nn.moments(x, [0])[1], (normal(4, 2),)),
    "l2_loss": (tf.nn.l2_loss, (normal(3),)),
    "huber": (lambda x: tf.keras.losses.huber(tf.zeros([3], tf.float32), x), (s(0.3, -2.0, 0.5),)),
    "pow by exponent": (tf.pow, (positive(3), normal(3))),
    "atan2": (tf.atan2, (normal(3), normal(3))),
    "betainc": (lambda x: tf.math.betainc(d(1.0), d(2.0), x), (d(0.3),)),
    "igamma": (lambda x: tf.math.igamma(d(2.0), x), (positive(3),)),
    "zeta": (lambda q: tf.math.zeta(d(2.5), q), (positive(2),)),
    "polygamma": (lambda x: tf.math.polygamma(d(1.0), x), (positive(2),)),
    "fft": (tf.signal.fft, (z(5),)),
    "rfft": (tf.signal.rfft, (normal(6),)),
    "irfft": (tf.signal.irfft, (z(4),)),
    "fft2d": (tf.signal.fft2d, (z(2, 3),)),
    "dct": (tf.signal.dct, (tf.cast(normal(5), tf.float32),)),
    "stft": (lambda x: tf.signal.stft(x, 4, 2), (tf.cast(normal(9), tf.float32),)),
    "frame": (lambda x: tf.signal.frame(x, 3, 1), (normal(6),)),
    "complex product": (lambda a, b: a * b, (z(3), z(3))),
    "complex conj": (tf.math.conj, (z(3),)),
    "complex abs": (tf.abs, (z(3),)),
    "complex angle": (tf.math.angle, (z(3),)),
    "complex exp": (tf.exp, (z(3),)),
    "complex log": (tf.math.log, (z(3),)),
    "complex sqrt": (tf.sqrt, (z(3),)),
    "complex matmul": (tf.matmul, (z(2, 3), z(3, 2))),
    "complex inverse": (tf.linalg.inv, (z(2, 2),)),
    "complex64": (lambda a: a * a, (tf.cast(z(3), tf.complex64),)),
    "real and imaginary parts": (lambda a: (tf.math.real(a), tf.math.imag(a)), (z(3),)),
    "bfloat16": (lambda x: x * x, (tf.constant([1.5, -2.0, 0.5], tf.bfloat16),)),
    "half": (lambda x: tf.sin(x), (tf.constant([1.5, -2.0, 0.5], tf.float16),)),
    "half only": (lambda x: x * tf.constant([2.0, 3.0], tf.float16), (tf.constant([1.5, -2.0], tf.float16),)),
    "bfloat16 only": (lambda x: tf.exp(x * tf.constant([2.0, 3.0], tf.bfloat16)), (tf.constant([0.5, -1.0], tf.bfloat16),)),
    "float32 only": (lambda x: tf.sin(x * tf.constant([2.0, 3.0])) / x, (s(0.5, -1.0),)),
    "float32 only, steep": (lambda x: tf.tanh(x * tf.constant([50.0, 3.0])), (s(0.02, -1.0),)),
    "float32 inside float64": (lambda x: tf.cast(tf.sin(tf.cast(x, tf.float32)), tf.float64), (d(0.5, 1.0, 2.0),)),
    "bfloat16 inside float32": (lambda x: tf.cast(tf.cast(x, tf.bfloat16) * 2, tf.float32), (s(0.5, 1.3, 2.0),)),
    "bfloat16 inside, and a curve": (lambda x: tf.cast(tf.tanh(tf.cast(x, tf.bfloat16)), tf.float32), (s(0.3, -1.2, -0.9),)),
    "x |x| at zero": (lambda x: x * tf.abs(x), (d(0.0, 1e-6, -1.0),)),
    "relu cubed at zero": (lambda x: tf.nn.relu(x) ** 3, (d(0.0, 1e-5, -1e-5, 2.0),)),
    "a very steep sine": (lambda x: tf.sin(1e8 * x), (d(0.3, 0.7, -0.8),)),
    "a cube by angle and modulus": (lambda a: tf.cast(tf.linalg.eigvalsh(a + tf.linalg.adjoint(a)), tf.complex128) ** 3, (z(3, 3),)),
    "an angle near zero": (lambda x, y: tf.acos(tf.reduce_sum(x * y) / (tf.norm(x) * tf.norm(y))), (d(1.0, 0.0), d(1.0, 1e-4))),
    "the median of a tie": (lambda x: tf.sort(x)[2], (d(1.0, 1.0, 1.0, 2.0, 0.0),)),
    "a sort with ties": (lambda x: tf.sort(tf.concat([x, [0.0]], 0)), (d(0.0, 1.0, -2.0, 0.0),)),
    "a dict": (lambda p: p["w"] * 2 + p["b"], ({"w": normal(3), "b": d(1.0)},)),
    "a nest with ints": (lambda p: p["w"][0] * p["k"] + p["w"][1], ({"w": [d(1.0), d(2.0)], "k": 3.0, "n": 5, "s": "t"},)),
    "an int tensor beside": (lambda x, i: tf.gather(x, i), (normal(3), tf.constant([0, 2]))),
    "Python floats": (lambda a, b: tf.sin(a) * b, (0.5, 2.0)),
    "NumPy arrays": (lambda a: tf.reduce_sum(a**3), (np.array([1.0, 2.0]),)),
    "a Variable as argument": (lambda v: v * v, (tf.Variable([1.0, 2.0]),)),
    "ragged": (lambda r: r * 2.0 + tf.reduce_sum(r), (tf.ragged.constant([[1.0, 2.0], [3.0]], tf.float64),)),
    "sparse": (lambda a: tf.sparse.reduce_sum(a, 0), (tf.sparse.from_dense(d([[1.0, 0.0], [2.0, 3.0]])),)),
    "sparse matmul": (tf.sparse.sparse_dense_matmul, (tf.sparse.from_dense(d([[1.0, 0.0], [2.0, 3.0]])), normal(2, 2))),
    "several outputs": (lambda x: {"a": tf.sin(x), "b": (x * 1e6, x * 1e-6)}, (normal(3),)),
    "an int output beside": (lambda x: (x**2, tf.argmax(x)), (normal(3),)),
    "an unused argument": (lambda a, b: a * 2.0, (normal(2), normal(2))),
    "a constant": (lambda x: tf.constant(3.0, tf.float64), (normal(2),)),
    "empty": (lambda x: x * 2.0, (tf.zeros([0], tf.float64),)),
    "empty beside": (lambda a, b: (a * 2.0, b * 3.0), (tf.zeros([0, 3], tf.float64), normal(2))),
    "scalar shape": (lambda x: x**3, (d(1.5),)),
    "a large linear map": (lambda x: tf.reduce_sum(x * tf.range(20_000.0, dtype=tf.float64)), (normal(20_000),)),
    "while_loop": (lambda x: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.sin(y)), (0, x))[1], (normal(2),)),
    "map_fn": (lambda x: tf.map_fn(lambda r: r * r, x), (normal(3),)),
    "scan": (lambda x: tf.scan(lambda a, r: a * r, x), (positive(3),)),
    "tf.function": (tf.function(lambda x: tf.sin(x) * x), (normal(3),)),
    "custom rule, log1pexp": (tf.custom_gradient(lambda x: (tf.math.log1p(tf.exp(x)), lambda dy: dy * tf.sigmoid(x))), (normal(3),)),
    "crop_and_resize": (lambda x: tf.image.crop_and_resize(x, [[0.1, 0.1, 0.9, 0.8]], [0], [3, 3]), (tf.cast(normal(1, 4, 4, 1), tf.float32),)),
    "total variation": (tf.image.total_variation, (normal(3, 3, 1),)),
    "rgb to gray": (tf.image.rgb_to_grayscale, (normal(2, 2, 3),)),
    "random, stateless": (lambda m: m + tf.random.stateless_normal([3], [1, 2], dtype=tf.float64), (normal(3),)),
    "cancellation": (lambda x: (1 - tf.cos(x)) / x**2, (d(1e-3, 0.5),)),
    "cancellation in float32": (lambda x: (1 - tf.cos(x)) / x**2, (s(0.1, 0.5),)),
    "oscillation on a slope": (lambda x: x + 1e-3 * tf.sin(1e3 * x), (d(0.3),)),
    "a polynomial of degree 20": (lambda x: tf.math.polyval([d(1.0)] * 21, x), (d(1.1, -0.9),)),
    "Rosenbrock": (lambda x: tf.reduce_sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), (normal(5),)),
    "distance to itself shifted": (lambda x: tf.norm(x - (x + 1e-4)), (normal(3),)),
    "periodic with jumps": (lambda x: x - tf.floor(x), (d(0.3, 2.7),)),
    "float mod": (lambda x: tf.math.floormod(x, d(0.7)), (d(0.3, 2.7),)),
}  # fmt: skip

# TensorFlow's own second derivatives are wrong there: `moments` stops the gradient of the mean inside the variance, and
# forward over reverse mode of cumulative_logsumexp is NaN (2.21).
FIRST_ORDER_ONLY = {"moments", "cumulative logsumexp"}
