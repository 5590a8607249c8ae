"""What the words around a name say that it is: the patterns that `running` goes by.

"lives in", "works for" and "my name is" before it; "said", "disease" and "University of" with it.
"""

from dataclasses import dataclass

import regex

from sanilens.corpus.detection.gazetteer import fold
from sanilens.corpus.detection.words import (
    EPONYM_OF,
    EVERYDAY,
    FIRM_WORDS,
    GENERIC,
    LINKS,
    NO_NAME,
    ONES_OWN,
    PLACE_WORDS,
    STREET_WORDS,
)

PARTICLE = rf"(?:(?:{'|'.join(sorted(LINKS - {'e', 'y'}))})[ ]){{1,3}}"
APOSTROPHE = r"['’](?![sS](?!\p{L}))"
WORD = rf"\p{{Lu}}[\p{{L}}\p{{M}}]*(?:(?:{APOSTROPHE}|[\-‐‑])\p{{L}}[\p{{L}}\p{{M}}]*){{0,4}}"
# A full stop ends an initial or "St."; after anything longer it ends the sentence.
TOKEN = rf"(?:\p{{Lu}}\.(?=[ \-]?\p{{Lu}})|(?:St|Ste|Mt|Ft)\.(?=[ ]\p{{Lu}})|{WORD})"
CHAIN = regex.compile(
    rf"(?<![\p{{L}}\p{{M}}\p{{N}}_@/\\.\-’'])(?:{PARTICLE})?{TOKEN}"
    rf"(?:(?:(?<=\.)|[ ](?:{PARTICLE})?){TOKEN}){{0,11}}(?![\p{{N}}_@])"
)
PART = regex.compile(rf"{TOKEN}|\p{{Ll}}+")
SUFFIX = regex.compile(r",?[ ](?:Jr|Sr|JR|SR|II|III|IV)\b\.?")
SENTENCE_START = regex.compile(r"(?:^|[\n.!?:;•*\-–|>\"“(\[])[ \t\"“'(]*$")
FAMILY_FORM = regex.compile(r"(?:Mc|Mac|O['’]|D['’]|Fitz)\p{Lu}\p{L}+")
LAST_FIRST = regex.compile(
    rf"(?<![\p{{L}}\p{{N}}\-,])(?P<last>{WORD}),[ ](?P<first>{WORD})(?:[ ]\p{{Lu}}\b\.?)?"
    r"(?![\p{L}\-])"
)

