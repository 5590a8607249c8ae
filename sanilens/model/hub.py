"""The hub: asked only for what the user typed, and only under the name `hub:owner/name`."""

import re
from collections.abc import Sequence
from pathlib import Path

from sanilens.errors import ModelError

PREFIX = "hub:"


_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?")


def is_hub(source: str) -> bool:
    """Whether a source names the hub, however badly."""
    return source.startswith(PREFIX)


def hint(source: str) -> str:
    """What to say of a missing folder that may have been meant as a repository; else nothing."""
    repository = source.partition(":")[0]
    if not _REPOSITORY.fullmatch(repository) or "/" not in repository:
        return ""
    return f" If it is one of the hub's, write {PREFIX}{source}."


def snapshot(repository: str, files: Sequence[str], *, fetch: bool) -> Path:
    """The folder in this machine's cache that holds a repository's files.

    Args:
        repository: `owner/name`, or `name` for those that have no owner.
        files: patterns of what is wanted; nothing else is downloaded.
        fetch: download it; only for what the user typed.

    Raises:
        ModelError: if the name is none, the hub does not give it, or it was never fetched.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise ModelError(f"{PREFIX}{repository[:80]} is no hub id. Write {PREFIX}owner/name.")
    # Imported here: only a hub id needs it, and only then may anything reach for the network.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        found = snapshot_download(repository, allow_patterns=[*files], local_files_only=not fetch)
    except (OSError, HfHubHTTPError, HFValidationError, ValueError) as error:
        if not fetch:
            raise ModelError(
                f"{PREFIX}{repository} is not on this machine, and nothing is fetched because a "
                f"plan or a kept case names it. If you trust it: hf download {repository}"
            ) from error
        raise ModelError(
            f"the hub did not give {repository} ({type(error).__name__}). Check the spelling, the "
            "network and your access, or give a local folder."
        ) from error
    return Path(found)


def in_cache(folder: Path) -> str | None:
    """The repository's name if `folder` is a snapshot in the hub's cache."""
    if folder.parent.name != "snapshots":
        return None
    kind, *parts = folder.parent.parent.name.split("--")
    return parts[-1] if kind == "models" and parts else None
