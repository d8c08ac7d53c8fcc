"""What can't be run, or can't be watched, is said in clear words; what Python says of it stays."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import spawned


def doctor(folder: Path, *words: str, **how: object) -> spawned.Ended:
    return spawned.run([*spawned.DOCTOR, *words], folder, **how)  # type: ignore[arg-type]


REFUSED = {
    "missing.py": "can't open missing.py: No such file",
    "folder": "folder is a directory without a __main__.py; name the script in it",
    "notebook.ipynb": "is a notebook, not a script; type: jupyter nbconvert --to script notebook.ipynb",
    "old.pyc": "old.pyc was compiled by another Python than this one",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_t_be_run_is_refused_in_a_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notebook.ipynb").write_text('{"cells": []}', encoding="utf-8")
    (tmp_path / "old.pyc").write_bytes(b"\x00\x01\r\n" + bytes(12))
    done = doctor(tmp_path, name, "x")
    assert (done.code, done.out, done.report) == (2, "", "")
    assert done.err.startswith("tfgrad doctor: ")
    assert REFUSED[name] in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nope", "No module named nope"),
        ("nope.x", "Error while finding module specification for 'nope.x'"),
        ("script.py", "Try using 'script' instead of 'script.py' as the module name"),
        ("p", "No module named p.__main__; 'p' is a package and cannot be directly executed"),
        ("sys", "No code object available for sys"),
    ],
)
def test_a_module_that_can_t_be_run_is_refused_in_pythons_words(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("", encoding="utf-8")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "__init__.py").write_text("", encoding="utf-8")
    done = doctor(tmp_path, "-m", name)
    assert (done.code, done.out, done.report) == (2, "", "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_an_option_that_there_is_not_is_refused(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--wrong", "script.py")
    assert (done.code, done.out, done.report) == (2, "", "")
    assert "unrecognized arguments: --wrong" in done.err


FOREIGN = {
    "for a shell": (
        b"#!/bin/sh\nif true; then echo 1; fi\n",
        "is written for sh, as its first line says, not for Python",
    ),
    "for Python 2": (b"#!/usr/bin/env python2\nraise ValueError, 'x'\n", "is written for Python 2; this is Python 3."),
    "that prints as Python 2": (b"print 'x'\n", "is written for Python 2; this is Python 3."),
    "that is a program": (b"\x7fELF\x02\x01\x00\x00", "is no Python source in UTF-8: name the script"),
    "in another encoding": (b"print('\xff')\n", "is no Python source in UTF-8: name the script"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_script_for_another_interpreter_fails_as_with_python_and_is_told(name: str, tmp_path: Path) -> None:
    content, said = FOREIGN[name]
    plain, done = spawned.both({"script": content}, ["script"], tmp_path)
    assert (done.code, done.out) == (plain.code, plain.out) == (1, "")
    assert "SyntaxError: " in done.err or "ValueError: source code string cannot contain null bytes" in done.err
    assert "tfgrad" not in done.err
    assert f"script {said}" in done.report


def test_an_error_of_syntax_alone_gets_no_advice(tmp_path: Path) -> None:
    plain, done = spawned.both({"script.py": "import m\n", "m.py": "def f(:\n"}, ["script.py"], tmp_path)
    assert done.own == plain.own
    assert done.report.splitlines()[2:] == ["TensorFlow was never imported: there was nothing to watch."]


def test_a_script_for_another_python_that_lacks_a_module_here_is_told_of_it(tmp_path: Path) -> None:
    other = tmp_path / "python3"
    other.write_text("", encoding="utf-8")
    text = f"#!{other}\nimport no_such_module\n"
    plain, done = spawned.both({"script.py": text}, ["script.py"], tmp_path)
    assert done.own == plain.own
    assert f"Type: {other} -m tfgrad doctor script.py" in done.report
    mine = f"#!{sys.executable}\nimport no_such_module\n"
    assert "Type:" not in spawned.both({"script.py": mine}, ["script.py"], tmp_path)[1].report


SHADOWS = {
    "a file beside it": (
        {"script.py": "import tensorflow\nprint(tensorflow.X)", "tensorflow.py": "X = 3"},
        "script.py",
    ),
    "itself": ({"tensorflow.py": "import tensorflow as tf\nprint(tf.constant(1))"}, "tensorflow.py"),
    "a folder beside it": ({"script.py": "import tensorflow", "tensorflow/__init__.py": ""}, "script.py"),
}


@pytest.mark.parametrize("name", SHADOWS)
def test_something_else_that_is_called_tensorflow_is_told(name: str, tmp_path: Path) -> None:
    files, script = SHADOWS[name]
    plain, done = spawned.both(files, [script], tmp_path)
    assert done.own == plain.own
    assert "which is not TensorFlow: rename it." in done.report


def test_a_tensorflow_that_can_t_be_imported_is_told(tmp_path: Path) -> None:
    text = "try:\n    import tensorflow\nexcept ImportError as error:\n    print(error)\nimport tensorflow\n"
    files = {"script.py": text, "tensorflow/__init__.py": "import os\nraise ImportError('no library')"}
    plain, done = spawned.both(files, ["script.py"], tmp_path)
    assert done.own == plain.own
    assert "could not be imported: there was nothing to watch." in done.report


@pytest.mark.skipif(os.name != "posix", reason="another program takes the place of a process on POSIX only")
@pytest.mark.parametrize("how", ["os.execv(sys.executable, words)", "os.execvp('true', words)"])
def test_a_script_that_puts_another_program_in_its_place_is_reported_before(how: str, tmp_path: Path) -> None:
    text = f"import os, sys\nwords = [sys.executable, '-c', 'print(1)']\n{how}"
    plain, done = spawned.both({"script.py": text}, ["script.py"], tmp_path)
    assert done.own == plain.own
    assert "put another program in its place (os.exec), which was not watched" in done.report


def test_a_script_that_fails_to_put_another_program_in_its_place_goes_on(tmp_path: Path) -> None:
    text = "import os\ntry:\n    os.execvp('no-such-program', ['x'])\nexcept OSError:\n    print('on')"
    plain, done = spawned.both({"script.py": text}, ["script.py"], tmp_path)
    assert done.own == plain.own
    assert "TensorFlow was never imported" in done.report
