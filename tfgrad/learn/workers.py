"""Several processes of one program, found by each other over this machine's loopback, as `TF_CONFIG` tells TensorFlow.

`run` starts them, waits for a limited time, gives what each of them returned, and leaves none of them running.
"""

from __future__ import annotations

import inspect
import json
import os
import runpy
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_NO_CLUSTER = 75
_GRACE_S = 5.0
_HOST = "127.0.0.1"


class Unavailable(OSError):
    """This machine doesn't let processes talk over loopback, or TensorFlow can't start its server there."""


class Failed(RuntimeError):
    """A worker stopped with an error; the message has what each of them printed, and ends in that error."""


def run(work: Callable[[Any], Any], count: int = 2, timeout_s: float = 180.0) -> list[Any]:
    """What `work(strategy)` gave in each of so many processes, worker 0 first.

    Args:
        work: a function at the top level of a file. It gets a `tf.distribute.MultiWorkerMirroredStrategy` over one CPU
            a process, and gives a nest of dicts, lists, tensors, numbers and strings.
        count: how many processes.
        timeout_s: for all of them together, in seconds; those still running are killed then.

    Raises:
        Unavailable: no loopback, or no gRPC server on it.
        Failed: a worker stopped with an error.
        TimeoutError: the time is over; the message has what each worker printed.
    """
    ports = _free_ports(count)
    with tempfile.TemporaryDirectory() as folder:
        workers = [_Worker(index, Path(folder)) for index in range(count)]
        try:
            for worker in workers:
                worker.start(work, ports)
            _wait(workers, time.monotonic() + timeout_s)
        finally:
            for worker in workers:
                worker.stop()
        _check(workers, timeout_s)
        return [worker.answer() for worker in workers]


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, once it is seen that a connection over loopback can be made."""
    try:
        listeners = [socket.create_server((_HOST, 0)) for _ in range(count)]
        try:
            ports = [listener.getsockname()[1] for listener in listeners]
            socket.create_connection((_HOST, ports[0]), timeout=5.0).close()
        finally:
            for listener in listeners:
                listener.close()
    except OSError as error:
        raise Unavailable(f"no connection over {_HOST}: {error}") from error
    return ports


@dataclass
class _Worker:
    """One process; what it prints and what it returns are files, as a full pipe would stop it."""

    index: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    said: IO[bytes] | None = None
    killed: bool = False

    def start(self, work: Callable[[Any], Any], ports: Sequence[int]) -> None:
        file = inspect.getsourcefile(work)
        command = [sys.executable, "-m", "tfgrad.learn.workers", str(file), work.__name__, str(self._answer)]
        self.said = self._said.open("wb")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.said, stderr=self.said, env=_environment(self.index, ports)
        )

    def stop(self) -> None:
        """End the process if it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.killed = True
            self.process.kill()
            self.process.wait()
        if self.said is not None:
            self.said.close()

    @property
    def code(self) -> int | None:
        """The exit code, None while it runs."""
        return None if self.process is None else self.process.poll()

    def answer(self) -> Any:
        return json.loads(self._answer.read_text(encoding="utf-8"))

    @property
    def last_words(self) -> str:
        """The last line that it printed."""
        return (self._printed().splitlines() or ["nothing printed"])[-1]

    def __str__(self) -> str:
        end = "killed" if self.killed else f"exit code {self.code}"
        return f"worker {self.index}, {end}:\n{self._printed()}"

    def _printed(self) -> str:
        return self._said.read_text(encoding="utf-8", errors="replace").rstrip()

    @property
    def _answer(self) -> Path:
        return self.folder / f"answer-{self.index}.json"

    @property
    def _said(self) -> Path:
        return self.folder / f"said-{self.index}.txt"


def _environment(index: int, ports: Sequence[int]) -> dict[str, str]:
    cluster = {"worker": [f"{_HOST}:{port}" for port in ports]}
    home = str(Path(__file__).parents[2])
    path = os.pathsep.join(part for part in (home, os.environ.get("PYTHONPATH", "")) if part)
    return {
        **os.environ,
        "PYTHONPATH": path,
        "PYTHONIOENCODING": "utf-8",
        # gRPC sends loopback to a proxy too, where one is set, and waits for ever (seen with TensorFlow 2.21).
        "no_grpc_proxy": _HOST,
        "TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}),
    }


def _wait(workers: Sequence[_Worker], until: float) -> None:
    """Until all ended, or one failed and the others, which wait for it, had time to say so."""
    while any(worker.code is None for worker in workers) and time.monotonic() < until:
        if any(worker.code for worker in workers):
            until = min(until, time.monotonic() + _GRACE_S)
        time.sleep(0.05)


def _check(workers: Sequence[_Worker], timeout_s: float) -> None:
    everything = "\n".join(str(worker) for worker in workers)
    failed = [worker for worker in workers if worker.code and not worker.killed]
    for worker in failed:
        if worker.code == _NO_CLUSTER:
            raise Unavailable(f"TensorFlow starts no server on {_HOST}: {worker.last_words}")
    if failed:
        raise Failed(f"{everything}\nworker {failed[0].index} failed: {failed[0].last_words}")
    if any(worker.killed for worker in workers):
        raise TimeoutError(f"{everything}\nno answer within {timeout_s:g} s")


def _plain(value: Any) -> Any:
    """A worker's answer as JSON has it."""
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    array = value.numpy() if hasattr(value, "numpy") else value
    return array.tolist() if hasattr(array, "tolist") else array


def main(arguments: Sequence[str]) -> int:
    """In a worker: FILE FUNCTION ANSWER. The strategy comes first, as TensorFlow starts its server with its context."""
    import tensorflow as tf

    file, function, answer = arguments
    tf.config.set_visible_devices([], "GPU")
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, RuntimeError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return _NO_CLUSTER
    sys.path.insert(0, str(Path(file).parent))
    work = runpy.run_path(file)[function]
    Path(answer).write_text(json.dumps(_plain(work(strategy))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
