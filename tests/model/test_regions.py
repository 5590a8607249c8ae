"""What units own of linear maps, and the least harmful change within it."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers.pytorch_utils import Conv1D

from research.zoo import CAUSAL
from sanilens.errors import PlanError
from sanilens.model.curvature import Factors
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.linear_maps import add_, has_bias, linear_paths, shape_of
from sanilens.model.parameters import Slice, row_parameters, unit_parameters
from sanilens.model.regions import Region, unit_regions
from sanilens.model.units import Head, LayerUnit, Neuron, ProjectionRow
from tests.conftest import fast_first
from tests.operations import load_case

SHAPES = fast_first(list(CAUSAL), ("gpt2", "llama", "gemma2", "falcon", "gpt_bigcode"))


@pytest.fixture
def shape(request: pytest.FixtureRequest, tmp_path: Path) -> LanguageModel:
    return load_case(request.param, tmp_path).model


def units(model: LanguageModel) -> list[LayerUnit | ProjectionRow]:
    """Of two layers some neurons and rows, and the heads that the model can tell apart."""
    last = model.sites.linears[1][-1]
    found: list[LayerUnit | ProjectionRow] = [
        ProjectionRow(1, last.part, 2),
        ProjectionRow(1, last.part, 0),
    ]
    if "neuron-weights" not in model.sites.limits:
        found += [Neuron(0, 3), Neuron(0, 17), Neuron(1, 0)]
    if "head-weights" not in model.sites.limits:
        found += [Head(0, 1), *(Head(1, head) for head in range(model.sites.n_heads))]
    return found


def slices(model: LanguageModel, units: Sequence[LayerUnit | ProjectionRow]) -> list[Slice]:
    """What a reset of the same units would replace."""
    found: list[Slice] = []
    for layer in range(model.sites.n_layers):
        own = [u for u in units if u.layer == layer]
        if neurons := [u.index for u in own if isinstance(u, Neuron)]:
            found += unit_parameters(model, "mlp", layer, neurons)
        if heads := [u.index for u in own if isinstance(u, Head)]:
            found += unit_parameters(model, "head", layer, heads)
        for row in own:
            if isinstance(row, ProjectionRow):
                found += row_parameters(model, layer, row.part, [row.index])
    return found


def owned(model: LanguageModel, units: Sequence[LayerUnit | ProjectionRow]) -> dict[int, Tensor]:
    """By parameter, where it is the units' own."""
    masks: dict[int, Tensor] = {}
    for own in slices(model, units):
        mask = masks.setdefault(id(own.parameter), torch.zeros(own.parameter.shape).bool())
        mask.index_fill_(own.dim, own.indices, True)
    return masks


def entries(model: LanguageModel, path: str, masks: dict[int, Tensor]) -> Tensor:
    """The same for a map's matrix, rows first, with the bias as last column."""
    module = model.module.get_submodule(path)
    weight = module.get_parameter("weight")
    mask = masks.get(id(weight), torch.zeros(weight.shape).bool())
    mask = mask.T if isinstance(module, Conv1D) else mask
    if has_bias(module):
        bias = module.get_parameter("bias")
        mask = torch.cat([mask, masks.get(id(bias), torch.zeros(bias.shape).bool())[:, None]], 1)
    return mask


def covered(region: Region | None, like: Tensor) -> Tensor:
    mask = torch.zeros_like(like)
    if region is not None:
        assert region.rows is not None or region.columns is not None, "all of a map is a unit's"
        if region.rows is not None:
            mask[region.rows] = True
        if region.columns is not None:
            mask[:, region.columns] = True
    return mask


def factors(model: LanguageModel, path: str) -> Factors:
    rows, columns = shape_of(model.module.get_submodule(path))
    generator = torch.Generator().manual_seed(rows + columns)
    a = torch.randn(2 * columns, columns, generator=generator)
    g = torch.randn(2 * rows, rows, generator=generator)
    return Factors(a.T @ a / len(a), g.T @ g / len(g))


