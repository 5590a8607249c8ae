"""A loaded autoencoder: what it reads, its features, and the directions that they stand for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from sanilens.dictionaries.site import SaeSite


@dataclass(frozen=True, slots=True)
class Sae:
    """A sparse autoencoder of one site.

    Attributes:
        id: its name in units, `sae.<id>.88`.
        site: what it reads.
        module: SAELens's own, with encode, decode and W_dec.
        path: its folder.
        fingerprint: SHA-256 of its configuration and weights.
    """

    id: str
    site: SaeSite
    module: Any
    path: Path
    fingerprint: str

    @property
    def width(self) -> int:
        """How many features it has."""
        return int(self.module.cfg.d_sae)

    def features(self, x: Float[Tensor, "... d"]) -> Float[Tensor, "... feature"]:
        """Activations of all features."""
        return self.module.encode(x.to(self.module.W_dec.dtype))

    def reconstruction(self, features: Float[Tensor, "... feature"]) -> Float[Tensor, "... d"]:
        """What the features say the activation was."""
        return self.module.decode(features)

    def rebuilt(self, x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
        """The activation as its features give it."""
        return self.reconstruction(self.features(x))

    def directions(self, features: list[int]) -> Float[Tensor, "k d"]:
        """What one unit of each of these features adds to the activation."""
        return self.module.W_dec.detach()[features]
