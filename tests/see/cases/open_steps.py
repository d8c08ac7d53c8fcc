"""The same faults where people meet them: in a Keras train_step, while tracing, in a training loop."""

import keras
import tensorflow as tf


def _fit(model, eager=False):
    model.compile(optimizer="sgd", run_eagerly=eager)
    model.fit(tf.ones((4, 2)), tf.zeros((4, 1)), batch_size=4, verbose=0)


def rounded_prediction_in_a_train_step(Tape):
    """none: nondifferentiable-op"""
    box = []

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            with Tape() as tape:
                guess = tf.round(self(x))  # HERE
                loss = tf.reduce_mean((guess - y) ** 2)
            tape.gradient(loss, self.trainable_variables)
            box.append(tape.explain(loss, self.trainable_variables))
            return {"loss": loss}

    _fit(Model())
    return box[0]


def adversarial_input_in_a_train_step(Tape):
    """none: unwatched"""
    box = []

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            with Tape() as tape:
                pred = self(x)  # HERE
                loss = tf.reduce_mean((pred - y) ** 2)
            tape.gradient(loss, x)
            box.append(tape.explain(loss, x))
            return {"loss": loss}

    _fit(Model())
    return box[0]


def loss_beside_the_block_in_a_train_step(Tape):
    """none: outside-tape"""
    box = []

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            with Tape() as tape:
                pred = self(x)
            loss = tf.reduce_mean(tf.square(pred - y))  # HERE
            tape.gradient(loss, self.trainable_variables)
            box.append(tape.explain(loss, self.trainable_variables))
            return {"loss": loss}

    _fit(Model())
    return box[0]


def float_loss_in_an_eager_train_step(Tape):
    """none: left-tensorflow"""
    box = []

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            with Tape() as tape:
                err = (self(x) - y).numpy()  # HERE
                loss = tf.reduce_mean(err**2)
            tape.gradient(loss, self.trainable_variables)
            box.append(tape.explain(loss, self.trainable_variables))
            return {"loss": loss}

    _fit(Model(), eager=True)
    return box[0]


def second_layer_never_reached_in_a_train_step(Tape):
    """none: unconnected"""
    box = []

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)
            self.spare = keras.layers.Dense(1)
            self.spare.build((None, 2))

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            with Tape() as tape:
                loss = tf.reduce_mean((self(x) - y) ** 2)
            tape.gradient(loss, self.trainable_variables)
            box.append(tape.explain(loss, self.trainable_variables))
            return {"loss": loss}

    _fit(Model())
    return box[0]


def hard_mask_while_tracing(Tape):
    """none: nondifferentiable-op"""
    gate, box = tf.Variable([0.2, 0.8]), []

    @tf.function
    def step(x):
        with Tape() as tape:
            on = tf.cast(tf.sigmoid(gate) > 0.5, tf.float32)  # HERE
            loss = tf.reduce_sum(on * x)
        g = tape.gradient(loss, gate)
        box.append(tape.explain(loss, gate))
        return loss

    step(tf.constant([1.0, 2.0]))
    return box[0]


def smooth_upsampling_twice(Tape):
    """none: higher-order | nondifferentiable-op | error: no-gradient-registered"""
    x = tf.Variable(tf.random.normal((1, 2, 2, 1)))
    with Tape() as outer:
        with Tape() as inner:
            up = tf.image.resize(x, (4, 4))  # HERE
            loss = tf.reduce_sum(up)
        g = inner.gradient(loss, x)  # HERE
        penalty = tf.reduce_sum(g**2)
    return outer, penalty, x


def curriculum_loop_that_rebinds_the_weights(Tape):
    """none: unwatched"""
    params = [tf.Variable([[1.0], [1.0]]), tf.Variable([0.0])]
    x = tf.ones((3, 2))
    for _ in range(2):
        with Tape() as tape:
            pred = x @ params[0] + params[1]  # HERE
            loss = tf.reduce_mean((pred - 1.0) ** 2)
        grads = tape.gradient(loss, params)
        if grads[0] is not None:
            params = [p - 0.1 * g for p, g in zip(params, grads)]
    return tape.explain(loss, params)


def value_stopped_in_a_pinn_loss(Tape):
    """none: stop-gradient"""
    net = keras.Sequential([keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
    t = tf.constant([[0.1], [0.4]])
    net(t)

    def weighted(u):
        w = tf.stop_gradient(tf.exp(-u))  # HERE
        return tf.reduce_mean(w)

    with Tape() as tape:
        u = net(t)
        loss = weighted(u)
    return tape, loss, net.trainable_variables


def losses_collected_as_numbers(Tape):
    """none: left-tensorflow"""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    batches = [tf.ones((2, 2)), tf.zeros((2, 2)) + 0.5]
    with Tape() as tape:
        history = []
        for b in batches:
            history.append(tf.reduce_mean(model(b) ** 2).numpy())  # HERE
        loss = tf.reduce_mean(history)
    return tape, loss, model.trainable_variables[0]
