"""Neural networks, images, sparse and ragged tensors, random numbers, quantisation."""

# ruff: noqa: E501  a function a line

from __future__ import annotations

import tensorflow as tf

from op_specs.inputs import Area, d, n, p, ragged, simplex, sparse, u

F32 = tf.float32
LABELS = tf.constant([[1], [2]], tf.int64)
SAMPLED = (tf.constant([0, 3], tf.int64), tf.constant([[0.5], [0.5]]), tf.constant([0.5, 0.5]))
NN = Area("nn")
_n = NN.add

NN.add_all("tf.nn", "silu gelu selu", n(4))
_n("tf.nn.relu", n(4), at={"at 0": (d(0.0),)})
_n("tf.nn.relu6", n(4), at={"at 0": (d(0.0),), "at 6": (d(6.0),)})
_n("tf.nn.elu", n(4), at={"at 0": (d(0.0),)})
_n("tf.nn.crelu", n(4), at={"at 0": (d([0.0]),)})
_n("tf.nn.leaky_relu", n(4), at={"at 0": (d(0.0),)})
_n("tf.nn.softmax", n(2, 3))
_n("tf.nn.log_softmax", n(2, 3))
_n("tf.nn.softmax_cross_entropy_with_logits", simplex(2, 3), n(2, 3))
_n(
    "tf.nn.sparse_softmax_cross_entropy_with_logits",
    lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits([0, 2], x),
    n(2, 3),
)
_n("tf.nn.sigmoid_cross_entropy_with_logits", u(3), n(3))
_n(
    "tf.nn.weighted_cross_entropy_with_logits",
    lambda a, b, w: tf.nn.weighted_cross_entropy_with_logits(a, b, w),
    u(3),
    n(3),
    p(),
)
_n("tf.nn.log_poisson_loss", p(3), n(3))
_n("tf.nn.l2_loss", n(3))
_n(
    "tf.nn.ctc_loss",
    lambda x: tf.nn.ctc_loss([[1, 2]], x, [2], [4], logits_time_major=False, blank_index=0),
    n(1, 4, 3, dtype=F32),
)
_n("tf.nn.nce_loss", lambda w, b, x: tf.nn.nce_loss(w, b, LABELS, x, 2, 4, sampled_values=SAMPLED),
   n(4, 3, dtype=F32), n(4, dtype=F32), n(2, 3, dtype=F32))  # fmt: skip
_n("tf.nn.sampled_softmax_loss",
   lambda w, b, x: tf.nn.sampled_softmax_loss(w, b, LABELS, x, 2, 4, sampled_values=SAMPLED),
   n(4, 3, dtype=F32), n(4, dtype=F32), n(2, 3, dtype=F32))  # fmt: skip
_n("tf.nn.compute_average_loss", lambda x: tf.nn.compute_average_loss(x, global_batch_size=4), n(3))
_n("tf.nn.scale_regularization_loss", n())
_n("tf.nn.bias_add", n(2, 3), n(3))
_n(
    "tf.nn.batch_normalization",
    lambda x, m, v, b, s: tf.nn.batch_normalization(x, m, v, b, s, 1e-3),
    n(2, 3),
    n(3),
    p(3),
    n(3),
    p(3),
)
_n("tf.nn.batch_norm_with_global_normalization",
   lambda x, m, v, b, s: tf.nn.batch_norm_with_global_normalization(x, m, v, b, s, 1e-3, True),
   n(1, 2, 2, 2, dtype=F32), n(2, dtype=F32), p(2, dtype=F32), n(2, dtype=F32), p(2, dtype=F32))  # fmt: skip
