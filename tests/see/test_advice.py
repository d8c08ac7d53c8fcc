"""For every cause: a faulty program, what explain() advises, the program with that advice taken, the right gradient."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgrad
from tfgrad.see.causes import CAUSES
from tfgrad.see.explanation import Explanation


@dataclass(frozen=True)
class Lesson:
    """`faulty` gives (tape, target, source); `mended` gives the gradient once the advice is taken."""

    cause: str
    symptom: str
    faulty: Callable[[], Any]
    advised: str
    mended: Callable[[], Any]
    right: Any


LESSONS: list[Any] = []


def lesson(cause: str, symptom: str, *, advised: str, right: Any) -> Callable[[type], type]:
    """Add a class with `faulty` and `mended` to the lessons."""

    def add(case: type) -> type:
        found = Lesson(cause, symptom, case.faulty, advised, case.mended, right)
        LESSONS.append(pytest.param(found, id=case.__name__))
        return case

    return add


@lesson("unwatched", "none", advised="tape.watch(", right=6.0)
class UnwatchedTensor:
    @staticmethod
    def faulty():
        x = tf.constant(3.0)
        with tfgrad.Tape() as tape:
            y = x * x
        return tape, y, x

    @staticmethod
    def mended():
        x = tf.constant(3.0)
        with tfgrad.Tape() as tape:
            tape.watch(x)
            y = x * x
        return tape.gradient(y, x)


@lesson("unwatched", "none", advised="assign_sub", right=3.2)
class VariableReplacedByATensor:
    @staticmethod
    def faulty():
        w = tf.Variable(2.0)
        w = w - 0.1 * 4.0
        with tfgrad.Tape() as tape:
            loss = w * w
        return tape, loss, w

    @staticmethod
    def mended():
        w = tf.Variable(2.0)
        w.assign_sub(0.1 * 4.0)
        with tfgrad.Tape() as tape:
            loss = w * w
        return tape.gradient(loss, w)


@lesson("not-trainable", "none", advised="watch", right=6.0)
class NotTrainable:
    @staticmethod
    def faulty():
        mean = tf.Variable(3.0, trainable=False, name="mean")
        with tfgrad.Tape() as tape:
            y = mean * mean
        return tape, y, mean

    @staticmethod
    def mended():
        mean = tf.Variable(3.0, trainable=False, name="mean")
        with tfgrad.Tape() as tape:
            tape.watch(mean)
            y = mean * mean
        return tape.gradient(y, mean)


@lesson("outside-tape", "none", advised="inside", right=[2.0, 4.0])
class ComputedBeforeTheTape:
    @staticmethod
    def faulty():
        w = tf.Variable([1.0, 2.0])
        squares = w * w
        with tfgrad.Tape() as tape:
            loss = tf.reduce_sum(squares)
        return tape, loss, w

    @staticmethod
    def mended():
        w = tf.Variable([1.0, 2.0])
        with tfgrad.Tape() as tape:
            squares = w * w
            loss = tf.reduce_sum(squares)
        return tape.gradient(loss, w)


@lesson("left-tensorflow", "none", advised="tf.reduce_mean", right=[1.0, 2.0])
class MeanByNumpy:
    @staticmethod
    def faulty():
        x = tf.Variable([1.0, 2.0])
        with tfgrad.Tape() as tape:
            squared = x * x
            loss = tf.constant(np.mean(squared.numpy())) * 1.0
        return tape, loss, x

    @staticmethod
    def mended():
        x = tf.Variable([1.0, 2.0])
        with tfgrad.Tape() as tape:
            squared = x * x
            loss = tf.reduce_mean(squared) * 1.0
        return tape.gradient(loss, x)


@lesson("integer-dtype", "none", advised="float", right=20.0)
class IntegerVariable:
    @staticmethod
    def faulty():
        x = tf.Variable(10)
        with tfgrad.Tape() as tape:
            y = tf.cast(x, tf.float32) ** 2
        return tape, y, x

    @staticmethod
    def mended():
        x = tf.Variable(10.0)
        with tfgrad.Tape() as tape:
            y = x**2
        return tape.gradient(y, x)


@lesson("nondifferentiable-op", "none", advised="tf.stop_gradient(tf.round(", right=[2.0, 6.0])
class RoundedOnTheWay:
    @staticmethod
    def faulty():
        x = tf.Variable([1.2, 2.7])
        with tfgrad.Tape() as tape:
            h = tf.round(x)
            loss = tf.reduce_sum(h * h)
        return tape, loss, x

    @staticmethod
    def mended():
        x = tf.Variable([1.2, 2.7])
        with tfgrad.Tape() as tape:
            h = x + tf.stop_gradient(tf.round(x) - x)
            loss = tf.reduce_sum(h * h)
        return tape.gradient(loss, x)


@lesson("stop-gradient", "none", advised="tf.stop_gradient", right=4.0)
class StoppedByHand:
    @staticmethod
    def faulty():
        x = tf.Variable(2.0)
        with tfgrad.Tape() as tape:
            u = tf.stop_gradient(x * x)
            y = u + 1.0
        return tape, y, x

    @staticmethod
    def mended():
        x = tf.Variable(2.0)
        with tfgrad.Tape() as tape:
            u = x * x
            y = u + 1.0
        return tape.gradient(y, x)


@lesson("state", "none", advised="the computed tensor itself", right=12.0)
class ThroughAnAssignment:
    @staticmethod
    def faulty():
        x, state = tf.Variable(3.0), tf.Variable(0.0)
        with tfgrad.Tape() as tape:
            state.assign(x * x)
            y = state * 2.0
        return tape, y, x

    @staticmethod
    def mended():
        x, state = tf.Variable(3.0), tf.Variable(0.0)
        with tfgrad.Tape() as tape:
            square = x * x
            y = square * 2.0
        state.assign(square)
        return tape.gradient(y, x)


@lesson("rebound", "none", advised="name of its own", right=[2.0, 2.0])
class LayerCalledASecondTime:
    @staticmethod
    def faulty():
        layer = keras.layers.Dense(2, kernel_initializer="ones")
        x = tf.ones([1, 3])
        with tfgrad.Tape(persistent=True) as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x) * 2.0)
            features = layer(x)
        return tape, loss, features

    @staticmethod
    def mended():
        layer = keras.layers.Dense(2, kernel_initializer="ones")
        x = tf.ones([1, 3])
        with tfgrad.Tape() as tape:
            tape.watch(x)
            features = layer(x)
            loss = tf.reduce_sum(features * 2.0)
        return tape.gradient(loss, features)[0]


@lesson("unconnected", "none", advised='unconnected_gradients="zero"', right=0.0)
class TakesNoPart:
    @staticmethod
    def faulty():
        used, unused = tf.Variable(1.0, name="used"), tf.Variable(2.0, name="unused")
        with tfgrad.Tape() as tape:
            y = used * 3.0
            unused * 2.0
        return tape, y, unused

    @staticmethod
    def mended():
        used, unused = tf.Variable(1.0, name="used"), tf.Variable(2.0, name="unused")
        with tfgrad.Tape() as tape:
            y = used * 3.0
        return tape.gradient(y, unused, unconnected_gradients="zero")


@lesson("custom-gradient", "none", advised="one gradient for each argument", right=[2.0, 3.0])
class RuleThatAnswersNone:
    @staticmethod
    def faulty():
        @tf.custom_gradient
        def times(x, w):
            def grad(dy):
                return dy * w, None

            return x * w, grad

        x, w = tf.Variable(2.0), tf.Variable(3.0)
        with tfgrad.Tape() as tape:
            y = times(x, w)
        return tape, y, w

    @staticmethod
    def mended():
        @tf.custom_gradient
        def times(x, w):
            def grad(dy):
                return dy * w, dy * x

            return x * w, grad

        x, w = tf.Variable(2.0), tf.Variable(3.0)
        with tfgrad.Tape() as tape:
            y = times(x, w)
        return list(reversed(tape.gradient(y, [x, w])))


@lesson("higher-order", "none", advised="inside the outer tape", right=12.0)
class FirstDerivativeOutside:
    @staticmethod
    def faulty():
        x = tf.Variable(2.0)
        with tfgrad.Tape() as outer:
            with tfgrad.Tape() as inner:
                y = x**3
        dy = inner.gradient(y, x)
        return outer, dy, x

    @staticmethod
    def mended():
        x = tf.Variable(2.0)
        with tfgrad.Tape() as outer:
            with tfgrad.Tape() as inner:
                y = x**3
            dy = inner.gradient(y, x)
        return outer.gradient(dy, x)


@lesson("function-boundary", "none", advised="inside the function", right=6.0)
class BothOutOfOneCall:
    @staticmethod
    def faulty():
        @tf.function
        def parts(x):
            h = x * x
            return h, 3.0 * h * h

        x = tf.Variable(1.0)
        with tfgrad.Tape() as tape:
            h, loss = parts(x)
        return tape, loss, h

    @staticmethod
    def mended():
        @tf.function
        def parts(x):
            with tfgrad.Tape() as tape:
                h = x * x
                tape.watch(h)
                loss = 3.0 * h * h
            return tape.gradient(loss, h)

        return parts(tf.Variable(1.0))


@lesson("saturated", "zero", advised="logits", right=1.0)
class SigmoidFarOut:
    @staticmethod
    def faulty():
        logit = tf.Variable(200.0)
        with tfgrad.Tape() as tape:
            p = tf.sigmoid(logit)
            loss = (p - 0.0) ** 2
        return tape, loss, logit

    @staticmethod
    def mended():
        logit = tf.Variable(200.0)
        with tfgrad.Tape() as tape:
            loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=0.0, logits=logit)
        return tape.gradient(loss, logit)


@lesson("masked", "zero", advised="limits", right=[2.0, 2.0])
class ClippedEverywhere:
    @staticmethod
    def faulty():
        x = tf.Variable([5.0, 7.0])
        with tfgrad.Tape() as tape:
            clipped = tf.clip_by_value(x, -1.0, 1.0)
            loss = tf.reduce_sum(2.0 * clipped)
        return tape, loss, x

    @staticmethod
    def mended():
        x = tf.Variable([5.0, 7.0])
        with tfgrad.Tape() as tape:
            clipped = tf.clip_by_value(x, -10.0, 10.0)
            loss = tf.reduce_sum(2.0 * clipped)
        return tape.gradient(loss, x)


@lesson("constant-here", "zero", advised="another point", right=0.2)
class FlatAtThisPoint:
    @staticmethod
    def faulty():
        x = tf.Variable(0.0)
        with tfgrad.Tape() as tape:
            y = x**2
        return tape, y, x

    @staticmethod
    def mended():
        x = tf.Variable(0.1)
        with tfgrad.Tape() as tape:
            y = x**2
        return tape.gradient(y, x)


@lesson("cancels", "zero", advised="depends on it", right=[0.1049935854035065, 0.1049935854035065])
class SoftmaxSummed:
    @staticmethod
    def faulty():
        logits = tf.Variable([1.0, 1.0])
        with tfgrad.Tape() as tape:
            loss = tf.reduce_sum(tf.nn.softmax(logits))
        return tape, loss, logits

    @staticmethod
    def mended():
        """The gradient of p0 is p0 (1 - p0) by the first logit; at [2, 0] that is 0.105, by the second its negative."""
        logits = tf.Variable([2.0, 0.0])
        with tfgrad.Tape() as tape:
            loss = tf.nn.softmax(logits)[0]
        return tf.abs(tape.gradient(loss, logits))


@lesson("piecewise-constant", "zero", advised="tf.tanh", right=2.0)
class Sign:
    @staticmethod
    def faulty():
        x = tf.Variable(0.0)
        with tfgrad.Tape() as tape:
            y = tf.sign(x + 0.3)
        return tape, y, x

    @staticmethod
    def mended():
        x = tf.Variable(-0.3)
        with tfgrad.Tape() as tape:
            y = tf.tanh(2.0 * (x + 0.3))
        return tape.gradient(y, x)


@lesson("singular-point", "nonfinite", advised="epsilon", right=[0.0, 0.0])
class NormAtZero:
    @staticmethod
    def faulty():
        x = tf.Variable([0.0, 0.0])
        with tfgrad.Tape() as tape:
            n = tf.norm(x)
        return tape, n, x

    @staticmethod
    def mended():
        x = tf.Variable([0.0, 0.0])
        with tfgrad.Tape() as tape:
            n = tf.sqrt(tf.reduce_sum(x**2) + 1e-12)
        return tape.gradient(n, x)


@lesson("where-trap", "nonfinite", advised="safe", right=[0.0, 1.0])
class LogBehindAWhere:
    @staticmethod
    def faulty():
        x = tf.Variable([0.0, 1.0])
        with tfgrad.Tape() as tape:
            y = tf.reduce_sum(tf.where(x > 0, tf.math.log(x), 0.0))
        return tape, y, x

    @staticmethod
    def mended():
        x = tf.Variable([0.0, 1.0])
        with tfgrad.Tape() as tape:
            ok = x > 0
            safe = tf.where(ok, x, 1.0)
            y = tf.reduce_sum(tf.where(ok, tf.math.log(safe), 0.0))
        return tape.gradient(y, x)


@lesson("overflow", "nonfinite", advised="tf.reduce_logsumexp", right=[0.5, 0.5])
class ExponentialsTooLarge:
    @staticmethod
    def faulty():
        x = tf.Variable([100.0, 100.0])
        with tfgrad.Tape() as tape:
            y = tf.math.log(tf.reduce_sum(tf.exp(x)))
        return tape, y, x

    @staticmethod
    def mended():
        x = tf.Variable([100.0, 100.0])
        with tfgrad.Tape() as tape:
            y = tf.reduce_logsumexp(x)
        return tape.gradient(y, x)


@lesson("nan-input", "nonfinite", advised="assert_all_finite", right=3.0)
class NanInTheData:
    @staticmethod
    def faulty():
        data = tf.constant([1.0, np.nan, 2.0])
        w = tf.Variable(1.0)
        with tfgrad.Tape() as tape:
            loss = tf.reduce_sum(w * data)
        return tape, loss, w

    @staticmethod
    def mended():
        data = tf.constant([1.0, 2.0])
        tf.debugging.assert_all_finite(data, "data")
        w = tf.Variable(1.0)
        with tfgrad.Tape() as tape:
            loss = tf.reduce_sum(w * data)
        return tape.gradient(loss, w)


@lesson("tape-consumed", "error", advised="persistent=True", right=[6.0, 108.0])
class TapeUsedTwice:
    @staticmethod
    def faulty():
        x = tf.Variable(3.0)
        with tfgrad.Tape() as tape:
            y = x * x
            z = y * y
        tape.gradient(y, x)
        return tape, z, x

    @staticmethod
    def mended():
        x = tf.Variable(3.0)
        with tfgrad.Tape(persistent=True) as tape:
            y = x * x
            z = y * y
        return [tape.gradient(y, x), tape.gradient(z, x)]


@lesson("no-gradient-registered", "error", advised="", right=[[[[1.0], [1.0]], [[1.0], [1.0]]]])
class ResizedByArea:
    @staticmethod
    def faulty():
        image = tf.Variable(tf.ones([1, 2, 2, 1]))
        with tfgrad.Tape() as tape:
            loss = tf.reduce_sum(tf.image.resize(image, [2, 2], method="area"))
        return tape, loss, image

    @staticmethod
    def mended():
        image = tf.Variable(tf.ones([1, 2, 2, 1]))
        with tfgrad.Tape() as tape:
            loss = tf.reduce_sum(tf.image.resize(image, [2, 2], method="bilinear"))
        return tape.gradient(loss, image)


@lesson("unsupported", "error", advised="full_matrices=False", right=[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
class SvdWithFullMatrices:
    """The gradient of the sum of the singular values is U V^T, here a tall identity."""

    @staticmethod
    def faulty():
        a = tf.Variable([[2.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
        with tfgrad.Tape() as tape:
            s, u, _ = tf.linalg.svd(a, full_matrices=True)
            loss = tf.reduce_sum(s) + 0.0 * tf.reduce_sum(u)
        return tape, loss, a

    @staticmethod
    def mended():
        a = tf.Variable([[2.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
        with tfgrad.Tape() as tape:
            s, u, _ = tf.linalg.svd(a, full_matrices=False)
            loss = tf.reduce_sum(s) + 0.0 * tf.reduce_sum(u)
        return tape.gradient(loss, a)


@lesson("bad-argument", "error", advised="return", right=6.0)
class NoneAsTarget:
    @staticmethod
    def faulty():
        x = tf.Variable(3.0)

        def square(x):
            x * x

        with tfgrad.Tape() as tape:
            y = square(x)
        return tape, y, x

    @staticmethod
    def mended():
        x = tf.Variable(3.0)

        def square(x):
            return x * x

        with tfgrad.Tape() as tape:
            y = square(x)
        return tape.gradient(y, x)


@lesson("symbolic-tensor", "error", advised="keras.Model(", right=[[1.0, 1.0]])
class OutputOfALayerInThePlan:
    @staticmethod
    def faulty():
        model, layer = OutputOfALayerInThePlan.model()
        with tfgrad.Tape() as tape:
            loss = tf.reduce_sum(model(tf.ones([1, 3])))
        return tape, loss, layer.output

    @staticmethod
    def mended():
        model, layer = OutputOfALayerInThePlan.model()
        both = keras.Model(model.inputs, [layer.output, model.output])
        with tfgrad.Tape() as tape:
            features, out = both(tf.ones([1, 3]))
            loss = tf.reduce_sum(out)
        return tape.gradient(loss, features)

    @staticmethod
    def model():
        inputs = keras.Input([3])
        layer = keras.layers.Dense(2)
        outputs = keras.layers.Dense(1, kernel_initializer="ones")(layer(inputs))
        return keras.Model(inputs, outputs), layer


def explained(tape: tfgrad.Tape, target: Any, source: Any) -> Explanation:
    # Whatever TensorFlow raises is what the explanation is about.
    with contextlib.suppress(Exception):
        tape.gradient(target, source)
    return tape.explain(target, source)


@pytest.mark.parametrize("case", LESSONS)
def test_the_advice_taken_gives_the_right_gradient(case: Lesson) -> None:
    explanation = explained(*case.faulty())
    assert (explanation.symptom, explanation.cause) == (case.symptom, case.cause), str(explanation)
    assert case.advised in explanation.advice, explanation.advice
    np.testing.assert_allclose(np.array(tf.nest.map_structure(np.array, case.mended())), case.right, atol=1e-5)


def test_every_cause_has_its_lesson() -> None:
    taught = {param.values[0].cause for param in LESSONS}
    assert taught == set(CAUSES) - {"unknown", "ok"}


def test_unknown_becomes_known_with_its_advice() -> None:
    def program(tape: tfgrad.Tape) -> Explanation:
        x = tf.Variable(0.0)
        with tape:
            y = tf.sqrt(x)
        return tape.explain(y, x)

    asked_before = program(tfgrad.Tape())
    assert (asked_before.symptom, asked_before.cause) == ("unknown", "unknown")
    assert "persistent=True, record_values=True" in CAUSES["unknown"].advice
    x = tf.Variable(0.0)
    with tfgrad.Tape(persistent=True, record_values=True) as tape:
        y = tf.sqrt(x)
    tape.gradient(y, x)
    assert tape.explain(y, x).cause == "singular-point"
