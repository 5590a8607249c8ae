"""Our own patterns, for what presidio misses in clinical notes.

Each finds one label by its form, or by a word that stands just before. Every repetition is
bounded and texts are matched from left to right, so that hostile text costs linear time.
A name without a title or a field name in front is found by no pattern: give a patient table.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import regex

from sanilens.corpus.dates import MONTHS


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A label and the pattern that finds it: the span is the pattern's group `value`.

    `accepts` refuses what has the form and is something else.
    """

    label: str
    pattern: regex.Pattern[str]
    accepts: Callable[[str], bool] = bool

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Offsets of every value."""
        for match in self.pattern.finditer(text):
            if self.accepts(match["value"]):
                yield match.span("value")


def date_label(text: str, start: int) -> str:
    """What the words just before a date say that it is."""
    before = text[max(0, start - _CONTEXT) : start]
    if _BIRTH.search(before):
        return "DATE_OF_BIRTH"
    return "ADMISSION_DATE" if _ADMISSION.search(before) else "DATE"


def npi_is_valid(number: str) -> bool:
    """Whether the check digit of a National Provider Identifier is right.

    Luhn's sum over the number with the prefix 80840 (health, United States), as CMS defines it.
    """
    digits = [int(digit) for digit in reversed("80840" + number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


_CONTEXT = 40
_LINK = r"[ \t]{0,3}[:=#.\-]{0,2}[ \t]{0,3}(?:(?:is|was|of)[ \t]{1,3})?"
_NUMBER_WORD = r"(?:[ \t]{0,2}(?:number|numbers|num|no\.?|nr\.?|id|code|\#))?"
_BIRTH = regex.compile(
    r"(?i)\b(?:d\.?\s?o\.?\s?b\.?|born(?:\s{1,3}on)?|birth[ -]?da(?:te|y)|"
    r"date\s{1,3}of\s{1,3}birth)"
    r"\W{0,4}(?:(?:is|was|on)\W{1,3})?$"
)
_ADMISSION = regex.compile(
    r"(?i)\b(?:admitted|admission|admit)(?:\s{1,3}date)?"
    r"\W{0,4}(?:(?:is|was|on|of|the|since|from)\W{1,3}){0,2}$"
)

_MONTH = rf"(?:{'|'.join(f'{name}|{name[:3]}' for name in MONTHS)}|Sept)\b\.?"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:1[89]|20)\d\d"
_LONG_DATE = (
    rf"(?<![\w.])(?P<value>{_DAY}[ \-]{{1,2}}(?:of )?{_MONTH},?[ \-]{{1,2}}{_YEAR}"
    rf"|{_MONTH}[ \-]{{1,2}}{_DAY}(?:,[ ]{{0,2}}|[ \-]){_YEAR}"
    rf"|{_MONTH}[ \-]{_YEAR})(?!\w)"
)
# Without a year the month needs its capital: "may 5 mg" is no date.
_DAY_AND_MONTH = (
    rf"(?<![\w.])(?P<value>{_DAY}[ ](?:of )?{_MONTH}|{_MONTH}[ ]{_DAY})(?![\w/]|[.:]\d)"
    r"(?![ ](?:mg|ml|mcg|g|kg|units?|tablets?|times)\b)"
)

# Capitalised words of one line: "Ana M. de la Cruz-Ruiz". A word followed by a colon is the
# next field's name, as are these where the colon is missing.
_FIELD = (
    r"(?:DOB|MRN|SSN|NPI|AGE|SEX|DATE|PHONE|TEL|FAX|EMAIL|ADDRESS|ROOM|WARD|UNIT|GENDER|RECORD|"
    r"ADMITTED|DISCHARGED|Age|Sex|Date|Phone|Address|Room|Ward|Unit|Gender|Admitted|Discharged|"
    r"Practitioner|MD|DO|RN|NP|PA|PhD)\b"
)
_WORD = rf"(?!{_FIELD})\p{{Lu}}(?:[\p{{L}}\p{{M}}\-]|['’](?!s\b)){{0,30}}(?![\p{{L}}\p{{M}}])"
_CAPITALISED = rf"{_WORD}(?![ \t]{{0,3}}:)"
_PARTICLE = r"(?:(?:de|del|della|der|den|di|da|dos|du|la|le|van|von|zu|al|el|bin|ibn|st)[ ]){0,2}"
# A full stop ends an initial; after anything longer it ends the sentence.
_TO_NEXT = rf"(?:(?<=\b\p{{Lu}})\.)?[ ]{_PARTICLE}"
_NEXT_NAME = rf"{_TO_NEXT}{_CAPITALISED}"
_PERSON = rf"(?P<value>{_CAPITALISED}(?:{_NEXT_NAME}){{0,3}})"
# "Mother: Died in 2011" is no name, so after a role it takes two words; "RUIZ, ANA" are two.
_FULL_PERSON = (
    rf"(?P<value>{_CAPITALISED}(?:,[ ]?{_CAPITALISED}(?:{_NEXT_NAME})?|(?:{_NEXT_NAME}){{1,3}}))"
)
# A title leaves no doubt that a name follows, even before a colon: "Mr Luis Ruiz: no pain".
_TITLED = rf"(?P<value>{_WORD}(?:{_TO_NEXT}{_WORD}){{0,3}})"
_TITLE = r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Doctor|Nurse|Sister|Sir|Dame|Rev)\.?[ ]"
_NAME_FIELD = (
    r"(?:(?:patient|full|first|last|family|given|maiden|pt)(?:['’]s)?[ ]name|(?<!\w[ ])name)"
)
_ROLE = (
    r"(?:patient|next[ ]of[ ]kin|emergency[ ]contact|attending|"
    r"(?:attending|referring|primary|consulting)?[ ]?"
    r"(?:physician|provider|surgeon|doctor|clinician|nurse)|(?:dictated|signed|reviewed|seen)[ ]by|"
    r"spouse|wife|husband|partner|mother|father|daughter|son|brother|sister|guardian|contact)"
)

# Without a colon, in a sentence: "his wife Maria", "Patient Ana Ruiz" but no heading.
_RELATIVE = r"(?:wife|husband|partner|mother|father|daughter|son|brother|sister)[ ]"
_PATIENT = (
    r"[Pp]atient[ ](?!(?:Care|Data|Demographics|Details|Discharge|Education|Health|History|"
    r"Identification|Information|Instructions|Medical|Safety|Status|Summary)\b)(?=\p{Lu}\p{Ll})"
)
# What follows a name in a sentence: "Ana Ruiz, DOB 1961", "Ana Ruiz (MRN 4711)".
_BIO = (
    r"(?=,?[ ]\(?(?:DOB|MRN|born\b|aged\b|hospital (?:no|number)|chart\b|date of birth|"
    r"\d{1,3}[ \-]?(?:y/?o\b|years?\b)))"
)
# Capitalised at the start of a sentence, and no part of the name.
_NO_NAME = (
    rf"(?!{_TITLE}|(?:Patient|Concerning|Regarding|Re|About|For|With|Guarantor|Contact|Dear|See|"
    r"The|This|Saw|Met|Our)[ ])"
)
_COLON = r"[ \t]{0,3}[:=][ \t]{0,3}"

_STATE = (
    r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|"
    r"T[NX]|UT|V[AT]|W[AIVY]|PR)"
)
_PLACE = r"\p{Lu}[\p{L}.'’\-]{1,24}"
_ZIP = r"\d{5}(?:-\d{4})?(?![\w\-])"
_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln|Boulevard|Blvd|Court|Ct|Place|Pl|Square|Sq|"
    r"Terrace|Ter|Way|Parkway|Pkwy|Circle|Cir|Highway|Hwy|Trail|Crescent|Close|Row|Alley|Gardens|Grove|Mews|Parade)\b\.?"
)
_FLAT = (
    r"(?:,?[ ](?:(?:Apt|Apartment|Unit|Suite|Ste|Flat|Floor|Fl|Rm)\.?[ ]?\#?|\#[ ]?)"
    r"[A-Za-z0-9\-]{1,6})?"
)
_TENS = r"(?:ninety|one[ -]hundred)"
_YEARS_OLD = r"(?:[ \-]{0,2}(?:years?|yrs?)[ \-]{1,2}(?:old|of[ ]age)\b|[ \-]?y\.?[/ ]?o\b)"
_OVER_89 = r"(?:9\d|1[01]\d|12[0-5])"


def _has_digit_and_letter(value: str) -> bool:
    compact = [character for character in value if character.isalnum()]
    kinds = {character.isdigit() for character in compact}
    # "plate L4-L5" and "T12 plate" are surgery, not traffic.
    return 5 <= len(compact) <= 8 and len(kinds) == 2


def _digits(least: int) -> Callable[[str], bool]:
    """At least this many digits, and not a date such as 2019-03-04."""

    def accepts(value: str) -> bool:
        return sum(c.isdigit() for c in value) >= least and not _ISO_DATE.fullmatch(value)

    return accepts


_ISO_DATE = regex.compile(r"(?:19|20)\d\d-\d\d?-\d\d?")


def _after(words: str, value: str) -> regex.Pattern[str]:
    """A value that follows context words, in any case, with its own case kept."""
    return regex.compile(rf"(?<![\p{{L}}\p{{N}}])(?i:{words})(?!\p{{L}}){_LINK}(?P<value>{value})")


RECOGNISERS: tuple[Recogniser, ...] = (
    Recogniser(
        "MRN",
        _after(
            r"(?:m\.?r\.?n\.?|medical[ ]rec(?:ord)?s?|med[ ]rec|"
            r"(?:hospital|patient|chart|unit|record)"
            r"(?=[ ]?(?:number|num|no\b|nr\b|id\b|\#))|(?:chart|record)(?=[ ]\d{5}))"
            rf"{_NUMBER_WORD}",
            r"[A-Za-z]{0,4}[ \-]?\d[\d\-]{2,18}(?<=\d)(?!\w)",
        ),
        _digits(4),
    ),
    Recogniser(
        "ACCOUNT",
        _after(
            r"(?:account|acct\.?|policy|member|insurance|claim|subscriber|health[ ]plan)"
            r"[ ](?:number|num|no\.?|nr\.?|id|\#)",
            r"[A-Za-z]{0,4}[ \-]?\d[\d\-]{2,22}(?<=\d)(?!\w)",
        ),
        _digits(4),
    ),
    Recogniser("NPI", _after(rf"npi{_NUMBER_WORD}", r"[12]\d{9}(?!\w)"), npi_is_valid),
    Recogniser("SSN", regex.compile(r"(?<![\w\-])(?P<value>\d{3}-\d{2}-\d{4})(?![\w\-])")),
    Recogniser(
        "SSN",
        _after(rf"(?:ssn|social[ ]security){_NUMBER_WORD}", r"\d{3}[ .\-]?\d{2}[ .\-]?\d{4}(?!\w)"),
    ),
    Recogniser(
        "DEVICE_SERIAL",
        _after(
            r"(?:serial|s/n|sn|udi|pacemaker|defibrillator|implant|device|pump)"
            rf"(?:[ ](?:serial|device|id))?{_NUMBER_WORD}",
            r"(?=[A-Z0-9\-]{0,24}\d)[A-Z0-9](?:[A-Z0-9]|-(?=[A-Z0-9])){4,24}(?!\w)",
        ),
        _digits(3),
    ),
    Recogniser(
        "LICENSE_PLATE",
        _after(
            rf"(?:(?:licen[sc]e|number|vehicle)[ ]plate|plate|registration){_NUMBER_WORD}",
            r"[A-Z0-9]{1,7}(?:[ \-][A-Z0-9]{1,5})?(?!\w)",
        ),
        _has_digit_and_letter,
    ),
    Recogniser(
        "AGE_OVER_89", regex.compile(rf"(?i)(?<![\w./\-])(?P<value>{_OVER_89}){_YEARS_OLD}")
    ),
    Recogniser(
        "AGE_OVER_89",
        _after(r"age|aged|age[ ]of", rf"{_OVER_89}(?![\w/%]|[.\-]\d|[ ]?(?:mm|mg|bpm))"),
    ),
    Recogniser(
        "AGE_OVER_89",
        regex.compile(rf"(?i)(?<!\w)(?P<value>{_TENS}(?:[ -](?:and[ ])?\w{{3,9}})?){_YEARS_OLD}"),
    ),
    Recogniser("ZIP", regex.compile(rf"(?<!\w){_STATE},?[ ]{{1,2}}(?P<value>{_ZIP})")),
    Recogniser("ZIP", _after(r"(?:zip|postal|post)(?:[ ]?code)?", _ZIP)),
    Recogniser(
        "CITY",
        regex.compile(
            rf"(?<![\w'’\-])(?P<value>{_PLACE}(?:[ ]{_PLACE}){{0,2}}),?[ ]"
            rf"{_STATE},?[ ]{{1,2}}{_ZIP}"
        ),
    ),
    Recogniser(
        "ADDRESS",
        regex.compile(
            r"(?<![\w/.\-])(?P<value>\d{1,6}[A-Za-z]?(?:-\d{1,5})?[ ]"
            r"(?:(?:\p{Lu}[\p{L}.'’\-]{0,24}|\d{1,3}(?:st|nd|rd|th))[ ]){1,4}?"
            rf"{_STREET}{_FLAT})"
        ),
    ),
    Recogniser(
        "ADDRESS", regex.compile(r"(?i)(?<!\w)(?P<value>P\.?[ ]?O\.?[ ]Box[ ]\d{1,6})(?!\w)")
    ),
    Recogniser("DATE", regex.compile(rf"(?i){_LONG_DATE}")),
    Recogniser("DATE", regex.compile(_DAY_AND_MONTH)),
    Recogniser("NAME", regex.compile(rf"(?<![\p{{L}}\p{{N}}]){_TITLE}{_TITLED}")),
    Recogniser(
        "NAME",
        regex.compile(
            rf"(?<![\p{{L}}\p{{N}}])(?i:{_NAME_FIELD}){_COLON}(?:{_TITLE})?(?|{_FULL_PERSON}|{_PERSON})"
        ),
    ),
    Recogniser(
        "NAME",
        regex.compile(rf"(?<![\p{{L}}\p{{N}}])(?i:{_ROLE}){_COLON}(?:{_TITLE})?{_FULL_PERSON}"),
    ),
    Recogniser(
        "NAME",
        regex.compile(
            rf"(?<![\p{{L}}\p{{N}}\-]){_NO_NAME}(?P<value>{_WORD}(?:{_NEXT_NAME}){{1,3}}){_BIO}"
        ),
    ),
    Recogniser("NAME", regex.compile(rf"(?<!\w){_RELATIVE}(?=\p{{Lu}}\p{{Ll}}){_PERSON}")),
    Recogniser("NAME", regex.compile(rf"(?<!\w){_PATIENT}{_FULL_PERSON}")),
    Recogniser(
        "EMAIL",
        regex.compile(
            r"(?<![\w.+\-])(?P<value>[\w.%+\-]{1,64}@[\p{L}\p{N}\-]{1,63}(?:\.[\p{L}\p{N}\-]{1,63}){1,8})"
            r"(?<![\-])"
        ),
    ),
    Recogniser(
        "URL",
        regex.compile(
            r"(?i)(?<![\w@.])(?P<value>(?:(?:https?|ftp)://|www\.)"
            r"[^\s<>\"'(){}\[\]]{3,2000}(?<![.,;:!?]))"
        ),
    ),
    Recogniser(
        "PHONE",
        regex.compile(
            r"(?<![\w.\-])(?P<value>(?:\+?1[ .\-]?)?(?:\(\d{3}\)[ ]?|\d{3}[ .\-])\d{3}[ .\-]\d{4}"
            r"(?:[ ]?(?:x|ext\.?)[ ]?\d{1,6})?)(?![\w\-])"
        ),
    ),
    Recogniser(
        "PHONE",
        _after(
            rf"(?:phone|telephone|tel\.?|mobile|cell|fax|pager|call){_NUMBER_WORD}(?:[ ]at)?",
            r"\+?(?:\d{1,3}[ .\-])?(?:\(\d{1,5}\)[ ]?)?\d{2,11}(?:[ .\-/]\d{2,7}){0,4}(?![\w\-])",
        ),
        _digits(7),
    ),
)
