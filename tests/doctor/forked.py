"""Scripts run in children of one process that has TensorFlow loaded, as `python SCRIPT` or under the doctor.

Nothing of TensorFlow is run before a child is forked: its threads would be missing there.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Done:
    """What a run left behind."""

    code: int
    out: str
    err: str


class Server:
    """The process with TensorFlow loaded."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "80"}
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )

    def run(self, words: Sequence[str], folder: Path, stdin: str = "", **environment: str) -> Done:
        """Runs `python WORDS` in a child; `words` begin with a script, or with `doctor`."""
        (folder / "stdin").write_text(stdin, encoding="utf-8")
        job = {"words": list(words), "folder": str(folder), "environment": environment}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        out, err = ((folder / name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
        return Done(code, out, err)

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def serve() -> None:
    """Reads jobs, a line each; writes the exit code of each, negative for a signal."""
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    import tfgrad.cli
    import tfgrad.diagnosis_report
    import tfgrad.see.diagnosing.diagnosis
    import tfgrad.see.diagnosing.tracing  # noqa: F401

    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            _work(job)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


def _work(job: dict[str, Any]) -> None:
    os.chdir(job["folder"])
    os.environ.update(job["environment"])
    for descriptor, name, flags in ((0, "stdin", os.O_RDONLY), (1, "stdout", os.O_WRONLY), (2, "stderr", os.O_WRONLY)):
        os.dup2(os.open(name, flags | os.O_CREAT | (os.O_TRUNC if descriptor else 0), 0o600), descriptor)
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    atexit._clear()
    code = _run(job["words"])
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(ValueError):
            stream.flush()
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _run(words: Sequence[str]) -> int:
    from tfgrad import cli
    from tfgrad.doctor import tracebacks
    from tfgrad.doctor.program import Program

    try:
        if words[0] == "doctor":
            return cli.main(words)
        Program(words[0], words[1:]).run()
    except SystemExit as stop:
        if stop.code is not None and not isinstance(stop.code, int):
            sys.stderr.write(f"{stop.code}\n")
        return 0 if stop.code is None else stop.code if isinstance(stop.code, int) else 1
    except BaseException as error:  # noqa: BLE001 - shown as Python would show it
        trace = error.__traceback__
        error.__traceback__ = trace.tb_next if trace is not None else None
        tracebacks.clean(error)
        sys.excepthook(type(error), error, error.__traceback__)
        return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    return 0


if __name__ == "__main__":
    serve()
