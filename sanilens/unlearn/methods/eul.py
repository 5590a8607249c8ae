"""EUL: unlearning layers, small adapters after each MLP of the frozen model.

    h' = h + W_up relu(W_down h)
    L = alpha (1/|R|) sum_{t in R} KL(p_theta0 || p) - gamma (1/|F|) sum_{t in F} KL(p_theta0 || p)
        + w CE_R

Chen and Yang, arXiv 2310.20150: stay with the teacher on what is kept, leave it on what is
forgotten, and go on doing the task. Their exact objective was not at hand; this is our reading of
it, with weights of ours. The result is an adapter: without it, the model says everything again.
"""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from sanilens.model.hooks import Hooks, OutputEdit
from sanilens.model.language_model import LanguageModel
from sanilens.unlearn.adapter import Adapter
from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.retain import Seen, Weighted, forget_and_retain
from sanilens.unlearn.methods.terms import kl, mean, nll


class Eul(Weighted):
    """The size of the layers, and the weight of the task."""

    width: Annotated[int, Field(ge=1, le=4096)] = Field(
        16, title="Width of a layer", description="Units of each unlearning layer."
    )
    task_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        0.5,
        title="Weight of the records",
        description="w: weight of plain training on tokens that are no identifier.",
    )


class UnlearningLayer(nn.Module):
    """h + W_up relu(W_down h); nothing at first, since W_up begins as 0."""

    def __init__(self, d_model: int, width: int) -> None:
        super().__init__()
        self.down = nn.Linear(d_model, width)
        self.up = nn.Linear(width, d_model)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, h: Float[Tensor, "... d_model"]) -> Float[Tensor, "... d_model"]:
        """Add what the layer makes of an MLP's output."""
        return h + self.up(self.down(h).relu())


def unlearning_layers(model: LanguageModel, options: Eul, seed: int) -> Adapter:
    """One layer behind each MLP."""
    sites = model.sites
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = nn.ModuleList(UnlearningLayer(sites.d_model, options.width) for _ in sites.mlps)
    layers.to(model.device)

    def edit(layer: nn.Module) -> OutputEdit:
        return lambda _x, output: layer(output)

    edits = {site.out: edit(layer) for site, layer in zip(sites.mlps, layers, strict=True)}
    return Adapter(layers, Hooks(outputs=edits))


def eul(seen: Seen, options: Eul) -> Float[Tensor, ""]:
    """Move away from the teacher on identifiers, and keep doing the task elsewhere."""
    leaves = -mean(kl(seen.theta0(), seen.own), seen.batch.forget)
    task = mean(nll(seen.own, seen.batch), seen.batch.retain)
    return options.forget_weight * leaves + options.task_weight * task


def prepare(task: Task, options: Eul) -> Prepared:
    """The notes as they are; the unedited model is the teacher."""
    whole = options.model_copy(update={"forget_weight": 1.0})
    return forget_and_retain(task, whole, lambda seen: eul(seen, options), "kl")


EUL = Method(
    "eul",
    "Unlearning layers (EUL)",
    "Trains small layers after each MLP of the frozen model. Removing them brings everything back.",
    prepare,
    Eul,
    adapter=unlearning_layers,
)
