"""The Hessian times a direction costs about two gradients and never makes the Hessian, which has n * n numbers."""

import tensorflow as tf

import tfgrad


def rosenbrock(x):
    valley = 100.0 * (x[1:] - x[:-1] ** 2) ** 2
    return tf.reduce_sum(valley + (1.0 - x[:-1]) ** 2)


def experiment():
    x = tf.constant([1.0, 1.0, 1.0])
    v = tf.constant([1.0, 0.0, 0.0])
    H = tfgrad.hessian(rosenbrock)(x)
    yield "Hessian at the minimum", H
    yield "H[0, 0] == 802", H[0, 0] == 802.0

    (Hv,) = tfgrad.hvp(rosenbrock, (x,), (v,))
    yield "H v", Hv
    yield "H v == first column", Hv == H[:, 0]

    n = 100_000  # its Hessian would take 40 GB
    x, v = tf.zeros(n), tf.ones(n)
    (Hv,) = tfgrad.hvp(rosenbrock, (x,), (v,))
    yield "n", str(n)
    yield "H v at 0", Hv
    yield (
        "2 at 0, then 202, 200",
        Hv[:2] == [2.0, 202.0],
    )
    yield "200 at the end", Hv[-1] == 200.0
