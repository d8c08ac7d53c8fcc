"""The errors of tfgrad, and how a message is put together: what was given, what was needed, what to type.

Every error derives from `GradError` and from the built-in kind that a caller would expect to catch.
"""

from __future__ import annotations


class GradError(Exception):
    """All of tfgrad's own errors: `GradError(given, needed, advice)`.

    Args:
        given: what was seen, beginning with the public name that was called ("grad: f returned float32[3]").
        needed: what would have been right.
        advice: what to type instead.

    >>> print(NotScalarError("grad: f returned float32[3]", "one number, shape []", "tf.reduce_sum"))
    grad: f returned float32[3]
      needed  one number, shape []
      try     tf.reduce_sum
    """

    # AutoGraph makes a new error of the same type, from one text, only if this is the constructor (TensorFlow 2.21);
    # of any other error in a tf.function it makes a StagingError, which nobody catches.
    __init__ = Exception.__init__

    @property
    def given(self) -> str:
        """What was seen; all of the text, where AutoGraph made this error from another."""
        return self._part(0)

    @property
    def needed(self) -> str:
        """What would have been right."""
        return self._part(1)

    @property
    def advice(self) -> str:
        """What to type instead."""
        return self._part(2)

    def _part(self, position: int) -> str:
        return str(self.args[position]) if position < len(self.args) else ""

    def __str__(self) -> str:
        return message(self.given, self.needed, self.advice)


class UnconnectedError(GradError, ValueError):
    """The value does not depend, as far as TensorFlow can see, on something that was asked about."""


class IntegerError(GradError, TypeError):
    """A leaf of a kind that has no derivative: an integer, a bool, a string, or no number at all."""


class NotScalarError(GradError, ValueError):
    """A gradient was asked of something that is not one real number."""


class LeftTensorFlowError(GradError, TypeError):
    """A value left TensorFlow, or never was in it: a Python float, a NumPy array, None, a KerasTensor."""


class StructureError(GradError, ValueError):
    """Structures, shapes, counts or positions that do not fit one another."""


class KindError(GradError, TypeError):
    """An argument of the wrong kind, such as a function where Variables were needed."""


class GradientProblem(GradError, ArithmeticError):
    """A gradient that is None or not finite, where the caller asked for an error."""


class GradientMismatch(GradError, AssertionError):
    """A derivative that the numbers contradict."""


class GradientWarning(UserWarning):
    """The answer is what TensorFlow says, and surprising."""


def message(given: str, needed: str = "", advice: str = "") -> str:
    """The text of an error: given, needed, try, each part indented under its word."""
    lines = [given]
    for word, text in (("needed", needed), ("try", advice)):
        if text:
            first, *rest = text.splitlines()
            lines.append(f"  {word:<8}{first}")
            lines += [f"          {line}" for line in rest]
    return "\n".join(lines)
