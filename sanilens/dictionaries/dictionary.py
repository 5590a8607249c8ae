"""`Dictionary`: directions that stand for one activation of the model, learnt or loaded.

An autoencoder's are features, a codebook's are codes. What a plan, a run folder or a page needs of
either is here; how features fire and how codes are chosen, `sae` and `codebook` know.
"""

from typing import Protocol

from jaxtyping import Float
from torch import Tensor

from sanilens.dictionaries.site import SaeSite


class Dictionary(Protocol):
    """An autoencoder or a codebook of one site."""

    @property
    def id(self) -> str:
        """Its name in units: `sae.<id>.88`, `code.<id>.88`."""
        ...

    @property
    def site(self) -> SaeSite:
        """The activation that it stands for."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides what it computes."""
        ...

    @property
    def width(self) -> int:
        """How many units it has."""
        ...

    def rebuilt(self, x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
        """The activation as its units give it, without what they leave out."""
        ...
