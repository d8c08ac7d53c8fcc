"""The contestants of a row timed in turns, A B C C B A, each library in a process of its own.

So whatever else the machine does meets all of them, and what is compared stands next to each other in time.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from benchmarks.rows import Row, library

SCRIPTS = Path(__file__).parents[1]
REST_S = 0.01
CALIBRATION_S = 0.02
ROW_S = 40.0
FEWEST_ROUNDS = 3
MEMORY_ROUNDS = 3


@dataclass
class Result:
    """What one contestant did: a number a round (seconds a call, or MB), the same by the processor's clock, values."""

    rounds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    first_s: float = math.nan
    values: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class Outcome:
    """A row as measured; `absent` says why a contestant was not there, `differ` whose values differ, and how."""

    row: Row
    results: dict[str, Result]
    absent: dict[str, str]
    differ: dict[str, str]

    @property
    def failed(self) -> dict[str, str]:
        """The errors, by contestant."""
        return {name: result.error for name, result in self.results.items() if result.error is not None}


class Crew:
    """A process for each library, started when it is first needed."""

    def __init__(self) -> None:
        self._processes: dict[str, _Process] = {}

    def ask(self, contestant: str, row: Row, **message: Any) -> dict[str, Any]:
        """What the contestant's process answers."""
        name = library(contestant)
        if name not in self._processes:
            self._processes[name] = _Process(name)
        answer = self._processes[name].ask(row=row.name, contestant=contestant, **message)
        if not self._processes[name].alive:
            self._processes.pop(name).close()
        return answer

    def close(self) -> None:
        """End all processes."""
        for process in self._processes.values():
            process.close()
        self._processes.clear()


class _Process:
    def __init__(self, *arguments: str) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  until `close`
        command = [sys.executable, "-m", "benchmarks.worker", *arguments]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            encoding="utf-8",
            env=_environment(),
        )
        self.alive = True
        self.first = self._read()

    def ask(self, **message: Any) -> dict[str, Any]:
        """Its answer to a message; where it is gone, that."""
        if not self.alive:
            return self.first
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self.alive = False
        self._process.wait()
        self._said.seek(0)
        last = self._said.read().decode(errors="replace").strip().splitlines()[-1:]
        return {"ok": False, "error": f"the process ended with code {self._process.returncode}: {''.join(last)}"}

    def close(self) -> None:
        """End it."""
        self.alive = False
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait()
        self._said.close()


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(SCRIPTS), str(SCRIPTS.parent), os.environ.get("PYTHONPATH", "")])
    return {
        **os.environ,
        "PYTHONPATH": path.rstrip(os.pathsep),
        "PYTHONIOENCODING": "utf-8",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_PLATFORMS": "cpu",
        "CUDA_VISIBLE_DEVICES": "-1",
    }


def measured(row: Row, absent: dict[str, str], crew: Crew, rounds: int, turn_s: float) -> Outcome:
    """A row with those of its contestants that are there.

    Args:
        absent: why a contestant is not there.
        rounds: how often each has its two turns.
        turn_s: how long a turn is to take, in seconds.
    """
    present = [name for name in row.contestants if name not in absent]
    if not any(name in present for name in row.ours):
        return Outcome(row, {}, absent, {})
    if row.measures == "memory":
        results = _peaks(row, present, min(rounds, MEMORY_ROUNDS))
    else:
        results = _times(row, present, crew, rounds, turn_s)
    return Outcome(row, results, absent, _differing(row, results))


def _times(row: Row, present: Sequence[str], crew: Crew, rounds: int, turn_s: float) -> dict[str, Result]:
    results = {name: _begun(row, name, crew) for name in present}
    ready = [name for name, result in results.items() if result.error is None]
    calls = {name: _calibrated(row, name, crew, turn_s, results) for name in ready}
    start = time.perf_counter()
    for done in range(rounds):
        if done >= FEWEST_ROUNDS and time.perf_counter() - start > ROW_S:
            break
        _round(row, [name for name in ready if results[name].error is None], calls, crew, results)
    for name in ready:
        crew.ask(name, row, do="end")
    return results


def _begun(row: Row, name: str, crew: Crew) -> Result:
    answer = crew.ask(name, row, do="begin")
    if not answer["ok"]:
        return Result(error=answer["error"])
    return Result(first_s=answer["first_s"], values=answer["values"])


def _calibrated(row: Row, name: str, crew: Crew, turn_s: float, results: dict[str, Result]) -> int:
    """How many calls make a turn."""
    calls = 1
    for wanted_s in (CALIBRATION_S, turn_s):
        answer = crew.ask(name, row, do="time", calls=calls)
        if not answer["ok"]:
            results[name].error = answer["error"]
            return 1
        calls = max(1, min(100_000, int(wanted_s / max(answer["wall_s"], 1e-7))))
    return calls


def _round(row: Row, names: Sequence[str], calls: dict[str, int], crew: Crew, results: dict[str, Result]) -> None:
    """Each twice, there and back, the better turn counting."""
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for name in [*names, *reversed(names)]:
        time.sleep(REST_S)
        answer = crew.ask(name, row, do="time", calls=calls[name])
        if answer["ok"]:
            turns[name].append(answer)
        else:
            results[name].error = answer["error"]
    for name, answers in turns.items():
        if results[name].error is None:
            results[name].rounds.append(min(answer["wall_s"] for answer in answers))
            results[name].cpu.append(min(answer["cpu_s"] for answer in answers))


def _peaks(row: Row, present: Sequence[str], rounds: int) -> dict[str, Result]:
    results = {name: Result() for name in present}
    for done in range(rounds):
        for name in present if done % 2 == 0 else reversed(present):
            process = _Process(library(name), row.name, name)
            answer = process.first
            process.close()
            if answer["ok"]:
                results[name].rounds.append(answer["peak_mb"])
                results[name].values = answer["values"]
            else:
                results[name].error = answer["error"]
    return results


def _differing(row: Row, results: dict[str, Result]) -> dict[str, str]:
    """Whose values differ from those of the first contestant that has some."""
    sound = {name: result.values for name, result in results.items() if result.error is None}
    if not sound:
        return {}
    first, *others = sound
    found = {name: difference(sound[first], sound[name], row.tolerance) for name in others}
    return {name: f"{text} ({first} is compared with)" for name, text in found.items() if text}


def difference(ours: dict[str, Any], theirs: dict[str, Any], tolerance: float) -> str:
    """How two answers differ; "" where they agree."""
    if ours["count"] != theirs["count"]:
        return f"{theirs['count']} numbers for {ours['count']}"
    pairs = list(zip([ours["sum"], *ours["sample"]], [theirs["sum"], *theirs["sample"]], strict=True))
    if not all(math.isfinite(a) and math.isfinite(b) for a, b in pairs):
        return "not finite"
    total = abs(ours["sum"] - theirs["sum"]) / max(abs(ours["sum"]), 1e-30)
    largest = max((abs(a) for a in ours["sample"]), default=0.0)
    worst = max((abs(a - b) for a, b in pairs[1:]), default=0.0) / max(largest, 1e-30)
    return "" if max(total, worst) <= tolerance else f"relative difference {max(total, worst):.1e}"
