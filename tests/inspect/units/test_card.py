"""A card's figures, each against a plain computation."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sanilens.audit.extraction import audit_spans
from sanilens.audit.measurement import measure_both
from sanilens.audit.metrics.metric import Exam
from sanilens.corpus.records import Record
from sanilens.dictionaries.reading import feature_activations, site_values
from sanilens.dictionaries.sae.load import load_sae
from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.sae.train import SaeSettings, train_sae
from sanilens.errors import PlanError
from sanilens.inspect.units import sample as sample_module
from sanilens.inspect.units.ablation import top_effects, without
from sanilens.inspect.units.activations import activations
from sanilens.inspect.units.card import auroc, strongest_labels, unit_card
from sanilens.inspect.units.direct_logits import direct_effect, written
from sanilens.inspect.units.sample import every_unit, take_sample
from sanilens.model.language_model import LanguageModel
from sanilens.model.parameters import write_weights
from sanilens.model.units import Feature, Head, Neuron, Unit, kind_of

SAE = SaeSettings("blocks.1.hook_resid_post", width=64, k=8, steps=60)
UNIT = Neuron(1, 7)
HEAD = Head(2, 1)


def entering(model: LanguageModel, path: str, ids: tuple[int, ...]) -> torch.Tensor:
    """What enters a module when one record is read."""
    seen: list[torch.Tensor] = []
    module = model.module.get_submodule(path)
    handle = module.register_forward_pre_hook(lambda _m, args: seen.append(args[0]))
    with torch.inference_mode():
        model.module(torch.tensor([ids]))
    handle.remove()
    return seen[0][0]


def behind(model: LanguageModel, part: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """What Gemma 2's norm behind the attention of layer 2 makes of a part of what it reads.

    Its scale is that of the whole, which attention writes when `z` enters its projection.
    """
    if model.path.name != "gemma2":
        return part
    whole = model.module.get_submodule(model.sites.attentions[2].out)(z)
    gain = 1 + model.module.get_parameter("model.layers.2.post_attention_layernorm.weight")
    return gain * part / (whole.square().mean(-1, keepdim=True) + 1e-6).sqrt()


def test_activations_equal_a_hook_on_each_record(
    any_model: LanguageModel, records: list[Record]
) -> None:
    sites, size = any_model.sites, any_model.sites.d_head
    found = activations(any_model, records, [HEAD, UNIT, Neuron(0, 3)])
    for number, encoded in enumerate(found.encoded):
        own = found.record == number
        neurons = entering(any_model, sites.mlps[1].out, encoded.ids)
        assert np.allclose(found.of(UNIT)[own], neurons[:, 7], atol=1e-4)
        # A head's write: everything else that enters the projection is zero, its bias taken off.
        z = entering(any_model, sites.attentions[2].out, encoded.ids)
        alone = torch.zeros_like(z)
        alone[:, size : 2 * size] = z[:, size : 2 * size]
        project = any_model.module.get_submodule(sites.attentions[2].out)
        write = behind(any_model, project(alone) - project(torch.zeros_like(z)), z)
        assert np.allclose(found.of(HEAD)[own], write.norm(dim=-1), rtol=1e-3, atol=1e-4)


def test_units_that_are_not_there_are_refused(model: LanguageModel, records: list[Record]) -> None:
    for unit in (Neuron(0, 48), Head(3, 0), Feature("x", 1)):
        with pytest.raises(PlanError):
            activations(model, records, [unit])


def test_auroc() -> None:
    values = np.array([0.1, 0.4, 0.4, 0.9])
    assert auroc(values, np.array([False, False, True, True])) == pytest.approx(0.875)
    assert auroc(values, np.array([True] * 4)) == 0.5


@pytest.mark.parametrize("unit", [UNIT, HEAD], ids=str)
def test_a_card_agrees_with_its_activations(
    model: LanguageModel, records: list[Record], unit: Unit
) -> None:
    card = unit_card(model, records, unit)
    found = activations(model, records, [unit])
    counted = found.position > 0
    values, sensitive = found.of(unit)[counted], found.sensitive[counted]
    threshold = 0.0 if unit is UNIT else values.max() / 2
    fires = values > threshold
    assert card.tokens == len(values) == sum(len(e.ids) - 1 for e in found.encoded)
    assert card.firing == pytest.approx(fires.mean())
    assert card.recall == pytest.approx(fires[sensitive].mean())
    mass = values * fires
    assert card.precision == pytest.approx(mass[sensitive].sum() / mass.sum(), rel=1e-5)
    assert sum(card.density[1]) == pytest.approx(1)
    assert sum(card.density[2]) == pytest.approx(1)
    assert sum(share.mass for share in card.labels) == pytest.approx(1)
    assert {share.name for share in card.subjects} == {r.subject for r in records}
    mrn = next(share for share in card.labels if share.name == "MRN")
    assert mrn.firing == pytest.approx(fires[found.labels[counted] == "MRN"].mean())


@pytest.mark.parametrize("unit", [UNIT, HEAD], ids=str)
def test_examples_are_places_of_that_activation(
    model: LanguageModel, records: list[Record], unit: Unit
) -> None:
    card = unit_card(model, records, unit)
    found = activations(model, records, [unit])
    by_name = {e.record.id: found.of(unit)[found.record == i] for i, e in enumerate(found.encoded)}
    strongest = [c.activation for c in card.contexts]
    assert strongest == sorted((v[1:].max() for v in by_name.values()), reverse=True)
    assert sum(part.share for part in card.intervals) == pytest.approx(card.firing)
    for part in card.intervals:
        assert all(part.low < c.activation <= part.high for c in part.contexts)
    examples = [c for part in card.intervals for c in part.contexts]
    for context in (*card.contexts, *examples):
        values = by_name[context.record]
        assert values[context.position] == pytest.approx(context.activation)
        here = slice(context.first, context.first + len(context.around))
        assert context.first <= context.position < here.stop
        np.testing.assert_allclose(values[here], context.around)


def test_promoted_tokens_are_those_of_the_output_column(any_model: LanguageModel) -> None:
    promoted, suppressed = direct_effect(any_model, UNIT, (), count=3)
    assert promoted[0][1] >= promoted[-1][1] > suppressed[-1][1] >= suppressed[0][1]


def test_a_head_says_its_mean_write(any_model: LanguageModel, records: list[Record]) -> None:
    found = activations(any_model, records, [HEAD])
    places = [(encoded, 3 + i) for i, encoded in enumerate(found.encoded)]
    size, path = any_model.sites.d_head, any_model.sites.attentions[2].out
    weights = write_weights(any_model, "head", 2)[size : 2 * size]
    entered = [entering(any_model, path, e.ids)[at] for e, at in places]
    writes = [behind(any_model, z[size : 2 * size] @ weights, z) for z in entered]
    expected = torch.stack(writes).mean(0)
    torch.testing.assert_close(written(any_model, HEAD, places), expected, rtol=1e-3, atol=1e-3)


def test_means_and_quantiles_leave_sensitive_tokens_out(
    model: LanguageModel, records: list[Record]
) -> None:
    found = activations(model, records, [UNIT])
    neutral = found.of(UNIT)[~found.sensitive]
    assert found.means()[UNIT] == pytest.approx(float(neutral.mean()))
    assert found.quantiles(0.9)[UNIT] == pytest.approx(float(np.quantile(neutral, 0.9)))


def test_labels_of_the_strongest_tokens(model: LanguageModel, records: list[Record]) -> None:
    found = activations(model, records, [UNIT])
    best = np.argmax(np.where(found.counted, found.of(UNIT), -np.inf))
    named = strongest_labels(found, UNIT)  # fewer than 200 tokens: the strongest one
    assert named == (((found.labels[best], 1.0),) if found.sensitive[best] else ())


@pytest.mark.parametrize("fits", [True, False])
def test_the_sample_tells_the_same_kept_or_read_again(
    model: LanguageModel, records: list[Record], fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not fits:
        monkeypatch.setattr(sample_module, "_MOST_VALUES", 1)
    sample = take_sample(model, records)
    assert bool(sample.kept) == fits
    for unit in (UNIT, HEAD):
        assert sample.card(unit) == unit_card(model, records, unit)
        units = sample.peers(unit)
        assert units == every_unit(model, kind_of(unit))
        found = activations(model, records, units)
        values = found.values[found.counted]
        table = sample.table(units)
        threshold = values.max(0) / 2 if unit is HEAD else 0
        np.testing.assert_allclose(table.firing, (values > threshold).mean(0))
        np.testing.assert_allclose(table.mean, values.mean(0), atol=1e-4)
        r = np.corrcoef(values.T)[units.index(unit)]
        best = sample.correlated(unit, table, count=3)
        assert unit not in [other for other, _ in best]
        for other, value in best:
            assert value == pytest.approx(r[units.index(other)], abs=1e-4)
        r[units.index(unit)] = 0
        assert abs(best[0][1]) == pytest.approx(np.abs(r).max(), abs=1e-4)


@pytest.fixture(scope="module")
def sae_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sae")


@pytest.fixture
def sae(model: LanguageModel, records: list[Record], sae_folder: Path) -> Sae:
    folder = sae_folder / "tiny"
    if folder.exists():
        return load_sae(folder, model)
    return train_sae(model, records, records, SAE, folder, "tiny")[0]


def strongest_feature(model: LanguageModel, records: list[Record], sae: Sae) -> Feature:
    units = [Feature("tiny", i) for i in range(sae.width)]
    found = activations(model, records, units, {"tiny": sae})
    return units[int(found.values[found.counted].sum(0).argmax())]


def test_a_feature_is_read_through_its_autoencoder(
    model: LanguageModel, records: list[Record], sae: Sae
) -> None:
    features = [Feature("tiny", 9), Feature("tiny", 3)]
    found = activations(model, records, [UNIT, *features], {"tiny": sae})
    for number, encoded in enumerate(found.encoded):
        x = site_values(model, sae.site, torch.tensor([encoded.ids]))[0]
        own = found.record == number
        expected = feature_activations(sae, x, [9, 3]).numpy()
        np.testing.assert_allclose(found.values[own][:, 1:], expected, atol=1e-4)
    for wrong in (Feature("tiny", 64), Feature("other", 1)):
        with pytest.raises(PlanError):
            activations(model, records, [wrong], {"tiny": sae})


def test_the_card_of_a_feature(model: LanguageModel, records: list[Record], sae: Sae) -> None:
    saes = {"tiny": sae}
    unit = strongest_feature(model, records, sae)
    card = unit_card(model, records, unit, saes)
    assert card.threshold == 0 < card.firing
    unembed = model.module.get_submodule(model.sites.unembed).get_parameter("weight").detach()
    effect = unembed @ sae.directions([unit.index])[0]
    best = float((effect - effect.mean()).max())
    assert card.promoted[0][1] == pytest.approx(best, abs=1e-4)
    sample = take_sample(model, records).with_sae(sae)
    assert sample.card(unit) == card
    table = sample.table(sample.peers(unit))
    assert table.firing[unit.index] == pytest.approx(card.firing)
    found = activations(model, records, sample.peers(unit), saes)
    with np.errstate(invalid="ignore"):
        r = np.nan_to_num(np.corrcoef(found.values[found.counted].T))[unit.index]
    r[unit.index] = 0
    best_r = sample.correlated(unit, table, count=1)[0][1]
    assert abs(best_r) == pytest.approx(np.abs(r).max(), abs=1e-3)


def test_what_goes_with_a_feature_is_measured_exactly(
    model: LanguageModel, records: list[Record], sae: Sae
) -> None:
    """Many features in one batch, each row without another one: as each of them alone."""
    saes = {"tiny": sae}
    unit = strongest_feature(model, records, sae)
    span = records[0].span_id(records[0].spans[0])
    units = [unit, Feature("tiny", (unit.index + 1) % 64)]
    found = top_effects(model, records[0], span, units, saes)
    before = {v.span_id: v.logprob for v in audit_spans(model, records[:1])}[span]
    for each, change in zip(units, found.units, strict=True):
        hooks = without(model, [each], saes)
        after = {v.span_id: v.logprob for v in audit_spans(model, records[:1], hooks=hooks)}
        assert change == pytest.approx(after[span] - before, abs=1e-3)
    assert abs(found.units[0]) > 1e-3
    assert len(found.random) == 2
    gone = measure_both(model, Exam(records, unseen=records), without(model, [unit], saes))
    assert gone.perplexities[0] != gone.perplexities[1]
