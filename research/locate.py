"""What locating costs and whether it is right: seconds, exact ablation, and deletion."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from research.timing import median_ratio, paired_seconds
from sanilens.audit.perplexity import perplexity
from sanilens.audit.targets import TargetBatch, find_targets
from sanilens.corpus.records import Record
from sanilens.extras import needs
from sanilens.inspect.locate.deletion_curve import DeletionCurve
from sanilens.inspect.locate.localisers import Settings, find_localiser
from sanilens.model.language_model import LanguageModel

_FAST = "gradient-activation-plain"
# Zeroing every neuron alone reads a record once for each, so agreement is measured on few.
_EXACT_RECORDS, _TIMED_RECORDS, _CAPTUM_RECORDS = 2, 64, 4


def bench_cost(model: LanguageModel, records: Sequence[Record]) -> dict[str, Any]:
    """Seconds of the fast localiser in bare forward passes, and against Captum's layer IG."""
    fast = find_localiser(_FAST)
    timed, few = records[:_TIMED_RECORDS], records[:_CAPTUM_RECORDS]
    forward, ours = paired_seconds(
        lambda: perplexity(model, timed, without_spans=False),
        lambda: fast.score(find_targets(model, timed), Settings()),
        runs=5,
    )
    own, captum = paired_seconds(
        lambda: fast.score(find_targets(model, few), Settings()),
        captum_layer_ig(model, few),
        runs=3,
    )
    return {
        "cost_in_forwards": median_ratio(forward, ours),
        "captum_layer_ig_over_ours": median_ratio(own, captum),
        "captum_steps": 20,
        "records": len(timed),
        "records_captum": len(few),
    }


def captum_layer_ig(model: LanguageModel, records: Sequence[Record]) -> Callable[[], object]:
    """Captum's layer integrated gradients of the same spans: every MLP at once, 20 steps."""
    with needs("research"):
        from captum.attr import LayerIntegratedGradients

    batches = list(find_targets(model, records).batches())
    layers: list[nn.Module] = [model.module.get_submodule(m.out) for m in model.sites.mlps]

    def run() -> None:
        for batch in batches:
            said = _SpanLogprob(model, batch)
            ig = LayerIntegratedGradients(said, layers)  # pyright: ignore
            ig.attribute(
                batch.ids,
                baselines=torch.zeros_like(batch.ids),
                n_steps=20,
                attribute_to_layer_input=True,
                internal_batch_size=len(batch.ids),
            )

    return run


class _SpanLogprob(nn.Module):
    """log p of a batch's target tokens, summed by row: what Captum differentiates."""

    def __init__(self, model: LanguageModel, batch: TargetBatch) -> None:
        super().__init__()
        self._model, self._batch = model, batch

    def forward(self, ids: Tensor) -> Tensor:
        logits = self._model.module(input_ids=ids, use_cache=False).logits
        batch, rows = self._batch, torch.arange(len(ids))
        sums = []
        for row in rows:
            own = batch.columns[batch.rows == row % len(batch.ids)]
            logprobs = logits[row, own - 1].log_softmax(-1)
            sums.append(logprobs.gather(1, ids[row, own, None]).sum())
        return torch.stack(sums)


def bench_agreement(model: LanguageModel, records: Sequence[Record]) -> dict[str, Any]:
    """Spearman correlation with exact zero-out over all neurons of a layer, by localiser."""
    few = records[:_EXACT_RECORDS]
    exact = find_localiser("zero-out").score(find_targets(model, few), Settings()).values
    found: dict[str, Any] = {"records": len(few), "neurons": exact.shape[1]}
    for name in (_FAST, "relp", "integrated-gradients", "alignment"):
        values = find_localiser(name).score(find_targets(model, few), Settings()).values
        found[name] = [
            float(spearmanr(mine, theirs)[0])  # pyright: ignore
            for mine, theirs in zip(values.numpy(), exact.numpy(), strict=True)
        ]
    return found


def bench_locate(
    model: LanguageModel,
    records: Sequence[Record],
    unseen: Sequence[Record],
    *,
    share: float = 0.4,
    seeds: int = 5,
) -> dict[str, Any]:
    """Spans left with `share` of all neurons zeroed, beside random ones of equal perplexity."""
    scores = find_localiser("silencing").score(find_targets(model, records), Settings())
    curve = DeletionCurve(model, records, unseen)
    before = curve.located(scores, 0)
    located = curve.located(scores, round(share * scores.values.numel()))
    matched = curve.matched(scores, located, draws=seeds)
    return {
        "method": scores.method,
        "units": located.units,
        "units_random": matched.random.units,
        "spans_before": before.spans,
        "spans_located": located.spans,
        "spans_random": matched.random.spans,
        "spans_random_min": matched.random_low,
        "spans_random_max": matched.random_high,
        "ratio": matched.ratio,
        "perplexity_before": before.perplexity,
        "perplexity_located": located.perplexity,
        "perplexity_random": matched.random.perplexity,
        "seeds": seeds,
        "cost": bench_cost(model, records),
        "agreement_with_zero_out": bench_agreement(model, records),
    }
