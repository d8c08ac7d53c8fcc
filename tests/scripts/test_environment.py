"""The two commands make their environment once, mend it when it is stale or half made, and say what keeps them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkouts import Checkout, Done, finish, make_wheel

posix_only = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")

# What scripts/installing.py does in its second stage, in an environment that is there.
INSTALL_PACKAGES = """
import sys
sys.path.insert(0, "scripts")
import environment, installing
def run():
    with open("lock", "w") as lock:
        installing.install_packages(environment.ENVIRONMENTS["2.21"], lock)
    return 0
environment.main(run)
"""


@contextlib.contextmanager
def silent_index() -> Iterator[tuple[str, threading.Event]]:
    """The address of an index that takes a request and then says nothing, and the event that it was asked."""
    asked = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    kept.append(server.accept()[0])
                    asked.set()

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/", asked
        for connection in kept:
            connection.close()


def install_packages(checkout: Checkout, **changes: str) -> Done:
    python = next(
        path for path in (checkout.venv / "bin/python", checkout.venv / "Scripts/python.exe") if path.exists()
    )
    done = subprocess.run(
        [python, "-c", INSTALL_PACKAGES],
        cwd=checkout.root,
        env=checkout.environment(**changes),
        capture_output=True,
        encoding="utf-8",
    )
    return Done(done.returncode, done.stdout, done.stderr)


Installed = tuple[Checkout, list[Done]]


def test_first_run_makes_the_environment_and_hands_its_arguments_on(installed: Installed) -> None:
    checkout, (first, second) = installed
    assert first.started["arguments"] == ["demos", "first"]
    assert second.started["arguments"] == ["demos", "second"]
    assert Path(first.started["prefix"]).samefile(checkout.venv)
    assert Path(first.started["folder"]).samefile(checkout.root.parent)


def test_of_two_runs_at_the_same_time_one_makes_the_environment(installed: Installed) -> None:
    _, (first, second) = installed
    told = first.told + second.told
    assert told.count("making ") - told.count("is making ") == 1
    assert told.count("another run is making") <= 1
    assert told.count("the environment is ready after") == 1


def test_each_stage_is_told_with_its_seconds_and_pip_is_heard(installed: Installed) -> None:
    told = "".join(done.told for done in installed[1])
    for stage in ("1/3 virtual environment", "2/3 packages, each checked by its hash", "3/3 byte code"):
        assert f"tfgrad:   {stage} ..." in told
        assert f"tfgrad:   {stage}: " in told
    assert "Successfully installed kernels-1.0" in told


def test_second_run_says_nothing(installed: Installed) -> None:
    done = installed[0].run("demos.py", "--json")
    assert done.started["arguments"] == ["demos", "--json"]
    assert done.told == ""


def test_byte_code_is_compiled_even_where_python_is_told_not_to_write_it(installed: Installed) -> None:
    assert list(installed[0].venv.rglob("kernels/__pycache__/__init__.*.pyc"))


def test_exit_code_of_the_command_is_handed_on(installed: Installed) -> None:
    assert installed[0].run("demos.py", "exit=7").code == 7
    assert installed[0].run("test.py", "exit=5").code == 5


def test_a_module_in_the_current_folder_is_not_taken_for_the_real_one(installed: Installed, tmp_path: Path) -> None:
    if sys.version_info < (3, 11):
        pytest.skip("python -P is new in Python 3.11")
    (tmp_path / "tfgrad.py").write_text("raise SystemExit(9)")
    assert installed[0].run("demos.py", folder=tmp_path).code == 0


def test_tests_run_in_the_repository_from_any_folder(installed: Installed, tmp_path: Path) -> None:
    started = installed[0].run("test.py", "-k", "first", folder=tmp_path).started
    assert started["arguments"] == ["-k", "first"]
    assert Path(started["folder"]).samefile(installed[0].root)


def test_paths_of_tests_count_from_the_current_folder_or_the_repository(copied: Checkout) -> None:
    (copied.root / "tests" / "see").mkdir(parents=True)
    (copied.root / "tests" / "see" / "test_it.py").touch()
    here = copied.run("test.py", "see/test_it.py::test_a", "-x", folder=copied.root / "tests").started
    assert here["arguments"] == [os.path.join("tests", "see", "test_it.py") + "::test_a", "-x"]
    there = copied.run("test.py", "tests/see/test_it.py", folder=copied.root / "tests").started
    assert there["arguments"] == ["tests/see/test_it.py"]


def test_a_repository_that_was_moved_still_works(copied: Checkout) -> None:
    done = copied.run("demos.py")
    assert Path(done.started["prefix"]).samefile(copied.venv)
    assert done.told == ""


def test_changed_requirements_make_the_environment_anew(copied: Checkout) -> None:
    (copied.venv / "left-over").touch()
    copied.require("2.0")
    assert copied.run("demos.py").started["kernels"] == "2.0"
    assert not (copied.venv / "left-over").exists()


@pytest.mark.slow
@posix_only
def test_a_killed_or_interrupted_installation_is_mended_by_the_next_run(checkout: Checkout) -> None:
    with silent_index() as (address, asked):
        killed = checkout.start("demos.py", PIP_FIND_LINKS=address)
        assert asked.wait(120)
        os.kill(killed.pid, signal.SIGKILL)
        interrupted = checkout.start("demos.py")
        assert interrupted.stderr is not None
        # The killed run's pip is still at work on the folder.
        assert "another run is making" in interrupted.stderr.readline()
    killed.communicate()
    while "1/3 virtual environment" not in interrupted.stderr.readline():
        pass
    os.killpg(interrupted.pid, signal.SIGINT)
    done = finish(interrupted)
    assert done.code == 130
    assert "stopped before the environment was complete; the next run makes it anew" in done.told
    assert checkout.stamp.read_text() == "unfinished\n"
    assert checkout.run("demos.py").started["kernels"] == "1.0"


def test_with_tfgrad_venv_the_environment_is_made_there(checkout: Checkout, tmp_path: Path) -> None:
    checkout.require("3.0", "requirements-tf216.txt")
    chosen = str(tmp_path / "else where")
    started = checkout.run("test.py", "--tensorflow", "2.16", "-q", TFGRAD_VENV=chosen).started
    assert started["arguments"] == ["-q"]
    assert started["kernels"] == "3.0"
    assert Path(started["prefix"]).samefile(chosen + "-tf216")
    assert not checkout.venv.exists()


def test_a_folder_that_cannot_be_written_to_is_told_with_the_way_out(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = checkout.run("demos.py", TFGRAD_VENV=str(tmp_path / "file" / "venv"))
    assert done.code == 3
    assert f"tfgrad: can't make {tmp_path / 'file' / 'venv'}: " in done.told
    assert "Set TFGRAD_VENV to a folder that can be written to, and run this again" in done.told
    assert "Traceback" not in done.told


def test_a_folder_of_somebody_else_is_left_as_it_is(checkout: Checkout) -> None:
    checkout.venv.mkdir()
    (checkout.venv / "pyvenv.cfg").write_text("home = elsewhere")
    done = checkout.run("demos.py")
    assert done.code == 3
    assert f"{checkout.venv} is there already and was not made by these scripts, so it is left as it is." in done.told
    assert [path.name for path in checkout.venv.iterdir()] == ["pyvenv.cfg"]


def test_a_python_without_ensurepip_is_told_the_package_to_install(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ModuleNotFoundError(\"No module named 'ensurepip'\")")
    done = checkout.run("demos.py", PYTHONPATH=str(tmp_path))
    assert done.code == 3
    assert "can't make virtual environments: No module named 'ensurepip'." in done.told
    assert "apt install python3-venv" in done.told
    assert not checkout.venv.exists()


def test_without_a_network_the_index_is_named_and_pip_is_heard(copied: Checkout) -> None:
    copied.require("4.0")
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"http://127.0.0.1:{server.getsockname()[1]}/"
    done = install_packages(copied, PIP_NO_INDEX="0", PIP_INDEX_URL=closed, PIP_FIND_LINKS="", PIP_RETRIES="1")
    assert done.code == 3
    assert "ERROR: Could not find a version that satisfies the requirement kernels==4.0" in done.told
    assert "tfgrad: pip could not install the requirements (exit code 1); its own lines are above." in done.told
    assert "The package index could not be reached. Check the network; behind a proxy set HTTPS_PROXY" in done.told
    assert done.out == ""


def test_an_index_without_the_package_is_told_from_a_missing_network(copied: Checkout) -> None:
    copied.require("4.0")
    done = install_packages(copied, PIP_FIND_LINKS="")
    assert done.code == 3
    assert "The package index in use does not offer one of the pinned packages" in done.told
    assert "Set in this shell: PIP_NO_INDEX." in done.told


def test_a_download_with_another_hash_is_refused(copied: Checkout) -> None:
    copied.require("4.0", digest="0" * 64)
    make_wheel(copied.wheels, "4.0")
    done = install_packages(copied)
    assert done.code == 3
    assert "A download is not what was pinned" in done.told
    assert "If it stays, do not go around the check." in done.told
