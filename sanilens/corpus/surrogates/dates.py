"""Written dates: read one with the form it is written in, and write another in that form.

Months are English and independent of the machine's locale. Where day and month are both at
most 12 in a form with slashes, the month comes first, as in the United States.
"""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip

# The fields of a written date. The order of `TEMPLATES` decides where several could match:
# two digits are taken for a padded field only where the template without padding fails.
_FIELDS: Mapping[str, str] = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short_year>\d{2})",
    "MONTH": rf"(?P<month_name>{'|'.join(MONTHS)})",
    "MON": rf"(?P<month_abbreviated>{'|'.join(name[:3] for name in MONTHS)})",
    "MM": r"(?P<month>\d{2})",
    "M": r"(?P<month>[1-9]\d?)",
    "DD": r"(?P<day>\d{2})",
    "D": r"(?P<day>[1-9]\d?)",
}
_FIELD = re.compile("|".join(_FIELDS))
_SPELLED = (
    "D MONTH YYYY", "MONTH D, YYYY", "MONTH D YYYY", "D. MONTH YYYY", "D-MONTH-YYYY",
    "DD MONTH YYYY", "MONTH DD, YYYY", "MONTH DD YYYY", "DD. MONTH YYYY", "DD-MONTH-YYYY",
    "D MONTH YY", "DD MONTH YY", "D-MONTH-YY", "DD-MONTH-YY",
    "MONTH YYYY", "D MONTH", "MONTH D", "DD MONTH", "MONTH DD",
)  # fmt: skip
_NUMERIC = (
    "YYYY-MM-DD", "YYYY/MM/DD", "YYYYMMDD", "YYYY-M-D",
    "MM/DD/YYYY", "DD/MM/YYYY", "M/D/YYYY", "D/M/YYYY", "M/DD/YYYY", "MM/D/YYYY",
    "DD.MM.YYYY", "D.M.YYYY", "D.MM.YYYY", "DD.M.YYYY",
    "MM-DD-YYYY", "DD-MM-YYYY", "M-D-YYYY", "D-M-YYYY",
    "MM/DD/YY", "DD/MM/YY", "M/D/YY", "D/M/YY", "DD.MM.YY", "D.M.YY",
    "YYYY",
)  # fmt: skip
TEMPLATES = (*_SPELLED, *(form.replace("MONTH", "MON") for form in _SPELLED), *_NUMERIC)


def _pattern(template: str) -> re.Pattern[str]:
    parts, end = [], 0
    for field in _FIELD.finditer(template):
        parts += [re.escape(template[end : field.start()]), _FIELDS[field.group()]]
        end = field.end()
    return re.compile("".join([*parts, re.escape(template[end:])]), re.IGNORECASE | re.ASCII)


_PATTERNS = tuple((template, _pattern(template)) for template in TEMPLATES)


def read_date(text: str) -> tuple[date, str] | None:
    """The date that `text` is, and its template; None if it is not a date that we can read.

    A missing day or month reads as 1, a missing year as 2000, two digits as 1931-2030.
    """
    for template, pattern in _PATTERNS:
        if (found := pattern.fullmatch(text)) is None:
            continue
        fields = found.groupdict()
        short = int(fields.get("short_year") or 0)
        year = int(fields.get("year") or (1900 + short if short > 30 else 2000 + short))
        name = fields.get("month_name") or fields.get("month_abbreviated")
        month = _month_number(name) if name else int(fields.get("month") or 1)
        try:
            return date(year, month, int(fields.get("day") or 1)), template
        except ValueError:  # such as month 14: the day comes first, by a later template
            continue
    return None


def write_date(day: date, template: str) -> str:
    """`day` in the form of `template`, such as "DD MONTH YYYY"."""
    values = {
        "YYYY": f"{day.year:04}",
        "YY": f"{day.year % 100:02}",
        "MONTH": MONTHS[day.month - 1],
        "MON": MONTHS[day.month - 1][:3],
        "MM": f"{day.month:02}",
        "M": str(day.month),
        "DD": f"{day.day:02}",
        "D": str(day.day),
    }
    return _FIELD.sub(lambda field: values[field.group()], template)


def _month_number(name: str) -> int:
    return 1 + [month[:3].casefold() for month in MONTHS].index(name[:3].casefold())


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """One reading of a date as it is written; None where it leaves a field out.

    `year` is modulo 100 where two digits are written: `short`.
    """

    year: int | None
    month: int | None
    day: int | None
    short: bool = False

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields that are written."""
        return frozenset(f for f in ("year", "month", "day") if getattr(self, f) is not None)

    def shared(self, other: "WrittenDate") -> frozenset[str]:
        """The fields that both write; none if they differ in one."""
        both = self.fields & other.fields
        for name in both:
            one, two = getattr(self, name), getattr(other, name)
            if name == "year" and (self.short or other.short):
                one, two = one % 100, two % 100
            if one != two:
                return frozenset()
        return both


_NAMES = "|".join(dict.fromkeys((*MONTHS, *(name[:3] for name in MONTHS), "Sept")))
# Ways of writing that no template has: "12th", "12 of March", "Mar.", "Sept", "March, 2021".
_TIDIED = tuple(
    (re.compile(pattern, re.IGNORECASE), by)
    for pattern, by in (
        (r"\s+", " "),
        (r"(?<=\d)(?:st|nd|rd|th)\b", ""),
        (rf"(?<=\d) of (?=(?:{_NAMES})\b)", " "),
        (r"\bSept\b", "Sep"),
        (rf"\b({_NAMES})(?:\.,?|,)(?= ?\d)", r"\1"),
    )
)
# Not within a longer number, or a longer date.
_ANY = re.compile(
    r"(?<![^\W_])(?<!\d[./-])(?:{})(?=T\d|[\W_]|$)(?![./-]\d)".format(
        "|".join(
            re.sub(r"\(\?P<\w+>", "(?:", _pattern(template).pattern)
            for template in sorted(TEMPLATES, key=lambda t: (-len(_FIELD.findall(t)), -len(t)))
        )
    ),
    re.IGNORECASE | re.ASCII,
)


def find_dates(text: str) -> frozenset[WrittenDate]:
    """Every reading of every date in `text`: "03/04/61" means two days, of no certain century."""
    return frozenset(day for found in _ANY.finditer(_tidied(text)) for day in _readings(found[0]))


def is_day(text: str) -> bool:
    """Whether `text` is a date and nothing else, with day and month."""
    return any(len(day.fields) > 1 and day.day for day in _readings(_tidied(text.strip())))


def _readings(text: str) -> set[WrittenDate]:
    days: set[WrittenDate] = set()
    for _, pattern in _PATTERNS:
        if (found := pattern.fullmatch(text)) is None:
            continue
        part = found.groupdict()
        name = part.get("month_name") or part.get("month_abbreviated")
        month = _month_number(name) if name else int(part.get("month") or 0)
        short = part.get("year") is None
        year, day = part.get("year") or part.get("short_year"), int(part.get("day") or 0)
        if not _exists(int(year) if year else None, month, day):
            continue
        days.add(WrittenDate(int(year) if year else None, month or None, day or None, short))
    return days


def _exists(year: int | None, month: int, day: int) -> bool:
    if not month:
        return True
    # A leap year where the century is not known.
    known = 2000 if year is None or year < 100 else year
    return month <= 12 and day <= monthrange(known, month)[1]


def _tidied(text: str) -> str:
    for pattern, by in _TIDIED:
        text = pattern.sub(by, text)
    return text
