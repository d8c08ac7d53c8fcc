"""What to use instead: linear algebra, signals, networks, sparse tensors, images, random numbers."""

# ruff: noqa: E501  a function a line

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from op_specs.advice import put
from op_specs.inputs import d, sparse

_A = d([[3.0, 0.5], [0.5, 2.0]])
put(
    "tf.linalg.eigh_tridiagonal",
    "tf.linalg.eigvalsh(tf.linalg.diag(alpha) + tf.linalg.diag(beta, k=-1) + tf.linalg.diag(beta, k=1))",
    "",
    "tf.linalg.eigh_tridiagonal(alpha, beta)",
    by="alpha",
    alpha=d(1.0, 2.0, 4.0),
    beta=d(0.5, 0.7),
)
put(
    "tf.linalg.matrix_rank tf.keras.ops.matrix_rank",
    "(lambda s: tf.reduce_sum(s**2 / (s**2 + t**2)))(tf.linalg.svd(x, compute_uv=False))",
    "soft",
    "tf.cast(tf.linalg.matrix_rank(x), x.dtype)",
    0.05,
    x=_A,
)
put(
    "tf.linalg.logm",
    "(lambda e, v: v @ tf.linalg.diag(tf.math.log(e)) @ tf.transpose(v))(*tf.linalg.eigh(x))",
    "for a symmetric positive definite matrix",
    "tf.math.real(tf.linalg.logm(tf.cast(x, tf.complex128)))",
    x=_A,
)
put(
    "tf.linalg.lu tf.keras.ops.lu_factor",
    "tf.linalg.solve(x, b)",
    "or tf.linalg.slogdet, tf.linalg.inv, by what it was for",
    "tf.linalg.lu_solve(*tf.linalg.lu(x), b)",
    x=_A,
    b=d([[1.0], [2.0]]),
)
_CUBE = d(np.arange(16.0).reshape(2, 2, 4) ** 1.5 / 10)
put(
    "tf.signal.rfft3d",
    "tf.signal.fft3d(tf.cast(x, tf.complex128))[..., : n // 2 + 1]",
    "",
    "tf.signal.rfft3d(x)",
    x=_CUBE,
    n=4,
)
put(
    "tf.signal.irfft3d",
    "tf.signal.irfft(tf.transpose(tf.signal.ifft2d(tf.transpose(x, [2, 0, 1])), [1, 2, 0]))",
    "",
    "tf.signal.irfft3d(x)",
    x=tf.complex(_CUBE, _CUBE[:, ::-1]),
)
for _name in ("fftnd", "ifftnd"):
    put(
        f"tf.signal.{_name}",
        f"tf.signal.{_name.replace('nd', '2d')}(x)",
        "or in one or three dimensions",
        x=tf.complex(_CUBE, _CUBE),
    )
put("tf.signal.rfftnd", "tf.signal.rfft2d(x)", "or in one dimension", x=_CUBE)
put("tf.signal.irfftnd", "tf.signal.irfft2d(x)", "or in one dimension", x=tf.complex(_CUBE, _CUBE))
put(
    "tf.math.zeta",
    "tf.custom_gradient(lambda x: (tf.math.zeta(x, q), lambda dy: dy * (tf.math.zeta(x + 1e-5, q) - tf.math.zeta(x - 1e-5, q)) / 2e-5))(x)",
    "by x, of which there is none; by q it is right",
    "tf.math.zeta(x, q)",
    x=d(1.5, 2.5),
    q=d(0.7, 1.5),
)
put(
    "tf.math.betainc",
    "tf.custom_gradient(lambda a: (tf.math.betainc(a, b, x), lambda dy: dy * (tf.math.betainc(a + 1e-5, b, x) - tf.math.betainc(a - 1e-5, b, x)) / 2e-5))(a)",
    "by a, and so by b; by x it is right",
    "tf.math.betainc(a, b, x)",
    by="a",
    a=d(1.5, 2.5),
    b=d(0.7, 1.5),
    x=d(0.3, 0.6),
)
put(
    "tf.math.softsign tf.keras.activations.softsign tf.keras.ops.softsign",
    "x / (1 + tf.abs(x))",
    "for second order and forward mode",
    "tf.math.softsign(x)",
)
put("tf.math.approx_min_k", "-tf.math.top_k(-x, k)[0]", "on a CPU", k=2)

