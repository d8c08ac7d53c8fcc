"""What is measured against what, and the ratios to reach, as data.

A contestant's name says which library it runs in; `cases_*.py` hold the code, one function for each row and contestant.
"""

from __future__ import annotations

from dataclasses import dataclass

TAPE, FUNCTION, XLA, MAPPED = "bare tape", "tf.function", "tf.function XLA", "tf.function XLA map"
JAX, TORCH, AUTOGRAD = "jax", "torch", "autograd"
OURS, OURS_XLA = "tfgrad", "tfgrad XLA"
DOCTOR, PLAIN = "doctor", "plain"
BY_TENSORFLOW, BY_HAND = "tf.test", "jax by hand"
CHECKED = "check-1000"
PEERS = (JAX, TORCH, AUTOGRAD)


@dataclass(frozen=True)
class Goal:
    """A ratio to reach: to the one named, or the quickest of those named. `wanted`: tfgrad is accepted by it."""

    ratio: float
    against: tuple[str, ...]
    wanted: bool = False


@dataclass(frozen=True)
class Row:
    """One line of work done by several contestants; the first of `ours` that reaches a goal reaches it.

    Attributes:
        needs: tfgrad's names without which there is nothing to measure yet.
        also: contestants without a goal, shown for comparison.
        measures: "time", or "memory": the peak of a process of its own.
        tolerance: by how much values may differ, relative to the largest.
    """

    name: str
    what: str
    needs: tuple[str, ...]
    ours: tuple[str, ...]
    goals: tuple[Goal, ...]
    also: tuple[str, ...] = ()
    measures: str = "time"
    tolerance: float = 1e-4

    @property
    def contestants(self) -> tuple[str, ...]:
        """All names, each once, tfgrad's first."""
        return tuple(dict.fromkeys([*self.ours, *self.peers, *self.also]))

    @property
    def peers(self) -> tuple[str, ...]:
        """The names that a goal is set against."""
        return tuple(name for goal in self.goals for name in goal.against)


def library(contestant: str) -> str:
    """The library in whose process a contestant runs; tfgrad and plain TensorFlow share one, as they are one.

    The doctor looks on at a whole process, and so has its own.
    """
    first = contestant.split()[0]
    return first if first in (*PEERS, DOCTOR) else "tensorflow"


def _eager(name: str, what: str, ratio: float) -> Row:
    return Row(name, what, ("grad",), (OURS,), (Goal(ratio, (TAPE,), wanted=True),))


def _jit(name: str, what: str, transform: str, goals: tuple[Goal, ...], also: tuple[str, ...] = ()) -> Row:
    return Row(name, what, ("jit", transform), (OURS, OURS_XLA), goals, also)


def _jacobian(n: int, jax: float, xla: float | None) -> Row:
    wanted = n >= 100
    to_xla = () if xla is None else (Goal(xla, (XLA,), wanted),)
    goals = (Goal(jax, (JAX,), wanted), *to_xla)
    return _jit(f"jit-jacobian-{n}", f"jit(jacobian) of 3 tanh(W x), n = {n}", "jacobian", goals, (XLA, TORCH))


def _eager_jacobian(n: int, ratio: float) -> Row:
    what = f"jacobian of a new 3 tanh(W x) each time, n = {n}, eager"
    return Row(f"jacobian-{n}", what, ("jacobian",), (OURS,), (Goal(ratio, (TAPE,)),))


def _hessian(n: int, jax: float, xla: float) -> Row:
    goals = (Goal(jax, (JAX,)), Goal(xla, (XLA, MAPPED), wanted=n == 100))
    return _jit(f"jit-hessian-{n}", f"jit(hessian) of Rosenbrock's function, n = {n}", "hessian", goals, (TORCH,))


def _examples(count: int, ratio: float, wanted: bool) -> Row:
    goals = (Goal(ratio, (JAX, BY_HAND, TORCH), wanted),)
    what = f"jit(per_example_grad), MLP 784-256-256-10, {count} examples"
    return _jit(f"jit-examples-{count}", what, "per_example_grad", goals, (XLA,))


def _checkpoint(how: str, without: float) -> Row:
    goals = (Goal(without, ("without",), wanted=True), Goal(0.2, (JAX,)), Goal(0.5, (TORCH,)))
    needs = ("checkpoint", "grad", "jit") if how == "jit" else ("checkpoint", "grad")
    what = f"peak memory with checkpoint, 200 layers, {how}"
    return Row(f"checkpoint-{how}", what, needs, (OURS,), goals, ("tf.recompute_grad",), "memory")


def _tape(name: str, what: str, ratio: float, measures: str = "time") -> Row:
    return Row(name, what, ("Tape",), ("Tape",), (Goal(ratio, (TAPE,)),), measures=measures)


