"""Doses grow from nothing to the plan; their control is as many other units, drawn once."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.site import parse_site
from sanilens.model.language_model import LanguageModel
from sanilens.unlearn.controls import dose_grid, random_edits
from sanilens.unlearn.plan import UnitEdit

EDITS = (
    *(UnitEdit(unit=f"mlp.1.{i}", operation="zero") for i in range(20)),
    UnitEdit(unit="mlp.0.3", operation="cap", value=0.5),
    UnitEdit(unit="head.2.1", operation="reset"),
    UnitEdit(unit="sae.a.7", operation="clamp", value=-2.0),
)
MODULE: Any = SimpleNamespace(cfg=SimpleNamespace(d_sae=16))
SAES = {"a": Sae("a", parse_site("blocks.1.hook_resid_post"), MODULE, Path(), "")}


@pytest.mark.parametrize("units", [0, 1, 3, 9, 50, 1382, 1_000_000])
def test_the_grid_is_denser_at_small_doses(units: int) -> None:
    grid = dose_grid(units)
    assert grid[0] == 0
    assert grid[-1] == units
    assert len(grid) <= 9
    steps = [b - a for a, b in pairwise(grid)]
    assert all(step > 0 for step in steps)
    assert units < 50 or (len(grid) == 9 and steps == sorted(steps))


def test_the_control_has_the_same_operations_at_other_places(model: LanguageModel) -> None:
    drawn = random_edits(model.sites, EDITS, 0, SAES)
    assert [(e.operation, e.value) for e in drawn] == [(e.operation, e.value) for e in EDITS]

    def places(edits: tuple[UnitEdit, ...]) -> Counter[str]:
        return Counter(edit.unit.rpartition(".")[0] for edit in edits)

    assert places(drawn) == places(EDITS)
    assert len({edit.unit for edit in drawn}) == len(drawn)
    widths = {"mlp": model.sites.d_mlp, "head": model.sites.n_heads, "sae": 16}
    for edit in drawn:
        kind, _, index = edit.unit.split(".")
        assert 0 <= int(index) < widths[kind]
    assert not {edit.unit for edit in drawn} & {edit.unit for edit in EDITS}


def test_the_first_of_the_control_stand_for_the_first_edits(model: LanguageModel) -> None:
    """A dose of k units is held against the first k: as many at the same places."""
    drawn = random_edits(model.sites, EDITS, 5, SAES)
    assert random_edits(model.sites, EDITS, 5, SAES) == drawn
    assert random_edits(model.sites, EDITS, 6, SAES) != drawn
    places = [edit.unit.rpartition(".")[0] for edit in EDITS]
    assert [edit.unit.rpartition(".")[0] for edit in drawn] == places


def test_a_layer_with_too_few_left_gives_what_it_has(model: LanguageModel) -> None:
    most = model.sites.d_mlp - 5
    edits = tuple(UnitEdit(unit=f"mlp.1.{i}", operation="zero") for i in range(most))
    drawn = {edit.unit for edit in random_edits(model.sites, edits, 0)}
    assert drawn == {f"mlp.1.{i}" for i in range(most, model.sites.d_mlp)}
