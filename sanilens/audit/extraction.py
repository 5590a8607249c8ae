"""One teacher-forced pass judges every span: what would the model say after this prefix?"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import torch

from sanilens.audit.context import span_status
from sanilens.audit.continuations import near_missed
from sanilens.audit.fill_in import fill_in
from sanilens.audit.passages import Passage, Target, can_write, make_passages
from sanilens.audit.sampling import Sampler
from sanilens.audit.verdicts import (
    SpanVerdict,
    TokenResults,
    judge_tokens,
    span_verdict,
    unseen_verdict,
)
from sanilens.corpus.records import Record
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.interventions import mask_of, prompts_end_at
from sanilens.model.language_model import LanguageModel
from sanilens.progress import Progress, unheard

# Records tokenised at a time: enough to fill buckets of like lengths, flat in the corpus's size.
_WINDOW = 512


@torch.inference_mode()
def audit_spans(
    model: LanguageModel,
    records: Iterable[Record],
    *,
    prefix_tokens: int | None = None,
    sampler: Sampler | None = None,
    hooks: Hooks = NO_HOOKS,
    progress: Progress = unheard,
    one_by_one: bool = False,
    near_misses: bool = False,
) -> list[SpanVerdict]:
    """Judge every span of `records`, in their order.

    A causal model says a span after its prefix; a masked one fills it in between its two sides.

    Args:
        model: the model.
        records: what it may have memorised; consumed in windows, so a generator stays flat.
        prefix_tokens: tokens of prefix shown, or None for all that precedes the span; to a masked
            model as many on each side.
        sampler: for `sampler_logprob`; temperature 1 and top-k 40 unless given.
        hooks: what to edit while judging.
        progress: called after each batch with the records judged so far and in all.
        one_by_one: a masked model fills a span's tokens one by one, the most confident first, and
            not all at once. A causal model says them one by one in any case.
        near_misses: look for them too: a causal model then writes on in the place of each span that
            it does not say, which takes a few times as long. A masked one's verdicts have them.

    Raises:
        LogitsError: if the model's logits are no numbers.
    """
    judge = partial(fill_in, one_by_one=one_by_one) if model.kind == "masked" else _say
    sampler = sampler or Sampler()
    verdicts: list[SpanVerdict] = []
    for window, before, total in _extraction_windows(records):
        found: dict[str, SpanVerdict] = {}
        for judged in judge(model, window, prefix_tokens, sampler, hooks):
            found |= {verdict.span_id: verdict for verdict in judged}
            share = len(found) / max(1, sum(len(r.spans) for r in window))
            progress(before + int(share * len(window)), total)
        own = [found[r.span_id(s)] for r in window for s in r.spans]
        if near_misses and model.kind == "causal":
            near = near_missed(model, window, own, prefix_tokens, hooks)
            own = [replace(v, near=v.span_id in near) for v in own]
        verdicts += own
    return verdicts


def _extraction_windows(records: Iterable[Record]) -> Iterator[tuple[list[Record], int, int]]:
    total = len(records) if isinstance(records, tuple | list) else 0
    window: list[Record] = []
    done = 0
    for record in records:
        window.append(record)
        if len(window) == _WINDOW:
            yield window, done, total or done + len(window)
            done += len(window)
            window = []
    if window:
        yield window, done, total or done + len(window)


def _say(
    model: LanguageModel,
    records: Sequence[Record],
    prefix_tokens: int | None,
    sampler: Sampler,
    hooks: Hooks,
) -> Iterator[list[SpanVerdict]]:
    """Judge every span of `records` after its prefix, in batches of no particular order."""
    passages = [
        portion
        for passage in make_passages(model, records, prefix_tokens)
        for portion in _portions(passage, token_budget(model))
    ]
    for batch in bucketed([len(p.ids) for p in passages], token_budget(model)):
        yield list(_judge(model, [passages[i] for i in batch], sampler, hooks))


def _portions(passage: Passage, most: int) -> Iterator[Passage]:
    """A passage as several, where logits at all of its spans' tokens would not fit into memory."""
    held, tokens = list[Target](), 0
    for target in passage.targets:
        tokens += target.end - target.start
        if held and tokens > most:
            yield replace(passage, ids=passage.ids[: held[-1].end], targets=tuple(held))
            held, tokens = [], target.end - target.start
        held.append(target)
    yield replace(passage, targets=tuple(held))


def _judge(
    model: LanguageModel, passages: list[Passage], sampler: Sampler, hooks: Hooks
) -> Iterator[SpanVerdict]:
    targets = [(row, p.record, t) for row, p in enumerate(passages) for t in p.targets]
    judged = [(row, t) for row, _, t in targets if t.start >= 1]
    places = [(row, c) for row, t in judged for c in range(t.start, t.end)]
    results = None
    if places:
        asked = [(row, t.start - 1) for row, t in judged]
        results = _token_results(model, passages, places, asked, sampler, hooks)
    at = 0
    for row, record, target in targets:
        span = target.span.span
        if target.start < 1 or results is None:
            yield unseen_verdict(record, span)
            continue
        own = results.at(slice(at, at := at + target.end - target.start))
        status = span_status(span, record.value(span), target.context)
        if status != "no_prefix" and not can_write(model, passages[row].encoded, target.span):
            status = "unwritable"
        yield span_verdict(record, span, status, own)


def _token_results(
    model: LanguageModel,
    passages: list[Passage],
    places: list[tuple[int, int]],
    asked: list[tuple[int, int]],
    sampler: Sampler,
    hooks: Hooks,
) -> TokenResults:
    ids = pad_right([p.ids for p in passages], model.device)
    rows, columns = torch.tensor(places, device=model.device).T
    with prompts_end_at(mask_of(ids, asked)):
        logits = logits_at(model, ids, rows, columns - 1, hooks)
    return judge_tokens(logits, ids[rows, columns], sampler)
