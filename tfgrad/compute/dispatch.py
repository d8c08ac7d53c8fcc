"""`jit`: f traced once for each signature, then called with as little Python as TensorFlow allows.

The key idea: a known signature leads straight to a traced function and a function that packs its answer. Where
something differentiates, traces or replicates, the same trace is called the ordinary way.
"""

from __future__ import annotations

import threading
import types
import warnings
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tfgrad import wording
from tfgrad._tensorflow import autograph, lean
from tfgrad.compute import packing
from tfgrad.compute.calling import check_function, left_alone
from tfgrad.errors import GradientWarning, KindError

MANY_TRACES = 16


@left_alone
def jit(f: Callable[..., Any], *, xla: bool = False) -> Any:
    """f, traced once for each signature of its arguments and then called with as little Python as possible.

    Args:
        f: a function of nests; its Python runs while it is traced, with AutoGraph, and not again for that signature.
            Arrays and floats become tensors, a float in the dtype of the floating arrays among the arguments (float32
            if there are none or they differ). Ints, bools, strings, None, functions, other objects and the order of
            a dict's keys are part of the signature. Variables that f closes over are read anew at each call.
        xla: compile with XLA. It is never chosen by itself: XLA refuses some programs, and aborts on others.

    Returns:
        A function; under a tape, an accumulator, a replica or in a graph it is a plain `tf.function`, and f itself
        after `tf.config.run_functions_eagerly(True)`.

    Raises:
        KindError: with `xla`, f grows a TensorArray, which would end the process.

    >>> import tfgrad
    >>> slope = jit(tfgrad.grad(lambda x: x**3))
    >>> float(slope(2.0)), float(slope(3.0))
    (12.0, 27.0)

    Source: `tf.function` (TensorFlow 2.21), whose call is mostly Python bookkeeping.
    """
    check_function(f, "jit")
    return _Jitted(f, xla)


@dataclass(frozen=True)
class _Ready:
    """What a known signature leads to."""

    call: Callable[[list[Any]], list[Any]]
    unpack: packing.Unpack


class _Traced:
    """f as a tf.function of a flat list of tensors, for one structure of its arguments."""

    def __init__(self, callee: Callable[[], Callable[..., Any]], args: Any, kwargs: Any, xla: bool) -> None:
        self._unpackers: weakref.WeakKeyDictionary[Any, packing.Unpack] = weakref.WeakKeyDictionary()

        def of_tensors(*tensors: Any) -> list[tf.Tensor]:
            left = iter(tensors)
            filled = packing.refilled(args, left), packing.refilled(kwargs, left)
            y = autograph.converted(callee())(*filled[0], **filled[1])
            found, self._unpackers[tf.compat.v1.get_default_graph()] = packing.emptied(y)
            return found

        of_tensors.__name__ = wording.function(callee())
        self._function = tf.function(autograph.unconverted(of_tensors), jit_compile=xla or None)
        self._xla = xla

    def concrete(self, tensors: list[Any]) -> tuple[Any, packing.Unpack]:
        """The trace for such tensors, and how its results are packed."""
        traced = self._function.get_concrete_function(*tensors)
        if self._xla:
            _check_xla_may(traced.graph)
        return traced, self._unpackers[traced.graph]

    def __call__(self, tensors: list[Any]) -> Any:
        traced, unpack = self.concrete(tensors)
        return unpack(traced(*tensors) or [])


