"""Kinks and singular points of functions besides those given with their specs: the arguments to look at."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from op_specs.inputs import d


def f(*values: Any) -> tf.Tensor:
    """These numbers in float32."""
    return tf.constant(values[0] if len(values) == 1 else values, tf.float32)


_ZERO: dict[str, tuple[Any, ...]] = {"at 0": (d(0.0),)}
_ZERO32: dict[str, tuple[Any, ...]] = {"at 0": (f([0.0]),)}
_TIE: dict[str, tuple[Any, ...]] = {"at a tie (x, y)": (d(1.0), d(1.0))}
_TIES: dict[str, tuple[Any, ...]] = {"at a tie of the first two": (d(1.0, 1.0, 0.0),)}

POINTS: dict[str, dict[str, tuple[Any, ...]]] = {
    "tf.math.floor": {"at 1": (d(1.0),)},
    "tf.math.ceil": {"at 1": (d(1.0),)},
    "tf.math.rint": {"at a half": (d(0.5),)},
    "tf.math.softsign": _ZERO,
    "tf.math.erfinv": {"at 1": (d(1.0),)},
    "tf.math.ndtri": {"at 0": (d(0.0),), "at 1": (d(1.0),)},
    "tf.math.digamma": _ZERO,
    "tf.math.lgamma": {"at 0": (d(0.0),), "at -1": (d(-1.0),)},
    "tf.math.bessel_i0e": _ZERO,
    "tf.math.bessel_i1e": _ZERO,
    "tf.math.tan": {"at pi / 2": (d(1.5707963267948966),)},
    "tf.math.tanh": {"at 40": (d(40.0),)},
    "tf.math.sigmoid": {"at 800": (d(800.0),), "at -800": (d(-800.0),)},
    "tf.math.exp": {"at 800": (d(800.0),), "at -800": (d(-800.0),)},
    "tf.math.softplus": {"at -800": (d(-800.0),), "at 800": (d(800.0),)},
    "tf.math.divide": {"at 1 / 0": (d(1.0), d(0.0)), "at 0 / 0": (d(0.0), d(0.0))},
    "tf.math.divide_no_nan": {"at 1 / 0": (d(1.0), d(0.0)), "at 0 / 0": (d(0.0), d(0.0))},
    "tf.math.multiply_no_nan": {"at (1, 0)": (d(1.0), d(0.0))},
    "tf.math.floormod": {"at (4, 2)": (d(4.0), d(2.0))},
    "tf.math.xlogy": {"at (0, 0)": (d(0.0), d(0.0)), "at (0, 2)": (d(0.0), d(2.0))},
    "tf.math.xlog1py": {"at (0, -1)": (d(0.0), d(-1.0)), "at (0, 2)": (d(0.0), d(2.0))},
    "tf.math.xdivy": {"at (0, 0)": (d(0.0), d(0.0)), "at (0, 2)": (d(0.0), d(2.0))},
    "tf.math.pow": {
        "at 0 ** 0": (d(0.0), d(0.0)),
        "at 0 ** 1": (d(0.0), d(1.0)),
        "at 0 ** 2": (d(0.0), d(2.0)),
        "at (-1) ** 2": (d(-1.0), d(2.0)),
    },
    "tf.clip_by_value": {"at the border 1": (d(1.0),), "at the border -1": (d(-1.0),)},
    "tf.clip_by_norm": {"at 0": (d(0.0, 0.0),), "at norm 1": (d(0.6, 0.8),)},
    "tf.clip_by_global_norm": {"at 0": (d(0.0, 0.0),), "at norm 1": (d(0.6, 0.8),)},
    "tf.math.reduce_prod": {"with a 0": (d([0.0, 2.0]),), "with two": (d([0.0, 0.0]),)},
    "tf.math.reduce_logsumexp": {"of -inf": (d([float("-inf"), 0.0]),)},
    "tf.math.cumprod": {"with a 0": (d(0.0, 2.0),), "with a 0 last": (d(2.0, 0.0),)},
    "tf.math.segment_max": _TIES,
    "tf.math.segment_min": _TIES,
    "tf.math.unsorted_segment_max": {"at a tie of the first and the third": (d(1.0, 0.0, 1.0),)},
    "tf.math.unsorted_segment_min": {"at a tie of the first and the third": (d(1.0, 0.0, 1.0),)},
    "tf.math.top_k": {"at a tie of three": (d(1.0, 1.0, 1.0),)},
    "tf.sort": {"at a tie": (d(1.0, 1.0),)},
    "tf.tensor_scatter_nd_max": {"at a tie": (d(1.0, 1.0, 1.0), d(1.0, 0.0))},
    "tf.linalg.svd": {"of the identity": (d([[1.0, 0.0], [0.0, 1.0]]),), "of 0": (d([[0.0, 0.0], [0.0, 0.0]]),)},
    "tf.linalg.sqrtm": {"of 0": (d([[0.0, 0.0], [0.0, 0.0]]),)},
    "tf.linalg.inv": {"of a singular matrix": (d([[1.0, 1.0], [1.0, 1.0]]),)},
    "tf.linalg.slogdet": {"of a singular matrix": (d([[1.0, 1.0], [1.0, 1.0]]),)},
    "tf.linalg.eigvalsh": {"of the identity": (d([[1.0, 0.0], [0.0, 1.0]]),)},
    "tf.nn.selu": _ZERO,
    "tf.nn.silu": _ZERO,
    "tf.nn.gelu": _ZERO,
    "tf.nn.max_pool2d": {"at a tie of two": (f([[[[1.0], [1.0]], [[0.0], [0.0]]]]),)},
    "tf.nn.sigmoid_cross_entropy_with_logits": {"at (0.3, 0)": (d(0.3), d(0.0))},
    "tf.nn.l2_loss": _ZERO,
    "tf.image.rgb_to_hsv": {"of a grey": (d([[0.5, 0.5, 0.5]]),), "of black": (d([[0.0, 0.0, 0.0]]),)},
    "tf.experimental.numpy.sinc": _ZERO,
    "tf.experimental.numpy.cbrt": _ZERO,
    "tf.experimental.numpy.hypot": {"at (0, 0)": (d(0.0), d(0.0))},
    "tf.experimental.numpy.logaddexp": _TIE,
    "tf.experimental.numpy.arctan2": {"at (0, 0)": (d(0.0), d(0.0))},
    "tf.experimental.numpy.max": {"at a tie of two": (d([1.0, 1.0]),)},
    "tf.experimental.numpy.std": {"of equal numbers": (d([1.0, 1.0]),)},
    "tf.keras.activations.relu": _ZERO32,
    "tf.keras.activations.relu6": {"at 0": (f([0.0]),), "at 6": (f([6.0]),)},
    "tf.keras.activations.leaky_relu": _ZERO32,
    "tf.keras.activations.hard_sigmoid": {"at 3": (f([3.0]),), "at -3": (f([-3.0]),)},
    "tf.keras.activations.hard_tanh": {"at 1": (f([1.0]),), "at -1": (f([-1.0]),)},
    "tf.keras.activations.hard_silu": {"at 3": (f([3.0]),), "at -3": (f([-3.0]),)},
    "tf.keras.activations.hard_shrink": {"at 0.5": (f([0.5]),)},
    "tf.keras.activations.soft_shrink": {"at 0.5": (f([0.5]),)},
    "tf.keras.activations.threshold": {"at the threshold": (f([0.1]),)},
    "tf.keras.activations.elu": _ZERO32,
    "tf.keras.losses.MAE": {"of equal numbers": (f([[1.0]]), f([[1.0]]))},
    "tf.keras.losses.huber": {"at a difference of 1": (f([[1.0]]), f([[2.0]]))},
    "tf.keras.losses.hinge": {"at a margin of 1": (f([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),)},
    "tf.keras.losses.cosine_similarity": {"at 0": (f([[0.0, 0.0]]), f([[1.0, 2.0]]))},
    "tf.keras.losses.MAPE": {"of equal numbers": (f([[1.0]]), f([[1.0]]))},
    "tf.keras.ops.sinc": _ZERO,
    "tf.keras.ops.norm": {"at 0": (d([0.0, 0.0]),)},
    "tf.keras.ops.power": {"at 0 ** 0": (d(0.0), d(0.0))},
    "tf.keras.ops.median": {"at a tie": (d([1.0, 1.0]),)},
    "tf.keras.ops.cdist": {"of equal rows": (d([[1.0, 2.0]]), d([[1.0, 2.0]]))},
}
