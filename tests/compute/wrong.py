"""A wrong call and what is told of it, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tfgrad as tg


@dataclass(frozen=True)
class Case:
    """A wrong call, the kind of its error, and words that each part of the message has."""

    name: str
    call: Callable[[], Any]
    kind: type[tg.GradError]
    given: str
    needed: str
    advice: str
