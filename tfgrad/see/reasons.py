"""Which question to ask: from a tape (or a function) to an Explanation, one Reason for each leaf of the source.

The symptom is read off the answers of gradient(); `QUESTIONS` says who explains it. A new kind of question is a new
entry there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad.compute import calling, primals
from tfgrad.compute import wrt as wrts
from tfgrad.errors import GradError, IntegerError, StructureError
from tfgrad.see import names
from tfgrad.see.explanation import Explanation, Reason
from tfgrad.see.missing import why_none
from tfgrad.see.numbers import why_nonfinite, why_zero
from tfgrad.see.question import LeafQuestion, Question
from tfgrad.see.raising import why_error
from tfgrad.see.record import Answer, Asked, GradientCall, Mark, Record
from tfgrad.see.recording.asking import asked
from tfgrad.see.recording.measuring import measure

if TYPE_CHECKING:
    from tfgrad.see.tape import Tape

# Symptom -> who explains it. Each takes the question about one leaf and answers a Reason.
QUESTIONS: dict[str, Callable[[LeafQuestion], Reason]] = {
    "none": why_none.reason,
    "zero": why_zero.reason,
    "nonfinite": why_nonfinite.reason,
    "error": why_error.reason,
}


def explain_tape(tape: Tape, target: Any = None, source: Any = None) -> Explanation:
    """Why each leaf of the source got the gradient it got; see `Tape.explain`.

    Raises:
        GradError: nothing was asked, and no gradient() call was made that could be meant.
        StructureError: the tape was never entered.
    """
    record = tape.record
    if not record.tapes[record.tape].entered:
        raise StructureError(
            "Tape.explain: this tape was never entered, so it recorded nothing",
            "a tape that recorded the computation",
            "with tfgrad.Tape() as tape: ..., then tape.gradient(y, x) and tape.explain()",
        )
    return explained(_question(tape, target, source))


def of_target(tape: Tape) -> Reason | None:
    """Why the target of a tape's last call is not finite though its gradients are; None if it is, or was not asked."""
    return why_nonfinite.of_target(_question(tape, None, None))


def _question(tape: Tape, target: Any, source: Any, *, root: str = "source", paths: Sequence[str] = ()) -> Question:
    record = tape.record
    last = record.last_call
    if target is None and last is None:
        raise GradError(
            "Tape.explain: no gradient() was asked of this tape, and no target was given",
            "something to explain",
            "tape.gradient(y, x) first, or tape.explain(y, x)",
        )
    targets = last.target if target is None and last is not None else asked(target)
    if source is None:
        sources = last.sources if target is None and last is not None else asked(_watched(record))
    else:
        sources = asked(source)
    if target is not None:
        _ask_if_free(tape, record, target, source, targets, sources)
        record = tape.record
    if source is None and target is not None:
        root = "watched"
    return _matched(record, targets, sources, root, tuple(paths))


def _watched(record: Record) -> list[Any]:
    """The Variables that a tape watched, and the tensors it was told to watch as far as they are still there."""
    variables = [variable for variable in record.tapes[record.tape].watched.values() if variable is not None]
    marks = [entry for entry in record.timeline if isinstance(entry, Mark) and entry.what == "watch"]
    told = dict.fromkeys(i for mark in marks if mark.tape == record.tape for i in mark.ids)
    return variables + [record.value(i) for i in told if record.value(i) is not None]


def _ask_if_free(
    tape: Tape, record: Record, target: Any, source: Any, targets: Sequence[Asked], sources: Sequence[Asked]
) -> None:
    """Asks a persistent tape itself, which costs the user nothing; any other tape is left as it is."""
    answered = all(_answer(record, targets, leaf) is not None for leaf in sources)
    state = record.tapes[record.tape]
    if answered or source is None or not state.persistent or not tf.executing_eagerly():
        return
    try:
        with tape.stop_recording() if tape._is_recording else tf.init_scope():
            tape.gradient(target, source)
    # Whatever it raises is on the record as this call's failure, and is what gets explained.
    except Exception:  # noqa: BLE001
        return


