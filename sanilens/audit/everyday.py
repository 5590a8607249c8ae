"""Words that stand in any text: that one of them stands in a prompt tells nothing of a value.

The commonest words of several languages are Faker's lists; `_ALSO_NAMES` adds English words that
are names as well ("Will", "Ward").
"""

import re
from functools import cache, lru_cache
from importlib import import_module

from sanilens.corpus.detection.gazetteer import fold

# What values of a kind share: of "14 Maple Street" the street tells nothing.
COMMON_WORDS = frozenset(
    """street road avenue lane drive court place close terrace crescent boulevard apartment suite
    flat unit square hill park view north south east west example mail email post inbox home
    disease syndrome disorder chronic acute primary hereditary familial type deficiency
    company group services limited partners sons works centre center hospital clinic school
    county city town manager assistant officer worker operator engineer technician teacher driver
    january february march april may june july august september october november december
    """.split()
)
TITLES = frozenset(
    """mr mrs ms miss mx dr prof professor sir dame lady lord madam rev nurse sister herr frau
    monsieur madame mme mlle senor senora sr sra signor signora dott meneer mevrouw pan pani
    """.split()
)
# Of a name, but nobody's own.
PARTICLES = frozenset(
    """van von der den des del della dem dos das du le la les ter ten zu bin ibn bint ben
    san santa saint st mac jr sr ii iii iv phd md rn
    """.split()
)
_ALSO_NAMES = frozenset(
    """amber angel april archer art august baker banks bar barber barn baron bass bay bean bear
    bell berry best bill bird bishop black blank bliss blood bloom blue bond booth born bowl
    boy branch brand bright brook brooks brown buck bull burn burns bush butcher butler cain
    camp cannon carol carpenter carter case cash castle chance chapel chapman chase chest chip
    church clay clear cliff close coffin cook coop cooper corn couch crane cross crow crown
    curry daisy dale dash dawn day deal dean dear diamond dick dodge dove drake drew drummer
    duke earl early eve fairy faith falcon farmer fern field fields finch fisher flood flower
    flowers foot ford forest foster fountain fox frank free freeman french frost fry gale
    gardener gay gene gentle german gift glass glen glover gold golden good grace grant grave
    graves gray green grey grove guy hail hale hall ham hand hardy hare harp hart hawk hay
    hazel head heart heath heather heel hemp herb hill hip holder holiday holly home hood hook
    hope horn house hull hunt hunter hurt iris ivory ivy jack jade jay jewel joiner jolly joy
    judge june junior just keen key kidney king kitchen kite knee knight lamb lance land lane
    large lark law leach leaf lean leech less liar light lilly lily line lines link little lock
    long lord loss love low lucky lump lung major manor mare mark marks marsh mason master may
    mead means melody mercer mercy merry mild miles miller mills mint mole monk moon moss mouth
    nail neck nettle new newman nick night noble noon norm north nurse oak ocean old olive
    orchard page pain paine pair palm park parker parks parson parsons pass pat patience pea
    peace pearl peel penny pepper perch petty pike pill pine piper place plant plum point pole
    pond pool poole poor pope pork porter post potter pound power powers precious price pride
    priest prince print prior prosper quick rain rainbow ram rash ray read ready reed reeves
    regal rest rice rich ride ring rip river rivers roach rob robin rock rod roll roman root
    roots rope rose rowan royal ruby rue rush rusty sage sails saint sale salt sand sands sandy
    savage sawyer scales scarlet shade sharp sheets shepherd shields shoemaker shore short
    shrub sick silver singer skin sky slater sleep slim small smart smith smoke snow speaker
    spear spring stack staff stage star steel stern steward still stock stone stones storm
    story stout strain strange street stroke strong sue sugar summer summers sun sunny swan
    sweet swift tall teal temple thorn tic tiger tile tiny toll tongue tower towers town tray
    treasure tree trice trout true tucker turner urban usher vale van vein vice victor viola
    violet virtue wade walker wall walls ward warden ware warm warner water waters weaver weeks
    welcome well wells west wheat wheeler white whole wick wild will wills win wind winter
    winters wire wise wolf wood woods work world worth wound wright yard year young
    """.split()
)
# German writes an umlaut in two letters where it has no other way: "Mueller".
_DIGRAPH = re.compile(r"(?<=[aou])e")
_COUNTRIES = (
    "en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "da_DK", "sv_SE",
    "fi_FI", "pt_BR", "pl_PL", "cs_CZ", "hr_HR", "tr_TR", "ru_RU",
)  # fmt: skip
_LOCALES = ("de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "da_DK", "pl_PL", "cs_CZ", "ru_RU")


@lru_cache(maxsize=65536)
def word_key(word: str) -> str:
    """What two spellings of a word share: no case, accents or umlauts."""
    folded = fold(word)
    return _DIGRAPH.sub("", folded) if len(folded) > 4 else folded


@cache
def everyday_words() -> frozenset[str]:
    """Keys of words that a text holds whoever it is about."""
    first = _names("first_names")
    # Other languages' lists hold names that are nothing else, and syllables that are somebody's.
    foreign = {word for name in _LOCALES for word in _commonest(name) if len(word) > 3} - first
    return frozenset(map(word_key, COMMON_WORDS | _ALSO_NAMES)) | _commonest("en_US") | foreign


@cache
def known_names() -> frozenset[str]:
    """Keys of names of many countries that are no everyday words."""
    return (_names("first_names") | _names("last_names")) - everyday_words()


@cache
def _names(attribute: str) -> frozenset[str]:
    providers = (import_module(f"faker.providers.person.{c}").Provider for c in _COUNTRIES)
    return frozenset(
        word_key(name)
        for provider in providers
        for part in ("", "_male", "_female")
        for name in getattr(provider, attribute + part, ())
    )


def _commonest(locale: str) -> frozenset[str]:
    words = import_module(f"faker.providers.lorem.{locale}").Provider.word_list
    # Capitals are proper names, but for German, which writes every noun with one.
    return frozenset(word_key(w) for w in words if w.islower() or locale.startswith("de"))
