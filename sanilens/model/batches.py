"""Batches of token sequences: alike in length, bounded in tokens, padded on the right."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from sanilens.model.subject import SubjectModel

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


def token_budget(subject: SubjectModel) -> int:
    """Padded tokens a batch that keep the logits of its spans under about 512 MB."""
    vocabulary = subject.model.config.get_text_config().vocab_size
    return max(256, min(TOKENS_PER_BATCH, 2**27 // vocabulary))
