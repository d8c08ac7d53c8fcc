"""gradient() raises: a used tape, an op without a gradient, an option that is not supported."""

import keras
import tensorflow as tf


def second_gradient_on_a_used_tape(Tape):
    """error: tape-consumed"""
    w, b = tf.Variable([1.0, 2.0]), tf.Variable(0.5)
    with Tape() as tape:
        loss = tf.reduce_sum((w * 3.0 + b) ** 2)
    tape.gradient(loss, w)  # HERE
    return tape, loss, b


def one_call_for_each_variable(Tape):
    """error: tape-consumed"""
    model = keras.Sequential([keras.layers.Dense(2), keras.layers.Dense(1)])
    x = tf.random.normal((3, 2))
    model(x)
    with Tape() as tape:
        loss = tf.reduce_mean(model(x) ** 2)
    grads = []
    for v in model.trainable_variables:
        try:
            grads.append(tape.gradient(loss, v))  # HERE
        except RuntimeError:
            return tape.explain(loss, v)
    return None


def helper_spent_the_tape(Tape):
    """error: tape-consumed"""

    def log_norm(tape, loss, v):
        return tf.norm(tape.gradient(loss, v))  # HERE

    w = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        loss = tf.reduce_sum(tf.exp(w))
    log_norm(tape, loss, w)
    return tape, loss, w


def two_losses_in_a_train_step(Tape):
    """error: tape-consumed"""
    box = []

    class Gan(keras.Model):
        def __init__(self):
            super().__init__()
            self.gen, self.disc = keras.layers.Dense(2), keras.layers.Dense(1)

        def call(self, x):
            return self.disc(self.gen(x))

        def train_step(self, data):
            with Tape() as tape:
                score = self.disc(self.gen(data))
                g_loss, d_loss = -tf.reduce_mean(score), tf.reduce_mean(score)
            tape.gradient(d_loss, self.disc.trainable_variables)  # HERE
            try:
                tape.gradient(g_loss, self.gen.trainable_variables)
            except RuntimeError:
                box.append(tape.explain(g_loss, self.gen.trainable_variables))
            return {"loss": g_loss}

    model = Gan()
    model(tf.ones((1, 3)))
    model.compile(optimizer="sgd")
    model.fit(tf.ones((4, 3)), batch_size=4, verbose=0)
    return box[0]


def jacobian_after_the_gradient(Tape):
    """error: tape-consumed"""
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = x**3
    tape.gradient(y, x)  # HERE
    try:
        tape.jacobian(y, x)
    except RuntimeError:
        return tape.explain(y, x)
    return None


def contrast_augmentation(Tape):
    """error: no-gradient-registered"""
    image = tf.Variable(tf.random.uniform((1, 3, 3, 3)))
    with Tape() as tape:
        bright = image * 1.1
        aug = tf.image.adjust_contrast(bright, 0.7)  # HERE
        loss = tf.reduce_mean(aug**2)
    return tape, loss, image


def weighted_histogram(Tape):
    """error: no-gradient-registered"""
    weights = tf.Variable([0.2, 0.3, 0.5])
    with Tape() as tape:
        mass = tf.math.bincount([0, 1, 1], weights=tf.nn.softmax(weights))  # HERE
        loss = tf.reduce_sum(mass**2)
    return tape, loss, weights


def area_resize_in_a_layer(Tape):
    """error: no-gradient-registered"""

    class Shrink(keras.layers.Layer):
        def call(self, x):
            return tf.image.resize(x, (2, 2), method="area")  # HERE

    conv, shrink = keras.layers.Conv2D(1, 3, padding="same"), Shrink()
    x = tf.random.normal((1, 4, 4, 1))
    conv(x)
    with Tape() as tape:
        loss = tf.reduce_sum(shrink(conv(x)) ** 2)
    return tape, loss, conv.kernel


def lu_log_determinant(Tape):
    """error: no-gradient-registered"""
    a = tf.Variable([[2.0, 1.0], [1.0, 3.0]])
    with Tape() as tape:
        lu, _ = tf.linalg.lu(a)  # HERE
        logdet = tf.reduce_sum(tf.math.log(tf.abs(tf.linalg.diag_part(lu))))
    return tape, logdet, a


def second_order_through_lrn(Tape):
    """error: no-gradient-registered"""
    x = tf.Variable(tf.random.normal((1, 2, 2, 4)))
    with Tape() as outer:
        with Tape() as inner:
            y = tf.nn.local_response_normalization(x)  # HERE
            loss = tf.reduce_sum(y**2)
        g = inner.gradient(loss, x)  # HERE
        penalty = tf.reduce_sum(g**2)
    return outer, penalty, x


def second_order_through_nearest_resize(Tape):
    """error: no-gradient-registered"""
    x = tf.Variable(tf.random.normal((1, 2, 2, 1)))
    with Tape() as outer:
        with Tape() as inner:
            up = tf.image.resize(x, (4, 4), method="nearest")  # HERE
            loss = tf.reduce_sum(up**3)
        g = inner.gradient(loss, x)  # HERE
        penalty = tf.reduce_sum(g**2)
    return outer, penalty, x


def saturation_in_a_traced_step(Tape):
    """error: no-gradient-registered"""
    delta, box = tf.Variable(tf.zeros((1, 2, 2, 3))), []

    @tf.function
    def attack(image):
        with Tape() as tape:
            moved = image + delta
            vivid = tf.image.adjust_saturation(moved, 1.5)  # HERE
            loss = tf.reduce_mean(vivid)
        try:
            return tape.gradient(loss, delta)
        except LookupError:
            box.append(tape.explain(loss, delta))
            return tf.zeros_like(delta)

    attack(tf.random.uniform((1, 2, 2, 3)))
    return box[0]


def full_svd_of_a_tall_matrix(Tape):
    """error: unsupported"""
    a = tf.Variable(tf.random.normal((5, 2)))
    with Tape() as tape:
        s, u, _ = tf.linalg.svd(a, full_matrices=True)  # HERE
        loss = tf.reduce_sum(s) + tf.reduce_sum(u**2)
    return tape, loss, a


def full_qr_in_a_helper(Tape):
    """error: unsupported"""

    def orthogonal(m):
        q, _ = tf.linalg.qr(m, full_matrices=True)  # HERE
        return q

    a = tf.Variable(tf.random.normal((4, 2)))
    with Tape() as tape:
        loss = tf.reduce_sum(orthogonal(a * 2.0)[:, 0])
    return tape, loss, a


def slow_least_squares(Tape):
    """error: unsupported"""
    a, b = tf.Variable(tf.random.normal((4, 2))), tf.ones((4, 1))
    with Tape() as tape:
        x = tf.linalg.lstsq(a, b, fast=False)  # HERE
        loss = tf.reduce_sum(x**2)
    return tape, loss, a


def full_qr_in_a_traced_step(Tape):
    """error: unsupported"""
    w, box = tf.Variable(tf.random.normal((3, 1))), []

    @tf.function
    def step():
        with Tape() as tape:
            _, r = tf.linalg.qr(w, full_matrices=True)  # HERE
            loss = tf.reduce_sum(r)
        try:
            return tape.gradient(loss, w)
        except NotImplementedError:
            box.append(tape.explain(loss, w))
            return tf.zeros_like(w)

    step()
    return box[0]
