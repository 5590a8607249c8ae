"""The formulas of what rewriting costs are those of the models that are measured."""

from pathlib import Path

import pytest

from research import cost
from research.cost import Shape, bench_cost, measure
from sanilens.model.curvature import needed_bytes

TINY = Shape("tiny", 2, 32, 48, 4, 2048)


def test_the_formulas_count_what_is_there(tmp_path: Path) -> None:
    model = cost._random_model(TINY, tmp_path)
    norms = (2 * TINY.layers + 1) * TINY.width
    assert TINY.parameters == sum(own.numel() for own in model.module.parameters()) - norms
    assert TINY.factor_bytes == needed_bytes(model)


def test_twice_the_width_solves_eight_times_as_long() -> None:
    wide = Shape("wide", 2, 64, 96, 4, 2048)
    assert wide.solve_operations == pytest.approx(8 * TINY.solve_operations)
    deep = Shape("deep", 4, 32, 48, 4, 2048)
    assert deep.solve_operations == pytest.approx(2 * TINY.solve_operations)
    assert deep.factor_bytes == 2 * TINY.factor_bytes


def test_every_part_is_measured() -> None:
    found = measure(TINY)
    assert found["tokens"] > 100
    assert all(found[part] > 0 for part in ("curvature", "gradients", "solve", "harm"))
    assert found["peak"] > TINY.factor_bytes


@pytest.mark.slow
def test_the_largest_measured_is_foretold_exactly() -> None:
    found = bench_cost([TINY], [Shape("larger", 4, 64, 96, 4, 2048)], lambda _: None)
    own, larger = found.rows
    assert own.foretold_curvature == pytest.approx(own.curvature)
    assert own.foretold_solve == pytest.approx(own.solve)
    assert (larger.curvature, larger.peak) == (None, None)
    assert larger.foretold_solve == pytest.approx(16 * own.foretold_solve)
