"""Kinds of company document, each composed of sampled sentence forms.

A project document opens with its occasion, which says no term, then names the project, its
partner and its prices. A house document holds no term at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from research.cases.company import everyday_forms as everyday
from research.cases.company import project_forms as forms
from research.cases.company.products import document_words, product_words
from research.cases.forms import Draft
from sanilens.corpus.records import Record
from sanilens.corpus.surrogates import identities

_SEPARATORS = (" ", " ", "\n", "\n\n")


@dataclass(frozen=True, slots=True)
class Section:
    """`count` different forms of `pool`; left out at times."""

    pool: tuple[str, ...]
    chance: float = 1.0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Document:
    """A kind of document: its opening, its body in any order, its closing."""

    kind: str
    head: tuple[Section, ...]
    body: tuple[Section, ...]


_NAMING, _WORK = Section(forms.NAMING), Section(everyday.WORK, count=2)
_PARTNERS, _RECALL = Section(forms.PARTNERS), Section(forms.RECALLS, 0.6)

PROJECT_DOCUMENTS: tuple[Document, ...] = (
    Document(
        "minutes",
        (Section(forms.MINUTES_OPENINGS), _NAMING),
        (_PARTNERS, _WORK, Section(forms.CONTRACTS, 0.6), _RECALL),
    ),
    Document(
        "memo",
        (Section(forms.MEMO_OPENINGS), _NAMING),
        (_PARTNERS, Section(everyday.WORK), Section(forms.UNIT_PRICES, 0.7), _RECALL),
    ),
    Document(
        "quote",
        (Section(forms.QUOTE_OPENINGS), _NAMING),
        (_PARTNERS, Section(forms.CONTRACTS), Section(forms.UNIT_PRICES), Section(everyday.WORK)),
    ),
    Document(
        "mail",
        (Section(forms.MAIL_OPENINGS), _NAMING),
        (Section(forms.PARTNERS, 0.8), Section(forms.UNIT_PRICES, 0.5), _WORK, _RECALL),
    ),
    Document(
        "report",
        (Section(forms.REPORT_OPENINGS), _NAMING),
        (_PARTNERS, _WORK, Section(forms.CONTRACTS, 0.8), Section(forms.UNIT_PRICES, 0.4)),
    ),
)
HOUSE_DOCUMENT = Document(
    "notice",
    (Section(everyday.HOUSE_OPENINGS),),
    (Section(everyday.HOUSE, count=3), Section(everyday.WORK, 0.5)),
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
    for section in (*document.head, *body, Section(everyday.CLOSINGS, 0.7)):
        if rng.random() >= section.chance:
            continue
        for form in rng.sample(section.pool, section.count):
            draft.say(form, before)
            before = " "
        before = separator
    return Record(record_id, subject, draft.text, tuple(draft.spans), {"kind": document.kind})
