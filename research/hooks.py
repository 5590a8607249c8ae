"""What hooks cost: all MLP sites captured, against the bare forward pass."""

from collections.abc import Sequence

import torch

from research.timing import median_ratio, paired_seconds
from sanilens.corpus.records import Record
from sanilens.model.align import encode
from sanilens.model.batches import pad_right
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.language_model import LanguageModel


@torch.inference_mode()
def bench_hooks(
    model: LanguageModel, records: Sequence[Record], runs: int = 30
) -> dict[str, float]:
    """Median ratio of a forward with a hook on every MLP to one without."""
    ids = pad_right([encode(model, r).ids for r in records[:8]], model.device)
    seen: list[int] = []

    def look(x: torch.Tensor) -> None:
        seen.append(x.shape[-1])

    hooks = Hooks({mlp.out: look for mlp in model.sites.mlps})

    def bare() -> None:
        model.module(input_ids=ids, use_cache=False)

    def with_hooks() -> None:
        seen.clear()
        with hooked(model.module, hooks):
            model.module(input_ids=ids, use_cache=False)

    first, second = paired_seconds(bare, with_hooks, runs)
    return {"overhead": median_ratio(first, second) - 1, "sites": len(seen), "n": runs}
