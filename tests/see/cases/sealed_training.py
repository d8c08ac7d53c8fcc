"""Training: heads, train steps, hand-written layers, functions and optimisers."""

import keras
import numpy as np
import tensorflow as tf


def auxiliary_head_left_out_of_the_loss(Tape):
    """none: unconnected"""
    inputs = keras.Input((4,), name="record")
    h = keras.layers.Dense(6, activation="tanh", name="trunk")(inputs)
    age = keras.layers.Dense(1, name="age")(h)
    risk = keras.layers.Dense(1, name="risk")(h)  # HERE
    model = keras.Model(inputs, {"age": age, "risk": risk})
    x = tf.random.normal([5, 4], seed=1)
    targets = {"age": tf.ones([5, 1]), "risk": tf.zeros([5, 1])}
    with Tape() as tape:
        outputs = model(x, training=True)  # HERE
        loss = tf.reduce_mean(tf.square(outputs["age"] - targets["age"]))
    return tape, loss, model.trainable_variables


def generator_trained_on_the_discriminator_loss(Tape):
    """none: unconnected"""
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])  # HERE
    discriminator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    pool = generator(tf.random.normal([8, 2], seed=2))
    found = []

    @tf.function
    def train_step(real, fake):
        with Tape() as tape:
            real_logits = discriminator(real, training=True)
            fake_logits = discriminator(fake, training=True)
            loss = tf.reduce_mean(tf.nn.softplus(-real_logits)) + tf.reduce_mean(tf.nn.softplus(fake_logits))
        found.append(tape.explain(loss, generator.trainable_variables))
        return loss

    train_step(tf.random.normal([8, 3], seed=3), pool)
    return found[0]


def output_bias_never_added(Tape):
    """none: unconnected"""
    init = tf.random_normal_initializer(seed=4)
    params = {
        "w1": tf.Variable(init([3, 5]), name="w1"),
        "b1": tf.Variable(tf.zeros([5]), name="b1"),
        "w2": tf.Variable(init([5, 1]), name="w2"),
        "b2": tf.Variable(tf.zeros([1]), name="b2"),  # HERE
    }

    def mlp(x):
        hidden = tf.nn.tanh(x @ params["w1"] + params["b1"])
        return hidden @ params["w2"] + params["b1"][:1]

    with Tape() as tape:
        loss = tf.reduce_mean(tf.square(mlp(tf.random.normal([6, 3], seed=5)) - 1.0))
    return tape, loss, params


def distillation_freezes_the_student(Tape):
    """none: stop-gradient"""
    found = []

    class Distiller(keras.Model):
        def __init__(self):
            super().__init__()
            self.student = keras.layers.Dense(2)
            self.teacher = keras.layers.Dense(2)

        def call(self, x):
            return self.student(x)

        def train_step(self, data):
            x, _ = data
            soft_targets = tf.nn.softmax(self.teacher(x) / 2.0)
            with Tape() as tape:
                logits = tf.stop_gradient(self(x, training=True))  # HERE
                loss = tf.reduce_mean(
                    tf.nn.softmax_cross_entropy_with_logits(labels=soft_targets, logits=logits / 2.0),
                )
            found.append(tape.explain(loss, self.student.trainable_variables))
            return {"loss": loss}

    model = Distiller()
    model.compile(optimizer="sgd")
    rows = np.random.default_rng(6).normal(size=(4, 3)).astype("float32")
    model.teacher.build(rows.shape)
    model.fit(rows, np.zeros((4, 2), "float32"), epochs=1, verbose=0)
    return found[-1]


def all_weights_of_a_normalised_model(Tape):
    """none: not-trainable"""
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dense(1)]
    )
    x = tf.random.normal([6, 3], seed=7)
    y = tf.random.normal([6, 1], seed=8)
    with Tape() as tape:
        y_hat = model(x)  # HERE
        loss = tf.reduce_mean(tf.square(y - y_hat))
    return tape, loss, model.weights


