"""The rows in PyTorch, eagerly."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.utils import _pytree
from torch.utils.checkpoint import checkpoint

from benchmarks import inputs
from benchmarks.cases import Call, add, case
from benchmarks.rows import TORCH

Tensor = Any
RATE = 0.01


def arrays(answer: Any) -> list[np.ndarray[Any, Any]]:
    """The leaves of an answer."""
    return [np.asarray(leaf.detach().numpy()) for leaf in _pytree.tree_leaves(answer)]


def finish(answer: Any) -> None:
    """Nothing: an answer on the CPU is there when the call returns."""


def tensors(tree: Any) -> Any:
    def one(array: Any) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        return tensor.long() if tensor.dtype == torch.int32 else tensor

    return _pytree.tree_map(one, tree)


def add_eager(row: str, f: Callable[..., Any], args: Callable[[], Any]) -> None:
    def make() -> Call:
        given = tensors(args())
        return lambda: f(*given)

    add(row, TORCH, make)


def value_and_gradient(f: Callable[..., Tensor]) -> Callable[..., Any]:
    """The quickest way to both: leaves that require gradients, and autograd.grad."""

    def call(p: Any, *args: Any) -> Any:
        leaves = _pytree.tree_map(lambda part: part.detach().requires_grad_(), p)
        value = f(leaves, *args)
        return value.detach(), torch.autograd.grad(value, _pytree.tree_leaves(leaves))

    return call


def control(a: Tensor) -> Tensor:
    b = a * 2
    while torch.norm(b) < 1000:
        b = b * 2
    return b if torch.sum(b) > 0 else 100 * b


def layers(W: Any, x: Tensor) -> Tensor:
    for w in W:
        x = torch.tanh(w @ x)
    return x


def rosenbrock(x: Tensor) -> Tensor:
    return torch.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def mlp_loss(p: Any, x: Tensor, y: Tensor, act: Callable[[Tensor], Tensor] = functional.relu) -> Tensor:
    for i in range(0, len(p) - 2, 2):
        x = act(torch.addmm(p[i + 1], x, p[i]))
    return functional.cross_entropy(torch.addmm(p[-1], x, p[-2]), y)


def smooth_loss(p: Any, x: Tensor, y: Tensor) -> Tensor:
    return mlp_loss(p, x, y, torch.tanh)


def flat_loss(v: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return smooth_loss([v[start:end].reshape(shape) for start, end, shape in inputs.cuts()], x, y)


def attention_loss(qkv: Any) -> Tensor:
    q, k, v = qkv
    scores = q @ k.T / 8.0
    return ((torch.softmax(scores, -1) @ v) ** 2).sum() + torch.logsumexp(scores, -1).sum()


def logistic_loss(w: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return functional.softplus(-y * (x @ w)).mean()


def product_of_mlp(p: Any, v: Any, x: Tensor, y: Tensor) -> Any:
    return torch.func.vjp(torch.func.grad(lambda p: smooth_loss(p, x, y)), p)[1](v)[0]


def product_of_rosenbrock(x: Tensor, v: Tensor) -> Tensor:
    return torch.func.vjp(torch.func.grad(rosenbrock), x)[1](v)[0]


of_each_example = torch.func.vmap(torch.func.grad(lambda p, x, y: mlp_loss(p, x[None], y[None])), in_dims=(None, 0, 0))

for n in (10, 100, 1000):
    add_eager(f"jit-jacobian-{n}", torch.func.jacrev(layers, 1), partial(inputs.matrices, n))
    add_eager(f"jit-hessian-{n}", torch.func.hessian(rosenbrock), partial(inputs.vector, n))
add_eager("jit-hessian-mlp", torch.func.hessian(flat_loss), inputs.flat_mlp)
add_eager("jit-hvp-mlp", product_of_mlp, inputs.mlp_and_direction)
add_eager("jit-hvp-1000", product_of_rosenbrock, partial(inputs.vector_and_direction, 1000))
for count in (128, 1024):
    add_eager(f"jit-examples-{count}", of_each_example, partial(inputs.mlp, batch=count))
add_eager("jit-mlp", value_and_gradient(mlp_loss), inputs.mlp)
add_eager("jit-attention", value_and_gradient(attention_loss), lambda: (inputs.attention(),))
add_eager("jit-logistic", value_and_gradient(logistic_loss), inputs.logistic)


@case("jit-grad-dot", TORCH)
def backward() -> Call:
    x = torch.arange(4.0, requires_grad=True)

    def call() -> Any:
        x.grad = None
        y = 2 * torch.dot(x, x)
        y.backward()
        return x.grad

    return call


@case("jit-control", TORCH)
def control_gradient() -> Call:
    a = torch.tensor(0.3, requires_grad=True)
    return lambda: torch.autograd.grad(control(a), a)


@case("jit-conv", TORCH)
def convolutions() -> Call:
    """In torch's own layout; the answer's kernels are turned back, as views."""
    p, x, y = inputs.convolutions()
    turned = [part.transpose(3, 2, 0, 1) if part.ndim == 4 else part for part in p]
    given = tensors((turned, x.transpose(0, 3, 1, 2), y))

    def loss(p: Any, x: Tensor, y: Tensor) -> Tensor:
        for i in (0, 2):
            x = functional.max_pool2d(functional.relu(functional.conv2d(x, p[i], p[i + 1], padding=1)), 2)
        return functional.cross_entropy(torch.addmm(p[5], x.permute(0, 2, 3, 1).flatten(1), p[4]), y)

    ready = value_and_gradient(loss)

    def call() -> Any:
        value, slopes = ready(*given)
        return value, [part.permute(2, 3, 1, 0) if part.ndim == 4 else part for part in slopes]

    return call


@case("jit-train", TORCH)
def train_step() -> Call:
    p, x, y = tensors(inputs.mlp())
    parameters = [part.requires_grad_() for part in p]
    optimizer = torch.optim.SGD(parameters, lr=RATE)

    def call() -> Tensor:
        optimizer.zero_grad()
        value = mlp_loss(parameters, x, y)
        value.backward()
        optimizer.step()
        return value.detach()

    return call


def deep_gradient() -> Call:
    h0, W = tensors(inputs.deep())
    h0.requires_grad_()

    def segment(count: int) -> Callable[[Tensor], Tensor]:
        def run(h: Tensor) -> Tensor:
            for _ in range(count):
                h = torch.tanh(h @ W)
            return h

        return run

    parts = [segment(count) for count in inputs.segments()]

    def call() -> Any:
        h = h0
        for part in parts:
            h = checkpoint(part, h, use_reentrant=False)
        return torch.autograd.grad(h.sum(), h0)

    return call


add("checkpoint-eager", TORCH, deep_gradient)
add("checkpoint-jit", TORCH, deep_gradient)
