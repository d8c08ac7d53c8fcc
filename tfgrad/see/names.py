"""What the user calls each leaf of a source: a Variable's own name, else what stands in their gradient() call."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tfgrad.see import syntax
from tfgrad.see.record import Asked, GradientCall, Record


def paths(record: Record, call: GradientCall | None, sources: Sequence[Asked], root: str = "source") -> tuple[str, ...]:
    """One name a leaf: a Keras variable's path, a Variable's own name, the expression in the call, `source['w']`."""
    argument = _argument(record, call)
    return tuple(own_name(leaf) or expression(argument, leaf.path, root) for leaf in sources)


def own_name(leaf: Asked) -> str:
    """The name that a Variable was given; nothing for one that nobody named.

    Source: a `tf.Variable` without a name is `Variable:0`, a second one in a graph `Variable_1:0` (TensorFlow 2.21).
    """
    name = (leaf.name or "").removesuffix(":0")
    if leaf.kind == "keras-variable":
        return name
    last = name.rpartition("/")[2]
    return "" if last == "Variable" or last.startswith("Variable_") else name


def _argument(record: Record, call: GradientCall | None) -> ast.expr | None:
    at = record.position(call) if call is not None else None
    methods = (call.method,) if call is not None else ()
    node = syntax.call_at(at.file, at.line, at.expression, methods) if at is not None else None
    return syntax.argument(node, 1, "sources") if node is not None else None


def expression(argument: ast.expr | None, path: str, root: str) -> str:
    """A leaf of an argument as its user would write it.

    >>> expression(ast.parse("[x, {'w': kernel}]", mode="eval").body, "[1]['w']", "source")
    'kernel'
    >>> expression(None, "['w']", "source")
    "source['w']"
    """
    if argument is None:
        return root + path
    steps = _steps(path)
    while steps:
        inner = _child(argument, steps[0])
        if inner is None:
            break
        argument, steps = inner, steps[1:]
    text = ast.unparse(argument)
    plain = isinstance(argument, ast.Name | ast.Attribute | ast.Subscript | ast.Call)
    rest = "".join(f"[{step!r}]" if not isinstance(step, _Field) else f".{step}" for step in steps)
    return text + rest if plain or not rest else root + path


class _Field(str):
    """A step by attribute, `.mean`, as against one by key."""


def _steps(path: str) -> list[object]:
    """The steps of a path such as `['w'][0].mean`."""
    try:
        node = ast.parse("_" + path, mode="eval").body
    except SyntaxError:
        return []
    steps: list[object] = []
    while isinstance(node, ast.Subscript | ast.Attribute):
        if isinstance(node, ast.Attribute):
            steps.append(_Field(node.attr))
        elif isinstance(node.slice, ast.Constant):
            steps.append(node.slice.value)
        node = node.value
    return steps[::-1]


def _child(node: ast.expr, step: object) -> ast.expr | None:
    if isinstance(node, ast.List | ast.Tuple) and isinstance(step, int) and step < len(node.elts):
        plain = not any(isinstance(item, ast.Starred) for item in node.elts)
        return node.elts[step] if plain else None
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == step:
                return value
    return None
