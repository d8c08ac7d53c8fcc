"""Tapes on two threads, one of which rounds."""

import threading

import tensorflow as tf

w = tf.Variable(1.5, name="w")
found = {}


def smooth():
    with tf.GradientTape() as tape:
        y = w * w
    found["smooth"] = tape.gradient(y, w).numpy()


def steps():
    with tf.GradientTape() as tape:
        y = tf.round(w) * 2.0  # expect: none nondifferentiable-op
    found["steps"] = tape.gradient(y, w)


threads = [threading.Thread(target=work) for work in (smooth, steps)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(found["smooth"], found["steps"])