class _Jitted:
    """What `jit` gives: a function, or a method of each object of a class."""

    def __init__(self, f: Callable[..., Any], xla: bool, owner: weakref.ref[Any] | None = None) -> None:
        self._f = f
        self._xla = xla
        self._owner = owner
        self._of_objects: dict[int, _Jitted] = {}
        self._name = wording.function(f)
        self._lock = threading.RLock()
        self._ready: dict[Any, _Ready] = {}
        self._traced: dict[Any, _Traced] = {}
        self._values: dict[str, set[Any]] = {}
        self.__name__ = f"jit({self._name})"
        self.__doc__ = f"jit of {self._name}."
        self.__wrapped__ = f
        left_alone(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if tf.config.functions_run_eagerly():
            return self._callee()(*args, **kwargs)
        call = packing.packed(args, kwargs)
        if call.lean and tf.executing_eagerly() and lean.may_call_lean() and not tf.distribute.has_strategy():
            ready = self._ready.get(call.key)
            if ready is None:
                ready = self._make_ready(call, args, kwargs)
            return ready.unpack(ready.call(call.tensors))
        return self._of_structure(args, kwargs)(call.tensors)

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """A jitted method of one object, with traces of its own, which go when the object goes.

        Of an object that can't be referred to weakly (`__slots__`) it is the jitted function with the object as its
        first argument, which keeps the object alive.
        """
        if instance is None:
            return self
        found = self._of_objects.get(id(instance))
        if found is None:
            found = self._new_method(instance)
        return types.MethodType(self, instance) if found is None else _Method(found, instance)

    def _new_method(self, instance: Any) -> _Jitted | None:
        number, others = id(instance), self._of_objects
        try:
            # By identity: an object may be unhashable, or equal to another one.
            owner = weakref.ref(instance, lambda _: others.pop(number, None))
        except TypeError:
            return None
        with self._lock:
            return others.setdefault(number, _Jitted(self._f, self._xla, owner))

    def _callee(self) -> Callable[..., Any]:
        return self._f if self._owner is None else types.MethodType(self._f, self._owner())

    def _make_ready(self, call: packing.Packed, args: Any, kwargs: Any) -> _Ready:
        traced = self._of_structure(args, kwargs)
        with self._lock:
            concrete, unpack = traced.concrete(call.tensors)
            # A call through an operation computes where that one is placed; by its name, a trace goes to GPUs as ever.
            by_name = self._xla or bool(tf.config.list_logical_devices("GPU"))
            ready = self._ready[call.key] = _Ready(lean.lean_call(concrete, by_name), unpack)
        return ready

    def _of_structure(self, args: Any, kwargs: Any) -> _Traced:
        key = packing.structure((args, kwargs))
        with self._lock:
            traced = self._traced.get(key)
            if traced is None:
                self._count(args, kwargs)
                traced = self._traced[key] = _Traced(self._callee, args, kwargs, self._xla)
        return traced

    def _count(self, args: Any, kwargs: Any) -> None:
        """Warn where the values of one argument have made many traces."""
        named = [*packing.statics(args, "args"), *packing.statics(kwargs, "kwargs")]
        for path, value in named:
            seen = self._values.setdefault(path, set())
            seen.add(packing.Same(value) if getattr(value, "__hash__", None) is None else value)
            if len(seen) == MANY_TRACES:
                warnings.warn(_many_traces(self._name, path, value), GradientWarning, stacklevel=5)


@left_alone
class _Method:
    """A jitted method together with its object, which it keeps alive, as a bound method does."""

    def __init__(self, jitted: _Jitted, instance: Any) -> None:
        self._jitted = jitted
        self.__self__ = instance

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._jitted(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_jitted"), name)


def _many_traces(name: str, path: str, value: Any) -> str:
    number = wording.kind(value) == "int"
    return (
        f"jit: {name} was traced {MANY_TRACES} times, as {path} came with so many values, "
        f"last {wording.describe(value)}; each of them makes a new trace. "
        f"Try: {'tf.constant(n), or a float' if number else 'one and the same object'}"
    )


def _check_xla_may(graph: Any) -> None:
    """Refuse what ends the process under XLA: a TensorArray that grows (TensorFlow 2.21)."""
    definition = graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    for node in nodes:
        grows = node.op == "TensorListSetItem" and node.attr["resize_if_index_out_of_bounds"].b
        if grows:
            raise KindError(
                "jit: xla=True, and f writes to a TensorArray with dynamic_size=True, which ends the process under XLA",
                "arrays of a size known beforehand",
                "tf.TensorArray(..., size=n, dynamic_size=False), or jit without xla",
            )
