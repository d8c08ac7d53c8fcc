"""Settings, numbers, names and messages of TensorFlow are what they are without the doctor."""

from __future__ import annotations

import re
from pathlib import Path

import forked
import pytest

BEGIN = "import os\nimport tensorflow as tf\nw = tf.Variable(1.5, name='w')\n"
STEP = "step = 'with tf.GradientTape() as t: y = tf.round(w)\\nt.gradient(y, w)'\n"
MODEL = """
import keras
import numpy as np
keras.utils.set_random_seed(5)
dense = keras.layers.Dense
model = keras.Sequential([keras.Input([4]), dense(8, activation="relu"), keras.layers.Dropout(0.5), dense(3)])
x, y = np.random.rand(32, 4).astype("float32"), np.random.rand(32, 3).astype("float32")
"""

SCRIPTS = {
    "all names imported": "from tensorflow import *\nw = Variable(2.0)\nwith GradientTape() as t:\n    y = w * w\n"
    "print(t.gradient(y, w))",
    "graphs and sessions": BEGIN.replace("w = ", "tf.compat.v1.disable_eager_execution()\nw = ")
    + "y = 2.0 * w\ng = tf.gradients(y, w)\nstep = tf.compat.v1.train.GradientDescentOptimizer(0.1).minimize(y)\n"
    "with tf.GradientTape() as t:\n    z = w * w\nmore = t.gradient(z, w)\nwith tf.compat.v1.Session() as s:\n"
    "    s.run(tf.compat.v1.global_variables_initializer())\n    print(s.run([g, more]), s.run(step))",
    "functions run eagerly": BEGIN + "tf.config.run_functions_eagerly(True)\n@tf.function\ndef f():\n"
    "    with tf.GradientTape() as t:\n        y = w * w\n    return t.gradient(y, w)\nprint(f())",
    "a soft device placement": BEGIN + "tf.config.set_soft_device_placement(True)\nprint(tf.config."
    "get_soft_device_placement())\nwith tf.device('/CPU:0'):\n    with tf.GradientTape() as t:\n"
    "        y = w * w\n    print(t.gradient(y, w).device)",
    "prints in functions": BEGIN + "@tf.function\ndef f():\n    print('traced')\n    with tf.GradientTape() as t:\n"
    "        y = w * w\n        tf.print('y', y)\n    g = t.gradient(y, w)\n    tf.print('g', g)\n    return g\n"
    "for _ in range(3):\n    f()\nprint(f.experimental_get_tracing_count())",
    "names": BEGIN + MODEL + "@tf.function\ndef f(x):\n    with tf.GradientTape() as t:\n"
    "        y = tf.reduce_sum(model(x))\n    g = t.gradient(y, model.trainable_variables)\n    z = tf.add(x, 1.0)\n"
    "    print(z.name, g[0].name)\n    return z\nf(x)\nprint([v.path for v in model.weights], tf.Variable(1.0).name)",
    "random numbers, weights and losses": BEGIN + MODEL + "tf.random.set_seed(3)\nmodel.compile('adam', 'mse')\n"
    "print(model.fit(x, y, epochs=2, batch_size=8, verbose=0).history)\n@tf.function\ndef f():\n    drawn = []\n"
    "    for _ in range(2):\n        with tf.GradientTape() as t:\n"
    "            z = tf.reduce_sum(model(x, training=True) * tf.random.uniform([3]))\n"
    "        drawn += t.gradient(z, model.trainable_variables)\n    return drawn + [tf.random.normal([2])]\n"
    "with tf.GradientTape() as t:\n    z = tf.reduce_sum(tf.nn.dropout(model(x, training=True), 0.5))\n"
    "eager = t.gradient(z, model.trainable_variables)\nimport hashlib\n"
    "for array in [*f(), *f(), *eager, tf.random.normal([3]), *model.get_weights(), np.random.rand(2)]:\n"
    "    print(hashlib.md5(np.asarray(array).tobytes()).hexdigest())",
    "an error of an eager op": BEGIN + "def f():\n    with tf.GradientTape() as t:\n        y = tf.matmul([w], [w])\n"
    "    return t.gradient(y, w)\nf()",
    "an error in a function that runs": BEGIN + "v = tf.Variable([2.0, 3.0])\n@tf.function\ndef f(i):\n"
    "    with tf.GradientTape() as t:\n        y = tf.gather(v, i)\n    return y, t.gradient(y, v)\nf(tf.constant(7))",
    "an error in fit": BEGIN
    + MODEL
    + "model.add(keras.layers.Lambda(lambda x: tf.debugging.check_numerics(x / 0.0, 'x')))"
    "\nmodel.compile('sgd', 'mse')\nmodel.fit(x, y, verbose=0)",
    "an error of gradient()": BEGIN + "with tf.GradientTape() as t:\n    y = w * w\nt.gradient(y, 'x')",
    "texts of errors": BEGIN + "import logging, sys, traceback\nwith tf.GradientTape() as t:\n    y = w * w\n"
    "t.gradient(y, w)\ntry:\n    t.gradient(y, w)\nexcept RuntimeError as e:\n"
    "    print(traceback.format_exc(), e.args)\n"
    "    print(traceback.extract_tb(sys.exc_info()[2]), getattr(e, '__notes__', None))\n    logging.exception('x')\n"
    "sys.exit(2)",
    "stacks in the middle of a gradient": BEGIN + "import traceback\n@tf.custom_gradient\ndef f(x):\n"
    "    def backward(d):\n        print([frame.name for frame in traceback.extract_stack()"
    " if frame.filename == __file__])\n        return d\n    return x * 1.0, backward\n"
    "with tf.GradientTape() as t:\n    y = f(w)\nt.gradient(y, w)",
    "threads with tapes": BEGIN + "import threading\ndef work():\n    for _ in range(5):\n"
    "        with tf.GradientTape() as t:\n            y = w * w\n        t.gradient(y, w)\n"
    "threads = [threading.Thread(target=work) for _ in range(4)]\n[t.start() for t in threads]\n"
    "[t.join() for t in threads]\nprint('all')",
    "handlers with tapes": BEGIN + "import atexit\n@atexit.register\ndef f():\n    with tf.GradientTape() as t:\n"
    "        y = w * w\n    print(t.gradient(y, w))",
    "a mock in place of the tape": BEGIN
    + "from unittest import mock\nwith mock.patch('tensorflow.GradientTape') as m:\n"
    "    with tf.GradientTape() as t: pass\n    print(m.called)\nwith tf.GradientTape() as t:\n    y = w * w\n"
    "print(t.gradient(y, w))",
    "tfgrad used by the script": BEGIN + "import tfgrad as tg\nwith tg.Tape() as t:\n    y = tf.round(w)\n"
    "t.gradient(y, w)\nprint(t.explain())\nwith tg.diagnose('ignore') as d:\n    with tg.Tape() as t:\n"
    "        y = tf.round(w)\n    t.gradient(y, w)\nprint(d, tg.grad(lambda x: x * x)(3.0))",
    "an error of tfgrad": "import tfgrad as tg\ntg.grad(lambda x: x * x)('a')",
    "a summary": BEGIN + "writer = tf.summary.create_file_writer('logs')\nwith writer.as_default():\n"
    "    tf.summary.scalar('a', 1.0, step=1)\nprint(len(os.listdir('logs')))",
    "a profile": BEGIN + "tf.profiler.experimental.start('prof')\nwith tf.GradientTape() as t:\n    y = w * w\n"
    "print(t.gradient(y, w))\ntf.profiler.experimental.stop()\nprint(os.listdir('prof'))",
    "callbacks and saved models": BEGIN + MODEL + "model.compile('adam', 'mse')\nmodel.fit(x, y, epochs=2, verbose=0, "
    "callbacks=[keras.callbacks.TensorBoard('logs'), keras.callbacks.ModelCheckpoint('{epoch}.keras'), "
    "keras.callbacks.CSVLogger('log.csv'), keras.callbacks.TerminateOnNaN()])\nprint(open('log.csv').read())\n"
    "model.save('m.keras')\nmodel.save_weights('m.weights.h5')\ntf.train.Checkpoint(model=model).save('ck/x')\n"
    "again = keras.models.load_model('m.keras')\nprint(np.array_equal(again(x), model(x)))\n"
    "model.export('exported', verbose=False)\nprint(tf.saved_model.load('exported').serve(x)[:2])",
    "a strategy": BEGIN
    + MODEL.replace(
        "\nmodel",
        "\nstrategy = tf.distribute.MirroredStrategy()\nwith strategy.scope():\n    v = tf.Variable(2.0)\n    model",
    ).replace("\nx, y", "\n    model.compile('sgd', 'mse')\nx, y")
    + "print(model.fit(x, y, verbose=0).history)\ndef one():\n    with tf.GradientTape() as t:\n        z = v * v\n"
    "    v.assign_sub(0.1 * t.gradient(z, v))\n@tf.function\ndef f():\n    strategy.run(one)\n"
    "f()\nf()\nprint(v.numpy())",
}
FOUND = {
    "a fault with threads": BEGIN + STEP + "import threading\nthreading.Thread(target=lambda: exec(step)).start()\n",
    "a thread that goes on for ever": BEGIN
    + STEP
    + "import threading, time\ndef work():\n    while True:\n        exec(step)\n"
    "threading.Thread(target=work, daemon=True).start()\ntime.sleep(1.5)",
    "a thread that comes late": BEGIN
    + STEP
    + "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.3), "
    "exec(step))).start()",
    "files and objects at the end": BEGIN + STEP + "f = open('data', 'w')\nf.write('kept')\nexec(step)\nclass A:\n"
    "    def __del__(self):\n        print('gone')\na = A()\nimport atexit\natexit.register(lambda: print('handler'))",
    "numerics checked": BEGIN + STEP + "tf.debugging.enable_check_numerics()\nexec(step)\ntry:\n    tf.sqrt(-w)\n"
    "except Exception as e:\n    print(type(e))",
    "a patched method": BEGIN + STEP + "plain = tf.GradientTape.gradient\ndef gradient(self, *args, **options):\n"
    "    print('patched')\n    return plain(self, *args, **options)\ntf.GradientTape.gradient = gradient\nexec(step)",
    "a tape from where it is made": BEGIN + STEP + "from tensorflow.python.eager import backprop\n"
    "exec(step.replace('tf.G', 'backprop.G'))\n"
    "print(isinstance(t, tf.GradientTape), isinstance(t, backprop.GradientTape))",
    "a subclass of it": BEGIN
    + STEP
    + "from tensorflow.python.eager.backprop import GradientTape\nclass Mine(GradientTape):\n"
    "    pass\ntf.GradientTape = Mine\nexec(step)\nprint(type(t).__name__)",
    "a recursion too deep": BEGIN
    + STEP
    + "def f():\n    with tf.GradientTape() as t:\n        return f()\ntry:\n    f()\n"
    "except RecursionError:\n    print('deep')\nexec(step)",
}
_VOLATILE = re.compile(r"0x[0-9a-f]{6,}|__inference_\w+_\d+")
# The frames below a script that is run in a forked child.
_BELOW = re.compile(r'  File ".*\b(?:forked|program)\.py", line .*\n\n')


