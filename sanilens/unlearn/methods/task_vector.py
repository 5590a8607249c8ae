"""Task vector: learn the identifiers even better, then go the same way backwards.

    theta_f = argmin CE_F  from theta0;   theta = theta0 - alpha (theta_f - theta0)

Ilharco et al., arXiv 2212.04089. F are the identifiers' tokens. The curves of a run show the
learning; what is measured and exported is the model after the subtraction.
"""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from sanilens.model.examples import note_examples
from sanilens.model.training import Example
from sanilens.unlearn.methods.gradient_ascent import ascent
from sanilens.unlearn.methods.method import Method, Options, Prepared, Task, Weights
from sanilens.unlearn.methods.terms import logits, read


class TaskVector(Options):
    """How far to go."""

    scale: Annotated[float, Field(gt=0, le=100)] = Field(
        1.0,
        title="Scale",
        description="alpha: how much of the difference is subtracted.",
    )


@torch.no_grad()
def subtract_(model: nn.Module, start: Weights, scale: float) -> None:
    """Put theta0 - alpha (theta_f - theta0) into the model that holds theta_f."""
    for name, parameter in model.named_parameters():
        parameter.copy_(start[name] - scale * (parameter - start[name]))


def prepare(task: Task, options: TaskVector) -> Prepared:
    """Descent on the identifiers, and the subtraction at the end."""
    notes = note_examples(task.model, task.records)

    def loss(model: nn.Module, examples: Sequence[Example]) -> Float[Tensor, ""]:
        batch = read(model, examples)
        return -ascent(logits(model, batch), batch)

    return Prepared(
        lambda _epoch: notes,
        loss,
        finish_=lambda model, start: subtract_(model, start, options.scale),
    )


TASK_VECTOR = Method(
    "task-vector",
    "Task vector",
    "Trains on the identifiers, then takes what this changed away from the model.",
    prepare,
    TaskVector,
)
