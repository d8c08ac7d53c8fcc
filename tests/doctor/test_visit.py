"""The script behaves as without the doctor: arguments, streams, exit codes, tracebacks, exit handlers, children."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import forked
import pytest

NONE = """
import tensorflow as tf
w = tf.Variable(1.5, name="w")
with tf.GradientTape() as tape:
    y = tf.round(w)
tape.gradient(y, w)
"""


def write(folder: Path, text: str, name: str = "script.py") -> Path:
    script = folder / name
    script.write_text(text, encoding="utf-8")
    return script


def both(
    server: forked.Server, folder: Path, text: str, *words: str, stdin: str = ""
) -> tuple[forked.Done, forked.Done, str]:
    """The plain run, the run under the doctor with its report cut off, the report."""
    script = str(write(folder, text))
    plain = server.run([script, *words], folder, stdin)
    done = server.run(["doctor", "--json", "r.json", script, *words], folder, stdin)
    err, mark, report = done.err.partition("--- tfgrad doctor:")
    return plain, forked.Done(done.code, done.out, err), mark + report


def report_of(folder: Path) -> dict[str, object]:
    return json.loads((folder / "r.json").read_text(encoding="utf-8"))


def same(server: forked.Server, folder: Path, text: str, *words: str, stdin: str = "") -> str:
    plain, done, report = both(server, folder, text, *words, stdin=stdin)
    assert done == plain
    assert report
    return report


def test_the_script_finds_itself_as_main_with_its_own_arguments_and_path(server: forked.Server, tmp_path: Path) -> None:
    text = (
        "import sys\n"
        "print(__name__, __file__, sys.argv, sys.path[0], __spec__, __package__, __doc__)\n"
        "print(sys.modules['__main__'].__dict__ is globals(), sorted(globals()))\n"
    )
    report = same(server, tmp_path, text, "--json", "x", "-m", "--help")
    assert "TensorFlow was never imported" in report or "No gradient problems" in report


def test_the_script_reads_standard_input(server: forked.Server, tmp_path: Path) -> None:
    same(server, tmp_path, "print(input()[::-1])", stdin="hello\n")


@pytest.mark.parametrize("code", ["3", "0", "None", "'words'", "True", "300"])
def test_sys_exit_is_the_exit_code(server: forked.Server, tmp_path: Path, code: str) -> None:
    same(server, tmp_path, f"import sys\nprint('before')\nsys.exit({code})")


def test_an_exit_code_of_the_script_is_kept_and_zero_becomes_one(server: forked.Server, tmp_path: Path) -> None:
    _, done, _ = both(server, tmp_path, NONE + "import sys\nsys.exit(7)")
    assert done.code == report_of(tmp_path)["exit"] == 7
    plain, done, _ = both(server, tmp_path, NONE)
    assert (plain.code, done.code, report_of(tmp_path)["exit"]) == (0, 1, 1)


def test_an_error_shows_the_scripts_own_frames_only(server: forked.Server, tmp_path: Path) -> None:
    same(
        server,
        tmp_path,
        "def f():\n    return 1 / 0\ntry:\n    f()\nexcept ZeroDivisionError as e:\n    raise KeyError('x') from e",
    )


def test_an_error_of_gradient_shows_no_frame_of_ours(server: forked.Server, tmp_path: Path) -> None:
    text = (
        NONE + "import traceback\ntry:\n    tape.gradient(y, w)\nexcept RuntimeError:\n    traceback.print_exc()\n"
        "tape.gradient(y, w)"
    )
    plain, done, report = both(server, tmp_path, text)
    assert done == plain
    assert "tape-consumed" in report


def test_an_error_in_a_traced_function_has_the_plain_text(server: forked.Server, tmp_path: Path) -> None:
    text = (
        "import tensorflow as tf\nw = tf.Variable(1.0)\n@tf.function\ndef step():\n"
        "    with tf.GradientTape() as tape:\n        y = tf.image.adjust_hue(w * tf.ones([2, 2, 3]), 0.1)\n"
        "    return tape.gradient(y, w)\n"
        "try:\n    step()\nexcept Exception as error:\n    print(type(error), error)\nstep()"
    )
    plain, done, report = both(server, tmp_path, text)
    assert done == plain
    assert "no-gradient-registered" in report


def test_an_excepthook_of_the_script_is_called(server: forked.Server, tmp_path: Path) -> None:
    same(
        server,
        tmp_path,
        "import sys\nsys.excepthook = lambda k, e, t: print('hook', k, e, t is not None)\nraise ValueError('x')",
    )


def test_a_syntax_error_is_shown_as_python_shows_it(server: forked.Server, tmp_path: Path) -> None:
    plain, done, report = both(server, tmp_path, "print('a')\nprint 'b'\n")
    assert done.code == plain.code == 1
    assert done.err == plain.err
    assert "SyntaxError" in done.err
    assert report


def test_exit_handlers_and_threads_come_before_the_report(server: forked.Server, tmp_path: Path) -> None:
    text = (
        NONE + "import atexit, sys, threading, time\n"
        "atexit.register(lambda: print('handler', file=sys.stderr))\n"
        "def work():\n    time.sleep(0.3)\n    print('thread', file=sys.stderr)\n"
        "threading.Thread(target=work).start()\nprint('main', file=sys.stderr)\n"
    )
    plain, done, report = both(server, tmp_path, text)
    assert plain.err == done.err == "main\nthread\nhandler\n"
    assert "nondifferentiable-op" in report


def test_ctrl_c_ends_the_script_by_its_signal_after_the_report(server: forked.Server, tmp_path: Path) -> None:
    plain, done, report = both(server, tmp_path, NONE + "raise KeyboardInterrupt")
    assert done.code == -signal.SIGINT
    assert done.err == plain.err
    assert "nondifferentiable-op" in report
    assert report_of(tmp_path)["problems"]


def test_os_exit_reports_and_flushes_nothing_of_the_script(server: forked.Server, tmp_path: Path) -> None:
    text = NONE + "import os, sys\nsys.stdout.write('lost')\nos._exit({})"
    plain, done, report = both(server, tmp_path, text.format(5))
    assert done == plain
    assert plain.code == 5
    assert "nondifferentiable-op" in report


def test_a_forked_child_is_left_alone(server: forked.Server, tmp_path: Path) -> None:
    text = (
        "import os, sys, tensorflow as tf\nchild = os.fork()\nif child == 0:\n"
        "    print('child', tf.GradientTape.__mro__[1].__name__)\n    sys.stdout.flush()\n    sys.exit(3)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    report = same(server, tmp_path, text)
    assert report.count("--- tfgrad doctor") == 1


def test_children_of_multiprocessing_are_left_alone(server: forked.Server, tmp_path: Path) -> None:
    text = (
        "import multiprocessing\ndef work(x):\n    return x * x\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('fork').Pool(2) as pool:\n        print(pool.map(work, [1, 2, 3]))\n"
    )
    assert same(server, tmp_path, text).count("--- tfgrad doctor") == 1


def test_a_script_that_replaces_its_streams_still_gets_its_report(server: forked.Server, tmp_path: Path) -> None:
    text = NONE + "import io, sys\nsys.stdout = io.StringIO()\nsys.stderr = io.StringIO()\nprint('into nowhere')\n"
    plain, done, report = both(server, tmp_path, text)
    assert done.out == plain.out == ""
    assert "nondifferentiable-op" in report


def test_a_script_that_closes_its_error_stream_still_gets_its_report(server: forked.Server, tmp_path: Path) -> None:
    _, _, report = both(server, tmp_path, NONE + "import sys\nsys.stderr.close()\n")
    assert "nondifferentiable-op" in report


def test_a_script_that_patches_the_tape_keeps_its_patch(server: forked.Server, tmp_path: Path) -> None:
    text = (
        "import tensorflow as tf\nclass Mine(tf.GradientTape):\n    def gradient(self, *a, **k):\n"
        "        print('mine')\n        return super().gradient(*a, **k)\ntf.GradientTape = Mine\n"
    ) + NONE.replace("import tensorflow as tf\n", "")
    plain, done, report = both(server, tmp_path, text)
    assert done.out == plain.out == "mine\n"
    assert "nondifferentiable-op" in report


def test_a_script_that_removes_itself_is_explained_with_its_lines(server: forked.Server, tmp_path: Path) -> None:
    _, done, report = both(server, tmp_path, "import os\nos.remove(__file__)\n" + NONE)
    assert done.code == 2  # the plain run has removed it already
    script = str(write(tmp_path, "import os\nos.remove(__file__)\n" + NONE))
    done = server.run(["doctor", script], tmp_path)
    assert "y = tf.round(w)" in done.err
    assert report == ""


def test_a_script_in_another_folder_that_moves_about_writes_its_json_where_it_was_asked(
    server: forked.Server, tmp_path: Path
) -> None:
    (tmp_path / "inner").mkdir()
    write(tmp_path / "inner", "VALUE = 3", "beside.py")
    write(tmp_path / "inner", "import os, beside\nprint(beside.VALUE)\nos.chdir('/')\n" + NONE)
    done = server.run(["doctor", "--json", "r.json", "inner/script.py"], tmp_path)
    assert done.out == "3\n"
    assert report_of(tmp_path)["problems"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.py"], "can't open missing.py: No such file"),
        (["."], "is a directory without a __main__.py"),
        ([], "which script? type:"),
        (["--json", "train.py"], "which script? (train.py was taken as the FILE of --json)"),
        (["-m", "no_such_module_here"], "No module named no_such_module_here"),
        (["--json", "no/such/folder.json", "x.py"], "can't write no/such/folder.json: No such file"),
    ],
)
def test_what_can_t_be_run_is_said_in_a_line_with_exit_code_two(
    server: forked.Server, tmp_path: Path, words: list[str], said: str
) -> None:
    done = server.run(["doctor", *words], tmp_path)
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_a_report_that_can_t_be_written_in_the_end_is_said_and_nothing_lost(
    server: forked.Server, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    write(tmp_path, "import os\nos.rmdir('out')\n" + NONE)
    done = server.run(["doctor", "--json", "out/r.json", "script.py"], tmp_path)
    assert done.code == 1
    assert "can't write" in done.err
    assert "nondifferentiable-op" in done.err


def test_a_folder_with_a_main_is_run_as_python_runs_it(server: forked.Server, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    write(tmp_path / "app", "import sys, beside\nprint(beside.VALUE, sys.argv[1:])", "__main__.py")
    write(tmp_path / "app", "VALUE = 4", "beside.py")
    done = server.run(["doctor", "app", "x"], tmp_path)
    assert done.out == "4 ['x']\n"


def test_tapes_that_cannot_be_told_apart_by_type_from_plain_ones(server: forked.Server, tmp_path: Path) -> None:
    same(
        server,
        tmp_path,
        "import tensorflow as tf\nT = tf.GradientTape\nprint(T, T.__name__, T.__module__, isinstance(T(), T))\n",
    )


SPAWNED = """\
import os
import sys
print("tensorflow" in sys.modules, "numpy" in sys.modules, sys.argv)
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
from tensorflow import GradientTape
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
tf.config.threading.set_intra_op_parallelism_threads(1)
print(type(tf.__spec__.loader).__name__, len(tf.config.list_logical_devices("CPU")))
w = tf.Variable(1.5, name="w")
with GradientTape() as tape:
    y = tf.round(w)
