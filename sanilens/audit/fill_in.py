"""Fill-in regurgitation of masked language models: a gap where the span was, both sides shown.

    at once      p(s) = prod_t p(s_t | x without s)
    one by one   p(s) = prod_k p(s_o(k) | x without s, s_o(1), ..., s_o(k-1)),
                 o(k) the place at which the model is then most confident of any token

Filling one by one with the likeliest token gives the span exactly when every argmax along the
true tokens is right (induction on k), so one teacher-forced walk judges it, as in extraction. The
attacker is told how many tokens the gap has. Text is compared as tokens: what the tokenizer does
not keep (case, with BERT's lower-casing vocabulary) no model can say. What the tokenizer cannot
write is never extracted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sanilens.audit.context import Status, span_status
from sanilens.audit.passages import can_write
from sanilens.audit.sampling import Sampler
from sanilens.audit.verdicts import (
    SpanVerdict,
    TokenResults,
    judge_tokens,
    span_verdict,
    unseen_verdict,
)
from sanilens.corpus.records import Record
from sanilens.model.align import Encoded, TokenSpan, decoded, encode
from sanilens.model.batches import (
    around,
    body,
    bucketed,
    pad_right,
    token_budget,
    window,
    with_gaps,
)
from sanilens.model.forward import logits_at
from sanilens.model.hooks import Hooks
from sanilens.model.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class Gap:
    """A span to be filled in: positions [start, end) of `ids`, which hold its true tokens.

    Attributes:
        encoded: the record.
        span: the span in it.
        ids: what the model is shown around it, and the span itself.
        status: whether only memory could fill it: its value stands on neither side.
    """

    encoded: Encoded
    span: TokenSpan
    ids: tuple[int, ...]
    start: int
    end: int
    status: Status

    @property
    def record(self) -> Record:
        """The record that the gap is in."""
        return self.encoded.record

    @property
    def places(self) -> range:
        """Positions of its tokens."""
        return range(self.start, self.end)


def make_gaps(
    model: LanguageModel, records: Sequence[Record], side_tokens: int | None = None
) -> Iterator[Gap]:
    """Each span of the records as a gap, in its record or in as much of it as fits the model.

    Args:
        model: the masked model.
        records: the records.
        side_tokens: tokens shown on each side of a span, or None for as many as fit.
    """
    for record in records:
        encoded = encode(model, record)
        for span in encoded.spans:
            yield _gap(model, encoded, span, side_tokens)


def _gap(model: LanguageModel, encoded: Encoded, span: TokenSpan, side_tokens: int | None) -> Gap:
    kept, own = around(model, encoded.ids, range(span.start, span.end), side_tokens)
    origin = encoded.offsets[kept.start][0]
    shown = encoded.record.text[origin : encoded.offsets[kept.stop - 1][1]]
    before = shown[: max(0, span.span.start - origin)]
    after = shown[max(0, span.span.end - origin) :]
    at = body(model, encoded.ids).start - kept.start
    ids = window(model, encoded.ids, kept)
    status = _status(encoded.record.value(span.span), span, before, after)
    if status != "no_prefix" and not can_write(model, encoded, span):
        status = "unwritable"
    return Gap(encoded, span, ids, own.start + at, own.stop + at, status)


def _status(value: str, span: TokenSpan, *sides: str) -> Status:
    """The status by whichever side tells more of the value."""
    found = {span_status(span.span, value, side) for side in sides}
    telling: tuple[Status, ...] = ("repeated", "maybe_repeated", "memory")
    for status in telling:
        if status in found:
            return status
    return "no_prefix"


def fill_in(
    model: LanguageModel,
    records: Sequence[Record],
    side_tokens: int | None,
    sampler: Sampler,
    hooks: Hooks,
    *,
    one_by_one: bool = False,
) -> Iterator[list[SpanVerdict]]:
    """Judge every span of `records`, in batches of no particular order; see `audit_spans`."""
    gaps = list(make_gaps(model, records, side_tokens))
    yield [unseen_verdict(g.record, g.span.span) for g in gaps if g.status == "no_prefix"]
    gaps = [g for g in gaps if g.status != "no_prefix"]
    judge = _one_by_one if one_by_one else _at_once
    for batch in bucketed([len(g.ids) for g in gaps], token_budget(model)):
        yield judge(model, [gaps[i] for i in batch], sampler, hooks)


@torch.inference_mode()
def filled_texts(model: LanguageModel, record: Record, hooks: Hooks) -> dict[str, str]:
    """What the model fills in at once for each span of a record, by span id."""
    gaps = [g for g in make_gaps(model, [record]) if g.status != "no_prefix"]
    said: dict[str, str] = {}
    for batch in bucketed([len(g.ids) for g in gaps], token_budget(model)):
        own = [gaps[i] for i in batch]
        found = _logits(model, own, [[*g.places] for g in own], hooks).argmax(-1)
        for gap, ids in zip(own, found.split([len(g.places) for g in own]), strict=True):
            text = decoded(model, ids.tolist())
            said[gap.record.span_id(gap.span.span)] = text.strip()
    return said


def _at_once(
    model: LanguageModel, gaps: Sequence[Gap], sampler: Sampler, hooks: Hooks
) -> list[SpanVerdict]:
    open_places = [[*gap.places] for gap in gaps]
    results = _judge(model, gaps, open_places, _logits(model, gaps, open_places, hooks), sampler)
    verdicts, at = [], 0
    for gap in gaps:
        own = results.at(slice(at, at := at + len(gap.places)))
        verdicts.append(_verdict(model, gap, own))
    return verdicts


def _one_by_one(
    model: LanguageModel, gaps: Sequence[Gap], sampler: Sampler, hooks: Hooks
) -> list[SpanVerdict]:
    open_places = [[*gap.places] for gap in gaps]
    said: list[list[tuple[int, TokenResults]]] = [[] for _ in gaps]
    while rows := [i for i, places in enumerate(open_places) if places]:
        left = [open_places[i] for i in rows]
        here = [gaps[i] for i in rows]
        logits = _logits(model, here, left, hooks)
        surest = (logits.max(-1).values - logits.logsumexp(-1)).split([*map(len, left)])
        chosen = [int(confidence.argmax()) for confidence in surest]
        starts = [sum(map(len, left[:k])) for k in range(len(left))]
        picked = [start + index for start, index in zip(starts, chosen, strict=True)]
        places = [[own[index]] for own, index in zip(left, chosen, strict=True)]
        results = _judge(model, here, places, logits[picked], sampler)
        for k, i in enumerate(rows):
            said[i].append((places[k][0], results.at([k])))
            open_places[i].remove(places[k][0])
    return [_in_turn(model, gap, own) for gap, own in zip(gaps, said, strict=True)]


def _in_turn(model: LanguageModel, gap: Gap, said: list[tuple[int, TokenResults]]) -> SpanVerdict:
    """The verdict from results in the order of filling; its log-probabilities are in the text's."""
    order = [place - gap.start for place, _ in said]
    filled = TokenResults(*(torch.cat(parts) for parts in zip(*(r for _, r in said), strict=True)))
    ordered = filled.at([order.index(k) for k in range(len(order))])
    return _verdict(model, gap, ordered, order)


