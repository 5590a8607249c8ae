"""`detect_spans`: find the sensitive spans of a text that comes without any.

The sources: the user's patient table, our own patterns, presidio's recognisers, a local pipeline
where the user has one (`ner`), and lists of names and places (`running`). Where matches overlap,
the longest wins, then the more specific source; what is only likely never overrides what is sure.
What was found once is then found wherever the text repeats it. No network is used. The result is a
proposal for the user to correct, not a guarantee: `expected` says how much is usually found.
"""

import bisect
import dataclasses
import functools
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import regex

from sanilens.corpus.detection.contexts import names_a_thing
from sanilens.corpus.detection.date_patterns import date_label
from sanilens.corpus.detection.gazetteer import Entry, Gazetteer
from sanilens.corpus.detection.known_words import KnownWords
from sanilens.corpus.detection.ner import NamePipeline, default_pipeline
from sanilens.corpus.detection.patient_table import PatientTable
from sanilens.corpus.detection.recognisers import RECOGNISERS
from sanilens.corpus.detection.running import running_spans
from sanilens.corpus.records import KIND_OF_LABEL, Kind, Span
from sanilens.extras import needs

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

# presidio's entity names and ours; a health-plan number and a licence have labels of their own.
_LABELS: Mapping[str, str] = {
    "PHONE_NUMBER": "PHONE",
    "IP_ADDRESS": "IP_ADDRESS",
    "CREDIT_CARD": "ACCOUNT",
    "IBAN_CODE": "ACCOUNT",
    "US_SSN": "SSN",
    "US_MBI": "HEALTH_PLAN",
    "MEDICAL_LICENSE": "MEDICAL_LICENSE",
    "DATE_TIME": "DATE",
}
_OWN_KINDS: Mapping[str, Kind] = {"HEALTH_PLAN": "direct", "MEDICAL_LICENSE": "direct"}

# presidio compares its results in pairs, so a long text is given to it in pieces, which
# overlap by more than any identifier it knows is long.
_WINDOW = 4_000
_OVERLAP = 200
# Below this presidio holds a match for chance, such as "7/10" for a month and a year.
_LEAST_SCORE = 0.3
# More specific sources win ties: the table knows, a pattern with context is nearly sure.
_TABLE, _PATTERN, _PRESIDIO, _RUNNING, _PIPELINE, _REPEAT = range(6)
# A longer value is an address of thousands of characters, which costs time and never repeats.
_SHORTEST_REPEAT, _LONGEST_REPEAT = 3, 120

