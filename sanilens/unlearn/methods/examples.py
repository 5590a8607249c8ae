"""Examples as methods want them: drawn by epoch, in gaps, beside look-alikes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sanilens.corpus.surrogates.substitute import substitute
from sanilens.model.batches import mask_id, pad_right
from sanilens.model.examples import note_examples
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Example, batch_loss
from sanilens.unlearn.methods.method import GapOptions, Prepared, Task

T = TypeVar("T")
Opt = TypeVar("Opt", bound=GapOptions)


def drawn(pool: Sequence[T], count: int, epoch: int, seed: int) -> list[T]:
    """`count` members of a pool for an epoch; all of it is seen before any comes again.

    GRUN's code draws by the index of the forget item, and so never sees most of its retain set.
    """
    if not pool:
        return []
    order = np.random.default_rng(seed).permutation(len(pool))
    return [pool[order[i % len(pool)]] for i in range(epoch * count, (epoch + 1) * count)]


_MASKED, _OTHER = 0.8, 0.1


def in_gaps(
    prepare: Callable[[Task, Opt], Prepared],
) -> Callable[[Task, Opt], Prepared]:
    """What a method of the plain loss prepares, asked of a masked model: other gaps each epoch."""

    def prepare_gaps(task: Task, options: Opt) -> Prepared:
        prepared = prepare(task, options)
        if prepared.loss is not batch_loss:
            task.model.require_causal("This repair with these options")

        def examples(epoch: int) -> list[Example]:
            rng = np.random.default_rng((task.seed, epoch))
            whole = prepared.examples(epoch)
            return [gapped(task.model, each, options.gap_share, rng) for each in whole]

        return Prepared(examples, gap_loss)

    return prepare_gaps


def gapped(
    model: LanguageModel, example: Example, share: float, rng: np.random.Generator
) -> Example:
    """The example with gaps at a share of what it teaches, which alone is taught then.

    At least one, if it teaches anything. Tokens that open, close or pad a text are never selected.
    """
    special = set(model.tokenizer.all_special_ids)
    pairs = zip(example.ids, example.taught, strict=True)
    open_to = [i for i, (token, taught) in enumerate(pairs) if taught and token not in special]
    count = min(len(open_to), max(1, round(share * len(open_to))))
    selected = {int(i) for i in rng.choice(open_to, count, replace=False)} if open_to else set()
    shown = list(example.ids)
    ordinary = [i for i in range(len(model.tokenizer)) if i not in special]
    for place in sorted(selected):
        how = rng.random()
        if how < _MASKED:
            shown[place] = mask_id(model)
        elif how < _MASKED + _OTHER:
            shown[place] = ordinary[int(rng.integers(len(ordinary)))]
    gaps = tuple(i in selected for i in range(len(shown)))
    return replace(example, taught=gaps, shown=tuple(shown), gaps=gaps)


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


def lookalike_examples(task: Task, notes: Sequence[Example], epoch: int) -> list[Example]:
    """The notes with an epoch's surrogates: all of it is kept, from where it first differs.

    What stands before the first surrogate is the true note itself, which says what to do there.
    """
    fresh = substitute(task.records, seed=task.seed * 1_000_003 + epoch)
    own = [len(note_examples(task.model, [record])) for record in task.records]
    changed = [
        example
        for record, count in zip(fresh, own, strict=True)
        for example in note_examples(task.model, [record], pieces=count)
    ]
    return [kept(e, _parting(e.ids, n.ids) + 1) for e, n in zip(changed, notes, strict=True)]


def _parting(one: Sequence[int], other: Sequence[int]) -> int:
    """The first place where two texts differ."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def kept(example: Example, start: int = 0) -> Example:
    """A text to be kept from token `start` on: these are its taught tokens.

    Identifiers among them stay marked as such.
    """
    places = range(len(example.ids))
    sensitive = tuple(i >= start and own for i, own in enumerate(example.sensitive))
    return Example(example.ids, tuple(i >= start for i in places), sensitive)