_n("tf.nn.moments", lambda x: tf.nn.moments(x, [0])[1], n(4, 2))
_n("tf.nn.weighted_moments", lambda x, w: tf.nn.weighted_moments(x, [0], w)[1], n(4, 2), p(4, 2))
_n("tf.nn.sufficient_statistics", lambda x: tf.nn.sufficient_statistics(x, [0])[1:3], n(4, 2))
_n("tf.nn.normalize_moments", lambda c, m, v: tf.nn.normalize_moments(c, m, v, None), p(), n(2), p(2))
_n("tf.nn.local_response_normalization", n(1, 2, 2, 3, dtype=F32))
_n("tf.nn.conv1d", lambda x, k: tf.nn.conv1d(x, k, 1, "SAME"), n(1, 4, 2), n(3, 2, 2))
_n("tf.nn.conv2d", lambda x, k: tf.nn.conv2d(x, k, 1, "SAME"), n(1, 3, 3, 1), n(2, 2, 1, 2))
_n("tf.nn.conv3d", lambda x, k: tf.nn.conv3d(x, k, [1] * 5, "SAME"), n(1, 2, 2, 2, 1), n(2, 2, 2, 1, 1))
_n("tf.nn.conv1d_transpose", lambda x, k: tf.nn.conv1d_transpose(x, k, [1, 6, 1], 2), n(1, 3, 2), n(2, 1, 2))
_n("tf.nn.conv2d_transpose", lambda x, k: tf.nn.conv2d_transpose(x, k, [1, 4, 4, 1], 2), n(1, 2, 2, 2), n(2, 2, 1, 2))
_n(
    "tf.nn.conv3d_transpose",
    lambda x, k: tf.nn.conv3d_transpose(x, k, [1, 2, 2, 2, 1], 2),
    n(1, 1, 1, 1, 2),
    n(2, 2, 2, 1, 2),
)
_n("tf.nn.conv_transpose", lambda x, k: tf.nn.conv_transpose(x, k, [1, 6, 1], 2), n(1, 3, 2), n(2, 1, 2))
_n("tf.nn.convolution", lambda x, k: tf.nn.convolution(x, k), n(1, 3, 3, 1), n(2, 2, 1, 2))
_n("tf.nn.atrous_conv2d", lambda x, k: tf.nn.atrous_conv2d(x, k, 2, "VALID"), n(1, 4, 4, 1), n(2, 2, 1, 1))
_n(
    "tf.nn.atrous_conv2d_transpose",
    lambda x, k: tf.nn.atrous_conv2d_transpose(x, k, [1, 4, 4, 1], 2, "VALID"),
    n(1, 2, 2, 1),
    n(2, 2, 1, 1),
)
_n("tf.nn.depthwise_conv2d", lambda x, k: tf.nn.depthwise_conv2d(x, k, [1] * 4, "SAME"), n(1, 3, 3, 2), n(2, 2, 2, 1))
_n(
    "tf.nn.depthwise_conv2d_backprop_input",
    lambda k, g: tf.nn.depthwise_conv2d_backprop_input([1, 3, 3, 2], k, g, [1] * 4, "SAME"),
    n(2, 2, 2, 1),
    n(1, 3, 3, 2),
)
_n(
    "tf.nn.depthwise_conv2d_backprop_filter",
    lambda x, g: tf.nn.depthwise_conv2d_backprop_filter(x, [2, 2, 2, 1], g, [1] * 4, "SAME"),
    n(1, 3, 3, 2),
    n(1, 3, 3, 2),
)
_n(
    "tf.nn.separable_conv2d",
    lambda x, k, q: tf.nn.separable_conv2d(x, k, q, [1] * 4, "SAME"),
    n(1, 3, 3, 2),
    n(2, 2, 2, 1),
    n(1, 1, 2, 1),
)
_n("tf.nn.with_space_to_batch", lambda x: tf.nn.with_space_to_batch(x, [2], "VALID", lambda a, *_: a * a), n(1, 4, 1))
for _dims, _shape in (("1d", (1, 4, 1)), ("2d", (1, 4, 4, 1)), ("3d", (1, 2, 2, 2, 1))):
    _avg, _max = getattr(tf.nn, f"avg_pool{_dims}"), getattr(tf.nn, f"max_pool{_dims}")
    _n(
        f"tf.nn.avg_pool{_dims}",
        lambda x, f=_avg: f(x, 2, 2, "VALID"),
        n(*_shape, dtype=F32),
    )
    _n(
        f"tf.nn.max_pool{_dims}",
        lambda x, f=_max: f(x, 2, 2, "VALID"),
        n(*_shape, dtype=F32),
    )
