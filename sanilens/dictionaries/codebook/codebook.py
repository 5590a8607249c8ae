"""Replace an activation by codes: the mean of the k that are most like it.

    z   = SAE(x), its features; or x - centre without an autoencoder
    s_i = z . c_i / (|z| |c_i|)
    out = 1/k * sum of the k codes of highest s
    x'  = SAE's reconstruction of out; or out + centre

Deleting a set D of codes needs no training. Codebook Features has the first two ways:

    refill   s_i := -inf for i in D: the next-best codes take their place, still 1/k
    drop     codes of D among the k leave their place empty, still 1/k
    renorm   the same, divided by how many of the k are left
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.site import SaeSite

Mode = Literal["refill", "drop", "renorm"]


class Chosen(NamedTuple):
    """Of each token its k codes, most alike first, how alike they are, and their weights."""

    codes: Int[Tensor, "... k"]
    similarity: Float[Tensor, "... k"]
    weights: Float[Tensor, "... k"]


@dataclass(frozen=True, slots=True)
class Codebook:
    """A trained bottleneck of one site.

    Attributes:
        id: its name.
        site: the activation that it replaces.
        codes: one a row, in the space that is quantised.
        centre: taken off before, put back after; zeros over an autoencoder, which has its own.
        k: how many codes stand for a token.
        sae: the autoencoder whose features are quantised; None quantises the activation itself.
        path: its folder; None before it is saved.
        fingerprint: SHA-256 of its files.
    """

    id: str
    site: SaeSite
    codes: Float[Tensor, "code width"]
    centre: Float[Tensor, " width"]
    k: int
    sae: Sae | None = None
    path: Path | None = None
    fingerprint: str = ""

    @property
    def size(self) -> int:
        """How many codes it has."""
        return len(self.codes)

    @property
    def width(self) -> int:
        """How many units it has, as a dictionary: its codes."""
        return self.size

    def latent(self, x: Float[Tensor, "... d"]) -> Float[Tensor, "... width"]:
        """What is quantised of an activation."""
        if self.sae is None:
            return x.to(self.codes.dtype) - self.centre
        return self.sae.features(x)

    def choose(
        self, z: Float[Tensor, "... width"], deleted: Collection[int] = (), mode: Mode = "refill"
    ) -> Chosen:
        """The k codes of each token and their weights, without those deleted."""
        similarity = normalize(z, dim=-1) @ normalize(self.codes, dim=-1).T
        gone = torch.zeros(self.size, dtype=torch.bool, device=z.device)
        gone[list(deleted)] = True
        if mode == "refill":
            similarity = similarity.masked_fill(gone, -torch.inf)
        top = similarity.topk(self.k, dim=-1)
        left = (~gone[top.indices] & top.values.isfinite()).to(z.dtype)
        count = left.sum(-1, keepdim=True).clamp(min=1) if mode == "renorm" else self.k
        return Chosen(top.indices, top.values, left / count)

    def quantised(self, chosen: Chosen) -> Float[Tensor, "... width"]:
        """The weighted sum of the chosen codes."""
        return (self.codes[chosen.codes] * chosen.weights[..., None]).sum(-2)

    def decode(self, out: Float[Tensor, "... width"]) -> Float[Tensor, "... d"]:
        """The activation that `out` stands for."""
        return out + self.centre if self.sae is None else self.sae.reconstruction(out)

    def rebuilt(
        self, x: Float[Tensor, "... d"], deleted: Collection[int] = (), mode: Mode = "refill"
    ) -> Float[Tensor, "... d"]:
        """The activation as the codes give it, without those deleted."""
        return self.decode(self.quantised(self.choose(self.latent(x), deleted, mode)))
