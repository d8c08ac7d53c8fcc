"""Two workers of a MultiWorkerMirroredStrategy under the doctor: each reports with its rank, and none hangs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """\
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import json
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
rank = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
with strategy.scope():
    w, v = tf.Variable([2.0, 0.0], name="w"), tf.Variable([1.0], name="v")

@tf.function
def run():
    return strategy.run(one)

def one():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sqrt(w)) + tf.reduce_sum(tf.round(v))
    gradient = tape.gradient(loss, [w, v])[0]
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradient)

for _ in range(2):
    total = run()
print("rank", rank, float(total[0]) > 0)
"""


@pytest.mark.slow
def test_each_of_two_workers_reports_with_its_rank(tmp_path: Path) -> None:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = [f"127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]
    for listener in listeners:
        listener.close()
    (tmp_path / "train.py").write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, "-m", "tfgrad", "doctor", "--json", "report.json", "train.py"]
    workers = [
        subprocess.Popen(
            command,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "no_grpc_proxy": "127.0.0.1",
                "TF_CONFIG": json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}}),
            },
        )
        for i in range(2)
    ]
    try:
        said = [worker.communicate(timeout=180) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    for i, (worker, (out, err)) in enumerate(zip(workers, said, strict=True)):
        assert out == f"rank {i} True\n", err
        assert worker.returncode == 1
        assert f"worker {i} of 2" in err
        report = json.loads((tmp_path / f"report.worker-{i}.json").read_text(encoding="utf-8"))
        assert {(p["path"], p["symptom"], p["cause"]) for p in report["problems"]} == {
            ("w", "nonfinite", "singular-point"),
            ("v", "none", "nondifferentiable-op"),
        }
