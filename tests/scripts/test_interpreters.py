"""A Python that will not do is told from one that will, another is looked for, and the message says what is needed."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from checkouts import SCRIPTS

GOOD: dict[str, Any] = {
    "executable": "/usr/bin/python3",
    "version": (3, 12),
    "implementation": "cpython",
    "bits": 64,
    "free_threaded": False,
    "system": "linux",
    "machine": "x86_64",
    "libc": "glibc 2.36",
}
RANGE = ("2.21", (3, 10), (3, 13))
THIS = (sys.version_info[0], sys.version_info[1])


def wrong(interpreters: ModuleType, **changes: Any) -> Any:
    return interpreters.misfit(interpreters.Facts(**{**GOOD, **changes}), interpreters.Pythons(*RANGE))


@pytest.mark.parametrize("name", ["demos", "test", "check", "environment", "interpreters"])
def test_what_runs_before_a_fit_python_is_found_is_read_by_old_ones(name: str) -> None:
    ast.parse((SCRIPTS / f"{name}.py").read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"version": (3, 10)},
        {"version": (3, 13)},
        {"libc": "glibc 2.27"},
        {"machine": "aarch64"},
        {"system": "darwin", "machine": "arm64", "libc": ""},
        {"system": "win32", "machine": "amd64", "libc": ""},
    ],
)
def test_a_python_with_wheels_is_fit(interpreters: ModuleType, changes: dict[str, Any]) -> None:
    assert wrong(interpreters, **changes) is None


@pytest.mark.parametrize(
    ("changes", "reason", "advice"),
    [
        (
            {"version": (3, 14)},
            "has wheels for Python 3.10 to 3.13, this is 3.14",
            "Install a 64 bit Python 3.10 to 3.13",
        ),
        ({"version": (3, 9)}, "has wheels for Python 3.10 to 3.13, this is 3.9", "apt install python3.13"),
        ({"bits": 32, "machine": "i686"}, "has no wheels for a 32 bit Python", "Install a 64 bit Python"),
        ({"implementation": "pypy"}, "has wheels for CPython only, this is pypy", "Install a 64 bit Python"),
        ({"free_threaded": True}, "has no wheels for the free-threaded build", "Install a 64 bit Python"),
        ({"libc": "musl"}, "has no wheels for musl libc (Alpine Linux)", "python:3.13-slim instead of -alpine"),
        ({"libc": "glibc 2.17"}, "needs glibc 2.27 or newer, this is glibc 2.17", "Use a newer Linux"),
        ({"machine": "riscv64"}, "has no wheels for Linux on riscv64", "x86-64"),
        ({"system": "darwin", "machine": "x86_64", "libc": ""}, "Macs with an Intel processor", "under Rosetta"),
        ({"system": "win32", "machine": "arm64", "libc": ""}, "no wheels for an ARM Python on Windows", "(x86-64)"),
    ],
)
def test_a_python_without_wheels_is_told_why_and_what_to_do(
    interpreters: ModuleType, changes: dict[str, Any], reason: str, advice: str
) -> None:
    found = wrong(interpreters, **changes)
    assert reason in found.reason
    assert found.reason.startswith("TensorFlow 2.21 ")
    assert advice in found.advice


def test_the_python_of_the_tests_is_fit(interpreters: ModuleType) -> None:
    assert interpreters.misfit(interpreters.this_python(), interpreters.Pythons(*RANGE)) is None


def settle(path: Path, pythons: tuple[Any, ...]) -> subprocess.CompletedProcess[str]:
    """Run a script that needs one of `pythons`, with `path` as the only folder on PATH."""
    code = (
        f"import sys; sys.argv = ['it', 'more']; sys.path.insert(0, {str(SCRIPTS)!r})\n"
        "import environment, interpreters\n"
        f"environment.main(lambda: interpreters.settle(interpreters.Pythons(*{pythons!r})) or print('stayed') or 0)"
    )
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PATH": str(path)}, capture_output=True, encoding="utf-8"
    )


def put_program(path: Path, text: str) -> None:
    path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
    path.chmod(0o755)


needs_sh = pytest.mark.skipif(os.name != "posix", reason="the stand-ins for Pythons are shell scripts")


def test_a_fit_python_stays(tmp_path: Path) -> None:
    assert settle(tmp_path, ("2.21", THIS, THIS)).stdout == "stayed\n"


@needs_sh
def test_an_unfit_python_goes_on_with_the_newest_fit_one_and_the_same_arguments(tmp_path: Path) -> None:
    told = {**GOOD, "executable": str(tmp_path / "real"), "version": [3, 91]}
    put_program(tmp_path / "python3.92", "echo 'not installed here'; exit 127\n")
    put_program(tmp_path / "python3.91", f"echo '{json.dumps(told)}'\n")
    put_program(tmp_path / "python3.90", "exit 1\n")
    put_program(tmp_path / "real", 'echo "went on with: $@"\n')
    done = settle(tmp_path, ("9.9", (3, 90), (3, 92)))
    assert done.stdout == "went on with: it more\n"
    assert done.stderr == (
        f"tfgrad: TensorFlow 9.9 has wheels for Python 3.90 to 3.92, this is {THIS[0]}.{THIS[1]}; "
        f"going on with {tmp_path / 'real'} (3.91)\n"
    )


@needs_sh
def test_without_a_fit_python_it_is_told_what_was_looked_for_and_what_to_install(tmp_path: Path) -> None:
    told = {**GOOD, "executable": "/opt/python3.91", "version": [3, 91], "bits": 32}
    put_program(tmp_path / "python3.91", f"echo '{json.dumps(told)}'\n")
    done = settle(tmp_path, ("9.9", (3, 90), (3, 91)))
    assert done.returncode == 3
    assert f"this is {THIS[0]}.{THIS[1]} ({sys.executable})." in done.stderr
    assert "Also found: /opt/python3.91; TensorFlow 9.9 has no wheels for a 32 bit Python." in done.stderr
    assert "(looked for python3.91, python3.90)" in done.stderr
    assert "apt install python3.91 python3.91-venv" in done.stderr
    assert "Traceback" not in done.stderr


def test_facts_asked_of_a_python_are_those_that_it_knows_itself(interpreters: ModuleType) -> None:
    assert interpreters.probe([sys.executable]) == interpreters.this_python()


def test_where_programs_are_not_replaced_the_exit_code_is_passed_on(interpreters: ModuleType) -> None:
    assert interpreters.run_to_the_end([sys.executable, "-c", "raise SystemExit(4)"]) == 4
