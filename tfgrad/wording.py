"""A tensor, shape, number or function in one plain line: the words that every message and table uses.

Needs no TensorFlow: what a value is gets read off its type's name and its `dtype` and `shape`.
"""

from __future__ import annotations

import difflib
import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any


def kind(value: Any) -> str:
    """What sort of thing a value is, in one of a few words.

    "none", "tensor", "variable" (tf.Variable), "keras variable", "keras tensor" (symbolic, without values),
    "array" (NumPy's arrays and scalars), "int", "bool", "float", "complex", "str", "composite" (ragged, sparse,
    indexed slices), "module" (a model, layer or tf.Module), "nest", "function" or "object".
    """
    if value is None:
        return "none"
    by_type = _KIND_OF_PYTHON.get(type(value))
    if by_type:
        return by_type
    ancestors = [(base.__module__.partition(".")[0], base.__name__) for base in type(value).__mro__]
    for package, name in ancestors:
        found = _KIND_OF_CLASS.get(name)
        if found and package in found[0]:
            return found[1]
    if hasattr(value, "trainable_variables"):
        return "module"
    return "function" if callable(value) else "object"


_KIND_OF_PYTHON = {
    bool: "bool",
    int: "int",
    float: "float",
    complex: "complex",
    str: "str",
    bytes: "str",
    dict: "nest",
    list: "nest",
    tuple: "nest",
}
_TF = frozenset({"tensorflow"})
_KERAS = frozenset({"keras", "tf_keras"})
_KIND_OF_CLASS = {
    "KerasTensor": (_KERAS, "keras tensor"),
    "Variable": (_TF | _KERAS, "variable"),
    "BaseResourceVariable": (_TF, "variable"),
    "DistributedVariable": (_TF, "variable"),
    "RaggedTensor": (_TF, "composite"),
    "SparseTensor": (_TF, "composite"),
    "IndexedSlices": (_TF, "composite"),
    "CompositeTensor": (_TF, "composite"),
    "Tensor": (_TF, "tensor"),
    "ndarray": (frozenset({"numpy"}), "array"),
    "generic": (frozenset({"numpy"}), "array"),
    "dict": (frozenset({"builtins"}), "nest"),
    "list": (frozenset({"builtins"}), "nest"),
    "tuple": (frozenset({"builtins"}), "nest"),
    "int": (frozenset({"builtins"}), "int"),
    "float": (frozenset({"builtins"}), "float"),
    "str": (frozenset({"builtins"}), "str"),
    "Layer": (_KERAS, "module"),
    "Module": (_TF, "module"),
}


def is_keras_variable(value: Any) -> bool:
    """Whether a value is a Keras 3 variable, which wraps a tf.Variable and is none itself."""
    keras = sys.modules.get("keras")
    variable = getattr(keras, "Variable", None)
    return isinstance(variable, type) and isinstance(value, variable)


def dtype(value: Any) -> str:
    """The dtype by its short name.

    >>> import numpy as np
    >>> dtype(np.zeros(2, np.float32))
    'float32'
    """
    found = getattr(value, "dtype", value)
    return str(getattr(found, "name", found))


def shape(value: Any) -> str:
    """A shape as `[2, 3]`, an unknown length as `?`, an unknown rank as `[...]`.

    >>> shape((2, None)), shape(()), shape(None)
    ('[2, ?]', '[]', '[...]')
    """
    found = getattr(value, "shape", value)
    if hasattr(found, "rank"):
        found = None if found.rank is None else found.as_list()
    if found is None:
        return "[...]"
    return "[" + ", ".join("?" if n is None else str(n) for n in found) + "]"


def describe(value: Any) -> str:
    """What a value is, in a few words: `float32[3]`, `the Python float 2.5`, `a list of 2`.

    >>> import numpy as np
    >>> describe(2.5), describe(None), describe(np.ones((2, 1))), describe([1, 2]), describe("a")
    ('the Python float 2.5', 'None', 'a NumPy array float64[2, 1]', 'a list of 2', "the string 'a'")
    """
    found = kind(value)
    if found in ("tensor", "variable", "composite", "keras tensor"):
        return _described_tensor(value, found)
    if found == "none":
        return "None"
    if found == "array":
        article = "a NumPy array" if len(getattr(value, "shape", ())) else "the NumPy number"
        return f"{article} {dtype(value)}{shape(value)}"
    if found in ("int", "bool", "float", "complex"):
        return f"the Python {found} {value!r}"
    if found == "str":
        return f"the string {_shortened(repr(value))}"
    if found == "nest":
        return f"a {type(value).__name__} of {len(value)}"
    if found == "function":
        return f"the function {function(value)}"
    if found == "module":
        return f"the {type(value).__name__} {getattr(value, 'name', '')!r}"
    name = type(value).__name__
    return f"{article_of(name)} {name}"


