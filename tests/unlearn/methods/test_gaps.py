"""Masked language models: what is taught stands in gaps, and nothing sensitive ever does."""

import numpy as np
import pytest
import torch

from sanilens.corpus.records import Record
from sanilens.errors import ModelError
from sanilens.model.align import encode
from sanilens.model.batches import body, mask_id
from sanilens.model.examples import note_examples
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Example
from sanilens.unlearn.methods import METHODS
from sanilens.unlearn.methods.examples import gap_loss, gapped
from sanilens.unlearn.plan import Repair
from sanilens.unlearn.repair import prepare_repair
from tests.conftest import TEXTS


def sensitive_of(model: LanguageModel, record: Record) -> set[int]:
    return {i for s in encode(model, record).spans for i in range(s.start, s.end)}


def test_no_sensitive_token_is_ever_selected(
    any_masked_subject: LanguageModel, records: list[Record]
) -> None:
    """Fifty epochs, every gap: what is shown in a span's place is the span."""
    prepared = prepare_repair(any_masked_subject, records, Repair(method="masked"), seed=3)
    selected = set()
    for epoch in range(50):
        for record, example in zip(records, prepared.examples(epoch), strict=True):
            hidden = sensitive_of(any_masked_subject, record)
            for i, (true, shown) in enumerate(zip(example.ids, example.shown, strict=True)):
                if i in hidden or true != shown:
                    assert (i in hidden) != example.taught[i]
                    assert (true == shown) == (i in hidden)
                if example.taught[i]:
                    selected.add((record.id, i))
    open_to = sum(
        len(set(body(any_masked_subject, encode(any_masked_subject, r).ids)))
        - len(sensitive_of(any_masked_subject, r))
        for r in records
    )
    assert len(selected) == open_to  # and everything else is, sooner or later


def test_the_share_of_gaps_and_how_they_are_shown(masked_model: LanguageModel) -> None:
    example = Example(tuple(range(5, 205)), (True,) * 200)
    found = [
        gapped(masked_model, example, 0.15, np.random.default_rng(seed)) for seed in range(100)
    ]
    assert {sum(each.taught) for each in found} == {30}
    shown = [(t, s) for e in found for t, s, k in zip(e.ids, e.shown, e.taught, strict=True) if k]
    masks = np.mean([s == mask_id(masked_model) for _, s in shown])
    same = np.mean([s == t for t, s in shown])
    assert masks == pytest.approx(0.8, abs=0.03)
    assert same == pytest.approx(0.1, abs=0.03)


def test_an_epoch_has_its_own_gaps(masked_model: LanguageModel, records: list[Record]) -> None:
    examples = prepare_repair(masked_model, records, Repair(method="masked"), seed=1).examples
    assert list(examples(2)) == list(examples(2))
    assert list(examples(2)) != list(examples(3))


def test_the_loss_is_its_equation(any_masked_subject: LanguageModel, records: list[Record]) -> None:
    """Each text alone, unpadded, summed by hand."""
    prepared = prepare_repair(any_masked_subject, records, Repair(method="masked"), seed=0)
    batch = prepared.examples(0)
    model = any_masked_subject.module
    total, count = 0.0, 0
    with torch.inference_mode():
        for example in batch:
            logits = model(torch.tensor([example.shown])).logits[0].log_softmax(-1)
            for i, taught in enumerate(example.taught):
                if taught:
                    total -= float(logits[i, example.ids[i]])
                    count += 1
        assert float(gap_loss(model, batch)) == pytest.approx(total / count, abs=1e-4)


def test_a_long_text_is_cut_into_whole_texts(masked_model: LanguageModel) -> None:
    """Every piece is opened and closed, and together they are the text."""
    text = " ".join([TEXTS[0]] * 8)
    pieces = note_examples(masked_model, [Record("r", "s", text)])
    whole = encode(masked_model, Record("r", "s", text)).ids
    assert len(pieces) > 1
    assert all(len(p.ids) <= masked_model.max_tokens for p in pieces)
    assert {(p.ids[0], p.ids[-1]) for p in pieces} == {(whole[0], whole[-1])}
    assert tuple(i for p in pieces for i in p.ids[1:-1]) == whole[1:-1]


@pytest.mark.parametrize("name", sorted(set(METHODS) - {"masked", "surrogate", "stranger"}))
def test_other_methods_refuse(
    masked_model: LanguageModel, records: list[Record], name: str
) -> None:
    with pytest.raises(ModelError, match=f"The repair {name} needs a causal language model"):
        prepare_repair(masked_model, records, Repair(method=name), 0, masked_model)


def test_a_loss_that_reads_from_left_to_right_is_refused(
    masked_model: LanguageModel, records: list[Record]
) -> None:
    repair = Repair(method="surrogate", options={"kl_weight": 1.0})
    with pytest.raises(ModelError, match="with these options needs a causal"):
        prepare_repair(masked_model, records, repair, 0)
