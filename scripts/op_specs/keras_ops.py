"""`tf.keras.ops` on TensorFlow, and what else there is of `tf.experimental.numpy`."""

# ruff: noqa: E501  a function a line

from __future__ import annotations

import tensorflow as tf

from op_specs.inputs import Area, d, lower, n, p, spd, u, z

F32 = tf.float32
KERAS = Area("keras ops")
_k = KERAS.add
K = tf.keras.ops
PREFIX = "tf.keras.ops"

KERAS.add_all(PREFIX, "abs absolute arcsinh arctan cbrt ceil copy cos cosh deg2rad elu erf exp exp2 expand_dims_ expm1 fabs floor "
              "gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid logsumexp nan_to_num negative "
              "rad2deg ravel relu relu6 round selu sigmoid sign silu sin sinc sinh soft_shrink softplus softsign square squareplus "
              "sparse_plus sparse_sigmoid stop_gradient tan tanh tanh_shrink trunc celu i0 real".replace("expand_dims_ ", ""), n(4))  # fmt: skip
KERAS.add_all(PREFIX, "log log10 log1p log2 reciprocal rsqrt sqrt", p(4))
KERAS.add_all(PREFIX, "arccos arcsin arctanh erfinv", u(4))
_k(f"{PREFIX}.arccosh", lambda x: K.arccosh(1 + x), p(4))
KERAS.add_all(PREFIX, "conj conjugate imag angle", z(3))
KERAS.add_all(
    PREFIX,
    "add subtract multiply maximum minimum arctan2 hypot logaddexp logaddexp2 inner dot vdot outer kron fmax fmin",
    n(3),
    n(3),
)
KERAS.add_all(PREFIX, "equal greater greater_equal less less_equal not_equal isclose", n(3), n(3))
KERAS.add_all(PREFIX, "divide true_divide divide_no_nan mod fmod floor_divide heaviside nextafter", n(3), p(3))
KERAS.add_all(PREFIX, "power", p(3), n(3))
_k(f"{PREFIX}.ldexp", lambda x: K.ldexp(x, tf.constant([1, 2, 0])), n(3))
KERAS.add_all(PREFIX, "sum mean prod max min amax amin std var ptp median average argmax argmin argsort sort count_nonzero "
              "nansum nanmean nanmax nanmin nanprod nanstd nanvar nanmedian nancumsum nancumprod cumsum cumprod any all "
              "nanargmax nanargmin isnan isfinite isinf norm normalize log_softmax softmax sparsemax glu", n(2, 4))  # fmt: skip
_k(f"{PREFIX}.quantile", lambda x: K.quantile(x, 0.3), n(5))
_k(f"{PREFIX}.percentile", lambda x: K.percentile(x, 30.0), n(5))
_k(f"{PREFIX}.nanquantile", lambda x: K.nanquantile(x, 0.3), n(5))
_k(f"{PREFIX}.argpartition", lambda x: K.argpartition(x, 2), n(5))
_k(f"{PREFIX}.top_k", lambda x: K.top_k(x, 2)[0], n(5))
_k(f"{PREFIX}.in_top_k", lambda x: tf.cast(K.in_top_k([1], x, 1), F32), n(1, 3, dtype=F32))
_k(f"{PREFIX}.clip", lambda x: K.clip(x, -1.0, 1.0), n(4))
_k(f"{PREFIX}.threshold", lambda x: K.threshold(x, 0.1, 2.0), n(4))
KERAS.add_all(PREFIX, "flip fliplr flipud transpose diagonal diag trace tril triu corrcoef", n(3, 3))
KERAS.add_all(PREFIX, "diagflat diff vander trapezoid array", n(4))
KERAS.add_all(PREFIX, "matmul", n(2, 3), n(3, 2))
KERAS.add_all(PREFIX, "cross correlate", n(3), n(3))
_k(f"{PREFIX}.tensordot", lambda a, b: K.tensordot(a, b, 1), n(3), n(3))
_k(f"{PREFIX}.einsum", lambda a, b: K.einsum("ij,jk->ik", a, b), n(2, 3), n(3, 2))
_k(f"{PREFIX}.append", n(2), n(2))
_k(f"{PREFIX}.concatenate", lambda a, b: K.concatenate([a, b]), n(2), n(3))
for _name in ("stack", "vstack", "hstack", "dstack"):
    _f = getattr(K, _name)
    _k(f"{PREFIX}.{_name}", lambda a, b, f=_f: f([a, b]), n(2), n(2))
