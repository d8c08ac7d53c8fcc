"""Ops of our own in the graph of a function: marked, and taken out where that function is compiled by XLA or saved.

A call of Python can't be compiled, and means nothing to another process. Nothing else in a graph takes what these ops
give, so a function without them is the one that the user wrote.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from tfgrad._tensorflow.private import atomic_function, context, save

_MARK = "_tfgrad"
_COMPILED = "_XlaMustCompile"
_lock = threading.Lock()
_hooked: list[Any] = []
_numbers = itertools.count(1)
_owners: dict[int, Any] = {}


def _nobody() -> None:
    return None


@contextmanager
def marking(graph: Any, taken_out: Callable[[], None]) -> Iterator[None]:
    """Ops that are added to a graph in here are marked as ours; who added them is told when XLA is to go without."""
    with _lock:
        if not _hooked:
            _hook()
        number = next(_numbers)
        _owners[number] = weakref.WeakMethod(taken_out, lambda _: _owners.pop(number, None))
    with graph._attr_scope({_MARK: tf.compat.v1.AttrValue(i=number)}):
        yield


def _hook() -> None:
    """Stays, as functions with marked ops do.

    Source: `atomic_function.from_func_graph` is called when any function has been traced, `save._build_meta_graph`
    when a SavedModel is made (TensorFlow 2.16 to 2.21).
    """
    trace, build = atomic_function.from_func_graph, save._build_meta_graph

    def from_func_graph(name: Any, graph: Any, attrs: Any, *args: Any, **more: Any) -> Any:
        compiled = (attrs or {}).get(_COMPILED)
        if getattr(compiled, "b", compiled):
            _call_plain(graph)
        return trace(name, graph, attrs, *args, **more)

    def build_meta_graph(*args: Any, **more: Any) -> Any:
        built = build(*args, **more)
        _clear_all(built[0])
        return built

    atomic_function.from_func_graph, save._build_meta_graph = from_func_graph, build_meta_graph
    _hooked.append(from_func_graph)


def _call_plain(graph: Any) -> None:
    """Makes a graph call functions without our ops in place of those that have some."""
    found: dict[str, Any] = {}
    for atomic in list(graph._functions.values()):
        _plain(atomic, found)
    if all(_named(atomic) == name for name, atomic in found.items()):
        return
    for op in graph.get_operations():
        for attribute, value in op.node_def.attr.items():
            names = _called(value)
            new = [_named(found[name]) if name in found else name for name in names]
            if new != names and value.HasField("func"):
                op._set_func_attr(attribute, new[0])
            elif new != names:
                op._set_func_list_attr(attribute, new)
    for name, atomic in found.items():
        if _named(atomic) != name:
            graph._add_function_recursive(atomic)


def _plain(atomic: Any, found: dict[str, Any]) -> Any:
    """A function without our ops, and all that it calls likewise; itself where there are none."""
    name = _named(atomic)
    if name in found:
        return found[name]
    children = {_named(child): _plain(child, found) for child in atomic.children}
    definition = atomic.definition
    cleared = _clear(definition)
    for number in cleared:
        owner = _owners.get(number, _nobody)()
        if owner is not None:
            owner()
    renamed = {old: _named(new) for old, new in children.items() if _named(new) != old}
    used = _rename(definition.node_def, renamed)
    found[name] = atomic
    if cleared or used & set(renamed):
        definition.signature.name = f"{name}_plain"
        kept = [child for old, child in children.items() if old in used]
        if not context.context().has_function(definition.signature.name.encode()):
            context.context().add_function_def(definition)
        found[name] = atomic_function.AtomicFunction(
            definition.signature.name, context.context(), atomic.function_type, kept, atomic.call_options
        )
    return found[name]


def _named(atomic: Any) -> str:
    return str(atomic.name.decode())


def _called(value: Any) -> list[str]:
    """The functions that an attribute of an op names."""
    return [function.name for function in ([value.func] if value.HasField("func") else value.list.func)]


def _rename(nodes: Any, names: dict[str, str]) -> set[str]:
    """Puts other names of functions into ops; the names that were there."""
    found: set[str] = set()
    for node in nodes:
        for value in node.attr.values():
            for function in [value.func] if value.HasField("func") else value.list.func:
                found.add(function.name)
                function.name = names.get(function.name, function.name)
    return found


def _clear(definition: Any) -> set[int]:
    """Takes the marked ops out of a definition; the numbers of their owners."""
    ours = {node.name: node for node in definition.node_def if _MARK in node.attr}
    owners = {node.attr[_MARK].i for node in ours.values()}
    if not ours:
        return owners
    kept = [node for node in definition.node_def if node.name not in ours]
    for node in kept:
        inputs = list(_without(node.input, ours))
        del node.input[:]
        node.input.extend(inputs)
    del definition.node_def[:]
    definition.node_def.extend(kept)
    gone = [result for result, node in definition.control_ret.items() if node in ours]
    for result in gone:
        del definition.control_ret[result]
    outputs = [result for result in definition.signature.control_output if result not in gone]
    del definition.signature.control_output[:]
    definition.signature.control_output.extend(outputs)
    return owners


def _without(inputs: Iterable[str], ours: dict[str, Any]) -> Iterator[str]:
    """Inputs of an op; where it was to run after one of ours, it is to run after what that ran after."""
    for each in inputs:
        if each.startswith("^") and each[1:] in ours:
            yield from _without([i for i in ours[each[1:]].input if i.startswith("^")], ours)
        else:
            yield each


def _clear_all(meta_graph: Any) -> None:
    """Takes the marked ops out of all functions of a graph, and what only they needed."""
    graph = meta_graph.graph_def
    functions = graph.library.function
    before = {name for function in functions for name in _rename(function.node_def, {})}
    if not set().union(*map(_clear, functions)):
        return
    named = _rename(graph.node, {})
    while gone := before - named - {name for function in functions for name in _rename(function.node_def, {})}:
        before -= gone
        _keep(functions, [function.signature.name not in gone for function in functions])
    used = {node.op for nodes in (graph.node, *(function.node_def for function in functions)) for node in nodes}
    listed = meta_graph.meta_info_def.stripped_op_list.op
    _keep(listed, [op.name in used for op in listed])


def _keep(things: Any, wanted: Sequence[bool]) -> None:
    for k in reversed(range(len(things))):
        if not wanted[k]:
            del things[k]


__all__ = ["marking"]
