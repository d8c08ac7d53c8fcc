"""Tensors as one vector of real numbers, and back: a complex number is two of them, real before imaginary part.

TensorFlow's gradient of a complex tensor, dL/dRe z + i dL/dIm z, is then the plain gradient by that vector.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

Vector = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Part:
    """A tensor among the inputs or outputs: how it is written in Python, its dtype and shape."""

    path: str
    dtype: tf.DType
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many elements."""
        return math.prod(self.shape)

    @property
    def length(self) -> int:
        """How many real numbers."""
        return self.count * (2 if self.dtype.is_complex else 1)

    def element(self, place: int) -> str:
        """How a real number of it is written: `args[0][2, 1]`, `args[0].imag`."""
        path, side = self.path, ""
        if self.dtype.is_complex:
            place, imaginary = divmod(place, 2)
            side = ".imag" if imaginary else ".real"
        if self.shape:
            index = np.unravel_index(place, self.shape)
            path += "[" + ", ".join(str(int(i)) for i in index) + "]"
        return path + side


def part_of(path: str, tensor: Any) -> Part:
    """A tensor's place among inputs or outputs."""
    return Part(path, tensor.dtype, tuple(tensor.shape.as_list()))


def slices(parts: Sequence[Part]) -> list[slice]:
    """Where each part stands in the vector."""
    ends = np.cumsum([part.length for part in parts], dtype=int)
    return [slice(int(end) - part.length, int(end)) for end, part in zip(ends, parts, strict=True)]


def length(parts: Sequence[Part]) -> int:
    """The length of the vector."""
    return sum(part.length for part in parts)


def place_of(parts: Sequence[Part], position: int) -> tuple[int, int]:
    """The part that holds a position of the vector, and the place inside it."""
    for number, piece in enumerate(slices(parts)):
        if piece.start <= position < piece.stop:
            return number, position - piece.start
    raise IndexError(position)


def name_of(parts: Sequence[Part], position: int) -> str:
    """How the number at a position of the vector is written in Python."""
    number, place = place_of(parts, position)
    return parts[number].element(place)


def vector_of(tensors: Sequence[Any]) -> Vector:
    """The tensors' numbers in one vector."""
    pieces = [_numbers(tensor) for tensor in tensors]
    return np.concatenate(pieces) if pieces else np.zeros(0)


def _numbers(tensor: Any) -> Vector:
    if tensor.dtype.is_complex:
        return np.asarray(tf.cast(tensor, tf.complex128).numpy()).reshape(-1).view(np.float64)
    if tensor.dtype != tf.float64:
        tensor = tf.cast(tensor, tf.float64)
    return np.asarray(tensor.numpy()).reshape(-1)


def tensors_of(vector: Vector, parts: Sequence[Part]) -> list[tf.Tensor]:
    """The tensors that a vector stands for, each rounded to its dtype."""
    return [_tensor(vector[piece], part) for piece, part in zip(slices(parts), parts, strict=True)]


def _tensor(numbers: Vector, part: Part) -> tf.Tensor:
    if part.dtype.is_complex:
        numbers = np.ascontiguousarray(numbers).view(np.complex128)
    shaped = numbers.reshape(part.shape)
    if part.dtype in (tf.float64, tf.complex128):
        return tf.constant(shaped)
    if part.dtype == tf.float32:
        with np.errstate(over="ignore", under="ignore"):
            return tf.constant(shaped.astype(np.float32))
    return tf.cast(tf.constant(shaped), part.dtype)


def mirrored(parts: Sequence[Part], x: Vector, position: int) -> tuple[int | None, float]:
    """The position across the diagonal of a symmetric (or Hermitian) matrix, and the sign it changes with.

    None where the tensor is no such matrix, or the position is on its diagonal.
    """
    number, place = place_of(parts, position)
    part, piece = parts[number], slices(parts)[number]
    if len(part.shape) < 2 or part.shape[-1] != part.shape[-2]:
        return None, 1.0
    width = 2 if part.dtype.is_complex else 1
    numbers = np.ascontiguousarray(x[piece])
    matrix = (numbers.view(np.complex128) if width == 2 else numbers).reshape(part.shape)
    if not np.allclose(matrix, np.conj(np.swapaxes(matrix, -1, -2)), rtol=1e-6, atol=0):
        return None, 1.0
    element, imaginary = divmod(place, width)
    index = [int(i) for i in np.unravel_index(element, part.shape)]
    if index[-1] == index[-2]:
        return None, 1.0
    index[-1], index[-2] = index[-2], index[-1]
    across = int(np.ravel_multi_index(index, part.shape)) * width + imaginary
    return piece.start + across, -1.0 if imaginary else 1.0


def symmetrised(parts: Sequence[Part], number: int, u: Vector) -> Vector:
    """A direction with one input's matrices made symmetric (or Hermitian)."""
    part, piece = parts[number], slices(parts)[number]
    numbers = np.ascontiguousarray(u[piece])
    is_complex = part.dtype.is_complex
    matrix: Any = (numbers.view(np.complex128) if is_complex else numbers).reshape(part.shape)
    matrix = np.ascontiguousarray(matrix + np.conj(np.swapaxes(matrix, -1, -2))) / 2
    found = u.copy()
    found[piece] = matrix.reshape(-1).view(np.float64)
    return found
