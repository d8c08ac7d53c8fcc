"""Real scripts under the doctor: sound ones are left in peace, faulty ones are told the cause at the right line.

A faulty script says what is expected of it in a comment at the faulty line: `# expect: none stop-gradient`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import forked
import pytest

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.py"))
SOUND = [script for script in SCRIPTS if not script.name.startswith("bad_")]
FAULTY = [script for script in SCRIPTS if script.name.startswith("bad_")]
# These run into their own fault.
FAILING = {
    "bad_argmax",
    "bad_before_block",
    "bad_called_before",
    "bad_cam_twice",
    "bad_frozen_offset",
    "bad_integer_weight",
    "bad_metric_loss",
    "bad_outside",
    "bad_predicted_image",
    "bad_rebinding",
    "bad_saturation",
    "bad_target_net",
    "bad_twice",
    "bad_unwatched_image",
    "bad_xla_argmax",
}


def expected(script: Path) -> set[tuple[str, str, int]]:
    lines = script.read_text(encoding="utf-8").splitlines()
    found = ((re.search(r"# expect: (\S+) (\S+)", line), n) for n, line in enumerate(lines, 1))
    return {(match[1], match[2], n) for match, n in found if match}


def told(report: dict[str, Any]) -> set[tuple[str, str, int]]:
    return {(p["symptom"], p["cause"], p["where"] and p["where"]["line"]) for p in report["problems"]}


def examine(server: forked.Server, script: Path, folder: Path) -> tuple[forked.Done, dict[str, Any]]:
    done = server.run(["doctor", "--json", "report.json", str(script)], folder)
    return done, json.loads((folder / "report.json").read_text(encoding="utf-8"))


def settled(text: str) -> str:
    """A traceback with one name for the files that AutoGraph writes, each of which has a name of its own."""
    return re.sub(r"__autograph_generated_file\w+", "__autograph_generated_file", text)


@pytest.mark.parametrize("script", SOUND, ids=lambda script: script.stem)
def test_a_sound_script_prints_what_it_always_prints_and_has_no_problems(
    server: forked.Server, script: Path, tmp_path: Path
) -> None:
    plain = server.run([str(script)], tmp_path)
    done, report = examine(server, script, tmp_path)
    assert plain.code == done.code == report["exit"] == 0, plain.err
    assert told(report) == set()
    assert done.out == plain.out
    assert "No gradient problems in" in done.err
    assert report["watched"]["gradient_calls"] > 0


@pytest.mark.parametrize("script", FAULTY, ids=lambda script: script.stem)
def test_a_faulty_script_is_told_the_cause_at_its_line(server: forked.Server, script: Path, tmp_path: Path) -> None:
    done, report = examine(server, script, tmp_path)
    assert told(report) == expected(script)
    assert done.code == report["exit"] == 1
    assert "--- tfgrad doctor:" in done.err
    assert ("Traceback" in done.err) == (script.stem in FAILING)


@pytest.mark.parametrize("name", sorted(FAILING))
def test_a_script_that_fails_prints_its_own_traceback(server: forked.Server, name: str, tmp_path: Path) -> None:
    script = Path(__file__).parent / "scripts" / f"{name}.py"
    plain = server.run([str(script)], tmp_path)
    done, _ = examine(server, script, tmp_path)
    assert plain.code == done.code == 1
    assert done.out == plain.out
    assert settled(done.err.partition("--- tfgrad doctor:")[0]) == settled(plain.err)
