"""Kinds of company document, each composed of sampled sentence forms.

A project document opens with its occasion, which says no term, then names the project, its
partner and its prices. A house document holds no term at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from research.cases.company.products import document_words, product_words
from research.cases.forms import Draft, read_pools
from sanilens.corpus.records import Record
from sanilens.corpus.surrogates import identities

POOLS = read_pools(Path(__file__).with_name("sentences.toml"))
_SEPARATORS = (" ", " ", "\n", "\n\n")


@dataclass(frozen=True, slots=True)
class Section:
    """`count` different forms of `pool`; left out at times."""

    pool: str
    chance: float = 1.0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Document:
    """A kind of document: its opening, its body in any order, its closing."""

    kind: str
    head: tuple[Section, ...]
    body: tuple[Section, ...]


_NAMING, _WORK = Section("naming"), Section("work", count=2)
_PARTNERS, _RECALL = Section("partners"), Section("recalls", 0.6)

PROJECT_DOCUMENTS: tuple[Document, ...] = (
    Document(
        "minutes",
        (Section("minutes_openings"), _NAMING),
        (_PARTNERS, _WORK, Section("contracts", 0.6), _RECALL),
    ),
    Document(
        "memo",
        (Section("memo_openings"), _NAMING),
        (_PARTNERS, Section("work"), Section("unit_prices", 0.7), _RECALL),
    ),
    Document(
        "quote",
        (Section("quote_openings"), _NAMING),
        (_PARTNERS, Section("contracts"), Section("unit_prices"), Section("work")),
    ),
    Document(
        "mail",
        (Section("mail_openings"), _NAMING),
        (Section("partners", 0.8), Section("unit_prices", 0.5), _WORK, _RECALL),
    ),
    Document(
        "report",
        (Section("report_openings"), _NAMING),
        (_PARTNERS, _WORK, Section("contracts", 0.8), Section("unit_prices", 0.4)),
    ),
)
HOUSE_DOCUMENT = Document(
    "notice",
    (Section("house_openings"),),
    (Section("house", count=3), Section("work", 0.5)),
)


@dataclass(frozen=True, slots=True)
class Project:
    """A project: its confidential terms by slot, and the words of its product."""

    terms: Mapping[str, str]
    words: Mapping[str, str]


def make_project(rng: Random) -> Project:
    """A fresh project."""
    terms = {
        "CODE_NAME": identities.make_code_name(rng),
        "PARTNER": identities.make_employer(rng),
        "CONTRACT_PRICE": identities.make_price(rng),
        "UNIT_PRICE": identities.make_unit_price(rng),
    }
    return Project(terms, product_words(rng))


def write_document(
    project: Project, document: Document, record_id: str, subject: str, rng: Random
) -> Record:
    """One document about a project, or about the house where its kind is `HOUSE_DOCUMENT`."""
    draft = Draft(rng, project.terms, {**project.words, **document_words(rng)})
    body = list(document.body)
    rng.shuffle(body)
    separator, before = rng.choice(_SEPARATORS), ""
    for section in (*document.head, *body, Section("closings", 0.7)):
        if rng.random() >= section.chance:
            continue
        for form in rng.sample(POOLS[section.pool], section.count):
            draft.say(form, before)
            before = " "
        before = separator
    return Record(record_id, subject, draft.text, tuple(draft.spans), {"kind": document.kind})
