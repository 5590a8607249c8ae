"""Normalisations, whatever a model's classes call them and wherever they keep their gain.

    N(x) = g * C x / s(x) + b,     C x = x - mean x or x,    s the root mean square of C x

What g, b and C are is measured on the module: Gemma keeps g - 1, Cohere's and OLMo's norms take the
mean off without being a LayerNorm, some have no gain at all.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sanilens.model.hooks import OutputEdit

_TINY = 1e-9


def norms_in(model: nn.Module, prefixes: tuple[str, ...]) -> dict[str, nn.Module]:
    """The normalisations whose path begins with one of `prefixes`, by path.

    A module is a norm if its class's name says so and it holds no others (a norm for each head).
    """
    return {
        path: module
        for path, module in model.named_modules()
        if path.startswith(prefixes)
        and "Norm" in type(module).__name__
        and not any(True for _ in module.children())
    }


@dataclass(frozen=True, slots=True)
class Norm:
    """A normalisation of the residual stream's width as a linear map, but for its scale.

    Attributes:
        gain: g of the module's equation.
        bias: b, zero where there is none.
        centred: whether C takes the mean off.
    """

    gain: Float[Tensor, " d"]
    bias: Float[Tensor, " d"]
    centred: bool

    def map(self, v: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
        """g * C v: what the norm makes of a part of its input, for a scale of 1."""
        return self.gain * (v - v.mean(-1, keepdim=True) if self.centred else v)

    def factor(
        self, x: Float[Tensor, "... d"], output: Float[Tensor, "... d"]
    ) -> Float[Tensor, "..."]:
        """1 / s(x), of the norm's input and output; exact also where s has an epsilon in it."""
        whole, made = self.map(x), output - self.bias
        return (whole * made).sum(-1) / whole.square().sum(-1).clamp(min=_TINY**2)


@torch.no_grad()
def measured(norm: nn.Module, width: int, like: Tensor) -> Norm:
    """What a norm over `width` channels does, from three of its outputs."""
    x = torch.linspace(-1, 1, width, device=like.device, dtype=like.dtype)
    x = torch.stack([x, x.flip(0) + x.square()])[:, None]
    bias = norm.forward(torch.zeros_like(x))[0, 0]
    moved = (norm.forward(x + 1) - norm.forward(x)).abs().max()
    centred = bool(moved < 1e-3 * (norm.forward(x) - bias).abs().max().clamp(min=_TINY))
    # Two inputs that are 0 at different channels show every channel's gain.
    c = x - x.mean(-1, keepdim=True) if centred else x
    scale = c.square().mean(-1, keepdim=True).sqrt()
    made = (norm.forward(x) - bias) * scale
    gain = (made * c).sum(0) / c.square().sum(0).clamp(min=_TINY)
    return Norm(gain[0], bias, centred)


def held(norm: nn.Module) -> OutputEdit:
    """A hook under which the norm's scale is a constant: same value, linear backwards."""

    def edit(x: Tensor, output: Tensor) -> Tensor:
        with torch.no_grad():
            bias = norm.forward(torch.zeros_like(x))
            shifted = norm.forward(x.detach() + 1) - output
            centred = shifted.abs().max() < 1e-3 * (output - bias).abs().max()
        c = x - x.mean(-1, keepdim=True) if centred else x
        return same_value(c * ratio(output - bias, c), output)

    return edit


def ratio(output: Tensor, x: Tensor) -> Tensor:
    """output / x as a constant; 0 where x is nothing."""
    safe = torch.where(x.abs() < _TINY, torch.ones_like(x), x)
    return torch.where(x.abs() < _TINY, torch.zeros_like(x), output / safe).detach()


def same_value(linear: Tensor, output: Tensor) -> Tensor:
    """The gradient of `linear`, the value of `output`."""
    return linear + (output - linear).detach()
