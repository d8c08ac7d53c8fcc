"""The checks inside `strategy.run`, eagerly, in a `tf.function` and under `jit`: every answer of every replica."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf
from replica_batch import IDS, Held, X, Y
from replica_checks import CHECKS, Check

import tfgrad as tg

HOW: dict[str, Any] = {"eager": lambda f: f, "traced": tf.function, "jitted": tg.jit}


def what_is_wrong(strategy: Any, hows: Iterable[str]) -> dict[str, str]:
    """What is wrong with each check; "" where nothing is."""
    replicas = Replicas(strategy)
    found = {"Variables are mirrored": replicas.what_is_wrong_with_variables()}
    for check in CHECKS:
        for how in hows:
            found[f"{check.name}, {how}"] = replicas.outcome(check, HOW[how])
    return found


class Replicas:
    """A strategy, Variables made in its scope, and the part of the batch that each replica has."""

    def __init__(self, strategy: Any) -> None:
        self._strategy = strategy
        with strategy.scope():
            self._held = Held()
        self._parts = [
            strategy.experimental_distribute_values_from_function(lambda context, whole=whole: _part(context, whole))
            for whole in (X, Y, IDS)
        ]

    def what_is_wrong_with_variables(self) -> str:
        variables = tf.nest.flatten([self._held.variables, self._held.made, self._held.module.trainable_variables])
        return "" if all(len(self._local(v)) == len(self._local(self._parts[0])) for v in variables) else "one for all"

    def outcome(self, check: Check, how: Any) -> str:
        """What is wrong with one check."""
        try:
            return self._difference(check, how)
        except Exception:  # noqa: BLE001  whatever a transform raises in a replica is what the check found
            return traceback.format_exc()

    def _difference(self, check: Check, how: Any) -> str:
        expected = [np.asarray(leaf) for leaf in tf.nest.flatten(check.whole(X, Y, IDS))]
        for found in self._answers(check, how):
            if len(found) != len(expected):
                return f"{len(found)} leaves for {len(expected)}"
            for got, wanted in zip(found, expected, strict=True):
                if got.shape != wanted.shape or not np.allclose(got, wanted, rtol=1e-5, atol=1e-6):
                    return f"got {got.tolist()}, expected {wanted.tolist()}"
        return ""

    def _answers(self, check: Check, how: Any) -> list[list[Any]]:
        """The leaves that each replica of this process got."""

        def replica(x: Any, y: Any, ids: Any) -> Any:
            answer = check.local(self._held, x, y, ids)
            context = tf.distribute.get_replica_context()
            if check.together == "sum":
                return context.all_reduce(tf.distribute.ReduceOp.SUM, answer)
            return context.all_gather(answer, axis=0) if check.together == "rows" else answer

        def everywhere(*parts: Any) -> Any:
            return self._strategy.run(replica, args=tuple(parts))

        self._held.set_back()
        found = how(everywhere)(*self._parts)
        leaves = [self._local(leaf) for leaf in tf.nest.flatten(found)]
        return [[leaf.numpy() for leaf in of_replica] for of_replica in zip(*leaves, strict=True)]

    def _local(self, distributed: Any) -> Any:
        return self._strategy.experimental_local_results(distributed)


def _part(context: Any, whole: Any) -> Any:
    rows = len(whole) // context.num_replicas_in_sync
    start = context.replica_id_in_sync_group * rows
    return tf.constant(whole[start : start + rows])
