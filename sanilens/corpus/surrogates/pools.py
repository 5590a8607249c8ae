"""Word lists behind invented identities: trades, firms, towns, streets and rare conditions.

Plain data: `identities` draws from it, `kinds` takes replacements from it.
"""

OCCUPATIONS: tuple[str, ...] = tuple(
    """
    accountant; acoustic engineer; actuary; aircraft mechanic; air traffic controller;
    ambulance dispatcher; animator; antiques dealer; apiarist; arborist; archivist;
    asphalt paver; auctioneer; baker; ballet teacher; bank teller; barber; barista;
    basket weaver; bicycle courier; blacksmith; boat builder; bookbinder; bookkeeper; botanist;
    brewer; bricklayer; bus driver; butcher; cabinet maker; call centre agent; carpenter;
    cartographer; cellist; chauffeur; cheesemaker; chimney sweep; choir conductor; civil engineer;
    coach driver; cobbler; coffee roaster; confectioner; costume designer; court reporter;
    crane operator; customs officer; dairy farmer; data analyst; deckhand; delivery driver;
    diamond cutter; dog groomer; drama teacher; dressmaker; driving instructor; economist;
    electrician; elevator technician; estate agent; event planner; falconer; ferry pilot;
    film editor; firefighter; fishmonger; florist; forester; forklift driver; fruit picker;
    furniture restorer; gardener; geologist; glass blower; goldsmith; graphic designer;
    hairdresser; harbour master; hotel porter; house painter; hydrologist; illustrator;
    insurance assessor; interior decorator; interpreter; jeweller; joiner; judge's clerk;
    landscape architect; language tutor; librarian; lift engineer; lighthouse keeper; locksmith;
    logistics planner; mail carrier; marine biologist; mathematics teacher; metallurgist;
    miller; mine surveyor; museum guide; music producer; notary; nursery teacher; optician;
    orchard manager; organ builder; oyster farmer; park ranger; pastry cook; patent examiner;
    piano tuner; plasterer; plumber; potter; primary school teacher; printer; proofreader;
    puppeteer; quarry worker; radio presenter; railway signaller; roofer; sailmaker; scaffolder;
    school caretaker; screenwriter; seamstress; security guard; set designer; shepherd;
    ship's engineer; silversmith; ski instructor; social worker; software tester; sound engineer;
    stonemason; structural engineer; surveyor; swimming coach; tailor; tax inspector;
    taxi driver; tea taster; textile dyer; tiler; toolmaker; train driver; translator;
    tree surgeon; truck driver; tugboat captain; umbrella maker; underwriter; upholsterer;
    urban planner; usher; vintner; violin maker; waiter; warehouse supervisor; watchmaker;
    weaver; web developer; welder; window cleaner; youth worker; zookeeper
    """.replace("\n", " ").split(";")
)
OCCUPATIONS = tuple(" ".join(name.split()) for name in OCCUPATIONS)

EMPLOYER_STEMS: tuple[str, ...] = tuple(
    """
    Alderwick Amberline Ashgrove Bellhaven Birchmoor Blackfen Bluecrest Brackendale Bramwell
    Brightwater Calderstone Caskell Cedarholm Corvane Dellmarsh Dunmarrow Eastmere Eldervale
    Fairlock Fenwright Fernhollow Foxbarrow Glenharrow Goldenrow Granmoor Greywell Halvorn
    Harrowgate Hawkmere Hexley Hollinside Ironbrook Kestrelton Kingsmoor Larkspur Lindenfeld
    Longmeadow Lowther Marlbank Marrowby Merrivale Millstrand Northlight Norvale Oakhanger
    Oldcastle Orrinfield Pellgrove Penmarric Quarrington Ravensby Redfern Rookhill Saltmarsh
    Sandbourne Silverdene Stanmere Stonebridge Sunderby Tallowfield Thornbury Tidewell Umberlow
    Valemont Vexford Wainscot Westerby Whitlock Wildmere Wyndham Yarrowdale Zennorby
    """.split()
)

EMPLOYER_TRADES: tuple[str, ...] = tuple(
    """
    Textiles; Freight; Foods; Engineering; Press; Joinery; Ceramics; Logistics; Timber; Glassworks;
    Mutual Insurance; Printing Works; Shipyard; Dairies; Motors; Rail Services; Instruments;
    Nurseries; Brewing; Software; Paper Mill; Cement; Fisheries; Orchards; Airways; Coachworks;
    Savings Bank; Leather Goods; Optics; Aggregates; Wind Power; Water Company; Housing Trust;
    Academy; Theatre; Museum; Steel; Packaging; Hotels; Bakery; Catering; Batteries; Tools; Toys
    """.replace("\n", " ").split(";")
)
EMPLOYER_TRADES = tuple(" ".join(name.split()) for name in EMPLOYER_TRADES)

