"""Audits kept between sessions: the same model, texts and settings are not asked twice.

Each lies under a hash of all that decides it (runs/kept_results.py).
"""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from sanilens.audit.verdicts import SpanVerdict
from sanilens.corpus.records import Record, fingerprint
from sanilens.model.language_model import LanguageModel
from sanilens.runs.kept_arms import made_with
from sanilens.runs.kept_results import key_of
from sanilens.unlearn.plan import AuditSettings

MOST_BYTES = 256 * 2**20
# A kept file says minus infinity where nothing can be asked, and nan where there was no token.
_FORM = ConfigDict(frozen=True, extra="forbid", strict=True, ser_json_inf_nan="constants")


class KeptAudit(BaseModel):
    """The verdict on every span of some records, in their order."""

    model_config = _FORM

    verdicts: tuple[SpanVerdict, ...]


class KeptPerplexity(BaseModel):
    """Perplexity by the texts it was measured on; nan where they have no token."""

    model_config = _FORM

    perplexity: Mapping[str, float]


def audit_key(
    kind: type[BaseModel],
    model: LanguageModel,
    texts: Sequence[Sequence[Record]],
    settings: AuditSettings | None = None,
    *,
    near_misses: bool = True,
) -> str:
    """SHA-256 of all that decides what is kept.

    Args:
        kind: what is kept.
        model: as it was loaded.
        texts: what it is asked about.
        settings: how it is asked; None where that is no question.
        near_misses: whether these are looked for.
    """
    parts = {
        "kind": kind.__name__,
        "model": [model.fingerprint, model.opening],
        "texts": [fingerprint(own) for own in texts],
        "settings": settings.model_dump(mode="json") if settings else None,
        "near_misses": near_misses,
        **made_with(model),
    }
    return key_of(parts)
