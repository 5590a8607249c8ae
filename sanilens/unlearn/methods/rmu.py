"""RMU: steer what a middle layer holds before an identifier into a random direction.

    L = gamma (1/|F|) sum_{t in F} MSE( h_t, c u )  +  alpha (1/|R|) sum_{t in R} MSE( h_t, h0_t )

h_t is the output of one block at the position that predicts target t, h0_t that of the frozen
theta0, u a direction drawn once (uniform on [0, 1)^d, then of length 1). Li et al., arXiv
2403.03218; c 2 as in open-unlearning's runs, which take h at the answer's own tokens: here it is
taken one token earlier, where the identifier is recalled.
"""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from sanilens.model.examples import note_examples
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.training import Example
from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.retain import Weighted, with_texts
from sanilens.unlearn.methods.terms import Batch, mean, read


class Rmu(Weighted):
    """Where to steer, and how far."""

    depth: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5,
        title="Depth of the layer",
        description="The block at this share of the model's depth is steered; 1 is the last.",
    )
    coefficient: Annotated[float, Field(gt=0, le=10_000)] = Field(
        2.0, title="Length", description="c: length of the vector that is steered to."
    )


def hidden(model: nn.Module, path: str, batch: Batch) -> Float[Tensor, "batch target d_model"]:
    """Output of the block at `path`, at the positions that predict the targets."""
    kept: list[Tensor] = []

    def keep(_: Tensor, output: Tensor) -> Tensor:
        kept.append(output)
        return output

    with hooked(model, Hooks(outputs={path: keep})):
        model(input_ids=batch.ids, use_cache=False)
    return kept[-1][:, :-1].float()


def direction(width: int, seed: int) -> Float[Tensor, " d_model"]:
    """u of the module's equation."""
    drawn = torch.rand(width, generator=torch.Generator().manual_seed(seed))
    return drawn / drawn.norm()


def misdirection(
    own: Float[Tensor, "batch target d_model"],
    before: Float[Tensor, "batch target d_model"],
    target: Float[Tensor, " d_model"],
    batch: Batch,
    options: Rmu,
) -> Float[Tensor, ""]:
    """The loss of the module's equation; `target` is c u."""
    forget = mean((own - target).square().mean(-1), batch.forget)
    stays = mean((own - before).square().mean(-1), batch.retain)
    return options.forget_weight * forget + options.retain_weight * stays


def prepare(task: Task, options: Rmu) -> Prepared:
    """The notes as they are; the unedited model gives h0."""
    model, notes = task.model, note_examples(task.model, task.records)
    layer = max(1, round(options.depth * model.sites.n_layers)) - 1
    path = model.sites.blocks[layer]
    target = options.coefficient * direction(model.sites.d_model, task.seed)
    target = target.to(model.device)

    def loss(module: nn.Module, examples: Sequence[Example]) -> Float[Tensor, ""]:
        batch = read(module, examples)
        with torch.no_grad():
            before = hidden(model.module, path, batch)
        return misdirection(hidden(module, path, batch), before, target, batch, options)

    return Prepared(with_texts(task, lambda _epoch: notes, options), loss)


RMU = Method(
    "rmu",
    "RMU",
    "Steers what a middle layer holds before an identifier into a random direction.",
    prepare,
    Rmu,
)
