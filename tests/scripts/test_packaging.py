"""A wheel of tfgrad holds what it should, and installed it gives the command and the package."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import tfgrad

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def run(*command: str | Path, folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this repository by the build backend that is installed, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, folder=ROOT)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_the_package_its_types_and_its_license_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "tfgrad/py.typed" in names
    assert [name for name in names if name.endswith("/licenses/LICENSE")]
    assert {name.split("/")[0] for name in names} == {"tfgrad", f"tfgrad-{tfgrad.__version__}.dist-info"}
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tfgrad").rglob("*.py")}
    assert sources <= set(names)


def test_wheel_declares_the_tensorflows_and_pythons_it_supports(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = [archive.read(name).decode() for name in archive.namelist() if name.endswith("/METADATA")]
    assert "Requires-Dist: tensorflow<2.22,>=2.16\n" in metadata
    assert "Requires-Python: <3.14,>=3.10\n" in metadata
    assert "License-Expression: Apache-2.0\n" in metadata


def test_installed_wheel_gives_the_command_and_the_package(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = programs / ("python.exe" if os.name == "nt" else "python")
    run(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel, folder=tmp_path)
    assert run(programs / "tfgrad", "--version", folder=tmp_path).strip() == f"tfgrad {tfgrad.__version__}"
    assert "demos" in run(programs / "tfgrad", "--help", folder=tmp_path)
    shown = run(python, "-c", "import tfgrad; print(tfgrad.__version__, tfgrad.__file__)", folder=tmp_path)
    version, file = shown.strip().split(" ", 1)
    assert version == tfgrad.__version__
    assert Path(file).is_relative_to(tmp_path)
