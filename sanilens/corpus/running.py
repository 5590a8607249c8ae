"""Names, places and organisations in running text, by lists of names and the words around.

No model is needed and none is loaded. A first name that is no everyday word begins a person's
name, a known family name or another capitalised word goes on with it; "Will", "May" and "Hope"
need a family name beside them. "Parkinson disease" and "Foley catheter" are nobody. Places are
known ones, or follow "lives in" and have the form of a town's name.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import regex

from sanilens.corpus.everyday import (
    DATE_WORDS,
    EPONYM_OF,
    EVERYDAY,
    FIRM_WORDS,
    GENERIC,
    NO_NAME,
    ONES_OWN,
    PLACE_WORDS,
    STILL_NAMES,
    STREET_WORDS,
)
from sanilens.corpus.gazetteer import fold
from sanilens.corpus.known import KnownWords, is_known, known_words

Found = tuple[int, int, str]

PARTICLES = frozenset(
    "de del della der den di da das dos du la le las los van von zu zum zur al el bin ibn ben ter "
    "ten af av y e het".split()
)
_PARTICLE = rf"(?:(?:{'|'.join(sorted(PARTICLES - {'e', 'y'}))})[ ]){{1,3}}"
_APOSTROPHE = r"['’](?![sS](?!\p{L}))"
_WORD = rf"\p{{Lu}}[\p{{L}}\p{{M}}]*(?:(?:{_APOSTROPHE}|[\-‐‑])\p{{L}}[\p{{L}}\p{{M}}]*){{0,4}}"
# A full stop ends an initial or "St."; after anything longer it ends the sentence.
_TOKEN = rf"(?:\p{{Lu}}\.(?=[ \-]?\p{{Lu}})|(?:St|Ste|Mt|Ft)\.(?=[ ]\p{{Lu}})|{_WORD})"
_CHAIN = regex.compile(
    rf"(?<![\p{{L}}\p{{M}}\p{{N}}_@/\\.\-’'])(?:{_PARTICLE})?{_TOKEN}"
    rf"(?:(?:(?<=\.)|[ ](?:{_PARTICLE})?){_TOKEN}){{0,11}}(?![\p{{N}}_@])"
)
_PART = regex.compile(rf"{_TOKEN}|\p{{Ll}}+")
_SUFFIX = regex.compile(r",?[ ](?:Jr|Sr|JR|SR|II|III|IV)\b\.?")
_SENTENCE_START = regex.compile(r"(?:^|[\n.!?:;•*\-–|>\"“(\[])[ \t\"“'(]*$")
_FAMILY_FORM = regex.compile(r"(?:Mc|Mac|O['’]|D['’]|Fitz)\p{Lu}\p{L}+")
_LAST_FIRST = regex.compile(
    rf"(?<![\p{{L}}\p{{N}}\-,])(?P<last>{_WORD}),[ ](?P<first>{_WORD})(?:[ ]\p{{Lu}}\b\.?)?"
    r"(?![\p{L}\-])"
)

_LISTED = regex.compile(r"(\p{Lu}[\p{L}\p{M}\-'’]*)[ ](?:\p{Lu}\.[ ])?$")
_GOES_ON = regex.compile(r"[ ](?:\p{Ll}{1,4}[ ])?\p{Lu}\p{L}|,[ ]\p{Lu}|[ ]and[ ]")
_FIRM_BEFORE = regex.compile(r"\b(?:[Tt]he|at|from|for|company|firm|of)[ ]$")
_PARTNERS = regex.compile(
    rf"(?<![\p{{L}}\-,][ ])(?<!\p{{L}})({_WORD}),[ ]({_WORD})[ ](?:and|&)[ ]({_WORD})(?![\p{{L}}\-])"
)
_OF_FIRM = regex.compile(
    r"\b(?:University|College|Bank|Institute|Hospital|Church|Museum|Ministry|Department|Republic)"
    rf"[ ]of[ ](?:the[ ])?{_WORD}(?:[ ]{_WORD}){{0,3}}"
)
_LIVES = regex.compile(
    r"(?i:\b(?:in|from|to|near|at|of|around|outside|towards?|via|visit(?:s|ed|ing)?|reach(?:ed)?|"
    r"leav(?:e|es|ing)|left))[ ](?:the[ ])?$"
)
_DWELLS = regex.compile(
    r"(?i:\b(?:(?:live[sd]?|living|born|reside[sd]?|residing|raised|grew[ ]up|based|located|"
    r"moved|move|moving|relocated|flew|fly|flying|drove|travel(?:l?ed|l?ing|s)?|headed|commutes?|"
    r"returned|back|trip|flight|is|are|am|from|staying|stayed|stay|city|town|village)"
    r"(?:[ ](?:in|to|from|near|of|outside|at))?))[ ](?:the[ ])?$"
)
_HOME = regex.compile(
    r"(?i:\b(?:live[sd]?|living|born|reside[sd]?|residing|raised|grew[ ]up|based|relocated|moved|"
    r"moving|flew|fly|flies|travel(?:l?ed|l?ing|s)?|commutes?|city|town|village|hometown)[ ](?:back[ ])?"
    r"(?:here[ ])?(?:in|to|from|near|of|outside))[ ]$"
)
_TOWN_FORM = regex.compile(
    r"(?:(?:North|South|East|West|New|Lake|Port|Fort|Mount|Saint|St\.|San|Santa|Los|Las|El)[ ]"
    r"\p{Lu}\p{L}+(?:[ ]\p{Lu}\p{L}+)?|\p{Lu}[\p{L}\-]+[ ](?:Ville|City|Town|Village|Falls|Springs|"
    r"Beach|Heights|Bay|Island|Valley)|\p{Lu}\p{Ll}*(?:town|ton|land|ville|berg|burgh?|borough|"
    r"bury|view|port|mouth|stad|furt|chester|fort|haven|side|shire|field|ford|ham|wick|stadt|dorf|polis|"
    r"grad|abad|pur|cester|pool|dale|worth|minster))"
)
_WORKS = regex.compile(
    r"(?i:\b(?:work(?:s|ed|ing)?|employed|job|position|career|intern(?:ed|s|ship)?|hired|"
    r"account|consultant|engineer|manager|director|employee|staff)[ ](?:\w+[ ]){0,3}?"
    r"(?:at|by|for))[ ](?:the[ ])?$"
)
_INTRODUCED = regex.compile(
    r"(?i:\b(?:(?:\w{3,8}[ ])?name[ ](?:is|was)|name['’]s|name\?|call[ ]me|dear|hi|hello|hey|best[ ]regards|"
    r"regards|sincerely|yours|cheers|thanks|signed|love|greetings[ ]from)),?[ \n]{1,2}$"
)
# Before two unknown words with capitals: somebody.
_SOMEBODY = regex.compile(
    r"(?i:\b(?:(?:directed|written|sung|signed|played|composed|painted|edited|accompanied|painted|"
    r"reviewed|seen|examined|founded|led|coached)[ ]by|said|asked|told|named|starring|assistant[ ]to|"
    r"commenter|actor|actress|singer|author|director|manager|colleague|friend|neighbou?r|brother|"
    r"sister|husband|wife|son|daughter|president|minister|engineer|lawyer|witness|spokes\w{3,6}|"
    r"professor|teacher|nurse|surgeon|physician|consultant))[ ]$"
)
_SAID = regex.compile(
    r"[ ](?:said|says|reports|reported|denies|denied|states|stated|complains|complained|called|"
    r"asked|told|lives|lived|works|worked|wrote|signed|agreed|explained|replied|presented|"
    r"presents|underwent|was[ ](?:born|seen|admitted|discharged|referred|told|asked|diagnosed))\b"
)
_EPONYM = regex.compile(r"(?:['’]s)?(?:[ \-](?P<of>\p{L}+))(?:[ ](?P<then>\p{L}+))?")


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    text: str
    word: str  # folded

    @property
    def initial(self) -> bool:
        return len(self.text.rstrip(".")) == 1 and self.text[0].isupper()

    @property
    def particle(self) -> bool:
        return self.text.islower()


def running_spans(text: str, known: KnownWords | None = None) -> Iterator[Found]:
    """(start, end, label) of persons, places and organisations; they may overlap."""
    known = known or known_words()
    for chain in _CHAIN.finditer(text):
        tokens = [
            _Token(part.start(), part.end(), part.group(), fold(part.group()).rstrip("."))
            for part in _PART.finditer(text, chain.start(), chain.end())
        ]
        yield from _Reading(text, tokens, known).spans()
    for match in _OF_FIRM.finditer(text):
        yield (*match.span(), "ORGANIZATION")
    for match in _LAST_FIRST.finditer(text):
        last, first = fold(match["last"]), fold(match["first"])
        plain = not {last, first} & (EVERYDAY | NO_NAME)
        named = last in known.last and last not in known.first and first in known.first
        # "Ana Ruiz, Jan Weber and Eva" is a list of people.
        listed = _LISTED.search(text, max(0, match.start() - 40), match.start())
        goes_on = _GOES_ON.match(text, match.end())
        first_before = listed is not None and fold(listed.group(1)) in known.first
        if plain and named and not first_before and not goes_on:
            yield (*match.span(), "NAME")
    for match in _PARTNERS.finditer(text):
        words = [fold(word) for word in match.groups()]
        firm = _FIRM_BEFORE.search(text, max(0, match.start() - 20), match.start())
        family = all(is_known(w, known.last) and w not in NO_NAME for w in words)
        if family and (firm or not any(w in EVERYDAY or w in known.first for w in words)):
            yield (*match.span(), "ORGANIZATION")


def names_a_thing(text: str, end: int) -> bool:
    """Whether what follows a name makes it that of a disease, a device or a test."""
    if (match := _EPONYM.match(text, end)) is None:
        return False
    own = text[end] in "'’"
    of, then = fold(match["of"]), fold(match["then"] or "")
    sure = EPONYM_OF - ONES_OWN
    return then in sure or of in (sure if own else EPONYM_OF)


class _Reading:
    """One run of capitalised words, read from left to right."""

    def __init__(self, text: str, tokens: list[_Token], known: KnownWords) -> None:
        self.text, self.tokens, self.known = text, tokens, known
        start = tokens[0].start
        self.before = text[max(0, start - 60) : start]
        self.begins = _SENTENCE_START.search(self.before) is not None
        line = text[text.rfind("\n", 0, start) + 1 : tokens[-1].end]
        self.capitals = len(tokens) > 1 and line.isupper()

    def spans(self) -> Iterator[Found]:
        """The spans of this run, none of them overlapping."""
        index = 0
        while index < len(self.tokens):
            reach, label = self._from(index)
            if label:
                first, last = self.tokens[index], self.tokens[reach - 1]
                end = last.end
                if label == "NAME" and (suffix := _SUFFIX.match(self.text, end)):
                    end = suffix.end()
                yield first.start, end, label
            index = max(reach, index + 1)

    def _from(self, index: int) -> tuple[int, str]:
        """The first token after what begins at `index`, and its label; "" for nothing."""
        if index == 0 or self.tokens[index - 1].word in NO_NAME | GENERIC:
            if reach := self._firm(index):
                return reach, "ORGANIZATION"
            if reach := self._place(index):
                return reach, "LOCATION"
        if reach := self._person(index):
            return reach, "NAME"
        return index + 1, ""

    # Persons

    def _person(self, index: int) -> int:
        """Where the name that begins at `index` ends; 0 where none begins."""
        token = self.tokens[index]
        if token.word in NO_NAME or token.word in EPONYM_OF or token.word in PLACE_WORDS:
            return 0
        if token.initial:
            return self._after_initials(index)
        if token.particle:
            return 0
        reach = self._reach(index)
        more = [t for t in self.tokens[index + 1 : reach] if not (t.initial or t.particle)]
        if more and self._begins_name(index, more) and not self._eponym(reach):
            return reach
        # "Zarita S. Akhtakhanov" is a name by its form, known or not.
        initial = len(more) == 1 and any(t.initial for t in self.tokens[index + 1 : reach])
        shaped = initial and not self.capitals and not self._everyday(more[0])
        if shaped and not self._everyday(token) and not self._eponym(reach):
            return reach
        introduced = index == 0 and _INTRODUCED.search(self.before) is not None
        if introduced and not self._everyday(token):
            return reach
        return index + 1 if not more and self._alone(index) else 0

    def _begins_name(self, index: int, more: list[_Token]) -> bool:
        """Whether a first name stands at `index`, sure enough for the words that go on."""
        token = self.tokens[index]
        if self.capitals:
            return self._first(token) and not self._everyday(token) and self._last(more[0])
        if self._first(token) and not self._everyday(token):
            return True
        family = any(self._last(t) and not self._everyday(t) for t in more)
        if self._first(token):
            return family
        if not self._everyday(token) and _SOMEBODY.search(self.before) and index == 0:
            return len(self.tokens) <= 4
        # An unknown first name: in the middle of a sentence, and nothing else can be meant.
        return family and not self.begins and not self._everyday(token) and len(self.tokens) <= 3

    def _alone(self, index: int) -> bool:
        """Whether a single word is somebody's name."""
        token = self.tokens[index]
        alone = len(self.tokens) == 1 or self._apart(index)
        if self.capitals or not alone or len(token.text) < 3 or self._eponym(index + 1):
            return False
        if token.text.isupper():
            return False
        double = regex.search(r"[\-‐‑]", token.text) and self._last(token)  # "Daniels-Thompson"
        if self._first(token) and token.word not in self.known.places and not double:
            still = token.word in STILL_NAMES
            return not self._everyday(token) and not (still and self.begins and index == 0)
        said = _SAID.match(self.text, token.end) is not None
        return said and self._last(token) and not self._everyday(token)

    def _apart(self, index: int) -> bool:
        """Whether only words that no name holds stand beside a token in its run."""
        beside = [*self.tokens[max(0, index - 1) : index], *self.tokens[index + 1 : index + 2]]
        return all(token.word in NO_NAME for token in beside)

    def _after_initials(self, index: int) -> int:
        """ "J. R. Smith": initials before a family name."""
        at = index
        while at < len(self.tokens) and (self.tokens[at].initial or self.tokens[at].particle):
            at += 1
        if at - index > 3 or at == len(self.tokens):
            return 0
        token, dotted = self.tokens[at], self.tokens[index].text.endswith(".")
        family = self._last(token) and not self._everyday(token)
        if not (family and dotted) or self._eponym(at + 1):
            return 0
        return self._reach(at)

    def _reach(self, index: int) -> int:
        """The first token after `index` that is no part of the name that begins there."""
        at, families = index + 1, 0
        while at < len(self.tokens) and at - index < 6:
            token = self.tokens[at]
            ahead = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
            if token.initial or token.particle:
                if ahead is None and token.text.endswith("."):
                    break
                if token.particle and (ahead is None or self._stops(ahead)):
                    break
                at += 1
                continue
            if token.text in ("St.", "Ste.") and ahead and not families:
                at, families = at + 2, families + 1
                continue
            stops = self._stops(token) and not self._family_ends(index, at)
            if stops or (ahead and ahead.word in STREET_WORDS | EPONYM_OF):
                break
            known = self._last(token) or self._first(token)
            if not known and (families or self.capitals):
                break
            middle = self._first(self.tokens[at - 1])  # "Martin Luther King"
            if self._everyday(token) and (
                (families and not middle) or self._everyday(self.tokens[index])
            ):
                break
            if self._everyday(token) and not self._last(token):
                break
            at, families = at + 1, families + 1
        while at - 1 > index and self.tokens[at - 1].particle:
            at -= 1
        return at

    def _family_ends(self, index: int, at: int) -> bool:
        """ "Timothy Ward": a family's name after a sure first name, though it is a word too."""
        first, token = self.tokens[index], self.tokens[at]
        sure = self._first(first) and not self._everyday(first) and not self.capitals
        alone = at == index + 1 and at == len(self.tokens) - 1
        ward = regex.match(r"[ ]\d", self.text[token.end : token.end + 2])
        dated = token.word in DATE_WORDS
        return bool(sure and alone and not ward and not dated and self._last(token))

    def _stops(self, token: _Token) -> bool:
        word = token.word
        return word in NO_NAME or word in STREET_WORDS or word in FIRM_WORDS or word in EPONYM_OF

    def _eponym(self, reach: int) -> bool:
        return names_a_thing(self.text, self.tokens[reach - 1].end)

    def _everyday(self, token: _Token) -> bool:
        return (token.word in EVERYDAY and token.word not in STILL_NAMES) or token.word in NO_NAME

    def _first(self, token: _Token) -> bool:
        return is_known(token.word, self.known.first)

    def _last(self, token: _Token) -> bool:
        return is_known(token.word, self.known.last) or bool(_FAMILY_FORM.match(token.text))

    # Organisations and places

    def _firm(self, index: int) -> int:
        """Where an organisation's name ends that begins at `index`; 0 where none does."""
        tokens = self.tokens[index:]
        while tokens and tokens[0].word in ("the", *NO_NAME):
            return 0
        last = max((n for n, t in enumerate(tokens) if t.word in FIRM_WORDS), default=-1)
        if last > 0 and not self.capitals:
            named = [t for t in tokens[:last] if t.word not in GENERIC | FIRM_WORDS | NO_NAME]
            return index + last + 1 if named else 0
        works = index == 0 and _WORKS.search(self.before) is not None
        if works and not self.capitals and not self._begins_person():
            return len(self.tokens)
        return 0

    def _begins_person(self) -> bool:
        return len(self.tokens) > 1 and self._first(self.tokens[0]) and self._last(self.tokens[1])

    def _place(self, index: int) -> int:
        """Where a place's name ends that begins at `index`; 0 where none does."""
        at = self.tokens[index].start
        before = self.text[max(0, at - 40) : at]
        led = _LIVES.search(before) is not None
        for reach in range(min(len(self.tokens), index + 5), index, -1):
            last = self.tokens[reach - 1]
            phrase = self.text[at : last.end]
            if fold(phrase) in self.known.places:
                whole = reach == len(self.tokens) or self.tokens[reach].word in NO_NAME
                clear = fold(phrase) not in self.known.first and fold(phrase) not in self.known.last
                if whole and (led or (clear and fold(phrase) not in EVERYDAY)):
                    return reach
        if led and index == 0 and not self.capitals:
            end = self.tokens[-1].end
            formed = _TOWN_FORM.fullmatch(self.text, at, end)
            if formed and (" " in formed.group() or _DWELLS.search(before)):
                return len(self.tokens)
            words = {token.word for token in self.tokens}
            unknown = not words & (
                EVERYDAY | NO_NAME | FIRM_WORDS | self.known.first | STREET_WORDS
            )
            if unknown and len(self.tokens) < 4 and _HOME.search(before):
                return len(self.tokens)
        return 0
