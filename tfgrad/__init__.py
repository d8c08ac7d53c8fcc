"""Automatic differentiation on TensorFlow that explains itself.

Public names resolve on first use, so that `import tfgrad` and the command line's `--help` do not load TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_WHERE = {
    "grad": "compute.transforms",
    "value_and_grad": "compute.transforms",
    "vjp": "compute.transforms",
    "jvp": "compute.transforms",
    "stop_gradient": "compute.rules",
    "variable": "compute.rules",
    "GradError": "errors",
    "UnconnectedError": "errors",
    "IntegerError": "errors",
    "NotScalarError": "errors",
    "LeftTensorFlowError": "errors",
    "StructureError": "errors",
    "KindError": "errors",
    "GradientProblem": "errors",
    "GradientMismatch": "errors",
    "GradientWarning": "errors",
}

__all__ = ["__version__", *_WHERE]

if TYPE_CHECKING:
    from tfgrad.compute.rules import stop_gradient as stop_gradient
    from tfgrad.compute.rules import variable as variable
    from tfgrad.compute.transforms import grad as grad
    from tfgrad.compute.transforms import jvp as jvp
    from tfgrad.compute.transforms import value_and_grad as value_and_grad
    from tfgrad.compute.transforms import vjp as vjp
    from tfgrad.errors import GradError as GradError
    from tfgrad.errors import GradientMismatch as GradientMismatch
    from tfgrad.errors import GradientProblem as GradientProblem
    from tfgrad.errors import GradientWarning as GradientWarning
    from tfgrad.errors import IntegerError as IntegerError
    from tfgrad.errors import KindError as KindError
    from tfgrad.errors import LeftTensorFlowError as LeftTensorFlowError
    from tfgrad.errors import NotScalarError as NotScalarError
    from tfgrad.errors import StructureError as StructureError
    from tfgrad.errors import UnconnectedError as UnconnectedError


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'tfgrad' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"tfgrad.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
