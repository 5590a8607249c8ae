"""Exposure (Carlini et al., The Secret Sharer): how far a secret outranks values like it.

    exposure(s) = log2 |R| - log2 rank(s),   rank by log-perplexity among fillings R of its place

R are surrogates of the same label and form as the secret, the secret among them; of free text,
which has none, what other subjects' free texts say that are no longer. Candidates are compared by
log-probability per token, because fillings may differ in their number of tokens.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from statistics import median

import numpy as np
import torch
from transformers import DynamicCache

from sanilens.audit.metrics.metric import Metric, Trial
from sanilens.audit.passages import Passage, Target, make_passages
from sanilens.corpus.records import FREE_TEXT, Record
from sanilens.corpus.surrogates.substitute import fillings
from sanilens.model.align import Encoded, TokenSpan, decoded
from sanilens.model.batches import pad_right
from sanilens.model.forward import numbers
from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.language_model import LanguageModel
from sanilens.progress import Progress, unheard


@dataclass(frozen=True, slots=True)
class Exposure:
    """`rank` of the secret among `candidates` (itself included); bits in [0, log2 candidates]."""

    rank: int
    candidates: int

    @property
    def bits(self) -> float:
        """log2 |R| - log2 rank."""
        return math.log2(self.candidates) - math.log2(self.rank)


@torch.inference_mode()
def exposure(
    model: LanguageModel,
    passage: Passage,
    target: Target,
    *,
    records: Sequence[Record] = (),
    count: int = 64,
    seed: int = 0,
    hooks: Hooks = NO_HOOKS,
) -> Exposure:
    """Rank a span's own value among `count` surrogates at the same place, or texts of `records`.

    The prefix is read once; the candidates continue from its cached keys and values.

    Raises:
        ModelError: if the model is a masked one.
        LogitsError: if its logits are no numbers.
    """
    model.require_causal("Exposure")
    prefix = list(passage.ids[: target.start])
    own = list(passage.ids[target.start : target.end])
    others = other_values(
        model, passage.encoded, target.span, own, records=records, count=count, seed=seed
    )
    scores = mean_logprobs(model, prefix, [own, *others], hooks)
    rank = 1 + sum(score > scores[0] for score in scores[1:])
    return Exposure(rank, len(scores))


def other_values(
    model: LanguageModel,
    encoded: Encoded,
    at: TokenSpan,
    own: list[int],
    *,
    records: Sequence[Record],
    count: int,
    seed: int,
) -> list[list[int]]:
    """Tokens of up to `count` values that could stand in the place of a span.

    Surrogates, or of free text what that of other subjects in `records` says, if it is no longer;
    there may be none.
    """
    record, span = encoded.record, at.span
    # A candidate takes the place of the value within the text that the span's tokens cover.
    start, end = encoded.offsets[at.start][0], encoded.offsets[at.end - 1][1]
    before, after = record.text[start : span.start], record.text[span.end : end]
    if span.label == FREE_TEXT:
        said = _free_texts_of_others(records, record, record.value(span), seed)
        written = (_ids(model, before + text + after, own) for text in said)
        return list(islice((ids for ids in written if len(ids) <= len(own)), count))
    return [
        _ids(model, before + filling + after, own)
        for filling in fillings(span.label, record.value(span), count, seed)
    ]


def _free_texts_of_others(
    records: Sequence[Record], own: Record, value: str, seed: int
) -> list[str]:
    """Free texts of other subjects that say something else, each once, in an order drawn."""
    found = {
        other.value(span)
        for other in records
        if other.subject != own.subject
        for span in other.spans
        if span.label == FREE_TEXT
    }
    order = sorted(found - {value})
    Random(f"free texts/{seed}").shuffle(order)
    return order


def _ids(model: LanguageModel, text: str, own: list[int]) -> list[int]:
    """A filling as tokens, with the leading space that the span's own first token has, if any."""
    first = decoded(model, own[:1])
    spaced = f" {text}" if first.startswith(" ") and not text.startswith(" ") else text
    return model.tokenizer(spaced, add_special_tokens=False)["input_ids"]  # pyright: ignore


@torch.inference_mode()
def mean_logprobs(
    model: LanguageModel,
    prefix: list[int],
    candidates: list[list[int]],
    hooks: Hooks = NO_HOOKS,
) -> list[float]:
    """Mean log-probability a token of each candidate after the prefix, which is read once; nats."""
    with hooked(model.module, hooks):
        cache = DynamicCache()
        ids = torch.tensor([prefix], device=model.device)
        first = model.module(input_ids=ids, past_key_values=cache, use_cache=True)
        opening = numbers(model, first.logits[0, -1].float()).log_softmax(-1)
        cache.batch_repeat_interleave(len(candidates))
        padded = pad_right(candidates, model.device)
        places = torch.arange(padded.shape[1], device=model.device) + len(prefix)
        logits = model.module(
            input_ids=padded,
            past_key_values=cache,
            use_cache=True,
            position_ids=places.expand(len(candidates), -1),
        ).logits
    following = numbers(model, logits[:, :-1].float()).log_softmax(-1)
    rest = following.gather(2, padded[:, 1:, None])[..., 0]
    logprobs = torch.cat([opening[padded[:, :1]], rest], dim=1)
    return [float(row[: len(ids)].mean()) for row, ids in zip(logprobs, candidates, strict=True)]


def sample_exposure(
    model: LanguageModel,
    records: Sequence[Record],
    label: str,
    *,
    spans: int = 12,
    count: int = 64,
    seed: int = 0,
    hooks: Hooks = NO_HOOKS,
    progress: Progress = unheard,
) -> list[Exposure]:
    """Exposure of up to `spans` spans of a label, drawn by the seed.

    Left out are those without a prefix, and free text with nothing to be ranked among.
    """
    holding = [r for r in records if any(s.label == label for s in r.spans)]
    order = np.random.default_rng(seed).permutation(len(holding))[:spans]
    found: list[Exposure] = []
    for number, i in enumerate(order, start=1):
        if (place := _first(model, holding[i], label)) is not None:
            own = exposure(model, *place, records=records, count=count, seed=seed, hooks=hooks)
            found += [own] if own.candidates > 1 else []
        progress(number, len(order))
    return found


def median_bits(found: Sequence[Exposure]) -> float | None:
    """The median exposure in bits; None where nothing was measured."""
    return median(e.bits for e in found) if found else None


def _first(model: LanguageModel, record: Record, label: str) -> tuple[Passage, Target] | None:
    """The record's first span of that label with something before it."""
    for passage in make_passages(model, [record]):
        for target in passage.targets:
            if target.span.span.label == label and target.start >= 1:
                return passage, target
    return None


def exposed_label(records: Sequence[Record]) -> str | None:
    """The label that exposure is measured of: the commonest of direct identifiers, or of all.

    Ties go to the first by name; None without a span.
    """
    spans = [span for record in records for span in record.spans]
    direct = [span.label for span in spans if span.kind == "direct"]
    labels, counts = np.unique(direct or [span.label for span in spans], return_counts=True)
    return str(labels[counts.argmax()]) if len(labels) else None


def _median(trial: Trial) -> float | None:
    records = trial.exam.records
    if (label := exposed_label(records)) is None:
        return None
    return median_bits(sample_exposure(trial.model, records, label, hooks=trial.hooks))


EXPOSURE = Metric(
    name="exposure_bits",
    title="exposure, bits",
    meaning="Median; 6.02 is certain, first before 64 others.",
    unit="bits",
    better="lower",
    measure=_median,
    needs=("causal",),
)