_X2 = d([[1.0, 2.0], [3.0, 5.0], [0.5, 1.5]])
put("tf.nn.moments", "tf.math.reduce_variance(x, 0)", "whose second order is right", "tf.nn.moments(x, [0])[1]", x=_X2)
put(
    "tf.nn.isotonic_regression",
    "tf.nn.isotonic_regression(x[None])[0][0]",
    "as the gradient has a wrong shape for rank 1",
    "tf.nn.isotonic_regression(x)[0]",
)
put(
    "tf.nn.softmax_cross_entropy_with_logits",
    "-tf.reduce_sum(labels * tf.nn.log_softmax(logits), -1)",
    "right for all labels and at all orders",
    "tf.nn.softmax_cross_entropy_with_logits(labels, logits)",
    by="logits",
    labels=d([[0.5, 0.2, 0.3]]),
    logits=d([[1.0, -0.5, 0.3]]),
)
put(
    "tf.nn.max_pool_with_argmax",
    "tf.nn.max_pool2d(x, 2, 2, 'VALID')",
    "for second order and forward mode",
    "tf.nn.max_pool_with_argmax(x, 2, 2, 'VALID')[0]",
    x=_CUBE[None],
)
put(
    "tf.nn.fractional_max_pool",
    "tf.nn.max_pool2d(x, 2, 2, 'VALID')",
    "for second order and forward mode",
    x=_CUBE[None],
)
put(
    "tf.nn.fractional_avg_pool",
    "tf.nn.avg_pool2d(x, 2, 2, 'VALID')",
    "for second order and forward mode",
    x=_CUBE[None],
)
for _name, _reduce in (("sum", "sum"), ("mean", "mean"), ("sqrt_n", "sum")):
    _scale = " / tf.sqrt(tf.math.unsorted_segment_sum(tf.ones_like(x[:, :1]), ids, 2))" if _name == "sqrt_n" else ""
    put(
        f"tf.sparse.segment_{_name}",
        f"tf.math.segment_{_reduce}(tf.gather(x, i), ids){_scale}",
        "for second order and forward mode",
        f"tf.sparse.segment_{_name}(x, i, ids)",
        x=_X2,
        i=[0, 1, 1],
        ids=[0, 0, 1],
    )
_IDS = tf.sparse.from_dense(tf.constant([[1, 0], [1, 2]], tf.int64))
put(
    "tf.nn.embedding_lookup_sparse",
    "tf.math.segment_mean(tf.gather(w, ids.values), ids.indices[:, 0])",
    "for second order and forward mode",
    "tf.nn.embedding_lookup_sparse(w, ids, None)",
    by="w",
    w=_X2,
    ids=_IDS,
)
put(
    "tf.nn.safe_embedding_lookup_sparse",
    "tf.math.unsorted_segment_mean(tf.gather(w, ids.values), ids.indices[:, 0], n)",
    "for second order and forward mode",
    "tf.nn.safe_embedding_lookup_sparse(w, ids)",
    by="w",
    w=_X2,
    ids=_IDS,
    n=2,
)
put(
    "tf.compat.v1.nn.ctc_loss",
    "tf.nn.ctc_loss(labels, x, [2], [4], blank_index=-1)",
    "with dense labels",
    x=tf.random.stateless_normal([4, 1, 4], [1, 2]),
    labels=[[1, 2]],
)
put(
    "tf.compat.v1.nn.fused_batch_norm",
    "tf.nn.batch_normalization(x, tf.reduce_mean(x, [0, 1, 2]), tf.math.reduce_variance(x, [0, 1, 2]), offset, scale, 1e-3)",
    "where the mean or the variance has to be differentiated",
    "tf.compat.v1.nn.fused_batch_norm(x, scale, offset)[0]",
    1e-4,
    x=tf.random.stateless_normal([2, 2, 2, 2], [1, 2]),
    scale=tf.constant([1.0, 2.0]),
    offset=tf.constant([0.5, 0.1]),
)