print(tape.gradient(y, w))
"""


def test_spawned_tensorflow_is_imported_and_configured_by_the_script(tmp_path: Path) -> None:
    write(tmp_path, SPAWNED)
    runs = [
        subprocess.run([sys.executable, *words, "script.py", "a b"], cwd=tmp_path, capture_output=True, text=True)
        for words in ([], ["-m", "tfgrad", "doctor", "--json", "r.json"])
    ]
    plain, done = runs
    assert done.stdout == plain.stdout
    assert "False False ['script.py', 'a b']" in plain.stdout
    assert (plain.returncode, done.returncode) == (0, 1)
    assert [p["cause"] for p in report_of(tmp_path)["problems"]] == ["nondifferentiable-op"]  # type: ignore[index, union-attr]


def test_spawned_a_module_of_a_package_is_run_as_python_runs_it(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    write(package, "", "__init__.py")
    write(
        package,
        "from package.part import VALUE\nimport sys\nprint(__name__, __package__, __spec__.name, VALUE, sys.argv)",
        "__main__.py",
    )
    write(package, "VALUE = 5", "part.py")
    runs = [
        subprocess.run([sys.executable, *words, "-m", "package", "-x"], cwd=tmp_path, capture_output=True, text=True)
        for words in ([], ["-m", "tfgrad", "doctor"])
    ]
    assert runs[0].stdout == runs[1].stdout != ""
    assert runs[1].returncode == 0
    assert "TensorFlow was never imported" in runs[1].stderr


def test_tensorflows_own_last_frame_stays_where_it_has_no_other(server: forked.Server, tmp_path: Path) -> None:
    text = (
        "import tensorflow as tf\nx = tf.constant(2.0)\n"
        "with tf.GradientTape():\n    with tf.GradientTape() as tape:\n        y = x * x\n"
        "    print(y * tape.gradient(y, x))\n"
    )
    plain, done, report = both(server, tmp_path, text)
    assert "convert_to_eager_tensor" in plain.err
    assert done.err == plain.err
    assert "unwatched" in report