_n("tf.nn.avg_pool", lambda x: tf.nn.avg_pool(x, 2, 2, "SAME"), n(1, 3, 3, 1))
_n("tf.nn.max_pool", lambda x: tf.nn.max_pool(x, 2, 2, "SAME"), n(1, 3, 3, 1))
_n("tf.nn.pool", lambda x: tf.nn.pool(x, [2, 2], "AVG"), n(1, 3, 3, 1))
_n("tf.nn.max_pool_with_argmax", lambda x: tf.nn.max_pool_with_argmax(x, 2, 2, "VALID")[0], n(1, 4, 4, 1))
_n("tf.nn.fractional_avg_pool", lambda x: tf.nn.fractional_avg_pool(x, [1.0, 1.5, 1.5, 1.0], seed=3)[0], n(1, 4, 4, 1))
_n("tf.nn.fractional_max_pool", lambda x: tf.nn.fractional_max_pool(x, [1.0, 1.5, 1.5, 1.0], seed=3)[0], n(1, 4, 4, 1))
_n(
    "tf.nn.dilation2d",
    lambda x, k: tf.nn.dilation2d(x, k, [1] * 4, "VALID", "NHWC", [1] * 4),
    n(1, 3, 3, 1),
    n(2, 2, 1),
)
_n("tf.nn.erosion2d", lambda x, k: tf.nn.erosion2d(x, k, [1] * 4, "VALID", "NHWC", [1] * 4), n(1, 3, 3, 1), n(2, 2, 1))
_n("tf.nn.depth_to_space", lambda x: tf.nn.depth_to_space(x, 2), n(1, 1, 1, 4))
_n("tf.nn.space_to_depth", lambda x: tf.nn.space_to_depth(x, 2), n(1, 2, 2, 1))
_n("tf.nn.embedding_lookup", lambda w: tf.nn.embedding_lookup(w, [0, 1, 1]), n(3, 2))
_IDS = tf.sparse.from_dense(tf.constant([[1, 0], [1, 2]], tf.int64))
_n("tf.nn.embedding_lookup_sparse", lambda w: tf.nn.embedding_lookup_sparse(w, _IDS, None), n(3, 2))
_n("tf.nn.safe_embedding_lookup_sparse", lambda w: tf.nn.safe_embedding_lookup_sparse(w, _IDS), n(3, 2))
_n("tf.nn.isotonic_regression", lambda x: tf.nn.isotonic_regression(x)[0], n(4))
_n("tf.nn.experimental.stateless_dropout", lambda x: tf.nn.experimental.stateless_dropout(x, 0.5, [1, 2]), n(6))
_n("tf.nn.experimental.general_dropout",
   lambda x: tf.nn.experimental.general_dropout(x, 0.5, lambda shape, dtype: tf.random.stateless_uniform(shape, [1, 2], dtype=dtype)), n(6))  # fmt: skip

