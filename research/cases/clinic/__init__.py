"""The bundled case's clinic: notes about invented people, with exact spans, decided by a seed."""

from collections.abc import Iterator
from random import Random

from research.cases.clinic.notes import DOCUMENTS, make_episode, write_note
from sanilens.corpus.records import Record

__all__ = ["generic_notes", "patient_notes"]


def patient_notes(seed: int, patients: int = 64, prefix: str = "p") -> tuple[Record, ...]:
    """Two to four notes of different kinds about each of `patients` people.

    Subjects are "p-000", "p-001", … with the given prefix; notes are "n-000", "n-001", ….
    The first patients' notes do not depend on how many patients follow.
    """
    records: list[Record] = []
    for number in range(patients):
        rng = Random(f"patient/{seed}/{number}")
        episode = make_episode(rng)
        for document in rng.sample(DOCUMENTS, rng.randint(2, 4)):
            record_id, subject = f"n-{len(records):03}", f"{prefix}-{number:03}"
            records.append(write_note(episode, document, record_id, subject, rng))
    return tuple(records)


def generic_notes(seed: int, count: int) -> Iterator[Record]:
    """`count` notes, each about a person who never recurs, written while they are asked for.

    They teach a model the form of the notes and no patient: subjects are "g-000000", ….
    """
    rng = Random(f"generic/{seed}")
    for number in range(count):
        episode, document = make_episode(rng), rng.choice(DOCUMENTS)
        yield write_note(episode, document, f"gn-{number:06}", f"g-{number:06}", rng)