CITIES: tuple[str, ...] = tuple(
    """
    Aalborg; Aarhus; Abeokuta; Aberdeen; Adelaide; Albany; Albuquerque; Alicante; Almaty; Amarillo;
    Ancona; Antwerp; Arequipa; Asheville; Augsburg; Austin; Bamako; Bangor; Bari; Basel; Bendigo;
    Bergamo; Bergen; Bilbao; Billings; Bismarck; Boise; Bologna; Bordeaux; Braga; Bremen; Brescia;
    Bristol; Brno; Bruges; Bucaramanga; Burlington; Cadiz; Cairns; Calgary; Canberra; Cardiff;
    Cartagena; Catania; Charleston; Chattanooga; Cheyenne; Cincinnati; Coimbra; Cork; Cuenca;
    Curitiba; Dakar; Davao; Debrecen; Delft; Derby; Dijon; Dortmund; Dresden; Dubuque; Duluth;
    Dundee; Durban; Edmonton; Eindhoven; El Paso; Essen; Eugene; Exeter; Fargo; Faro; Fresno;
    Galway; Gaborone; Gdansk; Geelong; Ghent; Gijon; Granada; Graz; Grenoble; Groningen; Guelph;
    Haarlem; Halifax; Hamilton; Hartford; Helena; Hobart; Honolulu; Inverness; Izmir; Juneau;
    Kampala; Kaunas; Kisumu; Kochi; Kumasi; Laredo; Lausanne; Leipzig; Liege; Lille; Limerick;
    Linz; Ljubljana; Lodz; Lubbock; Lucca; Lugano; Madison; Malaga; Malmo; Maribor; Mendoza;
    Mobile; Mombasa; Montpelier; Murcia; Nantes; Naples; Norwich; Nottingham; Odense; Omaha;
    Oporto; Osijek; Oulu; Padua; Pamplona; Penang; Perugia; Pilsen; Plovdiv; Poznan; Preston;
    Quito; Raleigh; Reno; Rennes; Rijeka; Rosario; Rouen; Sacramento; Salem; Santa Fe; Savannah;
    Siena; Spokane; Stavanger; Swansea; Tacoma; Tampere; Toledo; Trieste; Tucson; Tulsa; Turku;
    Uppsala; Utrecht; Valencia; Verona; Wichita; Winnipeg; Wroclaw; Zaragoza
    """.replace("\n", " ").split(";")
)
CITIES = tuple(" ".join(name.split()) for name in CITIES)

RARE_CONDITIONS: tuple[str, ...] = tuple(
    """
    acute intermittent porphyria; Addison disease; Alport syndrome; alpha-1 antitrypsin deficiency;
    alkaptonuria; AL amyloidosis; Andersen-Tawil syndrome; antiphospholipid syndrome;
    autoimmune hepatitis; Bardet-Biedl syndrome; Bartter syndrome; Becker muscular dystrophy;
    Behcet disease; Birt-Hogg-Dube syndrome; Brugada syndrome; bullous pemphigoid;
    Caroli disease; Castleman disease; Charcot-Marie-Tooth disease; chronic granulomatous disease;
    Churg-Strauss syndrome; common variable immunodeficiency; congenital adrenal hyperplasia;
    Crouzon syndrome; Cushing disease; cystinuria; Danon disease; Dent disease;
    dermatomyositis; Ehlers-Danlos syndrome; eosinophilic oesophagitis; erythromelalgia;
    erythropoietic protoporphyria; essential thrombocythaemia; Fabry disease;
    facioscapulohumeral dystrophy; factor V deficiency; factor XI deficiency;
    familial adenomatous polyposis; familial Mediterranean fever; fibromuscular dysplasia;
    Friedreich ataxia; Gaucher disease; Gitelman syndrome; Glanzmann thrombasthenia;
    Goodpasture syndrome; granulomatosis with polyangiitis; haemophilia B;
    hereditary angioedema; hereditary haemorrhagic telangiectasia; hereditary spherocytosis;
    Huntington disease; hypokalaemic periodic paralysis; IgG4-related disease;
    inclusion body myositis;
    Kallmann syndrome; Kennedy disease; Klippel-Trenaunay syndrome; Lambert-Eaton syndrome;
    Langerhans cell histiocytosis; Leber optic neuropathy; Loeys-Dietz syndrome;
    lymphangioleiomyomatosis; Marfan syndrome; mastocytosis; McArdle disease; Melkersson syndrome;
    moyamoya disease; multiple endocrine neoplasia type 1; myasthenia gravis; myotonic dystrophy;
    narcolepsy type 1; nephropathic cystinosis; neurofibromatosis type 2; neuromyelitis optica;
    Osler-Weber-Rendu disease; osteogenesis imperfecta; paroxysmal nocturnal haemoglobinuria;
    pemphigus vulgaris; phaeochromocytoma; Pompe disease; primary biliary cholangitis;
    primary sclerosing cholangitis; pseudoxanthoma elasticum; pulmonary alveolar proteinosis;
    pyoderma gangrenosum; Refsum disease; relapsing polychondritis; retinitis pigmentosa;
    sarcoid cardiomyopathy; Stargardt disease; stiff person syndrome; Sturge-Weber syndrome;
    Susac syndrome; syringomyelia; systemic sclerosis; Takayasu arteritis; tuberous sclerosis;
    Usher syndrome; von Hippel-Lindau disease; von Willebrand disease; Waldenstrom disease;
    Wilson disease; X-linked ichthyosis
    """.replace("\n", " ").split(";")
)
RARE_CONDITIONS = tuple(" ".join(name.split()) for name in RARE_CONDITIONS)

