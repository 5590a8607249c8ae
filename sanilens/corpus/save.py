"""`save_corpus`: records to JSON Lines; loading the file gives the same records."""

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from sanilens.corpus.records import Record, record_fields
from sanilens.errors import CorpusError


def save_corpus(records: Iterable[Record], path: Path) -> None:
    """Write the file whole or not at all; only its owner may read it, since it holds identifiers.

    Raises:
        CorpusError: the folder does not exist or cannot be written to.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                for record in records:
                    line = json.dumps(record_fields(record), ensure_ascii=False, allow_nan=False)
                    file.write(line + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)  # gone already where the replacement succeeded
    except OSError as error:
        raise CorpusError(
            f"{path.name}: its folder cannot be written to, or this is a folder itself "
            f"({type(error).__name__}). Create the folder, or choose another."
        ) from None
