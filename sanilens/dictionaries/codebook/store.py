"""A codebook on disk: a folder of safetensors and JSON, trusted only once it is checked.

codebook.json            whose it is: model, site, shape, settings, quality
codes.safetensors        `codes` (code, width) and `centre` (width), float32
sae/                     the autoencoder underneath, as SAELens writes one; absent without
"""

import hashlib
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.torch import load_file, save_file

from sanilens.atomic import write_text
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.sae.load import CONFIG, load_sae
from sanilens.dictionaries.sae.load import WEIGHTS as SAE_WEIGHTS
from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.site import parse_site
from sanilens.errors import ModelError, PlanError
from sanilens.model.files import read_object
from sanilens.model.folder import why_another
from sanilens.model.language_model import LanguageModel
from sanilens.model.libraries import as_model_error
from sanilens.model.units import SAE_ID
from sanilens.model.weights import file_tensors

RECORD, WEIGHTS, SAE_FOLDER = "codebook.json", "codes.safetensors", "sae"
# A file may claim any shape: this is more than a codebook of any model needs, and fits in memory.
_MOST = 2**28


class CodebookRecord(BaseModel):
    """What a codebook says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = Field(1, ge=1, le=1)
    id: str = Field(pattern=f"^{SAE_ID}$")
    site: str
    model_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    corpus_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    codes: int = Field(ge=1)
    width: int = Field(ge=1)
    k: int = Field(ge=1)
    sae: bool
    settings: dict[str, float | int | str]
    quality: dict[str, float | None]


def save_codebook(codebook: Codebook, record: CodebookRecord, folder: Path) -> None:
    """Write it into a new folder; the record last, so that a folder with one is whole.

    Raises:
        ModelError: if `folder` holds something already.
    """
    refuse_full(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if codebook.sae is not None:
        module = codebook.sae.module
        module.cfg.metadata.hook_name = str(codebook.site)
        module.save_model(str(folder / SAE_FOLDER))
    tensors = {"codes": codebook.codes, "centre": codebook.centre}
    save_file({n: t.detach().float().cpu().contiguous() for n, t in tensors.items()},
              folder / WEIGHTS)  # fmt: skip
    write_record(folder, record)


def write_record(folder: Path, record: CodebookRecord) -> None:
    """Write or rewrite what it says of itself."""
    write_text(folder / RECORD, record.model_dump_json(indent=1) + "\n")


def refuse_full(folder: Path) -> None:
    """Refuse a folder that holds something.

    Raises:
        ModelError: naming it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError(f"{folder.name} is not empty. Give another folder.")


def read_codebook_record(folder: Path) -> CodebookRecord:
    """What the codebook in `folder` says of itself.

    Raises:
        ModelError: if it is missing or malformed.
    """
    if not (folder / RECORD).exists():
        raise ModelError(
            f"{folder.name}: {RECORD} is missing. Give a folder that `sanilens codes train` wrote."
        )
    fields = read_object(folder, RECORD)
    try:
        return CodebookRecord.model_validate(fields)
    except ValidationError as error:
        field = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, field["loc"])) or "file"
        raise ModelError(f"{folder.name}: {RECORD}: {where}: {field['msg']}.") from None


def load_codebook(folder: Path, model: LanguageModel) -> Codebook:
    """Load the codebook in `folder` and see that it is one of `model`.

    Raises:
        ModelError: saying what is missing, damaged or does not fit.
    """
    folder = Path(folder).expanduser()
    record = read_codebook_record(folder)
    if record.model_sha256 != model.fingerprint:
        raise ModelError(
            f"{folder.name}: it was trained on another model than {model.name}, whose codes mean "
            f"something else: {why_another(model.path, record.model_sha256)}. Train one on this "
            "model."
        )
    try:
        site = parse_site(record.site)
        width = site.width(model.sites)
    except PlanError as error:
        raise ModelError(f"{folder.name}: {RECORD}: {error}") from error
    sae = _sae(folder, record, model) if record.sae else None
    tensors = _tensors(folder, record)
    expected = sae.width if sae else width
    if record.width != expected:
        raise ModelError(
            f"{folder.name}: its codes have {record.width} dimensions; "
            f"{'its autoencoder' if sae else site} has {expected}."
        )
    codes, centre = (tensors[name].to(model.device) for name in ("codes", "centre"))
    return Codebook(
        record.id, site, codes, centre, record.k, sae, folder, fingerprint_codebook(folder)
    )


def fingerprint_codebook(folder: Path) -> str:
    """SHA-256 over all that decides what it computes; k and site stand in the record."""
    record = read_codebook_record(folder)
    digest = hashlib.sha256(f"{record.site}|{record.k}|{record.model_sha256}".encode())
    names = [WEIGHTS]
    if record.sae:
        names += [f"{SAE_FOLDER}/{CONFIG}", f"{SAE_FOLDER}/{SAE_WEIGHTS}"]
    for name in names:
        with (folder / name).open("rb") as handle:
            digest.update(hashlib.file_digest(handle, "sha256").digest())
    return digest.hexdigest()


def _sae(folder: Path, record: CodebookRecord, model: LanguageModel) -> Sae:
    sae = load_sae(folder / SAE_FOLDER, model)
    if str(sae.site) != record.site:
        raise ModelError(
            f"{folder.name}: its autoencoder reads {sae.site}, its codes stand at "
            f"{record.site[:60]}."
        )
    return sae


def _tensors(folder: Path, record: CodebookRecord) -> dict[str, torch.Tensor]:
    """The tensors, their shapes compared with the record before anything is read."""
    wanted = {"codes": [record.codes, record.width], "centre": [record.width]}
    if record.codes * record.width > _MOST or record.k > record.codes:
        raise ModelError(f"{folder.name}: {RECORD}: codes, width and k are impossible together.")
    held = file_tensors(folder, WEIGHTS)
    if {name: list(tensor.shape) for name, tensor in held.items()} != wanted:
        raise ModelError(f"{folder.name}: {WEIGHTS} does not hold the tensors that {RECORD} says.")
    with as_model_error(f"{folder.name}: {WEIGHTS} cannot be read", "Train the codebook again."):
        tensors = load_file(folder / WEIGHTS)
    for name, tensor in tensors.items():
        if tensor.dtype != torch.float32 or not tensor.isfinite().all():
            raise ModelError(f"{folder.name}: {WEIGHTS}: {name} must be finite float32 numbers.")
    return tensors
