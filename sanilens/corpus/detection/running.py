"""Names, places and organisations in running text, by lists of names and the words around.

No model is needed and none is loaded. A first name that is not an everyday word begins a person's
name; a known family name or another capitalised word continues it; "Will", "May" and "Hope" need a
family name beside them. "Parkinson disease" and "Foley catheter" name nobody, nor does what stands
where a street, a town, a ship or a firm has its name. A place is a known one, or follows "lives in"
and has the form of a town's name.
"""

from collections.abc import Iterator

import regex

from sanilens.corpus.detection.contexts import (
    CHAIN,
    DWELLS,
    EVERYDAY_OR_NONE,
    FAMILY_FORM,
    FIRM_AFTER,
    FIRM_BEFORE,
    FIRM_INITIALS,
    FROM_PLACE,
    GOES_ON,
    HOME,
    HOUSE_AFTER,
    HOUSE_BEFORE,
    INTRODUCED,
    LAST_FIRST,
    LISTED,
    LIVES,
    NO_FIRM,
    NO_PERSON_BEFORE,
    NO_TOWN,
    NOT_AFTER,
    NOT_BEFORE,
    OF_FIRM,
    PART,
    PARTNERS,
    SAID,
    SENTENCE_START,
    SOMEBODY,
    SUFFIX,
    TOWN_BEGINS,
    TOWN_FORM,
    WORKS,
    Token,
    names_a_thing,
)
from sanilens.corpus.detection.gazetteer import fold
from sanilens.corpus.detection.known_words import KnownWords, is_known, known_words
from sanilens.corpus.detection.words import (
    ALSO_FIRST,
    DATE_WORDS,
    EPONYM_OF,
    EVERYDAY,
    FIRM_WORDS,
    NO_NAME,
    PLACE_WORDS,
    STILL_NAMES,
    STREET_WORDS,
)

Found = tuple[int, int, str]


def running_spans(text: str, known: KnownWords | None = None) -> Iterator[Found]:
    """(start, end, label) of persons, places and organisations; they may overlap."""
    known = known or known_words()
    for chain in CHAIN.finditer(text):
        tokens = [
            Token(
                part.start(),
                part.end(),
                part.group(),
                fold(part.group()).rstrip(".").replace("’", "'"),
            )
            for part in PART.finditer(text, chain.start(), chain.end())
        ]
        yield from _Reading(text, tokens, known).spans()
    for match in OF_FIRM.finditer(text):
        yield (*match.span(), "ORGANIZATION")
    for match in LAST_FIRST.finditer(text):
        last, first = fold(match["last"]), fold(match["first"])
        shouted = match["last"].isupper() and not match["first"].isupper()  # "RUIZ, Ana"
        words = NO_NAME if shouted else EVERYDAY_OR_NONE
        plain = last not in words and first not in words
        named = last in known.last and (shouted or last not in known.first) and first in known.first
        # "Ana Ruiz, Jan Weber and Eva" is a list of people.
        listed = LISTED.search(text, max(0, match.start() - 40), match.start())
        goes_on = GOES_ON.match(text, match.end())
        first_before = listed is not None and fold(listed.group(1)) in known.first
        state = len(first) == 2 and match["first"].isupper() and not shouted  # "Laane, HA 42138"
        if plain and named and not (first_before or goes_on or state):
            yield (*match.span(), "NAME")
    for match in PARTNERS.finditer(text):
        words = [fold(word) for word in match.groups()]
        firm = FIRM_BEFORE.search(text, max(0, match.start() - 20), match.start())
        family = all(is_known(w, known.last) and w not in NO_NAME for w in words)
        if family and (firm or not any(w in EVERYDAY or w in known.first for w in words)):
            yield (*match.span(), "ORGANIZATION")


