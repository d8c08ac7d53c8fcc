"""Where the report goes: to where standard error went before the script ran, and, as JSON, to a file; never lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import forked
import pytest
import spawned

NOTHING = "TensorFlow was never imported: there was nothing to watch."
NONE = """
import tensorflow as tf
w = tf.Variable(1.5, name="w")
with tf.GradientTape() as tape:
    y = tf.round(w)
tape.gradient(y, w)
"""
POSIX = pytest.mark.skipif(os.name != "posix", reason="descriptors and devices of POSIX")


def doctor(folder: Path, text: str, *options: str) -> spawned.Ended:
    (folder / "script.py").write_text(text, encoding="utf-8")
    return spawned.run([*spawned.DOCTOR, *options, "script.py"], folder)


def parsed(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "import sys\nsys.stderr.close()",
        "import sys\nsys.stderr = None",
        "import os\nos.close(2)",
        "import os\nos.dup2(os.open(os.devnull, os.O_WRONLY), 2)",
        "import io, sys\nsys.stderr = io.StringIO()",
        "import os\nos.closerange(0, 3)",
    ],
)
@POSIX
def test_a_script_that_closes_or_turns_its_error_stream_gets_its_report(text: str, tmp_path: Path) -> None:
    assert NOTHING in doctor(tmp_path, text).report


@POSIX
def test_the_report_does_not_go_into_a_file_that_took_the_place_of_standard_error(tmp_path: Path) -> None:
    text = "import os\nos.close(2)\nf = open('data', 'w')\nprint(f.fileno())\nf.write('x')"
    done = doctor(tmp_path, text)
    assert done.out == "2\n"
    assert NOTHING in done.report
    assert (tmp_path / "data").read_text(encoding="utf-8") == "x"


@POSIX
@pytest.mark.parametrize("closed", ["2>&-", ">&-", ">&- 2>&-", "<&-"])
def test_streams_that_are_closed_from_the_beginning_stay_closed(closed: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import os\nf = open('data', 'w')\nf.write('x')\n", encoding="utf-8")
    command = f'"{sys.executable}" -m tfgrad doctor --json r.json script.py {closed}'
    environment = {**os.environ, "PYTHONPATH": str(spawned.ROOT)}
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0
    assert done.stdout == ""
    assert (NOTHING in done.stderr) == ("2>" not in closed)
    assert (tmp_path / "data").read_text(encoding="utf-8") == "x"
    assert parsed((tmp_path / "r.json").read_text(encoding="utf-8"))["remark"] == NOTHING


@POSIX
def test_a_child_that_outlives_the_script_does_not_hold_its_streams(tmp_path: Path) -> None:
    text = "import os, time\nif os.fork() == 0:\n    for i in range(3):\n        os.close(i)\n    time.sleep(60)\n"
    assert NOTHING in doctor(tmp_path, text + "    os._exit(0)").report


BAD_TARGETS = {"folder": "Is a directory", "no/such/r.json": "No such file or directory", "": "Is a directory"}


@POSIX
@pytest.mark.parametrize("target", BAD_TARGETS)
def test_a_target_that_can_t_be_written_is_refused_before_the_script_runs(target: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    done = doctor(tmp_path, "print('ran')", "--json", target)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"tfgrad doctor: can't write {target}: {BAD_TARGETS[target]}\n"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="whoever is root may write everywhere")
def test_a_folder_without_permission_is_refused_before_the_script_runs(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    done = doctor(tmp_path, "print('ran')", "--json", "locked/r.json")
    assert (done.code, done.out) == (2, "")
    assert "Permission denied" in done.err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk_is_told_and_the_report_given(tmp_path: Path) -> None:
    done = doctor(tmp_path, "print('ran')", "--json", "/dev/full")
    assert (done.code, done.out) == (0, "ran\n")
    assert done.err == "tfgrad doctor: can't write /dev/full: No space left on device\n"
    assert NOTHING in done.report


def test_a_folder_that_has_gone_is_told_and_the_report_given(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    done = doctor(tmp_path, "import os\nos.rmdir('out')", "--json", "out/r.json")
    assert done.code == 0
    assert "r.json: No such file or directory" in done.err
    assert NOTHING in done.report


@pytest.mark.parametrize("target", ["-", pytest.param("/dev/stdout", marks=POSIX)])
def test_json_on_standard_output_comes_after_what_the_script_prints(target: str, tmp_path: Path) -> None:
    done = doctor(tmp_path, "import sys\nprint('first')\nsys.stdout.write('second')", "--json", target)
    before, begin, after = done.out.partition("{")
    assert before == "first\nsecond"
    assert parsed(begin + after)["remark"] == NOTHING


@POSIX
def test_json_does_not_overwrite_a_file_that_the_script_prints_to(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("print('first')", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(spawned.ROOT)}
    with open(tmp_path / "log", "wb") as log:
        command = [sys.executable, *spawned.DOCTOR, "--json", "/dev/stdout", "script.py"]
        subprocess.run(command, cwd=tmp_path, stdout=log, stderr=subprocess.DEVNULL, env=environment, check=True)
    first, rest = (tmp_path / "log").read_text(encoding="utf-8").split("\n", 1)
    assert first == "first"
    assert parsed(rest)["exit"] == 0


@POSIX
def test_json_goes_into_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", "pipe"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as reader:
        doctor(tmp_path, "print(1)", "--json", "pipe")
        out, _ = reader.communicate(timeout=30)
    assert parsed(out)["script"] == "script.py"


def test_an_earlier_report_is_replaced_and_none_is_left_of_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("old " * 1000, encoding="utf-8")
    doctor(tmp_path, "", "--json", "r.json")
    assert parsed((tmp_path / "r.json").read_text(encoding="utf-8"))["exit"] == 0
    spawned.run([*spawned.DOCTOR, "--json", "new.json", "missing.py"], tmp_path)
    assert not (tmp_path / "new.json").exists()


def test_json_of_a_script_without_tensorflow_has_the_same_keys(tmp_path: Path) -> None:
    doctor(tmp_path, "import sys\nsys.exit(3)", "--json", "r.json")
    assert parsed((tmp_path / "r.json").read_text(encoding="utf-8")) == {
        "schema": 1,
        "problems": [],
        "notes": [],
        "watched": {"tapes": 0, "gradient_calls": 0, "variables": 0},
        "script": "script.py",
        "exit": 3,
        "remark": NOTHING,
    }


@pytest.mark.parametrize(
    "config", ["rubbish {", "[1]", '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"index": "x"}}']
)
def test_a_wrong_tf_config_is_left_to_tensorflow(config: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("print(1)", encoding="utf-8")
    done = spawned.run([*spawned.DOCTOR, "--json", "r.json", "script.py"], tmp_path, TF_CONFIG=config)
    assert (done.code, done.out, done.err) == (0, "1\n", "")
    assert "worker" not in json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))


FAULTY = """
import tensorflow as tf
w, v, u = (tf.Variable([value, 0.5], name=name) for value, name in ((1.5, "w"), (0.0, "v"), (1.0, "u")))
for step in range(4):
    with tf.GradientTape() as tape:
        loss = tf.round(w) + tf.sqrt(v) + 0.0 * u
    tape.gradient(loss, [w, v, u])