for _name, _shape in (("split", (4,)), ("hsplit", (4,)), ("vsplit", (2, 2)), ("array_split", (4,))):
    _f = getattr(K, _name)
    _k(f"{PREFIX}.{_name}", lambda x, f=_f: f(x, 2), n(*_shape))
_k(f"{PREFIX}.broadcast_to", lambda x: K.broadcast_to(x, [2, 3]), n(3))
_k(f"{PREFIX}.cast", lambda x: K.cast(x, "float64"), n(3))
_k(f"{PREFIX}.saturate_cast", lambda x: K.saturate_cast(x, "float32"), n(3))
_k(f"{PREFIX}.convert_to_tensor", n(3))
_k(f"{PREFIX}.convert_to_numpy", lambda x: tf.constant(K.convert_to_numpy(x)), n(3))
_k(f"{PREFIX}.expand_dims", lambda x: K.expand_dims(x, 0), n(3))
_k(f"{PREFIX}.squeeze", n(1, 3))
_k(f"{PREFIX}.reshape", lambda x: K.reshape(x, [3, 2]), n(2, 3))
_k(f"{PREFIX}.moveaxis", lambda x: K.moveaxis(x, 0, 1), n(2, 3))
_k(f"{PREFIX}.swapaxes", lambda x: K.swapaxes(x, 0, 1), n(2, 3))
_k(f"{PREFIX}.pad", lambda x: K.pad(x, [[1, 1]]), n(3))
_k(f"{PREFIX}.pad(constant_values)", lambda x, c: K.pad(x, [[1, 1]], constant_values=c), n(3), n())
_k(f"{PREFIX}.repeat", lambda x: K.repeat(x, 2), n(3))
_k(f"{PREFIX}.roll", lambda x: K.roll(x, 1), n(3))
_k(f"{PREFIX}.tile", lambda x: K.tile(x, [2]), n(3))
_k(f"{PREFIX}.take", lambda x: K.take(x, [0, 2, 2]), n(3))
_k(f"{PREFIX}.take_along_axis", lambda x: K.take_along_axis(x, tf.constant([[0], [1]]), 1), n(2, 3))
_k(f"{PREFIX}.where", lambda a, b: K.where([True, False, True], a, b), n(3), n(3))
_k(f"{PREFIX}.select", lambda a, b: K.select([tf.constant([True, False, True])], [a], b), n(3), n(3))
_k(f"{PREFIX}.meshgrid", lambda a, b: K.meshgrid(a, b), n(2), n(3))
_k(f"{PREFIX}.linspace", lambda a, b: K.linspace(a, b, 4), n(), n())
_k(f"{PREFIX}.logspace", lambda a, b: K.logspace(a, b, 4), u(), u())
_k(f"{PREFIX}.geomspace", lambda a, b: K.geomspace(a, b, 4), p(), p())
_k(f"{PREFIX}.full", lambda x: K.full([3], x), n())
_k(f"{PREFIX}.full_like", lambda x: K.full_like(tf.zeros([3], tf.float64), x), n())
KERAS.add_all(PREFIX, "ones_like zeros_like", n(3))
_k(f"{PREFIX}.arange", lambda a: K.arange(a, a + 3.0), n(dtype=F32))
_k(f"{PREFIX}.digitize", lambda x: K.digitize(x, d(0.0, 1.0)), n(3))
_k(f"{PREFIX}.searchsorted", lambda x: K.searchsorted(x, d([0.5])), d(0.0, 1.0))
_k(f"{PREFIX}.histogram", lambda x: K.histogram(x, 3)[0], n(5, dtype=F32))
_k(f"{PREFIX}.bincount", lambda w: K.bincount(tf.constant([0, 1, 1]), weights=w), n(3, dtype=F32))
_k(f"{PREFIX}.unique", lambda x: K.unique(x), n(3))
_k(f"{PREFIX}.one_hot", lambda x: K.one_hot(tf.cast(x, tf.int32), 3), d(0.4, 1.4))
_k(f"{PREFIX}.scatter", lambda x: K.scatter([[1], [1]], x, [3]), n(2))
_k(f"{PREFIX}.scatter_update", lambda x, y: K.scatter_update(x, [[1], [0]], y), n(3), n(2))
_k(f"{PREFIX}.slice", lambda x: K.slice(x, [1], [2]), n(4))
_k(f"{PREFIX}.slice_update", lambda x, y: K.slice_update(x, [1], y), n(4), n(2))
for _name in ("sum", "max"):
    _f = getattr(K, f"segment_{_name}")
    _k(f"{PREFIX}.segment_{_name}", lambda x, f=_f: f(x, tf.constant([0, 0, 1]), 2), n(3))
