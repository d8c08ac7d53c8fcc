"""Why a gradient is zero: the cause, the line, the evidence; and what looks alike but is fine."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgrad.see.explanation import Reason
from tfgrad.see.tape import Tape


def why(tape: Tape, target: object, source: object) -> Reason:
    tape.gradient(target, source)
    found = tape.explain(target, source).worst
    assert found is not None
    return found


def line(reason: Reason) -> str:
    assert reason.where is not None
    return reason.where.text


def test_a_sigmoid_far_out_is_saturated() -> None:
    x = tf.Variable([300.0, 400.0])
    with Tape() as tape:
        p = tf.sigmoid(x)
        y = tf.reduce_sum(p * 3.0)
    found = why(tape, y, x)
    assert (found.symptom, found.cause) == ("zero", "saturated")
    assert line(found) == "p = tf.sigmoid(x)"
    assert "between 300 and 400" in found.detail
    assert "up to 3 comes in" in found.detail
    assert "all 2 elements" in found.detail


def test_the_flat_spot_nearest_to_the_source_is_named() -> None:
    x = tf.Variable([-1.0, -2.0])
    with Tape() as tape:
        first = tf.nn.relu(x)
        second = tf.nn.relu(first - 5.0)
        y = tf.reduce_sum(second + first)
    assert line(why(tape, y, x)) == "first = tf.nn.relu(x)"


def test_a_factor_that_a_dead_relu_made_is_saturated_there() -> None:
    x, w = tf.constant([[-1.0, -2.0]]), tf.Variable([[1.0], [2.0]])
    with Tape() as tape:
        h = tf.nn.relu(x)
        y = tf.reduce_sum(h @ w)
    found = why(tape, y, w)
    assert found.cause == "saturated"
    assert line(found) == "h = tf.nn.relu(x)"


def test_many_weak_slopes_in_a_row_are_saturated() -> None:
    x = tf.Variable(2.0)
    with Tape() as tape:
        y = x
        for _ in range(18):
            y = tf.sigmoid(y)
    assert why(tape, y, x).cause == "saturated"


@pytest.mark.parametrize(
    "pick",
    [
        lambda x: tf.where(x > 10.0, x, 1.0),
        lambda x: tf.maximum(x, 10.0),
        lambda x: tf.clip_by_value(x, 5.0, 6.0),
        lambda x: tf.gather(tf.concat([x, [7.0]], 0), [2]),
        lambda x: tf.concat([x, [7.0]], 0)[2:],
        lambda x: tf.reduce_max(tf.concat([x, [7.0]], 0)),
        lambda x: x * tf.cast(x > 10.0, tf.float32),
        lambda x: x * np.zeros(2, np.float32),
        lambda x: tf.boolean_mask(x, x > 10.0),
        lambda x: tf.math.unsorted_segment_sum(x, [-1, -1], 2),
        lambda x: tf.stack([x, [1.0, 1.0]])[1],
        lambda x: tf.pad(x, [[0, 2]])[2:],
    ],
)
def test_what_picks_something_else_everywhere_is_masked(pick) -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = tf.reduce_sum(pick(x * 1.0)) + 1.0
    found = why(tape, y, x)
    assert (found.symptom, found.cause) == ("zero", "masked")
    assert line(found).startswith("lambda x:")


@pytest.mark.parametrize(
    "flat", [tf.square, tf.abs, tf.cos, lambda x: x**3, tf.nn.relu, lambda x: x * tf.Variable(0.0), tf.reduce_prod]
)
def test_a_slope_of_zero_at_this_point_is_constant_here(flat) -> None:
    x = tf.Variable([0.0, 0.0])
    with Tape() as tape:
        y = tf.reduce_sum(flat(x))
    assert why(tape, y, x).cause == "constant-here"


def test_sign_is_piecewise_constant() -> None:
    x = tf.Variable([0.5, -2.0])
    with Tape() as tape:
        y = tf.reduce_sum(tf.sign(x) * 2.0)
    assert why(tape, y, x).cause == "piecewise-constant"


def test_terms_that_cancel_are_shown() -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        a = 2.0 * x
        b = 2.0 * x
        y = tf.reduce_sum(a - b)
    found = why(tape, y, x)
    assert found.cause == "cancels"
    assert line(found) == "y = tf.reduce_sum(a - b)"
    assert "2 through Mul" in found.detail
    assert "-2 through Mul" in found.detail


@pytest.mark.parametrize(
    "constant",
    [
        lambda x: tf.reduce_sum(tf.nn.softmax(x)),
        lambda x: tf.reduce_sum(x - tf.reduce_mean(x)),
        lambda x: tf.reduce_sum(tf.exp(x) / tf.reduce_sum(tf.exp(x))),
        lambda x: tf.reduce_sum(tf.nn.l2_normalize(x) ** 2),
        lambda x: tf.reduce_sum((x + tf.constant(0.5)) * [1.0, -1.0]) - (x[0] - x[1]),
    ],
)
def test_a_target_that_does_not_change_cancels(constant) -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = constant(x)
    assert why(tape, y, x).cause == "cancels"


def test_a_bias_that_a_broadcast_sums_away_cancels() -> None:
    b = tf.Variable(1.0)
    with Tape() as tape:
        y = tf.reduce_sum((tf.constant([1.0, 2.0]) + b) * [1.0, -1.0])
    assert why(tape, y, b).cause == "cancels"


def test_a_batch_of_one_in_batch_normalization_cancels() -> None:
    dense, norm = keras.layers.Dense(3), keras.layers.BatchNormalization()
    x = tf.random.stateless_normal((1, 2), [1, 2])
    norm(dense(x))
    with Tape() as tape:
        y = tf.reduce_sum(norm(dense(x), training=True) * [[1.0, 2.0, 3.0]])
    found = why(tape, y, dense.kernel)
    assert found.cause == "cancels"
    assert line(found).startswith("y = ")


def test_a_softmax_over_one_unit_is_told() -> None:
    w = tf.Variable([[0.3], [0.2]])
    with Tape() as tape:
        p = tf.nn.softmax(tf.ones((4, 2)) @ w)
        y = tf.reduce_sum((p - 0.5) ** 2)
    found = why(tape, y, w)
    assert found.cause == "saturated"
    assert "one unit" in found.detail
    assert "tf.sigmoid" in found.advice


def test_numpy_in_a_py_function_has_left_tensorflow() -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = tf.py_function(lambda a: np.sin(a.numpy()), [x], tf.float32)
        loss = tf.reduce_sum(y)
    found = why(tape, loss, x)
    assert found.cause == "left-tensorflow"
    assert line(found).startswith("y = tf.py_function")


def test_a_rule_that_answers_zeros_is_named() -> None:
    @tf.custom_gradient
    def held(x):
        def grad(dy):
            return tf.zeros_like(dy)

        return x * 2.0, grad

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = tf.reduce_sum(held(x))
    found = why(tape, y, x)
    assert found.cause == "custom-gradient"
    assert line(found) == "def grad(dy):"


def test_inside_a_function_the_line_inside_is_named() -> None:
    @tf.function
    def squashed(x):
        h = x * 2.0
        return tf.tanh(h)

    x = tf.Variable([100.0, 200.0])
    with Tape() as tape:
        y = tf.reduce_sum(squashed(x))
    found = why(tape, y, x)
    assert found.cause == "saturated"
    assert line(found) == "return tf.tanh(h)"
    assert "between 200 and 400" in found.detail


@pytest.mark.parametrize(
    ("cutting", "cause"),
    [
        (tf.stop_gradient, "stop-gradient"),
        (tf.round, "nondifferentiable-op"),
        (lambda x: tf.cast(tf.cast(x, tf.int32), tf.float32), "integer-dtype"),
        (lambda x: tf.cast(tf.argmax(x), tf.float32) * tf.ones(2), "nondifferentiable-op"),
        (tf.sign, "piecewise-constant"),
        (lambda x: tf.clip_by_value(x, 50.0, 60.0), "masked"),
    ],
)
def test_a_cut_in_a_loop_of_a_function_is_named_though_it_gives_zeros(cutting, cause) -> None:
    @tf.function
    def f(x):
        for _ in tf.range(2):
            x = cutting(x * 1.5)
        return tf.reduce_sum(x)

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = f(x)
    assert why(tape, y, x).cause == cause


def test_a_branch_that_does_not_use_the_source_is_masked() -> None:
    @tf.function
    def f(x, flag):
        y = tf.constant([1.0, 1.0])
        if not flag:
            y = x * 2.0
        return tf.reduce_sum(y)

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = f(x, tf.constant(True))
    found = why(tape, y, x)
    assert found.cause == "masked"
    assert line(found) == "if not flag:"


def test_one_variable_given_twice_to_a_function_cancels_inside() -> None:
    @tf.function
    def contrast(a, b):
        return tf.reduce_sum(a**2) - tf.reduce_sum(b**2)

    x = tf.Variable([1.0, 3.0])
    with Tape() as tape:
        y = contrast(x, x)
    assert why(tape, y, x).cause == "cancels"


@pytest.mark.parametrize(
    "healthy",
    [
        lambda x: tf.reduce_sum(tf.nn.relu(x)),
        lambda x: tf.reduce_sum(tf.where(x > 1.5, x, 0.0)),
        lambda x: tf.reduce_sum(tf.clip_by_value(x, 0.0, 1.5)),
        lambda x: x[0] * 2.0,
        lambda x: tf.reduce_sum(tf.sigmoid(x * 5.0)),
        lambda x: tf.reduce_sum(tf.nn.softmax(x) * [1.0, 2.0]),
        lambda x: tf.reduce_sum(x - 0.5 * x),
        lambda x: tf.reduce_max(x),
        lambda x: tf.reduce_sum(x * [0.0, 1.0]),
    ],
)
def test_a_gradient_that_is_zero_in_places_only_is_fine(healthy) -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = healthy(x)
    assert why(tape, y, x).symptom == "ok"


def test_a_seed_of_zeros_is_not_blamed_on_an_op() -> None:
    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = x**2
    tape.gradient(y, x, output_gradients=tf.zeros(2))
    found = tape.explain(y, x).worst
    assert found is not None
    assert found.cause == "unknown"
    assert "output_gradients" in found.detail


@pytest.mark.parametrize("squash", [tf.sigmoid, tf.nn.softmax])
def test_probabilities_that_are_clipped_at_their_limit_are_saturated(squash) -> None:
    x = tf.Variable([[200.0, -200.0]])
    with Tape() as tape:
        p = squash(x)
        y = -tf.reduce_sum(tf.math.log(tf.clip_by_value(p, 1e-7, 1.0 - 1e-7)) * [[1.0, 0.0]])
    found = why(tape, y, x)
    assert found.cause == "saturated"
    assert line(found) == "p = squash(x)"


def test_layers_that_start_at_zero_are_constant_here() -> None:
    w1, w2 = tf.Variable(tf.zeros((2, 3))), tf.Variable(tf.zeros((3, 1)))
    with Tape(persistent=True) as tape:
        h = tf.nn.relu(tf.ones((4, 2)) @ w1)
        y = tf.reduce_sum((h @ w2 - 1.0) ** 2)
    assert why(tape, y, w1).cause == "constant-here"
    assert why(tape, y, w2).cause == "constant-here"


def test_a_jacobian_of_zeros_is_explained_by_taking_its_steps_again() -> None:
    x = tf.Variable([300.0, 400.0])
    with Tape() as tape:
        h = tf.tanh(x * 2.0)
    tape.jacobian(h, x)
    found = tape.explain(h, x).worst
    assert found is not None
    assert found.cause == "saturated"
    assert line(found) == "h = tf.tanh(x * 2.0)"


def test_in_a_recomputed_block_the_op_inside_is_named() -> None:
    @tf.recompute_grad
    def block(x):
        return tf.tanh(x * 100.0)

    x = tf.Variable([10.0, 20.0])
    with Tape() as tape:
        y = tf.reduce_sum(block(x))
    found = why(tape, y, x)
    assert found.cause == "saturated"
    assert line(found) == "return tf.tanh(x * 100.0)"


def test_a_scan_is_followed_through_its_lists_of_tensors() -> None:
    @tf.function
    def f(x):
        return tf.reduce_sum(tf.scan(lambda a, b: tf.minimum(a + b, -5.0), x, initializer=0.0))

    x = tf.Variable([1.0, 2.0])
    with Tape() as tape:
        y = f(x)
    assert why(tape, y, x).cause == "masked"


def test_a_loaded_function_without_lines_shows_the_call(tmp_path) -> None:
    class Net(tf.Module):
        @tf.function
        def squash(self, x):
            return tf.reduce_sum(tf.sigmoid(100.0 * x))

    net = Net()
    net.squash(tf.ones([1]))
    tf.saved_model.save(net, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    x = tf.Variable([5.0])
    with Tape() as tape:
        y = loaded.squash(x)
    found = why(tape, y, x)
    assert found.cause == "saturated"
    assert line(found) == "y = loaded.squash(x)"