"""


def test_all_that_the_report_says_is_in_the_json(server: forked.Server, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(FAULTY, encoding="utf-8")
    done = server.run(["doctor", "--json", "r.json", "script.py"], tmp_path)
    report = parsed((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert list(report) == ["schema", "problems", "notes", "watched", "script", "exit"]
    assert (report["exit"], report["script"], done.code) == (1, "script.py", 1)
    assert [problem["symptom"] for problem in report["problems"]] == ["none", "nonfinite", "zero"]
    words = " ".join(done.err.split())
    for problem in report["problems"]:
        for key in ("path", "cause", "when", "detail", "advice"):
            assert problem[key]
            assert " ".join(problem[key].split()) in words
        assert problem["where"]["text"] in words
        assert f"script.py:{problem['where']['line']}" in words
    assert report["notes"]
    assert all(" ".join(note.split()) in words for note in report["notes"])
    counts = report["watched"]
    last = f"in {counts['gradient_calls']} gradient calls ({counts['tapes']} tapes, {counts['variables']} Variables)."
    assert done.err.endswith(f"3 gradient problems {last}\n")


BREAKING = """
import tfgrad.see.diagnosing.verdicts
def broken(*_):
    raise RuntimeError("inside the report")
tfgrad.see.diagnosing.verdicts.judged = broken
"""


def test_a_report_that_fails_leaves_the_scripts_own_end(server: forked.Server, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(NONE + BREAKING + "print('end')", encoding="utf-8")
    done = server.run(["doctor", "script.py"], tmp_path)
    assert (done.code, done.out) == (0, "end\n")
    assert done.err == "tfgrad doctor: no report: RuntimeError: inside the report\n"


def test_a_terminal_gets_colour_and_the_same_words(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="there are terminals of POSIX only")
    (tmp_path / "script.py").write_text(FAULTY, encoding="utf-8")
    master, slave = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(spawned.ROOT), "TERM": "xterm-256color", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, *spawned.DOCTOR, "script.py"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=slave, env=environment) as process:
        os.close(slave)
        said = b""
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:
                break
            if not chunk:
                break
            said += chunk
    os.close(master)
    assert process.returncode == 1
    assert b"\x1b[" in said
    assert b"nondifferentiable-op" in said
