"""At a kink there is no derivative, only a slope on each side: TensorFlow takes one, and a check must not call it
wrong. tf.nn.relu(x) and tf.maximum(x, 0.) are the same function and answer differently at 0."""

import tensorflow as tf

import tfgrad as tg


def experiment():
    x = tf.constant(0.0)

    def ramp(x):
        return tf.maximum(x, 0.0)

    relu_grad = tg.grad(tf.nn.relu)(x)
    yield "relu at 0", relu_grad
    yield "maximum at 0", tg.grad(ramp)(x)

    right = (ramp(x + 1e-3) - ramp(x)) / 1e-3
    left = (ramp(x) - ramp(x - 1e-3)) / 1e-3
    yield "slopes left, right", [left, right]

    check = tg.check_grads(ramp, (x,))
    yield "check", check.notes[0]
    yield "not called wrong", check.ok
    yield (
        "they differ",
        tg.grad(ramp)(x) != relu_grad,
    )
