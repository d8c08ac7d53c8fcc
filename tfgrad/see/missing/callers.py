"""Names across functions: what a leaf is called where it was asked about, and what a function's parameters were given.

Read off the source text, so that a value that ran unseen can be followed to the line that made it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import CodeType
from typing import TypeAlias

from tfgrad.see import syntax
from tfgrad.see.explanation import Place
from tfgrad.see.names import expression
from tfgrad.see.question import LeafQuestion, place_of
from tfgrad.source import Position, at_line

_Definition: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"
_DEEPEST = 3
_NO_OWNERS = frozenset({"tf", "keras", "np", "list", "tuple", "zip"})


def scope_at(code: object, at: Position | None) -> ast.AST | None:
    """The syntax node of the function that some code belongs to; of a traced function, by the line."""
    if isinstance(code, CodeType) and (at is None or code.co_filename == at.file):
        return syntax.scope(code)
    return syntax.scope_of_line(at.file, at.line) if at is not None else None


def home(leaf: LeafQuestion) -> ast.AST | None:
    """The function in which gradient() was called."""
    call = leaf.call
    return scope_at(call.code, leaf.record.position(call)) if call is not None else None


def _sources(leaf: LeafQuestion) -> ast.expr | None:
    """What stands as the sources in the gradient() call."""
    call = leaf.call
    at = leaf.record.position(call) if call is not None else None
    node = syntax.call_at(at.file, at.line, at.expression, (call.method,)) if at is not None and call else None
    return syntax.argument(node, 1, "sources") if node is not None else None


def own_names(leaf: LeafQuestion) -> frozenset[str]:
    """The names in what the leaf was asked about by: `model` and more for `tape.gradient(loss, model.variables)`."""
    argument = _sources(leaf)
    found = _with_owners(argument)
    body = home(leaf)
    if isinstance(argument, ast.Name) and body is not None:
        for line in syntax.own_statements(body):
            if argument.id in syntax.targets(line):
                found |= _with_owners(syntax.value(line))
    return frozenset(found - _NO_OWNERS)


def _with_owners(node: ast.AST | None) -> set[str]:
    """The dotted names in an expression and what they are part of; `self` only for what is its own, `self.w`."""
    names = syntax.names(node)
    inner = {name.rpartition(".")[0] for name in names}
    own = any(name.startswith("self.") and name.count(".") == 1 for name in names - inner)
    return names if own else names - {"self"}


def creation(leaf: LeafQuestion) -> Place | None:
    """The line that made an integer leaf, where the file has just one that gives its name a Variable or constant."""
    call = leaf.call
    at = leaf.record.position(call) if call is not None else None
    module = syntax.tree(at.file) if at is not None else None
    name = _expression(leaf).rpartition(".")[2]
    if at is None or module is None or not name.isidentifier():
        return None
    made = [
        line
        for line in syntax.statements(module)
        if name in {target.rpartition(".")[2] for target in syntax.targets(line)} and _makes(syntax.value(line))
    ]
    made = [line for line in made if not _has_fraction(line)] if len(made) > 1 else made
    scope = syntax.scope_of_line(at.file, made[0].lineno) if len(made) == 1 else None
    return place_of(at_line(at.file, made[0].lineno, getattr(scope, "name", "<module>"))) if scope is not None else None


def _expression(leaf: LeafQuestion) -> str:
    """The dotted name by which a leaf stands in the gradient() call; empty if it has none there."""
    argument = _sources(leaf)
    if isinstance(argument, ast.List | ast.Tuple) and leaf.asked.path:
        return expression(argument, leaf.asked.path, "")
    return syntax.dotted(argument) if argument is not None and not leaf.asked.path else ""


_MAKERS = frozenset({"Variable", "constant", "convert_to_tensor", "add_weight", "cast", "range", "ones", "zeros"})


def _makes(value: ast.AST | None) -> bool:
    return isinstance(value, ast.Call) and syntax.dotted(value.func).rpartition(".")[2] in _MAKERS


def _has_fraction(line: ast.stmt) -> bool:
    return any(isinstance(node, ast.Constant) and isinstance(node.value, float) for node in ast.walk(line))


def speaks_of(node: ast.AST | None, names: frozenset[str]) -> bool:
    """Whether an expression uses one of some names; `self` only where it is called, or something of it is."""
    plain = names - {"self"}
    if node is None:
        return False
    if syntax.names(node) & plain:
        return True
    called = {syntax.dotted(inner.func) for inner in ast.walk(node) if isinstance(inner, ast.Call)}
    return "self" in names and any(name.partition(".")[0] == "self" for name in called)


def given(
    module: ast.Module, body: ast.AST, used: set[str], near: ast.AST | None, depth: int = 0
) -> Iterator[tuple[ast.AST, set[str]]]:
    """Where a function is called, and the names in what the parameters of interest are given there.

    Args:
        module: the file.
        body: the function.
        used: the names of interest in it, parameters or not.
        near: the function whose calls count if there are such, and all others not.
        depth: how many calls away from the first function this one is.
    """
    if not isinstance(body, ast.FunctionDef | ast.AsyncFunctionDef) or body is near or depth >= _DEEPEST:
        return
    if not used & set(_parameters(body)):
        return
    sites = list(_sites(module, body.name))
    here = [site for site in sites if site[0] is near]
    handed = [(caller, _arguments(body, call, used)) for caller, call in here or sites]
    yield from handed
    for caller, names in handed:
        yield from given(module, caller, names, near, depth + 1)


def _parameters(body: _Definition) -> list[str]:
    return [each.arg for each in (*body.args.posonlyargs, *body.args.args, *body.args.kwonlyargs)]


def _sites(module: ast.Module, name: str) -> Iterator[tuple[ast.AST, ast.Call]]:
    scopes = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for scope in (*scopes, module):
        for statement in syntax.own_statements(scope):
            for node in _own_nodes(statement):
                if isinstance(node, ast.Call) and syntax.dotted(node.func).rpartition(".")[2] == name:
                    yield scope, node


def _own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement itself, those of the statements inside it left out."""
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        yield node
        todo += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]


def _arguments(body: _Definition, call: ast.Call, used: set[str]) -> set[str]:
    """The names in the arguments of a call that some parameters take."""
    parameters = _parameters(body)
    if parameters[:1] == ["self"] and isinstance(call.func, ast.Attribute):
        parameters = parameters[1:]
    by_place = dict(zip(parameters, call.args, strict=False))
    by_name = {word.arg: word.value for word in call.keywords if word.arg is not None}
    taken = {**by_place, **by_name}
    return {name for parameter in used & set(taken) for name in syntax.names(taken[parameter])}
