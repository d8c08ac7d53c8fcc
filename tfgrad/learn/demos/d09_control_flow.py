"""Through a while loop and an if, the gradient is that of the path taken: f(a) is a constant times a, so the gradient
is f(a) / a, a power of two, times 100 where a < 0."""

import random

import tensorflow as tf


def f(a):
    b = a * 2
    while tf.norm(b) < 1000:
        b = b * 2
    if tf.reduce_sum(b) > 0:
        c = b
    else:
        c = 100 * b
    return c


def facts(a):
    if a * 2 == 0:
        yield (
            "f(a)",
            "never ends: 0 * 2 is 0, below 1000",
        )
        yield "a * 2 * 2 == a * 2", a * 2 * 2 == a * 2
        return
    a = tf.Variable(a)
    with tf.GradientTape() as t:
        d = f(a)
    d_grad = t.gradient(d, a)
    yield "d", d
    yield "d_grad", d_grad
    if not tf.math.is_finite(d / a):
        yield "d / a", "too large for float32, or NaN"
    else:  # 100 * b is rounded: to the last digit
        apart = tf.abs(d_grad - d / a)
        yield "d_grad == d / a", apart / d_grad < 1.2e-7
        yield "d_grad * a == d", d_grad * a == d
    power = d_grad if d > 0 else d_grad / 100
    bits = tf.bitcast(power, tf.int32) & 0x7FFFFF
    whole = (bits == 0) | tf.math.is_nan(d)
    yield "a power of two", whole


def experiment(*, seed=None, a=None):
    if a is None:
        if seed is None:
            seed = random.randrange(10**6)
        tf.random.set_seed(seed)
        yield "seed", str(seed)
        a = tf.random.normal(shape=())
    a = tf.constant(a, tf.float32)
    yield "a", a
    yield from facts(a)

    for a in (0.977, 1.952):
        d_grad = dict(facts(tf.constant(a)))["d_grad"]
        yield f"1024 at {a}", d_grad == 1024.0
    yield "at 0", "f(0) never ends: 0 * 2 is 0"
    for a in (
        2.5,
        -2.5,
        1e-30,
        -1e-30,
        1e30,
        -1e30,
        0.0,
    ):
        found = dict(facts(tf.constant(a)))
        found.pop("d", None), found.pop("d_grad", None)
        found.pop("f(a)", None)
        yield f"the same at {a}", list(found.values())
