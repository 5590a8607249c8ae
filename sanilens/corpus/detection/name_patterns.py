"""Patterns for names that follow a title, a field's name or a role, or precede a credential.

Where everything is in capitals a pattern takes too much: `whole_name` ends the name at the first
word that cannot be part of one.
"""

from collections.abc import Callable

import regex

from sanilens.corpus.detection.gazetteer import fold
from sanilens.corpus.detection.known_words import is_known, known_words
from sanilens.corpus.detection.recogniser import Recogniser
from sanilens.corpus.detection.words import EPONYM_OF, EVERYDAY, LINKS_IN_CAPITALS, NO_NAME

# Capitalised words of one line: "Ana M. de la Cruz-Ruiz". A word followed by a colon is the
# next field's name, as are these where the colon is missing.
_FIELD = (
    r"(?:DOB|MRN|MR|SSN|NPI|AGE|SEX|DATE|PHONE|TEL|FAX|EMAIL|ADDRESS|ROOM|WARD|UNIT|GENDER|RECORD|"
    r"ADMITTED|DISCHARGED|Age|Sex|Date|Phone|Address|Room|Ward|Unit|Gender|Admitted|Discharged|"
    r"Practitioner|Jr|Sr|JR|SR|II|III|IV|MD|DO|RN|NP|PA|PhD|DDS|MBBS|FACS)\b"
)
_SAINT = r"(?:(?:St|Ste|ST|STE)\.[ ])?"
_WORD = (
    rf"(?!{_FIELD}){_SAINT}\p{{Lu}}(?:[\p{{L}}\p{{M}}\-‐‑]|['’](?![sS](?!\p{{L}}))){{0,30}}"
    r"(?![\p{L}\p{M}])"
)
_CAPITALISED = rf"{_WORD}(?![ \t]{{0,3}}:)"
_PARTICLE = (
    r"(?:(?:de|del|della|der|den|di|da|das|dos|du|la|las|los|le|van|von|zu|zum|zur|al|el|bin|ibn|"
    r"ben|ter|ten|st|y)[ ]){0,3}"
)
# A full stop ends an initial; after anything longer it ends the sentence.
_TO_NEXT = rf"(?:(?:(?<=\b\p{{Lu}})\.)?[ ]{_PARTICLE}|(?<=\b\p{{Lu}})\.)"
_NEXT_NAME = rf"{_TO_NEXT}{_CAPITALISED}"
_TAIL = r"(?:,?[ ](?:Jr|Sr|JR|SR|II|III|IV)\b\.?)?"
_PERSON = rf"(?P<value>{_PARTICLE}{_CAPITALISED}(?:{_NEXT_NAME}){{0,4}}{_TAIL})"
# "Mother: Died in 2011" is no name, so after a role it takes two words; "RUIZ, ANA" are two.
_FULL_PERSON = (
    rf"(?P<value>{_PARTICLE}{_CAPITALISED}"
    rf"(?:,[ ]?{_CAPITALISED}(?:{_NEXT_NAME}){{0,2}}|(?:{_NEXT_NAME}){{1,4}}){_TAIL})"
)
# A title leaves no doubt that a name follows, even before a colon: "Mr Luis Ruiz: no pain".
_TITLED = rf"(?P<value>{_PARTICLE}{_WORD}(?:{_TO_NEXT}{_WORD}){{0,4}}{_TAIL})"
_GAP = r"(?:\.[ ]{0,2}|[ ]{1,2}|\.?[ ]?\n(?=\p{Lu}\p{Ll}))"
_TITLE = (
    r"(?:(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Doctor|Nurse|Sister|Sir|Dame|Rev|Mme|Herr|Frau|"
    rf"Señora?|Capt|Sgt|Lt){_GAP}){{1,2}}"
)
# In capitals "MS" is a disease and "MR" a scanner too, so that the full stop is needed.
_CAPITAL_TITLE = r"(?:(?:MR|MRS|MS|MX|DR|PROF|REV)\.[ ]{0,2}|(?:MRS|MISS|DR|PROF|NURSE)[ ]){1,2}"
_ANY_TITLE = rf"(?:{_TITLE}|{_CAPITAL_TITLE}|(?<!\d[ ]?)(?:mr|mrs|ms|dr|prof)\.?[ ](?=\p{{Lu}}))"
_NAME_FIELD = (
    r"(?:(?:patient|full|first|last|family|given|maiden|pt)(?:['’]s)?[ ]name|(?<!\w[ ])name)"
)
_ROLE = (
    r"(?:patient|pt|next[ ]of[ ]kin|emergency[ ]contact|attending|consultant|"
    r"(?:attending|referring|primary|consulting)?[ ]?"
    r"(?:physician|provider|surgeon|doctor|clinician|nurse|gp|pcp)|"
    r"(?:dictated|signed|reviewed|seen|transcribed|authored|verified)[ ]by|"
    r"spouse|wife|husband|partner|mother|father|daughter|son|brother|sister|guardian|contact)"
)

