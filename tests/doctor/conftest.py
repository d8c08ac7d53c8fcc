"""One process with TensorFlow loaded for all tests here, from which scripts are forked."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import forked

collect_ignore_glob = ["scripts/*"]


@pytest.fixture(scope="session")
def server() -> Iterator[forked.Server]:
    if not hasattr(os, "fork"):
        pytest.skip("this platform can't fork")
    started = forked.Server()
    yield started
    started.close()
