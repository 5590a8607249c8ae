"""Run the model through a codebook with some codes deleted: hooks, no training.

    refill, drop, renorm   x' = decode(quantise(x, without D))                      as published
    zero                   x' = x + decode(quantise(x, without D)) - decode(quantise(x))     ours

The published system has no error term: all that passes is codes, so what no code carries is lost
to the model even before a deletion. `zero` empties a deleted code's place as `drop` does and keeps
the error, as zeroing an autoencoder's feature does: no deletion is the identity, the model loses
nothing until something is deleted, but what the codes leave out still passes.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from sanilens.audit.perplexity import perplexity
from sanilens.corpus.records import Record
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.reading import read_site
from sanilens.errors import PlanError
from sanilens.files import open_file
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel

Way = Literal["refill", "drop", "renorm", "zero"]
WAYS: tuple[Way, ...] = get_args(Way)
# On the bundled case it leaves less of a label said than refilling does: `sanilens bench codes`.
USUAL: Way = "drop"


def bottleneck(
    model: LanguageModel,
    codebook: Codebook,
    deleted: Collection[int] = (),
    way: Way = "refill",
) -> Hooks:
    """Hooks under which the site carries codes, without those deleted.

    The first token is left alone: its activation is unlike all others.

    Raises:
        PlanError: if a code does not exist, or fewer than k would be left.
    """
    check_codes(codebook, deleted)

    def edit(x: Float[Tensor, "batch pos d"]) -> Float[Tensor, "batch pos d"]:
        made = codebook.rebuilt(x, deleted, "drop" if way == "zero" else way)
        if way == "zero":
            made = x + (made - codebook.rebuilt(x)).to(x.dtype)
        made = made.to(x.dtype)
        # A single position is a step of generation, not the first token.
        return torch.cat([x[:, :1], made[:, 1:]], 1) if x.shape[1] > 1 else made

    return codebook.site.hooks(model.sites, edit)


def check_codes(codebook: Codebook, deleted: Collection[int]) -> None:
    """Refuse codes that do not exist, and to delete so many that fewer than k are left.

    Raises:
        PlanError: saying which.
    """
    wrong = [code for code in deleted if not 0 <= code < codebook.size]
    if wrong:
        raise PlanError(
            f"code {wrong[0]} does not exist: {codebook.id} has {codebook.size:,} codes, "
            "counted from 0."
        )
    if codebook.size - len(set(deleted)) < codebook.k:
        raise PlanError(
            f"{len(set(deleted)):,} of {codebook.size:,} codes deleted leaves fewer than the "
            f"{codebook.k} that stand for a token. Delete fewer."
        )


MAX_DELETION_BYTES = 2**20


class Deletion(BaseModel):
    """Codes taken out of a codebook, topic after topic; a file that holds no text.

    Attributes:
        codebook: the codebook's id.
        sha256: its fingerprint: codes of another mean something else.
        codes: what is deleted, in order of their number.
        way: how, see the module.
        topics: how many topics that was, one after the other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    codebook: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    codes: tuple[int, ...] = ()
    way: Way = "refill"
    topics: int = 0

    def more(self, codes: Collection[int]) -> "Deletion":
        """The same with another topic's codes gone too."""
        both = tuple(sorted({*self.codes, *codes}))
        return self.model_copy(update={"codes": both, "topics": self.topics + 1})

    def check(self, codebook: Codebook) -> None:
        """Refuse another codebook than the one that these are codes of.

        Raises:
            PlanError: naming the one that was given.
        """
        if self.sha256 != codebook.fingerprint:
            raise PlanError(
                f"these codes were deleted from another codebook than {codebook.id}, or it has "
                "changed since. Find and delete them again."
            )

    def hooks(self, model: LanguageModel, codebook: Codebook) -> Hooks:
        """The model without these codes.

        Raises:
            PlanError: if they are codes of another codebook.
        """
        self.check(codebook)
        return bottleneck(model, codebook, self.codes, self.way)


def no_deletion(codebook: Codebook, way: Way = "refill") -> Deletion:
    """Nothing deleted yet."""
    return Deletion(codebook=codebook.id, sha256=codebook.fingerprint, way=way)


def read_deletion(path: Path) -> Deletion:
    """Read what `codes delete --out` wrote.

    Raises:
        PlanError: if it is not that.
    """
    remedy = "Give the file that `sanilens codes delete --out` wrote."
    with open_file(path, PlanError, remedy=remedy, most=MAX_DELETION_BYTES) as file:
        content = file.read()
    try:
        return Deletion.model_validate_json(content)
    except ValidationError as error:
        field = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, field["loc"])) or "file"
        raise PlanError(f"{path.name}: {where}: {field['msg']}.") from None


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
    model: LanguageModel, codebook: Codebook, records: Sequence[Record]
) -> CodebookQuality:
    """Judge `codebook` on `records`; better ones that it was not trained on."""
    x = read_site(model, codebook.site, records).values
    rebuilt, used = torch.empty_like(x), torch.zeros(codebook.size, dtype=torch.bool)
    for start in range(0, len(x), 2048):
        chosen = codebook.choose(codebook.latent(x[start : start + 2048].to(model.device)))
        rebuilt[start : start + 2048] = codebook.decode(codebook.quantised(chosen)).float().cpu()
        used[chosen.codes.flatten().cpu()] = True

    def nats(hooks: Hooks) -> float:
        return perplexity(model, records, hooks=hooks).nats

    whole, codes = nats(NO_HOOKS), nats(bottleneck(model, codebook))
    nothing = nats(codebook.site.hooks(model.sites, torch.zeros_like))
    unexplained = (x - rebuilt).square().sum() / (x - x.mean(0)).square().sum()
    return CodebookQuality(
        explained_variance=float(1 - unexplained),
        ce_recovered=(nothing - codes) / (nothing - whole),
        perplexity_ratio=float(torch.tensor(codes - whole).exp()),
        dead=float((~used).float().mean()),
        tokens=len(x),
    )
