"""What every test shares: seeds, and two logical CPUs for the tests of replicas."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf


def pytest_configure() -> None:
    """Two logical CPUs, asked for before TensorFlow's first operation; a fault inside explain() raised, not told."""
    os.environ["TFGRAD_STRICT"] = "1"
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    np.random.seed(0)
    tf.random.set_seed(0)