def _matched(
    record: Record, targets: tuple[Asked, ...], sources: tuple[Asked, ...], root: str, paths: tuple[str, ...]
) -> Question:
    """The question, with the gradient() call that answered it, as far as one did."""
    found = [_answer(record, targets, leaf) for leaf in sources]
    calls = [call for call, _ in (pair for pair in found if pair is not None)]
    call = max(calls, key=lambda call: call.number, default=None)
    answers = tuple(pair[1] if pair is not None else None for pair in found)
    return Question(record, call, targets, sources, answers, paths or names.paths(record, call, sources, root))


def _answer(record: Record, targets: Sequence[Asked], leaf: Asked) -> tuple[GradientCall, Answer | None] | None:
    """The last call on this tape that asked for this leaf of this target, and its answer; None without such a call."""
    for call in reversed(record.calls):
        if call.tape != record.tape or not _same(call.target, targets):
            continue
        for k, source in enumerate(call.sources):
            if _same([source], [leaf]):
                return call, call.answers[k] if k < len(call.answers) else None
    return None


def _same(a: Sequence[Asked], b: Sequence[Asked]) -> bool:
    return [_identity(leaf) for leaf in a] == [_identity(leaf) for leaf in b]


def _identity(leaf: Asked) -> object:
    return leaf.ids or (leaf.kind, leaf.about)


def explained(question: Question) -> Explanation:
    """The reasons of all leaves, and the notes."""
    return Explanation(tuple(_reason(leaf) for leaf in question.leaves), tuple(notes(question)))


def _reason(leaf: LeafQuestion) -> Reason:
    try:
        return _asked_of_its_symptom(leaf)
    # Whatever a program did, explaining it must not break it: a fault of our own is told as one.
    except Exception as error:
        if _STRICT:
            raise
        detail = f"Explaining it failed inside tfgrad ({type(error).__name__}: {error})."
        return leaf.reason("unknown", "unknown", detail=detail, advice="report it with the program, please")


# The package's own tests set this, so that they see such faults.
_STRICT = bool(os.environ.get("TFGRAD_STRICT"))


def _asked_of_its_symptom(leaf: LeafQuestion) -> Reason:
    symptom = symptom_of(leaf)
    if symptom == "ok":
        return Reason(leaf.path, "ok", "ok")
    if symptom == "zero" and not _reached(leaf):
        return why_none.reason(leaf, symptom)
    ask = QUESTIONS.get(symptom)
    if symptom == "unknown" or ask is None:
        return _untold(leaf, symptom)
    return ask(leaf)


def symptom_of(leaf: LeafQuestion) -> str:
    """What is wrong with a leaf's gradient, from the answer of gradient(); without one, from the record alone."""
    call, answer = leaf.call, leaf.answer
    if call is not None and call.failure is not None:
        return "error"
    if answer is None:
        if any(not target.ids for target in leaf.question.target) or not leaf.ids:
            return "error"
        return "unknown" if _reached(leaf) else "none"
    if answer.state == "symbolic":
        return "unknown"
    if answer.state == "unseen":
        return _measured(answer.value)
    return answer.state


def _reached(leaf: LeafQuestion) -> bool:
    return leaf.flow.carries(leaf.ids[0]) and leaf.way.live(leaf.question.target_ids) if leaf.ids else False


def _measured(gradient: Any) -> str:
    """The symptom of a gradient that nobody looked at yet (it is on a GPU)."""
    found = measure(gradient)
    return "unknown" if gradient is None else "ok" if found is None else found.state


