"""Load an autoencoder: a folder that SAELens wrote, ours or another's; safetensors only.

The network is used only for a folder of the hub that the user typed.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError

from sanilens.errors import ModelError, PlanError
from sanilens.inspect.sae.sae import Sae
from sanilens.inspect.sae.site import SaeSite, parse_site, site_of_hook
from sanilens.model.hub import PREFIX, hint, is_hub, snapshot
from sanilens.model.subject import SubjectModel
from sanilens.model.units import SAE_ID

_HUB = re.compile(r"([\w.-]+/[\w.-]+):([\w.-]+(?:/[\w.-]+)*)")
_FORM = f"{PREFIX}owner/repository:blocks.8.hook_resid_pre"
CONFIG, WEIGHTS, OURS = "cfg.json", "sae_weights.safetensors", "sanilens.json"


class SaeRecord(BaseModel):
    """What we write beside SAELens's own files: where the autoencoder belongs, and how it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    id: str = Field(pattern=f"^{SAE_ID}$")
    site: str
    model_sha256: str
    corpus_sha256: str
    settings: dict[str, float | int | str]
    quality: dict[str, float]


def find_folder(source: str, *, fetch: bool = False) -> Path:
    """A local folder, or one of the hub's: `hub:owner/repository:folder`.

    Args:
        source: which.
        fetch: download the hub's; only for what the user typed. Else this machine's cache is read.

    Raises:
        ModelError: if it is neither, or the hub does not give it.
    """
    if is_hub(source):
        found = _HUB.fullmatch(source.removeprefix(PREFIX))
        if found is None or ".." in source:
            raise ModelError(f"{source[:80]!r} is no folder of the hub. Write {_FORM}.")
        repository, inside = found.groups()
        # Two files and nothing that executes, whatever else the repository holds.
        wanted = [f"{inside}/{name}" for name in (CONFIG, WEIGHTS)]
        return snapshot(repository, wanted, fetch=fetch) / inside
    folder = Path(source).expanduser()
    if folder.exists():
        return folder.resolve()
    raise ModelError(
        f"{source[:80]!r} is neither a folder that exists nor one of the hub, such as {_FORM}."
        f"{hint(source)}"
    )


def load_sae(folder: Path, subject: SubjectModel) -> Sae:
    """Load the autoencoder in `folder` and see that it fits `subject`.

    Raises:
        ModelError: saying what is missing or does not fit.
    """
    folder = Path(folder).expanduser()
    name = folder.name
    for file in (CONFIG, WEIGHTS):
        if not (folder / file).is_file():
            raise ModelError(f"{name}: {file} is missing. Give a folder that SAELens wrote.")
    record = read_record(folder)
    site = _site(folder, record)
    # Imported here: it takes seconds, and only autoencoders need it.
    from sae_lens import SAE

    try:
        module: Any = SAE.load_from_disk(folder, device=str(subject.device))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"{name}: SAELens cannot load this folder ({type(error).__name__}). "
            "Write it again with save_inference_model."
        ) from error
    module.eval().requires_grad_(False)
    _check(name, module, site, subject)
    own = record.id if record else id_of(name)
    return Sae(own, site, module, folder, fingerprint_sae(folder))


def read_record(folder: Path) -> SaeRecord | None:
    """Our own notes on an autoencoder; None for a folder that SAELens alone wrote.

    Raises:
        ModelError: if the file is there and malformed.
    """
    file = folder / OURS
    if not file.is_file():
        return None
    try:
        return SaeRecord.model_validate_json(file.read_bytes())
    except ValidationError as error:
        field = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, field["loc"])) or "file"
        raise ModelError(f"{folder.name}: {OURS}: {where}: {field['msg']}.") from None


def fingerprint_sae(folder: Path) -> str:
    """SHA-256 over the contents of configuration and weights."""
    digest = hashlib.sha256()
    for name in (CONFIG, WEIGHTS):
        with (folder / name).open("rb") as handle:
            digest.update(hashlib.file_digest(handle, "sha256").digest())
    return digest.hexdigest()


def _site(folder: Path, record: SaeRecord | None) -> SaeSite:
    if record:
        return parse_site(record.site)
    try:
        fields = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        metadata = fields.get("metadata") or {}
        hook = metadata.get("hook_name") or fields.get("hook_name") or ""
        return site_of_hook(hook)
    except (ValueError, RecursionError, AttributeError, PlanError) as error:
        raise ModelError(
            f"{folder.name}: {CONFIG} names no site that is known here (metadata.hook_name, such "
            "as blocks.3.hook_resid_post)."
        ) from error


def _check(name: str, module: Any, site: SaeSite, subject: SubjectModel) -> None:
    """Refuse what would silently be wrong: scaled inputs, another width, another layer."""
    if module.cfg.normalize_activations != "none":
        raise ModelError(
            f"{name}: it normalises its inputs ({module.cfg.normalize_activations}), under which a "
            "clamp is not what it says. Fold the scaling in first (fold_activation_norm_scaling)."
        )
    sites = subject.sites
    wanted = site.width(sites)
    if module.cfg.d_in != wanted:
        raise ModelError(
            f"{name}: it reads {module.cfg.d_in} dimensions; {site} of {subject.name} has {wanted}."
        )


def id_of(name: str) -> str:
    """A folder's name as an autoencoder's id: what `sae.<id>.88` can hold."""
    slug = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:64]
    return slug or "sae"
