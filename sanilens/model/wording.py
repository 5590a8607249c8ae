"""How texts go on, whoever they are about: what may stand in the place of free text.

    P(x_t | x_{t-1}) = (c(x_{t-1} x_t) + k u(x_t)) / (c(x_{t-1}) + k)        u(x) = share of x

c counts in texts that stay. A name has surrogates, which tell what of it is form; of a sentence
there are none. What others' texts have after the same word is what can be known of it, and words
drawn so may stand in its place where they are only read.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.corpus.records import Record
from sanilens.model.align import Encoded, encode
from sanilens.model.language_model import LanguageModel

# Of each token's successors so many are as if drawn from all tokens; each token is seen so often.
_PRIOR, _LEAST = 4.0, 0.5


@dataclass(frozen=True, slots=True)
class Wording:
    """Counts of tokens after tokens.

    Attributes:
        after: by token, how often each follows it.
        shares: of each token among all.
    """

    after: dict[int, Counter[int]]
    shares: Float[Tensor, " vocab"]

    def form(self, coded: Encoded, number: int) -> Float[Tensor, "place vocab"]:
        """What may stand at each token of a span, after the true one before it."""
        span = coded.spans[number]
        rows = [self._row(coded.ids[i - 1] if i else None) for i in range(span.start, span.end)]
        return torch.stack(rows)

    def draw(self, model: LanguageModel, prose: str, rng: Random) -> str:
        """Words as they follow each other, as many tokens as `prose` has: nobody's text."""
        ids: list[int] = []
        for _ in model.tokenizer(prose, add_special_tokens=False)["input_ids"]:  # pyright: ignore
            following = self.after.get(ids[-1]) if ids else None
            # At first, and after a text's last word, begin with any that something follows.
            counts = following or {token: own.total() for token, own in self.after.items()}
            if counts:
                ids += rng.choices(list(counts), list(counts.values()))
        return str(model.tokenizer.decode(ids)).strip() or "…"

    def _row(self, token: int | None) -> Float[Tensor, " vocab"]:
        counts = self.after.get(token, Counter()) if token is not None else Counter()
        row = _PRIOR * self.shares
        places = torch.tensor(list(counts), dtype=torch.long, device=row.device)
        row[places] += torch.tensor(list(counts.values()), dtype=row.dtype, device=row.device)
        return row / (counts.total() + _PRIOR)


def wording(model: LanguageModel, records: Sequence[Record]) -> Wording:
    """Count in the records what is not marked: what stands in spans is nobody's example."""
    vocabulary = model.module.config.get_text_config().vocab_size
    after: defaultdict[int, Counter[int]] = defaultdict(Counter)
    seen = torch.full((vocabulary,), _LEAST)
    for coded in (encode(model, record) for record in records):
        marked = {i for span in coded.spans for i in range(span.start, span.end)}
        for i in range(max(1, coded.opening), len(coded.ids)):
            if i not in marked:
                after[coded.ids[i - 1]][coded.ids[i]] += 1
                seen[coded.ids[i]] += 1
    return Wording(dict(after), (seen / seen.sum()).to(model.device))
