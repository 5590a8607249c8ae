"""Patterns for streets, towns and postal codes, in the forms of several countries.

A street is known by its type ("14 Maple Street", "Hauptstraße 9", "12 rue des Lacs"), or stands
after words such as "lives at". The span is street, house number and unit; town and postal code
are spans of their own.
"""

import regex

from sanilens.corpus.detection.recogniser import Recogniser

_STATE = (
    r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|"
    r"T[NX]|UT|V[AT]|W[AIVY]|PR)"
)
_PLACE = r"\p{Lu}[\p{L}.'’\-]{1,24}"
_ZIP = r"\d{5}(?:-\d{4})?(?![\w\-])"
# Britain's, Canada's and the Netherlands' are known by their form.
_POSTCODE = (
    r"(?:[A-Z]{1,2}\d[A-Z\d]?[ ]\d[ABD-HJLNP-UW-Z]{2}|[ABCEGHJ-NPRSTVXY]\d[A-Z][ ]\d[A-Z]\d|"
    r"\d{4}[ ][A-Z]{2}(?=[ ]\p{Lu}\p{Ll}))(?!\w)"
)
# The full stop after "Street" ends the sentence; the one after "St." is its own.
_SUFFIX = (
    r"(?i:(?:Street|Avenue|Road|Drive|Lane|Boulevard|Court|Place|Square|Terrace|Rise|Way|"
    r"Parkway|Circle|"
    r"Highway|Trail|Crescent|Close|Row|Alley|Gardens?|Grove|Mews|Parade|Turnpike|Expressway|"
    r"Freeway|"
    r"Causeway|Walk|Esplanade|Promenade|Quay|Bypass|Crossing|Motorway|Plaza|Viaduct|Throughway|"
    r"Crossroad)\b|(?:St|Ave|Rd|Dr|Ln|Blvd|Ct|Pl|Sq|Ter|Pkwy|Cir|Hwy)\b\.?)"
)
# Types that are everyday words too need a house number of three digits, and Faker's streets
# have one.
_RARE_SUFFIX = (
    r"(?:Branch|Bridge|Brooks?|Burgs?|Camp|Canyon|Cape|Centers?|Circles|Cliffs?|Club|Commons?|"
    r"Corners?|Course|Courts|Coves?|Creek|Crest|Curve|Dale|Dam|Divide|Drives|Estates?|Extensions?|"
    r"Falls?|Ferry|Fields?|Flats?|Fords?|Forest|Forges?|Forks?|Fort|Gateway|Glens?|Greens?|Groves|"
    r"Harbors?|Haven|Heights|Hills?|Hollow|Inlet|Islands?|Isle|Junctions?|Keys?|Knolls?|Lakes?|"
    r"Land|"
    r"Landing|Lights?|Loaf|Locks?|Lodge|Loop|Mall|Manors?|Meadows?|Mills?|Mission|Mountains?|Mount|"
    r"Neck|Orchard|Oval|Overpass|Parks?|Parkways|Pass|Passage|Path|Pike|Pines?|Plains?|Points?|"
    r"Ports?|"
    r"Prairie|Radial|Ramp|Ranch|Rapids?|Rest|Ridges?|River|Roads|Route|Rue|Run|Shoals?|Shores?|"
    r"Skyway|"
    r"Springs?|Spurs?|Squares|Station|Stravenue|Stream|Streets|Summit|Trace|Track|Trafficway|"
    r"Tunnel|"
    r"Underpass|Unions?|Valleys?|Via|Views?|Villages?|Ville|Vista|Walks|Wall|Ways|Wells?)\b"
)
_NAME = r"(?:\p{Lu}[\p{L}.'’\-]{0,24}|\d{1,3}(?:st|nd|rd|th|ST|ND|RD|TH))"
_FLAT = (
    r"(?:(?:,?[ ]|,?[ ]?\n[ ]?)"
    r"(?:(?i:Apt|Apartment|Unit|Suite|Ste|Flat|Floor|Fl|Rm|Room|Piano|Appartamento|Apto|Piso|"
    r"Puerta|Lgh|Studio)\.?[ ]?\#?|\#[ ]?)"
    r"[A-Za-z0-9\-]{1,6}(?!\w))?"
)
_HOUSE = r"\d{1,5}(?:[ ]?[a-zA-Z](?!\w))?(?:[\-/]\d{1,4})?"
_INNER = r"(?:de|della|del|dei|di|do|da|dos|das|du|des|las|la|les|le|los|z|van|den|der|y|e|the)"
_WORDS = (
    rf"(?:(?:[ ]{_INNER}){{0,2}}[ ](?:d['’]|l['’])?"
    r"\p{Lu}(?:[\p{L}'’\-]{1,24}(?:\.(?=[ ]\p{Lu}))?|\.)){1,5}"
)
_GERMANIC = (
    r"(?:\p{Lu}[\p{L}.\-]{1,24}[ ]){0,3}(?:\p{Lu}[\p{L}\-]{2,24}(?:stra(?:ß|ss)e|str\.|weg|"
    r"gasse|platz|"
    r"allee|damm|ufer|steig|pfad|straat|laan|plein|kade|gracht|dreef|singel|gatan|gata|vägen|väg|"
    r"gränd|stigen|vej|gade|vænget|veien|vegen|gaten|katu|ntie|polku|braut|stígur|stíg|vegur)|"
    r"Straße|Strasse|Str\.|Weg|Gasse|Platz|Allee|utca|út|u\.|tér|körút|rakpart|utca)"
)
_PREFIX = (
    r"(?:Via|Viale|Vicolo|Piazza|Piazzale|Corso|Largo|Rua|R\.|Avenida|Avda?\.?|Av\.|Travessa|Praça|"
    r"Alameda|Estrada|Calle|C/|Carrera|Cra\.?|Paseo|Plaza|Ronda|Camino|Rue|Avenue|Boulevard|Chemin|"
    r"Impasse|Allée|Place|Quai|Route|[Uu]l\.|[Uu]lica|[Aa]l\.|[Oo]s\.|Plac|Trg|Cesta|Jl\.|Jalan|"
    r"Jln|"
    r"Strada|Bulevardul|Unter|Am|Im|An|Borgo|Contrada|Rotonda|Incrocio|Stretto|Canale|Acceso|"
    r"Callejón|"
    r"Cañada|Cuesta|Glorieta|Pasaje|Pasadizo|Rambla|Urbanización|Vial|Campo|Condomínio|Conjunto|"
    r"Fazenda|Jardim|Ladeira|Lago|Lagoa|Loteamento|Morro|Parque|Praia|Quadra|Residencial|Rodovia|"
    r"Setor|Viela|Vila|Vereda|Recanto)"
)
_FRENCH = (
    r"(?i:rue|avenue|av\.|boulevard|bd\.?|chemin|impasse|allée|place|quai|route|cours|passage|"
    r"faubourg)"
)
_LIVES_AT = (
    r"(?:(?:home|mailing|postal|street|billing|shipping|delivery|current|new|my|his|her|their)[ ])?"
    r"(?:address(?:[ ]is|[ ]was)?|addr\.?|live[sd]?[ ]at|living[ ]at|resid(?:e[sd]?|ing)[ ]at|"
    r"located[ ]at|situated[ ]at|stay(?:s|ed|ing)?[ ]at|moved[ ](?:in)?to|delivered[ ]to|"
    r"ship(?:ped)?(?:[ ]it)?[ ]to|mail(?:ed)?(?:[ ]it)?[ ]to|sen[dt][ ]to|house[ ]at|home[ ]at|"
    r"office[ ]at|property[ ]at|apartment[ ]at)"
)
_CAPITAL = r"(?:\p{Lu}[\p{L}'’\-]{1,24}|(?:\p{Lu}|St|Dr)\.?)"

