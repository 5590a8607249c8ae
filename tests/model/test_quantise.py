"""Four bits: 16 levels, each weight at the nearest one, embeddings untouched."""

import torch

from sanilens.model.language_model import LanguageModel
from sanilens.model.quantise import four_bits, normal_levels, quantised


def test_levels_are_those_of_normal_float() -> None:
    levels = normal_levels()
    assert len(levels) == 16
    assert levels[0] == -1
    assert levels[-1] == 1
    assert levels[7] == 0
    # The second and the last but one of the published table.
    assert torch.allclose(levels[[1, 14]], torch.tensor([-0.6961928, 0.7229568]), atol=1e-6)


def test_each_weight_takes_the_nearest_level_of_its_block() -> None:
    weights = torch.randn(5, 40, generator=torch.manual_seed(0))
    found = four_bits(weights).reshape(-1)
    for block, own in zip(weights.reshape(-1).split(64), found.split(64), strict=True):
        allowed = normal_levels() * block.abs().max()
        nearest = allowed[(block[:, None] - allowed).abs().argmin(1)]
        assert torch.allclose(own, nearest)
    assert torch.equal(four_bits(torch.zeros(3, 3)), torch.zeros(3, 3))


def test_only_linear_maps_change(any_model: LanguageModel) -> None:
    before = dict(any_model.module.named_parameters())
    changed = {
        name
        for name, p in quantised(any_model).module.named_parameters()
        if not torch.equal(p, before[name])
    }
    assert changed
    assert not any(word in name for name in changed for word in ("embed", "norm", "bias", "wte"))
    assert all(before[name].dim() == 2 for name in changed)
