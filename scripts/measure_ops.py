"""Measures the table of ops again: `python scripts/measure_ops.py [NAME ...] [--out FILE]`.

Each function of `op_specs` is differentiated at its arguments and compared with numbers by tfgrad's own checker; XLA,
which can abort a process, is tried in one of its own. Takes about 20 minutes on two cores.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent / "tfgrad" / "check" / "ops.json"
HOW = "tfgrad.check_grads at the arguments of scripts/op_specs, float64 where the function takes it, on a CPU"


def main() -> int:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only these; default: all")
    parser.add_argument("--out", default=str(TABLE), help="where the table goes")
    parser.add_argument("--xla", nargs="+", metavar="NAME", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path[:0] = [str(HERE), str(HERE.parent)]
    if arguments.xla:
        for name in arguments.xla:
            print(json.dumps({name: compiled(specs()[name])}), flush=True)
        return 0
    import tensorflow as tf

    chosen = [spec for name, spec in specs().items() if not arguments.names or name in arguments.names]
    measured = []
    for number, spec in enumerate(chosen, start=1):
        measured.append(measure(spec))
        print(f"{number}/{len(chosen)} {json.dumps(measured[-1])}", flush=True)
    by_xla = xla([spec.name for spec in chosen])
    rows = [row | {"xla": by_xla.get(row["name"], "-")} for row in measured]
    write(Path(arguments.out), {"tensorflow": tf.__version__, "how": HOW, "ops": rows}, keep=bool(arguments.names))
    return 0


def write(target: Path, data: dict[str, Any], *, keep: bool) -> None:
    """The table as JSON, a function a line; `keep` leaves what was not measured this time as it is."""
    rows = {row["name"]: row for row in data["ops"]}
    if keep and target.exists():
        rows = {row["name"]: row for row in json.loads(target.read_text(encoding="utf-8"))["ops"]} | rows
    lines = ",\n".join(json.dumps(rows[name]) for name in sorted(rows))
    head = json.dumps({"tensorflow": data["tensorflow"], "how": data["how"]})[:-1]
    target.write_text(f'{head}, "ops": [\n{lines}\n]}}\n', encoding="utf-8")


def specs() -> dict[str, Any]:
    """All specs by name."""
    found = {}
    for module in ("basic", "algebra", "networks", "numpy_and_keras"):
        for area in vars(importlib.import_module(f"op_specs.{module}")).values():
            if type(area).__name__ == "Area":
                found.update(area.specs)
    return found


def measure(spec: Any) -> dict[str, Any]:
    """All that is asked of one function, but XLA."""
    from op_specs import advice

    reverse, why = judged(spec, 1, "rev")
    row: dict[str, Any] = {"name": spec.name, "area": spec.area, "reverse": reverse}
    usable = reverse in ("yes", "wrong")
    second, why_second = judged(spec, 2, "rev") if reverse == "yes" else ("-", "")
    forward, why_forward = judged(spec, 1, "fwd") if usable else ("-", "")
    row |= {"second": second, "forward": forward}
    row["accumulator"] = accumulated(spec) if usable else "-"
    row["pfor"] = vectorised(spec) if usable else "-"
    row["aliases"] = aliases(spec.name)
    row["points"] = list(points(spec))
    row["fault"] = next((text for text in (why, why_second, why_forward) if text), "")
    row["instead"] = advice.INSTEAD.get(spec.name, "")
    return row


def judged(spec: Any, order: int, mode: str) -> tuple[str, str]:
    """What check_grads says of a function, in a word, and an example of what is wrong."""
    from tfgrad.check.gradients import check_grads
    from tfgrad.errors import GradError, GradientMismatch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check_grads(spec.f, spec.args, order, (mode,))
    except GradientMismatch as error:
        return _mark(error.check.mismatches[0])
    except GradError as error:
        return ("none", "") if "nothing of a floating" in str(error) else ("?", str(error).splitlines()[0])
    except Exception as error:  # noqa: BLE001  a wrong spec must not stop the others
        return "?", f"{type(error).__name__}: {error}".splitlines()[0][:120]
    if order == 1 and mode == "rev":
        return without_gradient(spec) or "yes", ""
    return "yes", ""


def _mark(found: Any) -> tuple[str, str]:
    """The word for a mismatch."""
    if found.kind == "raises":
        return "raises", found.reason.removeprefix("it raises ")
    where = f"{found.mode}, order {found.order}: {found.output} by {found.element} is {found.given}, "
    where += f"by numbers {found.number}"
    if "None" in found.reason or (found.given == 0 and "silently missing" in found.reason):
        return "none", where
    return "wrong", f"{where}: {found.reason}"


def without_gradient(spec: Any) -> str:
    """ "none" or "zero" for a function whose gradient is that, rightly."""
    import numpy as np

    from tfgrad.check.flat import TapedProducts
    from tfgrad.check.subject import subject

    flat = subject(spec.f, spec.args, None).native
    w = np.random.default_rng(0).normal(size=flat.m)
    answer = TapedProducts(flat, flat.sources(flat.point)).pull(w)
    if all(answer.missing):
        return "none"
    return "" if answer.vector.any() else "zero"


def accumulated(spec: Any) -> str:
    """What TensorFlow's own forward mode does, against tfgrad's."""
    import tensorflow as tf

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
    import numpy as np
    import tensorflow as tf

    def numbers(found: Any) -> Any:
        return np.zeros(1) if found is None else tf.cast(tf.convert_to_tensor(found), tf.complex128).numpy()

    pairs = [(numbers(a), numbers(b)) for a, b in zip(theirs, ours, strict=True)]
    if all(found is None for found in theirs) and any(np.abs(b).max(initial=0.0) > 1e-6 for _, b in pairs):
        return "none"
    near = all(np.allclose(a, b, rtol=1e-3, atol=1e-4 * (1 + np.abs(b).max(initial=0.0))) for a, b in pairs)
    return "yes" if near else "wrong"


def gradient(spec: Any) -> tuple[Callable[..., Any], list[Any]]:
    """The gradient of the outputs' sum as a function of the tensors, and these."""
    import tensorflow as tf

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


