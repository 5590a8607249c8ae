"""Records whose spans were found or corrected here, kept in the workspace as a corpus."""

import re
from collections.abc import Iterable

from sanilens.corpus.records import Record, fingerprint
from sanilens.corpus.save import save_corpus
from sanilens.runs.workspace import corpora_folder


def keep_records(records: Iterable[Record], stem: str) -> str:
    """Save records under a name that says their content, so a plan finds what it was made for."""
    records = tuple(records)
    path = corpora_folder() / f"{_plain_stem(stem)}-{fingerprint(records)[:12]}.jsonl"
    if not path.exists():
        save_corpus(records, path)
    return str(path)


def _plain_stem(stem: str) -> str:
    """A file name of harmless characters, without the hash that an earlier copy had."""
    stem = re.sub(r"-[0-9a-f]{12}$", "", stem)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")[:60] or "corpus"
