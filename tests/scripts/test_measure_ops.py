"""The script that measures the table of ops: a function that ends its process, interrupted runs, and names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"

DIES = """
import json, os, sys
for name in sys.stdin.read().split():
    if name == "dies":
        os._exit(6)
    print(json.dumps(["row", {"name": name}]), flush=True)
    if name == "dies-in-xla":
        os._exit(6)
    print(json.dumps(["xla", "yes"]), flush=True)
"""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])
    import measure_ops

    return measure_ops


def test_a_function_that_ends_its_process_costs_one_mark(script: Any) -> None:
    rows = list(script._bundle(["a", "dies", "b", "dies-in-xla", "c"], (sys.executable, "-c", DIES)))
    assert [row["name"] for row in rows] == ["a", "dies", "b", "dies-in-xla", "c"]
    assert [row["xla"] for row in rows] == ["yes", "-", "yes", "no", "yes"]
    assert rows[1]["reverse"] == "raises"
    assert "ends or hangs" in rows[1]["why"]


def test_a_function_that_hangs_is_ended(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "PATIENCE", 0.5)
    (row,) = script._bundle(["a"], (sys.executable, "-c", "import time; time.sleep(60)"))
    assert row["reverse"] == "raises"


def test_what_an_interrupted_run_left_is_taken_up_without_its_broken_line(script: Any, tmp_path: Path) -> None:
    part = tmp_path / "ops.part"
    part.write_text('{"name": "a", "x": 1}\n{"name": "b", "x"', encoding="utf-8")
    assert script._kept(part) == {"a": {"name": "a", "x": 1}}
    assert script._kept(tmp_path / "none.part") == {}


def test_what_was_not_measured_this_time_stays_and_what_is_no_longer_a_spec_goes(script: Any, tmp_path: Path) -> None:
    table = tmp_path / "ops.json"
    about = {"tensorflow": "2.21.0", "keras": "3.15.0", "names": ["a", "b"]}
    script.write(table, about, {name: {"name": name, "x": 1} for name in ("a", "b")}, keep=False)
    table.write_text(table.read_text(encoding="utf-8").replace('"b"', '"gone"'), encoding="utf-8")
    script.write(table, about, {"b": {"name": "b", "x": 2, "doubtful": ["no"]}}, keep=True)
    assert json.loads(table.read_text(encoding="utf-8"))["ops"] == [{"name": "a", "x": 1}, {"name": "b", "x": 2}]


def test_patterns_and_names_are_chosen_and_unknown_ones_end_the_script(script: Any) -> None:
    names = ["tf.math.sin", "tf.linalg.inv", "tf.linalg.det"]
    assert script._chosen(names, [], None) == names
    assert script._chosen(names, ["tf.math.sin"], ["tf.*.det"]) == ["tf.math.sin", "tf.linalg.det"]
    with pytest.raises(SystemExit, match=r"tf\.nope"):
        script._chosen(names, ["tf.nope"], None)


@pytest.mark.slow
def test_the_script_measures_what_is_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "ops.json"
    command = [sys.executable, str(SCRIPTS / "measure_ops.py"), "tf.math.square", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(out.read_text(encoding="utf-8"))["ops"]
    assert [row[mark] for mark in ("name", "reverse", "second", "forward")] == ["tf.math.square", "yes", "yes", "yes"]
    assert row["uses"] == ["Square"]
