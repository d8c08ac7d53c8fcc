"""Whether the gradient of an op comes back to each of its inputs, tried out in a scratch graph.

No table of ops is needed: a copy of the op is put on placeholders and `tf.gradients` is asked. Nothing is computed and
the user's graph is left alone. Answers are remembered by op, attributes, dtypes and shapes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import tensorflow as tf

from tfgrad import _tensorflow

Spec = tuple[int, tuple[int | None, ...] | None]
Passing = tuple[bool, ...]


def of_event(op: str, attrs: Sequence[Any] | None, inputs: Sequence[Spec]) -> Passing | None:
    """For an eager op: one bool an input, None where it can't be told.

    Args:
        op: its type.
        attrs: its attributes, names and values in turn, as TensorFlow hands them on.
        inputs: dtype enum and shape of each input.
    """
    try:
        named = _hashable(tuple(attrs or ()))
        loose = _of_event(op, named, _loosened(inputs))
        return _of_event(op, named, tuple(inputs)) if loose is None else loose
    except TypeError:
        return None  # an attribute that can't be hashed, such as a function


def _loosened(inputs: Sequence[Spec]) -> tuple[Spec, ...]:
    """The inputs with their ranks alone: lengths hardly ever matter, and so far fewer ops need to be tried."""
    return tuple((dtype, None if shape is None else (None,) * len(shape)) for dtype, shape in inputs)


def _hashable(value: Any) -> Any:
    return tuple(_hashable(item) for item in value) if isinstance(value, list | tuple) else value


@lru_cache(maxsize=4096)
def _of_event(op: str, attrs: tuple[Any, ...], inputs: tuple[Spec, ...]) -> Passing | None:
    names = _tensorflow.argument_names(op)
    make = getattr(tf.raw_ops, op, None)
    if names is None or make is None:
        return None
    named = dict(zip(attrs[::2], attrs[1::2], strict=False))

    keywords = keywords_of(make)

    def build(placeholders: list[Any]) -> Any:
        arguments = arguments_of(names, keywords, placeholders)
        wanted = set(keywords) - set(arguments)
        return make(**arguments, **{name: named[name] for name in wanted if name in named})

    return _tried(build, inputs)


def keywords_of(make: Any) -> tuple[str, ...]:
    """The names of the arguments of a function of `tf.raw_ops`."""
    code = getattr(make, "__wrapped__", make).__code__
    return tuple(inspect.signature(make).parameters) if not code.co_argcount else code.co_varnames[: code.co_argcount]


def arguments_of(names: Sequence[tuple[str, bool]], keywords: Sequence[str], placeholders: list[Any]) -> dict[str, Any]:
    """The inputs by name; the one list among them takes what the others leave.

    A few are renamed in Python (`reduction_indices` is `axis`): these are known by their place.
    """
    lists = sum(many for _, many in names)
    each = (len(placeholders) - (len(names) - lists)) // max(lists, 1)
    left = list(placeholders)
    found: dict[str, Any] = {}
    for place, (name, many) in enumerate(names):
        count = each if many else 1
        found[name if name in keywords else keywords[place]] = left[:count] if many else left[0]
        left = left[count:]
    return found


def _tried(build: Callable[[list[Any]], Any], inputs: Sequence[Spec], *, captures: bool = False) -> Passing | None:
    """What comes back to placeholders; with `captures` in a graph that may use tensors of other graphs."""
    found: list[Passing | None] = []

    def attempt() -> None:
        placeholders = [tf.compat.v1.placeholder(tf.as_dtype(dtype), shape) for dtype, shape in inputs]
        outputs = tf.nest.flatten(build(placeholders))
        found.append(_answers([out for out in outputs if isinstance(out, tf.Tensor)], placeholders))

    try:
        with _tensorflow.unnoticed():
            if captures:
                tf.function(attempt, autograph=False).get_concrete_function()
            else:
                with tf.Graph().as_default():
                    attempt()
    # The copy may need constants where it got placeholders, each op in its own way: then it can't be told.
    except Exception:  # noqa: BLE001
        return None
    return found[0]


def _answers(outputs: list[Any], inputs: list[Any]) -> Passing | None:
    carrying = [out for out in outputs if carries_gradient(out)]
    if not carrying:
        return (False,) * len(inputs)
    try:
        gradients = tf.gradients(carrying, inputs, unconnected_gradients="none")
    except LookupError:
        return (False,) * len(inputs)
    # Registered gradients raise whatever they like for options they don't know.
    except Exception:  # noqa: BLE001
        return None
    return tuple(gradient is not None for gradient in gradients)


def carries_gradient(tensor: Any) -> bool:
    """Whether a tensor's dtype carries gradients: floating, complex, or a resource or variant that holds such."""
    dtype = tf.as_dtype(tensor.dtype).base_dtype
    return bool(dtype.is_floating or dtype.is_complex or dtype in (tf.resource, tf.variant))


def of_graph_op(op: Any) -> Passing | None:
    """For an op of a graph: one bool an input, None where it can't be told."""
    node = op.node_def
    node.name = "copy"
    node.device = ""
    node.ClearField("input")
    node.ClearField("experimental_debug_info")
    node.attr.pop("_class", None)
    node.attr.pop("_output_shapes", None)
    key = node.SerializeToString(deterministic=True)
    inputs = tuple(
        (tensor.dtype.base_dtype.as_datatype_enum, tuple(tensor.shape) if tensor.shape.rank is not None else None)
        for tensor in op.inputs
    )
    loose = _of_node(key, _loosened(inputs))
    return _of_node(key, inputs) if loose is None else loose


@lru_cache(maxsize=4096)
def _of_node(key: bytes, inputs: tuple[Spec, ...]) -> Passing | None:
    node = tf.compat.v1.NodeDef.FromString(key)
    definition = tf.compat.v1.GraphDef()
    copy = definition.node.add()
    copy.CopyFrom(node)
    copy.input.extend(f"in{k}" for k in range(len(inputs)))
    for k, (dtype, _) in enumerate(inputs):
        stand_in = definition.node.add(name=f"in{k}", op="Placeholder")
        stand_in.attr["dtype"].type = dtype

    def build(placeholders: list[Any]) -> Any:
        mapping = {f"in{k}": tensor for k, tensor in enumerate(placeholders)}
        (made,) = tf.graph_util.import_graph_def(definition, input_map=mapping, return_elements=[node.name], name="")
        return list(made.outputs)

    # A rule written by hand closes over tensors of the graph that it was traced in.
    return _tried(build, inputs, captures="_gradient_op_type" in node.attr)


def is_custom_gradient(op: Any) -> bool:
    """Whether an op of a graph carries a gradient that somebody wrote by hand.

    Source: `tf.custom_gradient` in graph mode marks an IdentityN with `_gradient_op_type` (TensorFlow 2.16 to 2.21).
    """
    return "_gradient_op_type" in op.node_def.attr and op.type == "IdentityN"
