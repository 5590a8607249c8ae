"""Load an autoencoder: a folder that SAELens wrote, ours or another's; safetensors only.

The network is used only for a folder of the hub that the user typed.
"""

import hashlib
import re
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.site import SaeSite, parse_site, site_of_hook
from sanilens.errors import ModelError, PlanError
from sanilens.extras import needs
from sanilens.model.files import read_object
from sanilens.model.hub import PREFIX, hint, is_hub, snapshot
from sanilens.model.language_model import LanguageModel
from sanilens.model.libraries import as_model_error
from sanilens.model.pretrained import LARGEST
from sanilens.model.units import SAE_ID
from sanilens.model.weights import Stored, file_tensors

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


def load_sae(folder: Path, model: LanguageModel) -> Sae:
    """Load the autoencoder in `folder` and see that it fits `model`.

    Raises:
        ModelError: saying what is missing or does not fit.
    """
    folder = Path(folder).expanduser()
    name = folder.name
    fields = _read_config(folder)
    record = read_record(folder)
    site = parse_site(record.site) if record else _site(folder, fields)
    # Imported here: it takes seconds, and only autoencoders need it.
    with needs("sae"):
        from sae_lens import SAE

    with as_model_error(
        f"{name}: SAELens cannot load this folder", "Write it again with save_inference_model."
    ):
        module: Any = SAE.load_from_disk(folder, device=str(model.device))
    module.eval().requires_grad_(False)
    _check(name, module, site, model)
    _try(name, module)
    own = record.id if record else id_of(name)
    return Sae(own, site, module, folder, fingerprint_sae(folder))


def _read_config(folder: Path) -> dict[str, Any]:
    """Its configuration, which must match the weights' file: memory is allocated by it."""
    fields, tensors = read_object(folder, CONFIG), file_tensors(folder, WEIGHTS)
    width = [fields.get(key) for key in ("d_in", "d_sae")]
    if tensors.get("W_dec", Stored("", ())).shape != (width[1], width[0]) or True in width:
        raise ModelError(
            f"{folder.name}: {CONFIG} and {WEIGHTS} are not of one autoencoder: W_dec is not "
            "d_sae × d_in. Write it again with save_inference_model."
        )
    return fields


def read_record(folder: Path) -> SaeRecord | None:
    """Our own notes on an autoencoder; None for a folder that SAELens alone wrote.

    Raises:
        ModelError: if the file is there and malformed.
    """
    if not (folder / OURS).exists():
        return None
    fields = read_object(folder, OURS)
    try:
        return SaeRecord.model_validate(fields)
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


def _site(folder: Path, fields: dict[str, Any]) -> SaeSite:
    """Where SAELens says that it was trained."""
    metadata = fields.get("metadata")
    named = (metadata if isinstance(metadata, dict) else {}).get("hook_name")
    try:
        return site_of_hook(str(named or fields.get("hook_name") or ""))
    except PlanError as error:
        raise ModelError(
            f"{folder.name}: {CONFIG} names no site that is known here (metadata.hook_name, such "
            "as blocks.3.hook_resid_post)."
        ) from error


def _check(name: str, module: Any, site: SaeSite, model: LanguageModel) -> None:
    """Refuse what would silently be wrong: no numbers, scaled inputs, another width or layer."""
    for path, tensor in (*module.named_parameters(), *module.named_buffers()):
        # NaN compares as no.
        if not bool((tensor.abs() <= LARGEST).all()):
            raise ModelError(
                f"{name}: {path} holds NaN or infinity. Use a copy from before it was damaged, or "
                "train it again."
            )
    if module.cfg.normalize_activations != "none":
        raise ModelError(
            f"{name}: it normalises its inputs ({module.cfg.normalize_activations}), under which a "
            "clamp is not what it says. Fold the scaling in first (fold_activation_norm_scaling)."
        )
    sites = model.sites
    wanted = site.width(sites)
    if module.cfg.d_in != wanted:
        raise ModelError(
            f"{name}: it reads {module.cfg.d_in} dimensions; {site} of {model.name} has {wanted}."
        )


def _try(name: str, module: Any) -> None:
    """Encode and decode once: settings that fit the weights can still be impossible."""
    x = torch.ones(2, module.cfg.d_in, device=module.W_dec.device, dtype=module.W_dec.dtype)
    with torch.inference_mode(), as_model_error(f"{name}: it cannot encode", "Train it again."):
        read = module.decode(module.encode(x))
    if read.shape != x.shape or not bool(read.isfinite().all()):
        raise ModelError(f"{name}: it answers with NaN or another width. Train it again.")


def id_of(name: str) -> str:
    """A folder's name as an autoencoder's id: what `sae.<id>.88` can hold."""
    slug = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:64]
    return slug or "sae"
