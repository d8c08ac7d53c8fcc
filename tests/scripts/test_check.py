"""check.py runs every step, fails if one does, and tells the seconds of each folder of tests."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from checkouts import SCRIPTS, Checkout

# Stand-ins for ruff, mypy and pytest: each notes how it was called, and fails if its folder has a file "fails".
NOTE = """
import pathlib, sys
name = pathlib.Path(__file__).parent
with open("notes", "a") as notes:
    print(name.name, *sys.argv[1:], file=notes)
sys.exit(int((name / "fails").exists()))
"""


@pytest.fixture
def notes(copied: Checkout) -> Path:
    """The file in which the stand-ins note how they were called."""
    root = copied.root
    for name in ("ruff", "mypy", "pytest"):
        (root / name).mkdir(exist_ok=True)
        (root / name / "__main__.py").write_text(NOTE, encoding="utf-8")
    return root / "notes"


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module scripts/check.py."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("check")


def test_every_step_runs_in_order(copied: Checkout, notes: Path) -> None:
    done = copied.run("check.py", "--no-tests")
    assert done.code == 0
    assert notes.read_text().splitlines() == ["ruff format --check .", "ruff check .", "mypy"]


def test_a_step_that_fails_does_not_keep_the_others_from_running(copied: Checkout, notes: Path) -> None:
    (notes.parent / "mypy" / "fails").touch()
    done = copied.run("check.py", "-k", "something")
    assert done.code == 1
    calls = notes.read_text().splitlines()
    assert calls[:3] == ["ruff format --check .", "ruff check .", "mypy"]
    assert calls[3].startswith("pytest ")
    assert calls[3].endswith(" -k something")
    endings = [line.split() for line in done.out.splitlines()[-4:]]
    assert [(words[0], words[-1]) for words in endings] == [
        ("ok", "format"), ("ok", "lint"), ("FAILED", "types"), ("ok", "tests"),
    ]  # fmt: skip


def test_with_fix_ruff_mends(copied: Checkout, notes: Path) -> None:
    assert copied.run("check.py", "--fix", "--no-tests").code == 0
    assert notes.read_text().splitlines() == ["ruff format .", "ruff check --fix .", "mypy"]


def test_seconds_are_summed_over_each_folder_of_tests(check: ModuleType, tmp_path: Path) -> None:
    for name in ("tests/one/test_a.py", "tests/one/test_b.py", "tests/two/test_c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("def test(): pass\n")
    report = tmp_path / "tests.xml"
    command = [
        "pytest",
        "-p",
        "no:cacheprovider",
        "--junitxml",
        str(report),
        "-o",
        "junit_family=xunit1",
        "--rootdir",
        ".",
    ]
    subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, check=True, capture_output=True)
    seconds = check.seconds_by_folder(str(report))
    assert list(seconds) == ["tests/one", "tests/two"]
    assert all(each >= 0 for each in seconds.values())


def test_without_a_report_no_folder_is_told(check: ModuleType, tmp_path: Path) -> None:
    assert check.seconds_by_folder(str(tmp_path / "none.xml")) == {}
