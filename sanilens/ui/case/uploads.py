"""Files from the browser."""

from typing import Protocol

CORPUS_TYPES = ("jsonl", "ndjson", "json", "csv", "parquet", "txt")
TABLE_TYPES = ("csv", "parquet", "jsonl")


class Upload(Protocol):
    """A file from the browser."""

    name: str

    def getvalue(self) -> bytes:
        """Its content."""
        ...
