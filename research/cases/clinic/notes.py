"""Five kinds of document, each composed of sampled sentence forms about one person.

Every document opens with its occasion and complaint, which identify nobody, and then names the
patient. Its length and its numbers of spans are kept within bounds by drawing again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from research.cases.clinic import background_forms as background
from research.cases.clinic import general_forms as general
from research.cases.clinic import identity_forms as identity
from research.cases.clinic import opening_forms as openings
from research.cases.clinic import vocabulary
from research.cases.clinic.people import Person, make_person
from research.cases.clinic.topics import TOPICS, Topic
from research.cases.forms import Draft, fill
from sanilens.corpus.records import Record

LENGTHS = range(350, 751)  # characters
DIRECT_SPANS = range(4, 8)
INDIRECT_SPANS = range(2, 5)

_SEPARATORS = (" ", " ", " ", "\n", "\n\n")


@dataclass(frozen=True, slots=True)
class Section:
    """`count` different forms of `pool`, a topic's own where named; left out at times."""

    pool: tuple[str, ...] | Literal["findings", "courses", "plans"]
    chance: float = 1.0
    count: int = 1
    leads: tuple[str, ...] = ("",)  # one of these stands before the first sentence


@dataclass(frozen=True, slots=True)
class Document:
    """A kind of document: its head in this order, its body in any order, then its end."""

    kind: str
    head: tuple[Section, ...]
    body: tuple[Section, ...]
    end: tuple[Section, ...]


_FINDINGS = Section("findings", 0.75, leads=vocabulary.LEADS_OF_FINDINGS)
_COURSES = Section("courses", 0.85, leads=vocabulary.LEADS_OF_COURSES)
_PLANS = Section("plans", 0.9, leads=vocabulary.LEADS_OF_PLANS)

DOCUMENTS: tuple[Document, ...] = (
    Document(
        "discharge summary",
        head=(
            Section(openings.DISCHARGE_OPENINGS),
            Section(identity.IDENTITY),
            Section(background.ADMISSION),
        ),
        body=(
            _FINDINGS,
            Section("courses", count=2, leads=vocabulary.LEADS_OF_COURSES),
            Section(background.HISTORY, 0.5),
            Section(background.WORK, 0.75),
            Section(identity.RECALL, 0.6),
        ),
        end=(
            _PLANS,
            Section(identity.PHONE, 0.8),
            Section(identity.EMAIL, 0.25),
            Section(identity.ADDRESS, 0.4),
        ),
    ),
    Document(
        "progress note",
        head=(Section(openings.PROGRESS_OPENINGS), Section(identity.IDENTITY_SHORT)),
        body=(
            Section(general.VITALS, 0.8),
            _FINDINGS,
            _COURSES,
            Section(identity.RECALL),
            Section(background.HISTORY, 0.6),
            Section(background.HOME, 0.7),
            Section(background.ADMISSION, 0.7),
        ),
        end=(
            _PLANS,
            Section(identity.PHONE, 0.8),
            Section(identity.ADDRESS, 0.3),
            Section(identity.EMAIL, 0.25),
            Section(general.SIGN_OFFS, 0.4),
        ),
    ),
    Document(
        "referral letter",
        head=(Section(openings.REFERRAL_OPENINGS), Section(identity.LETTER_IDENTITY)),
        body=(
            Section("findings", count=2, leads=vocabulary.LEADS_OF_FINDINGS),
            _COURSES,
            Section(background.HISTORY, 0.8),
            Section(background.WORK, 0.9),
            Section(identity.RECALL, 0.5),
        ),
        end=(
            Section(identity.PHONE, 0.85),
            Section(identity.ADDRESS, 0.4),
            Section(identity.EMAIL, 0.3),
            Section(general.SIGN_OFFS, 0.7),
        ),
    ),
    Document(
        "phone note",
        head=(
            Section(openings.PHONE_OPENINGS),
            Section(identity.CALLER),
            Section(identity.CALLER_CHECK),
        ),
        body=(
            _COURSES,
            Section(background.HISTORY, 0.6),
            Section(background.HOME, 0.8),
            Section(background.ADMISSION, 0.5),
            Section(identity.RECALL, 0.5),
        ),
        end=(
            Section(general.ADVICE, count=2),
            _PLANS,
            Section(identity.EMAIL, 0.35),
            Section(identity.ADDRESS, 0.2),
        ),
    ),
    Document(
        "billing message",
        head=(Section(openings.BILLING_OPENINGS), Section(identity.ACCOUNT_HOLDER)),
        body=(
            Section(background.BILL_STAY, 0.8),
            Section(background.BILL_EMPLOYER),
            Section(identity.BILL_ADDRESS, 0.85),
            Section(general.BILLING, count=2),
            Section(background.HISTORY, 0.3),
        ),
        end=(
            Section(general.BILLING),
            Section(identity.PHONE[:7], 0.7),
            Section(identity.EMAIL, 0.6),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Episode:
    """A person with one condition: what stays the same in all notes about it."""

    person: Person
    topic: Topic
    words: Mapping[str, str]


def make_episode(rng: Random) -> Episode:
    """A fresh person with a condition, its side and its drug."""
    person, topic = make_person(rng), rng.choice(TOPICS)
    words = {
        **person.words,
        "service": topic.service,
        "side": rng.choice(("left", "right")),
        "drug": rng.choice(topic.drugs),
    }
    return Episode(person, topic, words)


def write_note(
    episode: Episode, document: Document, record_id: str, subject: str, rng: Random
) -> Record:
    """One note, drawn until its length and numbers of spans are within the bounds."""
    while True:
        draft = _draft(episode, document, rng)
        direct = sum(span.kind == "direct" for span in draft.spans)
        indirect = len(draft.spans) - direct
        text = draft.text
        if len(text) in LENGTHS and direct in DIRECT_SPANS and indirect in INDIRECT_SPANS:
            return Record(record_id, subject, text, tuple(draft.spans))


def _draft(episode: Episode, document: Document, rng: Random) -> Draft:
    today, weekday = rng.sample(general.WEEKDAYS, 2)
    words = {**episode.words, "today": today, "weekday": weekday, "bed": rng.choice(general.BEDS)}
    words["complaint"] = fill(rng.choice(episode.topic.complaints), rng, words)
    body = list(document.body)
    rng.shuffle(body)
    draft = Draft(rng, episode.person.values, words)
    separator, before = rng.choice(_SEPARATORS), ""
    for section in (*document.head, *body, *document.end):
        if rng.random() >= section.chance:
            continue
        pool = section.pool
        forms = pool if isinstance(pool, tuple) else getattr(episode.topic, pool)
        before += rng.choice(section.leads)
        for form in rng.sample(forms, section.count):
            draft.say(form, before)
            before = " "
        before = separator
    return draft
