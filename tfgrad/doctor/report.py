"""The doctor's report: on standard error when all is over, and as JSON.

On a terminal in colour; in a pipe the plain text of the Diagnosis.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from typing import Any, TextIO

NOTHING = {"schema": 1, "problems": [], "notes": [], "watched": {"tapes": 0, "gradient_calls": 0, "variables": 0}}
NEVER = "TensorFlow was never imported: there was nothing to watch."


@dataclass
class Reporter:
    """Where the report goes. The stream is taken before the program runs, which may replace it."""

    name: str
    json_file: str | None = None
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    is_terminal: bool = field(default_factory=lambda: sys.stderr.isatty())

    def __call__(self, diagnosis: Any, code: int) -> None:
        """Gives the report."""
        rank = worker()
        if self.json_file is not None:
            self._write_json(diagnosis, code, rank)
        title = f"tfgrad doctor: {self.name}" + (f", {rank[0]} {rank[1]} of {rank[2]}" if rank else "")
        if diagnosis is not None and self.is_terminal and not self.stream.closed:
            self._show(title, diagnosis)
        else:
            self._print(f"--- {title} ---\n\n{NEVER if diagnosis is None else diagnosis}")

    def _show(self, title: str, diagnosis: Any) -> None:
        from rich.console import Console
        from rich.rule import Rule

        out = Console(file=self.stream, highlight=False, emoji=False, markup=False)
        out.print(Rule(title, align="left", style="dim"))
        out.print(diagnosis)

    def _print(self, text: str) -> None:
        try:
            self.stream.write(text + "\n")
            self.stream.flush()
        except (OSError, ValueError, UnicodeError):
            # The program has closed its standard error, or it can't hold these letters.
            os.write(2, (text + "\n").encode(errors="replace"))

    def _write_json(self, diagnosis: Any, code: int, rank: tuple[str, int, int] | None) -> None:
        assert self.json_file is not None
        data = {**(NOTHING if diagnosis is None else diagnosis.to_dict()), "exit": code}
        if rank is not None:
            data["worker"] = {"type": rank[0], "index": rank[1], "count": rank[2]}
        try:
            with open(ranked(self.json_file, rank), "w", encoding="utf-8") as out:
                out.write(json.dumps(data, indent=2, allow_nan=False) + "\n")
        except OSError as error:
            self._print(f"tfgrad doctor: can't write {self.json_file}: {error.strerror}")


def ranked(file: str, rank: tuple[str, int, int] | None) -> str:
    """The file's name, with the worker in it where there are several: they may share a disk.

    >>> ranked("report.json", ("worker", 1, 2))
    'report.worker-1.json'
    """
    if rank is None:
        return file
    stem, dot = os.path.splitext(file)
    return f"{stem}.{rank[0]}-{rank[1]}{dot}"


def worker() -> tuple[str, int, int] | None:
    """This process's type, index and the number of processes, where there are several.

    Source: `TF_CONFIG` in `tf.distribute.cluster_resolver.TFConfigClusterResolver` (TensorFlow 2.21).
    """
    try:
        config = json.loads(os.environ.get("TF_CONFIG", ""))
        tasks = [address for addresses in config["cluster"].values() for address in addresses]
        task = config["task"]
        return (str(task["type"]), int(task["index"]), len(tasks)) if len(tasks) > 1 else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
