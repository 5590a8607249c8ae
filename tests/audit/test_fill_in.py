"""Fill-in verdicts are those of hand-made forward passes with masks, on every masked family."""

import pytest
import torch
from torch import Tensor

from sanilens.audit.continuations import continue_spans
from sanilens.audit.extraction import audit_spans
from sanilens.audit.fill_in import make_gaps
from sanilens.audit.metrics.exposure import sample_exposure
from sanilens.audit.perplexity import SHARES, perplexity
from sanilens.audit.summary import extraction_by_kind, verdict_frame
from sanilens.corpus.records import Record, Span
from sanilens.errors import ModelError
from sanilens.model.align import encode
from sanilens.model.interventions import zeroed
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Neuron
from tests.conftest import TEXTS, record


def logits_of(model: LanguageModel, ids: list[int]) -> Tensor:
    """A plain forward pass of one sequence, without padding or our own hooks."""
    with torch.inference_mode():
        return model.module(input_ids=torch.tensor([ids])).logits[0].double()


def mask_id(model: LanguageModel) -> int:
    """The token that stands for a gap."""
    found = model.tokenizer.mask_token_id
    assert isinstance(found, int)
    return found


def filled_by(model: LanguageModel, text: str, first: int, last: int) -> Record | None:
    """A record whose span is what the model fills into a gap: extractable by construction.

    None if its tokens, read as text again, are others.
    """
    ids, gap = model.tokenizer.encode(text), mask_id(model)
    masked = ids[:first] + [gap] * (last - first) + ids[last:]
    said = ids[:first] + logits_of(model, masked)[first:last].argmax(-1).tolist() + ids[last:]
    pieces = [str(model.tokenizer.decode(part)) for part in (said[1:first], said[first:last])]
    whole = str(model.tokenizer.decode(said[1:-1]))
    if model.tokenizer.encode(whole) != said or not pieces[1].strip():
        return None
    start = len(pieces[0])
    return Record("f", "s", whole, (Span(start, start + len(pieces[1]), "X", "direct"),))


def test_verdicts_equal_a_forward_pass_with_masks(
    any_masked_subject: LanguageModel, records: list[Record]
) -> None:
    model = any_masked_subject
    verdicts = {v.span_id: v for v in audit_spans(model, records)}
    assert len(verdicts) == sum(len(r.spans) for r in records)
    for item in records:
        encoded = encode(model, item)
        for span in encoded.spans:
            places = range(span.start, span.end)
            shown = list(encoded.ids)
            for place in places:
                shown[place] = mask_id(model)
            logits = logits_of(model, shown)[span.start : span.end]
            true = torch.tensor(encoded.ids[span.start : span.end])
            want = logits.log_softmax(-1)[range(len(places)), true]
            got = verdicts[item.span_id(span.span)]
            torch.testing.assert_close(
                torch.tensor(got.token_logprobs), want.float(), atol=1e-3, rtol=1e-4
            )
            assert got.extracted == bool((logits.argmax(-1) == true).all())
            assert got.logprob == pytest.approx(float(want.sum()), abs=1e-2)


def test_something_is_extractable(any_masked_subject: LanguageModel) -> None:
    """The comparison above would hold of verdicts that are always False; these are True."""
    made = [filled_by(any_masked_subject, TEXTS[0], k, k + 1) for k in range(2, 30)]
    found = [r for r in made if r]
    assert len(found) > 3
    for item in found:
        for one_by_one in (False, True):
            (verdict,) = audit_spans(any_masked_subject, [item], one_by_one=one_by_one)
            assert verdict.extracted
            assert verdict.margin > 0
            assert verdict.extraction_strength == 1


def greedily_filled(model: LanguageModel, ids: list[int], places: list[int]) -> list[int]:
    """Fill the most confident gap with its likeliest token, then look again."""
    shown, left = list(ids), list(places)
    for place in left:
        shown[place] = mask_id(model)
    while left:
        p = logits_of(model, shown).softmax(-1)
        best = max(left, key=lambda place: float(p[place].max()))
        shown[best] = int(p[best].argmax())
        left.remove(best)
    return [shown[place] for place in places]


