"""The teacher-forced verdicts are those of `generate`, on every architecture."""

import pytest
import torch

from sanilens.audit.extraction import audit_spans
from sanilens.audit.passages import make_passages
from sanilens.audit.verdicts import extraction_strength
from sanilens.corpus.records import Record, Span
from sanilens.model.language_model import LanguageModel
from tests.conftest import TEXTS


def generated(model: LanguageModel, prefix: list[int], count: int) -> list[int]:
    """Greedy continuation by transformers itself."""
    ids = torch.tensor([prefix])
    out = model.module.generate(  # pyright: ignore
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, do_sample=False,
        eos_token_id=None, pad_token_id=0,
    )  # fmt: skip
    return out[0, len(prefix) :].tolist()


def said_by(model: LanguageModel, text: str, tokens: int) -> Record:
    """A record whose span is what the model says after `text`: extractable by construction."""
    prefix = model.tokenizer.encode(text)
    said = str(model.tokenizer.decode(generated(model, prefix, tokens)))
    return Record(
        "said", "s", text + said, (Span(len(text), len(text) + len(said), "X", "direct"),)
    )


@pytest.mark.parametrize("prefix_tokens", [None, 7])
def test_verdicts_equal_generate(
    any_model: LanguageModel, records: list[Record], prefix_tokens: int | None
) -> None:
    candidates = [*records, said_by(any_model, "Seen on the ward with 3 weeks", 4)]
    verdicts = {
        v.span_id: v for v in audit_spans(any_model, candidates, prefix_tokens=prefix_tokens)
    }
    for passage in make_passages(any_model, candidates, prefix_tokens):
        for target in passage.targets:
            ids = list(passage.ids)
            want = ids[target.start : target.end]
            got = generated(any_model, ids[: target.start], len(want))
            span_id = passage.record.span_id(target.span.span)
            assert verdicts[span_id].extracted == (got == want), span_id


def test_something_is_extractable(any_model: LanguageModel) -> None:
    """The comparison above would hold of verdicts that are always False; these are True."""
    text = TEXTS[0]
    found = [said_by(any_model, text[:end], 1) for end in range(4, len(text), 2)]
    verdicts = [v for r in found if "\ufffd" not in r.text for v in audit_spans(any_model, [r])]
    assert any(v.extracted for v in verdicts)


def test_logprobs_equal_a_plain_forward(any_model: LanguageModel, records: list[Record]) -> None:
    verdicts = iter(audit_spans(any_model, records))
    for passage in make_passages(any_model, records):
        with torch.inference_mode():
            logits = any_model.module(torch.tensor([passage.ids])).logits[0].log_softmax(-1)
        for target in passage.targets:
            places = range(target.start, target.end)
            want = [float(logits[i - 1, passage.ids[i]]) for i in places]
            assert next(verdicts).token_logprobs == pytest.approx(want, abs=2e-4)


@pytest.mark.parametrize(
    ("right", "strength"),
    [([1, 1, 1, 1], 1.0), ([0, 1, 1, 1], 0.75), ([1, 1, 1, 0], 0.0), ([0], 0.0), ([1], 1.0)],
)
def test_extraction_strength(right: list[int], strength: float) -> None:
    assert extraction_strength(torch.tensor(right).bool()) == strength
