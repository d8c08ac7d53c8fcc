"""What to say about an op that hands no gradient back, as data: what the user calls it, why not, what to type instead.

Keys are op types as TensorFlow names them. An op that is not listed gets the words of its cause.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OpNote:
    """An op in the user's words: the call it comes from, why it has no gradient, what to type instead."""

    call: str
    why: str
    advice: str


_FLAT = "its result moves in steps, so its slope is 0 almost everywhere, and TensorFlow answers None"
_INDEX = "its result counts positions; positions jump and have no slope"
_BOOL = "its result is true or false, which has no slope"
_SHAPE = "it reads the shape, not the values"
_COUNT = "its result is a count, which has no slope"

_STRAIGHT = (
    "keep the float for the loss, or pass the gradient straight through:\ny = x + tf.stop_gradient({call}(x) - x)"
)
_SOFT_INDEX = (
    "use the probabilities instead of the index: a loss on tf.nn.softmax(x), or a soft position\n"
    "tf.reduce_sum(tf.nn.softmax(k * x) * tf.range(n, dtype=x.dtype))"
)
_SOFT_STEP = (
    "use a smooth threshold, tf.sigmoid(k * (x - limit)), or tf.where(condition, a, b), whose branches carry gradients"
)
_STATIC = "shapes carry no gradient; if the size only scales the loss, leave it out of the sources"


def _flat(call: str) -> OpNote:
    return OpNote(call, _FLAT, _STRAIGHT.format(call=call))


def _index(call: str, advice: str = _SOFT_INDEX) -> OpNote:
    return OpNote(call, _INDEX, advice)


def _compared(call: str) -> OpNote:
    return OpNote(call, _BOOL, _SOFT_STEP)


def _counted(call: str, advice: str) -> OpNote:
    return OpNote(call, _COUNT, advice)


OP_NOTES: dict[str, OpNote] = {
    "Round": _flat("tf.round"),
    "Rint": _flat("tf.math.rint"),
    "Floor": _flat("tf.floor"),
    "Ceil": _flat("tf.math.ceil"),
    "FloorDiv": OpNote("//", _FLAT, "use / in place of //, or pass the gradient straight through"),
    "ArgMax": _index("tf.argmax"),
    "ArgMin": _index("tf.argmin"),
    "TopKV2": _index("the index of tf.math.top_k", "use the values that tf.math.top_k answers first"),
    "Betainc": OpNote(
        "tf.math.betainc", "TensorFlow has its gradient for x only, not for a and b", "keep a and b fixed, or integrate"
    ),
    "Where": _index("tf.where(condition)", "use tf.where(condition, a, b), whose branches carry gradients"),
    "SearchSorted": _index("tf.searchsorted", "interpolate between the neighbouring values instead"),
    "LowerBound": _index("tf.searchsorted", "interpolate between the neighbouring values instead"),
    "UpperBound": _index("tf.searchsorted", "interpolate between the neighbouring values instead"),
    "Bucketize": _index("tf.raw_ops.Bucketize", "interpolate between the buckets instead"),
    "Unique": _index("tf.unique", "gather by known ids instead"),
    "Multinomial": _index("tf.random.categorical", "use a Gumbel-softmax sample, or the score-function loss"),
    "RandomPoissonV2": _counted("tf.random.poisson", "use the score-function loss: log-probability times reward"),
    "StatelessMultinomial": _index("tf.random.stateless_categorical", "use a Gumbel-softmax sample"),
    "OneHot": _index("tf.one_hot", "use the probabilities themselves, tf.nn.softmax(x), in place of the one-hot"),
    "Greater": _compared(">"),
    "GreaterEqual": _compared(">="),
    "Less": _compared("<"),
    "LessEqual": _compared("<="),
    "Equal": _compared("tf.equal"),
    "NotEqual": _compared("tf.not_equal"),
    "ApproximateEqual": _compared("tf.math.approximate_equal"),
    "IsNan": _compared("tf.math.is_nan"),
    "IsInf": _compared("tf.math.is_inf"),
    "IsFinite": _compared("tf.math.is_finite"),
    "InTopKV2": _compared("tf.math.in_top_k"),
    "Shape": OpNote("tf.shape", _SHAPE, _STATIC),
    "Size": OpNote("tf.size", _SHAPE, _STATIC),
    "Rank": OpNote("tf.rank", _SHAPE, _STATIC),
    "HistogramFixedWidth": _counted(
        "tf.histogram_fixed_width", "use a soft histogram: a sum of tf.sigmoid or Gaussians"
    ),
    "Bincount": _counted("tf.math.bincount", "use tf.math.unsorted_segment_sum(weights, ids, n)"),
    "DenseBincount": _counted("tf.math.bincount", "use tf.math.unsorted_segment_sum(weights, ids, n)"),
    "ZerosLike": OpNote("tf.zeros_like", "its result is 0 whatever the values are", _STATIC),
    "OnesLike": OpNote("tf.ones_like", "its result is 1 whatever the values are", _STATIC),
    "EncodeJpeg": OpNote("tf.io.encode_jpeg", "its result is bytes", "use a differentiable stand-in for the codec"),
    "EncodePng": OpNote("tf.io.encode_png", "its result is bytes", "use a differentiable stand-in for the codec"),
    "AsString": OpNote("tf.strings.as_string", "its result is text", "keep the number for the loss"),
    "PyFunc": OpNote(
        "tf.numpy_function", "what runs in it is NumPy, which the tape can't see", "write it with TensorFlow's ops"
    ),
    "HSVToRGB": OpNote("tf.image.hsv_to_rgb", "TensorFlow has no gradient for it", "write it with TensorFlow's ops"),
}


def note(op: str) -> OpNote | None:
    """What is known about an op, or None."""
    return OP_NOTES.get(op)
