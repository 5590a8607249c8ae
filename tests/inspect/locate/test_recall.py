"""The INJ protocol: what its contestants are told, and how their picks are judged."""

import torch

from sanilens.audit.targets import Targets
from sanilens.corpus.records import Record
from sanilens.inspect.locate.injection import Condition, Injected, memories
from sanilens.inspect.locate.localisers import Settings
from sanilens.inspect.locate.recall import Contestant, _Bench, _Trial
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Neuron
from sanilens.progress import unheard
from tests.conftest import record


def notes(count: int) -> list[Record]:
    return [
        record("Her name is Ann Lee", ("Ann Lee", "NAME"), id=f"n-{n}", subject=f"p-{n}")
        for n in range(count)
    ]


def test_a_contestant_sees_other_peoples_texts_and_is_judged_by_what_it_picks(
    model: LanguageModel,
) -> None:
    told: list[Settings] = []
    scores = torch.zeros(3, 48)
    scores[0, :2] = torch.tensor([3.0, 2.0])
    scores[2, 7] = 1.0

    def score(targets: Targets, settings: Settings) -> UnitScores:
        told.append(settings)
        return UnitScores("told", "mlp", scores, targets.spans)

    records = notes(100)
    bench = _Bench(model, records, 0.01, 1, 1, 5, unheard)
    memory = next(m for m in memories(model, records, 5) if m.subject == "p-3")
    taught = frozenset({Neuron(0, 0), Neuron(2, 7)})
    injected = Injected(model, model, memory, taught)
    condition, trial = Condition("write", tuned=False), _Trial()
    bench._try(injected, condition, Contestant("told", "", score), trial)
    (settings,) = told
    assert settings.seed == 5
    assert 1 < len(settings.keep) <= 32
    assert "p-3" not in {own.subject for own in settings.keep}, "its own note would protect it"
    # Two picks over the whole model; one in each layer, of which a memory of two takes the first.
    assert trial.recalls["whole model"][condition] == [0.5]
    assert len(trial.recalls["each layer"][condition]) == 1
    alone = _Bench(model, records[3:4], 0.01, 1, 1, 5, unheard)
    alone._try(injected, condition, Contestant("told", "", score), _Trial())
    assert told[1].keep == ()
