"""What to type where a gradient is not finite: by cause, op, the number that the op was given, and the dtype.

Small numbers are adapted: 1e-12 is 0 in float16.
"""

from __future__ import annotations

import re

# Numbers as they are written for float32, and what stands for them where a dtype has fewer digits or a smaller range.
_IN_DTYPE = {
    # The slope of rsqrt grows as the power -1.5: at 1e-4 it does not fit into float16.
    "float16": {
        "rsqrt(s + 1e-12": "rsqrt(s + 1e-3",
        "1e-12": "1e-4",
        "1e-7": "1e-4",
        "1e-6": "1e-3",
        "-1e9": "-6e4",
        "20.0": "10.0",
    },
    "bfloat16": {"1e-7": "1e-3", "1e-6": "1e-2"},
}
_WIDER = "or compute this part in float32: tf.cast(x, tf.float32)"


def advice(cause: str, op: str, given: float | None = None, dtype: str = "float32") -> str | None:
    """The advice for an op, None where the cause's own words have to do.

    Args:
        cause: the cause's code.
        op: the op's type.
        given: the number that it was given where it broke, if that is known.
        dtype: the name of the dtype that it computes in.
    """
    if cause == "singular-point":
        found = _BELOW_ZERO.get(op) if given is not None and given < 0 else None
        found = found or SINGULAR_ADVICE.get(op)
    else:
        found = {"overflow": _OVERFLOW_ADVICE, "where-trap": _TRAP_ADVICE}.get(cause, {}).get(op)
    return found and in_dtype(found, dtype)


def in_dtype(advice: str, dtype: str) -> str:
    """An advice with numbers that the dtype can hold."""
    changes = _IN_DTYPE.get(dtype)
    if changes is None:
        return advice
    pattern = "|".join(re.escape(number) for number in changes)
    adapted = re.sub(pattern, lambda found: changes[found.group()], advice)
    return adapted if "float32" in adapted else f"{adapted}\n{_WIDER}"