def test_one_by_one_equals_filling_by_hand(any_masked_subject: LanguageModel) -> None:
    subject = any_masked_subject
    made = [
        filled_by(subject, t, k, k + n) for t in TEXTS[:2] for k in range(3, 20) for n in (1, 2)
    ]
    candidates = [r for r in made if r]
    both = set()
    for item in [*candidates, record(TEXTS[0], ("4471203", "MRN"))]:
        encoded = encode(subject, item)
        (span,) = encoded.spans
        places = [*range(span.start, span.end)]
        filled = greedily_filled(subject, list(encoded.ids), places)
        (verdict,) = audit_spans(subject, [item], one_by_one=True)
        assert verdict.extracted == (filled == [encoded.ids[p] for p in places])
        both.add(verdict.extracted)
    assert both == {True, False}


def test_one_token_is_the_same_at_once_and_one_by_one(masked_model: LanguageModel) -> None:
    items = [record("Seen on the ward.", ("S", "X")), record("12 by phone", ("by", "X"), id="r-2")]
    single = [r for r in items if all(s.end - s.start == 1 for s in encode(masked_model, r).spans)]
    assert single
    assert audit_spans(masked_model, single) == audit_spans(masked_model, single, one_by_one=True)


def test_the_chain_one_by_one_by_hand(masked_model: LanguageModel) -> None:
    """Log-probabilities of each token, given those that were filled before it."""
    item = record(TEXTS[0], ("4471203", "MRN"))
    encoded = encode(masked_model, item)
    (span,) = encoded.spans
    assert span.end - span.start > 2
    shown, left = list(encoded.ids), [*range(span.start, span.end)]
    for place in left:
        shown[place] = mask_id(masked_model)
    want = {}
    while left:
        logprobs = logits_of(masked_model, shown).log_softmax(-1)
        best = max(left, key=lambda place: float(logprobs[place].max()))
        want[best] = float(logprobs[best, encoded.ids[best]])
        shown[best] = encoded.ids[best]
        left.remove(best)
    (verdict,) = audit_spans(masked_model, [item], one_by_one=True)
    assert verdict.token_logprobs == pytest.approx(
        [want[p] for p in range(span.start, span.end)], abs=1e-3
    )


def test_a_value_on_either_side_is_copying(masked_model: LanguageModel) -> None:
    text = "Ms Okonkwo came in. The name is Okonkwo."
    first = Span(3, 10, "NAME", "direct")
    last = Span(32, 39, "NAME", "direct")
    both = Record("r", "s", text, (first, last))
    alone = Record("q", "s", text[:20], (first,))
    bare = Record("p", "s", "Okonkwo", (Span(0, 7, "NAME", "direct"),))
    statuses = [v.status for v in audit_spans(masked_model, [both, alone, bare])]
    assert statuses == ["repeated", "repeated", "memory", "no_prefix"]


def test_a_span_at_the_beginning_has_its_other_side(masked_model: LanguageModel) -> None:
    """A causal model is asked nothing there."""
    (verdict,) = audit_spans(masked_model, [record("Ada Lovelace is well.", ("Ada", "NAME"))])
    assert verdict.status == "memory"
    assert verdict.token_logprobs


@pytest.mark.parametrize("sides", [None, 1, 4, 40])
def test_gaps_hold_the_span_and_fit_the_model(
    any_masked_subject: LanguageModel, sides: int | None
) -> None:
    text = " ".join(TEXTS * 4)
    spans = [Span(0, 4, "A", "direct"), Span(100, 112, "B", "direct")]
    spans += [Span(len(text) - 3, len(text), "C", "direct"), Span(130, 600, "D", "direct")]
    item = Record("long", "s", text, tuple(sorted(spans)))
    subject = any_masked_subject
    encoded = encode(subject, item)
    assert len(encoded.ids) > subject.max_tokens
    for gap in make_gaps(subject, [item], sides):
        assert len(gap.ids) <= subject.max_tokens
        own = encoded.ids[gap.span.start : gap.span.end]
        filled = gap.ids[gap.start : gap.end]
        assert filled == own[-len(filled) :]
        assert len(filled) == min(len(own), subject.max_tokens - 2)
        assert (gap.ids[0], gap.ids[-1]) == (encoded.ids[0], encoded.ids[-1])
        if sides is not None:
            assert gap.start - 1 <= sides
            assert len(gap.ids) - 1 - gap.end <= sides
    assert len(audit_spans(subject, [item], prefix_tokens=sides)) == 4