def _untold(leaf: LeafQuestion, symptom: str) -> Reason:
    if leaf.answer is not None and leaf.answer.state == "symbolic":
        return leaf.reason(
            "unknown",
            "unknown",
            detail="A gradient comes back; whether it is zero or NaN is not known while a tf.function is traced.",
            advice="run the step eagerly to see its values: tf.config.run_functions_eagerly(True)",
        )
    if leaf.answer is None and symptom == "unknown":
        return leaf.reason(
            "unknown",
            "unknown",
            detail="A gradient comes back, as the record shows; whether it is zero or NaN only gradient() tells.",
            advice="call gradient() first, then explain()",
        )
    return leaf.reason("unknown", "unknown", detail=f"The gradient is {symptom}.")


def notes(question: Question) -> list[str]:
    """What is right but surprising about the question."""
    found: list[str] = []
    if not question.sources:
        found.append("The list of sources is empty. A Keras model has no variables before it is first called.")
    shapes = [leaf.shape for leaf in question.target if leaf.ids and leaf.shape]
    seeded = question.call is not None and (question.call.seeded or question.call.method != "gradient")
    if (shapes or len(question.target) > 1) and not seeded:
        what = f"has shape {wording.shape(shapes[0])}" if len(question.target) == 1 else "is a nest of tensors"
        found.append(f"The target {what}: the gradient is that of the sum of all its elements.")
    broken = why_nonfinite.of_target(question) if question.call is not None else None
    if broken is not None:
        known = broken.where is not None and broken.cause != "unknown"
        at = f": {broken.cause} at line {broken.where.line}. {broken.detail}" if known and broken.where else "."
        found.append(f"The target itself is not finite{at}")
    if question.record.lost:
        found.append("The record was long: what happened first, and nothing watched led to, was let go.")
    return found


def explain(f: Callable[..., Any], *args: Any, wrt: Any = 0) -> Explanation:
    """Why each leaf of `wrt` gets the gradient it gets from f at these arguments; f runs once.

    Args:
        f: what is differentiated; its value is the target.
        args: f's arguments, as `grad(f)` takes them.
        wrt: as for `grad`.

    Raises:
        KindError, StructureError: f is no function, or `wrt` names nothing that there is.

    >>> print(explain(lambda x: tf.round(x) * 2.0, 1.5).cause)
    nondifferentiable-op
    """
    from tfgrad.see.tape import Tape

    calling.check_function(f, "explain")
    about = wrts.parse(wrt, "explain")
    given, source, paths = _arguments(about, args)
    with Tape(persistent=True, record_values=True) as tape:
        tape.watch([leaf for leaf in trees.flatten(source) if trees.is_differentiable(leaf)])
        value = calling.call(f, given, {}, args, "explain")
    if isinstance(about, wrts.Module):
        source = about.variables("explain")
    if value is None:
        # TensorFlow's complaint about a target of None is what gets explained.
        with contextlib.suppress(TypeError):
            tape.gradient(None, source)
        source = None
    return explained(_question(tape, value, source, root="wrt", paths=paths))


def _arguments(about: wrts.About, args: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any, list[str]]:
    """f's arguments with those that are asked about made anew, the source, and the paths of the source's leaves."""
    if not isinstance(about, wrts.Positions):
        return args, about.tree if isinstance(about, wrts.Variables) else [], []
    places = about.among(len(args), "explain")
    fresh = tuple(_fresh(arg, f"args[{i}]") if i in places else arg for i, arg in enumerate(args))
    paths = [path for place in places for path in trees.paths(fresh[place], f"args[{place}]")]
    return fresh, [fresh[place] for place in places], paths


def _fresh(tree: Any, root: str) -> Any:
    """An argument as tensors of their own, integers too: that they are integers is what gets explained."""
    return trees.rebuild(
        tree, [_fresh_leaf(leaf, path) for leaf, path in zip(trees.flatten(tree), trees.paths(tree, root), strict=True)]
    )


def _fresh_leaf(leaf: Any, path: str) -> Any:
    if leaf is None:
        return None
    try:
        return primals.fresh(leaf, path, "explain")
    except IntegerError:
        return tf.identity(tf.convert_to_tensor(wrts.tensor_of(leaf)))
