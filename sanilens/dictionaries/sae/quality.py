"""How good an autoencoder is: what it leaves out, and what the model loses when it stands in.

    explained variance = 1 - sum ||x - x'||^2 / sum ||x - mean x||^2
    cross-entropy recovered = (CE_zero - CE_sae) / (CE_zero - CE_model)

CE_sae is the model's cross-entropy with x' in the place of x, CE_zero with 0.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from sanilens.audit.perplexity import perplexity
from sanilens.corpus.records import Record
from sanilens.dictionaries.reading import feature_activations, read_site
from sanilens.dictionaries.sae.sae import Sae
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel

# Under these an autoencoder's features say too little about the model to be acted on.
MIN_EXPLAINED, MAX_DEAD, MIN_RECOVERED = 0.95, 0.2, 0.95


@dataclass(frozen=True, slots=True)
class SaeQuality:
    """Figures of an autoencoder over some records.

    Attributes:
        explained_variance, ce_recovered: see the module.
        l0: how many features fire at a token, on average.
        dead: share of features that never fire.
        error_sensitive, error_other: ||x - x'|| / ||x||, mean over sensitive and other tokens.
        tokens: how many it was measured on.
    """

    explained_variance: float
    l0: float
    dead: float
    ce_recovered: float
    error_sensitive: float
    error_other: float
    tokens: int

    def warnings(self) -> list[str]:
        """What is wrong with it, if anything is."""
        found = []
        if self.explained_variance < MIN_EXPLAINED:
            found.append(f"explains {self.explained_variance:.3f} of the variance, under 0.95")
        if self.dead > MAX_DEAD:
            found.append(f"{self.dead:.0%} of its features never fire, over 20 %")
        if self.ce_recovered < MIN_RECOVERED:
            found.append(f"recovers {self.ce_recovered:.3f} of the cross-entropy, under 0.95")
        return found

    def figures(self) -> dict[str, float]:
        """All figures by name."""
        return asdict(self)


@torch.inference_mode()
def measure_quality(model: LanguageModel, sae: Sae, records: Sequence[Record]) -> SaeQuality:
    """Judge `sae` on `records`, preferably some that it was not trained on."""
    read = read_site(model, sae.site, records)
    features = feature_activations(sae, read.values)
    rebuilt = sae.reconstruction(features.to(sae.module.W_dec)).cpu().float()
    x = read.values
    error = (x - rebuilt).norm(dim=1) / x.norm(dim=1).clamp(min=1e-9)
    sensitive = torch.from_numpy(read.sensitive)
    unexplained = (x - rebuilt).square().sum() / (x - x.mean(0)).square().sum()

    def entropy(hooks: Hooks) -> float:
        return perplexity(model, records, hooks=hooks).nats

    whole, with_sae, without = (
        entropy(h) for h in (NO_HOOKS, stand_in(model, sae), silence(model, sae))
    )
    fires = features > 0
    return SaeQuality(
        explained_variance=float(1 - unexplained),
        l0=float(fires.float().sum(1).mean()),
        dead=float((~fires.any(0)).float().mean()),
        ce_recovered=(without - with_sae) / (without - whole),
        error_sensitive=float(error[sensitive].mean()) if sensitive.any() else float("nan"),
        error_other=float(error[~sensitive].mean()),
        tokens=len(x),
    )


def stand_in(model: LanguageModel, sae: Sae) -> Hooks:
    """Hooks that put the reconstruction in the place of every activation but the first token's."""

    def edit(x: Tensor) -> Tensor:
        rebuilt = sae.rebuilt(x).to(x.dtype)
        return torch.cat([x[:, :1], rebuilt[:, 1:]], dim=1)

    return sae.site.hooks(model.sites, edit)


def silence(model: LanguageModel, sae: Sae) -> Hooks:
    """Hooks that put 0 there."""
    return sae.site.hooks(model.sites, torch.zeros_like)
