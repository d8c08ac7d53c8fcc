"""What to use instead: rounding, comparisons, counts, indices, Variables."""

# ruff: noqa: E501  a function a line

from __future__ import annotations

from op_specs.advice import also, drop, put, straight
from op_specs.inputs import d

_TRUNCATED = "tf.sign(x) * tf.floor(tf.abs(x))"
put(also("round"), *straight("tf.round(x)"))
put("tf.math.rint", *straight("tf.math.rint(x)"))
put(also("floor"), *straight("tf.floor(x)"))
put(also("ceil"), *straight("tf.math.ceil(x)"))
put("tf.experimental.numpy.fix tf.keras.ops.trunc", *straight(_TRUNCATED))
put(
    also("floordiv") + " tf.experimental.numpy.floor_divide tf.keras.ops.floor_divide",
    "x / y + tf.stop_gradient(x // y - x / y)",
    "straight through",
    "x // y",
)
put("tf.truncatediv", "x / y + tf.stop_gradient(tf.sign(x / y) * tf.floor(tf.abs(x / y)) - x / y)", "straight through")
put("tf.truncatemod", "x - y * tf.stop_gradient(tf.sign(x / y) * tf.floor(tf.abs(x / y)))", "", "tf.truncatemod(x, y)")
put(also("sign"), "tf.tanh(x / t)", "or x + tf.stop_gradient(tf.sign(x) - x)", "tf.sign(x)", 0.02)
put(
    "tf.experimental.numpy.heaviside tf.keras.ops.heaviside",
    "tf.sigmoid(x / t)",
    "soft; or a constant on purpose: it says what a number is, not how much",
    "tnp.heaviside(x, 0.5)",
    0.06,
)
put("tf.experimental.numpy.signbit tf.keras.ops.signbit", "tf.sigmoid(-x / t)", "soft", "tf.cast(x < 0, x.dtype)", 0.06)
put(also("nextafter"), "x", "they differ by one rounding", "tf.math.nextafter(x, y)")
put("tf.guarantee_const", "x", "the tensor itself", "x")
put("tf.stop_gradient tf.keras.ops.stop_gradient", "x", "where the gradient is wanted", "tf.stop_gradient(x)")
put("tf.constant tf.keras.ops.convert_to_numpy", "tf.convert_to_tensor(x)", "NumPy in between cuts the tape", "x")

put(
    also("argmax") + " tf.keras.ops.nanargmax",
    "tf.reduce_sum(tf.nn.softmax(x / t) * tf.range(n, dtype=x.dtype))",
    "the soft argmax",
    "tf.cast(tf.argmax(x), x.dtype)",
    0.01,
    n=3,
)
put(
    also("argmin") + " tf.keras.ops.nanargmin",
    "tf.reduce_sum(tf.nn.softmax(-x / t) * tf.range(n, dtype=x.dtype))",
    "the soft argmin",
    "tf.cast(tf.argmin(x), x.dtype)",
    0.01,
    n=3,
)
put(
    "tf.argsort tf.experimental.numpy.argsort tf.keras.ops.argsort tf.keras.ops.argpartition",
    "tf.sort(x)",
    "or tf.math.top_k for the values, whose gradients are right; tf.nn.softmax(x / t) for a soft choice",
)
put(
    "tf.searchsorted tf.keras.ops.searchsorted tf.keras.ops.digitize",
    "tf.reduce_sum(tf.sigmoid((value - sequence) / t))",
    "a soft count",
    "tf.cast(tf.searchsorted(sequence, value[None])[0], tf.float64)",
    0.02,
    "value",
    value=d(0.5),
    sequence=d(0.0, 1.0, 2.0),
)
put(
    "tf.unique tf.unique_with_counts tf.keras.ops.unique",
    "tf.math.unsorted_segment_mean(x, tf.unique(x)[1], tf.size(tf.unique(x)[0]))",
    "",
    "tf.unique(x)[0]",
    x=d(3.0, 1.0, 3.0),
)
put(
    "tf.compat.v1.setdiff1d",
    "tf.gather(x, tf.compat.v1.setdiff1d(x, y)[1])",
    "",
    "tf.compat.v1.setdiff1d(x, y)[0]",
    y=d(2.6, 5.0),
)
put(
    "tf.histogram_fixed_width tf.keras.ops.histogram",
    "tf.reduce_sum(tf.exp(-(((x[:, None] - centres) / t) ** 2)), 0)",
    "a soft count for each centre",
    centres=d(-1.0, 0.3, 2.5),
)
put(
    "tf.histogram_fixed_width_bins",
    "n * (x - low) / (high - low)",
    "the bin before it is rounded down",
    "tf.cast(tf.histogram_fixed_width_bins(x, [low, high], n), x.dtype)",
    1.0,
    n=5,
    low=d(-2.0),
    high=d(3.0),
)
put(
    also("count_nonzero"),
    "tf.reduce_sum(1 - tf.exp(-((x / t) ** 2)))",
    "soft",
    "tf.cast(tf.math.count_nonzero(x), x.dtype)",
    0.01,
)
put(
    "tf.math.zero_fraction",
    "tf.reduce_mean(tf.exp(-((x / t) ** 2)))",
    "soft",
    "tf.cast(tf.math.zero_fraction(x), x.dtype)",
    0.01,
)
put(
    "tf.math.bincount tf.keras.ops.bincount",
    "tf.math.unsorted_segment_sum(weights, i, n)",
    "",
    "tf.math.bincount(i, weights=weights)",
    by="weights",
    weights=d(0.3, 1.0, 2.0),
    i=[0, 1, 1],
    n=2,
)
put(
    "tf.sparse.bincount",
    "tf.math.unsorted_segment_sum(weights, i, n)",
    "",
    "tf.sparse.bincount(i, weights=weights).values",
    by="weights",
    weights=d(0.3, 1.0, 2.0),
    i=[0, 1, 1],
    n=2,
)
put(
    "tf.math.confusion_matrix",
    "tf.tensor_scatter_nd_add(tf.zeros([n, n], weights.dtype), tf.stack([labels, predictions], 1), weights)",
    "",
    "tf.math.confusion_matrix(labels, predictions, n, weights, weights.dtype)",
    by="weights",
    weights=d(0.3, 1.0, 2.0),
    labels=[0, 1, 1],
    predictions=[0, 1, 0],
    n=2,
)

