"""All checks on two logical CPUs. A program of its own: logical devices are set before TensorFlow starts.

It prints one line of JSON: what is wrong with each check, "" where nothing is.
"""

from __future__ import annotations

import json
import sys

import replicas
import tensorflow as tf


def main() -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    sys.stdout.write(json.dumps(replicas.what_is_wrong(strategy, replicas.HOW)) + "\n")


if __name__ == "__main__":
    main()
