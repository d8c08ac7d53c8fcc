"""TensorFlow loaded in silence, with what it said kept for whoever wants to read it.

TensorFlow 2.21 writes to the process's standard error before any Python setting can stop it (TF_CPP_MIN_LOG_LEVEL=3
does not), so the file descriptor itself is turned to a temporary file while it loads and runs its first op.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_said: list[str] = []


def load() -> None:
    """Import TensorFlow and run one op; what it writes to standard error meanwhile goes to `messages`.

    Raises:
        ImportError: TensorFlow is not installed, or does not load; its messages are written out then.
    """
    if "tensorflow" in sys.modules:
        return
    with quiet() as text, _everything_logged():
        import tensorflow as tf

        tf.identity(0.0)
    _said.append("".join(text))


def messages() -> str:
    """What TensorFlow writes to standard error when it loads: here, or else in a process started to hear it."""
    if not _said:
        program = "import tensorflow as tf; tf.identity(0.0)"
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
        _said.append(done.stderr)
    return _said[0]


@contextmanager
def _everything_logged() -> Iterator[None]:
    before = os.environ.get("TF_CPP_MIN_LOG_LEVEL")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
    try:
        yield
    finally:
        os.environ.pop("TF_CPP_MIN_LOG_LEVEL")
        if before is not None:
            os.environ["TF_CPP_MIN_LOG_LEVEL"] = before


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Standard error's descriptor turned to a file; its text is there afterwards, written out after an exception."""
    text: list[str] = []
    try:
        saved = os.dup(2)
    except OSError:
        yield text
        return
    with tempfile.TemporaryFile() as file:
        sys.stderr.flush()
        os.dup2(file.fileno(), 2)
        failed = True
        try:
            yield text
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            file.seek(0)
            text.append(file.read().decode(errors="replace"))
            if failed:
                sys.stderr.write(text[0])
