"""What a matrix looks like where an op of linear algebra breaks: its eigenvalues, its smallest singular value.

Single elements tell nothing there.
"""

from __future__ import annotations

import numpy as np

from tfgrad.see.numbers.turns import Turn, Turns

VALUES_OF = {"SelfAdjointEigV2": "eigenvalues", "Eig": "eigenvalues", "Svd": "singular values"}
_SOLVING = {
    "MatrixInverse": 0,
    "MatrixDeterminant": 0,
    "LogMatrixDeterminant": 0,
    "MatrixSolve": 0,
    "MatrixSolveLs": 0,
    "MatrixSquareRoot": 0,
    "Qr": 0,
}
_CLOSE = 1e-6


def looks(turns: Turns, turn: Turn) -> str:
    """What is the matter with the matrix that an op was given, in a sentence; empty where nothing is seen."""
    if turn.op in VALUES_OF:
        return _equal(turns, turn)
    matrix = turns.array(turn.inputs[0]) if turn.inputs else None
    if matrix is None or matrix.ndim < 2 or not matrix.size or not np.isfinite(matrix).all():
        return ""
    try:
        return _of_matrix(turn.op, matrix.astype(np.complex128 if matrix.dtype.kind == "c" else np.float64))
    except np.linalg.LinAlgError:
        return ""


def _of_matrix(op: str, matrix: np.ndarray) -> str:
    if op == "Cholesky":
        lowest = float(np.linalg.eigvalsh(matrix).min())
        return f"The matrix is not positive definite: its smallest eigenvalue is {_zero(lowest, matrix):.3g}."
    if op == "MatrixTriangularSolve":
        diagonal = np.diagonal(matrix, axis1=-2, axis2=-1)
        zeros = int((diagonal == 0).sum())
        return f"The diagonal of the triangular matrix holds {zeros} of {diagonal.size} zeros." if zeros else ""
    if op in _SOLVING:
        found = np.linalg.svd(matrix, compute_uv=False)
        low, high = float(found.min()), float(found.max())
        return (
            f"The matrix is singular, or nearly: its singular values reach from {_zero(low, matrix):.3g} to {high:.3g}."
        )
    return ""


def _zero(value: float, matrix: np.ndarray) -> float:
    """A number that is zero beside the matrix it belongs to as 0."""
    return 0.0 if abs(value) < 1e-9 * float(np.abs(matrix).max(initial=0.0)) else value


def _equal(turns: Turns, turn: Turn) -> str:
    """A sentence on eigenvalues or singular values that are equal; empty if all differ."""
    values = turns.array(turn.outputs[0])
    if values is None or values.ndim < 1 or values.shape[-1] < 2:
        return ""
    ordered = np.sort(values if values.dtype.kind != "c" else np.real(values), axis=-1)
    gaps = np.diff(ordered, axis=-1)
    scale = float(np.abs(ordered).max(initial=0.0)) or 1.0
    if not np.isfinite(gaps).all() or float(gaps.min()) > _CLOSE * scale:
        return ""
    at = np.unravel_index(int(gaps.argmin()), gaps.shape)
    what = VALUES_OF[turn.op]
    letter = "s" if turn.op == "Svd" else "l"
    square = "**2" if turn.op == "Svd" else ""
    several = "All its" if gaps.size and float(gaps.max()) <= _CLOSE * scale else "Some of its"
    return (
        f"{several} {what} are equal ({float(ordered[at]):.6g}): the vectors that belong to them are not determined, "
        f"and their gradient holds 1 / ({letter}_i{square} - {letter}_j{square}), for which TensorFlow puts 0 where "
        "they are equal."
    )


def equal_values(turns: Turns, turn: Turn) -> str:
    """A sentence on equal eigenvalues or singular values, empty where an op has none."""
    return _equal(turns, turn) if turn.op in VALUES_OF else ""


EQUAL_ADVICE = (
    "take only what equal values determine (the values themselves, functions of the matrix), or tell them apart:\n"
    "a + tf.linalg.diag(1e-3 * tf.range(n, dtype=a.dtype))"
)
