"""Where the rule of a `tf.custom_gradient` stands: the line of the inner function that answers the gradients.

Found from the ops that ran inside the decorated function, else from the name that was called.
"""

from __future__ import annotations

import ast
from types import CodeType

from tfgrad.see import syntax
from tfgrad.see.explanation import Place
from tfgrad.see.numbers.turns import Turn
from tfgrad.see.question import LeafQuestion, place_of
from tfgrad.see.record import Event, Record
from tfgrad.see.ways.cuts import Cut
from tfgrad.source import at_line, is_user_file

_Functions = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def rule(leaf: LeafQuestion, cut: Cut) -> Place | None:
    """The line where the rule is defined, None where it can't be found."""
    definition = _by_inner_op(leaf, cut) or _by_name(leaf, cut)
    if definition is None:
        return None
    file, function = definition
    inner = _rule_of(function)
    found = inner if inner is not None else function
    return place_of(at_line(file, found.lineno, getattr(found, "name", "<lambda>")))


# Between a call and the ops of a custom rule stand these of TensorFlow's own files.
_BETWEEN = ("custom_gradient.py", "traceback_utils.py", "dispatch.py", "tf_decorator.py", "api.py", "wrappers.py")


def is_of_library(record: Record, turn: Turn) -> bool:
    """Whether a custom rule is TensorFlow's own, such as that of `tf.nn.silu`, and not one that the user wrote."""
    if turn.graph_op is not None:
        frames = [frame.filename for frame in turn.graph_op.traceback or ()]
        rules = [n for n, file in enumerate(frames) if file.endswith("custom_gradient.py")]
        before = [file for file in frames[: rules[-1]] if not file.endswith(_BETWEEN)] if rules else []
        return bool(before) and is_user_file[before[-1]] is False
    inner = _inside(record, turn.event) if turn.event is not None else []
    # The ops of a rule that stands in the user's file have lines of their own.
    return bool(inner) and all(_where(each) == _where(turn.event) for each in inner)


def _inside(record: Record, event: Event) -> list[Event]:
    """The ops that ran inside the function whose custom rule an event is: from its inputs to what it answered."""
    made = {i: each for each in record.events if each.n < event.n for i in each.outputs}
    todo = [made[i] for i in event.outputs if i in made]
    found: list[Event] = []
    while todo:
        each = todo.pop()
        todo += [made[i] for i in each.inputs if i in made and i not in event.inputs and made[i] not in found]
        if each.op != "Identity" and each not in found:
            found.append(each)
    return found


def _where(event: Event | None) -> tuple[object, int | None]:
    return (event.code, event.lasti) if event is not None else (None, None)


def _by_inner_op(leaf: LeafQuestion, cut: Cut) -> tuple[str, _Functions] | None:
    if cut.graph_op is not None:
        return None
    for event in leaf.record.events:
        if event.superseded_by == cut.n and isinstance(event.code, CodeType):
            scope = syntax.scope(event.code)
            if isinstance(scope, _Functions) and _rule_of(scope) is not None:
                return event.code.co_filename, scope
    return None


def _by_name(leaf: LeafQuestion, cut: Cut) -> tuple[str, _Functions] | None:
    """The function by the names at the line of the cut, or at the lines that led to it inside a traced function."""
    at = cut.position(leaf.record)
    module = syntax.tree(at.file) if at is not None else None
    if at is None or module is None:
        return None
    inside = _enclosing(module, at.line)
    if inside is not None and _rule_of(inside) is not None:
        return at.file, inside
    statement = syntax.statement(module, at.line)
    for name in sorted(syntax.names(statement)):
        definition = syntax.function(module, name.rpartition(".")[2], at.line)
        if definition is not None and _is_decorated(definition):
            return at.file, definition
    return None


def _is_decorated(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("custom_gradient" in ast.unparse(decorator) for decorator in definition.decorator_list)


def _enclosing(module: ast.AST, line: int) -> _Functions | None:
    around = [
        node
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef) and line in syntax.lines(node) and _is_decorated(node)
    ]
    return min(around, key=lambda node: len(syntax.lines(node)), default=None)


def _rule_of(function: ast.AST) -> _Functions | None:
    """The inner function that a decorated function returns next to its value."""
    body = getattr(function, "body", [])
    inner = {node.name: node for node in body if isinstance(node, ast.FunctionDef)} if isinstance(body, list) else {}
    for node in ast.walk(function):
        if not isinstance(node, ast.Return) or not isinstance(node.value, ast.Tuple) or len(node.value.elts) != 2:
            continue
        second = node.value.elts[1]
        if isinstance(second, ast.Lambda):
            return second
        if isinstance(second, ast.Name) and second.id in inner:
            return inner[second.id]
    return None
