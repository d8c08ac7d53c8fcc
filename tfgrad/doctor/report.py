"""The doctor's report: on standard error when all is over, and as JSON.

On a terminal in colour; in a pipe the plain text of the Diagnosis.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any, TextIO

NOTHING = {"schema": 1, "problems": [], "notes": [], "watched": {"tapes": 0, "gradient_calls": 0, "variables": 0}}


class Reporter:
    """Where the report goes: where standard error went before the program ran, which may close or replace it.

    Args:
        name: the program's name.
        json_file: where to write the JSON; "-" is standard output.
    """

    def __init__(self, name: str, json_file: str | None = None) -> None:
        self.name = name
        self.json_file = json_file
        self._encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        self._descriptor = _copied(sys.stderr)
        self._output = _copied(sys.stdout) if json_file == "-" else None

    def __call__(self, diagnosis: Any, code: int | None, remark: str = "") -> None:
        """Gives the report.

        Args:
            diagnosis: what was found, None where nothing was watched.
            code: the program's exit code, None where it put another program in its place.
            remark: a sentence beside it.
        """
        rank = worker()
        if self.json_file is not None:
            self._write_json(diagnosis, code, remark, rank)
        title = f"tfgrad doctor: {self.name}" + (f", {rank[0]} {rank[1]} of {rank[2]}" if rank else "")
        if diagnosis is not None and self._descriptor is not None and os.isatty(self._descriptor):
            self._show(title, diagnosis, remark)
        else:
            told = [str(part) for part in (diagnosis, remark) if part is not None and part != ""]
            self.say("\n".join([f"--- {title} ---", "", *told]))

    def say(self, text: str) -> None:
        """Writes some lines."""
        if self._descriptor is None:
            return
        # Nobody can be told that standard error is full or gone.
        with contextlib.suppress(OSError), self._opened() as out:
            out.write(text + "\n")

    def close(self) -> None:
        """Holds the program's streams open no longer."""
        for descriptor in (self._descriptor, self._output):
            if descriptor is not None:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        self._descriptor = self._output = None

    def _opened(self) -> TextIO:
        assert self._descriptor is not None
        return open(self._descriptor, "w", encoding=self._encoding, errors="backslashreplace", closefd=False)

    def _show(self, title: str, diagnosis: Any, remark: str) -> None:
        from rich.console import Console
        from rich.rule import Rule

        with self._opened() as stream:
            out = Console(file=stream, force_terminal=True, highlight=False, emoji=False, markup=False)
            out.print(Rule(title, align="left", style="dim"))
            out.print(diagnosis)
            if remark:
                out.print(remark)

    def _write_json(self, diagnosis: Any, code: int | None, remark: str, rank: tuple[str, int, int] | None) -> None:
        assert self.json_file is not None
        data = {**(NOTHING if diagnosis is None else diagnosis.to_dict()), "script": self.name, "exit": code}
        if remark:
            data["remark"] = remark
        if rank is not None:
            data["worker"] = {"type": rank[0], "index": rank[1], "count": rank[2]}
        text = json.dumps(data, indent=2, allow_nan=False) + "\n"
        file = ranked(self.json_file, rank)
        try:
            if self.json_file == "-":
                _write(self._output, text)
                return
            # What the script has written to a file that is standard output too is not overwritten.
            with open(file, "a" if _is_standard(file) else "w", encoding="utf-8") as out:
                out.write(text)
        except OSError as error:
            self.say(f"tfgrad doctor: can't write {file}: {error.strerror}")


def _copied(stream: Any) -> int | None:
    try:
        return os.dup(stream.fileno())
    # Closed when Python began, or something in a notebook or test that is no file.
    except (AttributeError, OSError, ValueError):
        return None


def _write(descriptor: int | None, text: str) -> None:
    if descriptor is not None:
        with open(descriptor, "w", encoding="utf-8", closefd=False) as out:
            out.write(text)


def _is_standard(file: str) -> bool:
    """Whether a file is what standard output or standard error goes to."""
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):
            if os.path.samestat(os.stat(file), os.fstat(descriptor)):
                return True
    return False


def ranked(file: str, rank: tuple[str, int, int] | None) -> str:
    """The file's name, with the worker in it where there are several: they may share a disk.

    >>> ranked("report.json", ("worker", 1, 2))
    'report.worker-1.json'
    """
    if rank is None or (os.path.exists(file) and not os.path.isfile(file)):
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
