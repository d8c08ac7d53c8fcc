"""The causes of surprising gradients, as data: code, symptoms, what it means, what to type, which demo shows it.

The codes are public. `why_none`, `why_zero`, `why_nonfinite` and `why_error` choose among them and fill the slots of
the advice (`{name}`, `{op}`, ...) with what they saw; a slot that nothing was seen for reads as its general word.
"""

from __future__ import annotations

from dataclasses import dataclass

# From the gravest to the lightest; an explanation speaks for its gravest reason.
SYMPTOMS = ("error", "none", "nonfinite", "zero", "unknown", "ok")


@dataclass(frozen=True)
class Cause:
    """One cause: its public code, the symptoms it shows as, its meaning in a sentence, and what to type instead."""

    code: str
    symptoms: tuple[str, ...]
    meaning: str
    advice: str
    demo: str = ""

    def advise(self, **seen: str) -> str:
        """The advice with what was seen put into its slots.

        >>> CAUSES["unwatched"].advise(code="x").splitlines()[0]
        'watch it as the first line of the block: tape.watch(x)'
        """
        return self.advice.format_map({**SLOTS, **{slot: text for slot, text in seen.items() if text}})


# What a slot of an advice reads as where nothing was seen for it.
SLOTS = {
    "name": "it",
    "code": "x",
    "tape": "tape",
    "op": "the op",
    "line": "that line",
}

