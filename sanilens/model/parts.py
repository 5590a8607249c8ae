"""The parts of a layer, as module paths in the user's model."""

from dataclasses import dataclass, field

from torch import nn
from transformers.pytorch_utils import Conv1D

from sanilens.model.measure import HeadRows, Layout


@dataclass(frozen=True, slots=True)
class MlpSite:
    """The projections of one layer's MLP, as module paths in the user's model.

    Attributes:
        reads: modules whose output feeds the neurons: `(in,)`, `(gate, in)` or the fused one.
        out: the output projection; its input's coordinates are the neurons.
        activation: the nonlinearity, where it is a module.
        layouts: of each of `reads` which rows are whose; empty if that cannot be told.
    """

    reads: tuple[str, ...]
    out: str
    activation: str | None = None
    # Measured, so not part of what makes two models' sites the same.
    layouts: tuple[Layout, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class AttentionSite:
    """The projections of one layer's attention, as module paths in the user's model.

    Attributes:
        reads: the modules that make queries, keys and values: three, or the fused one.
        out: the output projection; its input is every head's result, one head after the other.
        rows: of each of `reads` which rows are whose; empty if that cannot be told.
    """

    reads: tuple[str, ...]
    out: str
    rows: tuple[HeadRows, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class LinearSite:
    """A linear projection: TransformerLens's name of it in its layer, its path, its outputs."""

    part: str
    path: str
    rows: int


def projection_inputs(module: nn.Module) -> int:
    """Input features of a linear projection, GPT-2's transposed `Conv1D` included."""
    weight = module.get_parameter("weight")
    return weight.shape[0] if isinstance(module, Conv1D) else weight.shape[1]


def projection_outputs(module: nn.Module) -> int:
    """Output features of a linear projection."""
    weight = module.get_parameter("weight")
    return weight.shape[1] if isinstance(module, Conv1D) else weight.shape[0]
