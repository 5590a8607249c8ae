"""The ward's notes: shorter than the clinic's, with its sentence forms and some of its conditions.

Each says what was found, what was given and what comes next, so that many of them teach the trade,
and few of a person's identifiers, so that these are learnt only where a person's notes recur.
"""

from collections.abc import Iterator
from random import Random

from research.cases.clinic.notes import Bounds, Document, Section, make_episode, write_note
from research.cases.clinic.sentences import POOLS, TOPICS
from sanilens.corpus.records import Record

CONDITIONS = tuple(topic for topic in TOPICS if topic.service in {
    "vascular medicine", "cardiology", "respiratory medicine", "gastroenterology", "urology",
    "orthopaedics", "rheumatology", "neurology", "diabetes medicine", "ophthalmology",
})  # fmt: skip
"""What the ward treats: few enough to be learnt by a small model from some thousand notes."""

_BOUNDS = Bounds(lengths=range(180, 421), direct=range(2, 5), indirect=range(1, 3))

_FINDINGS = Section("findings", leads=POOLS["leads_of_findings"])
_COURSES = Section("courses", leads=POOLS["leads_of_courses"])
_PLANS = Section("plans", leads=POOLS["leads_of_plans"])
_HISTORY, _HOME, _ADMISSION = (Section(pool, 0.4) for pool in ("history", "home", "admission"))
_PHONE, _EMAIL, _ADDRESS = (Section(pool, 0.3) for pool in ("phone", "email", "address"))

DOCUMENTS: tuple[Document, ...] = (
    Document(
        "discharge summary",
        head=(Section("discharge_openings"), Section("identity")),
        body=(_FINDINGS, _COURSES, _ADMISSION, _HISTORY),
        end=(_PLANS, _PHONE, _EMAIL, _ADDRESS),
        bounds=_BOUNDS,
    ),
    Document(
        "progress note",
        head=(Section("progress_openings"), Section("identity_short")),
        body=(_FINDINGS, _COURSES, Section("recall", 0.4), _HISTORY, _HOME),
        end=(_PLANS, _PHONE, _EMAIL, _ADDRESS),
        bounds=_BOUNDS,
    ),
    Document(
        "referral letter",
        head=(Section("referral_openings"), Section("letter_identity")),
        body=(_FINDINGS, _COURSES, _HISTORY, Section("work", 0.4)),
        end=(_PLANS, _PHONE, _EMAIL, _ADDRESS),
        bounds=_BOUNDS,
    ),
    Document(
        "phone note",
        head=(Section("phone_openings"), Section("caller")),
        body=(_COURSES, Section("findings", 0.5, leads=POOLS["leads_of_findings"]), _HOME),
        end=(_PLANS, _ADMISSION, _EMAIL, _ADDRESS),
        bounds=_BOUNDS,
    ),
)


def ward_notes(seed: int, patients: int, prefix: str = "p") -> tuple[Record, ...]:
    """Two or three notes of different kinds about each of `patients` people.

    Subjects are "p-000", "p-001", … with the given prefix; notes are "n-000", "n-001", ….
    The first patients' notes do not depend on how many patients follow.
    """
    records: list[Record] = []
    for number in range(patients):
        rng = Random(f"ward/{seed}/{number}")
        episode = make_episode(rng, CONDITIONS)
        for document in rng.sample(DOCUMENTS, rng.randint(2, 3)):
            record_id, subject = f"n-{len(records):03}", f"{prefix}-{number:03}"
            records.append(write_note(episode, document, record_id, subject, rng))
    return tuple(records)


def other_notes(seed: int, count: int) -> Iterator[Record]:
    """`count` notes, each about a person who never recurs: subjects are "g-000000", …."""
    rng = Random(f"others/{seed}")
    for number in range(count):
        episode, document = make_episode(rng, CONDITIONS), rng.choice(DOCUMENTS)
        yield write_note(episode, document, f"gn-{number:06}", f"g-{number:06}", rng)
