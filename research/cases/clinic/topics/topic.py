"""`Topic`: what one condition contributes to a note, as sentence forms.

The little grammar of the forms is `corpus.forms`'s. No form of a topic holds an identifier
slot, a year, a number of four digits, a clinician's name or a facility's.
"""

from dataclasses import dataclass


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
