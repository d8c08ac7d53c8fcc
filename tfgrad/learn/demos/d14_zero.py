"""Far out, a sigmoid is flat: its slope is 0 in float32, and so is the gradient of everything before it. A loss that
takes the logits keeps it."""

import tensorflow as tf

import tfgrad


def experiment():
    logit = tf.Variable(200.0)
    with tfgrad.Tape() as tape:
        p = tf.sigmoid(logit)
        loss = (p - 0.0) ** 2
    g = tape.gradient(loss, logit)
    yield "loss", loss
    yield "gradient == 0", g == 0.0

    found = tape.explain(loss, logit)
    yield "cause", found.cause
    yield "explain says", str(found)

    entropy = tf.nn.sigmoid_cross_entropy_with_logits
    with tfgrad.Tape() as tape:
        loss = entropy(labels=0.0, logits=logit)
    g = tape.gradient(loss, logit)
    yield "from the logit", g
    yield "gradient == 1", g == 1.0
