from collections.abc import Callable
from typing import Any

import tensorflow as tf


def converted(f: Callable[..., Any]) -> Callable[..., Any]:
    """f as AutoGraph would call it here: converted while a `tf.function` is traced, else f itself.

    Source: `tf.__internal__.autograph.tf_convert`, made for higher-order functions (TensorFlow 2.16 to 2.21).
    """
    if tf.executing_eagerly():
        return f
    autograph = tf.__internal__.autograph
    context = autograph.control_status_ctx()
    return autograph.tf_convert(f, context) if context.status.name == "ENABLED" else f


def unconverted(f: Callable[..., Any]) -> Callable[..., Any]:
    """f marked so that AutoGraph calls it as it is, and still converts what it calls through `converted`.

    `tf.autograph.experimental.do_not_convert` would also switch AutoGraph off in the user's function below.
    Source: `autograph_artifact` in tensorflow/python/autograph/impl/api.py (TensorFlow 2.16 to 2.21).
    """
    f.autograph_info__ = None  # type: ignore[attr-defined]
    return f