for _names, _code, _original in (
    (also("equal") + " tf.experimental.numpy.isclose tf.keras.ops.isclose", "tf.exp(-(((x - y) / t) ** 2))", "x == y"),
    (also("not_equal"), "1 - tf.exp(-(((x - y) / t) ** 2))", "x != y"),
    (also("greater", "greater_equal"), "tf.sigmoid((x - y) / t)", "x > y"),
    (also("less", "less_equal"), "tf.sigmoid((y - x) / t)", "x < y"),
    (
        "tf.math.logical_and tf.experimental.numpy.logical_and",
        "tf.sigmoid(x / t) * tf.sigmoid(y / t)",
        "(x > 0) & (y > 0)",
    ),
    (
        "tf.math.logical_or tf.experimental.numpy.logical_or",
        "1 - tf.sigmoid(-x / t) * tf.sigmoid(-y / t)",
        "(x > 0) | (y > 0)",
    ),
    (
        "tf.math.logical_xor tf.experimental.numpy.logical_xor",
        "tf.sigmoid(x / t) + tf.sigmoid(y / t) - 2 * tf.sigmoid(x / t) * tf.sigmoid(y / t)",
        "(x > 0) ^ (y > 0)",
    ),
    ("tf.math.logical_not tf.experimental.numpy.logical_not", "tf.sigmoid(-x / t)", "~(x > 0)"),
    (
        "tf.math.reduce_any tf.experimental.numpy.any tf.keras.ops.any",
        "tf.reduce_max(tf.sigmoid(x / t))",
        "tf.reduce_any(x > 0)",
    ),
    (
        "tf.math.reduce_all tf.experimental.numpy.all tf.keras.ops.all",
        "tf.reduce_min(tf.sigmoid(x / t))",
        "tf.reduce_all(x > 0)",
    ),
    ("tf.math.is_non_decreasing", "tf.reduce_min(tf.sigmoid((x[1:] - x[:-1]) / t))", "tf.math.is_non_decreasing(x)"),
    (
        "tf.math.is_strictly_increasing",
        "tf.reduce_min(tf.sigmoid((x[1:] - x[:-1]) / t))",
        "tf.math.is_strictly_increasing(x)",
    ),
):
    _soft = "soft; or tf.where on the test, which passes the gradient of the branch that is taken"
    put(_names, _code, _soft, f"tf.cast({_original}, tf.float64)", 0.06)
for _name in ("is_finite", "is_inf", "is_nan"):
    _f = _name.replace("_", "")
    put(
        f"tf.math.{_name} tf.experimental.numpy.{_f} tf.keras.ops.{_f}",
        f"tf.where(tf.math.{_name}(x), 0.0, x)" if _f != "isfinite" else "tf.where(tf.math.is_finite(x), x, 0.0)",
        "which passes the gradient of the branch that is taken; the test itself has none",
        "x",
    )
