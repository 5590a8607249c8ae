"""Batches of token sequences, alike in length and bounded in tokens; padding, and gaps to fill."""

from collections.abc import Collection, Iterator, Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from sanilens.model.language_model import LanguageModel

TOKENS_PER_BATCH = 4096


def bucketed(lengths: Sequence[int], tokens: int = TOKENS_PER_BATCH) -> Iterator[list[int]]:
    """Indices into `lengths`, longest first, in batches of at most `tokens` padded tokens.

    Longest first: the first batch is the one that needs the most memory, so a run that does not
    fit fails at its start.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    batch: list[int] = []
    for i in order:
        if batch and lengths[batch[0]] * (len(batch) + 1) > tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def pad_right(
    sequences: Sequence[Sequence[int]], device: torch.device, value: int = 0
) -> Int[Tensor, "batch pos"]:
    """Stack sequences, padded on the right, where a causal model cannot see the padding."""
    width = max(map(len, sequences))
    rows = [[*sequence, *[value] * (width - len(sequence))] for sequence in sequences]
    return torch.tensor(rows, dtype=torch.long, device=device)


def token_budget(model: LanguageModel) -> int:
    """How many padded tokens a batch may have to keep its spans' logits under about 512 MB."""
    vocabulary = model.module.config.get_text_config().vocab_size
    return max(256, min(TOKENS_PER_BATCH, 2**27 // vocabulary))


def mask_id(model: LanguageModel) -> int:
    """The token that stands for a gap; loading has seen to it that a masked model has one."""
    found = model.tokenizer.mask_token_id
    assert isinstance(found, int)
    return found


def with_gaps(model: LanguageModel, ids: Sequence[int], places: Collection[int]) -> list[int]:
    """The same tokens with the mask token at `places`."""
    gap, hidden = mask_id(model), set(places)
    return [gap if i in hidden else token for i, token in enumerate(ids)]


def body(model: LanguageModel, ids: Sequence[int]) -> range:
    """Positions of the text: all but the tokenizer's opening and closing token ([CLS], [SEP])."""
    tokenizer = model.tokenizer
    first = 1 if len(ids) and ids[0] == tokenizer.cls_token_id else 0
    closed = len(ids) > first and ids[-1] == tokenizer.sep_token_id
    return range(first, len(ids) - closed)


def window(model: LanguageModel, ids: Sequence[int], places: range) -> tuple[int, ...]:
    """Tokens at `places` of the text, opened and closed as the whole is."""
    text = body(model, ids)
    return (*ids[: text.start], *ids[places.start : places.stop], *ids[text.stop :])


def around(
    model: LanguageModel, ids: Sequence[int], span: range, side_tokens: int | None = None
) -> tuple[range, range]:
    """The places of a text that are shown around a span, and which of the span's are among them.

    As many as fit the model, or `side_tokens` on each side; of a longer span the end.
    """
    text = body(model, ids)
    room = model.max_tokens - (len(ids) - len(text))
    start = max(span.start, span.stop - room)
    sides = len(text) if side_tokens is None else side_tokens
    low, high = max(text.start, start - sides), min(text.stop, span.stop + sides)
    # As much on one side as on the other, unless one of them is shorter.
    first = max(low, min(start - (room - (span.stop - start)) // 2, high - room))
    return range(first, min(high, first + room)), range(start, span.stop)


def gap(
    model: LanguageModel, ids: Sequence[int], span: range, open_to: Collection[int]
) -> tuple[tuple[int, ...], list[int]]:
    """The text around a span, and where in it those of the span's tokens are that are `open_to`."""
    kept, own = around(model, ids, span)
    moved = body(model, ids).start - kept.start
    places = [moved + i for i in own if i - span.start in open_to]
    return window(model, ids, kept), places
