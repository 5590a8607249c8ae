"""`RECOGNISERS`: the patterns of every label, those of names, dates and addresses included."""

from collections.abc import Callable

import regex

from sanilens.corpus.detection.address_patterns import ADDRESS_RECOGNISERS
from sanilens.corpus.detection.date_patterns import DATE_RECOGNISERS
from sanilens.corpus.detection.name_patterns import NAME_RECOGNISERS
from sanilens.corpus.detection.recogniser import Recogniser


def npi_is_valid(number: str) -> bool:
    """Whether the check digit of a National Provider Identifier is right.

    Luhn's sum over the number with the prefix 80840 (health, United States), as CMS defines it.
    """
    digits = [int(digit) for digit in reversed("80840" + number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


_LINK = r"[ \t]{0,3}[:=#.\-]{0,2}[ \t]{0,3}(?:(?:is|was|of|as)[ \t]{1,3})?"
_NUMBER_WORD = r"(?:[ \t]{0,2}(?:number|numbers|num|no\.?|nr\.?|id|code|\#))?"

_EXTENSION = r"(?:,?[ ]?(?:x|ext(?:ension|n)?\.?|\#)[ ]?:?[ ]?\d{1,6})?"


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
            r"(?:m\.?r\.?n\.?|m\.?r\.?(?=[ ]?(?:\#|no\b|num))|med(?:ical|\.)?[ ]rec(?:ord|\.)?s?|"
            r"(?:hosp(?:ital|\.)?|patient|pt|chart|unit|record|case|file|encounter|visit|"
            r"episode|csn|"
            r"accession|specimen|nhs|chi|ur|nhi|uhid|hospice|clinic)"
            r"(?=[ ]?(?:number|num|no\b|nr\b|id\b|ident|\#))|(?:chart|record|nhs)(?=[ ]\d{3}))"
            rf"{_NUMBER_WORD}",
            r"(?:\d{3}[ ]\d{3}[ ]\d{4}|(?:[A-Za-z]{1,4}-?|[A-Z]{1,4}[ ])?\d(?:[\-/]?\d|"
            r"-?[A-Z]){2,18})"
            r"(?![\w]|[\-/]\w)",
        ),
        _digits(4),
    ),
    Recogniser(
        "ACCOUNT",
        _after(
            r"(?:account|acct\.?|a/c|policy|member|insurance|claim|subscriber|health[ ]plan|"
            r"medicare|"
            r"medicaid|group|invoice|bank[ ]account)"
            r"(?:[ ]?(?:number|num|no\.?|nr\.?|id|\#)|(?=[ ]\d{6}))",
            r"[A-Za-z]{0,4}[ \-]?\d(?:[\-/]?\d|-?[A-Z]){2,22}(?![\w]|[\-/]\w)",
        ),
        _digits(4),
    ),
    # In words of cards or banks a number is one even where its check digit is wrong.
    Recogniser(
        "ACCOUNT",
        regex.compile(
            r"(?i)(?<!\p{L})(?:(?:credit|debit|bank|charge|payment|gift)[ ]?cards?|cards?|visa|"
            r"master[ ]?card|amex|american[ ]express|discover|maestro|diners|jcb|cc)(?!\p{L})"
            r"[^\n\d]{0,40}(?<![\w.\-])"
            r"(?P<value>\d{4}(?:[ \-]\d{4}){2}[ \-]\d{1,7}|\d{4}[ \-]\d{6}[ \-]\d{5}|\d{13,19})"
            r"(?![\w\-])"
        ),
    ),
    Recogniser(
        "ACCOUNT",
        _after(
            r"iban(?:[ ](?:number|no\.?|code))?",
            r"[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?(?!\w)",
        ),
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
    *ADDRESS_RECOGNISERS,
    *DATE_RECOGNISERS,
    *NAME_RECOGNISERS,
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
            rf"{_EXTENSION})(?![\w\-])"
        ),
    ),
    # A plus and a country code: a number of any country, whether or not it is in use.
    Recogniser(
        "PHONE",
        regex.compile(
            r"(?<![\w.\-+])(?P<value>(?:\+|00)[1-9]\d{0,2}(?:[ .\-/]?(?:\(0?\d{0,4}\)|"
            r"\d{1,5})){2,7}"
            rf"{_EXTENSION})(?![\w\-]|[./]\d)"
        ),
        _digits(8),
    ),
    Recogniser(
        "PHONE",
        _after(
            r"(?:(?:tele)?phone|tel\.?|mobile|mob\.?|cell(?:phone)?|fax|pager|beeper|call|ph\.?|"
            r"whatsapp|answering|"
            r"contact|reach(?:ed)?|dial|text|sms|hotline|(?:my|his|her|their|"
            r"your)(?:[ ]new)?[ ]number)"
            rf"{_NUMBER_WORD}(?:[ ](?:me|us|him|her|them))?(?:[ ]back)?(?:[ ](?:at|on|under|to))?",
            r"\+?(?:\d{1,3}[ .\-])?(?:\(\d{1,5}\)[ ]?)?\d{2,11}(?:[ .\-/]\d{2,7}){0,6}"
            rf"{_EXTENSION}(?![\w\-])",
        ),
        _digits(7),
    ),
)
