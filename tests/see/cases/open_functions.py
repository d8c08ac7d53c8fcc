"""Cuts, zeros and NaN born inside tf.function, its loops and branches, and between its outputs."""

import keras
import tensorflow as tf


def feature_map_and_score_of_one_call(Tape):
    """none: function-boundary"""
    conv, head = keras.layers.Conv2D(2, 3), keras.layers.Dense(3)
    image = tf.random.normal((1, 5, 5, 1))
    head(keras.ops.mean(conv(image), axis=(1, 2)))

    @tf.function
    def forward(x):
        maps = conv(x)
        return maps, head(tf.reduce_mean(maps, axis=(1, 2)))

    with Tape() as tape:
        maps, scores = forward(image)  # HERE
        top = scores[:, 0]
    return tape, top, maps


def inner_tensor_in_a_global_list(Tape):
    """none: function-boundary"""
    kept = []

    @tf.function
    def loss_of(x):
        h = tf.tanh(x)
        kept.append(h)
        return tf.reduce_sum(h**2)

    x = tf.Variable([0.1, 0.2])
    with Tape() as tape:
        loss = loss_of(x)  # HERE
    return tape, loss, kept[0]


def dictionary_from_a_module(Tape):
    """none: function-boundary"""

    class Net(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable([[1.0], [2.0]])

        @tf.function
        def __call__(self, x):
            z = x @ self.w
            return {"latent": z, "loss": tf.reduce_mean(z**2)}

    net = Net()
    with Tape() as tape:
        out = net(tf.ones((3, 2)))  # HERE
    return tape, out["loss"], out["latent"]


def states_and_energy_of_a_scan(Tape):
    """none: function-boundary"""

    @tf.function
    def rollout(x):
        xs = tf.TensorArray(tf.float32, 3)
        for i in tf.range(3):
            x = x * 1.5
            xs = xs.write(i, x)
        return xs.stack(), tf.reduce_sum(x**2)

    x0 = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        states, energy = rollout(x0)  # HERE
        loss = energy + 1.0
    return tape, loss, states


def stopped_in_a_while_body(Tape):
    """zero: stop-gradient"""

    @tf.function
    def relax(x):
        for _ in tf.range(3):
            x = tf.stop_gradient(x - 0.1 * x)  # HERE
        return tf.reduce_sum(x)

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = relax(x)
    return tape, y, x


def rounded_in_a_branch(Tape):
    """zero: nondifferentiable-op"""

    @tf.function
    def quantise(x, hard):
        if hard:
            y = tf.round(x * 4.0) / 4.0  # HERE
        else:
            y = x
        return tf.reduce_sum(y)

    x = tf.Variable([0.3, 0.6])
    with Tape() as tape:
        y = quantise(x, tf.constant(True))
    return tape, y, x


def floored_in_a_while_loop(Tape):
    """zero: nondifferentiable-op"""

    @tf.function
    def collatz_like(x):
        while tf.reduce_max(x) > 1.0:
            x = tf.floor(x / 2.0)  # HERE
        return tf.reduce_sum(x)

    x = tf.Variable([9.0, 5.0])
    with Tape() as tape:
        y = collatz_like(x)
    return tape, y, x


def saturated_in_a_nested_function(Tape):
    """zero: saturated"""

    @tf.function
    def squash(v):
        return tf.sigmoid(v * 50.0)  # HERE

    @tf.function
    def loss_of(v):
        p = squash(v)
        return tf.reduce_mean((p - 0.2) ** 2)

    x = tf.Variable([4.0, 6.0])
    with Tape() as tape:
        loss = loss_of(x)
    return tape, loss, x


def clipped_in_a_while_body(Tape):
    """zero: masked"""

    @tf.function
    def walk(x):
        for _ in tf.range(2):
            x = tf.clip_by_value(x * 2.0, -1.0, 1.0)  # HERE
        return tf.reduce_sum(x**2)

    x = tf.Variable([3.0, 5.0])
    with Tape() as tape:
        y = walk(x)
    return tape, y, x


def dead_branch_in_a_cond(Tape):
    """zero: saturated"""

    @tf.function
    def f(x):
        if tf.reduce_mean(x) < 0.0:
            h = tf.nn.relu(x)  # HERE
        else:
            h = tf.nn.leaky_relu(x)
        return tf.reduce_sum(h * 3.0)

    x = tf.Variable([-1.0, -2.0])
    with Tape() as tape:
        y = f(x)
    return tape, y, x


def root_of_zero_in_a_function(Tape):
    """nonfinite: singular-point"""

    @tf.function
    def distance(a, b):
        d2 = tf.reduce_sum((a - b) ** 2)
        return tf.sqrt(d2)  # HERE

    a, b = tf.Variable([1.0, 2.0]), tf.constant([1.0, 2.0])
    with Tape() as tape:
        loss = distance(a, b) * 3.0
    return tape, loss, a


def norm_at_zero_in_a_nested_function(Tape):
    """nonfinite: singular-point"""

    @tf.function
    def length(v):
        return tf.norm(v, axis=-1)  # HERE

    @tf.function
    def strain(p):
        return tf.reduce_sum(length(p[1:] - p[:-1]) - 1.0)

    p = tf.Variable([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    with Tape() as tape:
        s = strain(p)
    return tape, s, p


def root_of_zero_in_a_while_body(Tape):
    """nonfinite: singular-point"""

    @tf.function
    def iterate(x):
        for _ in tf.range(3):
            x = tf.sqrt(x)  # HERE
        return tf.reduce_sum(x)

    x = tf.Variable([0.0, 4.0])
    with Tape() as tape:
        y = iterate(x)
    return tape, y, x


def log_of_zero_in_a_branch(Tape):
    """nonfinite: singular-point"""

    @tf.function
    def penalty(p, flag):
        if flag:
            out = -tf.math.log(p)  # HERE
        else:
            out = 1.0 - p
        return tf.reduce_sum(out)

    p = tf.Variable([0.0, 0.5])
    with Tape() as tape:
        y = penalty(p, tf.constant(True))
    return tape, y, p


def grows_without_bound_in_a_loop(Tape):
    """nonfinite: overflow"""

    @tf.function
    def power_iteration(x):
        for _ in tf.range(8):
            x = x * x  # HERE
        return tf.reduce_sum(x)

    x = tf.Variable([2.0, 3.0])
    with Tape() as tape:
        y = power_iteration(x)
    return tape, y, x


def cell_stopped_in_a_keras_rnn(Tape):
    """zero: stop-gradient | none: stop-gradient"""

    class Cell(keras.layers.Layer):
        state_size = 2
        output_size = 2

        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1], 2), name="w")

        def call(self, x, states):
            h = tf.tanh(tf.matmul(x, self.w)) + 0.5 * states[0]
            h = tf.stop_gradient(h)  # HERE
            return h, [h]

    rnn = keras.layers.RNN(Cell())
    x = tf.random.normal((2, 3, 4))
    rnn(x)

    @tf.function
    def loss_of(x):
        return tf.reduce_sum(rnn(x) ** 2)

    with Tape() as tape:
        loss = loss_of(x)
    return tape, loss, rnn.cell.w