def vectorised(spec: Any) -> str:
    """Whether `tf.vectorized_map` takes the gradient without falling back to a loop."""
    import tensorflow as tf

    try:
        of_sum, sources = gradient(spec)
        stacks = [tf.stack([source, source]) for source in sources]
        tf.function(
            lambda rows: tf.vectorized_map(lambda row: of_sum(*row), rows, fallback_to_while_loop=False),
            autograph=False,
        )(stacks)
    except Exception:  # noqa: BLE001  whatever it raises is the answer
        return "no"
    return "yes"


def compiled(spec: Any) -> str:
    """Whether XLA compiles the gradient."""
    import tensorflow as tf

    try:
        of_sum, sources = gradient(spec)
        tf.function(of_sum, jit_compile=True, autograph=False)(*sources)
    except Exception:  # noqa: BLE001  whatever it raises is the answer
        return "no"
    return "yes"


def xla(names: list[str]) -> dict[str, str]:
    """XLA's answers, from a process that is begun again after a function that aborts it."""
    found: dict[str, str] = {}
    left = list(names)
    while left:
        for name, answer in _compiled_elsewhere(left):
            found[name] = answer
            print("xla", name, answer, flush=True)
        rest = [name for name in left if name not in found]
        if rest:
            found[rest[0]] = "no"
        left = rest[1:]
    return found


def _compiled_elsewhere(names: list[str]) -> Iterator[tuple[str, str]]:
    command = [sys.executable, str(HERE / "measure_ops.py"), "--xla", *names]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        for line in process.stdout or ():
            if line.startswith("{"):
                yield from json.loads(line).items()


def points(spec: Any) -> Iterator[str]:
    """TensorFlow's gradient at a function's special points, in words."""
    import tensorflow as tf

    for text, args in specs_points().get(spec.name, ()):
        sources = [tf.identity(arg) for arg in args]
        try:
            with tf.GradientTape() as tape:
                tape.watch(sources)
                output = tape_sum(spec.f(*sources))
            found = tape.gradient(output, sources)
        except Exception as error:  # noqa: BLE001  what is raised at the point is what is to be told
            yield f"{text}: raises {type(error).__name__}"
            continue
        yield f"{text}: {', '.join('None' if g is None else plain(g) for g in found)}"


def tape_sum(output: Any) -> Any:
    """One real number from any output."""
    import tensorflow as tf

    return tf.add_n([tf.reduce_sum(tf.math.real(part)) for part in tf.nest.flatten(output)])


def plain(tensor: Any) -> str:
    """Numbers in a few characters."""
    from tfgrad import wording

    return wording.values(tensor.numpy())


def specs_points() -> dict[str, Any]:
    """All special points by name."""
    found: dict[str, Any] = {}
    for module in ("basic", "algebra", "networks"):
        for area in vars(importlib.import_module(f"op_specs.{module}")).values():
            if type(area).__name__ == "Area":
                found.update(area.points)
    return found


def aliases(name: str) -> list[str]:
    """The other public names of the same object."""
    from op_specs.inputs import public

    if "(" in name or "RaggedTensor" in name:
        return []
    own = public(name)
    import tensorflow as tf

    found = set()
    for prefix in ("", "math", "linalg", "nn", "signal", "keras.ops", "compat.v1"):
        place: Any = tf
        for step in prefix.split(".") if prefix else ():
            place = getattr(place, step, None)
        for key in dir(place) if place is not None and prefix != "compat.v1" else ():
            if not key.startswith("_") and getattr(place, key, None) is own:
                found.add(f"tf.{prefix}.{key}" if prefix else f"tf.{key}")
    return sorted(found - {name})


if __name__ == "__main__":
    raise SystemExit(main())
