"""Masked language modelling of what a method teaches: gaps, and the loss at them.

    L = -(1/|M|) sum_{i in M} log p(x_i | x without M),   M drawn from { i : x_i is taught }

Of the masked repair nothing sensitive is taught, so that no sensitive token is ever selected: it
stays in sight as context (Boutet and Magnana, arXiv 2510.21322). Of the selected tokens 80 % are
shown as the mask, 10 % as another token and 10 % as they are (Devlin et al., arXiv 1810.04805).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sanilens.model.batches import pad_right
from sanilens.model.masks import mask_id
from sanilens.model.subject import SubjectModel
from sanilens.unlearn.methods.method import GapOptions, Prepared, Task
from sanilens.unlearn.training import Example

_MASKED, _OTHER = 0.8, 0.1


def in_gaps(task: Task, options: GapOptions, prepared: Prepared) -> Prepared:
    """The same examples, asked of a masked language model: other gaps in every epoch."""

    def examples(epoch: int) -> list[Example]:
        rng = np.random.default_rng((task.seed, epoch))
        return [
            gapped(task.subject, each, options.gap_share, rng) for each in prepared.examples(epoch)
        ]

    return Prepared(examples, gap_loss)


def gapped(
    subject: SubjectModel, example: Example, share: float, rng: np.random.Generator
) -> Example:
    """The example with gaps at a share of what it teaches, which alone is taught then.

    At least one, if it teaches anything. Tokens that open, close or pad a text are never selected.
    """
    special = set(subject.tokenizer.all_special_ids)
    pairs = zip(example.ids, example.taught, strict=True)
    open_to = [i for i, (token, taught) in enumerate(pairs) if taught and token not in special]
    count = min(len(open_to), max(1, round(share * len(open_to))))
    selected = {int(i) for i in rng.choice(open_to, count, replace=False)} if open_to else set()
    shown = list(example.ids)
    ordinary = [i for i in range(len(subject.tokenizer)) if i not in special]
    for place in sorted(selected):
        how = rng.random()
        if how < _MASKED:
            shown[place] = mask_id(subject)
        elif how < _MASKED + _OTHER:
            shown[place] = ordinary[int(rng.integers(len(ordinary)))]
    taught = tuple(i in selected for i in range(len(shown)))
    return replace(example, taught=taught, shown=tuple(shown))


def gap_loss(model: nn.Module, batch: Sequence[Example]) -> Float[Tensor, ""]:
    """Mean cross-entropy of the tokens in the gaps of a batch, in nats; 0 where there is none."""
    device = next(model.parameters()).device
    ids = pad_right([e.ids for e in batch], device)
    shown = pad_right([e.shown for e in batch], device)
    taught = pad_right([e.taught for e in batch], device).bool()
    here = pad_right([[1] * len(e.ids) for e in batch], device)
    logits = model(input_ids=shown, attention_mask=here).logits
    if not taught.any():
        return logits.sum() * 0.0
    return cross_entropy(logits[taught].float(), ids[taught])