def tidy(text: str) -> str:
    return _VOLATILE.sub("0x", _BELOW.sub("", text))


def both(server: forked.Server, folder: Path, text: str) -> tuple[forked.Done, forked.Done, str]:
    """The plain run, the run under the doctor, each in a folder of its own; the report."""
    ended = []
    for name, words in (("plain", []), ("doctor", ["doctor"])):
        here = folder / name
        here.mkdir()
        (here / "script.py").write_text(text, encoding="utf-8")
        done = server.run([*words, "script.py"], here)
        ended.append(forked.Done(done.code, *(tidy(said.replace(str(here), "HERE")) for said in (done.out, done.err))))
    err, mark, report = ended[1].err.partition("--- tfgrad doctor:")
    return ended[0], forked.Done(ended[1].code, ended[1].out, err), mark + report


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_has_what_it_has_without_the_doctor(name: str, server: forked.Server, tmp_path: Path) -> None:
    plain, done, report = both(server, tmp_path, SCRIPTS[name])
    assert done == plain
    assert report


@pytest.mark.parametrize("name", FOUND)
def test_a_fault_is_found_and_all_else_left(name: str, server: forked.Server, tmp_path: Path) -> None:
    plain, done, report = both(server, tmp_path, FOUND[name])
    assert (done.out, done.err) == (plain.out, plain.err)
    assert (plain.code, done.code) == (0, 1)
    assert "nondifferentiable-op" in report