IMAGE = Area("image")
_i = IMAGE.add
PICTURE = (1, 4, 4, 3)
_i("tf.image.adjust_brightness", lambda x: tf.image.adjust_brightness(x, 0.1), u(*PICTURE, dtype=F32))
_i("tf.image.adjust_contrast", lambda x: tf.image.adjust_contrast(x, 2.0), u(*PICTURE, dtype=F32))
_i("tf.image.adjust_gamma", lambda x: tf.image.adjust_gamma(x, 1.5), u(*PICTURE, dtype=F32))
_i("tf.image.adjust_hue", lambda x: tf.image.adjust_hue(x, 0.1), u(*PICTURE, dtype=F32))
_i("tf.image.adjust_saturation", lambda x: tf.image.adjust_saturation(x, 1.5), u(*PICTURE, dtype=F32))
_i(
    "tf.image.stateless_random_brightness",
    lambda x: tf.image.stateless_random_brightness(x, 0.3, (1, 2)),
    u(*PICTURE, dtype=F32),
)
_i(
    "tf.image.stateless_random_contrast",
    lambda x: tf.image.stateless_random_contrast(x, 0.3, 1.5, (1, 2)),
    u(*PICTURE, dtype=F32),
)
_i("tf.image.stateless_random_hue", lambda x: tf.image.stateless_random_hue(x, 0.3, (1, 2)), u(*PICTURE, dtype=F32))
_i(
    "tf.image.stateless_random_saturation",
    lambda x: tf.image.stateless_random_saturation(x, 0.3, 1.5, (1, 2)),
    u(*PICTURE, dtype=F32),
)
_i("tf.image.stateless_random_crop", lambda x: tf.image.stateless_random_crop(x, [1, 2, 2, 3], (1, 2)), u(*PICTURE))
_i(
    "tf.image.stateless_random_flip_left_right",
    lambda x: tf.image.stateless_random_flip_left_right(x, (1, 2)),
    u(*PICTURE),
)
_i("tf.image.stateless_random_flip_up_down", lambda x: tf.image.stateless_random_flip_up_down(x, (1, 2)), u(*PICTURE))
_i("tf.image.central_crop", lambda x: tf.image.central_crop(x, 0.5), u(*PICTURE))
_i("tf.image.convert_image_dtype", lambda x: tf.image.convert_image_dtype(x, tf.float64) * 2.0, u(*PICTURE))
for _method in ("bilinear", "nearest", "bicubic", "lanczos3", "area"):
    _i(
        f"tf.image.resize(method={_method!r})",
        lambda x, m=_method: tf.image.resize(x, [3, 3], m),
        u(1, 2, 2, 1, dtype=F32),
    )
_i("tf.image.resize", lambda x: tf.image.resize(x, [3, 3]), u(1, 2, 2, 1, dtype=F32))
_i("tf.image.resize_with_pad", lambda x: tf.image.resize_with_pad(x, 3, 4), u(1, 2, 2, 1, dtype=F32))
_i("tf.image.resize_with_crop_or_pad", lambda x: tf.image.resize_with_crop_or_pad(x, 3, 5), u(*PICTURE))
_i("tf.image.crop_and_resize", lambda x, b: tf.image.crop_and_resize(x, b, [0], [3, 3]), u(1, 4, 4, 1, dtype=F32),
   tf.constant([[0.1, 0.15, 0.9, 0.8]]))  # fmt: skip
_i("tf.image.crop_to_bounding_box", lambda x: tf.image.crop_to_bounding_box(x, 1, 1, 2, 2), u(*PICTURE))
_i("tf.image.pad_to_bounding_box", lambda x: tf.image.pad_to_bounding_box(x, 1, 1, 6, 6), u(*PICTURE))
_i(
    "tf.image.extract_patches",
    lambda x: tf.image.extract_patches(x, [1, 2, 2, 1], [1] * 4, [1] * 4, "VALID"),
    u(1, 3, 3, 1),
)
_i("tf.image.extract_glimpse", lambda x: tf.image.extract_glimpse(x, [2, 2], [[0.1, 0.1]]), u(1, 4, 4, 1, dtype=F32))
IMAGE.add_all("tf.image", "flip_left_right flip_up_down rot90 transpose", u(*PICTURE))
IMAGE.add_all(
    "tf.image", "rgb_to_grayscale rgb_to_hsv hsv_to_rgb rgb_to_yiq yiq_to_rgb rgb_to_yuv yuv_to_rgb", u(1, 2, 2, 3)
)
_i("tf.image.grayscale_to_rgb", u(1, 2, 2, 1))
_i("tf.image.image_gradients", u(1, 3, 3, 1))
_i("tf.image.sobel_edges", u(1, 3, 3, 1, dtype=F32))
_i("tf.image.per_image_standardization", u(1, 3, 3, 1, dtype=F32))
_i("tf.image.psnr", lambda a, b: tf.image.psnr(a, b, 1.0), u(1, 3, 3, 1, dtype=F32), u(1, 3, 3, 1, dtype=F32))
_i(
    "tf.image.ssim",
    lambda a, b: tf.image.ssim(a, b, 1.0, filter_size=3),
    u(1, 4, 4, 1, dtype=F32),
    u(1, 4, 4, 1, dtype=F32),
)
_i("tf.image.ssim_multiscale", lambda a, b: tf.image.ssim_multiscale(a, b, 1.0, [0.4, 0.6], filter_size=3),
   u(1, 8, 8, 1, dtype=F32), u(1, 8, 8, 1, dtype=F32))  # fmt: skip
