"""Linear algebra and signals. Functions with free signs or phases are looked at through what does not depend on them."""

# ruff: noqa: E501  a function a line

from __future__ import annotations

import tensorflow as tf

from op_specs.inputs import Area, d, lower, n, p, spd, z

LINALG = Area("linalg")
_l = LINALG.add
F32 = tf.float32

_l("tf.linalg.matmul", n(2, 3), n(3, 2))
_l("tf.linalg.matvec", n(2, 3), n(3))
_l("tf.linalg.matrix_transpose", n(2, 3))
_l("tf.linalg.adjoint", z(2, 3))
_l("tf.linalg.band_part", lambda a: tf.linalg.band_part(a, 1, 0), n(3, 3))
_l("tf.linalg.diag", n(3))
_l("tf.linalg.diag_part", n(3, 3))
_l("tf.linalg.set_diag", n(3, 3), n(3))
_l("tf.linalg.tensor_diag", n(3))
_l("tf.linalg.tensor_diag_part", n(3, 3))
_l("tf.linalg.trace", n(3, 3))
_l("tf.linalg.cross", n(3), n(3))
_l("tf.linalg.det", n(3, 3), at={"of a singular matrix": (d([[1.0, 1.0], [1.0, 1.0]]),)})
_l("tf.linalg.logdet", spd(3))
_l("tf.linalg.slogdet", lambda a: tf.linalg.slogdet(a)[1], n(3, 3))
_l("tf.linalg.inv", spd(3))
_l("tf.linalg.pinv", n(3, 2))
_l("tf.linalg.solve", spd(3), n(3, 2))
_l("tf.linalg.triangular_solve", lower(3), n(3, 2))
_l("tf.linalg.banded_triangular_solve", lambda b, r: tf.linalg.banded_triangular_solve(b, r), p(2, 3), n(3, 1))
_l(
    "tf.linalg.tridiagonal_solve",
    lambda a, r: tf.linalg.tridiagonal_solve(a + d([[0.0], [4.0], [0.0]]), r),
    n(3, 4),
    n(4, 1),
)
_l("tf.linalg.tridiagonal_matmul", n(3, 4), n(4, 2))
_l("tf.linalg.cholesky", spd(3))
_l("tf.linalg.cholesky_solve", lower(3), n(3, 2))
_l("tf.linalg.lstsq", lambda a, b: tf.linalg.lstsq(a, b), n(4, 2), n(4, 1))
_l("tf.linalg.lu", lambda a: tf.linalg.lu(a)[0], spd(3))
_l("tf.linalg.lu_solve", lambda lu, r: tf.linalg.lu_solve(lu, [0, 1, 2], r), spd(3), n(3, 1))
_l("tf.linalg.lu_reconstruct", lambda lu: tf.linalg.lu_reconstruct(lu, [0, 1, 2]), spd(3))
_l("tf.linalg.lu_matrix_inverse", lambda lu: tf.linalg.lu_matrix_inverse(lu, [0, 1, 2]), spd(3))
_l("tf.linalg.qr", lambda a: tf.linalg.qr(a)[1], n(3, 2))
_l("tf.linalg.svd", lambda a: tf.linalg.svd(a)[0], n(3, 2))
_l(
    "tf.linalg.eigh",
    lambda a: tf.linalg.eigh(a)[0],
    spd(3),
    at={"of equal eigenvalues": (d([[1.0, 0.0], [0.0, 1.0]]),)},
)
_l("tf.linalg.eigvalsh", spd(3))
_l("tf.linalg.eig", lambda a: tf.linalg.eig(a)[0], d([[1.0, 2.0], [0.5, 4.0]]))
_l("tf.linalg.eigvals", d([[1.0, 2.0], [0.5, 4.0]]))
_l("tf.linalg.eigh_tridiagonal", p(4), n(3))
_l("tf.linalg.expm", n(3, 3))
_l("tf.linalg.logm", lambda a: tf.linalg.logm(tf.cast(a, tf.complex128)), spd(3))
_l("tf.linalg.sqrtm", spd(3))
_l("tf.linalg.matrix_rank", n(3, 3))
_l("tf.linalg.global_norm", lambda a, b: tf.linalg.global_norm([a, b]), n(3), n(2))
_l("tf.linalg.experimental.conjugate_gradient",
   lambda a, b: tf.linalg.experimental.conjugate_gradient(tf.linalg.LinearOperatorFullMatrix(a, is_self_adjoint=True, is_positive_definite=True), b).x,
   spd(3), n(3))  # fmt: skip
_l("tf.einsum", lambda a, b: tf.einsum("ij,jk->ik", a, b), n(2, 3), n(3, 2))
_l("tf.tensordot", lambda a, b: tf.tensordot(a, b, 1), n(3), n(3))

SIGNAL = Area("signal")
_s = SIGNAL.add
SIGNAL.add_all("tf.signal", "fft ifft", z(5))
SIGNAL.add_all("tf.signal", "fft2d ifft2d", z(2, 3))
SIGNAL.add_all("tf.signal", "fft3d ifft3d", z(2, 2, 2))
_s("tf.signal.rfft", n(6))
_s("tf.signal.rfft2d", n(2, 4))
_s("tf.signal.rfft3d", n(2, 2, 4))
_s("tf.signal.irfft", z(4))
_s("tf.signal.irfft2d", z(2, 3))
_s("tf.signal.irfft3d", z(2, 2, 3))
SIGNAL.add_all("tf.signal", "fftshift ifftshift", n(5))
SIGNAL.add_all("tf.signal", "dct idct", n(5, dtype=F32))
_s("tf.signal.mdct", lambda x: tf.signal.mdct(x, 4), n(8, dtype=F32))
_s("tf.signal.inverse_mdct", n(3, 2, dtype=F32))
_s("tf.signal.stft", lambda x: tf.signal.stft(x, 4, 2), n(9, dtype=F32))
_s("tf.signal.inverse_stft", lambda x: tf.signal.inverse_stft(x, 4, 2), z(3, 3, dtype=tf.complex64))
_s("tf.signal.frame", lambda x: tf.signal.frame(x, 3, 1), n(6))
_s("tf.signal.overlap_and_add", lambda x: tf.signal.overlap_and_add(x, 2), n(3, 4))
_s("tf.signal.mfccs_from_log_mel_spectrograms", n(2, 4, dtype=F32))
_s("tf.signal.kaiser_window", lambda b: tf.signal.kaiser_window(5, b), p(dtype=F32))
_s("tf.signal.kaiser_bessel_derived_window", lambda b: tf.signal.kaiser_bessel_derived_window(4, b), p(dtype=F32))
