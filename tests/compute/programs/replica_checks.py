"""Every transform on the part of a batch that a replica has, and what the parts make: plain TensorFlow on all of it.

`together` says how the replicas' answers are put together: "sum" by all_reduce, "rows" by all_gather, "same" not at
all, as each replica has the whole answer. `of` are tfgrad's names that are tried.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf
from replica_batch import (
    Held,
    as_weights,
    by_tape,
    directions,
    hessian_by_tape,
    in_model,
    jacobian_by_tape,
    keras_step,
    looked_up,
    loss,
    loss_of_one,
    own_step,
    parameters,
    predict,
    product_by_tape,
    pushed_by_accumulator,
    stepped,
    taped,
    tripled,
)

import tfgrad as tg


class Check(NamedTuple):
    name: str
    of: tuple[str, ...]
    together: str
    local: Callable[[Held, Any, Any, Any], Any]
    whole: Callable[[Any, Any, Any], Any]


CHECKS = [
    Check(
        "grad by an argument",
        ("grad",),
        "sum",
        lambda h, x, y, i: tg.grad(loss)(parameters(), x, y),
        lambda x, y, i: by_tape(x, y),
    ),
    Check(
        "grad by a nest of Variables",
        ("grad",),
        "sum",
        lambda h, x, y, i: tg.grad(lambda x, y: loss(h.variables, x, y), wrt=h.variables)(x, y),
        lambda x, y, i: by_tape(x, y),
    ),
    Check(
        "grad by one Variable",
        ("grad",),
        "sum",
        lambda h, x, y, i: tg.grad(lambda x, y: loss(h.variables, x, y), wrt=h.variables["w"])(x, y),
        lambda x, y, i: by_tape(x, y)["w"],
    ),
    Check(
        "grad by a Variable as argument",
        ("grad",),
        "sum",
        lambda h, x, y, i: tg.grad(loss)(h.variables, x, y),
        lambda x, y, i: by_tape(x, y),
    ),
    Check(
        "grad by a model",
        ("grad",),
        "sum",
        lambda h, x, y, i: tg.grad(in_model(h), wrt=h.model)(x, y),
        lambda x, y, i: as_weights(by_tape(x, y)),
    ),
    Check(
        "grad by a module",
        ("grad",),
        "sum",
        lambda h, x, y, i: tg.grad(lambda x, y: tf.reduce_sum((h.module(x) - y) ** 2), wrt=h.module)(x, y),
        lambda x, y, i: [by_tape(x, y)["b"], by_tape(x, y)["w"]],
    ),
    Check(
        "grad of a lookup",
        ("grad",),
        "sum",
        lambda h, x, y, i: tg.grad(looked_up)(tf.reshape(tf.range(10.0), [5, 2]), i),
        lambda x, y, i: tf.convert_to_tensor(
            taped(lambda table: looked_up(table, i), tf.reshape(tf.range(10.0), [5, 2]))
        ),
    ),
    Check(
        "grad with aux",
        ("grad",),
        "sum",
        lambda h, x, y, i: tg.grad(lambda p: (loss(p, x, y), tf.reduce_sum(x)), has_aux=True)(parameters()),
        lambda x, y, i: (by_tape(x, y), tf.reduce_sum(x)),
    ),
    Check(
        "grad of grad",
        ("grad",),
        "sum",
        lambda h, x, y, i: tg.grad(lambda p: tg.grad(loss)(p, x, y)["b"])(parameters()),
        lambda x, y, i: hessian_by_tape(x, y)["b"],
    ),
    Check(
        "value_and_grad",
        ("value_and_grad",),
        "sum",
        lambda h, x, y, i: tg.value_and_grad(loss)(parameters(), x, y),
        lambda x, y, i: (loss(parameters(), x, y), by_tape(x, y)),
    ),
    Check(
        "elementwise_grad",
        ("elementwise_grad",),
        "rows",
        lambda h, x, y, i: tg.elementwise_grad(lambda x: x**3)(x),
        lambda x, y, i: 3.0 * x**2,
    ),
    Check(
        "vjp",
        ("vjp",),
        "sum",
        lambda h, x, y, i: tg.vjp(lambda p: predict(p, x), parameters())[1](y)[0],
        lambda x, y, i: taped(lambda p: predict(p, x), parameters(), output_gradients=tf.constant(y)),
    ),
    Check(
        "jvp",
        ("jvp",),
        "rows",
        lambda h, x, y, i: list(tg.jvp(lambda p: predict(p, x), (parameters(),), (directions(),))),
        lambda x, y, i: pushed_by_accumulator(x, y),
    ),
    Check(
        "linearize",
        ("linearize",),
        "rows",
        lambda h, x, y, i: tg.linearize(lambda p: predict(p, x), parameters())[1](directions()),
        lambda x, y, i: pushed_by_accumulator(x, y)[1],
    ),
    Check(
        "jacobian by an argument",
        ("jacobian",),
        "rows",
        lambda h, x, y, i: tg.jacobian(predict)(parameters(), x),
        lambda x, y, i: jacobian_by_tape(lambda p: predict(p, x)),
    ),
    Check(
        "jacobian forwards",
        ("jacobian",),
        "rows",
        lambda h, x, y, i: tg.jacobian(predict, mode="fwd")(parameters(), x),
        lambda x, y, i: jacobian_by_tape(lambda p: predict(p, x)),
    ),
    Check(
        "jacobian by Variables",
        ("jacobian",),
        "rows",
        lambda h, x, y, i: tg.jacobian(lambda x: predict(h.variables, x), wrt=h.variables)(x),
        lambda x, y, i: jacobian_by_tape(lambda p: predict(p, x)),
    ),
    Check(
        "batch_jacobian",
        ("batch_jacobian",),
        "rows",
        lambda h, x, y, i: tg.batch_jacobian(lambda x: predict(parameters(), x))(x),
        lambda x, y, i: taped(lambda x: predict(parameters(), x), tf.constant(x)),
    ),
    Check(
        "hessian by an argument",
        ("hessian",),
        "sum",
        lambda h, x, y, i: tg.hessian(loss)(parameters(), x, y),
        lambda x, y, i: hessian_by_tape(x, y),
    ),
    Check(
        "hessian by Variables",
        ("hessian",),
        "sum",
        lambda h, x, y, i: tg.hessian(lambda x, y: loss(h.variables, x, y), wrt=h.variables)(x, y),
        lambda x, y, i: hessian_by_tape(x, y),
    ),
    Check(
        "hvp",
        ("hvp",),
        "sum",
        lambda h, x, y, i: tg.hvp(lambda p: loss(p, x, y), (parameters(),), (directions(),))[0],
        lambda x, y, i: product_by_tape(x, y),
    ),
    Check(
        "per_example_grad by an argument",
        ("per_example_grad",),
        "rows",
        lambda h, x, y, i: tg.per_example_grad(loss_of_one)(parameters(), x, y),
        lambda x, y, i: jacobian_by_tape(lambda p: (predict(p, x) - y) ** 2),
    ),
    Check(
        "per_example_grad by Variables",
        ("per_example_grad",),
        "rows",
        lambda h, x, y, i: tg.per_example_grad(lambda x, y: loss_of_one(h.variables, x, y), wrt=h.variables)(x, y),
        lambda x, y, i: jacobian_by_tape(lambda p: (predict(p, x) - y) ** 2),
    ),
    Check(
        "checkpoint",
        ("checkpoint", "grad"),
        "sum",
        lambda h, x, y, i: tg.grad(lambda p: tf.reduce_sum((tg.checkpoint(predict)(p, x) - y) ** 2))(parameters()),
        lambda x, y, i: by_tape(x, y),
    ),
    Check(
        "checkpoint of closed-over Variables",
        ("checkpoint", "grad"),
        "sum",
        lambda h, x, y, i: tg.grad(
            lambda: tf.reduce_sum((tg.checkpoint(lambda x: predict(h.variables, x))(x) - y) ** 2), wrt=h.variables
        )(),
        lambda x, y, i: by_tape(x, y),
    ),
    Check(
        "custom_gradient",
        ("custom_gradient", "grad"),
        "sum",
        lambda h, x, y, i: tg.grad(lambda p: tripled(loss(p, x, y)))(parameters()),
        lambda x, y, i: tf.nest.map_structure(lambda g: 3.0 * g, by_tape(x, y)),
    ),
    Check(
        "stop_gradient",
        ("stop_gradient", "grad"),
        "sum",
        lambda h, x, y, i: tg.grad(lambda b: tf.reduce_sum(tg.stop_gradient(b * y) * b))(2.0),
        lambda x, y, i: 2.0 * tf.reduce_sum(y),
    ),
    Check(
        "variable",
        ("variable", "grad"),
        "sum",
        lambda h, x, y, i: tg.grad(lambda: loss(h.made, x, y), wrt=h.made)(),
        lambda x, y, i: by_tape(x, y),
    ),
    Check(
        "a step of one's own",
        ("grad",),
        "same",
        lambda h, x, y, i: own_step(h, x, y),
        lambda x, y, i: stepped(x, y),
    ),
    Check(
        "a step of Keras's optimizer",
        ("grad",),
        "same",
        lambda h, x, y, i: keras_step(h, x, y),
        lambda x, y, i: as_weights(stepped(x, y)),
    ),
    Check(
        "jit of grad",
        ("jit", "grad"),
        "sum",
        lambda h, x, y, i: tg.jit(tg.grad(loss))(parameters(), x, y),
        lambda x, y, i: by_tape(x, y),
    ),
    Check(
        "jit of grad by Variables",
        ("jit", "grad"),
        "sum",
        lambda h, x, y, i: tg.jit(tg.grad(lambda x, y: loss(h.variables, x, y), wrt=h.variables))(x, y),
        lambda x, y, i: by_tape(x, y),
    ),
    Check(
        "jit of grad with XLA",
        ("jit", "grad"),
        "sum",
        lambda h, x, y, i: tg.jit(tg.grad(loss), xla=True)(parameters(), x, y),
        lambda x, y, i: by_tape(x, y),
    ),
    Check(
        "jit of jacobian",
        ("jit", "jacobian"),
        "rows",
        lambda h, x, y, i: tg.jit(tg.jacobian(predict))(parameters(), x),
        lambda x, y, i: jacobian_by_tape(lambda p: predict(p, x)),
    ),
    Check(
        "jit of hessian",
        ("jit", "hessian"),
        "sum",
        lambda h, x, y, i: tg.jit(tg.hessian(loss))(parameters(), x, y),
        lambda x, y, i: hessian_by_tape(x, y),
    ),
]