_ALL = (
    Cause(
        "unwatched",
        ("none",),
        "The tape was not watching this tensor when it was used: a tape watches trainable Variables by itself, "
        "a plain tensor only after watch().",
        "watch it as the first line of the block: {tape}.watch({code})\n"
        "or make it a tf.Variable; a Variable is updated with {code}.assign_sub(...), not {code} = {code} - ...",
        demo="none-a-tensor",
    ),
    Cause(
        "not-trainable",
        ("none",),
        "This Variable has trainable=False, and a tape watches only trainable Variables by itself.",
        "watch it: {tape}.watch({code})\nor ask only about trainable_variables",
    ),
    Cause(
        "outside-tape",
        ("none",),
        "Part of the way from the source to the target was computed where this tape was not recording.",
        "move {line} inside the `with` block of the tape that is asked",
    ),
    Cause(
        "left-tensorflow",
        ("none", "zero", "error"),
        "The value left TensorFlow for Python or NumPy; what is computed there is a plain number to the tape.",
        "stay in TensorFlow: use tf.reduce_mean, tf.sin, model(x) in place of .numpy(), float(), np.f(x), predict()",
        demo="none-numpy",
    ),
    Cause(
        "integer-dtype",
        ("none", "zero"),
        "Integers, bools and strings have no derivative; only floating and complex tensors carry gradients.",
        "use a floating dtype: tf.Variable(3.0), tf.constant(..., tf.float32), and keep it floating up to the target",
        demo="none-integer",
    ),
    Cause(
        "nondifferentiable-op",
        ("none", "zero"),
        "The op gives no gradient to this input: its result is a step, an index, a shape or a decision.",
        "use a smooth version of {op}, or pass the gradient straight through it:\n"
        "y = x + tf.stop_gradient({op}(x) - x)",
    ),
    Cause(
        "stop-gradient",
        ("none", "zero"),
        "A call of tf.stop_gradient lets the value through and holds the gradient back.",
        "take tf.stop_gradient away at {line} if that is not meant",
        demo="detach",
    ),
    Cause(
        "state",
        ("none", "zero"),
        "The value went through state: what is read back from a Variable, table, queue or dataset is a new start.",
        "use the computed tensor itself in the loss, and assign it to the state afterwards",
        demo="none-state",
    ),
    Cause(
        "rebound",
        ("none",),
        "The target was computed from another object than the one that was asked about.",
        "ask about the very object that was used: keep it under a name of its own and pass that to gradient()",
    ),
    Cause(
        "unconnected",
        ("none", "zero"),
        "Nothing of this source reaches the target.",
        "leave {name} out of the sources, use it in the loss, or ask for zeros:\n"
        '{tape}.gradient(..., unconnected_gradients="zero"); tfgrad.grad(f, unconnected="zero")',
    ),
    Cause(
        "custom-gradient",
        ("none", "zero", "error"),
        "The gradient rule that was written by hand holds the gradient back, or does not fit the function.",
        "return one gradient for each argument of the function, each of that argument's shape; take every tensor that "
        "needs a gradient as an argument, and Variables by grad(*dy, variables=None)",
        demo="custom-gradient",
    ),
    Cause(
        "higher-order",
        ("none",),
        "The first derivative was taken where the outer tape does not see it, or it does not depend on the source.",
        "call the inner tape's gradient() inside the outer tape's `with` block",
        demo="second-derivative",
    ),
    Cause(
        "function-boundary",
        ("none",),
        "Source and target both come out of one tf.function call, which to a tape outside it is a single op.",
        "open the tape inside the function, or watch what goes into the call and ask about that",
    ),
    Cause(
        "saturated",
        ("zero",),
        "The activation is at its limit, where its slope is 0.",
        "bring its input closer to 0 (smaller weights, scaled data), use the loss that takes logits, or a leaky relu",
        demo="zero",
    ),
    Cause(
        "masked",
        ("zero",),
        "Every element went the other way: a where, clip, maximum, slice or zero mask picked something else.",
        "let some elements through: look at the condition or limits at {line}",
    ),
    Cause(
        "constant-here",
        ("zero",),
        "The slope is 0 at this very point.",
        "start from another point, such as a small random value in place of 0",
    ),
    Cause(
        "cancels",
        ("zero",),
        "The contributions to this gradient are not zero, but their sum is: the target does not change with it.",
        "rewrite the target so that it depends on it; a softmax summed, or one example minus its own mean, is constant",
    ),
    Cause(
        "piecewise-constant",
        ("zero",),
        "The op is made of flat steps, and its registered gradient is 0.",
        "use a smooth version, such as tf.tanh(k * x) for tf.sign(x)",
    ),
    Cause(
        "singular-point",
        ("nonfinite", "zero", "error"),
        "The op, or its derivative, is infinite or undefined at this point.",
        "stay off the point: add an epsilon inside, or use tf.math.divide_no_nan or a safe norm",
        demo="norm-at-zero",
    ),
    Cause(
        "where-trap",
        ("nonfinite",),
        "A tf.where hides the bad branch in the value but not in the gradient, where 0 times infinity is NaN.",
        "make the branch's input safe first (the double where):\n"
        "safe = tf.where(ok, x, 1.0); y = tf.where(ok, f(safe), 0.0)",
        demo="where-trap",
    ),
    Cause(
        "overflow",
        ("nonfinite", "zero"),
        "A number became too large for its dtype.",
        "use tf.reduce_logsumexp or a loss that takes logits, subtract the maximum first, or clip",
    ),
    Cause(
        "nan-input",
        ("nonfinite", "zero"),
        "The data or the weights were NaN or infinite before anything was computed.",
        "find where they come from: tf.debugging.assert_all_finite({code}, '{code}')",
    ),
    Cause(
        "tape-consumed",
        ("error",),
        "A tape that is not persistent answers one gradient() or jacobian() and is then used up.",
        "ask for everything in one call, or use tf.GradientTape(persistent=True)",
        demo="consumed-tape",
    ),
    Cause(
        "no-gradient-registered",
        ("error",),
        "TensorFlow has no gradient for this op, or none of this order.",
        "compute it with other ops, or give it a rule with tfgrad.custom_gradient",
    ),
    Cause(
        "unsupported",
        ("error",),
        "The op has a gradient, but not with these options or in this place.",
        "call {op} with the options whose gradient TensorFlow has",
    ),
    Cause(
        "bad-argument",
        ("error",),
        "What gradient() was given is not a tensor or a Variable.",
        "give tensors computed inside the block as target, and tensors or Variables as sources",
    ),
    Cause(
        "symbolic-tensor",
        ("error",),
        "A KerasTensor stands for a layer's output in a model's plan; it holds no number.",
        "make a model with two outputs, call it on data inside the block, and ask about the tensors it returns:\n"
        "keras.Model(model.inputs, [layer.output, model.output])",
    ),
    Cause(
        "unknown",
        ("unknown", "none", "zero", "nonfinite", "error"),
        "It can't be told from what was seen.",
        "record the values and ask again: tfgrad.Tape(persistent=True, record_values=True)",
    ),
    Cause("ok", ("ok",), "Nothing is wrong.", ""),
)

CAUSES: dict[str, Cause] = {cause.code: cause for cause in _ALL}
