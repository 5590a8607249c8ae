"""Canonical unit names: `mlp.12.345` is neuron 345 of layer 12.

Knows the grammar only: whether layer 12 exists is the caller's question.
"""

import re
from dataclasses import dataclass
from typing import Self

from sanilens.errors import PlanError

_NEURON = re.compile(r"mlp\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True, order=True)
class Neuron:
    """One coordinate of the input of a layer's MLP output projection."""

    layer: int
    index: int

    def __str__(self) -> str:
        return f"mlp.{self.layer}.{self.index}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Invert `str`: `Neuron.parse(str(n)) == n`.

        Raises:
            PlanError: if the text is not exactly one neuron's name.
        """
        # fullmatch, and no leading zeros: two spellings of one neuron would hash to two plans.
        if (found := _NEURON.fullmatch(text)) is None:
            raise PlanError(f"{text[:40]!r} is not a neuron: expected 'mlp.<layer>.<index>'")
        return cls(*map(int, found.groups()))