_SPARSE = {"x": sparse([[1.0, 0.0], [2.0, 3.0]]), "y": sparse([[0.5, 1.0], [0.0, 2.0]])}
put(
    "tf.sparse.add",
    "tf.sparse.from_dense(tf.sparse.to_dense(x) + tf.sparse.to_dense(y))",
    "for second order and forward mode, where the matrix is small",
    "tf.sparse.add(x, y)",
    **_SPARSE,
)
put(
    "tf.sparse.concat",
    "tf.sparse.from_dense(tf.concat([tf.sparse.to_dense(x), tf.sparse.to_dense(y)], 0))",
    "where the matrix is small",
    "tf.sparse.concat(0, [x, y])",
    **_SPARSE,
)
for _name in ("maximum", "minimum"):
    put(
        f"tf.sparse.{_name}",
        f"tf.{_name}(tf.sparse.to_dense(x), tf.sparse.to_dense(y))",
        "where the matrix is small",
        f"tf.sparse.to_dense(tf.sparse.{_name}(x, y))",
        by="x" if _name == "maximum" else "y",
        **_SPARSE,
    )
put(
    "tf.sparse.reduce_max",
    "tf.reduce_max(tf.sparse.to_dense(x), 1)",
    "where the matrix is small; what is missing counts as 0",
    "tf.sparse.reduce_max(x, 1)",
    **_SPARSE,
)
put(
    "tf.sparse.split",
    "tf.split(tf.sparse.to_dense(x), 2, 0)",
    "where the matrix is small",
    "[tf.sparse.to_dense(part) for part in tf.sparse.split(x, 2, 0)]",
    **_SPARSE,
)
put(
    "tf.sparse.softmax",
    "tf.nn.softmax(tf.where(tf.sparse.to_dense(x) == 0, x.dtype.min, tf.sparse.to_dense(x)))",
    "for second order and forward mode, where the matrix is small",
    "tf.sparse.to_dense(tf.sparse.softmax(x))",
    **_SPARSE,
)
put(
    "tf.sparse.slice",
    "tf.sparse.to_dense(x)[:, :1]",
    "for second order and forward mode, where the matrix is small",
    "tf.sparse.to_dense(tf.sparse.slice(x, [0, 0], [2, 1]))",
    **_SPARSE,
)

