"""What opened every text when the model was trained: a start token, or nothing.

Training code puts a start token before each text or does not, whatever the tokenizer does by
itself, and a model that is asked without the one it was trained with says little of what it knows.
The corpus decides: the opening is taken under which its texts are likeliest.

    gain(o) = mean_t [ log p(x_t | o, x_<t) - log p(x_t | the tokenizer's opening, x_<t) ]

over the same tokens, all but the first of each text. The tokenizer's own opening stays unless the
gain is clear: at least 0.1 nats a token (perplexity a tenth lower) and four standard errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.corpus.records import Record
from sanilens.model.align import encode, start_tokens
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import token_logprobs
from sanilens.model.language_model import LanguageModel

# Enough texts for a clear difference; their beginnings, where a start token is nearest.
_RECORDS, _TOKENS = 32, 256
_LEAST_GAIN, _STANDARD_ERRORS = 0.1, 4.0


@dataclass(frozen=True, slots=True)
class Tried:
    """One opening: its tokens, how they are written, and the corpus's perplexity after it.

    The perplexity is NaN where nothing was compared.
    """

    tokens: tuple[int, ...]
    name: str
    perplexity: float


@dataclass(frozen=True, slots=True)
class Opening:
    """How a model reads texts, and why.

    Attributes:
        own: as its tokenizer opens them.
        chosen: as it is taken to have been trained.
        records: of how many the openings were compared on; 0 where there was nothing to compare.
    """

    own: Tried
    chosen: Tried
    records: int

    @property
    def changed(self) -> bool:
        """Whether the tokenizer's own opening is not the model's."""
        return self.chosen.tokens != self.own.tokens

    def of(self, model: LanguageModel) -> LanguageModel:
        """The model, or one to compare with it, reading this way."""
        return replace(model, opening=self.chosen.tokens if self.changed else None)

    @property
    def sentence(self) -> str:
        """What stands before each text, and why."""
        if not self.changed:
            return f"Each text is read after {self.own.name or 'nothing'}, as the tokenizer has it."
        if not self.own.tokens:
            how = f"after {self.chosen.name}, which the tokenizer does not put there"
        elif not self.chosen.tokens:
            how = f"without {self.own.name}, which the tokenizer puts before it"
        else:
            how = f"after {self.chosen.name}, where the tokenizer puts {self.own.name}"
        return (
            f"Each text is read {how}: the model was trained so (perplexity "
            f"{self.chosen.perplexity:.2f} so, {self.own.perplexity:.2f} as the tokenizer has it, "
            f"on {self.records} records)."
        )


@torch.inference_mode()
def find_opening(model: LanguageModel, records: Sequence[Record]) -> Opening:
    """Compare the openings that a model's texts may have had, on some of `records`.

    A masked model keeps its tokenizer's.
    """
    model = replace(model, opening=None)
    step = max(1, -(-len(records) // _RECORDS))
    begun = [Record(r.id, r.subject, r.text[: 16 * _TOKENS]) for r in records[::step]]
    read = [encode(model, record) for record in begun]
    own = read[0].ids[: read[0].opening] if read else ()
    # Cut so that the same tokens are asked for whatever opens them.
    most = min(_TOKENS, model.max_tokens - max(1, len(own)))
    texts = [e.ids[e.opening :][:most] for e in read]
    texts = [ids for ids in texts if len(ids) > 1]
    if model.kind == "masked" or not texts:
        tried = Tried(own, _name(model, own), float("nan"))
        return Opening(tried, tried, 0)
    mine = _logprobs(model, own, texts)
    best = usual = Tried(own, _name(model, own), _perplexity(mine))
    least = _LEAST_GAIN
    for other in [(), *((token,) for token in start_tokens(model))]:
        if other == own:
            continue
        found = _logprobs(model, other, texts)
        gain = found - mine
        error = float(gain.std()) / len(gain) ** 0.5
        if float(gain.mean()) >= max(least, _STANDARD_ERRORS * error):
            least = float(gain.mean())
            best = Tried(other, _name(model, other), _perplexity(found))
    return Opening(usual, best, len(texts))


def _logprobs(
    model: LanguageModel, opening: tuple[int, ...], texts: Sequence[tuple[int, ...]]
) -> Float[Tensor, " token"]:
    """Log-probability of each token of the texts but their first, in nats, in order."""
    read = [(*opening, *ids) for ids in texts]
    found: dict[int, Tensor] = {}
    for batch in bucketed([len(ids) for ids in read], token_budget(model)):
        places = [
            (row, column)
            for row, i in enumerate(batch)
            for column in range(len(opening) + 1, len(read[i]))
        ]
        ids = pad_right([read[i] for i in batch], model.device)
        rows, columns = torch.tensor(places, device=model.device).T
        logprobs = token_logprobs(model, ids, rows, columns).double().cpu()
        for row, i in enumerate(batch):
            found[i] = logprobs[(rows == row).cpu()]
    return torch.cat([found[i] for i in range(len(texts))])


def _perplexity(logprobs: Float[Tensor, " token"]) -> float:
    return float((-logprobs.mean()).exp())


def _name(model: LanguageModel, tokens: tuple[int, ...]) -> str:
    names = model.tokenizer.convert_ids_to_tokens(list(tokens))
    return " ".join(map(str, names))
