"""Programs whose fault lies where nothing was recorded: it is told from the names in the source."""

import numpy as np
import tensorflow as tf


class Line(tf.Module):
    """A line through the origin and an offset."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable([[2.0]])
        self.b = tf.Variable([0.5], trainable=False)

    @tf.function
    def __call__(self, x):
        return x @ self.w + self.b

    def slope(self, x):
        return x @ self.w


def _squares(wanted, predicted):
    return tf.reduce_mean(tf.square(wanted - predicted))


X, Y = tf.constant([[1.0], [2.0]]), tf.constant([[3.0], [5.0]])


def the_model_ran_before_the_tape_and_its_output_is_an_argument(Tape):
    """none: outside-tape"""
    model = Line()

    def train(model, x, y):
        predicted = model.slope(x)  # HERE
        with Tape() as tape:
            loss = _squares(y, predicted)
        tape.gradient(loss, [model.w])
        return tape.explain()

    return train(model, X, Y)


def a_tensor_is_asked_about_that_the_used_one_was_made_from_before_the_tape(Tape):
    """none: outside-tape"""
    image = tf.random.stateless_normal([4, 4], [1, 2])
    rolled = tf.roll(image, shift=1, axis=0)  # HERE
    with Tape() as tape:
        tape.watch(rolled)
        loss = tf.reduce_sum(rolled[:2] ** 2)
    tape.gradient(loss, image)
    return tape.explain()


def the_model_is_called_inside_a_numpy_function(Tape):
    """none: left-tensorflow"""
    model = Line()
    with Tape() as tape:
        predicted = tf.numpy_function(lambda x: model.slope(x).numpy(), [X], tf.float32)  # HERE
        loss = _squares(Y, predicted)
    tape.gradient(loss, model.w)
    return tape.explain()


def predict_is_given_a_watched_tensor(Tape):
    """none: left-tensorflow"""
    model = tf.keras.Sequential([tf.keras.Input([1]), tf.keras.layers.Dense(1)])
    x = X + 0.0
    with Tape() as tape:
        tape.watch(x)
        predicted = model.predict(x, verbose=0)  # HERE
        loss = _squares(Y, predicted)
    tape.gradient(loss, x)
    return tape.explain()


def an_array_goes_to_a_loss_that_has_another_name_here(Tape):
    """none: left-tensorflow"""
    model = Line()

    def train(model, loss_fn):
        with Tape() as tape:
            predicted = model(X)
            loss = loss_fn(Y, predicted.numpy())  # HERE
        tape.gradient(loss, model.w)
        return tape.explain()

    return train(model, _squares)


def a_variable_that_is_not_trainable_is_used_inside_a_function(Tape):
    """none: not-trainable"""
    model = Line()
    with Tape() as tape:
        loss = _squares(Y, model(X))
    tape.gradient(loss, [model.w, model.b])
    return tape.explain(loss, model.b)


def the_target_belongs_to_another_tape(Tape):
    """none: outside-tape"""
    first, second = tf.Variable(1.0), tf.Variable(2.0)
    with Tape() as other:
        loss = first**2  # HERE
    with Tape() as tape:
        second * 2.0
    other.gradient(loss, first)
    tape.gradient(loss, second)
    return tape.explain()


def an_integer_variable_is_made_in_another_method(Tape):
    """none: integer-dtype"""

    class Scale:
        def __init__(self):
            self.factor_of_ten = tf.Variable(10)  # HERE

        def __call__(self, x):
            return x * tf.cast(self.factor_of_ten, tf.float32)

    scale = Scale()
    with Tape() as tape:
        loss = tf.reduce_sum(scale(X))
    tape.gradient(loss, scale.factor_of_ten)
    return tape.explain()


def numbers_read_in_a_long_loop_do_not_hide_the_line_after_the_block(Tape):
    """none: outside-tape"""
    w = tf.Variable([0.3, 0.7])
    parts, state = [], 1.0
    with Tape() as tape:
        for _ in range(20):
            p = tf.nn.softmax(w * state)
            state = float(np.sum(p) / 2.0) + 0.37 * float(p[0])
            parts.append(tf.math.log(p[0]))
    loss = sum(parts)  # HERE
    tape.gradient(loss, w)
    return tape.explain()


class Dense(tf.keras.Model):
    """A model with a call of its own."""

    def __init__(self, name):
        super().__init__(name=name)
        self.inner = tf.keras.layers.Dense(1, name="inner")

    def call(self, x):
        return tf.tanh(self.inner(x))


def the_twin_of_a_model_is_used(Tape):
    """none: unconnected"""
    online, target = (tf.keras.Sequential([tf.keras.Input([1]), tf.keras.layers.Dense(3)]) for _ in range(2))
    with Tape() as tape:
        values = target(X)  # HERE
        loss = tf.reduce_mean(values**2)
    tape.gradient(loss, online.trainable_variables)
    return tape.explain()


def the_variables_of_another_model_are_asked_about_in_a_traced_step(Tape):
    """none: unconnected"""
    actor, critic = Dense("actor"), tf.keras.Sequential([tf.keras.Input([1]), tf.keras.layers.Dense(3)])
    actor(X)
    found = []

    @tf.function
    def step(x):
        with Tape() as tape:
            loss = tf.reduce_mean(critic(x) ** 2)
        tape.gradient(loss, actor.trainable_variables)  # HERE
        found.append(tape.explain())
        return loss

    step(X)
    return found[0]


def the_line_to_move_calls_the_model_and_is_not_inside_it(Tape):
    """none: outside-tape"""
    model = Dense("outside")
    model(X)
    found = []

    @tf.function
    def step(x):
        predicted = model(x)  # HERE
        with Tape() as tape:
            loss = _squares(Y, predicted)
        tape.gradient(loss, model.trainable_variables)
        found.append(tape.explain())
        return loss

    with Tape():
        step(X)
    return found[0]


def an_inner_loop_runs_under_stop_recording(Tape):
    """none: outside-tape"""
    w = tf.Variable([[2.0]])

    def updated(w):
        with Tape() as inner:
            loss = _squares(Y, X @ w)
        return w - 0.1 * inner.gradient(loss, w)

    with Tape() as outer:
        with outer.stop_recording():
            fast = updated(w)  # HERE
        loss = _squares(Y, X @ fast)
    outer.gradient(loss, w)
    return outer.explain()


def a_second_derivative_is_asked_after_the_block_of_a_persistent_tape(Tape):
    """none: higher-order"""
    found = []

    @tf.function
    def residual(x):
        with Tape(persistent=True) as tape:
            tape.watch(x)
            u = tf.sin(x * 2.0)
        first = tape.gradient(u, x)  # HERE
        second = tape.gradient(first, x)
        found.append(tape.explain())
        return first if second is None else second

    with Tape():
        residual(X)
    return found[0]
