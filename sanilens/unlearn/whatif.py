"""What a plan's edits would do, before anything is changed: the model under hooks, and without.

KL = mean_t sum_x p(x) log p(x) / q(x)      p the original, q the edited model, nats per token
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import RateRow, memory, rate_row
from sanilens.corpus.records import Record
from sanilens.model.align import encode
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel

# Of the original's probabilities as many are kept, at 4 bytes each, as do not fill the memory.
_KEPT = 2**24


@dataclass(frozen=True, slots=True)
class Effect:
    """What some edits do to a sample of the corpus and to neutral text.

    Attributes:
        said: spans of the sample that the model says by memory alone.
        logprob: mean log p of these spans, in nats a span.
        kl: how far the edited model is from the original on neutral text; nats a token.
        tokens: how many tokens that was measured on.
    """

    said: RateRow
    logprob: float
    kl: float
    tokens: int


@dataclass(frozen=True, slots=True)
class _Neutral:
    """Places (row, column) of right-padded `ids` whose tokens are no part of a span."""

    ids: Int[Tensor, "batch pos"]
    rows: Int[Tensor, " n"]
    columns: Int[Tensor, " n"]


class Probe:
    """Asks one model the same under any edits; what does not depend on them is asked once."""

    def __init__(
        self, model: LanguageModel, sample: Sequence[Record], neutral: Sequence[Record]
    ) -> None:
        """Ask `model`, which is left as it is.

        Args:
            model: the examined model.
            sample: records whose spans are counted.
            neutral: text whose wording should not change; its spans are left out.
        """
        self._model, self._sample = model, tuple(sample)
        self._neutral = list(_neutral(model, neutral))

    @cached_property
    def original(self) -> Effect:
        """The model without edits."""
        return self._effect(NO_HOOKS, 0.0)

    def effect(self, hooks: Hooks) -> Effect:
        """The model under edits (`edit_hooks`)."""
        return self._effect(hooks, self.kl(hooks))

    @torch.inference_mode()
    def kl(self, hooks: Hooks) -> float:
        """KL(original || edited) per token of the neutral text; 0 without any."""
        total = 0.0
        for batch, p in zip(self._neutral, self._original_logprobs(), strict=True):
            q = self._logprobs(batch, hooks)
            total += float((p.exp() * (p - q)).sum(-1).double().sum())
        # Rounding may put it under zero where nothing changes.
        return max(0.0, total / self.tokens) if self.tokens else 0.0

    @cached_property
    def tokens(self) -> int:
        """Tokens of the neutral text that are asked for."""
        return sum(len(batch.rows) for batch in self._neutral)

    def _effect(self, hooks: Hooks, kl: float) -> Effect:
        asked = memory(audit_spans(self._model, self._sample, hooks=hooks))
        mean = fmean(v.logprob for v in asked) if asked else 0.0
        return Effect(rate_row(asked), mean, kl, self.tokens)

    def _original_logprobs(self) -> Iterable[Float[Tensor, "n vocab"]]:
        vocabulary = self._model.module.config.get_text_config().vocab_size
        few = self.tokens * vocabulary <= _KEPT
        return self._kept if few else (self._logprobs(b, NO_HOOKS) for b in self._neutral)

    @cached_property
    def _kept(self) -> list[Float[Tensor, "n vocab"]]:
        return [self._logprobs(batch, NO_HOOKS) for batch in self._neutral]

    def _logprobs(self, batch: _Neutral, hooks: Hooks) -> Float[Tensor, "n vocab"]:
        logits = logits_at(self._model, batch.ids, batch.rows, batch.columns - 1, hooks)
        return logits.log_softmax(-1)


def _neutral(model: LanguageModel, records: Sequence[Record]) -> Iterator[_Neutral]:
    sequences: list[tuple[int, ...]] = []
    places: list[list[int]] = []
    for record in records:
        encoded = encode(model, record)
        sensitive = {i for s in encoded.spans for i in range(s.start, s.end)}
        ids = encoded.ids[: model.max_tokens]
        sequences.append(ids)
        places.append([i for i in range(1, len(ids)) if i not in sensitive])
    for batch in bucketed([len(ids) for ids in sequences], token_budget(model)):
        at = [(row, column) for row, i in enumerate(batch) for column in places[i]]
        if at:
            ids = pad_right([sequences[i] for i in batch], model.device)
            yield _Neutral(ids, *torch.tensor(at, device=model.device).T)
