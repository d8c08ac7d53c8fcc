"""Fixtures of the tests of scripts/: clones of a small repository, with and without an environment."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from checkouts import SCRIPTS, Checkout, Done, finish, make_checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh clone."""
    return make_checkout(tmp_path)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, list[Done]]:
    """A clone whose environment was made, not to be changed, and the two runs that asked for it at the same time."""
    made = make_checkout(tmp_path_factory.mktemp("installed"))
    both = [made.start("demos.py", name) for name in ("first", "second")]
    return made, [finish(process) for process in both]


@pytest.fixture
def copied(checkout: Checkout, installed: tuple[Checkout, list[Done]]) -> Checkout:
    """A copy of the clone with the environment, to be changed at will."""
    shutil.copytree(installed[0].root, checkout.root, dirs_exist_ok=True, symlinks=True)
    return checkout


@pytest.fixture
def interpreters() -> Iterator[ModuleType]:
    """The module scripts/interpreters.py."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        yield importlib.import_module("interpreters")
    finally:
        sys.path.remove(str(SCRIPTS))
