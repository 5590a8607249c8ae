"""Five kinds of document, each composed of sampled sentence forms about one person.

Every document opens with its occasion and complaint, which identify nobody, and then names the
patient. Its length and its numbers of spans are kept within bounds by drawing again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from research.cases.clinic.people import Person, make_person
from research.cases.clinic.sentences import POOLS, TOPICS, Topic
from research.cases.forms import Draft, fill
from sanilens.corpus.records import Record

_SEPARATORS = (" ", " ", " ", "\n", "\n\n")


@dataclass(frozen=True, slots=True)
class Section:
    """`count` different forms of `pool`, or of its first `among`; left out at times.

    "findings", "courses" and "plans" are pools of the note's topic.
    """

    pool: str
    chance: float = 1.0
    count: int = 1
    leads: tuple[str, ...] = ("",)  # one of these stands before the first sentence
    among: int | None = None

    def forms(self, topic: Topic) -> tuple[str, ...]:
        """What is drawn from."""
        pool = POOLS[self.pool] if self.pool in POOLS else getattr(topic, self.pool)
        return pool[: self.among]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a document keeps: its length in characters, its numbers of spans."""

    lengths: range
    direct: range
    indirect: range

    def hold(self, record: Record) -> bool:
        """Whether `record` is within all of them."""
        direct = sum(span.kind == "direct" for span in record.spans)
        indirect = len(record.spans) - direct
        return len(record.text) in self.lengths and (
            direct in self.direct and indirect in self.indirect
        )


CLINIC = Bounds(lengths=range(350, 751), direct=range(4, 8), indirect=range(2, 5))


@dataclass(frozen=True, slots=True)
class Document:
    """A kind of document: its head in this order, its body in any order, then its end."""

    kind: str
    head: tuple[Section, ...]
    body: tuple[Section, ...]
    end: tuple[Section, ...]
    bounds: Bounds = CLINIC


_FINDINGS = Section("findings", 0.75, leads=POOLS["leads_of_findings"])
_COURSES = Section("courses", 0.85, leads=POOLS["leads_of_courses"])
_PLANS = Section("plans", 0.9, leads=POOLS["leads_of_plans"])

DOCUMENTS: tuple[Document, ...] = (
    Document(
        "discharge summary",
        head=(
            Section("discharge_openings"),
            Section("identity"),
            Section("admission"),
        ),
        body=(
            _FINDINGS,
            Section("courses", count=2, leads=POOLS["leads_of_courses"]),
            Section("history", 0.5),
            Section("work", 0.75),
            Section("recall", 0.6),
        ),
        end=(
            _PLANS,
            Section("phone", 0.8),
            Section("email", 0.25),
            Section("address", 0.4),
        ),
    ),
    Document(
        "progress note",
        head=(Section("progress_openings"), Section("identity_short")),
        body=(
            Section("vitals", 0.8),
            _FINDINGS,
            _COURSES,
            Section("recall"),
            Section("history", 0.6),
            Section("home", 0.7),
            Section("admission", 0.7),
        ),
        end=(
            _PLANS,
            Section("phone", 0.8),
            Section("address", 0.3),
            Section("email", 0.25),
            Section("sign_offs", 0.4),
        ),
    ),
    Document(
        "referral letter",
        head=(Section("referral_openings"), Section("letter_identity")),
        body=(
            Section("findings", count=2, leads=POOLS["leads_of_findings"]),
            _COURSES,
            Section("history", 0.8),
            Section("work", 0.9),
            Section("recall", 0.5),
        ),
        end=(
            Section("phone", 0.85),
            Section("address", 0.4),
            Section("email", 0.3),
            Section("sign_offs", 0.7),
        ),
    ),
    Document(
        "phone note",
        head=(
            Section("phone_openings"),
            Section("caller"),
            Section("caller_check"),
        ),
        body=(
            _COURSES,
            Section("history", 0.6),
            Section("home", 0.8),
            Section("admission", 0.5),
            Section("recall", 0.5),
        ),
        end=(
            Section("advice", count=2),
            _PLANS,
            Section("email", 0.35),
            Section("address", 0.2),
        ),
    ),
    Document(
        "billing message",
        head=(Section("billing_openings"), Section("account_holder")),
        body=(
            Section("bill_stay", 0.8),
            Section("bill_employer"),
            Section("bill_address", 0.85),
            Section("billing", count=2),
            Section("history", 0.3),
        ),
        end=(
            Section("billing"),
            Section("phone", 0.7, among=7),
            Section("email", 0.6),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Episode:
    """A person with one condition: what stays the same in all notes about it."""

    person: Person
    topic: Topic
    words: Mapping[str, str]


def make_episode(rng: Random, topics: Sequence[Topic] = TOPICS) -> Episode:
    """A fresh person with a condition, its side and its drug."""
    person, topic = make_person(rng), rng.choice(topics)
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
    """One note, drawn until it is within the document's bounds."""
    while True:
        draft = _draft(episode, document, rng)
        record = Record(record_id, subject, draft.text, tuple(draft.spans))
        if document.bounds.hold(record):
            return record


def _draft(episode: Episode, document: Document, rng: Random) -> Draft:
    today, weekday = rng.sample(POOLS["weekdays"], 2)
    words = {**episode.words, "today": today, "weekday": weekday, "bed": rng.choice(POOLS["beds"])}
    words["complaint"] = fill(rng.choice(episode.topic.complaints), rng, words)
    body = list(document.body)
    rng.shuffle(body)
    draft = Draft(rng, episode.person.values, words)
    separator, before = rng.choice(_SEPARATORS), ""
    for section in (*document.head, *body, *document.end):
        if rng.random() >= section.chance:
            continue
        before += rng.choice(section.leads)
        for form in rng.sample(section.forms(episode.topic), section.count):
            draft.say(form, before)
            before = " "
        before = separator
    return draft