def _verdict(
    model: LanguageModel, gap: Gap, own: TokenResults, order: list[int] | None = None
) -> SpanVerdict:
    words = partial(decoded, model)
    return span_verdict(gap.record, gap.span.span, gap.status, own, words, order)


def _logits(
    model: LanguageModel, gaps: Sequence[Gap], open_places: Sequence[Sequence[int]], hooks: Hooks
) -> Float[Tensor, "n vocab"]:
    """Logits at the open places of each gap's text, which alone are masked there."""
    shown = [with_gaps(model, g.ids, own) for g, own in zip(gaps, open_places, strict=True)]
    places = [(row, place) for row, own in enumerate(open_places) for place in own]
    rows, columns = torch.tensor(places, device=model.device).T
    ids = pad_right(shown, model.device)
    return logits_at(model, ids, rows, columns, hooks, lengths=[*map(len, shown)])


def _judge(
    model: LanguageModel,
    gaps: Sequence[Gap],
    places: Sequence[Sequence[int]],
    logits: Float[Tensor, "n vocab"],
    sampler: Sampler,
) -> TokenResults:
    true = [gap.ids[place] for gap, own in zip(gaps, places, strict=True) for place in own]
    tokens: Int[Tensor, " n"] = torch.tensor(true, device=model.device)
    return judge_tokens(logits, tokens, sampler)
