"""One class put in the place of another wherever the program has it by name, and taken out again.

"Wherever" is TensorFlow's public API, the module where it comes from, and every module that is neither TensorFlow's own
code nor Keras's nor this package's: a `from tensorflow import GradientTape` in the user's module is found by the
identity of the object.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_API = "tensorflow._api."
_CLOSED = ("tensorflow.", "keras.", "tf_keras.", "tfgrad.")
_OPEN = ("tensorflow", "tensorflow.python.eager.backprop")


def replace(old: Any, new: Any) -> None:
    """Rebinds every module-level name of `old` to `new`.

    Source: TensorFlow's API modules hold the class itself, `tensorflow.compat.v1` behind a wrapper that remembers what
    it was asked for, so that it has to be set there by `setattr` (TensorFlow 2.16 to 2.21).
    """
    for module, name in list(_holders(old)):
        setattr(module, name, new)


def _holders(wanted: Any) -> Iterator[tuple[ModuleType, str]]:
    for module in list(sys.modules.values()):
        if not isinstance(module, ModuleType) or not _is_open(module):
            continue
        # A module's own __dict__: asking by getattr would set lazy modules to work.
        for name, value in list(module.__dict__.items()):
            if value is wanted:
                yield module, name


def _is_open(module: ModuleType) -> bool:
    name = str(module.__dict__.get("__name__", ""))
    return name.startswith(_API) or not f"{name}.".startswith(_CLOSED) or name in _OPEN
