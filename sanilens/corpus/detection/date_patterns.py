"""Patterns for dates and ages as clinical notes write them: "4 Mar '21", "04MAR2021", "93F".

A date is taken whole, and so is a range of days: half a date would be a date missed.
"""

from collections.abc import Iterator

import regex

from sanilens.corpus.detection.recogniser import Recogniser
from sanilens.corpus.surrogates.dates import MONTHS


def date_label(text: str, start: int) -> str:
    """What the words just before a date say that it is."""
    before = text[max(0, start - _CONTEXT) : start]
    if _BIRTH.search(before):
        return "DATE_OF_BIRTH"
    return "ADMISSION_DATE" if _ADMISSION.search(before) else "DATE"


_CONTEXT = 40
_BIRTH = regex.compile(
    r"(?i)\b(?:d\.?\s?o\.?\s?b\.?|born(?:\s{1,3}on)?|birth[ -]?da(?:te|y)|b\.?d(?:ate|ay)|"
    r"date\s{1,3}of\s{1,3}birth)"
    r"\W{0,4}(?:(?:is|was|on)\W{1,3})?(?:the\W{1,3})?$"
)
_ADMISSION = regex.compile(
    r"(?i)\b(?:admitted|admission|admit)(?:\s{1,3}date)?"
    r"\W{0,4}(?:(?:is|was|on|of|the|since|from)\W{1,3}){0,2}$"
)

_NAMES = rf"(?:{'|'.join(f'{name}|{name[:3]}' for name in MONTHS)}|Sept)"
_MONTH = rf"{_NAMES}\b\.?"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_TO = r"(?:[ ]?[\-–/&][ ]?|[ ](?:to|and|through|until)[ ])"
_DAYS = rf"(?:{_DAY}{_TO})?{_DAY}"
_YEAR = r"(?:(?:1[89]|20)\d\d|['’]\d\d)"
# Two digits alone are a year where nothing follows that they could count.
_SHORT_YEAR = r"\d\d(?=[ \t]*(?:[.,;:)\]](?!\d)|\n|$))"
_UNITS = (
    r"(?![ ]?(?:mg|ml|mcg|g|kg|units?|tab(?:let)?s?|times|cm|mm|mmhg|bpm|pain|strength|dose|cups?|"
    r"pills?|drops?|puffs?)\b)"
)
_LONG_DATE = (
    rf"(?<![\w./])(?P<value>{_DAYS}[ \-/.]{{1,2}}(?:of )?{_MONTH},?[ \-/.]{{1,2}}{_YEAR}"
    rf"|{_DAY}[ \-/.](?:of )?{_MONTH}[ \-/.]{_SHORT_YEAR}"
    rf"|{_DAY}[\-/.]{_MONTH}[\-/.]\d\d"
    rf"|(?:0?[1-9]|[12]\d|3[01]){_NAMES}(?:(?:19|20)\d\d|\d\d)"
    rf"|{_MONTH}[ \-]{{1,2}}{_DAYS}(?:,[ ]{{0,2}}|[ \-]){_YEAR}"
    rf"|{_MONTH},?[ \-/]{_YEAR}"
    rf"|(?:19|20)\d\d[ \-/.]{_MONTH}[ \-/.]{_DAY})(?!\w)"
)
# Without a year the month needs its capital: "may 5 mg" is no date.
_DAY_AND_MONTH = (
    rf"(?<![\w./])(?P<value>{_DAYS}[ ](?:of )?{_MONTH}|{_MONTH}[ ]{_DAYS})(?![\w/]|[.:]\d)"
    rf"(?![ ]?['’]\d){_UNITS}"
)
_IN_CAPITALS = regex.sub(r"[A-Z][a-z]+", lambda found: found.group().upper(), _DAY_AND_MONTH)
# Digits alone are a date where the words before say so: "on 3/4", "DOB 4-3-61", "DOB 04031961".
_DATED = (
    r"(?<![\p{L}\p{N}])(?i:d\.?o\.?b\.?|born(?:[ ]on)?|birth[ ]?dat?e|"
    r"date(?:[ ]of[ ]\p{L}{4,12})?|dated|"
    r"admitted|adm|discharged|d/c|seen|since|expires?|expir(?:ed|y)|effective|visit(?:ed)?|due)"
    r"[ \t]{0,2}[:=]?[ \t]{0,2}(?:(?:is|was|on|by|of)[ ])?"
)
_SHORT = (
    r"(?P<value>(?:0?[1-9]|[12]\d|3[01])[/\-](?:0?[1-9]|[12]\d|3[01])(?:[/\-](?:(?:19|20)\d\d|"
    r"\d\d))?"
    r"|(?:0?[1-9]|[12]\d|3[01])[ .](?:0?[1-9]|[12]\d|3[01])[ .](?:(?:19|20)\d\d|\d\d)"
    r"|(?:(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|\d{4}(?:19|20)\d\d))"
    rf"(?![\w/%]|[.\-]\d){_UNITS}"
)
_ON = (
    r"(?<!\w)[Oo]n[ ](?P<value>(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01]))"
    rf"(?![\w/%]|[.\-]\d){_UNITS}"
)
_DOTTED = (
    r"(?<![\w.])(?P<value>(?:19|20)\d\d\.(?:0[1-9]|1[0-2])\.(?:0[1-9]|[12]\d|3[01]))(?![\w.]\d?)"
)
_DASHED = (
    r"(?<![\w\-])(?P<value>(?:0?[1-9]|[12]\d|3[01])-(?:0?[1-9]|[12]\d|3[01])-(?:(?:19|20)\d\d|"
    r"\d\d))"
    r"(?![\w\-])"
)