_CORNER = (
    r"(?:\d{1,6}[ ])?(?:\p{Lu}[\p{L}.'’\-]*|ul\.|\d{1,3}(?:st|nd|rd|th))(?:[ ][\p{L}.'’\-]+){0,5}?"
    r"(?:[ ]\d{1,5}[A-Za-z]?)?(?<!\.)(?=\.?[ ]and[ ]\p{Lu}|[ ]and[ ]\d|[.,;?\n]|$|[ ]\p{Ll})"
)


def _street(pattern: str) -> Recogniser:
    return Recogniser("ADDRESS", regex.compile(rf"(?<![\w/.\-])(?P<value>{pattern})"))


ADDRESS_RECOGNISERS: tuple[Recogniser, ...] = (
    Recogniser("ZIP", regex.compile(rf"(?<!\w){_STATE},?[ ]{{1,2}}(?P<value>{_ZIP})")),
    Recogniser(
        "ZIP",
        regex.compile(
            r"(?<!\p{L})(?i:(?:zip|postal|post)(?:[ ]?code)?)(?!\p{L})"
            r"[ ]{0,2}[:=#]?[ ]{0,2}(?:(?:is|was)[ ])?"
            rf"(?P<value>{_ZIP}|{_POSTCODE}|\d{{2}}-\d{{3}}(?!\w)|\d{{4,6}}(?![\w\-]))"
        ),
    ),
    Recogniser("ZIP", regex.compile(rf"(?<![\w\-])(?P<value>{_POSTCODE})")),
    Recogniser(
        "CITY",
        regex.compile(
            rf"(?<![\w'’\-])(?P<value>{_PLACE}(?:[ ]{_PLACE}){{0,2}}),?[ ]"
            rf"{_STATE},?[ ]{{1,2}}{_ZIP}"
        ),
    ),
    _street(rf"\d{{1,6}}[A-Za-z]?(?:-\d{{1,5}})?,?[ ](?:{_NAME}[ ]){{1,4}}?{_SUFFIX}{_FLAT}"),
    _street(rf"\d{{3,6}}[ ](?:{_NAME}[ ]){{1,3}}?{_RARE_SUFFIX}{_FLAT}"),
    _street(rf"{_GERMANIC}[ ]{_HOUSE}(?![\w%]|\.\d|[ ](?:mg|ml|cm|mm)){_FLAT}"),
    _street(
        rf"{_PREFIX}{_WORDS},?[ ](?:[Nn](?:º|°|o\.?|r\.?)?[ ]?)?{_HOUSE}(?![\w%]|\.\d|[ ](?:mg|ml))"
        rf"{_FLAT}"
    ),
    _street(rf"R(?:[ ]\p{{Lu}}[\p{{L}}.'’\-]{{1,24}}){{2,5}},?[ ]{_HOUSE}(?![\w%]|\.\d)"),
    # A corner of two streets, whatever they are called.
    _street(rf"(?<=\bcorner[ ]of[ ])(?:{_CORNER})\.?[ ]and[ ](?:{_CORNER})"),
    _street(
        r"(?:(?:PSC|Unit|UNIT|CMR)[ ]\d{1,5},?[ ]Box[ ]\d{1,5}|US(?:S|NS|CGC|NV)[ ]\p{Lu}\p{L}+)"
        r",?[ \n]{1,2}"
        r"[AFD]PO,?[ ]A[AEP](?:[ ]\d{5})?(?!\w)"
    ),
    # Whatever a unit follows is where somebody lives.
    _street(
        rf"(?:\d{{1,6}}[ ])?(?:{_CAPITAL}[ ]){{1,4}}?(?:{_CAPITAL}|\d{{1,5}})"
        r"(?:,?[ ]|,?[ ]{0,2}\n[ ]?)(?:Apt|Suite|Ste|Unit|Flat|"
        r"Apartment)\.?[ ]\#?\d{1,5}[A-Z]?(?!\w)"
    ),
    _street(rf"\d{{1,4}}(?:[ ]?(?:bis|ter|[A-Z]))?,?[ ]{_FRENCH}{_WORDS}"),
    Recogniser(
        "ADDRESS",
        regex.compile(
            rf"(?<!\p{{L}})(?i:{_LIVES_AT})[ ]{{0,2}}[:=]?[ \n]{{0,2}}(?:the[ ])?"
            rf"(?P<value>{_CAPITAL}(?:[ ](?:{_CAPITAL}|\p{{Ll}}{{1,5}})){{0,4}}?,?[ ]{_HOUSE}"
            rf"|\d{{1,6}}[A-Za-z]?,?(?:[ ]{_CAPITAL}){{1,5}}{_FLAT})(?!\w)"
        ),
    ),
    Recogniser(
        "ADDRESS",
        regex.compile(
            r"(?i)(?<!\w)(?P<value>(?:P\.?[ ]?O\.?[ ]Box|Postbox|Postfach)[ ]\d{1,6})(?!\w)"
        ),
    ),
)
