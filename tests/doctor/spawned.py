"""A script run twice by processes of their own, by Python and by the doctor, each time in a folder made afresh."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MARK = "--- tfgrad doctor:"
DOCTOR = ("-m", "tfgrad", "doctor")
# What TensorFlow's C++ logs while it loads has times in it, and what Python shows of objects has addresses.
_NOISE = re.compile(r"^(WARNING: All log messages before absl.*|[IWEF]\d{4} .*)\n", re.MULTILINE)
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


@dataclass(frozen=True)
class Ended:
    """What a process left behind, and the doctor's report, cut off from its standard error."""

    code: int
    out: str
    err: str
    report: str = ""

    @property
    def own(self) -> tuple[int, str, str]:
        """All but the report."""
        return self.code, self.out, self.err


Files = Mapping[str, str | bytes]


def run(
    words: Sequence[str], folder: Path, *, flags: Sequence[str] = (), stdin: bytes = b"", **environment: str
) -> Ended:
    """Runs `python FLAGS WORDS` in a folder."""
    done = subprocess.run(
        [sys.executable, *flags, *words],
        cwd=folder,
        input=stdin,
        capture_output=True,
        timeout=300,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "80", "PYTHONPATH": str(ROOT), **environment},
    )
    out, err = (_plain(stream, folder) for stream in (done.stdout, done.stderr))
    own, mark, report = err.partition(MARK)
    return Ended(done.returncode, out, own, mark + report)


def _plain(stream: bytes, folder: Path) -> str:
    text = stream.decode(errors="backslashreplace").replace(str(folder), "HERE")
    return _ADDRESS.sub("0x", _NOISE.sub("", text))


def both(
    files: Files,
    words: Sequence[str],
    folder: Path,
    *,
    prepare: Callable[[Path], None] = lambda folder: None,
    flags: Sequence[str] = (),
    stdin: bytes = b"",
    **environment: str,
) -> tuple[Ended, Ended]:
    """The run by Python, and the one by the doctor."""
    ended = []
    for way in ((), DOCTOR):
        here = folder / "here"
        shutil.rmtree(here, ignore_errors=True)
        here.mkdir()
        for name, content in files.items():
            file = here / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        prepare(here)
        ended.append(run([*way, *words], here, flags=flags, stdin=stdin, **environment))
    return ended[0], ended[1]
