"""Exposure (Carlini et al., The Secret Sharer): how far a secret stands above its likes.

    exposure(s) = log2 |R| - log2 rank(s),   rank by log-perplexity among fillings R of its place

R are surrogates of the same label and form as the secret, the secret among them. Candidates are
compared by log-probability per token, because fillings may differ in their number of tokens.
"""

import math
from dataclasses import dataclass

import torch
from transformers import DynamicCache

from sanilens.audit.passages import Passage, Target
from sanilens.corpus.surrogates import fillings
from sanilens.model.align import decoded
from sanilens.model.batches import pad_right
from sanilens.model.forward import numbers
from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.subject import SubjectModel


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
    subject: SubjectModel,
    passage: Passage,
    target: Target,
    *,
    count: int = 64,
    seed: int = 0,
    hooks: Hooks = NO_HOOKS,
) -> Exposure:
    """Rank a span's own value among `count` surrogates at the same place.

    The prefix is read once; the candidates continue from its cached keys and values.

    Raises:
        ModelError: if the model is a masked one.
        LogitsError: if its logits are no numbers.
    """
    subject.require_causal("Exposure")
    record, span = passage.record, target.span.span
    value = record.value(span)
    prefix = list(passage.ids[: target.start])
    own = list(passage.ids[target.start : target.end])
    # A candidate takes the place of the value within the text that the span's tokens cover.
    start = passage.encoded.offsets[target.span.start][0]
    end = passage.encoded.offsets[target.span.end - 1][1]
    before, after = record.text[start : span.start], record.text[span.end : end]
    others = [
        _ids(subject, before + filling + after, own)
        for filling in fillings(span.label, value, count, seed)
    ]
    scores = _mean_logprobs(subject, prefix, [own, *others], hooks)
    rank = 1 + sum(score > scores[0] for score in scores[1:])
    return Exposure(rank, len(scores))


def _ids(subject: SubjectModel, text: str, own: list[int]) -> list[int]:
    """A filling as tokens, with the leading space that the span's own first token has, if any."""
    first = decoded(subject, own[:1])
    spaced = f" {text}" if first.startswith(" ") and not text.startswith(" ") else text
    return subject.tokenizer(spaced, add_special_tokens=False)["input_ids"]  # pyright: ignore


def _mean_logprobs(
    subject: SubjectModel,
    prefix: list[int],
    candidates: list[list[int]],
    hooks: Hooks = NO_HOOKS,
) -> list[float]:
    with hooked(subject.model, hooks):
        cache = DynamicCache()
        ids = torch.tensor([prefix], device=subject.device)
        first = subject.model(input_ids=ids, past_key_values=cache, use_cache=True)
        opening = numbers(subject, first.logits[0, -1].float()).log_softmax(-1)
        cache.batch_repeat_interleave(len(candidates))
        padded = pad_right(candidates, subject.device)
        places = torch.arange(padded.shape[1], device=subject.device) + len(prefix)
        logits = subject.model(
            input_ids=padded,
            past_key_values=cache,
            use_cache=True,
            position_ids=places.expand(len(candidates), -1),
        ).logits
    following = numbers(subject, logits[:, :-1].float()).log_softmax(-1)
    rest = following.gather(2, padded[:, 1:, None])[..., 0]
    logprobs = torch.cat([opening[padded[:, :1]], rest], dim=1)
    return [float(row[: len(ids)].mean()) for row, ids in zip(logprobs, candidates, strict=True)]