put(
    "tf.math.in_top_k tf.keras.ops.in_top_k",
    "tf.gather(tf.nn.softmax(x), targets, batch_dims=1)",
    "the probability of the target",
    x=d([[0.3, 1.2, -0.4]]),
    targets=[1],
)
put(
    "tf.sequence_mask",
    "tf.sigmoid((length - tf.range(n, dtype=length.dtype) - 0.5) / t)",
    "soft",
    "tf.sequence_mask(tf.cast(length, tf.int32), n, length.dtype)",
    0.01,
    "length",
    length=d(2.0),
    n=4,
)
put(
    "tf.one_hot",
    "tf.where(tf.one_hot(i, n) > 0, on, off)",
    "as on_value and off_value get no gradient",
    "tf.one_hot(i, n, on, off)",
    by="on",
    i=[0, 1],
    n=3,
    on=d(2.0),
    off=d(0.5),
)
put(
    "tf.keras.ops.one_hot",
    "tf.nn.relu(1 - tf.abs(x[..., None] - tf.range(n, dtype=x.dtype)))",
    "between whole numbers as well",
    n=3,
)
put(
    "tf.range tf.experimental.numpy.arange tf.keras.ops.arange",
    "start + tf.range(n, dtype=start.dtype) * delta",
    "",
    "tf.range(start, start + 3 * delta, delta)",
    by="start",
    start=d(0.5),
    n=3,
    delta=d(0.5),
)
put(
    "tf.ragged.range",
    "tf.ragged.range(tf.cast(limits, tf.int32))",
    "for the indices; as a number that depends on a float: start + indices * delta",
    by="",
    limits=d(2.0, 1.0),
)
put("tf.bitcast", "tf.complex(x, y)", "or tf.cast, tf.reshape, by what it was for")
put("tf.strings.as_string", "", "nothing: text has no gradient")
put("tf.math.invert_permutation", "", "nothing: whole numbers have no gradient")
put(
    "tf.numpy_function",
    "tf.custom_gradient(lambda x: (tf.numpy_function(np.sin, [x], x.dtype), lambda dy: dy * tf.cos(x)))(x)",
    "a rule for it; or TensorFlow's own functions",
    "tf.sin(x)",
)
for _name in ("ones_like", "zeros_like"):
    put(f"tf.{_name} tf.experimental.numpy.{_name} tf.keras.ops.{_name}", "", "nothing: it is constant on purpose")
put("tf.shape tf.size tf.rank", "", "nothing: it is a shape, which does not depend on the values")

for _name in ("assign", "assign_add", "assign_sub"):
    _sign = {"assign": "x", "assign_add": "v + x", "assign_sub": "v - x"}[_name]
    put(
        f"tf.Variable.{_name}",
        _sign,
        "before it is assigned: a Variable holds numbers, not where they come from",
        v=d(1.0, 2.0, 3.0),
    )
_I = {"v": d(1.0, 2.0, 3.0), "x": d(1.3, 2.2), "i": [[0], [2]]}
for _name in ("add", "sub", "update", "max", "min"):
    put(
        f"tf.Variable.scatter_{_name} tf.Variable.scatter_nd_{_name}",
        f"tf.tensor_scatter_nd_{_name}(v, i, x)",
        "on a tensor, before it is assigned",
        **_I,
    )
put(
    "tf.Variable.batch_scatter_update",
    "tf.tensor_scatter_nd_update(v, i, x)",
    "on a tensor, before it is assigned",
    **_I,
)
put(
    "tf.Variable.scatter_mul",
    "tf.tensor_scatter_nd_update(v, i, tf.gather_nd(v, i) * x)",
    "on a tensor, before it is assigned",
    **_I,
)
put(
    "tf.Variable.scatter_div",
    "tf.tensor_scatter_nd_update(v, i, tf.gather_nd(v, i) / x)",
    "on a tensor, before it is assigned",
    **_I,
)
put("tf.raw_ops.InplaceUpdate", "tf.tensor_scatter_nd_update(v, i, x)", **_I)
put("tf.raw_ops.InplaceAdd", "tf.tensor_scatter_nd_add(v, i, x)", **_I)
for _name in ("tf.Variable.scatter_nd_max", "tf.Variable.scatter_nd_min", "tf.experimental.numpy.round", "tf.experimental.numpy.floordiv",
              "tf.keras.ops.floordiv"):  # fmt: skip
    drop(_name)
put(
    ["tf.pad", "tf.keras.ops.pad(constant_values)"],
    "tf.pad(x - c, [[1, 1]]) + c",
    "where the gradient by constant_values is wanted",
    "tf.pad(x, [[1, 1]], constant_values=c)",
    by="c",
    c=d(0.5),
)
put(
    "tf.experimental.numpy.allclose tf.experimental.numpy.array_equal",
    "tf.exp(-tf.reduce_sum(((x - y) / t) ** 2))",
    "soft",
    y=d(0.3, -1.2, 2.5),
)
put(
    "tf.experimental.numpy.isneginf tf.experimental.numpy.isposinf",
    "tf.where(tf.math.is_inf(x), 0.0, x)",
    "which passes the gradient of the branch that is taken; the test itself has none",
    "x",
)
put("tf.experimental.numpy.nonzero", "tf.gather(x, tf.where(x != 0)[:, 0])", "for the numbers at these indices", "x")
put("tf.keras.ops.slice_update", "tf.tensor_scatter_nd_update(v, i, x)", "or tf.concat of the parts", **_I)
