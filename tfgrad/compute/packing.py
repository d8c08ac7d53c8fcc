"""A call's arguments as a signature and tensors, and back: what `jit` traces by, and what it feeds to a trace.

Arrays and floats become tensors, so that no value of theirs makes a new trace; ints, bools, strings, None, functions
and other objects are part of the signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from tfgrad import trees, wording
from tfgrad._tensorflow import lean

_STATIC = frozenset({int, bool, str, bytes, type(None)})


@dataclass
class Packed:
    """One call: `key` tells calls apart that need different traces, `tensors` are what a trace is fed."""

    tensors: list[Any] = field(default_factory=list)
    floats: list[int] = field(default_factory=list)
    lean: bool = True
    key: Any = None


def packed(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Packed:
    """A call's signature and tensors; Python floats in the dtype of the floating arrays, float32 if they differ."""
    call = Packed()
    positional = tuple([_key(arg, call) for arg in args])
    call.key = (positional, _key(kwargs, call)) if kwargs else positional
    if call.floats:
        dtypes = {x.dtype for x in call.tensors if isinstance(x, tf.Tensor | tf.Variable) and x.dtype.is_floating}
        dtype = dtypes.pop() if len(dtypes) == 1 else tf.float32
        for place in call.floats:
            call.tensors[place] = tf.constant(call.tensors[place], dtype)
    return call


def _key(value: Any, call: Packed) -> Any:
    kind = type(value)
    if kind is lean.EagerTensor:
        return _tensor_key(value, call)
    if kind is float:
        call.floats.append(len(call.tensors))
        call.tensors.append(value)
        return float
    if kind in _STATIC:
        return (kind, value)
    if kind is tuple or kind is list:
        return (kind, *[_key(item, call) for item in value])
    if kind is dict:
        # True, 1 and 1.0 are equal, and a function may ask which it was given.
        return (dict, *[(type(name), name, _key(item, call)) for name, item in value.items()])
    return _other_key(value, call)


def _tensor_key(tensor: Any, call: Packed) -> Any:
    call.tensors.append(tensor)
    return (lean.dtype_of(tensor), lean.shape_of(tensor))


def _other_key(value: Any, call: Packed) -> Any:
    kind = wording.kind(value)
    if kind == "array" and value.dtype.kind in "biufcV" and not value.dtype.names:
        return _tensor_key(tf.convert_to_tensor(value), call)
    if kind == "complex":
        return _tensor_key(tf.constant(value), call)
    if kind in ("tensor", "variable", "composite"):
        call.lean = False
        call.tensors.append(wrapped_value(value))
        return (kind, type(value))
    if tf.nest.is_nested(value):
        children = [_key(leaf, call) for leaf in trees.flatten(value)]
        return (type(value), _order(value), tuple(trees.paths(value)), *children)
    return (object, Same(value))


def wrapped_value(value: Any) -> Any:
    """A Keras 3 variable as the tf.Variable inside it, which a tf.function takes."""
    return value.value if wording.is_keras_variable(value) else value


class Same:
    """An object as part of a signature: equal to itself alone, and kept alive, so that no other takes its identity."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def refilled(value: Any, tensors: Iterator[Any]) -> Any:
    """The argument that was packed, with other tensors in place of those that came out of it, in their order."""
    kind = type(value)
    if kind in _STATIC:
        return value
    if kind is tuple or kind is list:
        return kind([refilled(item, tensors) for item in value])
    if kind is dict:
        return {name: refilled(item, tensors) for name, item in value.items()}
    if kind is float or kind is complex or _became_tensor(value):
        return next(tensors)
    if tf.nest.is_nested(value):
        return trees.rebuild(value, [refilled(leaf, tensors) for leaf in trees.flatten(value)])
    return value


def _became_tensor(value: Any) -> bool:
    kind = wording.kind(value)
    if kind == "array":
        return value.dtype.kind in "biufcV" and not value.dtype.names
    return kind in ("tensor", "variable", "composite")


def structure(value: Any) -> Any:
    """The part of a signature that a tf.function can't tell apart by itself: all but shapes and dtypes."""
    if not tf.nest.is_nested(value):
        fed = type(value) in (float, complex) or _became_tensor(value)
        return "fed" if fed else (type(value), value) if type(value) in _STATIC else Same(value)
    kind = type(value)
    if kind is tuple or kind is list:
        return (kind, *[structure(item) for item in value])
    if kind is dict:
        return (dict, *[(type(name), name, structure(item)) for name, item in value.items()])
    return (kind, _order(value), *trees.paths(value), *[structure(leaf) for leaf in trees.flatten(value)])


def _order(value: Any) -> tuple[Any, ...]:
    """The keys of a mapping as they were put in, which f sees, and which `tf.nest` sorts."""
    return tuple(value) if isinstance(value, Mapping) else ()


def statics(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The paths and values of what is part of the signature and not fed: ints, strings, functions, objects."""
    if not tf.nest.is_nested(value):
        if type(value) is not float and not isinstance(value, complex) and not _became_tensor(value):
            yield path, value
        return
    for inner, leaf in zip(trees.paths(value, path), trees.flatten(value), strict=True):
        if leaf is not None:
            yield from statics(leaf, inner)


Unpack = Callable[[Sequence[Any]], Any]


def emptied(y: Any) -> tuple[list[tf.Tensor], Unpack]:
    """The tensors of what f gave, numbers made tensors, and the function that puts others in their places.

    Only tensors come out of a trace anew at each call; strings, None and objects are those of the trace.
    """
    tensors: list[tf.Tensor] = []
    unpack = _unpacker(y, tensors)
    return tensors, unpack


def _unpacker(y: Any, tensors: list[tf.Tensor]) -> Unpack:
    kind = type(y)
    if kind is list or (kind is tuple):
        parts = [_unpacker(item, tensors) for item in y]
        return lambda found: kind([part(found) for part in parts])
    if kind is dict:
        items = [(name, _unpacker(item, tensors)) for name, item in y.items()]
        return lambda found: {name: part(found) for name, part in items}
    if tf.nest.is_nested(y):
        leaves = [_unpacker(leaf, tensors) for leaf in trees.flatten(y)]
        return lambda found: trees.rebuild(y, [leaf(found) for leaf in leaves])
    return _leaf_unpacker(y, tensors)


def _leaf_unpacker(leaf: Any, tensors: list[tf.Tensor]) -> Unpack:
    place, kind = len(tensors), wording.kind(leaf)
    if kind == "composite":
        components = trees.components(leaf)
        tensors.extend(components)
        like = tf.nest.map_structure(tf.type_spec_from_value, leaf)
        return lambda found: _recomposed(like, found[place : place + len(components)])
    if kind in ("tensor", "variable", "array", "int", "bool", "float", "complex"):
        tensors.append(tf.convert_to_tensor(wrapped_value(leaf)))
        return lambda found: found[place]
    return lambda found: leaf


def _recomposed(spec: Any, components: Sequence[Any]) -> Any:
    return tf.nest.pack_sequence_as(spec, list(components), expand_composites=True)
