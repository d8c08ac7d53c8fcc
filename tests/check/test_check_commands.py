"""`tfgrad check` and `tfgrad ops`, as a person types them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tfgrad import cli

SOURCE = """
import tensorflow as tf


def wave(x, k):
    return tf.sin(x) * k


def loss(p):
    return tf.reduce_sum(p["w"] ** 2) + p["b"]


@tf.custom_gradient
def square(x):
    return x * x, lambda dy: 3 * x * dy
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "functions_to_check.py"
    path.write_text(SOURCE, encoding="utf-8")
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = cli.main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_a_right_function_is_right(capsys: pytest.CaptureFixture[str], file: str) -> None:
    code, out, _ = run(capsys, "check", f"{file}:wave", "--args", "[0.5, 1.0], 2.0", "--order", "2")
    assert code == 0
    assert "check_grads: wave by args[0] and args[1]: right" in " ".join(out.split())


def test_a_dict_is_a_nest(capsys: pytest.CaptureFixture[str], file: str) -> None:
    code, out, _ = run(capsys, "check", f"{file}:loss", "--args", "{'w': [1.0, 2.0], 'b': 0.5}")
    assert code == 0
    assert "args[0]['w']" in out


def test_a_wrong_function_gives_exit_code_one_and_says_why(capsys: pytest.CaptureFixture[str], file: str) -> None:
    code, out, _ = run(capsys, "check", f"{file}:square", "--args", "[0.5, 1.0]", "--double")
    assert code == 1
    assert "1.5 times what it should be" in out


def test_json_on_standard_output_is_nothing_but_json(capsys: pytest.CaptureFixture[str], file: str) -> None:
    code, out, _ = run(capsys, "check", f"{file}:square", "--args", "[0.5, 1.0]", "--json")
    assert code == 1
    assert json.loads(out)["mismatches"][0]["input"] == "args[0]"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "nowhere.py:f"], "there is no file nowhere.py"),
        (["check", "FILE"], "names no function"),
        (["check", "FILE:wavee", "--args", "1.0"], "did you mean wave?"),
        (["check", "FILE:wave", "--args", "x + 1"], "is not a row of numbers"),
        (["check", "FILE:wave", "--args", "1, 2"], "a derivative"),
        (["ops", "tf.ruond"], "did you mean tf.round"),
        (["ops", "tf.nowhere.*"], "no function 'tf.nowhere.*' in the table; python -m tfgrad ops lists them"),
        (["ops", "--area", "linalgg"], "no area 'linalgg'; did you mean linalg"),
        (["ops", "--gradient", "maybe"], "maybe"),
    ],
)
def test_bad_usage_is_told_with_exit_code_two(
    capsys: pytest.CaptureFixture[str], file: str, arguments: list[str], words: str
) -> None:
    code, _, err = run(capsys, *(word.replace("FILE", file) for word in arguments))
    assert code == 2
    assert words in err


def test_ops_answers_in_a_line_what_to_use(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "ops", "tf.round")
    assert code == 0
    assert out.splitlines()[0].startswith("tf.math.round: no gradient: None, without a word; use instead: ")


def test_ops_lists_all_by_area_and_ends_with_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "ops")
    assert code == 0
    lines = out.splitlines()
    assert len(lines) > 1000
    assert any(line.startswith("linalg (") and line.rstrip().endswith("right)") for line in lines)
    assert " known faults; measured with TensorFlow " in lines[-1]


def test_no_line_of_the_table_is_wider_than_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run(capsys, "ops")
    assert max(len(line) for line in out.splitlines()[:-1]) <= 80
    assert "…" not in out


def test_ops_gives_json(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "ops", "tf.sin", "tf.cos", "--json")
    found = json.loads(out)
    assert [op["name"] for op in found["ops"]] == ["tf.math.sin", "tf.math.cos"]
    assert found["tensorflow"].count(".") == 2


def test_filters_leave_what_passes_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "ops", "tf.linalg.*", "--gradient", "raises", "none", "--json")
    found = json.loads(out)["ops"]
    assert "tf.linalg.lu" in [op["name"] for op in found]
    assert {op["reverse"] for op in found} <= {"raises", "none"}
    assert all(any(name.startswith("tf.linalg.") for name in (op["name"], *op["aliases"])) for op in found)
    _, out, _ = run(capsys, "ops", "--area", "signal", "--json")
    assert {op["area"] for op in json.loads(out)["ops"]} == {"signal"}
    _, out, _ = run(capsys, "ops", "tf.math.sin", "--gradient", "none")
    assert "0 functions" in out


def test_faults_are_listed_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "ops", "tf.linalg.*", "--faults")
    assert code == 0
    assert "tfgrad.check_grads(lambda x: tf.linalg.det(x)" in out
    assert "tf.linalg.matmul: " not in out


def test_a_raw_op_is_told_its_functions(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "ops", "MatMul")
    assert out.splitlines()[0].startswith("MatMul is a raw op of tf.linalg.matmul, ")


def test_another_version_is_told_in_a_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from tfgrad.check import optable

    other = replace(optable.table(), tensorflow="1.0.0")
    monkeypatch.setattr(optable, "table", lambda: other)
    _, out, err = run(capsys, "ops", "tf.sin")
    assert err.startswith("here is tensorflow ")
    assert "here is" not in out
