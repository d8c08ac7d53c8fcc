"""Parts of the way that ran before the tape began or on another thread: ops that are not on the record.

That something is missing is known from the ids of tensors; which line computed it is read off the syntax. A line is
only named if what it computes reads a Variable, a layer or a model.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from types import CodeType
from typing import TypeAlias

from tfgrad.see import syntax
from tfgrad.see.explanation import Place, Reason
from tfgrad.see.missing import callers
from tfgrad.see.question import LeafQuestion, place_of
from tfgrad.see.record import Event, Leaf
from tfgrad.source import at_line, position

# A scope, an assignment in it, and the gradient() call that its value comes from, if it does.
_Assignment: TypeAlias = "tuple[ast.AST, ast.stmt, ast.expr | None]"
_MAKERS = ("Variable(", "Sequential(", "Model(", "layers.", "add_weight(", "Module(", "variable(", "applications.")


def before_the_tape(leaf: LeafQuestion, symptom: str) -> Reason | None:
    """The target, or a tensor that it needs and this source was named in the making of, is older than the tape."""
    first = leaf.flow.state.first_id
    targets = leaf.question.target_ids
    if first is None:
        return None
    is_older = bool(targets) and all(_is_before(leaf, i, first) for i in targets)
    named = _named_target(leaf) if is_older else None
    detail = "The target was computed before the tape began."
    if named is not None:
        return leaf.reason(symptom, "outside-tape", where=named, detail=detail)
    found = _part_before(leaf, symptom, first, loosely=False)
    return found or (leaf.reason(symptom, "outside-tape", detail=detail) if is_older else None)


def perhaps_before_the_tape(leaf: LeafQuestion, symptom: str) -> Reason | None:
    """A tensor that the target needs is older than the tape, and was computed from some Variable, layer or model."""
    first = leaf.flow.state.first_id
    return _part_before(leaf, symptom, first, loosely=True) if first is not None else None


def _part_before(leaf: LeafQuestion, symptom: str, first: int, *, loosely: bool) -> Reason | None:
    if leaf.way.used:
        return None
    tensors, _ = leaf.flow.ancestors(leaf.question.target_ids)
    for entered in _unmade(leaf, (i for i in tensors if i < first)):
        line, is_derivative = _computed_at(leaf, entered, loosely)
        if line is not None and is_derivative:
            detail = "This gradient() ran before the tape that is asked began."
            return leaf.reason(symptom, "higher-order", where=line, detail=detail)
        if line is not None:
            return leaf.reason(symptom, "outside-tape", where=line, detail="This ran before the tape began.")
    return None


def _is_before(leaf: LeafQuestion, i: int, first: int) -> bool:
    """Whether a tensor was made before the tape began, by nobody who listened or under another tape."""
    made = leaf.record.producers.get(i)
    return i < first if made is None else leaf.flow.off.get(made) == "before"


def on_another_thread(leaf: LeafQuestion, symptom: str) -> Reason | None:
    """A tensor is younger than the tape, and nothing on this thread made it."""
    first = leaf.flow.state.first_id
    if first is None:
        return None
    tensors, _ = leaf.flow.ancestors(leaf.question.target_ids)
    for entered in _unmade(leaf, (i for i in tensors if i > first)):
        if _speaks_of_threads(entered):
            detail = "What this line uses was computed where the tape could not see it, such as on another thread."
            advice = "open the tape in the thread that computes, or compute it on this one"
            where = _in_thread(leaf, entered) or leaf.place(entered)
            return leaf.reason(symptom, "outside-tape", where=where, detail=detail, advice=advice)
    return None


def _unmade(leaf: LeafQuestion, ids: Iterable[int]) -> list[Leaf | Event]:
    """Where floating tensors that nothing on the record made first came up; Variables and Python data left out."""
    found: list[Leaf | Event] = []
    for i in sorted(ids):
        if i in leaf.record.producers or not leaf.flow.floating(i) or leaf.flow.is_handle(i):
            continue
        known = leaf.record.leaves.get(i)
        users = leaf.record.users.get(i, ())
        if known is None and users:
            found.append(leaf.flow.event(users[0]))
        elif known is not None and known.kind == "tensor":
            found.append(known)
    return found


def _computed_at(leaf: LeafQuestion, entered: Leaf | Event, loosely: bool) -> tuple[Place | None, bool]:
    """The statement that a tensor's name was last assigned by, and whether it takes a derivative.

    Only one that does, or that reads what the leaf was asked about by (loosely: any Variable, layer or model), and of
    which nothing is on the record.
    """
    at = leaf.record.position(entered)
    module = syntax.tree(at.file) if at is not None else None
    body = callers.scope_at(entered.code, at)
    statement = syntax.statement(body, at.line) if at is not None and body is not None else None
    if at is None or module is None or body is None or statement is None:
        return None, False
    used = syntax.names(_parsed(at.expression)) or syntax.names(syntax.value(statement) or statement)
    called = syntax.called(module, {name.rpartition(".")[2] for name in used}, at.line)
    used |= {name for function in called for name in syntax.returned(function)}
    inner = [scope for function in called for scope in syntax.scopes_around(module, function)]
    around = list(dict.fromkeys([*syntax.scopes_around(module, body), *inner]))
    holders = _holding_variables(around) | _holding_tensors(leaf, around) if loosely else set()
    search = _Search(module, around, _lines_on_record(leaf, at.file), holders, callers.own_names(leaf))
    found = search.assignment(used) or search.assignment(syntax.backward_of(body, statement).names)
    found = found or search.at_callers(body, used, callers.home(leaf))
    if found is None:
        return None, False
    scope, line, derivative = found
    number = derivative.lineno if derivative is not None else line.lineno
    return place_of(at_line(at.file, number, getattr(scope, "name", at.function))), derivative is not None


class _Search:
    """Looks for the assignment that computed something from Variables, in some scopes, innermost first."""

    def __init__(
        self, module: ast.Module, scopes: list[ast.AST], on_record: set[int], holders: set[str], own: frozenset[str]
    ) -> None:
        self.module = module
        self.scopes = scopes
        self.on_record = on_record
        self.holders = holders
        self.own = own

    def assignment(self, used: Iterable[str]) -> _Assignment | None:
        """The scope, the assignment to one of these names, and the gradient() call that it takes its value from."""
        found = (self._assigned(scope, set(used)) for scope in self.scopes)
        return next((each for each in found if each is not None), None)

    def at_callers(self, body: ast.AST, used: set[str], near: ast.AST | None) -> _Assignment | None:
        """The same for what the parameters of a function were given where it was called."""
        for caller, names in callers.given(self.module, body, used, near):
            found = self._assigned(caller, names)
            if found is not None:
                return found
        return None

    def _assigned(self, scope: ast.AST, used: set[str]) -> _Assignment | None:
        for line in sorted(_assignments(scope), key=lambda node: -node.lineno):
            if not syntax.targets(line) & used or self._is_other(line):
                continue
            derivative = self._derivative(line)
            made_of = derivative is not None or bool(syntax.backward_of(scope, line).names & self.holders)
            if made_of or callers.speaks_of(syntax.value(line), self.own):
                return scope, line, derivative
        return None

    def _is_other(self, line: ast.stmt) -> bool:
        return bool(self.on_record & set(syntax.lines(line))) or _makes_variable(line)

    def _derivative(self, line: ast.stmt) -> ast.expr | None:
        own = syntax.value(line)
        called = syntax.called(self.module, {n.rpartition(".")[2] for n in syntax.names(own)}, line.lineno)
        returns = [node for function in called for node in ast.walk(function) if isinstance(node, ast.Return)]
        for value in (own, *(node.value for node in returns)):
            for node in ast.walk(value) if value is not None else ():
                if isinstance(node, ast.Call) and syntax.dotted(node.func).endswith(_DERIVATIVES):
                    return node
        return None


_DERIVATIVES = (".gradient", ".jacobian", ".batch_jacobian", "tf.gradients")


def _lines_on_record(leaf: LeafQuestion, file: str) -> set[int]:
    """The lines of a file that ran ops while the tape listened."""
    ran = {(event.code, event.lasti) for event in leaf.record.events if event.code is not None}
    found = (position(code, lasti) for code, lasti in ran)
    return {at.line for at in found if at.file == file}


def _parsed(expression: str | None) -> ast.AST | None:
    try:
        return ast.parse((expression or "").strip(), mode="eval") if expression else None
    except (SyntaxError, ValueError):
        return None


def _assignments(scope: ast.AST) -> Iterator[ast.stmt]:
    kinds = ast.Assign | ast.AugAssign | ast.AnnAssign
    return (node for node in syntax.own_statements(scope) if isinstance(node, kinds))


def _makes_variable(statement: ast.stmt) -> bool:
    value = syntax.value(statement)
    text = ast.unparse(value) if value is not None else ""
    return any(maker in text for maker in _MAKERS)


def _holding_variables(scopes: list[ast.AST]) -> set[str]:
    """The names that hold Variables, layers or models, as far as the syntax shows, and functions that use such."""
    holders: set[str] = set()
    for scope in scopes:
        for line in _assignments(scope):
            if _makes_variable(line):
                holders |= _paired_targets(line)
    for scope in scopes:
        for node in syntax.own_statements(scope):
            if isinstance(node, ast.FunctionDef) and syntax.names(node) & holders:
                holders |= {node.name, f"self.{node.name}"}
            elif isinstance(node, ast.ClassDef) and any(maker in ast.unparse(node) for maker in _MAKERS):
                holders |= _instances(node.name, scopes)
    return holders - {"self"}


def _holding_tensors(leaf: LeafQuestion, scopes: list[ast.AST]) -> set[str]:
    """The names that hold tensors, where the source is a tensor that the tape was told to watch and never met."""
    if leaf.asked.kind != "tensor" or not set(leaf.ids) & leaf.flow.told:
        return set()
    made = [line for scope in scopes for line in _assignments(scope)]
    return {name for line in made if "tf" in syntax.names(syntax.value(line)) for name in syntax.targets(line)}


def _instances(name: str, scopes: list[ast.AST]) -> set[str]:
    """The names that were set to an instance of a class."""
    made = [line for scope in scopes for line in _assignments(scope)]
    return {target for line in made if name in syntax.names(syntax.value(line)) for target in syntax.targets(line)}


def _paired_targets(statement: ast.stmt) -> set[str]:
    """The targets of an assignment whose own value makes a Variable: in `w, x = tf.Variable(1.0), 2.0` that is w."""
    value = getattr(statement, "value", None)
    target = getattr(statement, "targets", [None])[0]
    if isinstance(value, ast.Tuple) and isinstance(target, ast.Tuple) and len(value.elts) == len(target.elts):
        pairs = [(syntax.dotted(one), ast.unparse(made)) for one, made in zip(target.elts, value.elts, strict=True)]
        return {name for name, text in pairs if name and any(maker in text for maker in _MAKERS)}
    return syntax.targets(statement)


def _named_target(leaf: LeafQuestion) -> Place | None:
    """Where the name that stands as the target in the gradient() call was set."""
    call = leaf.call
    at = leaf.record.position(call) if call is not None else None
    methods = (call.method,) if call is not None else ()
    node = syntax.call_at(at.file, at.line, at.expression, methods) if at is not None else None
    body = callers.home(leaf)
    if at is None or node is None or body is None:
        return None
    wanted = syntax.names(syntax.argument(node, 0, "target"))
    found = [line for line in _assignments(body) if syntax.targets(line) & wanted and line.lineno < at.line]
    last = max(found, key=lambda line: line.lineno, default=None)
    return place_of(at_line(at.file, last.lineno, at.function)) if last is not None else None


def _speaks_of_threads(entered: Leaf | Event) -> bool:
    """Whether the file where a tensor came up has anything to do with threads."""
    module = syntax.tree(entered.code.co_filename) if isinstance(entered.code, CodeType) else None
    return any(word in name.lower() for name in syntax.names(module) for word in ("thread", "executor", "submit"))


def _in_thread(leaf: LeafQuestion, entered: Leaf | Event) -> Place | None:
    """The line inside a thread's function that a tensor was last set by."""
    at = leaf.record.position(entered)
    body = syntax.scope(entered.code) if isinstance(entered.code, CodeType) else None
    fed = syntax.backward(body, at.line) if at is not None and body is not None else None
    if at is None or body is None or fed is None:
        return None
    for function in (node for node in ast.walk(body) if isinstance(node, ast.FunctionDef) and node is not body):
        for statement in syntax.statements(function):
            if statement.lineno in fed.lines and (syntax.targets(statement) & fed.names or _grows(statement, fed)):
                return place_of(at_line(at.file, statement.lineno, function.name))
    return None


def _grows(statement: ast.stmt, fed: syntax.Slice) -> bool:
    return syntax.grown(statement) in fed.names