def _described_tensor(value: Any, found: str) -> str:
    typed = f"{dtype(value)}{shape(value)}"
    if found == "tensor":
        return typed
    if found == "keras tensor":
        return f"a KerasTensor {typed}, which is symbolic and has no values"
    if found == "composite":
        return f"a {type(value).__name__} {typed}"
    owner = "Keras variable" if is_keras_variable(value) else "tf.Variable"
    return f"the {owner} {variable_name(value)!r} {typed}"


def variable_name(variable: Any) -> str:
    """A Keras variable's path, else a Variable's own name without `:0`."""
    path = getattr(variable, "path", None) or getattr(variable, "name", "")
    return str(path).removesuffix(":0")


def function(f: Any) -> str:
    """A function's name as its user knows it.

    >>> function(math.sqrt), function(lambda x: x)
    ('sqrt', '<lambda>')
    """
    inner = getattr(f, "func", None)
    if inner is not None and not hasattr(f, "__name__"):
        return f"partial({function(inner)})"
    return str(getattr(f, "__name__", None) or getattr(f, "name", None) or type(f).__name__)


def number(value: Any, digits: int = 6) -> str:
    """A number, with as many digits as tell something.

    >>> number(2.0), number(1/3), number(float("nan")), number(1e-12), number(True), number(1.5-2j)
    ('2', '0.333333', 'nan', '1e-12', 'True', '1.5-2j')
    """
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return str(bool(value))
    if isinstance(value, complex) or type(value).__name__.startswith("complex"):
        z = complex(value)
        sign = "-" if z.imag < 0 or (z.imag == 0 and math.copysign(1, z.imag) < 0) else "+"
        return f"{number(z.real, digits)}{sign}{number(abs(z.imag), digits)}j"
    x = float(value)
    return f"{x:.0f}" if x.is_integer() and abs(x) < 1e9 else f"{x:.{digits}g}"


def values(array: Any, limit: int = 8) -> str:
    """The elements of an array, in their own brackets; a long one with its middle left out.

    >>> import numpy as np
    >>> values(np.array([[0., 2.], [16., 54.]])), values(np.float32(28)), values(np.arange(100.))
    ('[[0 2] [16 54]]', '28', '[0 1 2 3 ... 96 97 98 99]')
    """
    if not isinstance(array, list | tuple) and getattr(array, "ndim", 0) == 0:
        item = array.item() if hasattr(array, "item") else array
        return repr(item) if isinstance(item, str | bytes) else number(item)
    if len(array) > limit:
        half = limit // 2
        parts = [values(a, limit) for a in array[:half]] + ["..."] + [values(a, limit) for a in array[-half:]]
    else:
        parts = [values(a, limit) for a in array]
    return "[" + " ".join(parts) + "]"


def count(n: int, noun: str, plural: str | None = None) -> str:
    """A number of things.

    >>> count(1, "leaf", "leaves"), count(3, "leaf", "leaves"), count(0, "row")
    ('1 leaf', '3 leaves', '0 rows')
    """
    return f"{n} {noun if n == 1 else plural or noun + 's'}"


def listing(items: Iterable[str], limit: int = 6, join: str = "and") -> str:
    """Several things in a sentence, the many shortened.

    >>> listing(["a"]), listing(["a", "b", "c"]), listing("abcdefgh", limit=3)
    ('a', 'a, b and c', 'a, b, c and 5 more')
    """
    found = list(items)
    if len(found) > limit:
        return ", ".join(found[:limit]) + f" and {len(found) - limit} more"
    return found[0] if len(found) == 1 else f" {join} ".join([", ".join(found[:-1]), found[-1]]) if found else "nothing"


def nearest(name: str, names: Sequence[str]) -> list[str]:
    """The known names that look most like a mistyped one, nearest first; at most three.

    >>> nearest("detatch", ["detach", "range", "variable"])
    ['detach']
    """
    folded = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name.lower(), list(folded), n=3, cutoff=0.5)
    starts = [known for known in folded if name and known.startswith(name.lower()) and known not in close]
    return [folded[known] for known in (starts + close)[:3]]


def article_of(noun: str) -> str:
    """`a` or `an`, by the noun's first letter."""
    return "an" if noun[:1].lower() in "aeiou" else "a"


def _shortened(text: str, width: int = 40) -> str:
    return text if len(text) <= width else text[: width - 4] + "..." + text[-1]