def hidden_units_that_never_fire(Tape):
    """zero: saturated"""
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, activation="relu", bias_initializer=keras.initializers.Constant(-30.0)),
            keras.layers.Dense(1),
        ]
    )
    x = tf.random.uniform([8, 4], seed=9)
    y = tf.random.uniform([8, 1], seed=10)
    with Tape() as tape:
        prediction = model(x, training=True)  # HERE
        loss = tf.reduce_mean(keras.losses.huber(y, prediction))
    return tape, loss, model.layers[0].trainable_variables


def residual_gate_starting_at_zero(Tape):
    """zero: constant-here"""

    class ReZero(keras.layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.inner = keras.layers.Dense(units, activation="gelu")
            self.alpha = self.add_weight(shape=(), initializer="zeros", name="alpha")

        def call(self, x):
            update = self.inner(x)
            return x + self.alpha * update  # HERE

    block = ReZero(3)
    x = tf.random.normal([4, 3], seed=11)
    with Tape() as tape:
        out = block(x)
        loss = tf.reduce_mean(tf.square(out - 1.0))
    return tape, loss, block.inner.trainable_variables


def embedding_returned_next_to_the_logits(Tape):
    """none: function-boundary"""
    w_in = tf.Variable(tf.random.normal([5, 3], seed=12))
    w_out = tf.Variable(tf.random.normal([3, 2], seed=13))

    @tf.function
    def forward(batch):
        embedding = tf.nn.tanh(batch @ w_in)
        return {"embedding": embedding, "logits": embedding @ w_out}

    with Tape() as tape:
        out = forward(tf.random.normal([4, 5], seed=14))  # HERE
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 1, 1, 0], logits=out["logits"]))
    return tape, loss, out["embedding"]


def attribution_inside_a_compiled_model(Tape):
    """none: function-boundary"""
    backbone = keras.Sequential([keras.Input((6, 2)), keras.layers.Conv1D(4, 3, activation="swish")])
    classifier = keras.Sequential([keras.Input((4, 4)), keras.layers.Flatten(), keras.layers.Dense(3)])

    @tf.function
    def predict_with_features(signal):
        maps = backbone(signal)
        return maps, classifier(maps)

    with Tape() as tape:
        maps, scores = predict_with_features(tf.random.normal([1, 6, 2], seed=15))  # HERE
        top_score = tf.reduce_max(scores, axis=-1)
    return tape, top_score, maps


def missing_ages_in_the_table(Tape):
    """nonfinite: nan-input"""
    table = np.array([[22.0, 7.25], [38.0, 71.3], [np.nan, 8.05], [35.0, 53.1]], dtype="float32")
    survived = np.array([[0.0], [1.0], [0.0], [1.0]], dtype="float32")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "tanh"), keras.layers.Dense(1)])
    loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
    with Tape() as tape:
        logits = model(tf.constant(table) / 100.0, training=True)  # HERE
        loss = loss_fn(survived, logits)
    return tape, loss, model.trainable_weights


def weights_restored_from_a_diverged_run(Tape):
    """nonfinite: nan-input"""
    checkpoint = {"kernel": [[0.2, float("nan")], [0.7, -0.4]], "bias": [0.0, 0.1]}
    kernel = tf.Variable(checkpoint["kernel"])
    bias = tf.Variable(checkpoint["bias"])

    @tf.function
    def layer(x):
        projected = tf.matmul(x, kernel)  # HERE
        return tf.nn.softplus(projected + bias)

    with Tape() as tape:
        loss = tf.reduce_sum(layer(tf.constant([[1.0, 2.0], [0.5, 0.25]])))
    return tape, loss, [kernel, bias]


def bias_of_a_layer_without_bias(Tape):
    """error: bad-argument"""
    layer = keras.layers.Dense(2, use_bias=False)
    x = tf.random.normal([3, 4], seed=16)
    with Tape() as tape:
        loss = tf.reduce_mean(tf.square(layer(x)))
    try:
        kernel_grad, bias_grad = tape.gradient(loss, [layer.kernel, layer.bias])  # HERE
        layer.kernel.assign_sub(0.1 * kernel_grad)
    except (ValueError, TypeError, AttributeError):
        pass
    return tape.explain(loss, [layer.kernel, layer.bias])


