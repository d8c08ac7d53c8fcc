"""The command line, as a person types it: exact text at 80 columns, exit codes, broken input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tfgrad import cli

GOLDENS = Path(__file__).parent / "goldens"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8", **environment}
    command = [sys.executable, "-m", "tfgrad", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=env, timeout=300)


def test_demos_print_claim_code_values_and_verdict() -> None:
    done = run("demos", "range", "first-gradient", "detach", "control-flow", "--seed", "4")
    assert done.stdout == (GOLDENS / "demos.txt").read_text(encoding="utf-8")
    assert done.stderr == ""
    assert done.returncode == 0


def test_in_sixty_columns_nothing_is_cut_off() -> None:
    done = run("demos", "detach-in-prose", "simpler-example", COLUMNS="60")
    assert max(len(line) for line in done.stdout.splitlines()) <= 60
    assert "x_grad == gradient of sum(y)" in done.stdout
    assert "…" not in done.stdout


def test_json_holds_what_the_screen_shows(tmp_path: Path) -> None:
    target = tmp_path / "demos.json"
    done = run("demos", "first-gradient", "--json", str(target))
    data = json.loads(target.read_text(encoding="utf-8"))
    assert done.returncode == 0
    assert data["schema"] == 1
    (found,) = data["demos"]
    assert found["name"] == "first-gradient"
    assert found["holds"] is True
    assert {"name": "y", "text": "28", "value": 28.0, "check": None} in found["values"]
    assert found["claim"] in done.stdout


def test_json_on_standard_output_is_nothing_but_json() -> None:
    done = run("demos", "range", "--json")
    assert json.loads(done.stdout)["demos"][0]["holds"] is True


def in_process(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = cli.main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_an_unknown_demo_gets_the_nearest_names_and_exit_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = in_process(capsys, "demos", "detatch", "overwriten")
    assert code == 2
    assert out == ""
    assert err == (
        "tfgrad demos: no demo 'detatch'; did you mean detach or detach-in-prose?\n"
        "  no demo 'overwriten'; did you mean overwritten?\n"
    )


def test_a_name_like_nothing_gets_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = in_process(capsys, "demos", "zzz")
    assert code == 2
    assert "no demo 'zzz'; known: cpu-features, range," in err


def test_an_unknown_command_gets_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = in_process(capsys, "demoes")
    assert code == 2
    assert "no command 'demoes'; did you mean demos?" in err


def test_an_option_of_another_demo_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = in_process(capsys, "demos", "range", "--seed", "3")
    assert code == 2
    assert err == "tfgrad demos: --seed is for control-flow, which is not among those asked for\n"


def test_a_seed_that_is_no_number_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = in_process(capsys, "demos", "--seed", "x")
    assert code == 2
    assert "invalid int value: 'x'" in err


def test_json_into_a_folder_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = in_process(capsys, "demos", "range", "--json", str(tmp_path / "no" / "x.json"))
    assert code == 2
    assert "can't write" in err
    assert "No such file" in err


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = in_process(capsys)
    assert code == 0
    assert "usage: tfgrad" in out
    assert "demos" in out


def test_a_failed_claim_gives_exit_code_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tfgrad.learn.demos import d02_range

    monkeypatch.setattr(d02_range, "experiment", lambda: iter([("1 == 2", 1 == 2)]))
    code, out, _ = in_process(capsys, "demos", "range")
    assert code == 1
    assert "does not hold: 1 == 2" in out
    assert "0 of 1 claims hold; not: range" in out


@pytest.mark.parametrize(
    "arguments", [["--help"], ["demos", "--list"], ["demos", "--help"], ["demos", "--list", "--json"]]
)
def test_help_and_lists_do_not_load_tensorflow(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom tfgrad.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "heavy = {'tensorflow', 'numpy', 'keras'} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_list_has_every_name_and_claim(capsys: pytest.CaptureFixture[str]) -> None:
    from tfgrad.learn import demo

    code, out, _ = in_process(capsys, "demos", "--list", "--json")
    assert code == 0
    assert [(each["name"], each["claim"]) for each in json.loads(out)["demos"]] == [
        (found.name, found.claim) for found in demo.demos()
    ]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a pseudo terminal is to be had on POSIX only")
def test_colour_on_a_terminal_and_none_under_no_color() -> None:
    coloured, plain = on_a_terminal(), on_a_terminal(NO_COLOR="1")
    assert "\x1b[3" in coloured
    assert "\x1b[3" not in plain
    assert "holds" in coloured
    assert "holds" in plain


def on_a_terminal(**environment: str) -> str:
    """What `demos range` writes to a terminal."""
    lead, follow = os.openpty()
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    env |= {"TERM": "xterm-256color", "COLUMNS": "80", **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "tfgrad", "demos", "range"], stdout=follow, stderr=follow, env=env
    )
    os.close(follow)
    parts = []
    while True:
        try:
            part = os.read(lead, 65536)
        except OSError:
            break
        if not part:
            break
        parts.append(part)
    os.close(lead)
    assert process.wait() == 0
    return b"".join(parts).decode()


def test_messages_of_tensorflow_do_not_spoil_the_screen() -> None:
    done = run("demos", "forward-or-reverse", "consumed-tape")
    assert done.returncode == 0
    assert done.stderr == ""
