"""Variables, tensor arrays, linear operators, checks, stateful random numbers, and functions of TensorFlow 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from op_specs.inputs import Area, d, n, p, ragged, sparse, u, z

F32 = tf.float32
TESTS = Area("math")
_t = TESTS.add
for _name in ("logical_and", "logical_or", "logical_xor"):
    _f = getattr(tf.math, _name)
    _t(f"tf.math.{_name}", lambda x, y, f=_f: tf.cast(f(x > 0, y > 0), tf.float64), n(3), n(3))
_t("tf.math.logical_not", lambda x: tf.cast(tf.math.logical_not(x > 0), tf.float64), n(3))
_t("tf.math.reduce_all", lambda x: tf.cast(tf.math.reduce_all(x > 0), tf.float64), n(3))
_t("tf.math.reduce_any", lambda x: tf.cast(tf.math.reduce_any(x > 0), tf.float64), n(3))
_t("tf.math.is_non_decreasing", lambda x: tf.cast(tf.math.is_non_decreasing(x), tf.float64), n(3))
_t("tf.math.is_strictly_increasing", lambda x: tf.cast(tf.math.is_strictly_increasing(x), tf.float64), n(3))
_t("tf.math.in_top_k", lambda x: tf.cast(tf.math.in_top_k([1], x, 1), tf.float32), n(1, 3, dtype=F32))
_t(
    "tf.math.confusion_matrix",
    lambda w: tf.math.confusion_matrix([0, 1, 1], [0, 1, 0], weights=w, dtype=tf.float64),
    n(3),
)
_t("tf.math.approx_min_k", lambda x: tf.math.approx_min_k(x, 2)[0], n(5, dtype=F32))
_t(
    "tf.histogram_fixed_width_bins",
    lambda x: tf.cast(tf.histogram_fixed_width_bins(x, [d(-1.0), d(1.0)]), tf.float64),
    n(4),
)
_t("tf.strings.as_string", lambda x: tf.strings.to_number(tf.strings.as_string(x), tf.float64), n(3))

CHECKS = Area("checks")
_c = CHECKS.add
_c("tf.debugging.check_numerics", lambda x: tf.debugging.check_numerics(x, "x"), n(3))
_c("tf.debugging.assert_all_finite", lambda x: tf.debugging.assert_all_finite(x, "x"), n(3))
_c("tf.tuple", lambda x, y: tf.tuple([x, y]), n(2), n(2))
_c("tf.nest.map_structure", lambda x, y: tf.nest.map_structure(tf.multiply, [x, y], [y, x]), n(2), n(2))

VARIABLES = Area("variables")
_v = VARIABLES.add


def _assigned(method: str, *before: Any, sliced: bool = False) -> Callable[[tf.Tensor], tf.Tensor]:
    """What a Variable holds after an assignment, as a function of what was assigned."""

    def f(x: tf.Tensor) -> tf.Tensor:
        variable = tf.Variable([1.0, 2.0, 3.0], dtype=tf.float64)
        getattr(variable, method)(*before, tf.IndexedSlices(x, tf.constant([0, 2])) if sliced else x)
        return variable * 1.0

    return f


for _name in ("assign", "assign_add", "assign_sub"):
    _v(f"tf.Variable.{_name}", _assigned(_name), n(3))
for _name in ("scatter_nd_add", "scatter_nd_sub", "scatter_nd_update"):
    _v(f"tf.Variable.{_name}", _assigned(_name, [[0], [2]]), n(2))
for _name in (
    "scatter_add",
    "scatter_sub",
    "scatter_update",
    "scatter_mul",
    "scatter_div",
    "scatter_max",
    "scatter_min",
    "batch_scatter_update",
):
    _v(f"tf.Variable.{_name}", _assigned(_name, sliced=True), p(2))
_v("tf.Variable.read_value", lambda x: x * tf.Variable([1.0, 2.0], dtype=tf.float64).read_value(), n(2))

TENSOR_ARRAYS = Area("tensor arrays")
_y = TENSOR_ARRAYS.add
_y("tf.TensorArray.write", lambda x, y: tf.TensorArray(tf.float64, 2).write(0, x).write(1, y).stack(), n(2), n(2))
_y("tf.TensorArray.read", lambda x: tf.TensorArray(tf.float64, 2, clear_after_read=False).unstack(x).read(1), n(2, 2))
_y("tf.TensorArray.stack", lambda x: tf.TensorArray(tf.float64, 2).unstack(x).stack(), n(2, 2))
_y("tf.TensorArray.unstack", lambda x: tf.TensorArray(tf.float64, 2).unstack(x).concat(), n(2, 2))
_y("tf.TensorArray.concat", lambda x: tf.TensorArray(tf.float64, 2).unstack(x).concat(), n(2, 2))
_y("tf.TensorArray.gather", lambda x: tf.TensorArray(tf.float64, 3).unstack(x).gather([2, 2, 0]), n(3))
_y("tf.TensorArray.scatter", lambda x: tf.TensorArray(tf.float64, 3).scatter([2, 0, 1], x).stack(), n(3))
_y("tf.TensorArray.split", lambda x: tf.TensorArray(tf.float64, 2, infer_shape=False).split(x, [1, 2]).concat(), n(3))

OPERATORS = Area("linear operators")
_o = OPERATORS.add
_L = tf.linalg


def _operator(name: str, make: Callable[..., Any], *given: Any) -> None:
    """The product, the solution, and the logarithm of the determinant of one kind of operator."""
    _o(f"tf.linalg.{name}.matmul", lambda *xs: make(*xs[:-1]).matmul(xs[-1]), *given, n(3, 2))
    _o(f"tf.linalg.{name}.solve", lambda *xs: make(*xs[:-1]).solve(xs[-1]), *given, n(3, 2))
    _o(f"tf.linalg.{name}.log_abs_determinant", lambda *xs: make(*xs).log_abs_determinant(), *given)


_operator("LinearOperatorFullMatrix", lambda a: _L.LinearOperatorFullMatrix(a + 4 * tf.eye(3, dtype=a.dtype)), n(3, 3))
_operator("LinearOperatorDiag", _L.LinearOperatorDiag, p(3))
_operator(
    "LinearOperatorLowerTriangular",
    lambda a: _L.LinearOperatorLowerTriangular(a + 4 * tf.eye(3, dtype=a.dtype)),
    n(3, 3),
)
_operator("LinearOperatorScaledIdentity", lambda a: _L.LinearOperatorScaledIdentity(3, a), p())
_operator("LinearOperatorHouseholder", _L.LinearOperatorHouseholder, n(3))
_operator(
    "LinearOperatorToeplitz",
    lambda c, r: _L.LinearOperatorToeplitz(c + d(4.0, 0.0, 0.0), tf.concat([c[:1] + 4.0, r], 0)),
    n(3),
    n(2),
)
_operator("LinearOperatorTridiag", lambda a: _L.LinearOperatorTridiag(a + d([[0.0], [5.0], [0.0]]), "compact"), n(3, 3))
_operator(
    "LinearOperatorLowRankUpdate",
    lambda a, q, s: _L.LinearOperatorLowRankUpdate(
        _L.LinearOperatorDiag(a, is_positive_definite=True), q, s, is_diag_update_positive=True
    ),
    p(3),
    n(3, 1),
    p(1),
)
_operator(
    "LinearOperatorBlockDiag",
    lambda a, q: _L.LinearOperatorBlockDiag([_L.LinearOperatorDiag(a), _L.LinearOperatorScaledIdentity(1, q)]),
    p(2),
    p(),
)
_operator(
    "LinearOperatorComposition",
    lambda a, q: _L.LinearOperatorComposition([_L.LinearOperatorDiag(a), _L.LinearOperatorDiag(q)]),
    p(3),
    p(3),
)
_operator("LinearOperatorInversion", lambda a: _L.LinearOperatorInversion(_L.LinearOperatorDiag(a)), p(3))
_operator("LinearOperatorAdjoint", lambda a: _L.LinearOperatorAdjoint(_L.LinearOperatorDiag(a)), p(3))
_operator(
    "LinearOperatorKronecker",
    lambda a: _L.LinearOperatorKronecker([_L.LinearOperatorDiag(a), _L.LinearOperatorIdentity(1, dtype=a.dtype)]),
    p(3),
)
_operator(
    "LinearOperatorCirculant",
    lambda a: _L.LinearOperatorCirculant(
        tf.cast(tf.concat([a, a[1:]], 0), tf.complex128), input_output_dtype=tf.float64, is_self_adjoint=True
    ),
    p(2),
)

STATEFUL = Area("random")
_r = STATEFUL.add


def _seeded(draw: Callable[..., Any]) -> Callable[..., Any]:
    """The same numbers whenever it is called."""

    def f(*args: Any) -> Any:
        tf.random.set_seed(1)
        return draw(*args)

    return f


_r("tf.random.normal", _seeded(lambda m, s: tf.random.normal([3], m, s, tf.float64, seed=2)), n(3), p(3))
_r("tf.random.uniform", _seeded(lambda a, b: tf.random.uniform([3], a, b, tf.float64, seed=2)), n(), p())
_r(
    "tf.random.truncated_normal",
    _seeded(lambda m, s: tf.random.truncated_normal([3], m, s, tf.float64, seed=2)),
    n(3),
    p(3),
)
_r("tf.random.gamma", _seeded(lambda a, b: tf.random.gamma([2], a, b, tf.float64, seed=2)), p(2), p(2))
_r("tf.random.poisson", _seeded(lambda a: tf.random.poisson([2], a, tf.float64, seed=2)), p(2))
_r("tf.random.categorical", _seeded(lambda a: tf.cast(tf.random.categorical(a, 3, seed=2), tf.float64)), n(1, 3))
_r("tf.random.shuffle", _seeded(lambda a: tf.random.shuffle(a, seed=2)), n(4))
_r("tf.nn.dropout", _seeded(lambda a: tf.nn.dropout(a, 0.5, seed=2)), n(6))
_r(
    "tf.random.Generator.normal",
    lambda m, s: tf.random.Generator.from_seed(1).normal([3], m, s, tf.float64),
    n(3),
    p(3),
)
_r(
    "tf.random.Generator.uniform",
    lambda a, b: tf.random.Generator.from_seed(1).uniform([3], a, b, tf.float64),
    n(),
    p(),
)
_r(
    "tf.random.Generator.truncated_normal",
    lambda m, s: tf.random.Generator.from_seed(1).truncated_normal([3], m, s, tf.float64),
    n(3),
    p(3),
)
PICTURE = (1, 4, 4, 3)
_r("tf.image.random_brightness", _seeded(lambda a: tf.image.random_brightness(a, 0.3, seed=2)), u(*PICTURE, dtype=F32))
_r("tf.image.random_contrast", _seeded(lambda a: tf.image.random_contrast(a, 0.3, 1.5, seed=2)), u(*PICTURE, dtype=F32))
_r("tf.image.random_crop", _seeded(lambda a: tf.image.random_crop(a, [1, 2, 2, 3], seed=2)), u(*PICTURE))
_r("tf.image.random_flip_left_right", _seeded(lambda a: tf.image.random_flip_left_right(a, seed=2)), u(*PICTURE))
_r("tf.image.random_flip_up_down", _seeded(lambda a: tf.image.random_flip_up_down(a, seed=2)), u(*PICTURE))
_r("tf.image.random_hue", _seeded(lambda a: tf.image.random_hue(a, 0.3, seed=2)), u(*PICTURE, dtype=F32))
_r(
    "tf.image.random_saturation",
    _seeded(lambda a: tf.image.random_saturation(a, 0.3, 1.5, seed=2)),
    u(*PICTURE, dtype=F32),
)
_r(
    "tf.image.random_jpeg_quality",
    _seeded(lambda a: tf.image.random_jpeg_quality(a, 40, 60, seed=2)),
    u(8, 8, 3, dtype=F32),
)
_r(
    "tf.image.stateless_random_jpeg_quality",
    lambda a: tf.image.stateless_random_jpeg_quality(a, 40, 60, (1, 2)),
    u(8, 8, 3, dtype=F32),
)

PICTURES = Area("image")
_i = PICTURES.add
_BOXES = tf.constant([[0.0, 0.0, 1.0, 1.0], [0.0, 0.1, 1.0, 1.1]])
_i(
    "tf.image.non_max_suppression",
    lambda s: tf.cast(tf.image.non_max_suppression(_BOXES, s, 2), tf.float32),
    u(2, dtype=F32),
)
_i(
    "tf.image.non_max_suppression_with_scores",
    lambda s: tf.image.non_max_suppression_with_scores(_BOXES, s, 2, soft_nms_sigma=0.5)[1],
    u(2, dtype=F32),
)
_i(
    "tf.image.non_max_suppression_padded",
    lambda s: tf.cast(tf.image.non_max_suppression_padded(_BOXES, s, 2)[0], tf.float32),
    u(2, dtype=F32),
)
_i(
    "tf.image.combined_non_max_suppression",
    lambda s: tf.image.combined_non_max_suppression(_BOXES[None, :, None], s, 1, 1)[1],
    u(1, 2, 1, dtype=F32),
)
_i(
    "tf.image.convert_image_dtype(tf.uint8)",
    lambda x: tf.image.convert_image_dtype(tf.image.convert_image_dtype(x, tf.uint8), tf.float32),
    u(1, 2, 2, 1, dtype=F32),
)

MORE = Area("nn")
_m = MORE.add
_m(
    "tf.conv",
    lambda x, k: tf.conv(input=x, filter=k, strides=[1, 1, 1, 1], padding="VALID"),
    n(1, 3, 3, 1),
    n(2, 2, 1, 1),
)
_m("tf.nn.ctc_greedy_decoder", lambda x: tf.nn.ctc_greedy_decoder(x, [3])[1], n(3, 1, 3, dtype=F32))
_m("tf.nn.ctc_beam_search_decoder", lambda x: tf.nn.ctc_beam_search_decoder(x, [3])[1], n(3, 1, 3, dtype=F32))
_m(
    "tf.compat.v1.nn.fused_batch_norm",
    lambda x, s, o: tf.compat.v1.nn.fused_batch_norm(x, s, o)[0],
    n(2, 2, 2, 2, dtype=F32),
    p(2, dtype=F32),
    n(2, dtype=F32),
)
_m(
    "tf.compat.v1.nn.ctc_loss",
    lambda x: tf.compat.v1.nn.ctc_loss(tf.sparse.from_dense([[1, 2]]), x, [4]),
    n(4, 1, 4, dtype=F32),
)
_m("tf.compat.v1.nn.xw_plus_b", lambda x, w, b: tf.compat.v1.nn.xw_plus_b(x, w, b), n(2, 3), n(3, 2), n(2))
_m("tf.compat.v1.nn.relu_layer", lambda x, w, b: tf.compat.v1.nn.relu_layer(x, w, b), n(2, 3), n(3, 2), n(2))
for _name in ("bilinear", "bicubic", "nearest_neighbor", "area"):
    _f = getattr(tf.compat.v1.image, f"resize_{_name}")
    _m(f"tf.compat.v1.image.resize_{_name}", lambda x, f=_f: f(x, [3, 3]), u(1, 2, 2, 1, dtype=F32))
_m(
    "tf.raw_ops.ImageProjectiveTransformV3",
    lambda x: tf.raw_ops.ImageProjectiveTransformV3(
        images=x,
        transforms=[[0.9, 0.1, 0.2, -0.1, 1.1, 0.3, 0.0, 0.0]],
        output_shape=[4, 4],
        fill_value=0.0,
        interpolation="BILINEAR",
    ),
    u(1, 4, 4, 1, dtype=F32),
)

OLD = Area("TensorFlow 1")
_x = OLD.add
_x("tf.compat.v1.clip_by_average_norm", lambda x: tf.compat.v1.clip_by_average_norm(x, 0.1), n(3, dtype=F32))
_x("tf.compat.v1.batch_gather", lambda x: tf.compat.v1.batch_gather(x, [[0, 2], [1, 1]]), n(2, 3))
_x("tf.compat.v1.sparse_to_dense", lambda x: tf.compat.v1.sparse_to_dense([0, 2], [4], x), n(2))
_x("tf.compat.v1.setdiff1d", lambda x: tf.compat.v1.setdiff1d(x, d([0.5]))[0], n(3))
_x("tf.compat.v1.sparse_matmul", n(2, 3, dtype=F32), n(3, 2, dtype=F32))
for _name in ("absolute_difference", "huber_loss", "log_loss", "mean_squared_error", "cosine_distance"):
    _f = getattr(tf.compat.v1.losses, _name)
    _axis = {"axis": 1} if _name == "cosine_distance" else {}
    _x(f"tf.compat.v1.losses.{_name}", lambda a, b, f=_f, k=_axis: f(a, b, **k), u(2, 3, dtype=F32), u(2, 3, dtype=F32))
_x("tf.compat.v1.losses.mean_pairwise_squared_error", n(2, 3, dtype=F32), n(2, 3, dtype=F32))
_x("tf.compat.v1.losses.hinge_loss", lambda x: tf.compat.v1.losses.hinge_loss([[1.0, 0.0, 1.0]], x), n(1, 3, dtype=F32))
_x(
    "tf.compat.v1.losses.sigmoid_cross_entropy",
    lambda x: tf.compat.v1.losses.sigmoid_cross_entropy([[1.0, 0.0, 1.0]], x),
    n(1, 3, dtype=F32),
)
_x(
    "tf.compat.v1.losses.softmax_cross_entropy",
    lambda x: tf.compat.v1.losses.softmax_cross_entropy([[1.0, 0.0, 0.0]], x),
    n(1, 3, dtype=F32),
)
_x(
    "tf.compat.v1.losses.sparse_softmax_cross_entropy",
    lambda x: tf.compat.v1.losses.sparse_softmax_cross_entropy([1], x),
    n(1, 3, dtype=F32),
)

ND = Area("signal")
for _name in ("fftnd", "ifftnd", "irfftnd"):
    ND.add(f"tf.signal.{_name}", z(2, 2))
ND.add("tf.signal.rfftnd", n(2, 2))
ND.add(
    "tf.signal.linear_to_mel_weight_matrix",
    lambda a, b: tf.signal.linear_to_mel_weight_matrix(3, 9, 8000, a, b),
    tf.constant(125.0),
    tf.constant(3800.0),
)

TYPED = Area("sparse")
_s = TYPED.add
_S = sparse([[1.0, 0.0], [2.0, 3.0]])
_s(
    "tf.sparse.sampled_addmm",
    lambda v, a, b: tf.sparse.sampled_addmm(
        tf.constant([[0, 1], [1, 0]], tf.int64), v, tf.constant([2, 2]), a, b, output_type=tf.float64
    )[1],
    n(2),
    n(2, 2),
    n(2, 2),
)
_s("tf.SparseTensor.__mul__", lambda a, b: a * b, _S, n(2, 2))
_s("tf.SparseTensor.__truediv__", lambda a, b: a / b, _S, p(2, 2))
_s("tf.SparseTensor.with_values", lambda a, v: a.with_values(v * a.values), _S, n(3))
_s(
    "tf.IndexedSlices",
    lambda v: tf.convert_to_tensor(tf.IndexedSlices(v, tf.constant([0, 2, 0]), tf.constant([3]))),
    n(3),
)

ROWS = Area("ragged")
_g = ROWS.add
_R = ragged([[1.0, 2.0], [3.0]])
_g("tf.ragged.range", lambda a: tf.ragged.range(a), d(2.5, 1.5))
_g("tf.RaggedTensor.from_row_lengths", lambda x: tf.RaggedTensor.from_row_lengths(x, [2, 1]), n(3))
_g("tf.RaggedTensor.from_value_rowids", lambda x: tf.RaggedTensor.from_value_rowids(x, [0, 0, 1]), n(3))
_g("tf.RaggedTensor.from_uniform_row_length", lambda x: tf.RaggedTensor.from_uniform_row_length(x, 2), n(4))
_g("tf.RaggedTensor.from_sparse", lambda x: tf.RaggedTensor.from_sparse(x), sparse([[1.0, 0.0], [2.0, 3.0]]))
_g("tf.RaggedTensor.with_values", lambda r, x: r.with_values(x * r.values), _R, n(3))
_g("tf.RaggedTensor.merge_dims", lambda r: r.merge_dims(0, 1), _R)

QUANTA = Area("quantization")
_q = QUANTA.add
_q(
    "tf.quantization.dequantize",
    lambda a: tf.quantization.dequantize(tf.constant([1, 2], tf.quint8), a, a + 1.0),
    tf.constant(0.5),
)
_q(
    "tf.quantization.quantize",
    lambda x: tf.cast(tf.bitcast(tf.quantization.quantize(x, -1.0, 1.0, tf.quint8)[0], tf.uint8), tf.float32),
    n(3, dtype=F32),
)
_q("tf.quantization.fake_quant_with_min_max_args_gradient", n(3, dtype=F32), n(3, dtype=F32))
_q(
    "tf.quantization.fake_quant_with_min_max_vars_gradient",
    lambda g: tf.quantization.fake_quant_with_min_max_vars_gradient(g, tf.constant([-2.0, 0.3, 2.0]), -1.0, 1.0)[0],
    n(3, dtype=F32),
)
_q(
    "tf.quantization.fake_quant_with_min_max_vars_per_channel_gradient",
    lambda g: tf.quantization.fake_quant_with_min_max_vars_per_channel_gradient(
        g, tf.constant([[-2.0, 0.3]]), [-1.0, -1.0], [1.0, 1.0]
    )[0],
    n(1, 2, dtype=F32),
)

ARRAYS = Area("arrays")
_a = ARRAYS.add
_a("tf.Tensor.__getitem__", lambda x: x[1:, ::-1], n(2, 3))
_a("tf.math.invert_permutation", lambda x: tf.cast(tf.math.invert_permutation(tf.argsort(x)), tf.float64), n(3))
_a("tf.constant", lambda x: tf.constant(np.asarray(x)), n(3))

RAW = Area("raw ops")
_w = RAW.add
_LSTM = {
    "seq_len_max": tf.constant(2, tf.int64),
    "cs_prev": tf.zeros([1, 1]),
    "h_prev": tf.zeros([1, 1]),
    "wci": tf.zeros([1]),
    "wcf": tf.zeros([1]),
    "wco": tf.zeros([1]),
    "b": tf.zeros([4]),
    "cell_clip": 0.0,
    "use_peephole": False,
}
_w(
    "tf.raw_ops.BlockLSTMV2",
    lambda x, w: tf.raw_ops.BlockLSTMV2(x=x, w=w, **_LSTM)[6],
    n(2, 1, 1, dtype=F32),
    n(2, 4, dtype=F32),
)
_w(
    "tf.raw_ops.FusedBatchNormV3",
    lambda x, s, o: tf.raw_ops.FusedBatchNormV3(x=x, scale=s, offset=o, mean=[], variance=[])[0],
    n(1, 2, 2, 2, dtype=F32),
    p(2, dtype=F32),
    n(2, dtype=F32),
)
_w("tf.raw_ops.InplaceUpdate", lambda x, y: tf.raw_ops.InplaceUpdate(x=x * 1.0, i=[1], v=y), n(3), n(1))
_w("tf.raw_ops.InplaceAdd", lambda x, y: tf.raw_ops.InplaceAdd(x=x * 1.0, i=[1], v=y), n(3), n(1))
_w(
    "tf.raw_ops.TensorStridedSliceUpdate",
    lambda x, y: tf.raw_ops.TensorStridedSliceUpdate(input=x, begin=[1], end=[2], strides=[1], value=y),
    n(3),
    n(1),
)
_w(
    "tf.raw_ops.ScatterNdNonAliasingAdd",
    lambda x, y: tf.raw_ops.ScatterNdNonAliasingAdd(input=x, indices=[[1], [1]], updates=y),
    n(3),
    n(2),
)
_ALL = tf.constant([[0, 0], [0, 1], [1, 0], [1, 1]], tf.int64)
_w(
    "tf.raw_ops.SparseMatrixMatMul",
    lambda x, y: tf.raw_ops.SparseMatrixMatMul(a=tf.raw_ops.DenseToCSRSparseMatrix(dense_input=x, indices=_ALL), b=y),
    n(2, 2),
    n(2, 2),
)
_w(
    "tf.raw_ops.QuantizeAndDequantizeV4",
    lambda x: tf.raw_ops.QuantizeAndDequantizeV4(input=x, input_min=-1.0, input_max=1.0, range_given=True),
    n(3, dtype=F32),
)
_m(
    "tf.compat.v1.nn.softmax_cross_entropy_with_logits",
    lambda x: tf.compat.v1.nn.softmax_cross_entropy_with_logits(labels=d([[0.5, 0.2, 0.3]]), logits=x),
    n(1, 3),
)
_o("tf.linalg.LinearOperatorFullMatrix.determinant", lambda a: _L.LinearOperatorFullMatrix(a).determinant(), n(3, 3))
_w(
    "tf.conv2d_backprop_filter_v2",
    lambda x, g: tf.conv2d_backprop_filter_v2(
        input=x, filter=tf.zeros([2, 2, 1, 1], tf.float64), out_backprop=g, strides=[1, 1, 1, 1], padding="VALID"
    ),
    n(1, 3, 3, 1),
    n(1, 2, 2, 1),
)
_w(
    "tf.conv2d_backprop_input_v2",
    lambda k, g: tf.conv2d_backprop_input_v2(
        input=tf.zeros([1, 3, 3, 1], tf.float64), filter=k, out_backprop=g, strides=[1, 1, 1, 1], padding="VALID"
    ),
    n(2, 2, 1, 1),
    n(1, 2, 2, 1),
)
_x(
    "tf.compat.v1.losses.compute_weighted_loss",
    lambda x, w: tf.compat.v1.losses.compute_weighted_loss(x, w),
    n(3, dtype=F32),
    p(3, dtype=F32),
)
