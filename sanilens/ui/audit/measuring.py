"""What the page Audit shows, measured step by step so that the headline stands first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sanilens.audit.extraction import SpanVerdict
from sanilens.ui.opened import Opened, audit, audited, utility
from sanilens.ui.progress import progress_bar
from sanilens.unlearn.plan import AuditSettings


@dataclass(frozen=True, slots=True)
class Findings:
    """The case's audit as far as it has been measured; None where it has not, or cannot be."""

    subject: list[SpanVerdict]
    control: list[SpanVerdict] | None = None
    reference: list[SpanVerdict] | None = None
    utility: dict[str, float] | None = None
    reference_utility: dict[str, float] | None = None


def verdicts(opened: Opened, settings: AuditSettings, who: str, text: str) -> list[SpanVerdict]:
    """The verdicts, at once if they are known, else under a progress bar."""
    if audited(opened.ref, settings, who):
        return audit(opened.ref, settings, who)
    with progress_bar(text) as progress:
        return audit(opened.ref, settings, who, progress)


def findings(opened: Opened, settings: AuditSettings) -> Iterator[Findings]:
    """What is known, after each step; the last one is whole."""
    found = Findings(verdicts(opened, settings, "subject", "Asking the model for every span"))
    if opened.corpus.control:
        yield found
        text = "The same of look-alikes that it never saw"
        found = replace(found, control=verdicts(opened, settings, "control", text))
    if opened.reference:
        yield found
        text = "The same of the reference model"
        found = replace(found, reference=verdicts(opened, settings, "reference", text))
    yield found
    with progress_bar("Perplexity, which shows what the model is still good for"):
        found = replace(found, utility=utility(opened.ref))
    if opened.reference:
        yield found
        with progress_bar("Perplexity of the reference model"):
            found = replace(found, reference_utility=utility(opened.ref, "reference"))
    yield found
