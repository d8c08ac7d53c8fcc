"""The user's source as a syntax tree: which statement stands at a line, which names it reads and sets, and what a
statement may have been computed from (its backward slice inside one function).

Text only: nothing is run. Names are dotted as written (`self.w` is one name). Where a file is gone, answers are empty.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType

_GROWING = frozenset({"append", "extend", "insert", "add", "update", "put", "appendleft", "setdefault", "write"})
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_ASSIGNING = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr)


def tree(file: str) -> ast.Module | None:
    """The syntax tree of a file, a notebook cell or anything else that `linecache` knows; None if there is no text."""
    return _parsed("".join(linecache.getlines(file)))


@lru_cache(maxsize=64)
def _parsed(text: str) -> ast.Module | None:
    # A notebook's magic lines are no Python; blanked, the line numbers stay.
    blanked = "".join("\n" if line.lstrip().startswith(("%", "!")) else line for line in text.splitlines(keepends=True))
    for candidate in (text, blanked):
        try:
            return ast.parse(candidate) if candidate.strip() else None
        except (SyntaxError, ValueError):
            continue
    return None


@lru_cache(maxsize=256)
def _scope_of(module: ast.Module, name: str, first_line: int) -> ast.AST:
    best: ast.AST = module
    for node in ast.walk(module):
        if not isinstance(node, _SCOPES):
            continue
        decorators = getattr(node, "decorator_list", [])
        begins = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        named = name in (getattr(node, "name", "<lambda>"), "<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>")
        if named and begins <= first_line <= (node.end_lineno or node.lineno):
            best = node
    return best


def scope(code: CodeType) -> ast.AST | None:
    """The syntax node of the function (or module) that a code object was compiled from."""
    module = tree(code.co_filename)
    if module is None or code.co_name == "<module>":
        return module
    return _scope_of(module, code.co_name, code.co_firstlineno)


def scope_of_line(file: str, line: int) -> ast.AST | None:
    """The innermost function around a line of a file, the module if there is none."""
    module = tree(file)
    if module is None:
        return None
    around = [node for node in ast.walk(module) if isinstance(node, _SCOPES[:2]) and line in lines(node)]
    return max(around, key=lambda node: node.lineno, default=module)


def statements(node: ast.AST) -> Iterator[ast.stmt]:
    """All statements inside a node, nested blocks included."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.stmt) and inner is not node:
            yield inner


def own_statements(scope: ast.AST) -> Iterator[ast.stmt]:
    """The statements of a function or module itself: inside its blocks, not inside functions defined in it."""
    todo = list(ast.iter_child_nodes(scope))
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, (*_SCOPES, ast.ClassDef)):
            todo += ast.iter_child_nodes(node)


def scopes_around(module: ast.Module, body: ast.AST) -> list[ast.AST]:
    """A function, the methods of its class if it is one, the functions around it, innermost first, and the module."""
    around = _path_to(module, body)
    found: list[ast.AST] = []
    for node in reversed(around):
        if isinstance(node, ast.ClassDef):
            found += [method for method in node.body if isinstance(method, ast.FunctionDef) and method not in found]
        elif isinstance(node, (*_SCOPES, ast.Module)):
            found.append(node)
    return found


def _path_to(root: ast.AST, wanted: ast.AST) -> list[ast.AST]:
    if root is wanted:
        return [root]
    for child in ast.iter_child_nodes(root):
        path = _path_to(child, wanted)
        if path:
            return [root, *path]
    return []


def statement(node: ast.AST, line: int) -> ast.stmt | None:
    """The innermost statement that covers a line."""
    covering = [found for found in statements(node) if found.lineno <= line <= (found.end_lineno or found.lineno)]
    return min(covering, key=lambda found: (found.end_lineno or found.lineno) - found.lineno, default=None)


def dotted(node: ast.AST) -> str:
    """`x` or `self.w` for a name or a chain of attributes; nothing for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def names(node: ast.AST | None) -> set[str]:
    """The dotted names inside a node, and each one's first part."""
    found: set[str] = set()
    for inner in ast.walk(node) if node is not None else ():
        name = dotted(inner)
        if name:
            found.add(name)
    return found


def targets(node: ast.AST) -> set[str]:
    """The names that a statement sets; for `x[0] = ...` and `x.y = ...` also the name of what is changed."""
    found: set[str] = set()
    for target in _target_nodes(node):
        for inner in ast.walk(target):
            if isinstance(inner, ast.Name | ast.Attribute):
                found.add(dotted(inner))
    return found - {""}


def _target_nodes(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    if isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr | ast.For | ast.AsyncFor | ast.comprehension):
        return [node.target]
    if isinstance(node, ast.With | ast.AsyncWith):
        return [item.optional_vars for item in node.items if item.optional_vars is not None]
    return []


def value(node: ast.AST) -> ast.AST | None:
    """What a statement computes: the right-hand side, the returned or the bare expression."""
    if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        return node.iter
    if isinstance(node, ast.AugAssign):
        return node
    return getattr(node, "value", None)


