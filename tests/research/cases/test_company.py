"""The company's archive: decided by its seed, exact spans, no term outside them."""

from dataclasses import replace
from pathlib import Path

from research.cases.company import archive, business_documents, confidential_terms
from research.cases.company.documents import HOUSE_DOCUMENT, POOLS, PROJECT_DOCUMENTS
from research.cases.confidential import RECIPE
from research.cases.forms import identifiers
from sanilens.bundled import resolve
from sanilens.corpus.load import save_corpus
from sanilens.corpus.surrogates.substitute import substitute
from sanilens.corpus.terms import Term, Terms, mark_terms

ARCHIVE = archive(30)
TERMS = confidential_terms(ARCHIVE)
LIST = Terms(Term(text, label) for text, label in TERMS.items())


def test_the_seed_decides_everything() -> None:
    assert archive(30) == ARCHIVE
    assert archive(31) != ARCHIVE
    few = [record for record in archive(30, 20) if record.subject != "house"]
    assert few == list(ARCHIVE[: len(few)])
    assert list(business_documents(5, 8)) == list(business_documents(5, 20))[:8]


def test_the_list_marks_exactly_the_spans() -> None:
    """So a user who has the plain text and the list gets the same corpus."""
    for record in ARCHIVE:
        assert mark_terms(replace(record, spans=()), LIST) == record


def test_no_two_projects_share_a_term() -> None:
    owners: dict[str, set[str]] = {}
    for record in ARCHIVE:
        for span in record.spans:
            owners.setdefault(record.value(span), set()).add(record.subject)
    assert all(len(subjects) == 1 for subjects in owners.values())
    assert set(TERMS.values()) == {"CODE_NAME", "PARTNER", "PRICE"}


def test_lookalikes_hold_none_of_the_terms() -> None:
    alike = archive(31, prefix="c", avoid=TERMS)
    assert len(confidential_terms(alike)) > 100
    assert not any(mark_terms(replace(r, spans=()), LIST).spans for r in alike)


def test_house_documents_and_openings_hold_no_term() -> None:
    openings = [name for name in POOLS if name.endswith("_openings")]
    house = [section.pool for section in (*HOUSE_DOCUMENT.head, *HOUSE_DOCUMENT.body)]
    forms = [form for name in {*openings, *house} for form in POOLS[name]]
    assert len(forms) > 60
    assert not [form for form in forms if identifiers(form)]
    house = [record for record in ARCHIVE if record.subject == "house"]
    assert 0.2 < len(house) / len(ARCHIVE) < 0.4
    assert not any(record.spans for record in house)
    assert all(r.spans and r.text for r in ARCHIVE if r.subject != "house")
    assert len(PROJECT_DOCUMENTS) == 5


def test_surrogates_have_the_terms_forms() -> None:
    fresh = substitute(ARCHIVE, seed=1)
    for before, after in zip(ARCHIVE, fresh, strict=True):
        for old, new in zip(before.spans, after.spans, strict=True):
            value, other = before.value(old), after.value(new)
            assert value != other
            if old.label == "PRICE":
                assert [c.isdigit() for c in value] == [c.isdigit() for c in other]
                assert other[0] != "0"
            if old.label == "CODE_NAME":
                assert len(other.split()) == 2


def test_the_bundled_documents_are_these_forms_documents(tmp_path: Path) -> None:
    save_corpus(RECIPE.own(RECIPE.seed, RECIPE.subjects, "p"), tmp_path / "own.jsonl")
    bundled = Path(resolve("confidential:documents"))
    assert (tmp_path / "own.jsonl").read_bytes() == bundled.read_bytes()
