"""Every transform in replicas: two logical CPUs in one process, and two processes over loopback.

Both are programs of their own, as TensorFlow must find its devices so when it starts; each runs all checks once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import keras
import pytest

import tfgrad as tg
from tfgrad.learn import workers

PROGRAMS = Path(__file__).parent / "programs"
sys.path.insert(0, str(PROGRAMS))

import in_two_workers  # noqa: E402
from replica_checks import CHECKS  # noqa: E402
from replicas import HOW  # noqa: E402


def names(hows: Iterable[str]) -> list[str]:
    return ["Variables are mirrored", *(f"{check.name}, {how}" for check in CHECKS for how in hows)]


@cache
def on_two_devices() -> dict[str, str]:
    command = [sys.executable, str(PROGRAMS / "in_replicas.py")]
    path = os.pathsep.join([str(Path(tg.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@cache
def in_two_processes() -> list[dict[str, str]] | str:
    try:
        return workers.run(in_two_workers.work, timeout_s=300)
    except workers.Unavailable as error:
        return str(error)


def test_every_transform_has_a_check() -> None:
    compute = {name for name in tg.__all__ if tg._WHERE.get(name, "").startswith("compute.")}
    checked = {name for check in CHECKS for name in check.of}
    assert compute == checked


# Keras 3.4's optimizer gives each replica its own gradient and not their sum; that of 3.12 and 3.15 adds them up.
KERAS_ADDS_UP = tuple(int(part) for part in keras.__version__.split(".")[:2]) >= (3, 5)


def skip_where_keras_does_not_add_up(name: str) -> None:
    if "Keras's optimizer" in name and not KERAS_ADDS_UP:
        pytest.skip(f"the optimizer of Keras {keras.__version__} does not add up the replicas' gradients")


@pytest.mark.parametrize("name", names(HOW))
def test_two_devices_make_what_one_makes_of_the_whole_batch(name: str) -> None:
    skip_where_keras_does_not_add_up(name)
    assert on_two_devices()[name] == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", names(in_two_workers.HOWS))
def test_two_processes_make_what_one_makes_of_the_whole_batch(name: str) -> None:
    skip_where_keras_does_not_add_up(name)
    found = in_two_processes()
    if isinstance(found, str):
        pytest.skip(found)
    assert [worker[name] for worker in found] == ["", ""]