def two_players_one_tape(Tape):
    """error: tape-consumed"""
    generator = tf.Variable(tf.random.normal([2, 3], seed=17))
    discriminator = tf.Variable(tf.random.normal([3, 1], seed=18))
    found = []

    @tf.function
    def train_step(noise, real):
        with Tape() as tape:
            fake_logits = tf.tanh(noise @ generator) @ discriminator
            real_logits = real @ discriminator
            gen_loss = tf.reduce_mean(tf.nn.softplus(-fake_logits))
            disc_loss = tf.reduce_mean(tf.nn.softplus(fake_logits) + tf.nn.softplus(-real_logits))
        generator.assign_sub(0.1 * tape.gradient(gen_loss, generator))  # HERE
        try:
            discriminator.assign_sub(0.1 * tape.gradient(disc_loss, discriminator))
        except RuntimeError:
            found.append(tape.explain(disc_loss, discriminator))
        return gen_loss, disc_loss

    train_step(tf.random.normal([4, 2], seed=19), tf.random.normal([4, 3], seed=20))
    return found[0]


def leaky_activation_with_its_own_rule(Tape):
    """error: custom-gradient"""

    @tf.custom_gradient
    def leaky(x, slope):
        y = tf.where(x > 0.0, x, slope * x)

        def grad(upstream):  # HERE
            return upstream * tf.where(x > 0.0, tf.ones_like(x), slope * tf.ones_like(x))  # HERE

        return y, grad

    w = tf.Variable([0.5, -1.0, 2.0])
    slope = tf.Variable(0.1)
    with Tape() as tape:
        activated = leaky(w * 1.5, slope)
        loss = tf.reduce_sum(tf.square(activated))
    return tape, loss, [w, slope]


def reversal_strength_by_keyword(Tape):
    """none: custom-gradient"""

    @tf.custom_gradient
    def gradient_reversal(x, strength=None):
        def grad(upstream):  # HERE
            return -strength * upstream  # HERE

        return strength * x, grad

    domain_w = tf.Variable(tf.random.normal([3, 1], seed=21))
    lam = tf.Variable(0.3, name="lam")
    features = tf.random.normal([5, 3], seed=22)
    with Tape() as tape:
        reversed_features = gradient_reversal(  # HERE
            features @ domain_w,
            strength=tf.nn.softplus(lam),  # HERE
        )
        loss = tf.reduce_mean(tf.square(reversed_features - 1.0))
    return tape, loss, [domain_w, lam]


def gradient_descent_by_hand(Tape):
    """none: unwatched"""
    x = tf.constant([[1.0], [2.0], [3.0]])
    y = tf.constant([[2.9], [5.1], [7.0]])
    w = tf.Variable([[0.1]])
    lr = 0.05

    def predict(features, weight):
        return tf.matmul(features, weight) + 1.0  # HERE

    for epoch in range(2):
        with Tape() as tape:
            loss = tf.reduce_mean(tf.square(predict(x, w) - y))
        if epoch == 1:
            break
        w = w - lr * tape.gradient(loss, w)  # HERE
    return tape, loss, w


def per_example_losses_averaged_too_late(Tape):
    """none: outside-tape"""
    table = tf.Variable(tf.random.normal([6, 2], seed=23))
    pairs = tf.constant([[0, 1], [2, 4], [5, 3]])
    found = []

    @tf.function
    def step(batch):
        with Tape() as tape:
            left = tf.gather(table, batch[:, 0])
            right = tf.gather(table, batch[:, 1])
            per_example = tf.nn.softplus(-tf.reduce_sum(left * right, axis=1))
        loss = tf.reduce_mean(per_example)  # HERE
        grads = tape.gradient(loss, table)
        found.append(tape.explain(loss, table))
        return loss if grads is None else grads

    step(pairs)
    return found[0]


def one_bit_weights(Tape):
    """zero: piecewise-constant"""
    latent = tf.Variable([[0.3, -0.8], [1.2, 0.1]], name="latent")

    def binary_dense(x):
        binary = tf.sign(latent)  # HERE
        scale = 0.5
        return scale * x @ binary

    with Tape() as tape:
        loss = tf.reduce_mean(tf.square(binary_dense(tf.constant([[0.4, 1.0], [0.9, -0.2]])) - 1.0))
    return tape, loss, latent
