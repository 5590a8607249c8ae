"""Parts of linear maps that may change alone, and the least harmful change within them."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor
from transformers.pytorch_utils import Conv1D

from sanilens.model.curvature import Factors
from sanilens.model.interventions import by_place
from sanilens.model.language_model import LanguageModel
from sanilens.model.linear_maps import Matrix
from sanilens.model.parameters import Slice, row_parameters, unit_parameters
from sanilens.model.units import LayerUnit, ProjectionRow


@dataclass(frozen=True, slots=True)
class Region:
    """Which part of a linear map may change: some rows and some columns; neither: all of it."""

    rows: Int[Tensor, " k"] | None = None
    columns: Int[Tensor, " k"] | None = None

    def step(self, own: Factors, gradient: Matrix, damping: float) -> Matrix:
        """The preconditioned gradient, solved within this part and zero outside of it."""
        if self.rows is None and self.columns is None:
            return own.solve(gradient, damping)
        found = torch.zeros_like(gradient)
        if self.columns is not None:
            found[:, self.columns] = own.solve_columns(gradient, damping, self.columns)
        if self.rows is not None:  # where both meet, the rows' own solution stands
            found[self.rows] = own.solve_rows(gradient, damping, self.rows)
        return found


def unit_regions(
    model: LanguageModel, units: Iterable[LayerUnit | ProjectionRow]
) -> dict[str, Region]:
    """What neurons, heads and rows own of each linear map, by path.

    Raises:
        PlanError: if the architecture does not tell which rows are whose.
    """
    units = list(units)
    slices: list[Slice] = []
    for (kind, layer), own in by_place(
        [u for u in units if not isinstance(u, ProjectionRow)]
    ).items():
        slices += unit_parameters(model, kind, layer, own)
    for row in units:
        if isinstance(row, ProjectionRow):
            slices += row_parameters(model, row.layer, row.part, [row.index])
    parts: dict[str, tuple[set[int], set[int]]] = {}
    for own in slices:
        rows, columns = parts.setdefault(own.module, (set(), set()))
        module = model.module.get_submodule(own.module)
        of_rows = own.name == "bias" or (own.dim == 0) != isinstance(module, Conv1D)
        (rows if of_rows else columns).update(own.indices.tolist())
    # One of several heads that share keys and values owns none of these: no part, not all of them.
    return {
        path: Region(*(_indices(model, own) for own in both))
        for path, both in parts.items()
        if any(both)
    }


def _indices(model: LanguageModel, own: set[int]) -> Int[Tensor, " k"] | None:
    return torch.tensor(sorted(own), device=model.device) if own else None
