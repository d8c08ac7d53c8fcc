"""Questions about an object that the target was not computed from."""

import keras
import tensorflow as tf


def _small_cnn():
    inputs = keras.Input((6, 6, 1))
    h = keras.layers.Conv2D(2, 3, name="conv")(inputs)
    out = keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(h))
    return keras.Model(inputs, out)


def same_name_reshaped_inside(Tape):
    """none: rebound"""
    x = tf.constant([1.0, 2.0, 3.0, 4.0])
    with Tape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x**3)
        x = tf.reshape(x, [2, 2])  # HERE
    tape.gradient(y, x)
    return tape.explain(y, x)


def normalised_copy_asked_about(Tape):
    """none: rebound | unconnected"""
    w = tf.Variable([3.0, 4.0])
    with Tape() as tape:
        unit = w / tf.norm(w)  # HERE
        loss = tf.reduce_sum(tf.sin(w))
    return tape, loss, unit


def layer_called_a_second_time(Tape):
    """none: rebound"""
    model = _small_cnn()
    image = tf.random.normal((1, 6, 6, 1))
    with Tape() as tape:
        scores = model(image)
        maps = model.get_layer("conv")(image)  # HERE
        tape.watch(maps)
        top = scores[:, 0]
    return tape, top, maps


def extractor_beside_the_model(Tape):
    """none: rebound"""
    model = _small_cnn()
    extractor = keras.Model(model.input, model.get_layer("conv").output)
    image = tf.random.normal((1, 6, 6, 1))
    with Tape() as tape:
        maps = extractor(image)  # HERE
        scores = model(image)
        top = tf.reduce_max(scores)
    return tape, top, maps


def slice_made_for_the_question(Tape):
    """none: rebound"""
    table = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    with Tape() as tape:
        loss = tf.reduce_sum(table**2)
        row = table[0]  # HERE
    return tape, loss, row


def unstacked_after_the_loss(Tape):
    """none: rebound"""
    xy = tf.constant([[0.1, 0.2], [0.3, 0.4]])
    with Tape() as tape:
        tape.watch(xy)
        u = tf.reduce_sum(tf.sin(xy[:, 0]) * xy[:, 1])
        x, y = tf.unstack(xy, axis=1)  # HERE
    return tape, u, [x, y]


def embedding_looked_up_twice(Tape):
    """none: rebound"""
    emb = keras.layers.Embedding(8, 3)
    head = keras.layers.Dense(1)
    ids = tf.constant([[1, 2, 3]])
    model = keras.Sequential([emb, keras.layers.Flatten(), head])
    model(ids)
    with Tape() as tape:
        vectors = emb(ids)  # HERE
        tape.watch(vectors)
        logit = model(ids)
    return tape, logit, vectors


def hidden_states_recomputed_by_layers(Tape):
    """none: rebound"""
    model = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)])
    x = tf.random.normal((3, 5))
    model(x)
    with Tape(persistent=True) as tape:
        out = model(x)
        hidden = model.layers[0](x)  # HERE
        loss = tf.reduce_sum(out)
    return tape, loss, hidden


def step_updates_the_name_in_the_block(Tape):
    """none: rebound"""
    pos, vel = tf.constant([1.0, 0.0]), tf.constant([0.0, 1.0])
    with Tape() as tape:
        tape.watch(pos)
        energy = tf.reduce_sum(pos**2)
        pos = pos + 0.1 * vel  # HERE
    tape.gradient(energy, pos)
    return tape.explain(energy, pos)