LISTED = regex.compile(r"(\p{Lu}[\p{L}\p{M}\-'’]*)[ ](?:\p{Lu}\.[ ])?$")
GOES_ON = regex.compile(r"[ ](?:\p{Ll}{1,4}[ ])?\p{Lu}\p{L}|,[ ]\p{Lu}|[ ]and[ ]")
FIRM_BEFORE = regex.compile(r"\b(?:[Tt]he|at|from|for|company|firm|of)[ ]$")
PARTNERS = regex.compile(
    rf"(?<![\-,][ ])(?<!\p{{L}})({WORD}),[ ]({WORD})[ ](?:and|&)[ ]({WORD})(?![\p{{L}}\-])"
)
OF_FIRM = regex.compile(
    r"\b(?:University|College|Bank|Institute|Hospital|Church|Museum|Ministry|Department|Republic)"
    rf"[ ]of[ ](?:the[ ])?{WORD}(?:[ ]{WORD}){{0,3}}"
)
LIVES = regex.compile(
    r"(?i:\b(?:in|from|to|near|at|of|around|outside|towards?|via|visit(?:s|ed|ing)?|reach(?:ed)?|"
    r"leav(?:e|es|ing)|left))[ ](?:the[ ])?$"
)
DWELLS = regex.compile(
    r"(?i:\b(?:(?:live[sd]?|living|born|reside[sd]?|residing|raised|grew[ ]up|based|located|"
    r"moved|move|moving|relocated|flew|fly|flying|drove|travel(?:l?ed|l?ing|s)?|headed|commutes?|"
    r"returned|back|trip|flight|is|are|am|from|staying|stayed|stay|city|town|village)"
    r"(?:[ ](?:in|to|from|near|of|outside|at))?))[ ](?:the[ ])?$"
)
HOME = regex.compile(
    r"(?i:\b(?:live[sd]?|living|born|reside[sd]?|residing|raised|grew[ ]up|based|relocated|moved|"
    r"moving|flew|fly|flies|travel(?:l?ed|l?ing|s)?|commutes?|city|town|village|"
    r"hometown|originally|native)[ ](?:back[ ])?"
    r"(?:here[ ])?(?:in|to|from|near|of|outside))[ ]$"
)
TOWN_FORM = regex.compile(
    r"(?:(?:North|South|East|West|New|Lake|Port|Fort|Mount|Saint|St\.|San|Santa|Los|Las|El)[ ]"
    r"\p{Lu}\p{L}+(?:[ ]\p{Lu}\p{L}+)?|\p{Lu}[\p{L}\-]+[ ](?:Ville|City|Town|Village|Falls|Springs|"
    r"Beach|Heights|Bay|Island|Valley)|\p{Lu}\p{Ll}*(?:town|ton|land|ville|berg|burgh?|borough|"
    r"bury|view|port|mouth|stad|furt|chester|fort|haven|side|shire|field|ford|ham|wick|stadt|"
    r"dorf|polis|"
    r"grad|abad|pur|cester|pool|dale|worth|minster))"
)
WORKS = regex.compile(
    r"(?i:\b(?:work(?:s|ed|ing)?|employed|job|position|career|intern(?:ed|s|ship)?|hired|"
    r"account|consultant|engineer|manager|director|employee|staff)[ ](?:\w+[ ]){0,3}?"
    r"(?:at|by|for))[ ](?:the[ ])?$"
)
INTRODUCED = regex.compile(
    r"(?i:\b(?:(?:\w{3,8}[ ])?name[ ](?:is|was)|name['’]s|name\?|call[ ]me|dear|hi|hello|hey|"
    r"best[ ]regards|"
    r"regards|sincerely|yours|cheers|thanks|signed|love|greetings[ ]from)),?[ \n]{1,2}$"
)
# Before two unknown words with capitals: somebody.
SOMEBODY = regex.compile(
    r"(?i:\b(?:(?:directed|written|sung|signed|played|composed|painted|edited|accompanied|painted|"
    r"reviewed|seen|examined|founded|led|coached)[ ]by|said|asked|told|named|starring|"
    r"assistant[ ]to|"
    r"commenter|actor|actress|singer|author|director|manager|colleague|friend|neighbou?r|brother|"
    r"sister|husband|wife|son|daughter|president|minister|engineer|lawyer|witness|spokes\w{3,6}|"
    r"professor|teacher|nurse|surgeon|physician|consultant))[ ]$"
)
# "Endo International plc", "Blondel Bertrand S.A.S.", "Zoe's Kitchen Inc."; "as" is a word, "a.s."
# a kind of firm.
FIRM_AFTER = regex.compile(
    r"(?:['’]s)?(?:[ ]\p{Lu}[\p{L}\-]+){0,2},?[ ](?:"
    r"(?:(?i:plc|inc|ltd|llc|corp|gmbh|s\.a\.s|s\.a|s\.p\.a|s\.r\.[lo]|a\.s|n\.v|b\.v)|"
    r"SAS|SPA|SRL|A/S|Ky|Oyj?)(?!\w)|"
    r"(?:&|et|e|und|y|i|och|og)[ ](?:Co|Fils|Figli|Söhne|Asociados|Hijos|Filhos|Söner|Sønner|"
    r"Partners?|Sons|Associates|Associés)\b)"
)
FIRM_INITIALS = regex.compile(r"\p{L}[ ]\p{Lu}\.[ ]?\p{Lu}(?:\.[ ]?\p{Lu})?\.?$")
# Ships, shares and the town behind a flat: "USS Jensen", "shares of Prokop", "Suite 7, Kiel".
NO_PERSON_BEFORE = regex.compile(
    r"\b(?:USS|USNS|USCGC|USNV|HMS|RMS|[Ss]hares[ ](?:of|in)|"
    r"(?:Apt|Apartment|Suite|Ste)\.?[ ]\#?\d{1,5}[A-Z]?,?)[ ]$"
)
# A name between these is a street's: "at Hans Nielsen Hauges gate 79", "8311 Anna Street 148".
HOUSE_AFTER = regex.compile(
    r"(?:[ ]\p{L}{2,12}\.?){0,2},?[ ]\d{1,4}[A-Za-z]?(?:$|[,.;\n]|[ ](?:\p{Lu}|\n|and[ ]))"
)
HOUSE_BEFORE = regex.compile(
    r"(?:\b(?:at|address|side[ ]of|corner[ ]of)|(?:^|[\n,:]|[ ](?:at|in|is|to|and))[ ]?\d{1,6}"
    r"(?:[ ]\d{1,4})?)[ ]$"
)
# A name right after these is a place's, unless it goes on as a possessive: "in Needham".
FROM_PLACE = regex.compile(
    r"(?i:\b(?:in|originally[ ]from|native[ ]of|"
    r"(?:moved|relocated)[ ](?:here[ ]|back[ ])?from))[ ]$"
)
SAID = regex.compile(
    r"[ ](?:said|says|reports|reported|denies|denied|states|stated|complains|complained|called|"
    r"asked|told|lives|lived|works|worked|wrote|signed|agreed|explained|replied|presented|"
    r"presents|underwent|was[ ](?:born|seen|admitted|discharged|referred|told|asked|diagnosed))\b"
)
EPONYM = regex.compile(r"(?:['’]s)?(?:[ \-](?P<of>\p{L}+))(?:[ ](?P<then>\p{L}+))?")

NOT_BEFORE = NO_NAME | GENERIC
NOT_AFTER = STREET_WORDS | EPONYM_OF
NO_TOWN = EVERYDAY | NO_NAME | FIRM_WORDS | STREET_WORDS
NO_FIRM = GENERIC | FIRM_WORDS | NO_NAME
NOT_ONES_OWN = EPONYM_OF - ONES_OWN
EVERYDAY_OR_NONE = EVERYDAY | NO_NAME
# Whoever follows one of these is the saint or the landscape of a town: "San Giovanni".
TOWN_BEGINS = PLACE_WORDS - EVERYDAY_OR_NONE


def names_a_thing(text: str, end: int) -> bool:
    """Whether what follows a name makes it that of a disease, a device or a test."""
    if (match := EPONYM.match(text, end)) is None:
        return False
    own = text[end] in "'’"
    of, then = fold(match["of"]), fold(match["then"] or "")
    if own:  # "Ana's score" is hers, "Crohn's disease" is nobody's
        return of in NOT_ONES_OWN
    return of in EPONYM_OF or then in NOT_ONES_OWN


@dataclass(slots=True)
class Token:
    """A word in a run of capitalised words: its offsets, and `word` without case and accents."""

    start: int
    end: int
    text: str
    word: str

    @property
    def initial(self) -> bool:
        """Whether it is an initial."""
        return len(self.text.rstrip(".")) == 1 and self.text[0].isupper()

    @property
    def particle(self) -> bool:
        """Whether it is a word such as "van" within a name."""
        return self.text.islower()
