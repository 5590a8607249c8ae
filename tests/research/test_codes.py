"""The bench of deleted codes: every arm there is, on the same notes, the same twice."""

from dataclasses import replace

import pytest

from research.cases.clinic import generic_notes, patient_notes
from research.codes import WAYS, bench_codes
from research.codes_figures import CodesBench
from sanilens.audit.extraction import audit_spans
from sanilens.audit.perplexity import perplexity
from sanilens.audit.summary import memory
from sanilens.corpus.records import Record
from sanilens.dictionaries.codebook.train import CodebookSettings
from sanilens.dictionaries.sae.train import SaeSettings
from sanilens.model.language_model import LanguageModel

# A bench trains models of its own.
pytestmark = pytest.mark.slow

SITE = "blocks.2.hook_attn_out"


def short(records: tuple[Record, ...]) -> list[Record]:
    return [
        Record(r.id, r.subject, r.text[:300], tuple(s for s in r.spans if s.end <= 300))
        for r in records
    ]


NOTES, UNSEEN = short(patient_notes(1, 2)), short(tuple(generic_notes(3, 3)))


def benched(model: LanguageModel) -> CodesBench:
    labels = sorted({span.label for record in NOTES for span in record.spans})
    return bench_codes(
        model,
        NOTES,
        UNSEEN,
        labels=(labels[0], labels[1]),
        sites=(SITE,),
        settings=CodebookSettings(SITE, 32, 4, warm_steps=20, warm_tokens=64, steps=0),
        sae_settings=SaeSettings(SITE, 48, k=8, steps=20, batch_size=64),
    )


def untimed(found: CodesBench) -> CodesBench:
    return replace(
        found,
        codebooks=tuple(replace(b, train_seconds=0.0, read_seconds=0.0) for b in found.codebooks),
        rows=tuple(replace(row, seconds=0.0, cpu_seconds=0.0) for row in found.rows),
        best={n: replace(row, seconds=0.0, cpu_seconds=0.0) for n, row in found.best.items()},
    )


def test_every_arm_is_asked_on_the_same_notes(model: LanguageModel) -> None:
    found = benched(model)
    assert [(book.site, book.sae) for book in found.codebooks] == [(SITE, False), (SITE, True)]
    said = memory(audit_spans(model, NOTES))
    assert found.perplexity == perplexity(model, UNSEEN).value
    enriched = 0
    for over_sae in (False, True):
        rows = [row for row in found.rows if row.sae == over_sae]
        for topic in dict.fromkeys(row.topic for row in rows):
            arms = {row.arm: row for row in rows if row.topic == topic}
            own = [v for v in said if topic in (v.label, v.subject)]
            assert {row.n for row in arms.values()} == {len(own)}
            assert {row.n + row.rest_n for row in arms.values()} == {len(said)}
            assert {row.before for row in arms.values()} == {sum(v.extracted for v in own)}
            assert arms["none"].deleted == 0
            if "drop" in arms:  # some codes are enriched
                enriched += 1
                assert {*WAYS, "random"} <= set(arms)
                deleted = {arms[arm].deleted for arm in (*WAYS, "random")}
                assert deleted == {arms["drop"].deleted}
    assert enriched
    for row in found.best.values():
        assert row.arm in WAYS
        assert row.perplexity_ratio <= 1.05


def test_it_is_the_same_twice(model: LanguageModel) -> None:
    assert untimed(benched(model)) == untimed(benched(model))