_k(f"{PREFIX}.unstack", lambda x: K.unstack(x), n(2, 2))
_k(f"{PREFIX}.view_as_real", z(2))
_k(f"{PREFIX}.view_as_complex", n(2, 2))
_k(f"{PREFIX}.cholesky", spd(3))
_k(f"{PREFIX}.cholesky_inverse", lower(3))
_k(f"{PREFIX}.det", n(3, 3))
_k(f"{PREFIX}.logdet", spd(3))
_k(f"{PREFIX}.slogdet", lambda a: K.slogdet(a)[1], n(3, 3))
_k(f"{PREFIX}.inv", spd(3))
_k(f"{PREFIX}.pinv", n(3, 2))
_k(f"{PREFIX}.solve", spd(3), n(3, 2))
_k(f"{PREFIX}.solve_triangular", lambda a, b: K.solve_triangular(a, b, lower=True), lower(3), n(3, 2))
_k(f"{PREFIX}.lstsq", n(4, 2), n(4))
_k(f"{PREFIX}.qr", lambda a: K.qr(a)[1], n(3, 2))
_k(f"{PREFIX}.svd", lambda a: K.svd(a)[1], n(3, 2))
_k(f"{PREFIX}.eigh", lambda a: K.eigh(a)[0], spd(3))
_k(f"{PREFIX}.eig", lambda a: K.eig(a)[0], d([[1.0, 2.0], [0.5, 4.0]]))
_k(f"{PREFIX}.lu_factor", lambda a: K.lu_factor(a)[0], spd(3))
_k(f"{PREFIX}.cond", lambda x: K.cond(tf.constant(True), lambda: x * x, lambda: x), n(2))
_k(f"{PREFIX}.switch", lambda x: K.switch(tf.constant(1), [lambda a: a, lambda a: a * a], x), n(2))
_k(f"{PREFIX}.map", lambda x: K.map(tf.sin, x), n(3))
_k(f"{PREFIX}.scan", lambda x: K.scan(lambda c, a: (c * a, c), tf.ones([], tf.float64), x)[0], n(3))
_k(f"{PREFIX}.associative_scan", lambda x: K.associative_scan(lambda a, b: a * b, x), n(4))
_k(f"{PREFIX}.while_loop", lambda x: K.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, tf.sin(a)), (0, x))[1], n(2))
_k(f"{PREFIX}.fori_loop", lambda x: K.fori_loop(0, 3, lambda i, a: tf.sin(a), x), n(2))
_k(f"{PREFIX}.vectorized_map", lambda x: K.vectorized_map(tf.sin, x), n(3))
_k(f"{PREFIX}.fft", lambda a, b: K.fft((a, b)), n(4, dtype=F32), n(4, dtype=F32))
_k(f"{PREFIX}.fft2", lambda a, b: K.fft2((a, b)), n(2, 2, dtype=F32), n(2, 2, dtype=F32))
_k(f"{PREFIX}.ifft2", lambda a, b: K.ifft2((a, b)), n(2, 2, dtype=F32), n(2, 2, dtype=F32))
_k(f"{PREFIX}.rfft", lambda a: K.rfft(a), n(6, dtype=F32))
_k(f"{PREFIX}.irfft", lambda a, b: K.irfft((a, b)), n(4, dtype=F32), n(4, dtype=F32))
_k(f"{PREFIX}.stft", lambda a: K.stft(a, 4, 2, 4), n(8, dtype=F32))
_k(f"{PREFIX}.extract_sequences", lambda a: K.extract_sequences(a, 3, 1), n(6, dtype=F32))
_k(f"{PREFIX}.conv", lambda x, k: K.conv(x, k, padding="same"), n(1, 3, 3, 1, dtype=F32), n(2, 2, 1, 1, dtype=F32))
_k(
    f"{PREFIX}.conv_transpose",
    lambda x, k: K.conv_transpose(x, k, strides=2),
    n(1, 2, 2, 1, dtype=F32),
    n(2, 2, 1, 1, dtype=F32),
)
_k(f"{PREFIX}.depthwise_conv", lambda x, k: K.depthwise_conv(x, k), n(1, 3, 3, 2, dtype=F32), n(2, 2, 2, 1, dtype=F32))
_k(
    f"{PREFIX}.separable_conv",
    lambda x, k, q: K.separable_conv(x, k, q),
    n(1, 3, 3, 2, dtype=F32),
    n(2, 2, 2, 1, dtype=F32),
    n(1, 1, 2, 1, dtype=F32),
)
_k(f"{PREFIX}.average_pool", lambda x: K.average_pool(x, 2, 2), n(1, 4, 4, 1, dtype=F32))
_k(f"{PREFIX}.max_pool", lambda x: K.max_pool(x, 2, 2), n(1, 4, 4, 1, dtype=F32))
_k(f"{PREFIX}.adaptive_average_pool", lambda x: K.adaptive_average_pool(x, [2, 2]), n(1, 4, 4, 1, dtype=F32))
_k(f"{PREFIX}.adaptive_max_pool", lambda x: K.adaptive_max_pool(x, [2, 2]), n(1, 4, 4, 1, dtype=F32))
_k(f"{PREFIX}.unfold", lambda x: K.unfold(x, 2), n(1, 1, 3, 3, dtype=F32))
_k(f"{PREFIX}.depth_to_space", lambda x: K.depth_to_space(x, 2), n(1, 1, 1, 4))
_k(f"{PREFIX}.space_to_depth", lambda x: K.space_to_depth(x, 2), n(1, 2, 2, 1))
_k(f"{PREFIX}.moments", lambda x: K.moments(x, 0), n(4, 2))
_k(f"{PREFIX}.batch_normalization", lambda x, m, v: K.batch_normalization(x, m, v, -1), n(2, 3), n(3), p(3))
_k(f"{PREFIX}.layer_normalization", lambda x: K.layer_normalization(x), n(2, 3))
_k(f"{PREFIX}.rms_normalization", lambda x: K.rms_normalization(x), n(2, 3))
_k(
    f"{PREFIX}.dot_product_attention",
    lambda q, k, v: K.dot_product_attention(q, k, v),
    n(1, 2, 1, 2, dtype=F32),
    n(1, 3, 1, 2, dtype=F32),
    n(1, 3, 1, 2, dtype=F32),
)
_k(f"{PREFIX}.binary_crossentropy", lambda x: K.binary_crossentropy(tf.constant([1.0, 0.0]), x), u(2, dtype=F32))
_k(
    f"{PREFIX}.categorical_crossentropy",
    lambda x: K.categorical_crossentropy(tf.constant([[1.0, 0.0]]), x),
    u(1, 2, dtype=F32),
)
_k(
    f"{PREFIX}.sparse_categorical_crossentropy",
    lambda x: K.sparse_categorical_crossentropy(tf.constant([1]), x),
    u(1, 2, dtype=F32),
)
_k(f"{PREFIX}.ctc_loss", lambda x: K.ctc_loss(tf.constant([[1, 2]]), x, [2], [4]), n(1, 4, 3, dtype=F32))
_k(f"{PREFIX}.psnr", lambda a, b: K.psnr(a, b, 1.0), u(1, 3, 3, 1, dtype=F32), u(1, 3, 3, 1, dtype=F32))
_k(f"{PREFIX}.cdist", n(2, 3), n(2, 3))

