"""Two workers of a MultiWorkerMirroredStrategy under the doctor: each reports with its rank, and none hangs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

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


CRASH = SCRIPT.replace(
    "for _ in range(2):\n    total = run()\n",
    """\
run()
print("rank", rank, flush=True)
if rank == 1:
    raise RuntimeError("worker 1 fails")
run()
""",
).replace('print("rank", rank, float(total[0]) > 0)\n', "")


def run(script: str, folder: Path) -> list[tuple[int, str, str, dict[str, Any]]]:
    """What both workers left behind: exit code, output, errors, the report as JSON."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = [f"127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]
    for listener in listeners:
        listener.close()
    (folder / "train.py").write_text(script, encoding="utf-8")
    command = [sys.executable, "-m", "tfgrad", "doctor", "--json", "report.json", "train.py"]
    workers = [
        subprocess.Popen(
            command,
            cwd=folder,
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
        said = [worker.communicate(timeout=400) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    reports = [json.loads((folder / f"report.worker-{i}.json").read_text(encoding="utf-8")) for i in range(2)]
    return [(worker.returncode, *text, report) for worker, text, report in zip(workers, said, reports, strict=True)]


def found(report: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(p["path"], p["symptom"], p["cause"]) for p in report["problems"]}


FAULTS = {("w", "nonfinite", "singular-point"), ("v", "none", "nondifferentiable-op")}


@pytest.mark.slow
def test_each_of_two_workers_reports_with_its_rank(tmp_path: Path) -> None:
    for i, (code, out, err, report) in enumerate(run(SCRIPT, tmp_path)):
        assert out == f"rank {i} True\n", err
        assert code == 1
        assert f"worker {i} of 2" in err
        assert report["worker"] == {"type": "worker", "index": i, "count": 2}
        assert found(report) == FAULTS


@pytest.mark.slow
def test_when_one_worker_fails_both_report_and_none_hangs(tmp_path: Path) -> None:
    """The other one waits until TensorFlow finds it gone, some seconds with or without the doctor."""
    for i, (code, out, err, report) in enumerate(run(CRASH, tmp_path)):
        assert out == f"rank {i}\n", err
        assert code == report["exit"] == 1
        own, _, told = err.partition("--- tfgrad doctor: ")
        assert ("RuntimeError: worker 1 fails" if i == 1 else "Collective ops is aborted") in own
        assert f"worker {i} of 2" in told
        assert found(report) == FAULTS
