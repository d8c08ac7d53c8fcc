"""checkpoint(f) forgets what f computed on the way and computes it again in the backward pass: the same gradient, a
part of the memory."""

import tensorflow as tf

import tfgrad


def held(run):
    """What stays alive between f and its gradient."""
    counted = []

    @tf.custom_gradient
    def watched(x):
        kept = tf.tanh(x)
        counted.append(kept)
        return kept, lambda dy: dy * (1.0 - kept**2)

    with tf.GradientTape() as tape:
        x = tf.ones([64, 64])
        tape.watch(x)
        y = tf.reduce_sum(run(watched)(x))
    passes = len(counted)
    g = tape.gradient(y, x)
    return passes, len(counted), g


def experiment():
    def plain(layer):
        def f(x):
            for _ in range(8):
                x = layer(x)
            return x

        return f

    def saving(layer):
        return tfgrad.checkpoint(plain(layer))

    before, after, g = held(plain)
    yield "plain: layers run", str(before)
    yield "after the gradient", str(after)
    yield "none run again", before == after == 8

    before, after, again = held(saving)
    yield "checkpoint: layers run", str(before)
    yield "after the gradient ", str(after)
    yield "each run twice", (before, after) == (8, 16)
    yield "the same gradient", tf.reduce_all(g == again)
