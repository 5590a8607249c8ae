"""Train a codebook on the examined model, whose own weights stay as they are.

    L = task + w * |out - sg(z)|^2 / v + w * beta * |z - sg(out)|^2 / v

v is the variance of z, so that w means the same at every site. The gradient of the task passes
the choice of codes straight through: to the codes that were chosen, and to z as if out were z.
The second term moves codes to what they stand for, the third (commitment) the autoencoder's
features to their codes; without an autoencoder z is the model's own and stays.

The task is that the model predicts as it does untouched, KL(untouched || with codes) per token,
or the text itself (cross-entropy), which teaches the codes that text too. Codes begin as tokens'
own z and are first moved by the second term alone, over activations that were read once: the
model is not run for that. Codes that stand for no token are moved to where tokens are.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import kl_div

from sanilens.corpus.records import Record, fingerprint
from sanilens.dictionaries.codebook.bottleneck import CodebookQuality, measure_codebook
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.store import (
    CodebookRecord,
    load_codebook,
    refuse_full,
    save_codebook,
    write_record,
)
from sanilens.dictionaries.reading import read_site, shuffled
from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.site import parse_site
from sanilens.errors import PlanError
from sanilens.model.align import encode
from sanilens.model.batches import pad_right
from sanilens.model.forward import logits_at
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import parse_unit

Task = Literal["model", "text"]
_RENEW_EVERY = 50


@dataclass(frozen=True, slots=True)
class CodebookSettings:
    """How to train.

    Attributes:
        site: TransformerLens's name of the activation; the attention's output as published.
        codes: how many codes.
        k: how many stand for a token.
        warm_steps: steps of the codes alone, over activations; `warm_tokens` a step.
        steps: steps through the model; `batch_size` records a step.
        task: predict as the model does, or predict the text.
        reconstruction, commitment: w and beta of the loss.
        learning_rate: of Adam; it falls to a tenth.
        seed: of codes and order.
    """

    site: str
    codes: int = 1024
    k: int = 8
    warm_steps: int = 300
    warm_tokens: int = 512
    steps: int = 40
    batch_size: int = 8
    task: Task = "model"
    reconstruction: float = 0.1
    commitment: float = 0.25
    learning_rate: float = 2e-3
    seed: int = 0


@dataclass(frozen=True, slots=True)
class CodebookStep:
    """A step done, of the codes alone (`warm`) or through the model, and its loss."""

    warm: bool
    number: int
    of: int
    loss: float


OnStep = Callable[[CodebookStep], None]


def train_codebook(
    model: LanguageModel,
    records: Sequence[Record],
    held_out: Sequence[Record],
    settings: CodebookSettings,
    folder: Path,
    codebook_id: str,
    sae: Sae | None = None,
    on_step: OnStep = lambda _step: None,
) -> tuple[Codebook, CodebookQuality]:
    """Train on `records`, judge on `held_out`, and write it to `folder`.

    Args:
        model: the examined model; its weights are not changed.
        records: text to train on.
        held_out: text to judge it on.
        settings: how.
        folder: a new folder.
        codebook_id: its name.
        sae: an autoencoder of the site whose features are quantised; a copy is trained along.
            None: the activation itself.
        on_step: hears of each step; what it raises ends the training, and nothing is written.

    Raises:
        PlanError: if the site, the id or a setting is impossible.
        ModelError: if `folder` holds something already.
    """
    site = parse_site(settings.site)
    site.check(model.sites)
    parse_unit(f"sae.{codebook_id}.0")  # the same rule for names
    refuse_full(folder)
    if settings.k > settings.codes:
        raise PlanError(f"k {settings.k} is more than the number of codes, {settings.codes}.")
    if sae is not None and sae.site != site:
        raise PlanError(f"sae.{sae.id} reads {sae.site}; the codebook is to stand at {site}.")
    values = read_site(model, site, records).values
    codebook = _fresh(model, values, settings, codebook_id, sae)
    with torch.enable_grad():
        _warm_(codebook, values, settings, on_step)
        _tune_(model, codebook, records, settings, on_step)
    trained = replace(codebook, codes=codebook.codes.detach())
    record = CodebookRecord(
        schema_version=1,
        id=codebook_id,
        site=str(site),
        model_sha256=model.fingerprint,
        corpus_sha256=fingerprint(tuple(records)),
        codes=trained.size,
        width=trained.codes.shape[1],
        k=settings.k,
        sae=sae is not None,
        settings=asdict(settings),
        quality={},
    )
    save_codebook(trained, record, folder)
    loaded = load_codebook(folder, model)
    quality = measure_codebook(model, loaded, held_out)
    write_record(folder, record.model_copy(update={"quality": quality.figures()}))
    return loaded, quality


def _fresh(
    model: LanguageModel,
    values: Float[Tensor, "token d"],
    settings: CodebookSettings,
    codebook_id: str,
    sae: Sae | None,
) -> Codebook:
    """A codebook whose codes are tokens' own z, each drawn once while there are enough."""
    own = replace(sae, module=copy.deepcopy(sae.module)) if sae else None
    width = sae.width if sae else values.shape[1]
    centre = torch.zeros(width) if sae else values.mean(0)
    generator = torch.Generator().manual_seed(settings.seed)
    order = torch.randperm(len(values), generator=generator)
    picked = order.repeat(-(-settings.codes // len(order)))[: settings.codes]
    empty = Codebook(
        codebook_id,
        parse_site(settings.site),
        torch.zeros(settings.codes, width, device=model.device),
        centre.to(model.device),
        settings.k,
        own,
    )
    codes = nn.Parameter(empty.latent(values[picked].to(model.device)).detach().clone())
    return replace(empty, codes=codes)


def _warm_(
    codebook: Codebook,
    values: Float[Tensor, "token d"],
    settings: CodebookSettings,
    on_step: OnStep,
) -> None:
    """Move the codes to what they stand for, and renew those that stand for nothing."""
    optimiser = torch.optim.Adam([codebook.codes], lr=settings.learning_rate)
    used = torch.zeros(codebook.size, dtype=torch.bool, device=codebook.codes.device)
    batches = shuffled(values, settings.warm_tokens, settings.seed)
    for step in range(1, settings.warm_steps + 1):
        with torch.no_grad():
            z = codebook.latent(next(batches).to(codebook.codes.device))
        chosen = codebook.choose(z)
        loss = (codebook.quantised(chosen) - z).square().sum(-1).mean() / _variance(z)
        _step(optimiser, loss, settings.learning_rate, step, settings.warm_steps)
        used[chosen.codes.flatten()] = True
        if step % _RENEW_EVERY == 0 and step < settings.warm_steps:
            _renew_(codebook.codes, used, z)
            used.zero_()
        on_step(CodebookStep(True, step, settings.warm_steps, loss.item()))


@torch.no_grad()
def _renew_(codes: Tensor, used: Tensor, z: Float[Tensor, "token width"]) -> None:
    """Put codes that stood for nothing where tokens are."""
    unused = (~used).nonzero().flatten()[: len(z)]
    codes[unused] = z[: len(unused)]


def _tune_(
    model: LanguageModel,
    codebook: Codebook,
    records: Sequence[Record],
    settings: CodebookSettings,
    on_step: OnStep,
) -> None:
    """Train codes, and the autoencoder, through the model."""
    parameters = [codebook.codes]
    if codebook.sae is not None:
        codebook.sae.module.requires_grad_(True)
        parameters += list(codebook.sae.module.parameters())
    # The codes have been warmed: what is left is to adapt them to what the model makes of them.
    optimiser = torch.optim.Adam(parameters, lr=settings.learning_rate / 2)
    batches = _batches(model, records, settings)
    for step in range(1, settings.steps + 1):
        loss = _loss(model, codebook, next(batches), settings)
        _step(optimiser, loss, settings.learning_rate / 2, step, settings.steps)
        on_step(CodebookStep(False, step, settings.steps, loss.item()))
    if codebook.sae is not None:
        codebook.sae.module.requires_grad_(False)


def _step(
    optimiser: torch.optim.Optimizer, loss: Tensor, rate: float, step: int, steps: int
) -> None:
    """One step; the learning rate falls linearly to a tenth."""
    for group in optimiser.param_groups:
        group["lr"] = rate * (1 - 0.9 * step / steps)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def _batches(
    model: LanguageModel, records: Sequence[Record], settings: CodebookSettings
) -> Iterator[list[tuple[int, ...]]]:
    """Token ids of some records at a time, without end, in a new order each time round."""
    texts = [encode(model, record).ids[: model.max_tokens] for record in records]
    texts = [ids for ids in texts if len(ids) > 1]
    generator = torch.Generator().manual_seed(settings.seed + 1)
    while True:
        order = torch.randperm(len(texts), generator=generator).tolist()
        for start in range(0, len(order), settings.batch_size):
            yield [texts[i] for i in order[start : start + settings.batch_size]]


def _loss(
    model: LanguageModel,
    codebook: Codebook,
    texts: Sequence[tuple[int, ...]],
    settings: CodebookSettings,
) -> Float[Tensor, ""]:
    ids = pad_right(texts, model.device)
    places = [(row, column) for row, text in enumerate(texts) for column in range(len(text) - 1)]
    rows, columns = torch.tensor(places, device=model.device).T
    added: list[Tensor] = []

    def edit(x: Float[Tensor, "batch pos d"]) -> Float[Tensor, "batch pos d"]:
        z = codebook.latent(x)
        out = codebook.quantised(codebook.choose(z))
        to_codes = (out - z.detach()).square().sum(-1)
        to_features = (z - out.detach()).square().sum(-1)
        error = to_codes + settings.commitment * to_features
        inside = error[rows, columns]
        added.append(inside.mean() / _variance(z[rows, columns].detach()))
        made = codebook.decode(out + z - z.detach())
        return torch.cat([x[:, :1], made[:, 1:]], 1)

    logits = logits_at(model, ids, rows, columns, codebook.site.hooks(model.sites, edit))
    task = _task(model, ids, rows, columns, logits.log_softmax(-1), settings.task)
    return task + settings.reconstruction * added[0]


def _task(
    model: LanguageModel,
    ids: Int[Tensor, "batch pos"],
    rows: Int[Tensor, " n"],
    columns: Int[Tensor, " n"],
    logprobs: Float[Tensor, "n vocab"],
    task: Task,
) -> Float[Tensor, ""]:
    if task == "text":
        return -logprobs.gather(1, ids[rows, columns + 1, None]).mean()
    with torch.no_grad():
        untouched = logits_at(model, ids, rows, columns).log_softmax(-1)
    return kl_div(logprobs, untouched, reduction="batchmean", log_target=True)


def _variance(z: Float[Tensor, "token width"]) -> Float[Tensor, ""]:
    return (z - z.mean(0)).square().sum(-1).mean().clamp(min=1e-9)
