"""What an op is declared to be, and what the graph of a `tf.function` holds."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tfgrad._tensorflow.private import op_def_registry, ops, tf_stack


def argument_names(op: str) -> list[tuple[str, bool]] | None:
    """Names of an op's inputs as its Python function has them, and whether each is a list; None if not known."""
    definition = op_def_registry.get(op)
    if definition is None:
        return None
    return [(arg.name, bool(arg.number_attr or arg.type_list_attr)) for arg in definition.input_arg]


def is_stateful(op: str) -> bool:
    """Whether an op is declared to have effects, or to depend on more than its inputs."""
    definition = op_def_registry.get(op)
    return definition is None or bool(definition.is_stateful)


def gradient_function(op: str) -> Any:
    """The registered gradient of an op; None if it is declared to have none.

    Raises:
        LookupError: nothing is registered for it.
    """
    return ops._gradient_registry.lookup(op)


def is_compiled_with_xla() -> bool:
    """Whether the function that is being traced, or one around it, is for XLA.

    Source: `_jit_compile` of a `tf.function` (TensorFlow 2.16 to 2.21).
    """
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "__call__" and getattr(frame.f_locals.get("self"), "_jit_compile", False):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def mapped_stack() -> list[Any]:
    """The stack while a graph is built, AutoGraph's generated code mapped back to the user's lines."""
    return list(tf_stack.extract_stack())


def body_graphs(op: Any, attributes: Iterable[str]) -> list[Any]:
    """The graphs that a call, loop or branch of a graph runs; empty where one of them is not to be had."""
    found = []
    for value in (op.node_def.attr[name] for name in attributes if name in op.node_def.attr):
        functions = [value.func] if value.HasField("func") else value.list.func
        found += [_graph_named(op.graph, function.name) for function in functions]
    return found if all(graph is not None for graph in found) else []


def _graph_named(graph: Any, name: str) -> Any:
    while graph is not None and not graph._is_function(name):
        graph = getattr(graph, "outer_graph", None)
    return getattr(graph._get_function(name), "graph", None) if graph is not None else None


def original_error(error: BaseException) -> tuple[str, str]:
    """Type and text of an error as it was first raised, where AutoGraph has put another one in its place."""
    cause = getattr(getattr(error, "ag_error_metadata", None), "cause_message", None)
    kind, colon, text = cause.partition(": ") if isinstance(cause, str) else ("", "", "")
    return (kind, text) if colon and kind.isidentifier() else (type(error).__name__, str(error))
