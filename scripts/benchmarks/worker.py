"""The process of one library: it makes calls ready, runs them and times them, as it is told in lines of JSON.

`python -m benchmarks.worker LIBRARY` listens on its standard input; with ROW CONTESTANT after it, it runs that one
call twice and tells the peak of its memory.
"""

from __future__ import annotations

import gc
import importlib
import json
import math
import os
import sys
import time
from typing import Any

from benchmarks import memory
from benchmarks.cases import CASES, Call

SAMPLE = 500
_MODULES = {"tensorflow": ("cases_tensorflow", "cases_tfgrad", "cases_check")}


def load(library: str) -> Any:
    """Import a library's cases, and give the module that knows its arrays."""
    names = _MODULES.get(library, (f"cases_{library}",))
    modules = [importlib.import_module(f"benchmarks.{name}") for name in names]
    return modules[0]


def values(leaves: list[Any]) -> dict[str, Any]:
    """What came out, small enough to be compared elsewhere: how many numbers, their sum, and some of them."""
    flat = [leaf.reshape(-1) for leaf in leaves]
    count = sum(leaf.size for leaf in flat)
    total = math.fsum(float(abs(leaf).sum(dtype="float64")) for leaf in flat)
    few = max(1, SAMPLE // max(1, len(flat)))
    sample = [float(x) for leaf in flat for x in leaf[:: max(1, -(-leaf.size // few))]]
    return {"count": count, "sum": total, "sample": sample}


class Worker:
    """The calls that are ready."""

    def __init__(self, library: str) -> None:
        self._module = load(library)
        self._calls: dict[tuple[str, str], Call] = {}

    def begin(self, row: str, contestant: str) -> dict[str, Any]:
        """Make a call ready; the values of the first two calls, as a train step shows in the second what it did."""
        made = CASES[row, contestant]()
        start = time.perf_counter()
        leaves = self._leaves(made)
        first_s = time.perf_counter() - start
        leaves += self._leaves(made)
        gc.collect()
        gc.freeze()
        self._calls[row, contestant] = made
        return {"first_s": first_s, "values": values(leaves)}

    def _leaves(self, call: Call) -> list[Any]:
        leaves: list[Any] = self._module.arrays(call())
        return leaves

    def time(self, row: str, contestant: str, calls: int) -> dict[str, Any]:
        """The time of so many calls, each, by the clock and by the processor."""
        call, finish = self._calls[row, contestant], self._module.finish
        answer = None
        gc.collect()
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(calls):
            answer = call()
        finish(answer)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return {"wall_s": wall / calls, "cpu_s": cpu / calls}

    def end(self, row: str, contestant: str) -> dict[str, Any]:
        """Forget a call."""
        self._calls.pop((row, contestant), None)
        gc.unfreeze()
        gc.collect()
        return {}

    def peak(self, row: str, contestant: str) -> dict[str, Any]:
        """The memory that two calls take at most, above what the process had before."""
        made = CASES[row, contestant]()
        gc.collect()
        before = memory.begin()
        found = values(self._leaves(made))
        self._leaves(made)
        return {"peak_mb": memory.peak() - before, "values": found}


def obey(worker: Worker, message: dict[str, Any]) -> dict[str, Any]:
    """The answer to one line."""
    action = getattr(worker, message.pop("do"))
    try:
        return {"ok": True, **action(**message)}
    except Exception as error:  # noqa: BLE001  whatever a contestant raises is told, and the others go on
        return {"ok": False, "error": f"{type(error).__name__}: {error}"[:2000]}


def main(arguments: list[str]) -> None:
    """Serve, on a copy of standard output, so that nothing a library prints gets in between."""
    library, *one = arguments
    with os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1) as out:
        os.dup2(2, 1)
        worker = Worker(library)
        if one:
            out.write(json.dumps(obey(worker, {"do": "peak", "row": one[0], "contestant": one[1]})) + "\n")
            return
        out.write(json.dumps({"ok": True}) + "\n")
        for line in sys.stdin:
            out.write(json.dumps(obey(worker, json.loads(line))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
