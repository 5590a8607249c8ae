"""GRUN's module: a low-rank change of a block's output behind a gate.

    phi(h) = R^T (W h + b - R h)        R (rank x d) with orthonormal rows: LoReFT
    g(h)   = sigmoid(gate(h))           linear: d -> 1; mlp: d -> w -> w/4 -> 1, with ReLUs
    h'     = h + g(h) phi(h)            gate and change read the same h
    h'     = h + s sum_i g_i(h) phi_i(h)     several, trained apart, put together

Ren et al., arXiv 2502.17823; Wu et al., arXiv 2404.03592 (LoReFT). They edit the last token of the
prompt alone (`prompt`); here every token may be edited as well (`every`), which no choice of the
prompt's end can avoid. W begins as R and b as 0, so that nothing is changed at first: our choice.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import orthogonal

from sanilens.errors import ModelError
from sanilens.model.hooks import Hooks, OutputEdit
from sanilens.model.interventions import prompt_ends
from sanilens.model.language_model import LanguageModel

Positions = Literal["every", "prompt"]
Hidden = Float[Tensor, "batch pos d_model"]

# The paper's layers are 20, 25 and 31 of 32, counted from 0: the last, 7th and 12th from the end.
_LAYERS, _OF = (20, 25, 31), 32


def default_layers(n_layers: int) -> tuple[int, ...]:
    """The paper's layers at the same relative depth, counted from 0."""
    return tuple(sorted({n_layers * layer // _OF for layer in _LAYERS}))


class LoReft(nn.Module):
    """phi of the module's equation."""

    def __init__(self, d_model: int, rank: int) -> None:
        super().__init__()
        rotate = nn.Linear(d_model, rank, bias=False)
        nn.init.orthogonal_(rotate.weight)
        # The plain Householder form: of its kind the one that keeps `rank x d` numbers and no more.
        self.rotate = orthogonal(rotate, orthogonal_map="householder", use_trivialization=False)
        self.source = nn.Linear(d_model, rank)
        with torch.no_grad():
            self.source.weight.copy_(cast(Tensor, self.rotate.weight))
            self.source.bias.zero_()

    def forward(self, h: Float[Tensor, "... d_model"]) -> Float[Tensor, "... d_model"]:
        """What is to be added to h."""
        rotation = cast(Tensor, self.rotate.weight)
        return (self.source(h) - h @ rotation.T) @ rotation


class GatedEdit(nn.Module):
    """g and phi at one layer.

    Args:
        d_model: width of h.
        rank: of phi.
        gate_widths: of the gate's hidden layers; none: a linear gate.
        positions: whether every token is edited, or the last one of a prompt.
    """

    def __init__(
        self, d_model: int, rank: int, gate_widths: Sequence[int], positions: Positions
    ) -> None:
        super().__init__()
        self.change = LoReft(d_model, rank)
        widths = (d_model, *gate_widths, 1)
        steps: list[nn.Module] = []
        for given, made in pairwise(widths):
            steps += [nn.Linear(given, made), nn.ReLU()]
        self.gate = nn.Sequential(*steps[:-1])
        self.positions: Positions = positions
        self.logits: Float[Tensor, "batch pos"] | None = None

    def forward(self, h: Hidden) -> Hidden:
        """g(h) phi(h), where it acts; the gate's logits of the pass are kept in `logits`."""
        self.logits = logits = self.gate(h)[..., 0]
        gated = logits.sigmoid()
        if self.positions == "prompt":
            gated = gated * prompt_ends(h)
        return gated[..., None] * self.change(h)


class Grun(nn.Module):
    """Gated edits of the outputs of several blocks.

    Attributes:
        edits: by layer, as text (`nn.ModuleDict` wants that), what is added there.
    """

    def __init__(self, edits: Mapping[int, nn.Module]) -> None:
        super().__init__()
        self.edits = nn.ModuleDict({str(layer): edit for layer, edit in sorted(edits.items())})

    @property
    def layers(self) -> tuple[int, ...]:
        """The edited layers, counted from 0."""
        return tuple(map(int, self.edits))

    def hooks(self, model: LanguageModel) -> Hooks:
        """h' = h + edit(h) at the output of each of the blocks."""

        def added(edit: nn.Module) -> OutputEdit:
            return lambda _x, h: h + edit(h)

        blocks = model.sites.blocks
        return Hooks(outputs={blocks[int(at)]: added(edit) for at, edit in self.edits.items()})

    def gate_logits(self) -> Float[Tensor, "layer batch pos"]:
        """The gates' logits in the last forward pass, layer by layer."""
        return torch.stack([cast(Tensor, edit.logits) for edit in self.edits.values()])

    def gates(self) -> Float[Tensor, "layer batch pos"]:
        """The gates' values in the last forward pass; of several modules the most open one's."""
        return self.gate_logits().detach().sigmoid()


class Together(nn.Module):
    """s sum_i g_i(h) phi_i(h) at one layer: all read the same h."""

    def __init__(self, edits: Sequence[nn.Module], scale: float) -> None:
        super().__init__()
        self.parts = nn.ModuleList(edits)
        self.scale = scale

    def forward(self, h: Hidden) -> Hidden:
        """What the parts add up to."""
        return self.scale * sum((part(h) for part in self.parts), torch.zeros_like(h))

    @property
    def logits(self) -> Float[Tensor, "batch pos"]:
        """The logits of the gate that is most open."""
        return torch.stack([cast(Tensor, part.logits) for part in self.parts]).amax(0)


def compose(modules: Sequence[Grun], scale: float = 1.0) -> Grun:
    """Modules trained one by one, for one request after another, as one; nothing is retrained.

    Args:
        modules: trained on the same model.
        scale: s of the module's equation. The paper's code takes 0.6 G + 0.6 for G modules.

    Raises:
        ModelError: if there is none.
    """
    if not modules:
        raise ModelError("there is no adapter to put together; give one at least.")
    layers = sorted({layer for module in modules for layer in module.layers})
    return Grun(
        {
            layer: Together([m.edits[str(layer)] for m in modules if layer in m.layers], scale)
            for layer in layers
        }
    )
