"""The public names: each resolves, says what it gives, shows it, and costs nothing until it is used."""

from __future__ import annotations

import ast
import doctest
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import tfgrad

COMPUTE = {
    *("grad", "value_and_grad", "elementwise_grad", "vjp", "jvp", "linearize", "jacobian", "batch_jacobian"),
    *("hessian", "hvp", "per_example_grad", "checkpoint", "custom_gradient", "stop_gradient", "variable", "jit"),
}
ERRORS = {
    *("GradError", "UnconnectedError", "IntegerError", "NotScalarError", "LeftTensorFlowError", "StructureError"),
    *("GradientProblem", "GradientMismatch", "GradientWarning"),
}
NAMES = [name for name in tfgrad.__all__ if name != "__version__"]


def test_the_settled_names_of_compute_and_errors_are_public() -> None:
    assert set(NAMES) >= COMPUTE | ERRORS


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_resolves_and_says_in_its_first_line_what_comes_out(name: str) -> None:
    doc = inspect.getdoc(getattr(tfgrad, name))
    assert doc
    assert doc.splitlines()[0].rstrip(":.") != ""


@pytest.mark.parametrize("name", sorted(COMPUTE & set(NAMES)))
def test_a_public_function_has_an_example_that_runs(name: str) -> None:
    assert doctest.DocTestParser().get_examples(inspect.getdoc(getattr(tfgrad, name)) or "")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'gradd'"):
        _ = tfgrad.gradd  # type: ignore[attr-defined]


def test_dir_lists_what_was_not_used_yet() -> None:
    assert set(NAMES) <= set(dir(tfgrad))


def test_no_public_name_is_a_module_s_name() -> None:
    modules = {m.name.rpartition(".")[2] for m in pkgutil.walk_packages(tfgrad.__path__, "tfgrad.")}
    assert not set(NAMES) & modules


def test_types_are_told_of_every_public_name() -> None:
    tree = ast.parse(Path(tfgrad.__file__).read_text(encoding="utf-8"))
    told = {alias.asname for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert set(NAMES) <= told


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, tfgrad; "
        "print([m for m in ('tensorflow', 'keras', 'numpy', 'rich', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_using_the_transforms_loads_neither_ipython_nor_what_prints_in_colour() -> None:
    code = (
        "import sys, tfgrad; tfgrad.grad(lambda x: x * x)(2.0); "
        "print([m for m in ('tfgrad.report', 'tfgrad.cli', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