# Without a colon, in a sentence: "his wife Maria", "Patient Ana Ruiz" but no heading.
_RELATIVE = r"(?:wife|husband|partner|mother|father|daughter|son|brother|sister)[ ]"
_PATIENT = (
    r"(?:[Pp]atient|[Pp]t\.?)[ ](?!(?:Care|Data|Demographics|Details|Discharge|Education|Health|"
    r"History|Identification|Information|Instructions|Medical|Portal|Safety|Services|Status|"
    r"Summary)\b)"
    r"(?=\p{Lu}\p{Ll})"
)
# What follows a name in a sentence: "Ana Ruiz, DOB 1961", "Ana Ruiz (MRN 4711)".
_BIO = (
    r"(?=,?[ ]\(?(?:DOB|MRN|born\b|aged\b|hospital (?:no|number)|chart\b|date of birth|"
    r"\d{1,3}[ \-]?(?:y/?o\b|years?\b)))"
)
# "Jane Doe, MD" and, where they are no words either, "Jane Doe RN".
_CREDENTIAL = (
    r"(?=,[ ]?(?:M\.?D|D\.?O|R\.?N|N\.?P|P\.?A|PA-C|Ph\.?D|DDS|DPM|O\.?D|PharmD|LCSW|FACS|MBBS|"
    r"CRNA|MPH|MSN|BSN|FRCS|FACC)\b|[ ](?:M\.D\.|MD|RN|Ph\.?D|PharmD|MBBS|CRNA|LCSW|FACS)(?!\p{L}))"
)
# Capitalised at the start of a sentence, and no part of the name.
_NO_NAME = (
    rf"(?!{_TITLE}|{_CAPITAL_TITLE}|(?:Patient|Concerning|Regarding|Re|About|For|With|Guarantor|"
    r"Contact|Dear|See|The|This|Saw|Met|Our|PATIENT|ATTENDING|BY|SEEN|WITH|FOR|THE)[ ])"
)
_COLON = r"[ \t]{0,3}[:=][ \t]{0,3}"
_PART = regex.compile(r"[\p{L}\p{M}](?:[\p{L}\p{M}'’\-‐‑]*[\p{L}\p{M}])?\.?")
_VERB_FORM = regex.compile(r".{3,}(?:ED|ING|LY|TION|MENT|OGY|ITY|OUS|IVE|ICAL)")


def whole_name(value: str) -> tuple[int, int]:
    """The part of a run of words that is the name: all of it, unless it is in capitals."""
    parts = list(_PART.finditer(value))
    words = [fold(part.group()).rstrip(".") for part in parts]
    if not value.isupper():
        return _without_what_follows(value, parts, words)
    known = known_words()
    first, end, names = 0, 0, 0
    sure = False  # after a known first name an unknown word may be the family's
    for part, word in zip(parts, words, strict=True):
        if len(word) == 1 or word in LINKS_IN_CAPITALS:
            continue
        after_comma = value[: part.start()].rstrip().endswith(",")
        is_name = is_known(word, known.last) or is_known(word, known.first)
        no_name = word in NO_NAME or word in EPONYM_OF
        if no_name and not (names == 1 and sure and is_name and part is parts[-1]):
            break
        unsure = names > 0 and not after_comma and (not is_name or word in EVERYDAY)
        if unsure and (names > 1 or not sure or _VERB_FORM.fullmatch(part.group())):
            break
        names, end = names + 1, part.end()
        sure = names == 1 and is_known(word, known.first) and word not in EVERYDAY
    if end and (suffix := _SUFFIX.match(value, end)):
        end = suffix.end()
    return first, end


def _without_what_follows(
    value: str, parts: list[regex.Match[str]], words: list[str]
) -> tuple[int, int]:
    """A name in small letters, up to a word that is not a name, such as "Monday" or "Today"."""
    known, end = known_words(), 0
    for part, word in zip(parts, words, strict=True):
        no_name = word in NO_NAME and word not in _GENERATION
        if no_name and word not in known.last and word not in known.first:
            return 0, end
        end = part.end()
    return 0, len(value)


def _known_in_small_letters(value: str) -> tuple[int, int]:
    """The leading words of "smith will call" that are known names and not everyday words."""
    known, end = known_words(), 0
    for part in _PART.finditer(value):
        word = fold(part.group()).rstrip(".")
        is_name = is_known(word, known.last) or is_known(word, known.first)
        if not is_name or word in EVERYDAY or word in NO_NAME:
            break
        end = part.end()
    return 0, end


_GENERATION = frozenset("jr sr ii iii iv".split())
_SUFFIX = regex.compile(r",?[ ](?:JR|SR|II|III|IV)\b\.?")


def _names(pattern: str, within: Callable[[str], tuple[int, int]] = whole_name) -> Recogniser:
    return Recogniser("NAME", regex.compile(rf"(?<![\p{{L}}\p{{N}}]){pattern}"), within=within)


NAME_RECOGNISERS: tuple[Recogniser, ...] = (
    _names(rf"{_ANY_TITLE}{_TITLED}"),
    _names(
        r"(?<!\d[ ]?)(?:mr|mrs|ms|dr|prof)\.?[ ]"
        r"(?P<value>\p{Ll}[\p{L}\-'’]{1,30}(?:[ ]\p{Ll}[\p{L}\-'’]{1,30}){0,2})",
        _known_in_small_letters,
    ),
    _names(rf"(?i:{_NAME_FIELD}){_COLON}(?:{_ANY_TITLE})?(?|{_FULL_PERSON}|{_PERSON})"),
    _names(rf"(?i:{_ROLE}){_COLON}(?:{_ANY_TITLE})?{_FULL_PERSON}"),
    _names(rf"(?<!\-){_NO_NAME}(?P<value>{_WORD}(?:{_NEXT_NAME}){{1,4}}{_TAIL}){_BIO}"),
    _names(rf"(?<!\-){_NO_NAME}(?P<value>{_WORD}(?:{_NEXT_NAME}){{1,3}}{_TAIL}){_CREDENTIAL}"),
    _names(rf"(?<!\-){_NO_NAME}(?P<value>{_WORD},[ ]{_WORD}(?:{_NEXT_NAME}){{0,2}}){_BIO}"),
    _names(rf"(?<!\w){_RELATIVE}(?=\p{{Lu}}\p{{Ll}}){_PERSON}"),
    _names(rf"(?<!\w){_PATIENT}{_FULL_PERSON}"),
)