_i("tf.image.total_variation", u(3, 3, 1))
_i("tf.image.adjust_jpeg_quality", lambda x: tf.image.adjust_jpeg_quality(x, 50), u(8, 8, 3, dtype=F32))
_i(
    "tf.image.draw_bounding_boxes",
    lambda x: tf.image.draw_bounding_boxes(x, [[[0.1, 0.1, 0.9, 0.9]]], [[1.0, 0.0, 0.0]]),
    u(*PICTURE, dtype=F32),
)
_i(
    "tf.image.non_max_suppression_overlaps",
    lambda x: tf.cast(tf.image.non_max_suppression_overlaps(x, [0.5, 0.4], 2), tf.float32),
    u(2, 2, dtype=F32),
)

SPARSE = Area("sparse")
_p = SPARSE.add
S = sparse([[1.0, 0.0], [2.0, 3.0]])
T = sparse([[0.5, 1.0], [0.0, 2.0]])
_p("tf.sparse.add", S, T)
_p("tf.sparse.concat", lambda a, b: tf.sparse.concat(0, [a, b]), S, T)
_p("tf.sparse.expand_dims", lambda a: tf.sparse.expand_dims(a, 0), S)
_p("tf.sparse.fill_empty_rows", lambda a: tf.sparse.fill_empty_rows(a, d(1.0))[0], S)
_p("tf.sparse.from_dense", n(2, 2))
_p("tf.sparse.map_values", lambda a: tf.sparse.map_values(tf.sin, a), S)
_p("tf.sparse.mask", lambda x: tf.sparse.mask(tf.IndexedSlices(x, [0, 1]), [1]).values, n(2, 2))
_p("tf.sparse.maximum", S, T)
_p("tf.sparse.minimum", S, T)
_p("tf.sparse.reduce_max", lambda a: tf.sparse.reduce_max(a, 1), S)
_p("tf.sparse.reduce_sum", lambda a: tf.sparse.reduce_sum(a, 1), S)
_p("tf.sparse.reorder", S)
_p("tf.sparse.reset_shape", S)
_p("tf.sparse.reshape", lambda a: tf.sparse.reshape(a, [4, 1]), S)
_p("tf.sparse.retain", lambda a: tf.sparse.retain(a, [True, False, True]), S)
_p("tf.sparse.segment_mean", lambda x: tf.sparse.segment_mean(x, [0, 1, 1], [0, 0, 1]), n(3, 2))
_p("tf.sparse.segment_sum", lambda x: tf.sparse.segment_sum(x, [0, 1, 1], [0, 0, 1]), n(3, 2))
_p("tf.sparse.segment_sqrt_n", lambda x: tf.sparse.segment_sqrt_n(x, [0, 1, 1], [0, 0, 1]), n(3, 2))
_p("tf.sparse.slice", lambda a: tf.sparse.slice(a, [0, 0], [2, 1]), S)
_p("tf.sparse.softmax", S)
_p("tf.sparse.sparse_dense_matmul", S, n(2, 2))
_p("tf.sparse.split", lambda a: tf.sparse.split(a, 2, 0), S)
_p("tf.sparse.to_dense", S)
_p("tf.sparse.transpose", S)
_p("tf.sparse.bincount", lambda w: tf.sparse.bincount([0, 1, 1], weights=w).values, n(3))