IMAGES = Area("keras ops")
_i = IMAGES.add
_P = u(1, 4, 4, 3, dtype=F32)
IMAGES.add_all(f"{PREFIX}.image", "rgb_to_grayscale rgb_to_hsv hsv_to_rgb gaussian_blur sobel_edges", _P)
_i(f"{PREFIX}.image.resize", lambda x: K.image.resize(x, [3, 3]), u(1, 2, 2, 1, dtype=F32))
_i(
    f"{PREFIX}.image.affine_transform",
    lambda x: K.image.affine_transform(x, tf.constant([[0.9, 0.1, 0.2, -0.1, 1.1, 0.3, 0.0, 0.0]])),
    _P,
)
_i(
    f"{PREFIX}.image.perspective_transform",
    lambda x: K.image.perspective_transform(
        x,
        tf.constant([[[0.0, 0.0], [0.0, 3.0], [3.0, 0.0], [3.0, 3.0]]]),
        tf.constant([[[0.1, 0.2], [0.3, 2.9], [2.8, 0.1], [2.7, 3.1]]]),
    ),
    _P,
)
_i(
    f"{PREFIX}.image.map_coordinates",
    lambda x, c: K.image.map_coordinates(x, c, order=1),
    u(4, 4, dtype=F32),
    tf.constant([[0.3, 1.4], [1.2, 2.3]]),
)
_i(f"{PREFIX}.image.extract_patches", lambda x: K.image.extract_patches(x, (2, 2)), _P)
_i(f"{PREFIX}.image.pad_images", lambda x: K.image.pad_images(x, 1, 1, 1, 1), _P)
_i(f"{PREFIX}.image.crop_images", lambda x: K.image.crop_images(x, 1, 1, 1, 1), _P)
_i(
    f"{PREFIX}.image.ssim",
    lambda a, b: K.image.ssim(a, b, 1.0, filter_size=3),
    u(1, 4, 4, 1, dtype=F32),
    u(1, 4, 4, 1, dtype=F32),
)
_i(
    f"{PREFIX}.image.scale_and_translate",
    lambda x: K.image.scale_and_translate(
        x, (1, 3, 3, 3), tf.constant([0.8, 0.7]), tf.constant([0.1, 0.2]), (1, 2), "linear"
    ),
    _P,
)

