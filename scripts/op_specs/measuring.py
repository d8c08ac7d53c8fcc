"""All that is asked of one function: the marks of a row of the table, its special points and its faults."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from op_specs import by_hand
from op_specs.advice import instead
from op_specs.inputs import Area, Case, Spec, public
from op_specs.points import POINTS

Row = dict[str, Any]
AREAS = ("basic", "more", "algebra", "networks", "numpy_and_keras", "keras_ops")
CASES = ("cases_math", "cases_algebra", "cases_networks")
PLUMBING = {"Const", "Placeholder", "NoOp", "StatefulPartitionedCall", "PartitionedCall", "Identity", "_Arg", "_Retval"}
PLACES = ("", "math", "linalg", "nn", "signal", "image", "sparse", "random", "sets", "quantization", "strings",
          "keras.activations", "keras.losses", "keras.ops", "experimental.numpy", "compat.v1", "compat.v1.nn",
          "compat.v1.math", "compat.v1.image", "compat.v1.linalg", "compat.v1.spectral")  # fmt: skip


@cache
def specs() -> dict[str, Spec]:
    """All specs by name."""
    return {name: spec for area in _areas() for name, spec in area.specs.items()}


@cache
def _points() -> dict[str, list[tuple[str, tuple[Any, ...]]]]:
    given = {name: points for area in _areas() for name, points in area.points.items()}
    return given | {name: list(points.items()) for name, points in POINTS.items()}


def _areas() -> list[Area]:
    modules = [importlib.import_module(f"op_specs.{name}") for name in AREAS]
    return [area for module in modules for area in vars(module).values() if isinstance(area, Area)]


def cases(name: str | None = None) -> list[Case]:
    """The special cases, of a function or all."""
    found = [case for module in CASES for case in importlib.import_module(f"op_specs.{module}").CASES]
    return [case for case in found if name in (None, case.name)]


def measure(spec: Spec) -> Row:
    """All that is asked of one function, but XLA."""
    reverse, why = judged(spec, 1, "rev")
    usable = reverse in ("yes", "wrong")
    second, why_second = judged(spec, 2, "rev") if reverse == "yes" else ("-", "")
    forward, why_forward = judged(spec, 1, "fwd") if usable else ("-", "")
    faults, right = special(spec.name)
    doubtful = [fault["when"] for fault in faults if fault["kind"] not in ("wrong", "none", "raises")]
    if reverse in ("wrong", "none") and why and not by_hand.confirms(spec.f, spec.args, 1, "rev"):
        doubtful += [why]
    return {
        "name": spec.name,
        "area": spec.area,
        "reverse": reverse,
        "second": second,
        "forward": forward,
        "accumulator": accumulated(spec) if usable else "-",
        "pfor": vectorised(spec) if usable else "-",
        "uses": uses(spec),
        "aliases": aliases(spec.name),
        "points": list(points(spec)),
        "why": next((text for text in (why, why_second, why_forward) if text), ""),
        "faults": [fault for fault in faults if fault["when"] not in doubtful],
        "also": right,
        "instead": instead()[spec.name].text if spec.name in instead() else "",
        "doubtful": doubtful,
    }


def judged(spec: Spec, order: int, mode: str) -> tuple[str, str]:
    """What check_grads says of a function, in a word, and an example of what is wrong."""
    kind, text = _checked(spec.f, spec.args, order, mode)
    if kind == "yes" and order == 1 and mode == "rev":
        return without_gradient(spec) or "yes", ""
    return kind, text


def _checked(f: Callable[..., Any], args: tuple[Any, ...], order: int, mode: str) -> tuple[str, str]:
    from tfgrad.check.gradients import check_grads
    from tfgrad.errors import GradError, GradientMismatch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check_grads(f, args, order, (mode,))
    except GradientMismatch as error:
        return _mark(error.check.mismatches[0])
    except GradError as error:
        return ("none", "") if "nothing of a floating" in str(error) else ("?", str(error).splitlines()[0])
    except tf.errors.NotFoundError:
        return "raises", "NotFoundError: it has no kernel for a CPU"
    except Exception as error:  # noqa: BLE001  a wrong spec must not stop the others
        return "?", f"{type(error).__name__}: {error}".splitlines()[0][:120]
    return "yes", ""


def _mark(found: Any) -> tuple[str, str]:
    """The word for a mismatch, and the mismatch in a line."""
    from tfgrad import wording

    if found.kind == "raises":
        return "raises", re.sub(r"\{\{.*?\}\} ", "", found.reason.removeprefix("it raises ").splitlines()[0])[:200]
    reason = found.reason.splitlines()[0]
    where = f"{found.mode}, order {found.order}: "
    if found.given is None or found.number is None:
        return "wrong", where + reason
    where += f"d {found.output} / d {found.element} is {wording.number(found.given + 0.0)}, "
    where += f"by numbers {wording.number(_near_zero(found))}"
    if "None" in found.reason or (found.given == 0 and "silently missing" in found.reason):
        return "none", where
    return "wrong", f"{where}: {reason}"


def _near_zero(found: Any) -> float:
    """The number, or 0 where that is within its error."""
    return 0.0 if abs(found.number) <= max(1e-9, 3 * (found.error or 0.0)) else float(found.number)


def special(name: str) -> tuple[list[dict[str, str]], list[str]]:
    """What is wrong with a function at its special arguments, and at which it is right."""
    faults: list[dict[str, str]] = []
    right = []
    for case in cases(name):
        found = list(_faults(case))
        faults += found
        right += [] if found else [case.when]
    return faults, right


def _faults(case: Case) -> Iterator[dict[str, str]]:
    """Reverse mode at first order, then forward mode and second order where that one is right."""
    f, args = case.made()
    for order, mode in ((1, "rev"), (1, "fwd"), (2, "rev"), (2, "fwd")):
        kind, text = _checked(f, args, order, mode)
        if kind in ("wrong", "none") and not by_hand.confirms(f, args, order, mode):
            kind = "unconfirmed"
        if kind != "yes":
            yield {"kind": kind, "when": case.when, "says": text, "example": case.example(order, mode)}
            return


def usable(row: Row) -> bool:
    """Whether there is a gradient, of which more can be asked."""
    return row["reverse"] in ("yes", "wrong")


def without_gradient(spec: Spec) -> str:
    """ "none" or "zero" for a function whose gradient is that, rightly."""
    from tfgrad.check.flat import TapedProducts
    from tfgrad.check.subject import subject

    flat = subject(spec.f, spec.args, None).native
    w = np.random.default_rng(0).normal(size=flat.m)
    answer = TapedProducts(flat, flat.sources(flat.point)).pull(w)
    if all(answer.missing):
        return "none"
    return "" if answer.vector.any() else "zero"


def accumulated(spec: Spec) -> str:
    """What TensorFlow's own forward mode does, against tfgrad's."""
    from tfgrad.check.subject import subject

    flat = subject(spec.f, spec.args, None).native
    sources = flat.sources(flat.point)
    tangents = [tf.ones_like(source) for source in sources]
    try:
        with tf.autodiff.ForwardAccumulator(sources, tangents) as forward:
            outputs = flat.run(sources)
        theirs = [forward.jvp(output) for output in outputs]
        ours = flat.at_point().pushed(tangents)
    except Exception:  # noqa: BLE001  whatever it raises is the answer
        return "raises"
    return compared(theirs, ours)


def compared(theirs: list[Any], ours: list[Any]) -> str:
    """Whether two forward modes agree: "yes", "none" where only the first is None, else "wrong"."""

    def numbers(found: Any) -> Any:
        return np.zeros(1) if found is None else tf.cast(tf.convert_to_tensor(found), tf.complex128).numpy()

    pairs = [(numbers(a), numbers(b)) for a, b in zip(theirs, ours, strict=True)]
    if all(found is None for found in theirs) and any(np.abs(b).max(initial=0.0) > 1e-6 for _, b in pairs):
        return "none"
    near = all(np.allclose(a, b, rtol=1e-3, atol=1e-4 * (1 + np.abs(b).max(initial=0.0))) for a, b in pairs)
    return "yes" if near else "wrong"


def gradient(spec: Spec) -> tuple[Callable[..., Any], list[Any]]:
    """The gradient of the outputs' sum as a function of the tensors, and these."""
    from tfgrad.check.subject import subject

    flat = subject(spec.f, spec.args, None).native

    def of_sum(*sources: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch(sources)
            outputs = flat.run(list(sources))
        found = tape.gradient(outputs, sources)
        return [
            tf.zeros_like(source) if g is None else tf.convert_to_tensor(g)
            for g, source in zip(found, sources, strict=True)
        ]

    return of_sum, flat.sources(flat.point)


def vectorised(spec: Spec) -> str:
    """Whether `tf.vectorized_map` takes the gradient without falling back to a loop, and rightly."""
    try:
        of_sum, sources = gradient(spec)
        stacks = [tf.stack([source, source]) for source in sources]
        rows = tf.function(
            lambda rows: tf.vectorized_map(lambda row: of_sum(*row), rows, fallback_to_while_loop=False),
            autograph=False,
        )(stacks)
        return "yes" if draws(spec.name) else _same([row[1] for row in rows], of_sum(*sources))
    except Exception:  # noqa: BLE001  whatever it raises is the answer
        return "no"


def compiled(spec: Spec) -> str:
    """Whether XLA compiles the gradient, and rightly."""
    try:
        of_sum, sources = gradient(spec)
        found = tf.function(of_sum, jit_compile=True, autograph=False)(*sources)
        return "yes" if draws(spec.name) else _same(found, of_sum(*sources))
    except Exception:  # noqa: BLE001  whatever it raises is the answer
        return "no"


def draws(name: str) -> bool:
    """Whether a function draws numbers, which XLA and a vectorised map do in another way."""
    return any(word in name for word in ("random", "dropout", "fractional"))


def _same(found: list[Any], expected: list[Any]) -> str:
    near = [
        np.allclose(a, b, rtol=1e-3, atol=1e-3 * (1 + np.abs(b).max(initial=0.0)), equal_nan=True)
        for a, b in zip(found, expected, strict=True)
    ]
    return "yes" if all(near) else "wrong"


def uses(spec: Spec) -> list[str]:
    """The raw ops of a function's graph, its calls' included."""
    try:
        graph = tf.function(spec.f, autograph=False).get_concrete_function(*spec.args).graph.as_graph_def()
    except Exception:  # noqa: BLE001  what can't be traced has no graph
        return []
    nodes = [node.op for node in graph.node]
    nodes += [node.op for function in graph.library.function for node in function.node_def]
    return sorted(set(nodes) - PLUMBING)


def points(spec: Spec) -> Iterator[str]:
    """TensorFlow's gradient at a function's special points, and the slopes there where they differ from it."""
    for text, args in _points().get(spec.name, ()):
        sources = [tf.identity(arg) for arg in args]
        try:
            with tf.GradientTape() as tape:
                tape.watch(sources)
                output = _sum(spec.f(*sources))
            found = tape.gradient(output, sources)
        except Exception as error:  # noqa: BLE001  what is raised at the point is what is to be told
            yield f"{text}: raises {type(error).__name__}"
            continue
        given = [None if g is None else tf.convert_to_tensor(g).numpy() for g in found]
        yield f"{text}: {', '.join('None' if g is None else _plain(g) for g in given)}{_slopes(spec, sources, given)}"


def _slopes(spec: Spec, sources: list[Any], given: list[Any]) -> str:
    """The one-sided slopes in brackets, where some differ from TensorFlow's answer."""
    if any(source.dtype.is_complex for source in sources):
        return ""
    answers = np.concatenate([np.ravel(0.0 if g is None else g) for g in given])
    if any(source.dtype != tf.float64 for source in sources):
        sources = [tf.cast(source, tf.float64) for source in sources]
    sides = [
        np.array([by_hand.one_sided(spec.f, sources, index, side) for index in range(answers.size)]) for side in (-1, 1)
    ]
    if all(np.allclose(side, answers, rtol=1e-3, atol=1e-3) for side in sides):
        return ""
    left, right = (_plain(np.where(np.abs(side) < 1e-3, 0.0, side.round(3))) for side in sides)  # no -0
    if left == right:
        wrong = "wrong: " if np.isfinite(sides).all() else ""
        return f" ({wrong}the slope is {left})"
    return f" (slope {left} on the left, {right} on the right)".replace("nan", "undefined")


def _sum(output: Any) -> Any:
    """One real number from any output."""
    return tf.add_n([tf.reduce_sum(tf.math.real(part)) for part in tf.nest.flatten(output, expand_composites=True)])


def _plain(array: Any) -> str:
    """Numbers in a few characters."""
    from tfgrad import wording

    found = np.asarray(array)
    return wording.values(found.reshape(()) if found.size == 1 else found)


def aliases(name: str) -> list[str]:
    """The other public names of the same object."""
    if "(" in name or "[" in name:
        return []
    own = public(name)
    found = set()
    for place in PLACES:
        module = public(f"tf.{place}") if place else tf
        names = [key for key in dir(module) if not key.startswith("_") and getattr(module, key, None) is own]
        found |= {f"tf.{place}.{key}" if place else f"tf.{key}" for key in names}
    return sorted(found - {name})
