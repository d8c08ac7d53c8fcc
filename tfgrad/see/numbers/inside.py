"""Looking inside a call of a traced `tf.function`: its graph run again op by op, forward and then backward.

Calls, branches and loops are unrolled, so what comes out is one list of ops with the values that went through them and
the gradients at each of their inputs, as an eager program would have had them. Variables are read at the values given
and never assigned to; Python and random numbers are not run, what depends on them stays unknown.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from tfgrad import _tensorflow
from tfgrad.see.numbers import rerun
from tfgrad.see.ways import probe

_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
BRANCHES = frozenset({"If", "StatelessIf"})
CASES = frozenset({"Case", "StatelessCase"})
_LOOPS = frozenset({"While", "StatelessWhile"})
CONTROL_FLOW = BRANCHES | CASES | _LOOPS
_ASSIGNED = {"AssignVariableOp": None, "AssignAddVariableOp": tf.add, "AssignSubVariableOp": tf.subtract}
_MOST_OPS = 8_000

# Tensors inside are numbered downwards, so that they never meet the ids of tensors outside.
_numbers = itertools.count(-1, -1)


class TooLong(Exception):
    """A loop runs for so long that running it again op by op would keep the user waiting."""


@dataclass(eq=False)
class Inner:
    """An op of the graph as it ran: its tensors by number, its gradients once the way back was taken.

    `back` gives the gradients at the inputs from those at the outputs; None where the op could not be run.
    """

    graph_op: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    back: Callable[[Sequence[Any]], Sequence[Any]] | None
    upstream: tuple[Any, ...] = ()
    downstream: tuple[Any, ...] = ()


@dataclass
class Replay:
    """A graph that is run again. `values` are tensors by number, `variables` the values of Variables by their handle's.

    `ran` are the ops in order, `unknown` the types of those that could not be run, `drew` tells whether random numbers
    were drawn, which then differ from those of the first run. `broke` is the op whose gradient raised.
    """

    values: dict[int, Any]
    variables: dict[int, Any]
    ran: list[Inner] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    drew: bool = False
    broke: Inner | None = None
    error: Exception | None = None

    def forward(self, graph: Any, inputs: Sequence[int], many: int | None = None) -> list[int]:
        """The numbers of a graph's outputs.

        Args:
            graph: a FuncGraph.
            inputs: the numbers of its inputs, captured ones last.
            many: how many of its outputs are wanted; the others were added for the way back.

        Raises:
            TooLong: it takes too many ops.
        """
        env = {tensor.name: number for tensor, number in zip(graph.inputs, inputs, strict=False)}
        wanted = graph.outputs[:many]
        for op in _needed(graph, wanted):
            # A small tensor from outside is captured as a Const op that is an input of the graph (TensorFlow 2.21).
            if not op.outputs or op.outputs[0].name not in env:
                self._op(op, env)
        return [env.get(tensor.name, 0) for tensor in wanted]

    def backward(self, seeds: Mapping[int, Any]) -> dict[int, Any]:
        """The gradient at every tensor that one comes back to, by number.

        Args:
            seeds: the gradients at the outputs, by number.
        """
        totals = {number: rerun.dense(seed) for number, seed in seeds.items()}
        for inner in reversed(self.ran):
            inner.upstream = tuple(totals.get(number) for number in inner.outputs)
            inner.downstream = (None,) * len(inner.inputs)
            if inner.back is None or all(up is None for up in inner.upstream):
                continue
            inner.downstream = self._back(inner)
            if self.broke is not None:
                break
            for number, down in zip(inner.inputs, inner.downstream, strict=False):
                if down is not None:
                    totals[number] = down if number not in totals else total(totals[number], down)
        return totals

    def _back(self, inner: Inner) -> tuple[Any, ...]:
        assert inner.back is not None
        try:
            return tuple(inner.back(inner.upstream))
        except LookupError:
            return (None,) * len(inner.inputs)
        # The gradient of an op raises whatever it likes: that is what is looked for.
        except Exception as error:  # noqa: BLE001
            self.broke, self.error = inner, error
            return (None,) * len(inner.inputs)

    def _op(self, op: Any, env: dict[str, int]) -> None:
        if len(self.ran) > _MOST_OPS:
            raise TooLong
        if op.type == "Const":
            env[op.outputs[0].name] = self._new(tf.constant(tf.make_ndarray(op.get_attr("value"))))
        elif op.type in _ASSIGNED:
            self._assign(op, env)
        elif op.type in _CALLS | CONTROL_FLOW:
            outputs = self.control_flow(op, [env.get(tensor.name, 0) for tensor in op.inputs])
            env.update({tensor.name: number for tensor, number in zip(op.outputs, outputs, strict=False)})
        elif op.type == "Identity" and op.inputs[0].dtype == tf.resource:
            env[op.outputs[0].name] = env.get(op.inputs[0].name, 0)
        else:
            self._ordinary(op, env)

    def _new(self, value: Any = None) -> int:
        number = next(_numbers)
        if value is not None:
            self.values[number] = value
        return number

    def _assign(self, op: Any, env: dict[str, int]) -> None:
        handle, value = (env.get(tensor.name, 0) for tensor in op.inputs)
        change = _ASSIGNED[op.type]
        new = self.values.get(value)
        if new is None or (change is not None and handle not in self.variables):
            self.variables.pop(handle, None)
        else:
            self.variables[handle] = new if change is None else change(self.variables[handle], new)

    def control_flow(self, op: Any, inputs: list[int]) -> list[int]:
        """The numbers of the outputs of a loop, branch or call, unrolled."""
        if op.type in _LOOPS:
            return self._loop(op, inputs)
        if op.type in _CALLS:
            graphs, inputs = _tensorflow.body_graphs(op, ("f",)), inputs
            chosen: Any = graphs[0] if graphs else None
        else:
            predicate, inputs = self.values.get(inputs[0]), inputs[1:]
            chosen = _branch(op, predicate) if predicate is not None else None
        if chosen is None:
            self.unknown.add(op.type)
            return [self._new() for _ in op.outputs]
        if op.type in BRANCHES | CASES:
            self.ran.append(Inner(op, tuple(inputs), (), None))
        return self.forward(chosen, inputs, len(op.outputs))

    def _loop(self, op: Any, inputs: list[int]) -> list[int]:
        conditions, bodies = _tensorflow.body_graphs(op, ("cond",)), _tensorflow.body_graphs(op, ("body",))
        begin = len(self.ran), inputs
        while conditions and bodies:
            goes_on = self.values.get(self.forward(conditions[0], inputs)[0])
            if goes_on is None:
                break
            if not bool(_tensorflow.numpy_view(goes_on)):
                if inputs is begin[1]:
                    self.ran.insert(begin[0], Inner(op, tuple(inputs), (), None))
                return inputs
            inputs = self.forward(bodies[0], inputs, len(inputs))
        self.unknown.add(op.type)
        return [self._new() for _ in op.outputs]

    def _ordinary(self, op: Any, env: dict[str, int]) -> None:
        inputs = tuple(env.get(tensor.name, 0) for tensor in op.inputs)
        outputs, back = self._run(op, inputs, env)
        if outputs is None:
            self.unknown.add(op.type)
            outputs = [None] * len(op.outputs)
        numbers = tuple(self._new(value) for value in outputs)
        env.update({tensor.name: number for tensor, number in zip(op.outputs, numbers, strict=False)})
        self.ran.append(Inner(op, inputs, numbers, back))

    def _run(self, op: Any, inputs: Sequence[int], env: Mapping[str, int]) -> tuple[Sequence[Any] | None, Any]:
        """The outputs of an op, None if they can't be had, and its way back."""
        if op.type == "ReadVariableOp":
            value = self.variables.get(inputs[0])
            return (None, None) if value is None else ([tf.identity(value)], lambda upstream: upstream)
        if op.type == "ResourceGather":
            return self._gather(op, inputs)
        values = [self.values.get(number) for number in inputs]
        if any(value is None for value in values):
            return None, None
        if probe.is_custom_gradient(op):
            return [tf.identity(value) for value in values], self._rule(op, dict(env))
        try:
            ran = rerun.run(op.type, attributes(op), values, random=True)
        # An op that can't be run again leaves a gap; what raised in the first run already did so there.
        except Exception:  # noqa: BLE001
            return None, None
        self.drew |= op.type in rerun.RANDOM
        return ran.outputs, ran.back

    def _gather(self, op: Any, inputs: Sequence[int]) -> tuple[Sequence[Any] | None, Any]:
        table, indices = self.variables.get(inputs[0]), self.values.get(inputs[1])
        if table is None or indices is None:
            return None, None
        batch = op.get_attr("batch_dims")
        ran = rerun.run("GatherV2", {"batch_dims": batch}, [table, indices, tf.constant(batch)])
        return ran.outputs, lambda upstream: ran.back(upstream)[:2]

    def _rule(self, op: Any, env: Mapping[str, int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
        """The way back through a gradient rule that was written by hand, which may use any tensor of the graph."""
        rule = _tensorflow.gradient_function(op.get_attr("_gradient_op_type").decode())

        def back(upstream: Sequence[Any]) -> Sequence[Any]:
            outputs = [self.values[number] for number in (env[tensor.name] for tensor in op.inputs)]
            seeds = [tf.zeros_like(out) if up is None else up for up, out in zip(upstream, outputs, strict=True)]
            there: list[int] = []

            def traced(*gradients: Any) -> list[Any]:
                found = tf.nest.flatten(rule(op, *gradients), expand_composites=False)
                there.extend(k for k, gradient in enumerate(found) if gradient is not None)
                return [tf.convert_to_tensor(gradient) for gradient in found if gradient is not None]

            graph = tf.function(traced, autograph=False).get_concrete_function(*seeds).graph
            outer = {inside.name: outside for outside, inside in graph.captures}
            inner = Replay(self.values, self.variables)
            numbers = [
                inner._given(outer[tensor.name], env) if tensor.name in outer else self._new(seeds[k])
                for k, tensor in enumerate(graph.inputs)
            ]
            answers = [self.values.get(number) for number in inner.forward(graph, numbers)]
            if any(answer is None for answer in answers):
                self.unknown.add("custom_gradient")
            came = dict(zip(there, answers, strict=True))
            return [came.get(k) for k in range(len(op.inputs))]

        return back

    def _given(self, outside: Any, env: Mapping[str, int]) -> int:
        return self._new(outside) if isinstance(outside, _tensorflow.EagerTensor) else env.get(outside.name, 0)


def attributes(op: Any) -> dict[str, Any]:
    """The attributes of an op of a graph, by name; its private ones left out."""
    return {name: op.get_attr(name) for name in op.node_def.attr if not name.startswith("_")}


def _branch(op: Any, predicate: Any) -> Any:
    """The graph that is taken, None where it is not to be had."""
    value = _tensorflow.numpy_view(predicate)
    if op.type in BRANCHES:
        graphs = _tensorflow.body_graphs(op, ("then_branch",) if bool(value) else ("else_branch",))
        return graphs[0] if graphs else None
    graphs = _tensorflow.body_graphs(op, ("branches",))
    index = int(value)
    return (graphs[index] if 0 <= index < len(graphs) else graphs[-1]) if graphs else None


def _needed(graph: Any, outputs: Iterable[Any]) -> list[Any]:
    """The ops of a graph, in order, that some outputs come of; assignments too, as they change what is read later."""
    operations = graph.get_operations()
    todo = [tensor.op for tensor in outputs] + [op for op in operations if op.type in _ASSIGNED]
    found: set[str] = set()
    while todo:
        op = todo.pop()
        if op.name not in found and op.graph is graph:
            found.add(op.name)
            todo += [tensor.op for tensor in op.inputs]
    return [op for op in operations if op.name in found]


def total(a: Any, b: Any) -> Any:
    """The sum of two gradients."""
    return tf.raw_ops.AddN(inputs=[a, b]) if a.dtype == tf.variant else a + b