_PICTURE = tf.random.stateless_uniform([1, 4, 4, 3], [1, 2], 0.2, 0.8)
_GREY = "(1 - factor) * tf.reduce_mean(image, [-3, -2], keepdims=True) + factor * image"
_SATURATED = "(1 - factor) * tf.reduce_max(image, -1, keepdims=True) + factor * image"
_TURNED = "tf.einsum('...c,cd->...d', tf.image.rgb_to_yiq(image), tf.constant([[1.0, 0, 0], [0, c, s], [0, -s, c]]))"
_PIC: dict[str, Any] = {"by": "image", "image": _PICTURE}
put("tf.image.adjust_contrast", _GREY, "", "tf.image.adjust_contrast(image, factor)", 1e-5, factor=1.5, **_PIC)
put("tf.image.stateless_random_contrast tf.image.random_contrast", _GREY, "with a random factor", factor=1.5, **_PIC)
put(
    "tf.image.adjust_saturation",
    _SATURATED,
    "as long as no saturation goes beyond 1",
    "tf.image.adjust_saturation(image, factor)",
    1e-5,
    factor=0.5,
    **_PIC,
)
put(
    "tf.image.stateless_random_saturation tf.image.random_saturation",
    _SATURATED,
    "with a random factor",
    factor=0.5,
    **_PIC,
)
put(
    "tf.image.adjust_hue",
    f"tf.image.yiq_to_rgb({_TURNED})",
    "with the cosine and sine of an angle: not the same colours",
    c=0.8,
    s=0.6,
    **_PIC,
)
put(
    "tf.image.stateless_random_hue tf.image.random_hue",
    f"tf.image.yiq_to_rgb({_TURNED})",
    "with the cosine and sine of a random angle",
    c=0.8,
    s=0.6,
    **_PIC,
)
put(
    "tf.image.hsv_to_rgb tf.keras.ops.image.hsv_to_rgb",
    "(lambda h, s, v: v - v * s * tf.clip_by_value(2 - tf.abs((6 * h + [5.0, 3.0, 1.0]) % 6 - 2), 0.0, 1.0))(*tf.split(hsv, 3, -1))",
    "",
    "tf.image.hsv_to_rgb(hsv)",
    1e-5,
    "hsv",
    hsv=_PICTURE,
)
put(
    "tf.image.draw_bounding_boxes",
    "image * (1 - mask) + colour * mask",
    "with a mask of the boxes",
    mask=tf.ones([4, 4, 1]) / 2,
    colour=[1.0, 0.0, 0.0],
    **_PIC,
)
put("tf.image.extract_glimpse", "tf.image.crop_and_resize(image, [[0.2, 0.2, 0.8, 0.8]], [0], [2, 2])", "", **_PIC)
_JPEG = {"by": "image", "image": tf.random.stateless_uniform([8, 8, 3], [1, 2])}
put(
    "tf.image.adjust_jpeg_quality",
    "image + tf.stop_gradient(tf.image.adjust_jpeg_quality(image, 50) - image)",
    "straight through",
    "tf.image.adjust_jpeg_quality(image, 50)",
    1e-5,
    **_JPEG,
)
put(
    "tf.image.random_jpeg_quality",
    "image + tf.stop_gradient(tf.image.random_jpeg_quality(image, 40, 60) - image)",
    "straight through",
    **_JPEG,
)
put(
    "tf.image.stateless_random_jpeg_quality",
    "image + tf.stop_gradient(tf.image.stateless_random_jpeg_quality(image, 40, 60, (1, 2)) - image)",
    "straight through",
    "tf.image.stateless_random_jpeg_quality(image, 40, 60, (1, 2))",
    1e-5,
    **_JPEG,
)
_BYTES = "tf.image.convert_image_dtype(tf.image.convert_image_dtype(image, tf.uint8), image.dtype)"
put(
    ["tf.image.convert_image_dtype(tf.uint8)"],
    f"image + tf.stop_gradient({_BYTES} - image)",
    "straight through",
    _BYTES,
    1e-5,
    **_PIC,
)
put(
    ["tf.image.resize(method='area')", "tf.compat.v1.image.resize_area"],
    "tf.nn.avg_pool2d(image, 2, 2, 'VALID')",
    "for whole factors; otherwise tf.image.resize(..., antialias=True)",
    "tf.image.resize(image, [2, 2], 'area')",
    1e-5,
    **_PIC,
)
put(
    ["tf.image.resize(method='nearest')", "tf.compat.v1.image.resize_nearest_neighbor"],
    "tf.image.resize(image, [3, 3])",
    "bilinear, whose gradient is smooth; for second order and forward mode see tf.gather",
    **_PIC,
)
put(
    "tf.image.ssim_multiscale",
    "tf.image.ssim(image, other, 1.0)",
    "or images of which no contrast is negative, as tf.nn.relu and a power of it are inside",
    by="image",
    image=tf.random.stateless_uniform([1, 12, 12, 1], [1, 2]),
    other=tf.random.stateless_uniform([1, 12, 12, 1], [1, 3]),
)
put(
    "tf.image.non_max_suppression tf.image.non_max_suppression_overlaps tf.image.non_max_suppression_padded",
    "scores * tf.reduce_min(1 - overlaps * tf.cast(scores[None] > scores[:, None], overlaps.dtype), 1)",
    "soft: each score less what a better one covers",
    by="scores",
    scores=d(0.9, 0.5),
    overlaps=d([[1.0, 0.4], [0.4, 1.0]]),
)

put(
    "tf.random.experimental.stateless_shuffle",
    "tf.gather(x, tf.random.experimental.stateless_shuffle(tf.range(n), seed))",
    "",
    "tf.random.experimental.stateless_shuffle(x, seed)",
    n=3,
    seed=[1, 2],
)
put("tf.random.shuffle", "tf.gather(x, tf.random.shuffle(tf.range(n)))", n=3)
put(
    "tf.random.stateless_poisson tf.random.poisson",
    "tf.stop_gradient(loss) * tf.reduce_sum(k * tf.math.log(rate) - rate)",
    "added to the loss: the score-function estimate with the draws k",
    by="rate",
    loss=d(2.0),
    rate=d(1.5, 2.5),
    k=d(1.0, 3.0),
)
put(
    "tf.random.stateless_binomial",
    "tf.sigmoid((x + noise) / t)",
    "for each trial, of logits and logistic noise: relaxed",
    noise=d(0.1, 0.5, -1.0),
)
put(
    "tf.random.stateless_categorical tf.random.categorical",
    "tf.nn.softmax((x + noise) / t)",
    "of logits and Gumbel noise: relaxed",
    noise=d(0.1, 0.5, -1.0),
)
_DRAWS = "nothing: its gradient is right on average over the draws, not along one seed's path"
put("tf.random.stateless_gamma tf.random.gamma tf.random.stateless_parameterized_truncated_normal", "", _DRAWS)
_ON_PURPOSE = (
    "nothing: its gradient is that of the unrounded value (straight through) on purpose, so numbers contradict it"
)
put("tf.raw_ops.QuantizeAndDequantizeV4", "", _ON_PURPOSE)
put(
    [f"tf.quantization.{name}" for name in ("fake_quant_with_min_max_args", "fake_quant_with_min_max_vars", "fake_quant_with_min_max_vars_per_channel",
     "quantize_and_dequantize_v2", "quantize_and_dequantize")],
    "",
    _ON_PURPOSE,
)  # fmt: skip
put(
    "tf.quantization.quantize",
    "tf.quantization.fake_quant_with_min_max_args(x, -1.0, 1.0)",
    "which rounds and passes the gradient straight through",
    x=tf.constant([0.3, -0.2, 0.9]),
)