class _Reading:
    """One run of capitalised words, read from left to right."""

    def __init__(self, text: str, tokens: list[Token], known: KnownWords) -> None:
        self.text, self.tokens, self.known = text, tokens, known
        start = tokens[0].start
        self.before = text[max(0, start - 60) : start]
        self.begins = SENTENCE_START.search(self.before) is not None
        near = max(0, start - 200)
        line = text[max(near, text.rfind("\n", near, start) + 1) : tokens[-1].end]
        loud = line.isupper() or all(token.text.isupper() for token in tokens)
        self.capitals = len(tokens) > 1 and loud

    def spans(self) -> Iterator[Found]:
        """The spans of this run, none of them overlapping."""
        index = 0
        while index < len(self.tokens):
            reach, label = self._from(index)
            if label:
                first, last = self.tokens[index], self.tokens[reach - 1]
                end = last.end
                if label == "NAME" and (suffix := SUFFIX.match(self.text, end)):
                    end = suffix.end()
                yield first.start, end, label
            index = max(reach, index + 1)

    def _from(self, index: int) -> tuple[int, str]:
        """Where the span that begins at `index` ends, and its label; "" if none begins there."""
        if index == 0 or self.tokens[index - 1].word in NOT_BEFORE:
            if reach := self._firm(index):
                return reach, "ORGANIZATION"
            if reach := self._place(index):
                return reach, "LOCATION"
        if reach := self._person(index):
            return reach, self._what(index, reach)
        return index + 1, ""

    # Persons

    def _what(self, index: int, reach: int) -> str:
        """What words in the form of a name are, given what stands around them; "" for nothing."""
        first, last = self.tokens[index], self.tokens[reach - 1]
        before = self.text[max(0, first.start - 40) : first.start]
        firm = FIRM_AFTER.match(self.text, last.end) or FIRM_INITIALS.search(
            self.text, first.start, last.end
        )
        if firm or NO_PERSON_BEFORE.search(before):
            return ""
        if HOUSE_BEFORE.search(before) and HOUSE_AFTER.match(self.text, last.end):
            return ""
        if index and self.tokens[index - 1].word in TOWN_BEGINS:
            return ""
        if reach - index > 1 and all(t.word in self.known.places for t in self.tokens[index:reach]):
            return ""  # "Gdynia Poland"
        own = self.text[last.end : last.end + 1] in ("'", "’")
        if not own and not self.capitals and FROM_PLACE.search(before):
            return "NAME" if self._full(index, reach) else "LOCATION" if index == 0 else ""
        return "NAME"

    def _person(self, index: int) -> int:
        """Where the name that begins at `index` ends; 0 where none begins."""
        token = self.tokens[index]
        if token.word in NO_NAME and not self._named_like_a_word(index):
            return 0
        if token.word in EPONYM_OF or token.word in PLACE_WORDS:
            return 0
        if self._abbreviation(token) and not self.capitals and not self._first(token):
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
        introduced = index == 0 and INTRODUCED.search(self.before) is not None
        if introduced and not self._everyday(token):
            return reach
        return index + 1 if not more and self._alone(index) else 0

    def _full(self, index: int, reach: int) -> bool:
        """A first and a family name, both known and neither a place: "in Ana Ruiz"."""
        pair = self.tokens[index:reach]
        plain = not any(t.word in self.known.places or self._everyday(t) for t in pair)
        return len(pair) == 2 and plain and self._first(pair[0]) and self._last(pair[1])

    def _begins_name(self, index: int, more: list[Token]) -> bool:
        """Whether a first name stands at `index`, given how the words go on."""
        token = self.tokens[index]
        if self.capitals:
            return self._first(token) and not self._everyday(token) and self._last(more[0])
        if self._first(token) and not self._everyday(token):
            return True
        family = any(self._last(t) and not self._everyday(t) for t in more)
        if self._first(token):
            return family
        if not self._everyday(token) and SOMEBODY.search(self.before) and index == 0:
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
        said = SAID.match(self.text, token.end) is not None
        return said and self._last(token) and not self._everyday(token)

    def _apart(self, index: int) -> bool:
        """Whether a token's neighbours in its run are all words that are in no name."""
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
        """The first token after `index` that is not part of the name that begins there."""
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
            if stops or (ahead and ahead.word in NOT_AFTER):
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

    def _named_like_a_word(self, index: int) -> bool:
        """ "Will Smith", "May Jones": an everyday word, and a sure family name after it."""
        after = self.tokens[index + 1 :]
        sure = len(after) == 1 and self._last(after[0]) and not self._everyday(after[0])
        return self.tokens[index].word in ALSO_FIRST and sure and not self.capitals

    def _family_ends(self, index: int, at: int) -> bool:
        """ "Timothy Ward": a family name after a sure first name, though it is a word too."""
        first, token = self.tokens[index], self.tokens[at]
        sure = self._first(first) and not self._everyday(first) and not self.capitals
        alone = at == index + 1 and at == len(self.tokens) - 1
        ward = regex.match(r"[ ]\d", self.text[token.end : token.end + 2])
        dated = token.word in DATE_WORDS
        word = token.word in NO_NAME and not dated
        return bool(sure and alone and not ward and word and self._last(token))

    def _stops(self, token: Token) -> bool:
        word = token.word
        listed = word in NO_NAME or word in STREET_WORDS or word in FIRM_WORDS or word in EPONYM_OF
        return listed or (self._abbreviation(token) and not self.capitals)

    def _abbreviation(self, token: Token) -> bool:
        """ "Ana Ruiz MD", "Limassol LI", "Amundi ETF": but "Ana RUIZ" is a name."""
        short = len(token.text) < 4 or not self._last(token)
        return token.text.isupper() and short and not token.initial

    def _eponym(self, reach: int) -> bool:
        return names_a_thing(self.text, self.tokens[reach - 1].end)

    def _everyday(self, token: Token) -> bool:
        return (token.word in EVERYDAY and token.word not in STILL_NAMES) or token.word in NO_NAME

    def _first(self, token: Token) -> bool:
        return is_known(token.word, self.known.first)

    def _last(self, token: Token) -> bool:
        return is_known(token.word, self.known.last) or bool(FAMILY_FORM.match(token.text))

    # Organisations and places

    def _firm(self, index: int) -> int:
        """Where an organisation's name ends that begins at `index`; 0 where none does."""
        tokens = self.tokens[index:]
        while tokens and tokens[0].word in ("the", *NO_NAME):
            return 0
        last = max((n for n, t in enumerate(tokens) if t.word in FIRM_WORDS), default=-1)
        if last > 0 and not self.capitals:
            named = [t for t in tokens[:last] if t.word not in NO_FIRM]
            return index + last + 1 if named else 0
        works = index == 0 and WORKS.search(self.before) is not None
        if works and not self.capitals and not self._begins_person():
            return len(self.tokens)
        return 0

    def _begins_person(self) -> bool:
        return len(self.tokens) > 1 and self._first(self.tokens[0]) and self._last(self.tokens[1])

    def _place(self, index: int) -> int:
        """Where a place's name ends that begins at `index`; 0 where none does."""
        at = self.tokens[index].start
        before = self.text[max(0, at - 40) : at]
        led = LIVES.search(before) is not None
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
            formed = TOWN_FORM.fullmatch(self.text, at, end)
            if formed and (" " in formed.group() or DWELLS.search(before)):
                return len(self.tokens)
            words = {token.word for token in self.tokens}
            unknown = not words & (NO_TOWN)
            somebody = self._full(index, len(self.tokens))  # "born to Ana Ruiz"
            if unknown and not somebody and len(self.tokens) < 4 and HOME.search(before):
                return len(self.tokens)
        return 0
