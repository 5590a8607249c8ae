"""Features are chosen by what they do, and a choice is exactly what its clamp does."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sanilens.audit.perplexity import perplexity
from sanilens.corpus.records import Record
from sanilens.dictionaries.sae.choose import Choice, Goal, _best_dose, _Search, choose_features
from sanilens.dictionaries.sae.clamp import baked_features
from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.sae.trade_off import (
    baked_outcome,
    clamped_outcome,
    load_trade_off,
    measure_outcome,
    measure_trade_off,
    random_alike,
    save_trade_off,
)
from sanilens.dictionaries.sae.train import SaeSettings, train_sae
from sanilens.errors import ModelError, PlanError
from sanilens.model.align import encode
from sanilens.model.hooks import Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Example, Schedule, train_
from tests.conftest import TEXTS, record

SETTINGS = SaeSettings("blocks.1.hook_resid_post", width=64, k=8, steps=100)


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return [
        record(TEXTS[0], ("4471203", "MRN"), ("12/03/1961", "DATE_OF_BIRTH"), id="r-1"),
        record(TEXTS[1], ("(312) 771-0938", "PHONE"), id="r-2", subject="s-2"),
    ]


@pytest.fixture(scope="module")
def leaking(model: LanguageModel, records: list[Record]) -> LanguageModel:
    """The tiny model, taught the records by heart."""
    copied = model.copied()
    coded = [encode(model, record).ids for record in records]
    examples = [Example(tuple(ids), (True,) * len(ids)) for ids in coded]
    copied.module.requires_grad_(True)
    for _ in train_(copied.module, lambda _: examples, Schedule(1e-2, epochs=60, batch_size=3), 0):
        pass
    copied.module.requires_grad_(False)
    return copied


@pytest.fixture(scope="module")
def sae(
    leaking: LanguageModel, records: list[Record], tmp_path_factory: pytest.TempPathFactory
) -> Sae:
    folder = tmp_path_factory.mktemp("choose") / "sae"
    return train_sae(leaking, records, records, SETTINGS, folder, "tiny")[0]


def test_no_strength_is_the_model_and_strength_is_felt(
    leaking: LanguageModel, records: list[Record], sae: Sae
) -> None:
    search = _Search(leaking, sae, records, records)
    strength = torch.zeros(sae.width, requires_grad=True)
    coded = [encode(leaking, record).ids for record in records]
    bare = perplexity(leaking, records).nats
    assert float(search.nats(coded, strength)) == pytest.approx(bare, abs=1e-4)
    assert float(search.share_extracted(search.spans[0], strength)) > 0.5
    (slope,) = torch.autograd.grad(search.nats(coded, strength), [strength])
    feature, step = int(slope.abs().argmax()), 1e-3
    moved = torch.zeros(sae.width)
    moved[feature] = step
    numerical = (float(search.nats(coded, moved)) - bare) / step
    assert numerical == pytest.approx(float(slope[feature]), rel=0.1)


def test_the_choice_is_what_its_clamp_does(
    leaking: LanguageModel, records: list[Record], sae: Sae
) -> None:
    other = [record("Home soon, 3 weeks of cough, seen on the ward with the others.")]
    before = measure_outcome(leaking, Hooks(), records, other)
    assert before.direct >= 3
    goal = Goal(left=0.5, rise=1.0, most=6, steps=20, learning_rate=0.1)
    said: list[int] = []
    choice = choose_features(
        leaking, sae, records, other, goal, progress=lambda done, *_: said.append(done)
    )
    assert 0 < len(choice.values) <= 6
    assert said[0] == 1
    assert said[-1] == 20
    now = clamped_outcome(leaking, sae, choice.values, records, other)
    assert (now.direct, before.direct) == (choice.extracted, choice.before)
    assert now.perplexity / before.perplexity - 1 == pytest.approx(choice.rise, abs=1e-3)
    assert choice.extracted < choice.before
    assert choice.rise <= goal.rise


def outcomes(said_at: dict[float, int], dear: float):
    """100 spans; from dose to dose fewer are left, and from `dear` on the cost is too high."""

    def dosed(dose: float) -> Choice:
        said = [left for at, left in said_at.items() if dose >= at]
        return Choice({0: -dose}, min(said, default=100), 100, 0.04 * dose / dear)

    return dosed


def test_the_least_dose_that_reaches_the_goal() -> None:
    goal = Goal(left=0.5, rise=0.05)
    found = _best_dose(outcomes({0.5: 80, 1.3: 45, 3.0: 10}, dear=4), goal)
    assert found.extracted == 45
    assert 1.3 <= -found.values[0] < 1.5


def test_else_the_most_that_is_allowed() -> None:
    goal = Goal(left=0.5, rise=0.04)
    found = _best_dose(outcomes({0.5: 80, 1.2: 70, 3.0: 10}, dear=1.4), goal)
    assert found.extracted == 70
    assert found.rise <= 0.04
    nothing = _best_dose(outcomes({0.5: 80}, dear=0.01), goal)
    assert (nothing.values, nothing.extracted, nothing.rise) == ({}, 100, 0.0)


def test_nothing_said_is_refused(
    model: LanguageModel, records: list[Record], tmp_path: Path
) -> None:
    sae = train_sae(model, records, records, SETTINGS, tmp_path / "sae", "tiny")[0]
    assert measure_outcome(model, Hooks(), records, records).direct == 0
    with pytest.raises(PlanError, match="says none"):
        choose_features(model, sae, records, records)


def test_random_ones_fire_as_often_and_are_others() -> None:
    rates = np.linspace(0, 1, 200)
    values = {20: 0.0, 21: -0.3, 150: -1.0}
    drawn = [random_alike(rates, values, seed) for seed in range(5)]
    for each in drawn:
        assert not each.keys() & values.keys()
        assert list(each.values()) == list(values.values())
        for other, feature in zip(each, values, strict=True):
            assert abs(rates[other] - rates[feature]) < 0.07
    assert drawn[0] == random_alike(rates, values, 0)
    assert len({tuple(each) for each in drawn}) > 1


def test_the_bake_is_measured_as_the_bake(
    leaking: LanguageModel, records: list[Record], sae: Sae
) -> None:
    made = baked_outcome(leaking, sae, [3, 11], records, records)
    hooks = baked_features(leaking, sae, [3, 11])
    assert made.perplexity == pytest.approx(perplexity(leaking, records, hooks=hooks).value)
    assert made.perplexity != pytest.approx(perplexity(leaking, records).value)


def test_a_trade_off_is_measured_and_comes_back_from_disk(
    leaking: LanguageModel, records: list[Record], sae: Sae
) -> None:
    values = {3: 0.0, 11: -0.3, 7: -1.0, 30: 0.0}
    found = measure_trade_off(leaking, sae, values, records, records, draws=3)
    assert found.before == measure_outcome(leaking, Hooks(), records, records)
    assert list(found.curve) == [1, 2, 3, 4]
    assert found.curve[2] == clamped_outcome(leaking, sae, {3: 0.0, 11: -0.3}, records, records)
    assert found.after == found.curve[4]
    assert found.zeroed == clamped_outcome(
        leaking, sae, dict.fromkeys(values, 0.0), records, records
    )
    assert len(found.chance.draws) == 3
    assert found.chance.low <= found.chance.direct <= found.chance.high
    assert found.reaches(found.left, found.rise)
    assert not found.reaches(found.left - 0.01, found.rise)
    assert load_trade_off(sae.path) is None
    save_trade_off(found, sae.path)
    assert load_trade_off(sae.path) == found
    (sae.path / "clamp.json").write_text("{}")
    with pytest.raises(ModelError, match="before"):
        load_trade_off(sae.path)
