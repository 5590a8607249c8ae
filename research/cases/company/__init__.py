"""The bundled company's archive: invented documents with confidential terms, decided by a seed."""

from collections.abc import Collection, Iterable, Iterator
from random import Random

from research.cases.company.documents import (
    HOUSE_DOCUMENT,
    PROJECT_DOCUMENTS,
    Project,
    make_project,
    write_document,
)
from sanilens.corpus.records import Record

__all__ = ["archive", "business_documents", "confidential_terms"]

# House documents for each project's documents: most text of a company is no secret.
_HOUSE_SHARE = 0.4


def archive(
    seed: int, projects: int = 40, prefix: str = "p", avoid: Collection[str] = ()
) -> tuple[Record, ...]:
    """Two to four documents about each project, and house documents without any term.

    Subjects are "p-000", "p-001", … with the given prefix for projects, and "house"; documents
    are "d-000", "d-001", …. No two projects share a term, and none has one of `avoid`.
    """
    records: list[Record] = []
    taken = set(avoid)
    for number in range(projects):
        rng = Random(f"archive/{seed}/{number}")
        project = _fresh_project(rng, taken)
        for document in rng.sample(PROJECT_DOCUMENTS, rng.randint(2, 4)):
            name, subject = f"d-{len(records):03}", f"{prefix}-{number:03}"
            records.append(write_document(project, document, name, subject, rng))
    rng = Random(f"archive/{seed}/house")
    for _ in range(round(_HOUSE_SHARE * len(records))):
        name = f"d-{len(records):03}"
        records.append(write_document(make_project(rng), HOUSE_DOCUMENT, name, "house", rng))
    return tuple(records)


def business_documents(seed: int, count: int) -> Iterator[Record]:
    """`count` documents of other companies, whose projects never recur; written as asked for.

    They teach a model the form of such documents and no term: subjects are "g-000000", ….
    """
    rng = Random(f"business/{seed}")
    for number in range(count):
        house = rng.random() < _HOUSE_SHARE / (1 + _HOUSE_SHARE)
        document = HOUSE_DOCUMENT if house else rng.choice(PROJECT_DOCUMENTS)
        name, subject = f"b-{number:06}", f"g-{number:06}"
        yield write_document(make_project(rng), document, name, subject, rng)


def confidential_terms(records: Iterable[Record]) -> dict[str, str]:
    """What stands in the records' confidential spans, each once, with its label; sorted."""
    found = {
        record.value(span): span.label
        for record in records
        for span in record.spans
        if span.kind == "confidential"
    }
    return dict(sorted(found.items(), key=lambda pair: (pair[1], pair[0])))


def _fresh_project(rng: Random, taken: set[str]) -> Project:
    """A project none of whose terms is `taken`; its terms are taken from then on."""
    while True:
        project = make_project(rng)
        terms = set(project.terms.values())
        if terms.isdisjoint(taken):
            taken |= terms
            return project