_Q = {"x": d([[1.0, 2.0], [3.0, 5.0]]), "k": d([[1.0, 0.5], [0.2, 2.0]])}
put("tf.parallel_stack", "tf.stack([x, y])")
put("tf.conv", "tf.nn.conv2d(x[None, :, :, None], k[:, :, None, None], 1, 'VALID')", "or tf.nn.convolution", **_Q)
put(
    "tf.nn.ctc_greedy_decoder tf.nn.ctc_beam_search_decoder",
    "tf.nn.ctc_loss(labels, x, [2], [4], blank_index=-1)",
    "minus the logarithm of the labels' probability",
    x=tf.random.stateless_normal([4, 1, 4], [1, 2]),
    labels=[[1, 2]],
)
put(
    "tf.quantization.dequantize",
    "low + (high - low) * tf.cast(q, low.dtype) / 255",
    "for 8 bits",
    by="low",
    low=d(0.5),
    high=d(1.5),
    q=[1, 2],
)
put(
    "tf.compat.v1.sparse_to_dense",
    "tf.scatter_nd(i, x, [4])",
    "",
    "tf.compat.v1.sparse_to_dense(i, [4], x)",
    i=[[0], [2], [3]],
)
put(
    "tf.image.non_max_suppression_with_scores tf.image.combined_non_max_suppression",
    "scores * tf.reduce_min(1 - overlaps * tf.cast(scores[None] > scores[:, None], overlaps.dtype), 1)",
    "soft: each score less what a better one covers",
    by="scores",
    scores=d(0.9, 0.5),
    overlaps=d([[1.0, 0.4], [0.4, 1.0]]),
)
put(
    [f"tf.quantization.fake_quant_with_min_max_{name}_gradient" for name in ("args", "vars", "vars_per_channel")],
    "",
    "nothing: it is a gradient itself, straight through",
)
put("tf.linalg.LinearOperatorHouseholder.log_abs_determinant", "", "nothing: it is 0 for all")
put("tf.raw_ops.BlockLSTMV2", "tf.keras.layers.LSTM(2)(x)", x=tf.random.stateless_normal([1, 3, 2], [1, 2]))
put(
    "tf.raw_ops.ImageProjectiveTransformV3 tf.keras.ops.image.affine_transform tf.keras.ops.image.perspective_transform",
    "tf.keras.ops.image.map_coordinates(x, where, 1)",
    "with the coordinates that the transform gives",
    x=tf.random.stateless_normal([4, 4], [1, 2]),
    where=tf.constant([[0.3, 1.4], [1.2, 2.3]]),
)
_GRID = d(np.arange(9.0).reshape(1, 3, 3, 1) ** 1.5 / 10)
put(
    "tf.conv2d_backprop_input_v2",
    "tf.nn.conv2d_transpose(g, x, [1, 3, 3, 1], 1, 'VALID')",
    x=_GRID[0, :2, :2, :, None],
    g=_GRID[:, 1:, 1:],
)
put(
    "tf.conv2d_backprop_filter_v2",
    "tf.transpose(tf.nn.conv2d(tf.transpose(x, [3, 1, 2, 0]), tf.transpose(g, [1, 2, 0, 3]), 1, 'VALID'), [1, 2, 0, 3])",
    x=_GRID,
    g=_GRID[:, 1:, 1:],
)