@pytest.mark.parametrize("shape", SHAPES, indirect=True)
def test_units_own_what_a_reset_of_them_replaces(shape: LanguageModel) -> None:
    own = units(shape)
    regions, masks = unit_regions(shape, own), owned(shape, own)
    assert regions.keys() <= {*linear_paths(shape)}
    for path in linear_paths(shape):
        expected = entries(shape, path, masks)
        assert torch.equal(covered(regions.get(path), expected), expected), path


@pytest.mark.parametrize("shape", SHAPES, indirect=True)
def test_rewriting_them_leaves_every_other_weight_bit_for_bit(shape: LanguageModel) -> None:
    own, copied = units(shape), shape.copied()
    masks = owned(copied, own)
    for path, region in unit_regions(copied, own).items():
        module = copied.module.get_submodule(path)
        generator = torch.Generator().manual_seed(5)
        gradient = torch.randn(*shape_of(module), generator=generator)
        add_(module, -0.1 * region.step(factors(copied, path), gradient, 1e-3))
    changed = False
    pairs = zip(copied.module.named_parameters(), shape.module.parameters(), strict=True)
    for (name, mine), before in pairs:
        mask = masks.get(id(mine), torch.zeros(mine.shape).bool())
        assert torch.equal(mine[~mask].view(torch.int32), before[~mask].view(torch.int32)), name
        changed |= bool((mine[mask] != before[mask]).any())
    assert changed


def test_a_head_that_shares_its_keys_is_rewritten_without_them(
    tiny_folders: dict[str, Path],
) -> None:
    """Llama's four heads here share two keys and values: one of a pair owns its queries alone."""
    model = load_model(tiny_folders["llama"], device="cpu")
    alone, both = unit_regions(model, [Head(0, 0)]), unit_regions(model, [Head(0, 0), Head(0, 1)])
    assert {path.rpartition(".")[2] for path in alone} == {"q_proj", "o_proj"}
    assert {path.rpartition(".")[2] for path in both} == {"q_proj", "k_proj", "v_proj", "o_proj"}


def test_a_shape_that_cannot_tell_is_refused(tmp_path: Path) -> None:
    youtu = load_case("youtu", tmp_path).model
    with pytest.raises(PlanError, match="head"):
        unit_regions(youtu, [Head(0, 0)])


def test_everything_is_the_region_of_no_units() -> None:
    own = Factors(torch.eye(4), torch.eye(3))
    gradient = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(Region().step(own, gradient, 1e-4), own.solve(gradient, 1e-4))


@pytest.mark.parametrize(
    "region",
    [
        Region(),
        Region(rows=torch.tensor([0, 4])),
        Region(columns=torch.tensor([1, 2, 6])),
    ],
    ids=["all", "rows", "columns"],
)
def test_no_other_change_within_it_gains_as_much_for_less_harm(region: Region) -> None:
    """Harm is tr(G D A D^T) / 2 with the damping in it, gain <D, gradient>."""
    generator = torch.Generator().manual_seed(0)
    a, g = torch.randn(30, 8, generator=generator), torch.randn(30, 6, generator=generator)
    own = Factors(a.T @ a / 30, g.T @ g / 30)
    gradient = torch.randn(6, 8, generator=generator)
    damping = 1e-3
    of_a, of_g = own.dampings(damping)

    def harm(change: Tensor) -> float:
        outputs, inputs = own.outputs + of_g * torch.eye(6), own.inputs + of_a * torch.eye(8)
        return float((outputs @ change @ inputs * change).sum()) / 2

    best = region.step(own, gradient, damping)
    gained = float((best * gradient).sum())
    within = torch.ones(6, 8).bool()
    if region.rows is not None or region.columns is not None:
        within = covered(region, within)
    assert not best[~within].any()
    assert harm(best) == pytest.approx(gained / 2, rel=1e-3)
    masked = own.solve(gradient, damping) * within  # solved everywhere and cut off
    others = [torch.randn(6, 8, generator=generator) * within for _ in range(200)]
    others += [best + 0.1 * other for other in others]
    for other in [masked, gradient * within, *others]:
        gain = float((other * gradient).sum())
        assert harm(other * (gained / gain)) >= harm(best) * (1 - 1e-5)
