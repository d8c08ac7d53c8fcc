"""Scripts in processes of their own, as somebody would run them: TensorFlow is loaded by the script itself."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path
from subprocess import PIPE, Popen
from sys import executable

import pytest
import spawned

SCRIPTS = Path(__file__).parent / "scripts"
pytestmark = pytest.mark.slow
NUMBER = re.compile(r"__inference_\w+_\d+")


@pytest.mark.parametrize(
    "name", ["bad_norm.py", "bad_outside.py", "bad_log.py"], ids=["fit", "eager loop with an error", "function"]
)
def test_a_real_script_prints_and_ends_as_without_the_doctor(name: str, tmp_path: Path) -> None:
    text = (SCRIPTS / name).read_text(encoding="utf-8")
    plain = spawned.run([str(SCRIPTS / name)], tmp_path)
    done = spawned.run([*spawned.DOCTOR, "--json", "r.json", str(SCRIPTS / name)], tmp_path)
    assert (done.out, NUMBER.sub("", done.err)) == (plain.out, NUMBER.sub("", plain.err))
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    expected = [
        (n, *found[1].split()) for n, line in enumerate(text.splitlines(), 1) if (found := EXPECTED.search(line))
    ]
    told = {(p["where"]["line"], p["symptom"], p["cause"]) for p in report["problems"]}
    assert told == set(expected)
    assert done.code == report["exit"] == (1 if expected else plain.code)
    assert report["watched"]["gradient_calls"] > 0


EXPECTED = re.compile(r"# expect: (\S+ \S+)")
FINE = """
import tensorflow as tf
w = tf.Variable(1.5)
with tf.GradientTape() as tape:
    y = tf.sin(w)
print(tape.gradient(y, w).numpy(), __debug__, __doc__)
"""


GRAPH_ERROR = """
import tensorflow as tf
w = tf.Variable([2.0, 3.0])
@tf.function
def f(i):
    with tf.GradientTape() as tape:
        y = tf.gather(w, i)
    return y, tape.gradient(y, w)
f(tf.constant(0))
f(tf.constant(7))
"""


def test_an_error_while_a_function_runs_is_told_by_tensorflow_in_the_same_words(tmp_path: Path) -> None:
    plain, done = spawned.both({"script.py": GRAPH_ERROR}, ["script.py"], tmp_path)
    assert (plain.code, done.code) == (1, 1)
    assert NUMBER.sub("", done.err) == NUMBER.sub("", plain.err)
    assert 'defined at (most recent call last):\n  File "HERE/script.py"' in done.err
    assert "No gradient problems in" in done.report


@pytest.mark.parametrize("flags", [["-W", "error"], ["-X", "dev"], ["-OO"]], ids=" ".join)
def test_options_of_python_hold_with_tensorflow(flags: list[str], tmp_path: Path) -> None:
    plain, done = spawned.both({"script.py": FINE}, ["script.py"], tmp_path, flags=flags)
    assert done.own == plain.own
    assert plain.code == 0
    assert "No gradient problems in 1 gradient call" in done.report


FIT = """
import keras
import numpy as np
import tensorflow as tf
layers = [keras.Input([1]), keras.layers.Dense(1), keras.layers.Lambda(tf.round), keras.layers.Dense(1)]
model = keras.Sequential(layers)
model.compile("sgd", "mse")
class Say(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs):
        if batch == 2:
            print("training", flush=True)
x = np.ones([1_000_000, 1])
f = open("data", "w")
f.write("kept")
model.fit(x, x, batch_size=1, verbose=0, callbacks=[Say()])
"""


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal of POSIX")
def test_ctrl_c_in_fit_ends_it_by_its_signal_with_a_report(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(FIT, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(spawned.ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [executable, *spawned.DOCTOR, "--json", "r.json", "script.py"]
    with Popen(command, cwd=tmp_path, stdout=PIPE, stderr=PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "training\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGINT
    own, _, told = err.partition(spawned.MARK)
    assert own.rstrip().endswith("KeyboardInterrupt")
    assert f"tfgrad{os.sep}" not in own
    assert "nondifferentiable-op" in told
    assert (tmp_path / "data").read_text(encoding="utf-8") == "kept"
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["exit"] == 130
