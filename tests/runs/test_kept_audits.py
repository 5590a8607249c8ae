"""Kept audits come back as they were measured, and for nothing else."""

from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from sanilens.audit.extraction import audit_spans
from sanilens.audit.verdicts import SpanVerdict
from sanilens.corpus.records import Record
from sanilens.errors import IntegrityError
from sanilens.model.language_model import LanguageModel
from sanilens.runs.kept_audits import MOST_BYTES, KeptAudit, KeptPerplexity, audit_key
from sanilens.runs.kept_results import keep, read_kept
from sanilens.unlearn.plan import AuditSettings


def test_every_figure_comes_back(
    model: LanguageModel, records: list[Record], tmp_path: Path
) -> None:
    verdicts = tuple(audit_spans(model, records))
    unseen = replace(verdicts[0], token_logprobs=(), sampler_logprob=-inf, margin=-inf)
    keep(tmp_path, "a", KeptAudit(verdicts=(*verdicts, unseen)), MOST_BYTES)
    found = read_kept(tmp_path, "a", KeptAudit)
    assert found is not None
    assert found == KeptAudit(verdicts=(*verdicts, unseen))
    assert isinstance(found.verdicts[0], SpanVerdict)
    keep(
        tmp_path,
        "p",
        KeptPerplexity(perplexity={"neutral": float("nan"), "unseen": 3.25}),
        MOST_BYTES,
    )
    figures = read_kept(tmp_path, "p", KeptPerplexity)
    assert figures is not None
    assert str(dict(figures.perplexity)) == "{'neutral': nan, 'unseen': 3.25}"
    for file in tmp_path.iterdir():
        text = file.read_text(encoding="utf-8")
        assert not any(r.value(s) in text for r in records for s in r.spans)


def test_each_thing_that_decides_it_is_in_the_key(
    model: LanguageModel, records: list[Record]
) -> None:
    settings = AuditSettings()
    first = records[0]
    other = replace(first, text=first.text[:-1] + "!")
    keys = [
        audit_key(KeptAudit, model, [records], settings),
        audit_key(KeptPerplexity, model, [records], settings),
        audit_key(KeptAudit, replace(model, fingerprint="0" * 64), [records], settings),
        audit_key(KeptAudit, replace(model, opening=(1,)), [records], settings),
        audit_key(KeptAudit, model, [[other, *records[1:]]], settings),
        audit_key(KeptAudit, model, [records, records], settings),
        audit_key(KeptAudit, model, [records], AuditSettings(prefix_tokens=32)),
        audit_key(KeptAudit, model, [records], AuditSettings(top_k=7)),
    ]
    assert len(set(keys)) == len(keys)
    assert audit_key(KeptAudit, model, [list(records)], AuditSettings()) == keys[0]


@pytest.mark.parametrize(
    "damage", ["cut", "flipped", "empty", "another", "moved", "link", "folder"]
)
def test_what_is_not_as_it_was_written_is_refused(
    model: LanguageModel, records: list[Record], tmp_path: Path, damage: str
) -> None:
    keep(tmp_path, "a", KeptAudit(verdicts=tuple(audit_spans(model, records[:1]))), MOST_BYTES)
    file = tmp_path / "a.json"
    content = file.read_bytes()
    if damage in ("link", "folder"):
        file.unlink()
        file.mkdir() if damage == "folder" else file.symlink_to("/dev/zero")
    elif damage == "another":
        keep(tmp_path, "a", KeptPerplexity(perplexity={"neutral": 2.0}), MOST_BYTES)
    elif damage == "moved":
        file.unlink()
        keep(tmp_path, "c", KeptAudit(verdicts=()), MOST_BYTES)
        (tmp_path / "c.json").rename(file)
    else:
        flipped = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
        file.write_bytes({"cut": content[:-20], "flipped": flipped, "empty": b""}[damage])
    with pytest.raises(IntegrityError):
        read_kept(tmp_path, "a", KeptAudit)
    assert read_kept(tmp_path, "b", KeptAudit) is None
