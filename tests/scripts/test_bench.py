"""The benchmark as a command: it measures, compares values, writes data; never how fast anything is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from benchmarks import machine, measure, report  # noqa: E402
from benchmarks.measure import Outcome, Result  # noqa: E402
from benchmarks.rows import PEERS, ROWS, Goal, Row, library  # noqa: E402


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "bench.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    done = run("-k", "^grad-(dot|square)$", "--rounds", "3", "--turn", "0.005", "--json", str(file))
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout, json.loads(file.read_text(encoding="utf-8"))


def test_table_has_the_machine_and_a_line_for_each_ratio(measured: tuple[str, dict[str, Any]]) -> None:
    text, _ = measured
    assert text.startswith(machine.line(machine.described()).split(",")[0])
    assert f"tensorflow {__import__('tensorflow').__version__}" in text
    begins = [line.split()[:4] for line in text.splitlines() if line.startswith("grad-")]
    assert begins == [["grad-dot", "tfgrad", "bare", "tape"], ["grad-square", "tfgrad", "bare", "tape"]]
    assert max(len(line) for line in text.splitlines()[2:]) <= 110


def test_json_has_every_round_and_the_ratios_follow_from_them(measured: tuple[str, dict[str, Any]]) -> None:
    _, data = measured
    assert data["schema"] == 1
    assert data["machine"]["versions"]["tensorflow"] == __import__("tensorflow").__version__
    assert [row["name"] for row in data["rows"]] == ["grad-dot", "grad-square"]
    for row in data["rows"]:
        mine, theirs = (row["contestants"][name] for name in ("tfgrad", "bare tape"))
        assert len(mine["rounds"]) == len(theirs["rounds"]) == 3
        (ratio,) = row["ratios"]
        by_round = sorted(a / b for a, b in zip(mine["rounds"], theirs["rounds"], strict=True))
        assert ratio["median"] == pytest.approx(by_round[1])
        assert ratio["verdict"] in ("reached", "within 15 %", "missed")
        assert row["differ"] == {}


def test_values_of_both_calls_are_compared(measured: tuple[str, dict[str, Any]]) -> None:
    _, data = measured
    for found in data["rows"][0]["contestants"].values():
        assert found["count"] == 2 * 4
        assert found["sum"] == 2 * (0 + 4 + 8 + 12)


def test_a_pattern_without_a_row_is_bad_usage() -> None:
    done = run("-k", "no such row")
    assert done.returncode == 2
    assert "matches no row; the rows are grad-dot, grad-square" in done.stderr
    assert run("-k", "(").returncode == 2
    assert run("--rounds", "0").returncode == 2


def test_list_names_every_row_and_its_goals_without_tensorflow() -> None:
    program = (
        "import runpy, sys; sys.modules['tensorflow'] = None; sys.argv = ['bench.py', '--list']; "
        f"runpy.run_path({str(ROOT / 'scripts' / 'bench.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == [row.name for row in ROWS]
    assert "4.5 / jax 0.65 / torch 0.25* / tf.function XLA" in done.stdout


def test_every_contestant_that_can_be_loaded_here_has_its_code() -> None:
    program = (
        "import json, sys; from benchmarks import worker; from benchmarks.cases import CASES; "
        "worker.load(sys.argv[1]); print(json.dumps(list(CASES)))"
    )
    for name in ("tensorflow", "doctor", *filter(machine.installed, PEERS)):
        command = [sys.executable, "-c", program, name]
        done = subprocess.run(command, capture_output=True, text=True, env=measure._environment())
        assert done.returncode == 0, done.stderr
        there = {tuple(pair) for pair in json.loads(done.stdout)}
        wanted = {(row.name, who) for row in ROWS for who in row.contestants if library(who) == name}
        assert there == wanted


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ([1.0, 2.0, 3.0], ""),
        ([1.0, 2.00001, 3.0], ""),
        ([1.0, 2.1, 2.9], "relative difference 3.3e-02"),
        ([1.0, 2.0], "2 numbers for 3"),
        ([1.0, 2.0, float("nan")], "not finite"),
    ],
)
def test_a_difference_in_values_is_told(theirs: list[float], said: str) -> None:
    ours = {"count": 3, "sum": 6.0, "sample": [1.0, 2.0, 3.0]}
    other = {"count": len(theirs), "sum": sum(theirs), "sample": theirs}
    assert measure.difference(ours, other, 1e-4) == said


ROW = Row("row", "a row", ("grad",), ("tfgrad", "tfgrad XLA"), (Goal(1.0, ("jax", "torch"), wanted=True),))


def test_a_goal_is_judged_against_the_quickest_peer_by_the_better_of_ours() -> None:
    rounds = {"tfgrad": [4.0, 6.0, 5.0], "tfgrad XLA": [2.0, 3.0, 2.5], "jax": [2.0, 3.0, 2.5], "torch": [9.0] * 3}
    outcome = Outcome(ROW, {name: Result(rounds=found) for name, found in rounds.items()}, {}, {})
    found = [(ratio.ours, ratio.against, ratio.median, ratio.verdict) for ratio in report.ratios(outcome)]
    assert found == [("tfgrad", "jax", 2.0, "missed"), ("tfgrad XLA", "jax", 1.0, "reached")]
    assert report.summary([outcome]).splitlines()[1:] == ["reached: row / jax"]


def test_what_is_not_there_is_listed_and_no_failure() -> None:
    outcome = measure.measured(ROW, dict.fromkeys(ROW.ours, "not there yet: jit"), measure.Crew(), 1, 0.01)
    assert report.lines(outcome) == ["row               not there yet: jit"]
    assert not outcome.failed
    partly = Outcome(ROW, {"tfgrad": Result(rounds=[1.0])}, {"jax": "not installed"}, {})
    assert any("jax: not installed" in line for line in report.lines(partly))


def test_a_contestant_that_raises_is_told_and_the_process_goes_on() -> None:
    row = Row("no-such-row", "a row", ("grad",), ("tfgrad",), ())
    crew = measure.Crew()
    try:
        outcome = measure.measured(row, {}, crew, 1, 0.01)
        assert outcome.failed == {"tfgrad": "KeyError: ('no-such-row', 'tfgrad')"}
        assert crew.ask("tfgrad", ROWS[0], do="begin")["ok"]
    finally:
        crew.close()


def test_peak_of_memory_sees_what_was_freed_again() -> None:
    program = (
        "from benchmarks import memory; before = memory.begin(); "
        "held = bytearray(b'x' * 2**27); del held; print(memory.peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=measure._environment())
    assert 120 < float(done.stdout) < 400
