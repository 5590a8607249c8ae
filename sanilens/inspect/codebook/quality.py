"""How good a codebook is: what it leaves out, and what the model loses when it stands in.

    explained variance = 1 - sum |x - x'|^2 / sum |x - mean x|^2
    cross-entropy recovered = (CE_zero - CE_codes) / (CE_zero - CE_model)

CE_codes is the model's cross-entropy with codes in the place of x, CE_zero with 0.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch

from sanilens.audit.utility import perplexity
from sanilens.corpus.records import Record
from sanilens.inspect.codebook.bottleneck import bottleneck
from sanilens.inspect.codebook.codebook import Codebook
from sanilens.inspect.sae.reading import read_site
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.subject import SubjectModel

# Above this the bottleneck alone costs more than a deletion may.
MAX_RATIO = 1.05


@dataclass(frozen=True, slots=True)
class CodebookQuality:
    """Figures of a codebook over some records.

    Attributes:
        explained_variance, ce_recovered: see the module.
        perplexity_ratio: perplexity with codes over that of the untouched model.
        dead: share of codes that stand for no token.
        tokens: how many it was measured on.
    """

    explained_variance: float
    ce_recovered: float
    perplexity_ratio: float
    dead: float
    tokens: int

    def figures(self) -> dict[str, float | None]:
        """All figures by name; None for what is not a number."""
        return {name: value if value == value else None for name, value in asdict(self).items()}


@torch.inference_mode()
def measure_codebook(
    subject: SubjectModel, codebook: Codebook, records: Sequence[Record]
) -> CodebookQuality:
    """Judge `codebook` on `records`; better ones that it was not trained on."""
    x = read_site(subject, codebook.site, records).values
    rebuilt, used = torch.empty_like(x), torch.zeros(codebook.size, dtype=torch.bool)
    for start in range(0, len(x), 2048):
        chosen = codebook.choose(codebook.latent(x[start : start + 2048].to(subject.device)))
        rebuilt[start : start + 2048] = codebook.decode(codebook.quantised(chosen)).float().cpu()
        used[chosen.codes.flatten().cpu()] = True

    def nats(hooks: Hooks) -> float:
        return perplexity(subject, records, hooks=hooks).nats

    whole, codes = nats(NO_HOOKS), nats(bottleneck(subject, codebook))
    nothing = nats(codebook.site.hooks(subject.sites, torch.zeros_like))
    unexplained = (x - rebuilt).square().sum() / (x - x.mean(0)).square().sum()
    return CodebookQuality(
        explained_variance=float(1 - unexplained),
        ce_recovered=(nothing - codes) / (nothing - whole),
        perplexity_ratio=float(torch.tensor(codes - whole).exp()),
        dead=float((~used).float().mean()),
        tokens=len(x),
    )
