"""Names of functions as people write them: aliases, short names, and those of NumPy, JAX and PyTorch."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from importlib import metadata

from tfgrad import wording

_FOREIGN = {
    "absolute": "tf.abs",
    "amax": "tf.reduce_max",
    "amin": "tf.reduce_min",
    "bmm": "tf.linalg.matmul",
    "cat": "tf.concat",
    "clamp": "tf.clip_by_value",
    "clip": "tf.clip_by_value",
    "cross_entropy": "tf.nn.softmax_cross_entropy_with_logits",
    "detach": "tf.stop_gradient",
    "det": "tf.linalg.det",
    "index_select": "tf.gather",
    "masked_select": "tf.boolean_mask",
    "max": "tf.reduce_max",
    "mean": "tf.reduce_mean",
    "min": "tf.reduce_min",
    "mm": "tf.linalg.matmul",
    "mv": "tf.linalg.matvec",
    "permute": "tf.transpose",
    "prod": "tf.reduce_prod",
    "scatter": "tf.scatter_nd",
    "std": "tf.math.reduce_std",
    "stop_gradient": "tf.stop_gradient",
    "sum": "tf.reduce_sum",
    "take": "tf.gather",
    "topk": "tf.math.top_k",
    "trunc": "tf.experimental.numpy.fix",
    "var": "tf.math.reduce_variance",
}
_ELSEWHERE = ("numpy.linalg.", "np.linalg.", "jnp.linalg.", "torch.linalg.", "torch.nn.functional.", "torch.fft.",
              "np.fft.", "jax.numpy.", "jax.lax.", "jax.nn.", "numpy.", "np.", "jnp.", "lax.", "torch.", "F.", "K.",
              "keras.backend.", "mx.")  # fmt: skip
_PACKAGES = {"tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tf-nightly"), "keras": ("keras",)}


def resolved(name: str, names: Sequence[str]) -> str | None:
    """The name of the table that is meant: the very one, that of another library, or the shortest that ends in it."""
    known = set(names)
    plain = name.strip().removesuffix("()")
    tries = [plain, f"tf.{plain}", plain.replace("tf.compat.v1.", "tf."), plain.replace("tfnp.", "tnp.")]
    tries += [f"tf.{plain}" if plain.startswith("keras.") else "", plain.replace("tnp.", "tf.experimental.numpy.")]
    for each in tries:
        if each in known:
            return each
    abroad = next((prefix for prefix in _ELSEWHERE if plain.startswith(prefix)), None)
    if abroad is not None:
        plain = plain.removeprefix(abroad)
        if _FOREIGN.get(plain) in known:
            return _FOREIGN[plain]
    elif plain.startswith("tf."):
        return None
    ending = [each for each in names if each.endswith(f".{plain}")]
    own = [each for each in ending if ".numpy." not in each and ".keras." not in each]
    if not own and _FOREIGN.get(plain) in known:
        return _FOREIGN[plain]
    return min(own or ending, key=lambda each: (each.count("."), each), default=None)


def matches(name: str, pattern: str) -> bool:
    """Whether a name is one of `tf.linalg.` or `tf.linalg.*`."""
    if pattern.endswith("."):
        return name.startswith(pattern)
    return "*" in pattern and fnmatch.fnmatchcase(name, pattern)


def near(name: str, names: Sequence[str]) -> list[str]:
    """The names that look most like an unknown one."""
    short: dict[str, str] = {}
    for each in sorted(names, key=lambda each: (each.count("."), each)):
        short.setdefault(each.rpartition(".")[2].lower(), each)
    last = name.strip().removesuffix("()").rpartition(".")[2].lower()
    if last in short:
        return [short[last]]
    inside = [each for part, each in short.items() if len(last) > 3 and last in part]
    return [short[each] for each in wording.nearest(last, list(short))] or inside[:3]


def installed(what: str) -> str:
    """The version of TensorFlow or Keras here, which is not imported for it; or nothing."""
    for package in _PACKAGES[what]:
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return ""
