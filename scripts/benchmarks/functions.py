"""The functions that are differentiated, in TensorFlow, for tfgrad and for plain TensorFlow alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from benchmarks import inputs

Tensor = Any


def constants(tree: Any) -> Any:
    """Arrays as tensors."""
    return tf.nest.map_structure(tf.constant, tree)


def dot(x: Tensor) -> Tensor:
    return 2 * tf.tensordot(x, x, axes=1)


def square(x: Tensor) -> Tensor:
    return tf.reduce_sum(x * x)


def control(a: Tensor) -> Tensor:
    b = a * 2
    while tf.norm(b) < 1000:
        b = b * 2
    if tf.reduce_sum(b) > 0:  # noqa: SIM108  a branch, which is what is measured
        c = b
    else:
        c = 100 * b
    return c


def four_ops(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return tf.reduce_sum(tf.tanh(x * w + b))


def layers(matrices: Sequence[Tensor], x: Tensor) -> Tensor:
    for W in matrices:
        x = tf.tanh(tf.linalg.matvec(W, x))
    return x


def rosenbrock(x: Tensor) -> Tensor:
    return tf.reduce_sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def mlp_loss(p: Sequence[Tensor], x: Tensor, y: Tensor, act: Callable[[Tensor], Tensor] = tf.nn.relu) -> Tensor:
    for i in range(0, len(p) - 2, 2):
        x = act(tf.matmul(x, p[i]) + p[i + 1])
    logits = tf.matmul(x, p[-2]) + p[-1]
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))


def loss_of_one(p: Sequence[Tensor], x: Tensor, y: Tensor) -> Tensor:
    return mlp_loss(p, x[None], y[None])


def smooth_loss(p: Sequence[Tensor], x: Tensor, y: Tensor) -> Tensor:
    return mlp_loss(p, x, y, tf.tanh)


def flat_loss(v: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return smooth_loss([tf.reshape(v[start:end], shape) for start, end, shape in inputs.cuts()], x, y)


def conv_loss(p: Sequence[Tensor], x: Tensor, y: Tensor) -> Tensor:
    for i in (0, 2):
        x = tf.nn.max_pool2d(tf.nn.relu(tf.nn.conv2d(x, p[i], 1, "SAME") + p[i + 1]), 2, 2, "SAME")
    logits = tf.matmul(tf.reshape(x, [x.shape[0], -1]), p[4]) + p[5]
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))


def attention_loss(qkv: Sequence[Tensor]) -> Tensor:
    q, k, v = qkv
    scores = tf.matmul(q, k, transpose_b=True) / 8.0
    return tf.reduce_sum(tf.matmul(tf.nn.softmax(scores), v) ** 2) + tf.reduce_sum(tf.reduce_logsumexp(scores, -1))


def logistic_loss(w: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return tf.reduce_mean(tf.nn.softplus(-y * tf.linalg.matvec(x, w)))


def segments(W: Tensor) -> list[Callable[[Tensor], Tensor]]:
    """The deep network in parts, each of so many layers tanh(h W)."""

    def segment(count: int) -> Callable[[Tensor], Tensor]:
        def run(h: Tensor) -> Tensor:
            for _ in range(count):
                h = tf.tanh(tf.matmul(h, W))
            return h

        return run

    return [segment(count) for count in inputs.segments()]


def through(parts: Sequence[Callable[[Tensor], Tensor]], h: Tensor) -> Tensor:
    for part in parts:
        h = part(h)
    return tf.reduce_sum(h)