def _doctor(name: str, what: str, ratio: float | None) -> Row:
    goals = () if ratio is None else (Goal(ratio, (PLAIN,), wanted=True),)
    also = (PLAIN,) if ratio is None else ()
    return Row(f"doctor-{name}", what, ("diagnose",), (DOCTOR,), goals, also, tolerance=1e-6)


ROWS = (
    _eager("grad-dot", "grad of 2 dot(x, x), n = 4, eager", 1.05),
    _eager("grad-square", "grad of sum of x * x, n = 1000, eager", 1.08),
    _eager("grad-control", "grad of f(a), a loop and a branch, eager", 1.05),
    _jit(
        "jit-grad-dot",
        "jit(grad) of 2 dot(x, x), n = 4",
        "grad",
        (Goal(4.5, (JAX,)), Goal(0.65, (TORCH,)), Goal(0.25, (XLA,), wanted=True)),
        (FUNCTION,),
    ),
    Row(
        "jit-control",
        "jit(grad) of f(a), a loop and a branch",
        ("jit", "grad"),
        (OURS,),
        (Goal(0.8, (TORCH,), wanted=True), Goal(0.045, (TAPE,)), Goal(0.55, (AUTOGRAD,))),
        (FUNCTION,),
    ),
    _jacobian(10, 2.2, 0.25),
    _jacobian(100, 1.3, 0.5),
    _jacobian(1000, 1.1, None),
    _eager_jacobian(10, 0.1),
    _eager_jacobian(100, 0.8),
    _eager_jacobian(1000, 1.05),
    _hessian(10, 2.2, 0.25),
    _hessian(100, 0.75, 0.3),
    _hessian(1000, 0.5, 0.8),
    _jit("jit-hessian-mlp", "jit(hessian), MLP of 510 parameters", "hessian", (Goal(1.1, (JAX,)),), (XLA, TORCH)),
    _jit("jit-hvp-mlp", "jit(hvp), MLP 784-256-256-10, batch 128", "hvp", (Goal(1.4, (JAX,)),), (XLA, TORCH)),
    _jit(
        "jit-hvp-1000",
        "jit(hvp) of Rosenbrock's function, n = 1000",
        "hvp",
        (Goal(2.5, (JAX,)), Goal(0.35, (XLA,))),
        (TORCH,),
    ),
    _examples(128, 0.6, wanted=True),
    _examples(1024, 0.35, wanted=False),
    _checkpoint("eager", 0.18),
    _checkpoint("jit", 0.2),
    _jit(
        "jit-mlp",
        "jit(value_and_grad), MLP 784-256-256-10, batch 128",
        "value_and_grad",
        (Goal(1.25, (JAX, TORCH), wanted=True), Goal(1.0, (FUNCTION,), wanted=True)),
        (XLA,),
    ),
    _jit(
        "jit-train",
        "jit of a train step with Variables, the same MLP",
        "value_and_grad",
        (Goal(1.4, (JAX, TORCH)), Goal(1.0, (FUNCTION,))),
        (XLA,),
    ),
    _jit("jit-conv", "jit(value_and_grad), convolutions, batch 32", "value_and_grad", (Goal(0.6, (JAX,)),), (TORCH,)),
    _jit("jit-attention", "jit(value_and_grad), attention 512 x 64", "value_and_grad", (Goal(1.1, (JAX,)),), (TORCH,)),
    _jit(
        "jit-logistic",
        "jit(value_and_grad), logistic regression, 100000 x 100",
        "value_and_grad",
        (Goal(0.75, (JAX,)),),
        (TORCH,),
    ),
    Row(
        CHECKED,
        "check_grads of 3 tanh(W x), n = 1000, float64; compute_gradient; central differences",
        ("check_grads",),
        (OURS,),
        (Goal(0.08, (BY_TENSORFLOW,), wanted=True), Goal(1.9, (BY_HAND,), wanted=True)),
    ),
    _tape("tape-ops", "Tape, a function of 4 ops", 1.4),
    _tape("tape-control", "Tape, f(a)", 1.4),
    _tape("tape-mlp-32", "Tape, MLP 20-64-10, batch 32", 1.3),
    _tape("tape-mlp-256", "Tape, MLP 784-256-10, batch 256", 1.2),
    _tape("tape-keras", "Tape, a step of a Keras MLP", 1.15),
    _tape("tape-traced", "Tape inside a traced tf.function", 1.05),
    _tape("tape-memory", "peak memory with Tape, MLP of 20 layers", 1.2, "memory"),
    _doctor("mlp", "eager step with the doctor, MLP 20-64-10, own update", 1.4),
    _doctor("keras", "eager step with the doctor, Keras MLP 20-64-10, SGD", 1.4),
    _doctor("function", "that step in a tf.function with the doctor", None),
    _doctor("fit", "fit, 100 steps with the doctor, Keras MLP 20-64-10, traced", 1.3),
    _doctor("fit-1024", "fit, 100 steps with the doctor, Keras MLP 20-1024-10, traced", 1.3),
)
