"""Knowledge kept: the equation, what it is held against, and where it refuses."""

import math
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from sanilens.audit.measurement import Measurement, measure
from sanilens.audit.metrics.knowledge import KNOWLEDGE_KEPT, knowledge_kept
from sanilens.audit.metrics.metric import Exam, Held
from sanilens.corpus.records import Record
from sanilens.model.language_model import LanguageModel, load_model
from tests.conftest import save_tiny


def nats(model: LanguageModel, records: list[Record]) -> float:
    """Log perplexity, token by token."""
    total, tokens = 0.0, 0
    for each in records:
        ids = torch.tensor([model.tokenizer(each.text)["input_ids"]])
        with torch.no_grad():
            logits = model.module(input_ids=ids).logits[0, :-1]
        total += float(cross_entropy(logits, ids[0, 1:], reduction="sum"))
        tokens += ids.shape[1] - 1
    return total / tokens


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """A model that writes the same texts otherwise."""
    folder = tmp_path_factory.mktemp("other")
    return load_model(save_tiny(folder / "model", "gpt_neox", seed=5), device="cpu")


def tamed(model: LanguageModel, by: float) -> LanguageModel:
    """The model with flatter predictions: a random one is the better, the less it claims."""
    copy = model.copied()
    with torch.no_grad():
        copy.module.get_parameter(f"{copy.sites.unembed}.weight").mul_(by)
    return copy


def test_it_is_the_share_of_what_was_taught(
    model: LanguageModel, other: LanguageModel, records: list[Record]
) -> None:
    base, reference, before = model, tamed(other, 0.1), tamed(other, 0.2)
    on_trial = tamed(other, 0.3)
    values = [nats(m, records) for m in (base, reference, before, on_trial)]
    assert values[0] > values[3] > values[1]  # or the shares below say nothing

    def kept(
        before: LanguageModel | None,
        base: LanguageModel | None = None,
        reference: LanguageModel | None = None,
    ) -> Held | None:
        return measure(on_trial, Exam(records, records, (), before, base, reference)).knowledge_kept

    whole = kept(before, base, reference)
    assert whole is not None
    assert whole.against == "reference"
    assert whole.value == pytest.approx((values[0] - values[3]) / (values[0] - values[1]), rel=1e-4)
    alone = kept(before, base)
    assert alone is not None
    assert alone.against == "leaking"
    assert alone.value == pytest.approx((values[0] - values[3]) / (values[0] - values[2]), rel=1e-4)
    for given in (reference, None):
        without_base = kept(before, None, given)
        assert without_base is not None
        assert without_base.against == "leaking, without a base"
        assert without_base.value == pytest.approx(math.exp(values[2] - values[3]), rel=1e-4)
    assert kept(None, None, reference) is None
    assert measure(on_trial, Exam(records, before=before)).knowledge_kept is None  # nothing unseen


def test_the_ends_of_the_scale(model: LanguageModel, records: list[Record]) -> None:
    reference = tamed(model, 0.1)
    exam = Exam(records, unseen=records, base=model, reference=reference)
    for examined, share in ((model, 0.0), (reference, 1.0)):
        found = measure(examined, exam).knowledge_kept
        assert found is not None
        assert found.value == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("taught", [-0.4, 0.0, 0.09])
def test_where_nothing_was_taught_there_is_no_share(taught: float) -> None:
    for against in ("reference", "before"):
        others = {"reference": None, "before": None, against: 2.0 - taught}
        found = knowledge_kept(1.5, base=2.0, **others)
        assert found is not None
        assert found.value is None
        assert KNOWLEDGE_KEPT.words(found) == "–"


def test_a_model_that_was_ruined_is_below_the_base_and_no_figure_overflows() -> None:
    found = knowledge_kept(800.0, base=6.0, reference=2.0, before=None)
    assert found is not None
    assert found.value == pytest.approx(-198.5)
    better = knowledge_kept(1.0, base=None, reference=None, before=5000.0)
    assert better is not None
    assert math.isfinite(better.value or math.nan)


def test_texts_without_a_token_measure_nothing(model: LanguageModel) -> None:
    empty = [Record("r-1", "s-1", "")]
    assert measure(model, Exam([], unseen=empty, before=model)).metrics["knowledge_kept"] is None


def test_a_file_keeps_what_it_was_held_against(tmp_path: Path) -> None:
    held = Held(value=-0.25, against="leaking")
    found = Measurement(metrics={"knowledge_kept": held})
    again = Measurement.model_validate_json(found.model_dump_json())
    assert again.knowledge_kept == held
    assert again.figure("knowledge_kept") == -0.25
    old = Measurement.model_validate({"perplexity_unseen": 2.0})
    assert old.knowledge_kept is None
    for wrong in ({"value": "NaN", "against": "leaking"}, {"value": 1.0, "against": "itself"}):
        with pytest.raises(ValueError, match="knowledge_kept"):
            Measurement.model_validate({"knowledge_kept": wrong})