_DIVIDE = (
    "tf.math.divide_no_nan(a, b), which is 0 where b is 0, gradient included; or add an epsilon to b;\n"
    "a scale stays above 0 as tf.nn.softplus(b) + 1e-6"
)
_MASK = "leave one element of every row unmasked, or mask with a large finite number:\ntf.where(mask, x, -1e9)"
SINGULAR_ADVICE = {
    "Sqrt": (
        "add an epsilon inside: tf.sqrt(s + 1e-12); for a norm tf.sqrt(tf.reduce_sum(x**2, axis) + 1e-12);\n"
        "or the double where: ok = s > 0; tf.where(ok, tf.sqrt(tf.where(ok, s, 1.0)), 0.0)"
    ),
    "Rsqrt": "add an epsilon inside: tf.math.rsqrt(s + 1e-12)",
    "Log": "add an epsilon inside, tf.math.log(p + 1e-7), or use a loss that takes logits: tf.nn.log_softmax(logits)",
    "RealDiv": _DIVIDE,
    "Div": _DIVIDE,
    "Xdivy": _DIVIDE,
    "Reciprocal": _DIVIDE,
    "Pow": "keep the base above 0: tf.pow(x + 1e-12, p), or tf.square(x) for a square",
    "Acos": "keep its input inside (-1, 1): tf.acos(tf.clip_by_value(c, -1 + 1e-6, 1 - 1e-6))",
    "Asin": "keep its input inside (-1, 1): tf.asin(tf.clip_by_value(c, -1 + 1e-6, 1 - 1e-6))",
    "Atanh": "keep its input inside (-1, 1): tf.atanh(tf.clip_by_value(c, -1 + 1e-6, 1 - 1e-6))",
    "Acosh": "keep its input above 1: tf.acosh(1.0 + 1e-6 + t)",
    "Atan2": "stay off the origin: add an epsilon to x, tf.atan2(y, x + 1e-12)",
    "MatrixInverse": "add a little to the diagonal: a + 1e-6 * tf.eye(n), or use tf.linalg.pinv(a)",
    "MatrixSolve": "add a little to the diagonal: a + 1e-6 * tf.eye(n), or use tf.linalg.lstsq",
    "MatrixTriangularSolve": "keep the diagonal away from 0: a + 1e-6 * tf.eye(n)",
    "MatrixDeterminant": "add a little to the diagonal: tf.linalg.det(a + 1e-6 * tf.eye(n)), or use tf.linalg.slogdet",
    "Cholesky": "add a little to the diagonal: tf.linalg.cholesky(a + 1e-6 * tf.eye(n))",
    "Qr": "add a little to the diagonal: tf.linalg.qr(a + 1e-6 * tf.eye(n))",
    "Mean": "guard against an empty batch: tf.math.divide_no_nan(tf.reduce_sum(x), n)",
    "Softmax": _MASK,
    "LogSoftmax": _MASK,
    "Mul": (
        "pick with tf.where(mask, x, y) in place of multiplying with a mask, and use a large finite number, -1e9, for\n"
        "-inf; for p * log(p) use tf.math.xlogy(p, p), which is 0 at 0"
    ),
}
WEIGHED_LOG = "for p * log(p) use tf.math.xlogy(p, p), which is 0 at 0"
_BELOW_ZERO = {
    "Sqrt": "find out why it is below 0 (rounding in a variance?), or keep it above: tf.sqrt(tf.nn.relu(s) + 1e-12)",
    "Rsqrt": "find out why it is below 0, or keep it above: tf.math.rsqrt(tf.nn.relu(s) + 1e-12)",
    "Log": "find out why it is below 0, or keep it above: tf.math.log(tf.maximum(p, 1e-7))",
    "Pow": "a number below 0 has no power with a fraction: tf.sign(x) * tf.pow(tf.abs(x) + 1e-12, p)",
}
_GROWING = "keep the product from growing: smaller or orthogonal weights, a norm after each step, gradient clipping"
_NARROW = "scale the numbers down first, clip them, or compute this part in a wider dtype: tf.cast(x, tf.float32)"
_OVERFLOW_ADVICE = {
    "Exp": (
        "use the form that never grows: tf.nn.softmax, tf.nn.softplus, tf.nn.sigmoid, tf.reduce_logsumexp;\n"
        "or subtract the maximum first: tf.exp(x - tf.reduce_max(x));\n"
        "for a scale or a ratio limit the exponent: tf.exp(tf.clip_by_value(x, -20.0, 20.0))"
    ),
    "Square": _NARROW,
    "Pow": _NARROW,
    "Sum": _NARROW,
    "Cast": _NARROW,
    "Mul": _GROWING,
    "MatMul": _GROWING,
    "BatchMatMulV2": _GROWING,
    "Einsum": _GROWING,
}
SCALED_LOSS = (
    "a smaller loss scale (keras.mixed_precision.LossScaleOptimizer lowers it by itself and skips the step),\n"
    "or compute this part in float32: tf.cast(x, tf.float32)"
)
_DOUBLE = "ok = {ok}\nsafe = tf.where(ok, {x}, 1.0)\ny = tf.where(ok, {f}, 0.0)"
_TRAP_ADVICE = {
    "Log": "make the branch's input safe first (the double where):\n"
    + _DOUBLE.format(ok="x > 0.0", x="x", f="tf.math.log(safe)"),
    "RealDiv": "divide by something safe (the double where), or use tf.math.divide_no_nan(a, b):\n"
    + _DOUBLE.format(ok="b != 0.0", x="b", f="a / safe"),
    "Sqrt": "make the branch's input safe first (the double where):\n"
    + _DOUBLE.format(ok="s > 0.0", x="s", f="tf.sqrt(safe)"),
    "Pow": "make the branch's base safe first (the double where):\n"
    + _DOUBLE.format(ok="x > 0.0", x="x", f="tf.pow(safe, p)"),
    "Exp": "keep the exponent small in the branch that is not taken:\n"
    "small = tf.where(x > 20.0, 0.0, x)\ny = tf.where(x > 20.0, x, f(small))",
    "Acos": "keep the branch's input inside (-1, 1):\n"
    "safe = tf.where(ok, c, 0.0); y = tf.where(ok, tf.acos(safe), 0.0)",
}
