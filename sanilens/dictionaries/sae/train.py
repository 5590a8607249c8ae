"""Train an autoencoder on the examined model's own activations, with SAELens's trainer.

The trainer is driven step by step, so that a page can follow the loss and stop it, and nothing of
the library's runner (signals, hub, telemetry) is touched.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from sanilens.atomic import write_text
from sanilens.corpus.records import Record, fingerprint
from sanilens.dictionaries.reading import read_site, shuffled
from sanilens.dictionaries.sae.load import OURS, SaeRecord, load_sae
from sanilens.dictionaries.sae.quality import SaeQuality, measure_quality
from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.site import parse_site
from sanilens.errors import ModelError, PlanError
from sanilens.extras import needs
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import parse_unit

Architecture = Literal["topk", "batchtopk", "jumprelu", "standard"]


@dataclass(frozen=True, slots=True)
class SaeSettings:
    """How to train.

    Attributes:
        site: TransformerLens's name of the activation.
        width: how many features.
        architecture: `topk`, `batchtopk`, `jumprelu` or `standard` (L1).
        k: features that fire at a token, for the first two.
        sparsity: coefficient of the sparsity loss, for the other two.
        steps, batch_size, learning_rate: of Adam; the rate falls to a tenth.
        seed: of weights and order.
    """

    site: str
    width: int = 1536
    architecture: Architecture = "topk"
    k: int = 16
    sparsity: float = 1.0
    steps: int = 3000
    batch_size: int = 1024
    learning_rate: float = 1e-3
    seed: int = 0


@dataclass(frozen=True, slots=True)
class SaeStep:
    """A step done: its number, how many there are, and the training loss."""

    number: int
    of: int
    loss: float


def train_sae(
    model: LanguageModel,
    records: Sequence[Record],
    held_out: Sequence[Record],
    settings: SaeSettings,
    folder: Path,
    sae_id: str,
    on_step: Callable[[SaeStep], None] = lambda _step: None,
) -> tuple[Sae, SaeQuality]:
    """Train on `records`, judge on `held_out`, and write it to `folder`.

    `on_step` hears of each step; what it raises ends the training, and nothing is written.

    Raises:
        PlanError: if the site, the id or a setting is impossible.
        ModelError: if `folder` holds something already.
    """
    site = parse_site(settings.site)
    site.check(model.sites)
    parse_unit(f"sae.{sae_id}.0")  # an id that units can hold
    if folder.exists() and any(folder.iterdir()):
        raise ModelError(f"{folder.name} is not empty. Give another folder.")
    if settings.k > settings.width:
        raise PlanError(f"k {settings.k} is more than the width {settings.width}.")
    values = read_site(model, site, records).values
    module = _train(values, settings, model.device, on_step)
    metadata = module.cfg.metadata
    metadata.hook_name, metadata.model_name = str(site), model.name
    folder.mkdir(parents=True, exist_ok=True)
    module.save_inference_model(str(folder))
    record = SaeRecord(
        id=sae_id,
        site=str(site),
        model_sha256=model.fingerprint,
        corpus_sha256=fingerprint(tuple(records)),
        settings=asdict(settings),
        quality={},
    )
    _write(folder, record)
    sae = load_sae(folder, model)
    quality = measure_quality(model, sae, held_out)
    _write(folder, record.model_copy(update={"quality": quality.figures()}))
    return sae, quality


def _write(folder: Path, record: SaeRecord) -> None:
    write_text(folder / OURS, record.model_dump_json(indent=1) + "\n")


def _train(
    values: Tensor,
    settings: SaeSettings,
    device: torch.device,
    on_step: Callable[[SaeStep], None],
) -> Any:
    with needs("sae"):
        from sae_lens.config import LoggingConfig, SAETrainerConfig
        from sae_lens.training.sae_trainer import SAETrainer

    batch = min(settings.batch_size, len(values))
    config = SAETrainerConfig(
        total_training_samples=settings.steps * batch,
        train_batch_size_samples=batch,
        lr=settings.learning_rate,
        lr_end=settings.learning_rate / 10,
        lr_scheduler_name="cosineannealing",
        lr_warm_up_steps=max(1, settings.steps // 20),
        dead_feature_window=200,
        device=str(device),
        logger=LoggingConfig(log_to_wandb=False),
    )
    # Weights are drawn from torch's own generator: its state is put back afterwards.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        module: Any = _fresh(values.shape[1], settings, device)
        # Centred on the data: otherwise the features spend themselves on the mean.
        module.b_dec.data.copy_(values.mean(0))
        batches: Iterator[Tensor] = shuffled(values, batch, settings.seed)
        trainer: Any = SAETrainer(config, module, (part.to(device) for part in batches))
        for step in range(1, settings.steps + 1):
            trainer.maybe_reset_sparsity()
            loss = trainer.step(next(trainer.data_provider)).loss.item()
            trainer.n_training_steps += 1  # step() leaves this to its caller
            on_step(SaeStep(step, settings.steps, loss))
    trainer.set_final_sae_metadata()
    return trainer.sae


def _fresh(d_in: int, settings: SaeSettings, device: torch.device) -> Any:
    with needs("sae"):
        import sae_lens

    shape = {"d_in": d_in, "d_sae": settings.width, "device": str(device)}
    match settings.architecture:
        case "topk":
            config: Any = sae_lens.TopKTrainingSAEConfig(
                **shape, k=settings.k, use_sparse_activations=False
            )
        case "batchtopk":
            config = sae_lens.BatchTopKTrainingSAEConfig(
                **shape, k=settings.k, use_sparse_activations=False
            )
        case "jumprelu":
            config = sae_lens.JumpReLUTrainingSAEConfig(**shape, l0_coefficient=settings.sparsity)
        case "standard":
            config = sae_lens.StandardTrainingSAEConfig(**shape, l1_coefficient=settings.sparsity)
    return sae_lens.TrainingSAE.from_dict(config.to_dict())
