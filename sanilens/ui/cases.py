"""Cases by a short name that an address may hold: `clinic`, `confidential`, or a hash of one's own.

Paths of a user's own model and corpus never stand in an address; they are kept in the workspace.
"""

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path

from sanilens.atomic import write_text
from sanilens.ui.state import BUNDLED_CASES, CaseRef

_KEY = re.compile(r"[0-9a-f]{12}")


def remember(ref: CaseRef) -> str:
    """The case's name; `recall` gives the case back, in any session of this workspace."""
    for name, bundled in BUNDLED_CASES.items():
        if ref == bundled:
            return name
    text = json.dumps(asdict(ref), sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:12]
    path = _file(key)
    if not path.exists():
        write_text(path, text)
    return key


def _file(key: str) -> Path:
    # Imported here: it brings torch with it, and the app starts without.
    from sanilens.runs.workspace import home

    return home() / "cases" / f"{key}.json"


def recall(key: str) -> CaseRef | None:
    """The case of that name; None where this workspace does not know it."""
    if key in BUNDLED_CASES:
        return BUNDLED_CASES[key]
    path = _file(key)
    if not _KEY.fullmatch(key) or not path.is_file():
        return None
    try:
        return CaseRef(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):  # damaged, or of another version: as good as unknown
        return None
