"""Pseudo-perplexity of masked language models: every token read once from behind a mask.

    exp( -(1/n) sum_i log p(x_i | x without M(i)) ),   M(i) the seventh of the text that holds i

Salazar et al. (arXiv 1910.14659) mask one token at a time, which costs a forward pass per token;
a seventh at a time is the share that such models are trained with (15 %), costs seven passes a
text, and reads every token once, so that two models differ by their weights alone. The sevenths
are drawn from a fixed seed and the text's length.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from sanilens.corpus.records import Record
from sanilens.model.align import Encoded, encode
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.hooks import Hooks
from sanilens.model.masks import body, window, with_gaps
from sanilens.model.subject import SubjectModel

SHARES = 7
_SEED = 0


@torch.inference_mode()
def masked_nats(
    subject: SubjectModel, records: Sequence[Record], *, without_spans: bool, hooks: Hooks
) -> tuple[float, int]:
    """Summed negative log-likelihood of the records' tokens, in nats, and their number.

    Args:
        subject: the masked model.
        records: the texts; one longer than the model's context is cut into pieces.
        without_spans: sensitive tokens are shown, and never asked for.
        hooks: what to edit meanwhile.
    """
    asked = [
        share for r in records for share in _shares(subject, encode(subject, r), without_spans)
    ]
    total, tokens = 0.0, 0
    for batch in bucketed([len(ids) for ids, _ in asked], token_budget(subject)):
        shown = [with_gaps(subject, *asked[i]) for i in batch]
        places = [(row, place) for row, i in enumerate(batch) for place in asked[i][1]]
        rows, columns = torch.tensor(places, device=subject.device).T
        ids = pad_right(shown, subject.device)
        logits = logits_at(subject, ids, rows, columns, hooks, lengths=[*map(len, shown)])
        true = pad_right([asked[i][0] for i in batch], subject.device)[rows, columns]
        total -= float(logits.log_softmax(-1).gather(1, true[:, None]).double().sum())
        tokens += len(places)
    return total, tokens


def _shares(
    subject: SubjectModel, encoded: Encoded, without_spans: bool
) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """Pieces of a record and the positions to be masked in each, as often as it is read."""
    hidden = {i for s in encoded.spans for i in range(s.start, s.end)} if without_spans else set()
    text = body(subject, encoded.ids)
    size = subject.max_tokens - (len(encoded.ids) - len(text))
    for first in range(text.start, text.stop, size):
        piece = range(first, min(first + size, text.stop))
        ids = window(subject, encoded.ids, piece)
        order = np.random.default_rng((_SEED, len(piece))).permutation(len(piece))
        for share in range(SHARES):
            own = sorted(int(k) for k in order[share::SHARES] if first + int(k) not in hidden)
            if own:
                yield ids, [k + text.start for k in own]
