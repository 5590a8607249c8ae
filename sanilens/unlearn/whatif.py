"""What a plan's edits would do, before anything is changed: the model under hooks, and without.

KL = mean_t sum_x p(x) log p(x) / q(x)      p the original, q the edited model, nats per token
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sanilens.audit.measurement import Measurement, measure
from sanilens.audit.metrics.extraction import EXTRACTION
from sanilens.audit.metrics.metric import Exam
from sanilens.corpus.records import Record
from sanilens.model.align import encode
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel

KL = "kl"
# Of the original's probabilities as many are kept, at 4 bytes each, as do not fill the memory.
_KEPT = 2**24


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
        self._model, self._exam = model, Exam(tuple(sample))
        self._neutral = list(_neutral(model, neutral))

    @cached_property
    def original(self) -> Measurement:
        """The model without edits."""
        return self._measured(NO_HOOKS, 0.0)

    def effect(self, hooks: Hooks) -> Measurement:
        """The model under edits (`edit_hooks`); `kl` stands among its metrics, in nats a token."""
        return self._measured(hooks, self.kl(hooks))

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

    def _measured(self, hooks: Hooks, kl: float) -> Measurement:
        found = measure(self._model, self._exam, metrics=(EXTRACTION.name,), hooks=hooks)
        return found.model_copy(update={"metrics": {**found.metrics, KL: kl}})

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
