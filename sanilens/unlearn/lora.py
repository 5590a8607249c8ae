"""Low-rank additions: W + (alpha / r) B A beside every frozen projection of the blocks.

Hu et al., arXiv 2106.09685, with peft; alpha = 2 r, B begins as 0. Embeddings and norms stay.
"""

from collections.abc import Callable

import torch
from transformers.pytorch_utils import Conv1D

from sanilens.model.language_model import LanguageModel


def add_lora_(model: LanguageModel, rank: int, seed: int) -> Callable[[], None]:
    """Put additions into the model, trainable while the rest is frozen; the result merges them.

    Until they are merged, the projections' own weights are bit-identical to what they were.

    Args:
        model: the model, which keeps its module paths.
        rank: of each addition.
        seed: of the first values of A.
    """
    # Imported here: only low-rank training needs it.
    from peft import LoraConfig, get_peft_model

    sites = model.sites
    paths = [p for s in (*sites.mlps, *sites.attentions) for p in (*s.reads, s.out)]
    transposed = isinstance(model.module.get_submodule(paths[0]), Conv1D)
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        target_modules=paths,
        fan_in_fan_out=transposed,
        lora_dropout=0.0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        adapted = get_peft_model(model.module, config)
    adapted.eval()

    def merge() -> None:
        adapted.merge_and_unload()

    return merge