# An address goes on with a town: "4010 Rockford Road, Needham, MA"; on a line of its own the town
# is one only where a country or a code follows.
_TOWN_GAP = regex.compile(r",?\s{1,3}")
_TOWN_AFTER_COMMA = regex.compile(r"\s{0,2}(?:[,.;\n]|$|\d)")
_TOWN_ON_A_LINE = regex.compile(r"[\s,]{1,4}(?:\p{Lu}\p{L}+[\s,]{1,3}){0,3}\d{4,6}(?!\d)")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A possible span and its source: a smaller `source` is more specific."""

    start: int
    end: int
    label: str
    source: int


@dataclass(slots=True)
class Detector:
    """What finds spans in texts that come without: a table, a pipeline, and the lists always.

    Attributes:
        table: names and numbers of known subjects.
        names: a pipeline, the one that is `installed` if there is one, or the `lists` alone.
        texts: in how many texts spans were searched so far; 0 where all gave theirs.
    """

    table: PatientTable | None = None
    names: NamePipeline | Literal["installed", "lists"] = "installed"
    texts: int = 0

    def __call__(self, text: str) -> tuple[Span, ...]:
        """The spans of a text.

        Raises:
            CorpusError: an installed pipeline that cannot be loaded.
        """
        self.texts += 1
        return detect_spans(text, self.table, self.pipeline)

    @property
    def pipeline(self) -> NamePipeline | None:
        """The pipeline in use."""
        match self.names:
            case "installed":
                return default_pipeline()
            case "lists":
                return None
            case pipeline:
                return pipeline


def detect_spans(
    text: str,
    table: PatientTable | None = None,
    names: NamePipeline | None = None,
    known: KnownWords | None = None,
) -> tuple[Span, ...]:
    """The sensitive spans found in a text, sorted and without overlaps.

    Args:
        text: the text.
        table: names and numbers of known subjects.
        names: a pipeline that finds names in running text, beside the lists of names.
        known: other lists than `known_words()`, for a bench that holds some out.
    """
    sure = [*_from_presidio(text), *_from_patterns(text)]
    if table is not None:
        sure += [
            _Candidate(hit.span.start, hit.span.end, hit.span.label, _TABLE)
            for hit in table.find(text)
        ]
    sure = _resolved(sure)
    listed = (_Candidate(*found, _RUNNING) for found in running_spans(text, known))
    first = [*_beside_addresses(text, _resolved([*sure, *_beside(listed, sure)]))]
    if names is not None:
        # Small pipelines take many a person for a firm or a town: what the lists know stays.
        modelled = (_Candidate(*found, _PIPELINE) for found in names.find(text))
        first = _resolved([*first, *_beside(modelled, first)])
    kept = _resolved([*first, *_repeats(text, first)])
    return tuple(Span(c.start, c.end, c.label, _kind(c.label)) for c in kept if _whole(text, c))


def _beside(likely: Iterable[_Candidate], sure: list[_Candidate]) -> Iterator[_Candidate]:
    """What is likely, unless it overlaps what is sure; a longer value of the same label may."""
    starts = [candidate.start for candidate in sure]
    for candidate in likely:
        first = max(0, bisect.bisect(starts, candidate.start) - 1)
        last = bisect.bisect_left(starts, candidate.end)
        over = [c for c in sure[first:last] if c.end > candidate.start]
        if all(c.label == candidate.label and c.source != _TABLE for c in over):
            yield candidate


def _beside_addresses(text: str, found: list[_Candidate]) -> Iterator[_Candidate]:
    """The spans; a likely name that an address takes for its town or its corner is none."""
    for before, one, after in zip([None, *found], found, [*found[1:], None], strict=False):
        if one.label != "NAME" or one.source != _RUNNING:
            yield one
        elif before and before.label == "ADDRESS" and _is_town(text, before.end, one):
            yield dataclasses.replace(one, label="LOCATION")
        # "Mikael and 3173 Kerry Way" is a corner of two streets.
        elif not (after and after.label == "ADDRESS" and text[one.end : after.start] == " and "):
            yield one


def _is_town(text: str, address_end: int, name: _Candidate) -> bool:
    gap = text[address_end : name.start]
    goes_on = _TOWN_ON_A_LINE if "\n" in gap else _TOWN_AFTER_COMMA
    return bool(_TOWN_GAP.fullmatch(gap) and goes_on.match(text, name.end))


def _whole(text: str, candidate: _Candidate) -> bool:
    """Whether a span cuts no word or number: half a value would be audited as another one."""
    start, end = candidate.start, candidate.end
    return not (
        _glued(text[start - 1 : start], text[start]) or _glued(text[end - 1], text[end : end + 1])
    )


def _glued(left: str, right: str) -> bool:
    both_letters = left.isalpha() and right.isalpha()
    return both_letters or (left.isdigit() and right.isdigit())


def _kind(label: str) -> Kind:
    return _OWN_KINDS[label] if label in _OWN_KINDS else KIND_OF_LABEL[label]


def _from_patterns(text: str) -> Iterator[_Candidate]:
    for recogniser in RECOGNISERS:
        for start, end in recogniser.find(text):
            label = date_label(text, start) if recogniser.label == "DATE" else recogniser.label
            yield _Candidate(start, end, label, _PATTERN)


def _from_presidio(text: str) -> Iterator[_Candidate]:
    for offset in range(0, max(1, len(text) - _OVERLAP), _WINDOW - _OVERLAP):
        window = text[offset : offset + _WINDOW]
        for result in _engine().analyze(window, language="en", score_threshold=_LEAST_SCORE):
            start, end = offset + result.start, offset + result.end
            start += text[start] == "(" and ")" not in text[start:end]
            label = _LABELS[result.entity_type]
            label = date_label(text, start) if label == "DATE" else label
            yield _Candidate(start, end, label, _PRESIDIO)


def _repeats(text: str, found: Iterable[_Candidate]) -> Iterator[_Candidate]:
    """Direct identifiers where the text says them again, each word of a name by itself too."""
    known = Gazetteer()
    for candidate in found:
        value = text[candidate.start : candidate.end]
        if _kind(candidate.label) != "direct":
            continue
        if not _SHORTEST_REPEAT <= len(value) <= _LONGEST_REPEAT:
            continue
        # In lower case a repeated name is more often the everyday word: "Young", "May".
        entry = Entry(candidate.label, subject="", capital=candidate.label == "NAME")
        known.add_phrase(value, entry)
        if candidate.label == "NAME":
            for word in value.replace(",", " ").split():
                if len(word) >= _SHORTEST_REPEAT and word[0].isupper():
                    known.add_phrase(word, entry)
    for hit in known.find(text):
        if hit.entries[0].label == "NAME" and names_a_thing(text, hit.end):
            continue  # "Dr. Foley placed a Foley catheter"
        yield _Candidate(hit.start, hit.end, hit.entries[0].label, _REPEAT)


def _resolved(candidates: Iterable[_Candidate]) -> list[_Candidate]:
    """The candidates that overlap no longer or more specific one, sorted by start."""
    kept: list[_Candidate] = []
    starts: list[int] = []
    best_first = sorted(candidates, key=lambda c: (c.start - c.end, c.source, c.start, c.label))
    for candidate in best_first:
        index = bisect.bisect(starts, candidate.start)
        free_before = index == 0 or kept[index - 1].end <= candidate.start
        free_after = index == len(kept) or candidate.end <= starts[index]
        if free_before and free_after:
            kept.insert(index, candidate)
            starts.insert(index, candidate.start)
    return kept


@functools.cache
def _engine() -> "AnalyzerEngine":
    """presidio with the recognisers that need no model and no network; built once.

    Its e-mail recogniser fetches a list of domains and its URL recogniser is slow on hostile
    text, so both are replaced by patterns of ours.
    """
    # At INFO presidio writes several lines for every text, none of use to a reader of our log.
    logging.getLogger("presidio-analyzer").setLevel(logging.WARNING)
    # Imported here: presidio brings spaCy, which takes seconds that `import sanilens` must not.
    with needs("detect"):
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer.nlp_engine import NoOpNlpEngine
        from presidio_analyzer.predefined_recognizers import (
            CreditCardRecognizer,
            DateRecognizer,
            IbanRecognizer,
            IpRecognizer,
            MedicalLicenseRecognizer,
            PhoneRecognizer,
            UsMbiRecognizer,
            UsSsnRecognizer,
        )

    recognisers = [
        # Elsewhere numbers of five digits are valid, and every MRN would be one.
        PhoneRecognizer(supported_regions=("US", "CA", "GB")),
        IpRecognizer(),
        CreditCardRecognizer(),
        IbanRecognizer(),
        UsSsnRecognizer(),
        UsMbiRecognizer(),
        MedicalLicenseRecognizer(),
        DateRecognizer(),
    ]
    return AnalyzerEngine(
        registry=RecognizerRegistry(recognisers, supported_languages=["en"]),
        nlp_engine=NoOpNlpEngine([{"lang_code": "en", "model_name": "none"}]),
        supported_languages=["en"],
    )