_OLD = (
    r"(?:[ \-]{0,2}(?:years?|yrs?|yr\.)[ \-]{1,2}(?:old|of[ ]age)\b|[ \-]{0,2}(?:year|"
    r"yr)[ \-]?old\b|"
    r"[ \-]?(?:y\.?[/ ]?o)(?:\b|(?=[MFmf]\b)))"
)
_SMALL = r"[ \-]{0,2}(?:months?|mos?\.?|weeks?|wks?|days?)[ \-]{1,2}(?:old|of[ ]age)\b"
_SEEN = (
    r"(?=[ ](?:with|w/|who|whose|p/w|presents?|presenting|presented|c/o|s/p|h/o|hx|admitted|here|"
    r"brought|BIB|BIBA|seen|for|from|in)(?!\p{L})|[,;])"
)
_SEX = r"[ ]?(?:[MF]|male|female|man|woman|gentleman|lady)(?!\p{L})"
_NO_TEMPERATURE = r"(?<!(?i:temp|temperature|tmax|fever|febrile|t)[\p{L} :=,]{0,12})"
_AGED = (
    r"(?<![\p{L}\p{N}])(?i:age|aged|age[ ]of|ages)(?!\p{L})[ \t]{0,3}[:=#.\-]{0,2}[ \t]{0,3}"
    r"(?:(?:is|was|of)[ \t]{1,3})?"
)
_ONES = r"(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?"


def _ages(label: str, number: str, words: str) -> Iterator[Recogniser]:
    """How an age is said: with years, after "age", with the sex, in words."""
    value = rf"(?P<value>{number})"
    yield Recogniser(label, regex.compile(rf"(?i)(?<![\w./\-]){value}{_OLD}"))
    yield Recogniser(
        label, regex.compile(rf"{_AGED}{value}(?![\w/%]|[.\-]\d|[ ]?(?:mm|mg|bpm|months?|weeks?))")
    )
    yield Recogniser(
        label,
        regex.compile(
            rf"(?<![\w$€£.,/\-])(?=\d{{1,3}}[ ]?[MFmfwgl]){_NO_TEMPERATURE}{value}{_SEX}{_SEEN}"
        ),
    )
    yield Recogniser(label, regex.compile(rf"(?i)(?<!\w)(?P<value>{words}){_OLD}"))


DATE_RECOGNISERS: tuple[Recogniser, ...] = (
    *(
        Recogniser("DATE", regex.compile(pattern))
        for pattern in (
            rf"(?i){_LONG_DATE}",
            _DAY_AND_MONTH,
            _IN_CAPITALS,
            _DATED + _SHORT,
            _ON,
            _DOTTED,
            _DASHED,
        )
    ),
    *_ages(
        "AGE_OVER_89",
        r"(?:9\d|1[01]\d|12[0-5])",
        r"(?:ninety|one[ -]hundred)(?:[ -](?:and[ ])?\w{3,9})?",
    ),
    *_ages(
        "AGE",
        r"[1-8]?\d",
        rf"(?:(?:twenty|thirty|forty|fifty|sixty|seventy|eighty){_ONES}|(?:thir|four|fif|six|seven|"
        r"eigh|nine)teen|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)",
    ),
    Recogniser("AGE", regex.compile(rf"(?i)(?<![\w./\-])(?P<value>\d{{1,2}}){_SMALL}")),
    Recogniser(
        "AGE",
        regex.compile(
            r"(?<!\w)(?:turn(?:s|ed|ing)|when (?:he|she|I|they) (?:was|were))[ ](?P<value>[1-8]?\d)"
            r"(?=[.,;!?\n]|$|[ ](?:last|this|in|on|and|years)\b)"
        ),
    ),
    # "Ana Ruiz, 54, works as a plumber."
    Recogniser(
        "AGE",
        regex.compile(
            rf"(?<=\p{{Lu}}[\p{{L}}\-'’]{{1,30}},[ ])(?<!(?:{_MONTH})[ ]?,[ ])"
            r"(?P<value>[1-8]\d)(?=,[ ]\p{Ll})"
        ),
    ),
)
