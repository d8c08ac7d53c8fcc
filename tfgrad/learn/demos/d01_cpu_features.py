"""This build of TensorFlow is compiled for a part of what this CPU can do; its Eigen and oneDNN kernels pick the
fastest instructions when they run."""

import tensorflow as tf

from tfgrad.learn import processor, startup


def experiment():
    said = startup.messages()  # by import tensorflow
    yield "TensorFlow", tf.version.VERSION
    line = processor.spoken(said, "cpu_feature_guard")
    yield "it said", line
    cpu = processor.has()
    yield "this CPU has", " ".join(cpu)
    unused = processor.unused(said)
    if unused is None:
        yield (
            "the build uses",
            "TensorFlow does not say",
        )
    else:
        used = [
            name for name in cpu if name not in unused
        ]
        yield "the build uses", " ".join(used)
        yield (
            "its kernels may use",
            " ".join(used + unused),
        )
        known = [
            n for n in unused if processor.asks_for(n)
        ]
        for name in known:
            yield f"this CPU has {name}", name in cpu

    yield "oneDNN", processor.spoken(said, "oneDNN")
    x = tf.ones([64, 64])
    product = tf.matmul(x, x)[0, :4]
    yield "the kernels multiply right", product == 64
