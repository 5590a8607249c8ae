"""What enters a model's linear maps and what flows back out of them: the stuff of curvature.

A map's weight is written rows first, with its bias as a last column: `y = [W b] [a; 1]`. Its
gradient is then `sum_t g_t [a_t; 1]^T`, whatever the module's own layout, and needs no parameter
that asks for a gradient: a frozen model that other threads read stays as it is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from sanilens.model.hooks import Hooks
from sanilens.model.language_model import LanguageModel

Matrix = Float[Tensor, "outputs inputs"]
"""A linear map's weight or gradient, rows first; the bias, where there is one, is its last column.
"""


def linear_paths(model: LanguageModel, layers: Sequence[int] | None = None) -> list[str]:
    """Every linear projection of some layers (None: all), in the model's order."""
    chosen = range(model.sites.n_layers) if layers is None else layers
    return [site.path for layer in chosen for site in model.sites.linears[layer]]


def has_bias(module: nn.Module) -> bool:
    """Whether a projection has a bias."""
    return isinstance(getattr(module, "bias", None), nn.Parameter)


def shape_of(module: nn.Module) -> tuple[int, int]:
    """Rows and columns of a projection's matrix."""
    weight = module.get_parameter("weight")
    rows, columns = weight.shape[::-1] if isinstance(module, Conv1D) else weight.shape
    return rows, columns + has_bias(module)


@torch.no_grad()
def add_(module: nn.Module, change: Matrix) -> None:
    """Add a matrix to a projection's weight and bias."""
    weight = module.get_parameter("weight")
    if has_bias(module):
        module.get_parameter("bias").add_(change[:, -1].to(weight))
        change = change[:, :-1]
    weight.add_((change.T if isinstance(module, Conv1D) else change).to(weight))


@dataclass(frozen=True, slots=True)
class Flow:
    """What one pass carries through a linear map at the tokens of a batch.

    Attributes:
        inputs: what enters, with a last 1 where the map has a bias.
        gradients: the gradient of a scalar at what leaves.
    """

    inputs: Float[Tensor, "token inputs"]
    gradients: Float[Tensor, "token outputs"]

    @property
    def weight_gradient(self) -> Matrix:
        """The scalar's gradient at the map's matrix."""
        return self.gradients.T @ self.inputs


def flows(
    model: LanguageModel,
    paths: Sequence[str],
    scalar: Callable[[Hooks], Float[Tensor, ""]],
    here: Float[Tensor, "batch pos"],
) -> Iterator[tuple[str, Flow]]:
    """Run a batch forward and backward, and give what flowed through each map.

    Args:
        model: the model; neither its weights nor their `grad` change.
        paths: of its linear projections.
        scalar: runs the model under these hooks and gives a scalar of what it says.
        here: 1 where the batch has a token, 0 where it is padding.
    """
    entered: dict[str, Tensor] = {}
    left: dict[str, Tensor] = {}

    def keep(path: str) -> Callable[[Tensor], None]:
        def note(x: Tensor) -> None:
            entered[path] = x.detach()

        return note

    def lead(path: str) -> Callable[[Tensor, Tensor], Tensor]:
        def note(_x: Tensor, y: Tensor) -> Tensor:
            # What depends on frozen weights alone has no gradient yet: it becomes the leaf.
            left[path] = y if y.requires_grad else y.detach().requires_grad_()
            return left[path]

        return note

    hooks = Hooks({p: keep(p) for p in paths}, {p: lead(p) for p in paths})
    with torch.enable_grad():
        gradients = torch.autograd.grad(scalar(hooks), [left[p] for p in paths], allow_unused=True)
    tokens = here.bool()
    for path, gradient in zip(paths, gradients, strict=True):
        a = entered.pop(path)[tokens].float()
        g = torch.zeros_like(left[path]) if gradient is None else gradient
        if has_bias(model.module.get_submodule(path)):
            a = torch.cat([a, a.new_ones(len(a), 1)], dim=1)
        yield path, Flow(a, g[tokens].float())
