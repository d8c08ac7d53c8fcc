"""Two processes, each with half of the data, add up their gradients over the network, and both have the gradient that one
process gets from all of it."""

import tensorflow as tf

import tfgrad as tg
from tfgrad.learn import workers


def loss(w, x, y):
    error = tf.linalg.matvec(x, w) - y
    return tf.reduce_sum(error**2)


def data():
    w = tf.constant([1.0, -1.0, 2.0])
    x = tf.reshape(tf.range(12.0), [4, 3])
    return w, x, tf.range(4.0)


def gradient_of_half(i):
    w, x, y = data()
    mine = slice(2 * i, 2 * i + 2)
    return tg.grad(loss)(w, x[mine], y[mine])


def work(strategy):  # in each of the processes
    def step():
        me = tf.distribute.get_replica_context()
        own = gradient_of_half(
            me.replica_id_in_sync_group
        )
        return own, me.all_reduce("SUM", own)

    return strategy.run(tf.function(step))


def experiment():
    whole = tg.grad(loss)(*data())
    yield "one process, all of it", whole
    try:
        answers = workers.run(work, count=2)
    except workers.Unavailable as error:
        yield "two processes", f"not here: {error}"
        both = gradient_of_half(0) + gradient_of_half(1)
        yield "the halves in one process", both == whole
        return
    for i, (own, added_up) in enumerate(answers):
        yield f"process {i}, its half", tf.constant(own)
        yield (
            f"process {i}, added up",
            added_up == whole,
        )
