"""Which features carry the spans: how they fire there, and what they add to the log-probability.

Positions that predict or hold target tokens are compared with as many drawn from the rest of the
same records.

    precision    share of a feature's activation that falls on the targets (of both sets)
    recall       share of target positions on which it fires
    AUROC        probability that a target position activates it more than a control position
    ratio        (n_T + 1/2) / (n_C + 1/2), firings on targets and on controls
    attribution  sum over all positions of f * dlog p(spans)/df: to first order, what log p loses
                 without it
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.audit.targets import Scope, TargetBatch, find_targets
from sanilens.corpus.records import Record
from sanilens.dictionaries.reading import feature_activations, read_site
from sanilens.dictionaries.sae.sae import Sae
from sanilens.model.align import encode
from sanilens.model.forward import logits_at
from sanilens.model.language_model import LanguageModel


def score_features(
    model: LanguageModel,
    sae: Sae,
    records: Sequence[Record],
    scope: Scope | None = None,
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """A row a feature: `unit, precision, recall, auroc, ratio, firing, attribution`.

    Strongest attribution first.

    Raises:
        PlanError: if no span is in scope.
    """
    scope = scope or Scope()
    targets = find_targets(model, records, scope)
    own = {p.record.id for p, _ in targets.passages}
    chosen = [record for record in records if record.id in own]
    read = read_site(model, sae.site, chosen)
    positive = _in_scope(model, chosen, scope, read.record, read.position)
    rng = np.random.default_rng(seed)
    free = np.flatnonzero(~positive & ~read.sensitive)
    control = rng.choice(free, min(len(free), int(positive.sum())), replace=False)
    on = feature_activations(sae, read.values[torch.from_numpy(positive)]).numpy()
    off = feature_activations(sae, read.values[torch.from_numpy(np.sort(control))]).numpy()
    fires_on, fires_off = (on > 0).sum(0), (off > 0).sum(0)
    mass_on, mass_off = on.sum(0), off.sum(0)
    table = pd.DataFrame(
        {
            "unit": [f"sae.{sae.id}.{i}" for i in range(sae.width)],
            "feature": np.arange(sae.width),
            "precision": mass_on / np.maximum(mass_on + mass_off, 1e-12),
            "recall": fires_on / max(1, len(on)),
            "auroc": _auroc(on, off),
            "ratio": (fires_on + 0.5) / (fires_off + 0.5),
            "firing": (fires_on + fires_off) / max(1, len(on) + len(off)),
            "attribution": attribution(model, sae, records, scope).numpy(),
        }
    )
    return table.sort_values("attribution", ascending=False, ignore_index=True)


def attribution(
    model: LanguageModel, sae: Sae, records: Sequence[Record], scope: Scope
) -> Float[Tensor, " feature"]:
    """sum_t f_t * d log p(spans) / d f_t of every feature, in nats."""
    total = torch.zeros(sae.width)
    for batch in find_targets(model, records, scope).batches():
        values, gradient = _at_site(model, sae, batch)
        with torch.no_grad():
            slopes = gradient @ sae.module.W_dec.T.to(gradient)
            total += (sae.features(values) * slopes)[:, 1:].sum((0, 1)).cpu()
    return total


def _at_site(
    model: LanguageModel, sae: Sae, batch: TargetBatch
) -> tuple[Float[Tensor, "batch pos d"], Float[Tensor, "batch pos d"]]:
    found: list[Tensor] = []

    def capture(x: Tensor) -> Tensor:
        x = x if x.requires_grad else x.detach().requires_grad_()
        found.append(x)
        return x

    hooks = sae.site.hooks(model.sites, capture)
    with torch.enable_grad():
        logits = logits_at(model, batch.ids, batch.rows, batch.columns - 1, hooks)
        said = logits.log_softmax(-1).gather(1, batch.tokens[:, None]).sum()
        (gradient,) = torch.autograd.grad(said, found)
    return found[0].detach(), gradient


def _in_scope(
    model: LanguageModel,
    records: Sequence[Record],
    scope: Scope,
    record: np.ndarray,
    position: np.ndarray,
) -> np.ndarray:
    """Which of the tokens that were read predict, or are part of, a span in scope."""
    marked: list[np.ndarray] = []
    for number, each in enumerate(records):
        encoded = encode(model, each)
        own = np.zeros(len(encoded.ids), bool)
        for span in encoded.spans:
            if scope.holds(each, each.span_id(span.span), span.span.label):
                own[max(0, span.start - 1) : span.end] = True
        marked.append(own[position[record == number]])
    return np.concatenate(marked)


def _auroc(
    on: Float[np.ndarray, "n feature"], off: Float[np.ndarray, "m feature"]
) -> Float[np.ndarray, " feature"]:
    """Area under the ROC curve of every feature, ties counted half."""
    from scipy.stats import rankdata

    areas = np.full(on.shape[1], 0.5)
    n, m = len(on), len(off)
    for i in np.flatnonzero((on > 0).any(0) | (off > 0).any(0)):
        ranks = rankdata(np.concatenate([on[:, i], off[:, i]]))
        areas[i] = (ranks[:n].sum() - n * (n + 1) / 2) / (n * m)
    return areas