NUMPY = Area("numpy")
NP = "tf.experimental.numpy"
np_ = tf.experimental.numpy
NUMPY.add_all(
    NP, "argmin any all isfinite isinf isnan isneginf isposinf signbit nonzero ones_like zeros_like flatten", n(4)
)
NUMPY.add_all(
    NP,
    "greater_equal less_equal not_equal nextafter allclose array_equal logical_and logical_or logical_xor",
    n(3),
    n(3),
)
NUMPY.add_all(NP, "logical_not", n(3))
NUMPY.add(f"{NP}.arange", lambda a: np_.arange(a, a + 3.0), n())

_k(f"{PREFIX}.erfc", n(4))
_k(f"{PREFIX}.rot90", n(3, 3))
_k(f"{PREFIX}.polar", lambda r, a: K.polar(r, a), p(3), n(3))
_k(f"{PREFIX}.dsplit", lambda x: K.dsplit(x, 2), n(1, 2, 2))
_k(f"{PREFIX}.nanpercentile", lambda x: K.nanpercentile(x, 30.0), n(5))
for _name in ("min", "prod"):
    _f = getattr(K, f"segment_{_name}")
    _k(f"{PREFIX}.segment_{_name}", lambda x, f=_f: f(x, tf.constant([0, 0, 1]), 2), n(3))
_k(f"{PREFIX}.istft", lambda a, b: K.istft((a, b), 4, 2, 4), n(3, 3, dtype=F32), n(3, 3, dtype=F32))
_k(f"{PREFIX}.matrix_rank", n(3, 3))
_k(f"{PREFIX}.rearrange", lambda x: K.rearrange(x, "a b -> b a"), n(2, 3))
_k(f"{PREFIX}.get_item", lambda x: K.get_item(x, 1), n(3))
_k(f"{PREFIX}.signbit", n(3))
_k(
    f"{PREFIX}.custom_gradient",
    lambda x: K.custom_gradient(
        lambda y: (y * y, lambda *a, upstream=None: 2 * y * (upstream if upstream is not None else a[0]))
    )(x),
    n(3),
)