# A street is a head and a tail ("Larkfield") and a type; none is meant to exist.
STREET_HEADS: tuple[str, ...] = tuple(
    """
    Alder Amber Apple Ash Badger Barley Beech Birch Black Bracken Bramble Briar Castle Cedar
    Cherry Clover Copper Cran Crow Damson Dove Elder Elm Fal Fern Fox Glen Gorse Hare Hawk Hazel
    Heather Heron Holly Iron Ivy Juniper Kestrel King Lark Laurel Lime Linden Maple Marl Mill
    Moor Nettle Oak Orchard Otter Peach Pear Pine Plum Quarry Quince Raven Reed Robin Rook Rowan
    Sedge Silver Sloe Sorrel Spruce Stone Swan Thistle Thorn Violet Walnut Willow Wren Yarrow Yew
    """.split()
)
STREET_TAILS: tuple[str, ...] = tuple(
    """
    bank bourne brook bury combe croft dale dean fell field ford garth gate grove ham hill holt
    hurst land ley low mead mere moor more ridge row shaw stead stone thorpe ton vale wade water
    way well wick wood worth
    """.split()
)
STREET_TYPES: tuple[str, ...] = (
    "Street", "Road", "Lane", "Avenue", "Close", "Drive", "Terrace", "Crescent", "Gardens",
    "Square", "Parade", "Mews", "Boulevard", "Grove", "Rise", "Walk",
)  # fmt: skip

# The words of e-mail nicknames: an adjective and a noun, written together ("quietotter").
NICK_HEADS: tuple[str, ...] = tuple(
    """
    amber brisk bronze calm candid clever coral cosmic dapper dusky eager early fabled fancy
    fuzzy gentle glad golden happy humble indigo jolly keen lively lucky mellow merry misty
    nimble noble olive pearly plucky proud quick quiet rustic salty scarlet shiny silent silver
    sleepy snowy solar spicy sunny swift tidy velvet violet wandering witty woolly young zesty
    """.split()
)
NICK_TAILS: tuple[str, ...] = tuple(
    """
    acorn anchor badger banjo beacon bison bobcat cello cobra comet condor cricket dolphin
    drummer falcon ferret finch fiddle gecko gopher harbour hedgehog heron ibis jackal kayak
    kettle lantern lemur lynx magpie mango meteor moose muffin narwhal nutmeg ocelot orca osprey
    otter panda pebble pelican penguin puffin quail raccoon rocket sailor salmon sparrow squid
    teapot thimble tiger toucan trumpet turtle walrus waffle wizard wombat yeti zebra
    """.split()
)

# Top-level names and domains that RFC 2606 reserves: no mail sent there arrives anywhere.
MAIL_DOMAINS: tuple[str, ...] = (
    "example.com", "example.org", "example.net", "inbox.example", "letters.example",
    "pigeon.example", "parcel.example",
)  # fmt: skip

# Code names of projects: a colour or stuff, and an animal or thing of nature.
CODE_NAME_HEADS: tuple[str, ...] = tuple(
    """
    Amber Ashen Azure Bitter Bold Brass Bright Bronze Calm Carbon Cedar Chalk Cobalt Copper Coral
    Crimson Crystal Distant Dusty Early Ebony Emerald Fading Flint Frozen Gentle Gilded Golden
    Granite Hidden Hollow Indigo Iron Ivory Jade Lavender Linen Lunar Maple Marble Misty Mossy
    Nimble Olive Opal Pewter Quiet Rapid Rusty Sable Saffron Scarlet Silent Silver Slate Solar
    Tawny Velvet Violet Walnut Wandering Winter
    """.split()
)
CODE_NAME_TAILS: tuple[str, ...] = tuple(
    """
    Anchor Badger Beacon Bison Bramble Canyon Cascade Comet Condor Cricket Cypress Dolphin Dune
    Eagle Ember Falcon Fern Finch Fjord Fox Gazelle Geyser Glacier Harbour Heron Ibis Island
    Jackal Juniper Kestrel Lagoon Lantern Lark Lemur Lynx Magpie Marten Meadow Meteor Monsoon
    Nebula Nettle Orchid Osprey Otter Panther Pebble Pelican Pine Prairie Puffin Quail Raven Reef
    River Salmon Sparrow Summit Swallow Thistle Tiger Tundra Walrus Willow
    """.split()
)
