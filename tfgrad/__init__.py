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
    "elementwise_grad": "compute.transforms",
    "vjp": "compute.products",
    "jvp": "compute.products",
    "linearize": "compute.products",
    "jacobian": "compute.matrices",
    "batch_jacobian": "compute.examples",
    "hessian": "compute.matrices",
    "hvp": "compute.matrices",
    "per_example_grad": "compute.examples",
    "jit": "compute.dispatch",
    "checkpoint": "compute.checkpoints",
    "custom_gradient": "compute.rules",
    "stop_gradient": "compute.rules",
    "variable": "compute.rules",
    "Tape": "see.tape",
    "explain": "see.reasons",
    "Explanation": "see.explanation",
    "Reason": "see.explanation",
    "Place": "see.explanation",
    "diagnose": "see.diagnosing.diagnosis",
    "Diagnosis": "see.diagnosing.diagnosis",
    "Problem": "see.diagnosing.verdicts",
    "check_grads": "check.gradients",
    "Check": "check.result",
    "ops": "check.optable",
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
    from tfgrad.check.gradients import check_grads as check_grads
    from tfgrad.check.optable import ops as ops
    from tfgrad.check.result import Check as Check
    from tfgrad.compute.checkpoints import checkpoint as checkpoint
    from tfgrad.compute.dispatch import jit as jit
    from tfgrad.compute.examples import batch_jacobian as batch_jacobian
    from tfgrad.compute.examples import per_example_grad as per_example_grad
    from tfgrad.compute.matrices import hessian as hessian
    from tfgrad.compute.matrices import hvp as hvp
    from tfgrad.compute.matrices import jacobian as jacobian
    from tfgrad.compute.products import jvp as jvp
    from tfgrad.compute.products import linearize as linearize
    from tfgrad.compute.products import vjp as vjp
    from tfgrad.compute.rules import custom_gradient as custom_gradient
    from tfgrad.compute.rules import stop_gradient as stop_gradient
    from tfgrad.compute.rules import variable as variable
    from tfgrad.compute.transforms import elementwise_grad as elementwise_grad
    from tfgrad.compute.transforms import grad as grad
    from tfgrad.compute.transforms import value_and_grad as value_and_grad
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
    from tfgrad.see.diagnosing.diagnosis import Diagnosis as Diagnosis
    from tfgrad.see.diagnosing.diagnosis import diagnose as diagnose
    from tfgrad.see.diagnosing.verdicts import Problem as Problem
    from tfgrad.see.explanation import Explanation as Explanation
    from tfgrad.see.explanation import Place as Place
    from tfgrad.see.explanation import Reason as Reason
    from tfgrad.see.reasons import explain as explain
    from tfgrad.see.tape import Tape as Tape


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'tfgrad' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"tfgrad.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
