"""gradient() raises because of what it was given, or because a custom rule is wrong."""

import keras
import tensorflow as tf


def loss_function_returns_nothing(Tape):
    """error: bad-argument"""
    w = tf.Variable([1.0, 2.0])

    def loss_fn():
        tf.reduce_sum(w**2)

    with Tape() as tape:
        loss = loss_fn()
    try:
        tape.gradient(loss, w)  # HERE
    except TypeError:
        return tape.explain(loss, w)
    return None


def model_instead_of_its_variables(Tape):
    """error: bad-argument"""
    model = keras.Sequential([keras.layers.Dense(1)])
    x = tf.ones((2, 3))
    model(x)
    with Tape() as tape:
        loss = tf.reduce_mean(model(x))
    try:
        tape.gradient(loss, model)  # HERE
    except (AttributeError, TypeError, ValueError):
        return tape.explain(loss, model)
    return None


def bias_that_is_none(Tape):
    """error: bad-argument"""
    dense = keras.layers.Dense(2, use_bias=False)
    x = tf.ones((2, 3))
    dense(x)
    with Tape() as tape:
        loss = tf.reduce_sum(dense(x))
    try:
        tape.gradient(loss, [dense.kernel, dense.bias])  # HERE
    except (AttributeError, TypeError):
        return tape.explain(loss, [dense.kernel, dense.bias])
    return None


def name_of_the_variable(Tape):
    """error: bad-argument"""
    w = tf.Variable([1.0, 2.0], name="w")
    with Tape() as tape:
        loss = tf.reduce_sum(w**2)
    try:
        tape.gradient(loss, "w")  # HERE
    except TypeError:
        return tape.explain(loss, "w")
    return None


def learning_rate_among_the_sources(Tape):
    """error: bad-argument"""
    w, lr = tf.Variable([1.0, 2.0]), 0.01
    with Tape() as tape:
        loss = tf.reduce_sum((w - lr) ** 2)
    sources = {"w": w, "lr": lr}
    try:
        tape.gradient(loss, sources)  # HERE
    except (AttributeError, TypeError):
        return tape.explain(loss, sources)
    return None


def closure_not_called(Tape):
    """error: bad-argument"""
    w = tf.Variable([1.0, 2.0])
    with Tape() as tape:

        def loss():
            return tf.reduce_sum(w**2)

    try:
        tape.gradient(loss, w)  # HERE
    except (AttributeError, TypeError):
        return tape.explain(loss, w)
    return None


def layer_output_as_the_source(Tape):
    """error: symbolic-tensor"""
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(4, activation="relu")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(hidden))
    x = tf.ones((1, 3))
    with Tape() as tape:
        scores = model(x)[:, 0]
    maps = model.layers[1].output
    try:
        tape.gradient(scores, maps)  # HERE
    except (AttributeError, TypeError, ValueError):
        return tape.explain(scores, maps)
    return None


def model_output_as_the_target(Tape):
    """error: symbolic-tensor"""
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    x = tf.ones((1, 3))
    with Tape() as tape:
        model(x)
    try:
        tape.gradient(model.output, model.trainable_variables)  # HERE
    except (AttributeError, TypeError, ValueError):
        return tape.explain(model.output, model.trainable_variables)
    return None


def inputs_and_weights_mixed(Tape):
    """error: symbolic-tensor"""
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    with Tape() as tape:
        loss = tf.reduce_mean(model(tf.ones((4, 2))) ** 2)
    sources = [*model.trainable_variables, model.input]
    try:
        tape.gradient(loss, sources)  # HERE
    except (AttributeError, TypeError, ValueError):
        return tape.explain(loss, sources)
    return None


def watching_the_symbolic_input(Tape):
    """error: symbolic-tensor"""
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    try:
        with Tape() as tape:
            tape.watch(model.input)  # HERE
            out = model(tf.ones((4, 2)))
    except (AttributeError, TypeError, ValueError):
        return tape.explain(model.output, model.input)
    return tape, out, model.input


def one_gradient_too_many(Tape):
    """error: custom-gradient"""

    @tf.custom_gradient
    def double(x):
        def grad(dy):  # HERE
            return 2.0 * dy, dy  # HERE

        return 2.0 * x, grad

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        loss = tf.reduce_sum(double(x) ** 2)
    return tape, loss, x


def two_outputs_one_upstream(Tape):
    """error: custom-gradient"""

    @tf.custom_gradient
    def sin_cos(x):
        def grad(dy):  # HERE
            return dy * tf.cos(x)

        return (tf.sin(x), tf.cos(x)), grad

    x = tf.Variable([0.1, 0.2])
    with Tape() as tape:
        s, c = sin_cos(x)
        loss = tf.reduce_sum(s * c)
    return tape, loss, x


def empty_list_from_the_rule(Tape):
    """error: custom-gradient"""

    @tf.custom_gradient
    def probe(x, label):
        def grad(dy):  # HERE
            return []  # HERE

        return x + 0.0 * label, grad

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = tf.reduce_sum(probe(x * 2.0, tf.constant([1.0, 0.0])))
    return tape, y, x


def variables_of_the_rule_forgotten(Tape):
    """error: custom-gradient"""
    scale = tf.Variable(2.0)

    @tf.custom_gradient
    def scaled(x):
        def grad(dy, variables=None):  # HERE
            return dy * scale, []  # HERE

        return x * scale, grad

    x = tf.Variable([1.0, 3.0])
    with Tape() as tape:
        loss = tf.reduce_sum(scaled(x))
    return tape, loss, [x, scale]


def rule_of_the_wrong_shape(Tape):
    """error: custom-gradient"""

    @tf.custom_gradient
    def summed(x):
        def grad(dy):  # HERE
            return tf.reduce_sum(dy) * tf.ones((3, 3))  # HERE

        return tf.reduce_sum(x, axis=1), grad

    w = tf.Variable([[1.0, 2.0]])
    x = tf.ones((4, 1))
    with Tape() as tape:
        h = x @ w
        loss = tf.reduce_sum(summed(h))
    return tape, loss, w
