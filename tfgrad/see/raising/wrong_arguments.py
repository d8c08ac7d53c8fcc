"""What was wrong with what gradient() was given: a number, None, a model or a symbolic tensor as target or source."""

from __future__ import annotations

import ast
import linecache
import re

from tfgrad.see import syntax
from tfgrad.see.causes import CAUSES
from tfgrad.see.explanation import Place, Reason
from tfgrad.see.question import LeafQuestion
from tfgrad.see.record import Asked, Mark, Read

_MOST_TEXT = 200
_WANTED = ("tensor", "variable", "keras-variable", "composite")


def reason(leaf: LeafQuestion) -> Reason | None:
    """The reason if an argument is to blame, else None.

    Every leaf of a call is answered the same: what is wrong with one keeps all from their gradients.
    """
    wrong = [("target", each) for each in leaf.question.target if each.kind not in _WANTED]
    asked = leaf.asked
    wrong += [("source", each) for each in (asked, *_sources(leaf)) if each.kind not in _WANTED]
    if not wrong:
        return _shape(leaf)
    role, found = next((pair for pair in wrong if pair[1].kind == "keras-tensor"), wrong[0])
    if found.kind == "keras-tensor":
        detail = f"The {role}{_at(found)} is a KerasTensor: it belongs to the model's plan and was never computed."
        return leaf.reason("error", "symbolic-tensor", where=_where(leaf), detail=detail, advice=_symbolic(role))
    if role == "target" and found.kind in ("number", "ndarray"):
        left = _left(leaf, found)
        if left is not None:
            return left
    detail = f"The {role}{_at(found)} is {_what(found)}."
    given = _given_none(leaf) if role == "target" and found.kind == "none" else None
    if given is not None:
        detail = f"The target is the None that gradient() gave at line {given.line}."
        advice = f"mend line {given.line} first: why its gradient is None"
        return leaf.reason("error", "bad-argument", where=_where(leaf), chain=(given,), detail=detail, advice=advice)
    return leaf.reason("error", "bad-argument", where=_where(leaf), detail=detail, advice=_advice(role, found))


def _given_none(leaf: LeafQuestion) -> Place | None:
    """The gradient() call that a target of None came from, where the source says so."""
    here = leaf.place(leaf.call) if leaf.call is not None else None
    scope = syntax.scope_of_line(here.file, here.line) if here is not None else None
    if here is None or scope is None:
        return None
    asked = syntax.call_at(here.file, here.line, here.expression, ("gradient",))
    name = syntax.dotted(syntax.argument(asked, 0, "target") or ast.Constant(None)) if asked is not None else ""
    before = [node for node in syntax.own_statements(scope) if node.lineno < here.line]
    setting = [node for node in before if name in syntax.targets(node)]
    given = syntax.value(setting[-1]) if name and setting else None
    if not isinstance(given, ast.Call) or not isinstance(given.func, ast.Attribute) or given.func.attr != "gradient":
        return None
    text = linecache.getline(here.file, setting[-1].lineno).strip()
    return Place(here.file, setting[-1].lineno, text=text, expression=ast.unparse(given), function=here.function)


def _sources(leaf: LeafQuestion) -> tuple[Asked, ...]:
    return leaf.call.sources if leaf.call is not None else leaf.question.sources


def _where(leaf: LeafQuestion) -> Place | None:
    """The gradient() call; without one, the last watch() that was told nothing it could watch."""
    if leaf.call is not None:
        return leaf.place(leaf.call)
    watches = [entry for entry in leaf.record.timeline if isinstance(entry, Mark) and entry.what == "watch"]
    return next((leaf.place(entry) for entry in reversed(watches) if not entry.ids), None)


def _at(found: Asked) -> str:
    return f" {found.path}" if found.path else ""


def _what(found: Asked) -> str:
    if found.kind == "none":
        return "None"
    return f"no tensor but {found.about}" if found.about else "no tensor"


def _symbolic(role: str) -> str:
    if role == "target":
        return "call the model on data inside the block and use what it returns: y = model(x); tape.gradient(y, ...)"
    return CAUSES["symbolic-tensor"].advice


