"""`tf.experimental.numpy`, and the activations, losses and operations of Keras."""

# ruff: noqa: E501  a function a line

from __future__ import annotations

import tensorflow as tf

from op_specs.inputs import Area, n, p, u, z

F32 = tf.float32
NUMPY = Area("numpy")
_n = NUMPY.add
np_ = tf.experimental.numpy
PREFIX = "tf.experimental.numpy"

NUMPY.add_all(PREFIX, "sin cos tan sinh cosh tanh arcsinh arctan exp exp2 expm1 square negative positive sinc deg2rad rad2deg "
              "cbrt fabs abs absolute ceil floor fix sign copy ravel real array asarray asanyarray "
              "ascontiguousarray atleast_1d atleast_2d atleast_3d", n(4))  # fmt: skip
NUMPY.add_all(PREFIX, "log log2 log10 log1p sqrt reciprocal nansum nanprod nanmean", p(4))
NUMPY.add_all(PREFIX, "arcsin arccos arctanh", u(4))
_n(f"{PREFIX}.arccosh", lambda x: np_.arccosh(1 + x), p(4))
NUMPY.add_all(
    PREFIX,
    "add subtract multiply maximum minimum hypot arctan2 logaddexp logaddexp2 inner dot vdot outer kron",
    n(3),
    n(3),
)
NUMPY.add_all(PREFIX, "divide true_divide mod remainder floor_divide heaviside", n(3), p(3))
NUMPY.add_all(PREFIX, "power float_power", p(3), n(3))
NUMPY.add_all(
    PREFIX, "sum mean prod max min amax amin std var ptp cumsum cumprod average count_nonzero argmax", n(2, 3)
)
NUMPY.add_all(PREFIX, "conj conjugate imag angle", z(3))
NUMPY.add_all(PREFIX, "flip flipud fliplr rot90 transpose diagonal diag trace tril triu", n(3, 3))
NUMPY.add_all(PREFIX, "matmul", n(2, 3), n(3, 2))
NUMPY.add_all(PREFIX, "cross", n(3), n(3))
NUMPY.add_all(PREFIX, "tensordot", lambda a, b: np_.tensordot(a, b, 1), n(3), n(3))
NUMPY.add_all(PREFIX, "equal greater less isclose", n(3), n(3))
NUMPY.add_all(PREFIX, "sort diff diagflat", n(4))
NUMPY.add_all(PREFIX, "argsort", n(4))
_n(f"{PREFIX}.append", n(2), n(2))
_n(f"{PREFIX}.broadcast_to", lambda x: np_.broadcast_to(x, [2, 3]), n(3))
_n(f"{PREFIX}.broadcast_arrays", lambda a, b: np_.broadcast_arrays(a, b), n(3), n(2, 1))
_n(f"{PREFIX}.clip", lambda x: np_.clip(x, -1.0, 1.0), n(4))
_n(f"{PREFIX}.compress", lambda x: np_.compress([True, False, True], x), n(3))
_n(f"{PREFIX}.concatenate", lambda a, b: np_.concatenate([a, b]), n(2), n(3))
for _name in ("stack", "vstack", "hstack", "dstack"):
    _f = getattr(np_, _name)
    _n(f"{PREFIX}.{_name}", lambda a, b, f=_f: f([a, b]), n(2), n(2))
for _name, _shape in (("split", (4,)), ("hsplit", (4,)), ("vsplit", (2, 2)), ("dsplit", (1, 2, 2))):
    _f = getattr(np_, _name)
    _n(f"{PREFIX}.{_name}", lambda x, f=_f: f(x, 2), n(*_shape))
