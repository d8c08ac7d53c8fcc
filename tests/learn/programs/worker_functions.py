"""Functions for worker processes to run."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def sums(strategy: Any) -> dict[str, Any]:
    index = strategy.cluster_resolver.task_id

    def step() -> Any:
        context = tf.distribute.get_replica_context()
        return context.all_reduce("SUM", (index + 1) * tf.constant([1.0, 10.0]))

    return {"index": index, "sum": strategy.run(step), "name": strategy.cluster_resolver.task_type}


def fails_in_one(strategy: Any) -> dict[str, Any]:
    if strategy.cluster_resolver.task_id == 1:
        raise ValueError("not today")
    return sums(strategy)
