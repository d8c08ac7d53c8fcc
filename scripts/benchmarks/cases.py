"""Where the `cases_*.py` put their code: what makes a call ready, by row and contestant.

The call takes nothing and gives a nest of the library's own arrays. One library is loaded in one process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Call = Callable[[], Any]
Make = Callable[[], Call]

CASES: dict[tuple[str, str], Make] = {}


def case(row: str, *contestants: str) -> Callable[[Make], Make]:
    """Note down what makes the call of a row ready."""

    def noted(make: Make) -> Make:
        for contestant in contestants:
            CASES[row, contestant] = make
        return make

    return noted


def add(row: str, contestant: str, make: Make) -> None:
    """The same for a function that is made in a loop."""
    CASES[row, contestant] = make
