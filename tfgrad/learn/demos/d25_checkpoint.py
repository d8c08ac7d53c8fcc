"""checkpoint(f) forgets what f computed on the way and computes it again in the backward pass: the same gradient, a
part of the memory."""

import weakref

import tensorflow as tf

import tfgrad


def measured(wrap):
    made = []  # weakly: who is dead is let go

    @tf.custom_gradient
    def layer(x):
        y = tf.tanh(x)
        made.append(weakref.ref(y))
        return tf.identity(
            y
        ), lambda dy: dy * (1 - y**2)

    def f(x):
        for _ in range(8):
            x = layer(x)
        return tf.reduce_sum(x)

    x = tf.ones([512, 512])  # 1 MiB
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = wrap(f)(x)
    alive = [
        y for ref in made if (y := ref()) is not None
    ]
    held = sum(y.dtype.size * tf.size(y) for y in alive)
    del alive
    g = tape.gradient(total, x)
    return held / 2**20, len(made), g


def experiment():
    held, runs, plain = measured(lambda f: f)
    yield "plain: MiB held", held
    yield "layers run", str(runs)
    yield "all eight are held", held == 8
    yield "none is run again", runs == 8

    held, runs, saving = measured(tfgrad.checkpoint)
    yield "checkpoint: MiB held", held
    yield "layers run ", str(runs)
    yield "none is held", held == 0
    yield "each is run twice", runs == 16
    yield (
        "the same gradient",
        tf.reduce_all(plain == saving),
    )
