"""The launcher of worker processes: what they give, and that it always ends, with a reason."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tfgrad.learn import demo, workers

PROGRAMS = Path(__file__).parent / "programs"
sys.path.insert(0, str(PROGRAMS))

import worker_functions  # noqa: E402  a file that the workers load by its path, too


@pytest.mark.slow
def test_each_worker_gives_what_its_function_returned_behind_a_proxy_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert workers.run(worker_functions.sums) == [
        {"index": 0, "sum": [3.0, 30.0], "name": "worker"},
        {"index": 1, "sum": [3.0, 30.0], "name": "worker"},
    ]


@pytest.mark.slow
def test_one_worker_that_fails_ends_the_others_and_is_shown() -> None:
    with pytest.raises(workers.Failed) as caught:
        workers.run(worker_functions.fails_in_one)
    assert str(caught.value).endswith("worker 1 failed: ValueError: not today")
    assert "worker 0, killed:" in str(caught.value) or "worker 0, exit code" in str(caught.value)


def test_workers_that_do_not_end_in_time_are_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.tempfile, "tempdir", str(tmp_path))
    before = time.monotonic()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.5 s$") as caught:
        workers.run(worker_functions.sums, timeout_s=0.5)
    assert "worker 0, killed:" in str(caught.value)
    assert "worker 1, killed:" in str(caught.value)
    assert time.monotonic() - before < 30
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_without_a_server_it_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free, _ = workers._free_ports(2)
        monkeypatch.setattr(workers, "_free_ports", lambda count: [free, taken.getsockname()[1]])
        with pytest.raises(workers.Unavailable, match=r"TensorFlow starts no server on 127\.0\.0\.1: UnknownError"):
            workers.run(worker_functions.sums)


NO_NETWORK = ["unshare", "--map-root-user", "--net"]


def has_no_network_namespaces() -> bool:
    try:
        return subprocess.run([*NO_NETWORK, "true"], capture_output=True).returncode != 0
    except OSError:
        return True


@pytest.mark.skipif(has_no_network_namespaces(), reason="only Linux can take the network from a process")
def test_without_loopback_it_is_unavailable() -> None:
    program = "from tfgrad.learn import workers; workers.run(print)"
    environment = {**os.environ, "PYTHONPATH": str(Path(workers.__file__).parents[2])}
    command = [*NO_NETWORK, sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert "Unavailable: no connection over 127.0.0.1: " in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_halves_of_the_demo_are_those_by_hand() -> None:
    found = demo.named("two workers")
    assert found is not None
    outcome = demo.run(found)
    values: dict[str, Any] = {value.name: value.data for value in outcome.values}
    assert values["one process, all of it"] == [528, 612, 696]
    if "two processes" in values:
        pytest.skip(f"two processes are {values['two processes']}")
    assert values["process 0, its half"] == [48, 70, 92]
    assert values["process 1, its half"] == [480, 542, 604]
    assert values["process 0, added up"] == values["process 1, added up"] == [True] * 3


def test_demo_without_loopback_says_so_and_adds_up_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_ports(count: int) -> list[int]:
        raise workers.Unavailable("no connection over 127.0.0.1")

    monkeypatch.setattr(workers, "_free_ports", no_ports)
    found = demo.named("two-workers")
    assert found is not None
    outcome = demo.run(found)
    values = {value.name: value.data for value in outcome.values}
    assert outcome.holds
    assert values["two processes"] == "not here: no connection over 127.0.0.1"
    assert values["the halves in one process"] == [True] * 3