def _left(leaf: LeafQuestion, found: Asked) -> Reason | None:
    """A target that had been read from a tensor: where it left TensorFlow."""
    read = _read_behind(leaf)
    if read is None and found.kind == "number" and "np." not in found.about:
        return None
    where = leaf.place(read) if read is not None else leaf.place(leaf.call)
    detail = f"The target is {found.about}: from here on it is a plain number, which has no gradient."
    how = read.how if read is not None else ""
    advice = "keep the tensor for gradient(), and read its number afterwards: float(loss), loss.numpy()"
    if how in ("__array__", ""):
        advice = "compute it with TensorFlow's ops: tf.reduce_mean, tf.reduce_sum in place of np.mean, np.sum"
    return leaf.reason("error", "left-tensorflow", where=where, detail=detail, advice=advice)


def _read_behind(leaf: LeafQuestion) -> Read | None:
    """The last number read, before the call, from something that was computed from the source."""
    end = leaf.call.begin if leaf.call is not None else len(leaf.record.timeline)
    sources = [i for each in _sources(leaf) for i in each.ids]
    reads = [read for read in leaf.way.reads if read.n < end] if leaf.ids else []
    if not reads and sources:
        computed = {i for event in leaf.record.events for i in event.outputs}
        reads = [read for read in leaf.record.reads if read.n < end and read.call is None and read.id in computed]
    return reads[-1] if reads else None


def _advice(role: str, found: Asked) -> str:
    if found.kind == "none" and role == "target":
        return "the loss function returned None: let it end in `return loss`"
    if found.kind == "none":
        return "leave it out: [v for v in sources if v is not None]"
    if found.about.startswith("str"):
        return "give the Variable itself, not its name"
    if found.about in ("function", "method"):
        return "call it inside the block and give its value: loss = loss_fn()"
    if role == "source" and found.kind in ("number", "ndarray"):
        return "make it a tensor and watch it: x = tf.constant(...), tape.watch(x); or leave it out of the sources"
    if role == "source":
        return "for a model or layer give its Variables: tape.gradient(loss, model.trainable_variables)"
    return CAUSES["bad-argument"].advice


def _shape(leaf: LeafQuestion) -> Reason | None:
    """A call that takes one tensor and was given a nest, or seeds that do not fit."""
    call = leaf.call
    if call is None or call.failure is None:
        return None
    if call.failure.event is not None and not _at_seed(leaf, call.failure.event):
        return None
    text = call.failure.text
    if call.method != "gradient" and (len(call.target) != 1 or call.target[0].path):
        detail = f"{call.method}() takes one tensor as its target; this is a nest of {len(call.target)}."
        advice = "call it for each tensor of the nest, with a persistent tape; or use tfgrad.jacobian(f)"
        return leaf.reason("error", "bad-argument", where=leaf.place(call), detail=detail, advice=advice)
    if call.seeded or "unconnected_gradients" in text or call.method == "batch_jacobian":
        detail = f"TensorFlow said: {said(text)}"
        return leaf.reason("error", "bad-argument", where=leaf.place(call), detail=detail)
    return None


def _at_seed(leaf: LeafQuestion, n: int) -> bool:
    """Whether the first step failed, on output_gradients that somebody gave."""
    makers = leaf.record.producers
    return bool(leaf.call and leaf.call.seeded) and any(makers.get(i) == n for i in leaf.question.target_ids)


def said(text: str) -> str:
    """TensorFlow's words about an error: without the names of its kernels and nodes, and short."""
    last = re.search(r"([^\n]+)\n\s*\[\[\{\{node", text)
    words = re.sub(
        r"\{\{.*?\}\}|\[Op:.*?\]|name: *$|defined at \(most recent call last\).*",
        "",
        last.group(1) if last else text,
        flags=re.S,
    )
    plain = " ".join(words.split())
    return plain if len(plain) <= _MOST_TEXT else plain[: _MOST_TEXT - 3] + "..."