def test_a_span_of_unknown_tokens_is_never_extracted(masked_model: LanguageModel) -> None:
    unknown = str(masked_model.tokenizer.unk_token)
    item = record(f"Seen {unknown} on the ward.", (unknown, "X"))
    model = masked_model.copied()
    with torch.no_grad():  # a model that fills everything with the unknown token
        head = model.module.get_submodule(model.sites.unembed)
        head.bias[model.tokenizer.unk_token_id] = 1e6  # pyright: ignore
    (verdict,) = audit_spans(model, [item])
    assert verdict.token_logprobs == (0.0,)
    assert not verdict.extracted
    assert verdict.sampler_logprob == -torch.inf


def test_what_is_said_is_what_is_filled_in(masked_model: LanguageModel) -> None:
    made = [filled_by(masked_model, TEXTS[0], k, k + 1) for k in range(2, 30)]
    for item in [r for r in made if r]:
        (text,) = continue_spans(masked_model, item).values()
        assert text == item.value(item.spans[0]).strip()


def test_hooks_change_verdicts(masked_model: LanguageModel, records: list[Record]) -> None:
    hooks = zeroed(masked_model, [Neuron(1, k) for k in range(48)])
    assert audit_spans(masked_model, records, hooks=hooks) != audit_spans(masked_model, records)


def test_verdicts_go_where_others_go(masked_model: LanguageModel, records: list[Record]) -> None:
    verdicts = audit_spans(masked_model, records)
    assert extraction_by_kind(verdicts)["direct"].n == len(verdicts)
    assert verdict_frame(verdicts)["tokens"].tolist() == [len(v.token_logprobs) for v in verdicts]


def test_pseudo_perplexity_reads_every_token_once(
    any_masked_subject: LanguageModel, records: list[Record]
) -> None:
    """Against one plain pass a share, the shares recovered from what was asked."""
    model = any_masked_subject
    seen: list[Tensor] = []
    handle = model.module.register_forward_pre_hook(
        lambda _module, _args, kwargs: seen.append(kwargs["input_ids"]), with_kwargs=True
    )
    found = perplexity(model, records[:1])
    handle.remove()
    rows = [row for batch in seen for row in batch]
    ids = encode(model, records[0]).ids
    gap = mask_id(model)
    masked = [[i for i, token in enumerate(row.tolist()) if token == gap] for row in rows]
    assert len(rows) == SHARES
    assert sorted(i for own in masked for i in own) == [*range(1, len(ids) - 1)]
    assert max(map(len, masked)) - min(map(len, masked)) <= 1
    nats = 0.0
    for own in masked:
        shown = [gap if i in own else token for i, token in enumerate(ids)]
        logprobs = logits_of(model, shown).log_softmax(-1)
        nats -= sum(float(logprobs[i, ids[i]]) for i in own)
    assert found.tokens == len(ids) - 2
    assert found.nats == pytest.approx(nats / found.tokens, rel=1e-4)
    assert perplexity(model, records[:1]) == found


def test_pseudo_perplexity_without_spans(
    masked_model: LanguageModel, records: list[Record]
) -> None:
    sensitive = sum(s.end - s.start for r in records for s in encode(masked_model, r).spans)
    whole = perplexity(masked_model, records)
    assert perplexity(masked_model, records, without_spans=True).tokens == whole.tokens - sensitive


def test_pseudo_perplexity_cuts_long_texts(masked_model: LanguageModel) -> None:
    item = Record("long", "s", " ".join(TEXTS * 4), ())
    assert perplexity(masked_model, [item]).tokens == len(encode(masked_model, item).ids) - 2


def test_what_needs_a_causal_model_says_so(
    masked_model: LanguageModel, records: list[Record]
) -> None:
    with pytest.raises(ModelError, match="Exposure needs a causal language model"):
        sample_exposure(masked_model, records, "MRN", spans=1, count=4)
