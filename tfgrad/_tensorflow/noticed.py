"""A tape that tells when it records."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class NoticedTape(tf.GradientTape):
    """A `tf.GradientTape` that tells when it starts and stops recording."""

    def _switched(self, on: bool) -> None:
        """Called right after recording started, and right after it stopped."""

    def _push_tape(self) -> None:
        super()._push_tape()
        self._switched(True)

    def _pop_tape(self) -> None:
        super()._pop_tape()
        self._switched(False)

    def _variables(self) -> tuple[Any, ...]:
        """The Variables watched since it was last empty."""
        return tuple(self._tape.watched_variables()) if self._tape is not None else ()

    @property
    def _is_recording(self) -> bool:
        return bool(self._recording)

    @property
    def _is_empty(self) -> bool:
        """Nothing is on the tape: it was used up, or never entered."""
        return self._tape is None
