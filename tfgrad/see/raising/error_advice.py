"""What to type where gradient() raised, by op or by TensorFlow's words, as data."""

from __future__ import annotations

from tfgrad.see.numbers.nonfinite_advice import SINGULAR_ADVICE

_STRAIGHT = "or pass the gradient through by hand with tfgrad.custom_gradient"

NO_GRADIENT = {
    "AdjustContrastv2": (
        "write it out: mean = tf.reduce_mean(x, axis=(-3, -2), keepdims=True); (x - mean) * factor + mean"
    ),
    "AdjustSaturation": "blend with the grey image: grey = tf.image.rgb_to_grayscale(x); grey + factor * (x - grey)",
    "AdjustHue": f"turn the hue before the block (as data), {_STRAIGHT}",
    "ResizeArea": 'use method="bilinear", or tf.nn.avg_pool2d(x, size, size, "VALID") for whole factors',
    "ResizeNearestNeighborGrad": "repeat the pixels: tf.repeat(tf.repeat(x, n, axis=1), n, axis=2)",
    "ResizeBicubicGrad": 'use tf.nn.conv2d_transpose, or method="bilinear" if first derivatives are enough',
    "ResizeBilinearGrad": "use tf.nn.conv2d_transpose, or matrices of weights: tf.einsum('hi,bijc,wj->bhwc', H, x, W)",
    "ScaleAndTranslateGrad": "use matrices of weights: tf.einsum('hi,bijc,wj->bhwc', H, x, W)",
    "Lu": "use tf.linalg.slogdet(a) for a determinant, tf.linalg.solve(a, b) for a system; both have gradients",
    "DenseBincount": "tf.math.unsorted_segment_sum(weights, ids, n), which has a gradient for the weights",
    "Bincount": "tf.math.unsorted_segment_sum(weights, ids, n), which has a gradient for the weights",
    "RaggedBincount": "tf.math.unsorted_segment_sum(weights, ids, n), which has a gradient for the weights",
    "SparseBincount": "tf.math.unsorted_segment_sum(weights, ids, n), which has a gradient for the weights",
    "LRNGrad": (
        "write it with ops that have second derivatives:\n"
        "x / (bias + alpha * tf.nn.avg_pool(tf.square(x)[..., None], ...) * window) ** beta"
    ),
    "Unique": "look the ids up outside the block and gather by them: tf.gather(x, ids)",
    "UniqueV2": "look the ids up outside the block and gather by them: tf.gather(x, ids)",
    "Bitcast": "tf.cast, or tf.math.real and tf.math.imag for complex numbers",
    "MatrixLogarithm": (
        "for a symmetric matrix: w, v = tf.linalg.eigh(a); v @ tf.linalg.diag(tf.math.log(w)) @ tf.transpose(v)"
    ),
    "MaxPoolGradWithArgmax": "tf.nn.max_pool2d, which has a second derivative",
    "MaxPoolGradGradWithArgmax": "tf.nn.max_pool2d, which has a second derivative",
    "Dilation2DBackpropInput": "tf.nn.max_pool2d over shifted copies, which has a second derivative",
    "Cumulative_logsumexp": "tf.math.log(tf.cumsum(tf.exp(x - m))) + m with m = tf.reduce_max(x)",
    "NonMaxSuppressionV3": "take the indices outside the block and gather the boxes by them",
    "ExtractGlimpseV2": "tf.image.crop_and_resize, which has a gradient",
    "FakeQuantWithMinMaxVarsGradient": "write it with tf.clip_by_value and a straight-through rounding",
    "SparseSoftmaxCrossEntropyWithLogitsGrad": "tf.nn.softmax_cross_entropy_with_logits(tf.one_hot(labels, n), logits)",
}

_THIN = "call it with full_matrices=False, which has a gradient, and complete the basis outside if you need it"
UNSUPPORTED = {
    "Svd": f"{_THIN}; for singular values alone compute_uv=False",
    "Qr": _THIN,
    "MatrixSolveLs": "call it with fast=True, whose gradient TensorFlow has",
    "While": "give the loop a number of rounds: tf.while_loop(..., maximum_iterations=n)",
    "Eig": "tf.linalg.eigh for symmetric matrices",
}
PARALLEL = (
    "pass experimental_use_pfor=False to jacobian(), which is slower but needs no parallel version of every op;\n"
    "or use tfgrad.jacobian(f)"
)
SINGULAR = {
    **SINGULAR_ADVICE,
    "MatrixSquareRoot": "add a little to the diagonal: tf.linalg.sqrtm(a + 1e-6 * tf.eye(n))",
    "LogMatrixDeterminant": "add a little to the diagonal: tf.linalg.slogdet(a + 1e-6 * tf.eye(n))",
}


def for_rule(text: str) -> str:
    """What to change in a rule that was written by hand, from TensorFlow's words about it."""
    if "variable" in text.lower():
        return (
            "the function uses Variables: let the rule take them and answer for them,\n"
            "def grad(*dy, variables=None): return gradients_of_the_arguments, gradients_of_the_variables"
        )
    if "positional argument" in text or "unexpected keyword" in text:
        return "let the rule take one gradient for each output of the function: def grad(*dy): ..."
    if "expected to return" in text or "gradients" in text:
        return "return exactly one gradient for each argument of the function, None for one that has none"
    return "look at the rule: it raised when TensorFlow called it with the gradients of the function's outputs"