_n(f"{PREFIX}.einsum", lambda a, b: np_.einsum("ij,jk->ik", a, b), n(2, 3), n(3, 2))
_n(f"{PREFIX}.expand_dims", lambda x: np_.expand_dims(x, 0), n(3))
_n(f"{PREFIX}.squeeze", n(1, 3))
_n(f"{PREFIX}.reshape", lambda x: np_.reshape(x, [3, 2]), n(2, 3))
_n(f"{PREFIX}.moveaxis", lambda x: np_.moveaxis(x, 0, 1), n(2, 3))
_n(f"{PREFIX}.swapaxes", lambda x: np_.swapaxes(x, 0, 1), n(2, 3))
_n(f"{PREFIX}.pad", lambda x: np_.pad(x, [[1, 1]], "constant"), n(3))
_n(f"{PREFIX}.repeat", lambda x: np_.repeat(x, 2), n(3))
_n(f"{PREFIX}.roll", lambda x: np_.roll(x, 1), n(3))
_n(f"{PREFIX}.tile", lambda x: np_.tile(x, [2]), n(3))
_n(f"{PREFIX}.take", lambda x: np_.take(x, [0, 2, 2]), n(3))
_n(f"{PREFIX}.take_along_axis", lambda x: np_.take_along_axis(x, tf.constant([[0], [1]]), 1), n(2, 3))
_n(f"{PREFIX}.where", lambda a, b: np_.where([True, False, True], a, b), n(3), n(3))
_n(f"{PREFIX}.select", lambda a, b: np_.select([[True, False, True]], [a], 0.0) + b, n(3), n(3))
_n(f"{PREFIX}.meshgrid", lambda a, b: np_.meshgrid(a, b), n(2), n(3))
_n(f"{PREFIX}.polyval", lambda c, x: np_.polyval(c, x), n(3), n(2))
_n(f"{PREFIX}.vander", n(3))
_n(f"{PREFIX}.linspace", lambda a, b: np_.linspace(a, b, 4), n(), n())
_n(f"{PREFIX}.logspace", lambda a, b: np_.logspace(a, b, 4), u(), u())
_n(f"{PREFIX}.geomspace", lambda a, b: np_.geomspace(a, b, 4), p(), p())
_n(f"{PREFIX}.full", lambda x: np_.full([3], x), n())
_n(f"{PREFIX}.full_like", lambda x: np_.full_like(tf.zeros([3], tf.float64), x), n())
_n(f"{PREFIX}.divmod", lambda a, b: np_.divmod(a, b), n(3), p(3))

ACTIVATIONS = Area("keras activations")
ACTIVATIONS.add_all("tf.keras.activations", "celu elu exponential gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear "
                    "log_sigmoid mish relu relu6 selu sigmoid silu soft_shrink softplus softsign sparse_plus sparse_sigmoid "
                    "squareplus tanh tanh_shrink", n(5, dtype=F32))  # fmt: skip
ACTIVATIONS.add_all("tf.keras.activations", "softmax log_softmax sparsemax glu", n(2, 4, dtype=F32))

ACTIVATIONS.add(
    "tf.keras.activations.threshold", lambda x: tf.keras.activations.threshold(x, 0.1, 2.0), n(5, dtype=F32)
)

LOSSES = Area("keras losses")
_k = LOSSES.add
LOSSES.add_all("tf.keras.losses", "MSE MAE huber logcosh cosine_similarity", n(2, 3, dtype=F32), n(2, 3, dtype=F32))
LOSSES.add_all("tf.keras.losses", "MAPE MSLE poisson KLD", u(2, 3, dtype=F32), u(2, 3, dtype=F32))
_TRUE = tf.constant([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
for _name in ("binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
              "dice", "tversky", "hinge", "squared_hinge", "categorical_hinge"):  # fmt: skip
    _f = getattr(tf.keras.losses, _name)
    _k(f"tf.keras.losses.{_name}", lambda x, f=_f: f(_TRUE, x), u(2, 3, dtype=F32))
_k(
    "tf.keras.losses.sparse_categorical_crossentropy",
    lambda x: tf.keras.losses.sparse_categorical_crossentropy(tf.constant([0, 1]), x),
    u(2, 3, dtype=F32),
)
_k("tf.keras.losses.categorical_generalized_cross_entropy",
   lambda x: tf.keras.losses.categorical_generalized_cross_entropy(tf.constant([0, 1]), x, 0.5), u(2, 3, dtype=F32))  # fmt: skip
_k("tf.keras.losses.ctc", lambda x: tf.keras.losses.ctc(tf.constant([[1, 2]]), x), n(1, 4, 3, dtype=F32))
_k("tf.keras.losses.circle", lambda x: tf.keras.losses.circle(tf.constant([0, 1, 0]), x), n(3, 2, dtype=F32))
