"""The clinic's sentence forms, and every word that a note can hold outside its spans.

The forms themselves are in `sentences.toml`, those of one condition in `topics.toml`.
"""

from dataclasses import dataclass
from pathlib import Path

from research.cases.forms import read_pools, read_table, words_of


@dataclass(frozen=True, slots=True)
class Topic:
    """One condition: everything in it can stand in the same note without contradiction."""

    service: str  # the department, lower case
    complaints: tuple[str, ...]  # noun phrases: "3 weeks of calf swelling"
    findings: tuple[str, ...]  # sentences on examination, tests and imaging
    courses: tuple[str, ...]  # sentences on what was done and how it went
    plans: tuple[str, ...]  # sentences on what comes next
    drugs: tuple[str, ...]  # name, dose and frequency

    @property
    def forms(self) -> tuple[str, ...]:
        """All sentence forms."""
        return self.complaints + self.findings + self.courses + self.plans


_HERE = Path(__file__).parent
# Pools of single words and of leads, which are no sentences.
_WORDS = ("beds", "weekdays", "leads_of_findings", "leads_of_courses", "leads_of_plans")

POOLS = read_pools(_HERE / "sentences.toml")
TOPICS: tuple[Topic, ...] = tuple(
    Topic(topic.pop("service"), **{name: tuple(forms) for name, forms in topic.items()})
    for topic in read_table(_HERE / "topics.toml")["topic"]
)

# All sentence forms, each once.
FORMS: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *(form for name, pool in POOLS.items() if name not in _WORDS for form in pool),
            *(form for topic in TOPICS for form in topic.forms),
        )
    )
)

# A person none of whose direct identifiers shares a word with these occurs in spans only.
VOCABULARY: frozenset[str] = words_of(
    (
        *FORMS,
        *(form for name in _WORDS for form in POOLS[name]),
        *(topic.service for topic in TOPICS),
        *(drug for topic in TOPICS for drug in topic.drugs),
        "he she him her his man woman Mr Ms left right",
    )
)
