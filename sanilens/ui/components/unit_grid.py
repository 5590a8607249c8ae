"""All units of a model in one picture: a row per layer, the strongest unit of every few.

A model of 48 layers of 16,384 neurons does not fit on a screen; the strongest of each cell does,
and the caption says how many units a cell stands for.
"""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from sanilens.ui.components.picking import component, picked

MAX_BINS = 160

_HTML = """
<div class="root">
  <div class="grid" role="listbox" tabindex="0" aria-label="units by layer"
       aria-activedescendant="cell">
    <canvas></canvas><div class="hidden" id="cell" role="option">no unit chosen</div>
  </div>
  <div class="legend">
    <span class="caption"></span>
    <span class="planned"><i></i>in plan</span>
    <span class="scale"><span class="low"></span><i class="ramp"></i><span class="much"></span>
      <b class="high"></b></span>
    <span class="keys">arrows move · Enter select</span>
  </div>
  <div class="tip" role="tooltip" popover="manual"></div>
</div>
"""
_mount = component("unit_grid", _HTML)


@dataclass(frozen=True, slots=True)
class GridRow:
    """One layer: unit `units[i]` is the strongest of cell i, its name `<prefix>.<unit>`.

    The row has `total` units, from number `first` on, `step` of them in each cell.
    """

    label: str
    prefix: str
    units: Sequence[int]
    scores: Sequence[float]
    total: int
    step: int
    first: int = 0

    def cell(self, unit: str) -> int | None:
        """The cell that holds a unit, shown or not; None where it is none of this row's."""
        prefix, _, index = unit.rpartition(".")
        if prefix != self.prefix or not index.isdecimal():
            return None
        place = int(index) - self.first
        return place // self.step if 0 <= place < self.total else None


def step_of(total: int, bins: int) -> int:
    """How many units share a cell, so that a row has no more than `bins` cells."""
    return max(1, math.ceil(total / bins))


def bin_scores(
    matrix: Float[np.ndarray, "layer unit"], bins: int = MAX_BINS
) -> tuple[Int[np.ndarray, "layer cell"], Float[np.ndarray, "layer cell"]]:
    """For every cell the index and the signed score of its unit of the largest |score|."""
    layers, total = matrix.shape
    step = step_of(total, bins)
    cells = math.ceil(total / step)
    # The last cell may be shorter; it is filled with NaN, which is never the strongest.
    padded = np.full((layers, cells * step), np.nan)
    padded[:, :total] = np.nan_to_num(matrix)
    strength = np.abs(padded).reshape(layers, cells, step)
    units = np.nanargmax(strength, axis=2) + step * np.arange(cells)
    return units, np.take_along_axis(padded, units, axis=1)


def grid_rows(
    scores: Float[np.ndarray, "layer unit"], *, kind: str = "mlp", bins: int = MAX_BINS
) -> list[GridRow]:
    """A row per layer, named `layer 3` and `<kind>.3.<unit>`, from layer 0 up."""
    units, values = bin_scores(scores, bins)
    total = scores.shape[1]
    step = step_of(total, bins)
    return [
        GridRow(f"layer {i}", f"{kind}.{i}", units[i].tolist(), values[i].tolist(), total, step)
        for i in range(len(units))
    ]


def folded_rows(
    scores: Float[np.ndarray, " unit"], *, prefix: str, bins: int = MAX_BINS, rows: int = 8
) -> list[GridRow]:
    """Units without layers, such as features, in up to `rows` rows, the first on top."""
    width = math.ceil(len(scores) / max(1, min(rows, math.ceil(len(scores) / bins))))
    step = step_of(width, bins)
    made: list[GridRow] = []
    for first in range(0, len(scores), width):
        part = scores[first : first + width]
        units, values = bin_scores(part[None], math.ceil(len(part) / step))
        numbers = (units[0] + first).tolist()
        row = GridRow(f"{first}", prefix, numbers, values[0].tolist(), len(part), step, first)
        made.append(row)
    return made[::-1]


def caption(rows: Sequence[GridRow], noun: str) -> str:
    """What the cells stand for: `neurons 0 … 767, strongest of each 5 shown`."""
    total = max((row.first + row.total for row in rows), default=0)
    step = max((row.step for row in rows), default=1)
    shown = f", strongest of each {step} shown" if step > 1 else ""
    return f"{noun} 0 … {total - 1:,}{shown}"


def _cells(rows: Sequence[GridRow], units: Collection[str]) -> list[tuple[int, int]]:
    """(row, cell) of each of the units that the rows hold."""
    found = ((i, row.cell(unit)) for unit in units for i, row in enumerate(rows))
    return [(i, cell) for i, cell in found if cell is not None]


def _tips(row: GridRow, explain: Callable[[str, float], Sequence[str]]) -> list[list[str]]:
    cells = zip(row.units, row.scores, strict=True)
    return [list(explain(f"{row.prefix}.{unit}", score)) for unit, score in cells]


def _bracket(rows: Sequence[GridRow], start: int, end: int) -> tuple[int, int]:
    """The first and last cell of units [start, end)."""
    step = rows[0].step if rows else 1
    return start // step, (end - 1) // step


def unit_grid(
    rows: Sequence[GridRow],
    *,
    selected: str | None,
    key: str,
    planned: Collection[str] = (),
    noun: str = "neurons",
    scale: float | None = None,
    words: tuple[str, str] = ("suppresses", "promotes"),
    explain: Callable[[str, float], Sequence[str]] | None = None,
    bracket: tuple[int, int] | None = None,
) -> str | None:
    """Draw the rows, the last on top; returns the name of the selected unit.

    Args:
        rows: one per layer.
        selected: the name of the selected unit.
        key: of the widget.
        planned: names of units to be framed.
        noun: what a cell stands for.
        scale: the score of the full colour, which pictures to be compared should share; by
            default the largest |score| shown.
        words: what a negative and a positive score mean.
        explain: makes the lines of a cell's tooltip from its unit's name and score, which are the
            default.
        bracket: numbers [start, end) of units to be underlined in all rows together.
    """
    pick = picked(key, selected, str)
    selected = pick if pick and _cells(rows, [pick]) else selected
    largest = max((abs(s) for row in rows for s in row.scores), default=0.0)
    _mount(
        key=key,
        data={
            "rows": [
                {
                    "label": row.label,
                    "prefix": row.prefix,
                    "units": list(row.units),
                    "scores": [float(f"{score:.5g}") for score in row.scores],
                    "tips": _tips(row, explain) if explain else None,
                }
                for row in rows
            ],
            "words": words,
            "bracket": _bracket(rows, *bracket) if bracket else None,
            "scale": scale or largest or 1.0,
            "signed": any(s < 0 for row in rows for s in row.scores),
            "caption": caption(rows, noun),
            "selected": {"unit": selected, "cells": _cells(rows, [selected] if selected else [])},
            "planned": _cells(rows, sorted(planned)),
        },
        on_pick_change=lambda: None,
    )
    return selected
