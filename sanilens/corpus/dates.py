"""Written dates: read one together with how it is written, and write another the same way.

Months are English and independent of the machine's locale. Where day and month are both at
most 12 in a form with slashes, the month comes first, as in the United States.
"""

import re
from collections.abc import Mapping
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
    "YYYY-MM-DD", "YYYY/MM/DD", "YYYYMMDD",
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
    """The date that `text` is, and its template; None where it is no date we know.

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