def lines(node: ast.AST) -> range:
    """The lines that a node covers."""
    first = getattr(node, "lineno", 0)
    return range(first, (getattr(node, "end_lineno", None) or first) + 1)


@dataclass(frozen=True)
class Slice:
    """What a statement may have been computed from, inside its function: lines and names."""

    lines: frozenset[int]
    names: frozenset[str]


def backward(body: ast.AST, line: int) -> Slice | None:
    """The backward slice of the statement at a line; see `backward_of`."""
    start = statement(body, line)
    return backward_of(body, start) if start is not None else None


@lru_cache(maxsize=512)
def backward_of(body: ast.AST, start: ast.stmt) -> Slice:
    """The backward slice of a statement inside a function: the assignments, loops and appends that feed its names.

    Order of statements is left out of account, so that loops need no second pass: a slice may hold too much.
    """
    if isinstance(start, ast.For | ast.With | ast.If | ast.While):
        start_names, found_lines = names(_head(start)), set(lines(_head(start) or start))
    else:
        start_names, found_lines = names(value(start) or start), set(lines(start))
    found = set(start_names)
    feeding = [node for node in ast.walk(body) if _feeds(node)]
    while True:
        before = len(found), len(found_lines)
        for node in feeding:
            if _set_by(node) & found:
                fed = value(node) or node
                found |= names(fed)
                found_lines |= set(lines(fed if isinstance(node, ast.For) else node))
        if before == (len(found), len(found_lines)):
            return Slice(frozenset(found_lines), frozenset(found))


def _head(node: ast.stmt) -> ast.AST | None:
    if isinstance(node, ast.For):
        return node.iter
    if isinstance(node, ast.With):
        return node.items[0].context_expr
    return getattr(node, "test", None)


def _feeds(node: ast.AST) -> bool:
    return isinstance(node, (*_ASSIGNING, ast.For, ast.comprehension)) or bool(grown(node))


def grown(node: ast.AST) -> str:
    """The name that a statement such as `losses.append(x)` puts something into, or nothing."""
    call = node.value if isinstance(node, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _GROWING:
        return dotted(call.func.value)
    return ""


def _set_by(node: ast.AST) -> set[str]:
    container = grown(node)
    return {container} if container else targets(node)


def constants(expression: str) -> set[object]:
    """The numbers and strings that stand in an expression."""
    try:
        parsed = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return set()
    return {node.value for node in ast.walk(parsed) if isinstance(node, ast.Constant)}


def call(expression: str | None) -> ast.Call | None:
    """The call that an expression is, `tape.gradient(y, [x])`; None if it is something else or does not parse."""
    try:
        parsed = ast.parse((expression or "").strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    return parsed if isinstance(parsed, ast.Call) else None


def call_at(file: str, line: int, expression: str | None, methods: Sequence[str]) -> ast.Call | None:
    """The call of one of some methods at a place, None if there is none.

    It is the expression itself; where that is not known (Python 3.10 tells lines only), the first in the statement.
    """
    if expression is not None:
        node = call(expression)
        return node if node is not None and _method(node) in methods else None
    module = tree(file)
    found = statement(module, line) if module is not None else None
    calls = [node for node in ast.walk(found) if isinstance(node, ast.Call)] if found is not None else []
    return next((node for node in calls if _method(node) in methods), None)


def _method(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def argument(node: ast.Call, position: int, keyword: str) -> ast.expr | None:
    """An argument of a call by its position or its keyword."""
    if any(isinstance(arg, ast.Starred) for arg in node.args[: position + 1]):
        return None
    if len(node.args) > position:
        return node.args[position]
    return next((word.value for word in node.keywords if word.arg == keyword), None)


def function(module: ast.Module, name: str, line: int) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The definition that a name most likely means at a line: the nearest of those that can be seen from there.

    These are the ones in the same outer statement, those of the module, and the methods of its classes.
    """
    found: list[tuple[int, int, ast.FunctionDef | ast.AsyncFunctionDef]] = []
    for outer in module.body:
        here = line in lines(outer)
        if not here and not isinstance(outer, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(outer) if here else [outer, *getattr(outer, "body", [])]:
            visible = here or node is outer or isinstance(outer, ast.ClassDef)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name and visible:
                found.append((0 if here else 1, abs(node.lineno - line), node))
    return min(found, key=lambda entry: entry[:2])[2] if found else None


_DEEPEST = 4


def called(module: ast.Module, functions: set[str], line: int) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a module with these names, and those that they call, a few calls deep."""
    found: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
    fresh = set(functions)
    for _ in range(_DEEPEST):
        definitions = {name: function(module, name, line) for name in fresh - set(found)}
        there = {name: definition for name, definition in definitions.items() if definition is not None}
        found |= there
        fresh = {inner.rpartition(".")[2] for definition in there.values() for inner in names(definition)}
    return list(found.values())


def returned(definition: ast.AST) -> set[str]:
    """The names in what a function returns."""
    return {name for node in ast.walk(definition) if isinstance(node, ast.Return) for name in names(node.value)}
