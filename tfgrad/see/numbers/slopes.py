"""Second derivatives of activations made of straight pieces: zero wherever they exist, as `relu`'s.

The slope of such an activation is an op of a backward pass (`ReluGrad`), differentiated again; `Sign` is that of `abs`.
"""

from __future__ import annotations

from tfgrad.see.numbers.blocked import Verdict
from tfgrad.see.numbers.opkinds import SLOPES
from tfgrad.see.numbers.turns import Turn, Turns

_MOST_HOPS = 12
_KEEP_ALIVE = "keep some inputs above 0: smaller or positive biases, or an activation with a slope on both sides"
_SMOOTH_ACTIVATION = (
    "where second derivatives count (a PINN, a Hessian) use a smooth activation:\n"
    "tf.tanh, tf.nn.softplus, tf.nn.silu (swish)"
)
_SMOOTH_ABS = "where second derivatives count use a smooth version, tf.sqrt(x**2 + 1e-6) for tf.abs(x)"


def of_slope(turn: Turn, k: int) -> Verdict:
    """The verdict on such a slope that hands back 0 at its k-th input."""
    name = SLOPES[turn.op]
    if turn.op == "Sign" and (turn.event is None or turn.event.call is None):
        return Verdict("piecewise-constant", turn, "Its slope is 0 on both sides of every step.")
    if turn.op != "Sign" and k == 0:
        return Verdict("saturated", turn, f"The slope of {name} is 0 for all that was given.", _KEEP_ALIVE)
    if turn.op in ("EluGrad", "SeluGrad"):
        seen = f"{name} is a straight line above 0, where all that counts lies: its second derivative is 0 there."
    else:
        seen = f"{name} is made of straight pieces: its first derivative moves in steps, and its second is 0."
    return Verdict("piecewise-constant", turn, seen, _SMOOTH_ABS if turn.op == "Sign" else _SMOOTH_ACTIVATION)


def of_second(turns: Turns, i: int) -> Verdict | None:
    """The verdict on a value that is 0 as it is a second derivative of that kind; None if it is something else."""
    for _ in range(_MOST_HOPS):
        turn = turns.makers.get(i)
        if turn is None or turn.event is None or turn.event.call is None:
            return None
        if turn.op == "ZerosLike":
            sloping = [user for user, k in turns.users.get(turn.inputs[0], ()) if user.op in SLOPES and k == 1]
            return of_slope(sloping[0], 1) if sloping else None
        zeros = [j for j in turn.inputs if (values := turns.array(j)) is not None and not values.any()]
        if not zeros:
            return None
        i = zeros[0]
    return None