RAGGED = Area("ragged")
_g = RAGGED.add
R = ragged([[1.0, 2.0], [3.0]])
_g("tf.ragged.boolean_mask", lambda r: tf.ragged.boolean_mask(r, tf.ragged.constant([[True, False], [True]])), R)
_g("tf.ragged.map_flat_values", lambda r: tf.ragged.map_flat_values(tf.sin, r), R)
_g("tf.ragged.stack", lambda a, b: tf.ragged.stack([a, b]), n(2), n(3))
_g("tf.ragged.stack_dynamic_partitions", lambda x: tf.ragged.stack_dynamic_partitions(x, [0, 1, 0], 2), n(3))
_g("tf.RaggedTensor.from_row_splits", lambda x: tf.RaggedTensor.from_row_splits(x, [0, 2, 3]), n(3))
_g("tf.RaggedTensor.to_tensor", lambda r: r.to_tensor(), R)
_g("tf.RaggedTensor.from_tensor", lambda x: tf.RaggedTensor.from_tensor(x, lengths=[1, 2]), n(2, 2))
_g("tf.RaggedTensor.to_sparse", lambda r: r.to_sparse(), R)
_g(
    "tf.ragged_fill_empty_rows",
    lambda x: tf.ragged_fill_empty_rows(tf.constant([0, 2], tf.int64), x, tf.constant(3, tf.int64), d(1.0))[1],
    n(2),
)

RANDOM = Area("random")
_q = RANDOM.add
KEY = [1, 2]
_q("tf.random.stateless_normal", lambda m, s: tf.random.stateless_normal([3], KEY, m, s, tf.float64), n(3), p(3))
_q("tf.random.stateless_uniform", lambda a, b: tf.random.stateless_uniform([3], KEY, a, b, tf.float64), n(), p())
_q(
    "tf.random.stateless_truncated_normal",
    lambda m, s: tf.random.stateless_truncated_normal([3], KEY, m, s, tf.float64),
    n(3),
    p(3),
)
_q("tf.random.stateless_parameterized_truncated_normal",
   lambda m, s, a, b: tf.random.stateless_parameterized_truncated_normal([3], KEY, m, s, a, b), n(), p(), d(-2.0), d(3.0))  # fmt: skip
_q("tf.random.stateless_gamma", lambda a, b: tf.random.stateless_gamma([2], KEY, a, b, tf.float64), p(2), p(2))
_q("tf.random.stateless_poisson", lambda r: tf.random.stateless_poisson([2], KEY, r, tf.float64), p(2))
_q(
    "tf.random.stateless_binomial",
    lambda c, q: tf.random.stateless_binomial([2], KEY, c, q, tf.float64),
    d(5.0, 7.0),
    u(2),
)
_q("tf.random.stateless_categorical", lambda x: tf.random.stateless_categorical(x, 3, KEY), n(1, 3))
_q("tf.random.experimental.stateless_shuffle", lambda x: tf.random.experimental.stateless_shuffle(x, KEY), n(4))

QUANTIZE = Area("quantization")
_z = QUANTIZE.add
_z("tf.quantization.fake_quant_with_min_max_args", n(4, dtype=F32))
_z(
    "tf.quantization.fake_quant_with_min_max_vars",
    lambda x: tf.quantization.fake_quant_with_min_max_vars(x, -1.0, 1.0),
    n(4, dtype=F32),
)
_z("tf.quantization.fake_quant_with_min_max_vars_per_channel",
   lambda x: tf.quantization.fake_quant_with_min_max_vars_per_channel(x, [-1.0, -1.0], [1.0, 1.0]), n(3, 2, dtype=F32))  # fmt: skip
_z(
    "tf.quantization.quantize_and_dequantize_v2",
    lambda x: tf.quantization.quantize_and_dequantize_v2(x, -1.0, 1.0),
    n(4),
)
_z("tf.quantization.quantize_and_dequantize", lambda x: tf.quantization.quantize_and_dequantize(x, -1.0, 1.0), n(4))
