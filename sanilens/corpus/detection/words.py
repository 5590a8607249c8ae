"""Words that are names too, and words that no name holds: what keeps a list of names honest.

The lists of names (`known_words`) hold "Will", "May", "Grace" and "Hope". Alone, or at the start of
a sentence, such a word is the everyday one, and in a prompt it says nothing about whom it means.
Every list of words that detection and the audit go by stands here.
"""

from sanilens.corpus.surrogates.dates import MONTHS

_MONTHS = frozenset(month.lower() for month in MONTHS)
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday"

# First names that are words everywhere else.
ALSO_FIRST = frozenset({"will", "may", "april", "june", "august"})

DATE_WORDS = _MONTHS | frozenset(_WEEKDAYS.split())

# What values of a kind share: of "14 Maple Street" the street tells nothing.
COMMON_WORDS = _MONTHS | frozenset(
    """
    acute apartment assistant avenue boulevard center centre chronic city clinic close company
    county court crescent deficiency disease disorder drive driver east email engineer example
    familial flat group hereditary hill home hospital inbox lane limited mail manager north officer
    operator park partners place post primary road school services sons south square street suite
    syndrome teacher technician terrace town type unit view west worker works
    """.split()
)

# English words that are names too, in three steps. A patient of one of the first is found by the
# word alone only where it has a capital.
MOSTLY_WORDS = frozenset(
    """
    april art august autumn bill black brown case chase cook dale dawn day dean drew faith frank gay
    glen grace grant gray green grey guy hall heath hill hope house hunter iris ivy jack jay joy
    june king lane long major mark mason may miles miller mills moody moss page park pat penny price
    ray rice rich rob rose ruby short small stone sue summer swift violet ward wells west white will
    wood woods young
    """.split()
)
_ALSO_NAMES = frozenset(
    """
    amber angel archer baker banks bar barber baron bass bay bean bear bell berry best bird bishop
    bliss blood bloom blue bond booth bowl boy branch brand bright brook brooks buck bull burn burns
    bush butcher butler camp cannon carol carpenter cash chance chapel chip church clay clear cliff
    close corn couch crane cross crow crown curry daisy dash dear diamond dick dove drake duke earl
    early fairy farmer fern field fields finch fisher flood flower flowers foot forest foster
    fountain fox free french frost fry gale gardener gene gentle german gift glass gold golden good
    grave graves grove hail hale ham hand hardy hare harp hart hay hazel head heart herb holiday
    holly home hood hook horn hull hunt hurt ivory jade jewel joiner judge junior just keen key
    kidney kite knight lamb lance land large lark law leach leaf lean leech less light lily line
    link little lock lord loss love low lucky lump lung mare marks marsh master means melody mercy
    merry mild mint mole monk moon mouth nail neck new nick night noble noon north nurse oak old
    olive orchard pain pair palm parks parson pass patience peace pearl pepper perch petty pike pill
    pine piper place plant plum point pole pool poor pope porter post potter pound power powers
    precious pride priest prince prior prosper quick rain rainbow ram rash read ready reed regal
    rest ride ring river rivers roach robin rock rod roll roman roots rope royal rue rush rusty sage
    saint sale salt sand sands sandy savage sawyer scales scarlet shade sharp shepherd shore silver
    singer skin sky slater sleep smart smoke snow spring stack staff stage star steel stern steward
    still stock storm story stout strain street strong sugar summers sun sunny swan sweet tall
    temple thorn tiger tiny toll tower town tray treasure tree trout true turner urban usher vale
    van viola virtue wade walker wall walls warden ware warm water waters weaver weeks welcome well
    wheat wheeler wild wills win wind winter winters wire wise wolf work world worth wright yard
    year
    """.split()
)
# Words that only Faker's lists of first or family names hold as names.
_SELDOM_NAMES = frozenset(
    """
    abate abbey able ace acute add admiral africa agate albino ale alexa alpha alto amble america
    american among angelic ante ants any apr arab arch arenas aria arts ascension asia asks asp
    aspen aug aura axel axels babe baby bach back backer bail bale ball ban band bank baptist barb
    bard bare base bash bat bath beard beat beau bee beer begum belle bend bender bent berg beta
    better bey bigot billings bills bin binder bins birch bite bitten blaze blessing block blossom
    blot boat bob bode bogey bolt bone bones bonnet bonny book boon bore boss bound bow box brain
    brands brandy brave bravo bread brick bride bridge bridges brink broad bud buddy bug bunk burch
    burger burr bury butte by caddie cairn call cam camps can canal canals candy cane canning canny
    canyon cap cape caprice captain car card care cares carry cart carton cases cat chai chain
    chamber chambers champ champagne char charity chastity check cherish cherry chi chief child
    chill chin china christ christian cinnamon city clerk cloud coach coal coca cola colas cold
    collie collier colon colonel comb combs come comfort comment commodore commons company con cone
    constant content convey cool cooley cope coral cord corner cornet corona corral cost cotton
    council court cousin cousins cove cox coy crab craw crease creed crook crooks cruise crystal
    cuba cup curt cute cutter dada dahlia daily dally dam dame danish dare darling dart date dates
    days deacon dec deep delta den dent dervish desire destiny din dine dirk ditch divan diver do
    dock doctor dodo doe does doll dolly dolphin don door dot dow down downs dream dries drink drum
    dry duck due dusty each eager east easter eat ebb ebony echo eden edge edit egg elder elm else
    ember emerald emit end england english ensign era essence ether ethyl even ever every fair fall
    fame fan fancy fanning far fare fares farm farrier fast fate father faust favor fawn fear
    feather fee feline fell felt fema ferry few fifa find fine fink fire first fish flag fleck fleet
    flint floor flora fly fog fold font for force forget fort forum found franc freely fresh friend
    frisk funk gage gal gala gamble game gap gardner garland garner garnet gate gates gauge gem
    general genesis gentry giant gill ginger girl glasses glory glove go goat goblet goode gore
    governor grain grand grass gravel great greet grill grip grit gross ground grow guard guide
    gully gun gust gut hacker had hair half halls hammer handler handsome handy happy hard harm
    harmony harness harrow harsh harvest has hasty hat have haven he heal heard heat heaven heavy
    heck hedge held hell helm hen hence hens her herd here heron herring hick hicks high hills him
    hind hint his hit hoes hold hole hollow holt honey hoop hop horse host hot hour how hub huff hug
    human hundred hung hyde hymen ice icy immaculate in infant innocent ion iron is islam island it
    jacks jail jam jan janitor jar jasmine jean jet job join joke journey jove jug jul jun junk jury
    justice kale karma keep keys kick kill kin kind kindle kink kirk kiss kit kitty knife knoll lace
    lack lacy lad lady laird lake lamp lass last late laugh laurel lavender lawn lawyer lay lea lead
    leader leafy leak learn leary leather left leg let lexus liberty lie lien lies life lift lilac
    lima limb lime limp linen ling lips lira list llamas load loan lode loft lofts look loom loot
    lope lore lot lovely loyal lucid luck lush luster lute lyric mace mach macho mad made magic
    magnolia maid mail main male mall mallet mamba mambo man mane manly mann many map maple mar
    margarita marina marine marker market mart mask mass mast mat mate math max maxim mayor me
    meadow mean measles meat media mellow men mentor mercedes merchant merit mesa messiah met metro
    middle mile milk mill millet mime mind mine miner minor miracle mist misty mitt moan model moles
    monks moons moor moors more morse most mother motion mountain mouse mulberry mule muslim must my
    name near neat need nest net never newer news next nice nil nine ninja no nor nose note nov nova
    now null nut oaks oct octave odd odds off olympia on one onyx opal open or oral orange order
    osha other our out over owe own ox pace pack pad pages paint pal pall palms pan panda pandora
    pansy pant par pardon parent parish part parting parts past pastor patch path paw pay payer
    peach peacock peak pearls peck peer pellet pen pent people per pet petal phoenix pick pie pier
    pillar pin pink pinto pipe pit plain plan plank play plaza plea pleas pleasant plenty plumb
    plumber plume pock polio pop poplar poppy porsche port pot pott powder prayer press pretty prim
    prime primrose princess process proper proud psalm pump purity purl put queen quiet quill quince
    quint race rack rag raid rail rails ramadan ran range ransom rare rate raven raw reach reader
    real reason red reef reeve rein rex rib riddle rider ridge right rim ripple rise rising ritual
    road roar rocky rook room rosary rosy rot roth rough round rout row rubble ruddy rude rule run
    rune rust rut sable sad saddler safari saga said sailor salami sales salmon salve salvo same
    sandal sane sang santa sat savanna save saw say scale school scott sea seal search season seat
    second secret see seed sell senior sense sep sept serenity server service set seven shape share
    she shed shell shield shift shine ship shoe shook shop show shower side sign signs silent silk
    silvers simple sin since sincere sing sinner sir sire siri sister six skill skinner skip skull
    slate slaughter slice sloan so soft solar sold sole some son song sonny soon soprano sorrow
    south spark sparks spears spies spirit sport spot sprout spur square squire stain stair starch
    stark start state stay steady steed steer step sterling stick sting stocks stool store storey
    storms stormy straight strand stub stump style such suit suits sullen sunshine sure sweat
    sweeting swing sword swords tab tabor tack tad tail tailor talk talon tan tank tanner tape tar
    taste taurus tawny tax tea teacher tear tell temper ten tender term tern test than thank that
    the their them then there theta thick thin thing this thou three tide ties till time times tin
    tine tip to toe tomb tone too tool top torch total touch tough towel toy trace tracer track
    trail train trap travel trench tribe trick trinity trip trow truelove trump trust trusty truth
    tub tuck tug tulip tune turk turn twin twine two unique unknown unnamed up urge us vain valid
    valley valves velvet vent venus versa verse very vet vial victory view vigil viking villa vine
    virgin visa vital viva voice vow wage wagon waist wait wake wale walk want war warmer warn
    warrant warren warrior was wash washer waste watch watt watts wave wax way ways weak wealth web
    wed wee weed week weir were wheel when while whisky whit who why wide wilder willow window windy
    wine wing winger winner wish wit with woman wonder woody word wren yards yates yes yogi you
    younger youth zeta age author basic begin bot doc lone lower meta org shares singleton tilde
    topic uni
    """.split()
)
# Names that a prompt holds as words, though a text's detection takes them for names.
_OFTEN_NAMES = frozenset(
    """
    barn blank born cain carter castle chapman chest coffin coop cooper deal dodge drummer eve
    falcon ford freeman glover hawk heather heel hemp hip holder jolly kitchen knee liar lilly lines
    manor mead mercer nettle newman norm ocean paine parker parsons pea peel pond poole pork print
    reeves rip root rowan sails sheets shields shoemaker shrub sick slim smith speaker spear stones
    strange stroke teal tic tile tongue towers trice tucker vein vice victor warner whole wick wound
    """.split()
)

# What a list of names holds and running text mostly means as a word.
EVERYDAY = MOSTLY_WORDS | _ALSO_NAMES | _SELDOM_NAMES | DATE_WORDS
# What tells nothing where a prompt holds it.
WORDS_AND_NAMES = MOSTLY_WORDS | _ALSO_NAMES | _OFTEN_NAMES

# Titles that nobody bears as a name.
PLAIN_TITLES = frozenset(
    """
    dr miss mr mrs ms mx prof
    """.split()
)
TITLES = PLAIN_TITLES | frozenset(
    """
    dame dott frau herr lady lord madam madame meneer mevrouw mlle mme monsieur nurse pan pani
    professor rev senor senora signor signora sir sister sr sra
    """.split()
)

# Words within a name that are nobody's own: "van", "de la".
PARTICLES = frozenset(
    """
    ben bin das del della den der dos du ibn la le ten ter van von zu
    """.split()
)
# What may stand between two capitalised words of a name.
LINKS = PARTICLES | frozenset("af al av da de di e el het las los y zum zur".split())
# In capitals "BEN" and "TEN" may be more than a link; these are not.
LINKS_IN_CAPITALS = frozenset(
    "al bin da de del della den der di dos du el ibn la le st van von zu".split()
)
# What tells nothing of whose name it is part of.
SHARED_PARTS = PARTICLES | frozenset(
    "bint dem des ii iii iv jr les mac md phd rn saint san santa sr st".split()
)

# Capitalised at the start of a sentence or in a heading, and in capitals anywhere: no name.
NO_NAME = frozenset(
    f"""
    judge justice president senator captain officer detective councillor attorney coach chef
    pastor reverend rabbi imam professor minister lord lady sir madam mayor jr sr ii iii iv
    {_WEEKDAYS} {" ".join(MONTHS).lower()} a about above across after afternoon again against all
    along already also although always am an and another any are around as ask asked at away back
    be because been before began behind being below between both but by call called calling came
    can cannot cc ceo certain cheers contact could dear despite did do does doing done down during
    each either else email enclosed enter even evening every everyone except far few finally first
    following for former forward from further get getting give given go going good got greetings
    had half has have having he hello hence her here hers hey hi him himself his how however i if
    in indeed instead into is it its just kind kindly last later latest let like look many maybe
    me meanwhile message met might mine miss more morning most mr mrs ms much must my myself name
    nearly need neither never next night no nobody none nor not note nothing now occasionally of
    off often oh ok okay old on once one only onto or other others our ours out over own perhaps
    please previously quite rather re really recently regarding regards reply reported said same
    saw says see seen send sent shall she should signed since sincerely so some someone soon still
    subject such sure tell than thank thanks that the their theirs them then there therefore these
    they this those though through till to today together tomorrow too toward under unfortunately
    unless until up upon us use very via was watch we welcome well went were what whatever when
    where whether which while who whoever whole whom whose why will with within without would
    write yes yesterday yet you your yours admit admits admission admitted admitting advise
    advised advises agreed agrees ambulated appears arrived assessment asks attending available
    bed bedside bmi bp brought care chart chief clinic clinical complains complaint complaints
    consult consulted consulting continue continued continues ct daughter denied denies department
    diagnosis diagnosed died discharge discharged discharges discussed discusses dob doctor dose
    dx ecg ed ekg emergency er exam examination examined examines family father female findings
    follow followed followup general gave gentleman gp hematology history home hospital
    hospitalized hpi hr husband hx icu impression improved informed instructed known labs lives
    lab male man md medical medications medicine mother mri mrn nephew niece notes noted notified
    npi nurse observed office oncology operated operation oriented ordered orders paged patient
    patients performed phone physician plan presented presents prescribed prescribes pt pulse
    radiology reason received recommended recommends record referred referral refused refuses
    reports requested requests resident resp results returned reviewed reviews rn room rounded
    scheduled sister son spoke started states status stable stated stopped summary surgeon surgery
    surgical talked telephone temp temperature therapist told took transferred treated treatment
    unit urology verbalized vitals visit visited wants ward wife witnessed woman xray year years
    yo i'm i've i'll i'd it's he's she's we're we've we'll they're you're you've that's there's
    """.split()
)

# After a name these make it a disease, a device or a sign: "Parkinson disease", "Foley catheter".
EPONYM_OF = frozenset(
    """
    abscess anemia anomaly antibodies antibody aneurysm anastomosis apgar arthropathy ataxia
    bacillus balloon bodies body box brace bypass cannula canal capsule carcinoma cast catheter
    cell cells chart chorea cirrhosis clamp classification clip coefficient coma complex
    contracture correction criteria criterion crisis cyst deformity diet dilator disease diseases
    disorder disorders dissector drain dressing duct dystrophy dysplasia effect encephalopathy
    epilepsy equation facies factor fever filter fistula flap forceps formula fracture frame
    fundoplication gait ganglion gastritis gastrectomy gene glands goiter grade grading graft
    hepatitis hernia herniorrhaphy holder hook immunoassay incision index inhibitor island islets
    joint law leukemia level ligament line loop lymphoma malformation maneuver manoeuvre mask
    method metaplasia murmur myopathy nail needle nephropathy neuralgia neuroma neuropathy node
    nodes nodule number oesophagus operation osteotomy palsy paralysis patch phenomenon plaque
    plate point poisoning position postulates pouch pox prep procedure prosthesis protein pulse
    rate reaction reagent reduction reflex regime regimen repair resection respiration
    respirations response retractor ring rods rule sarcoma scale scan scissors scores score
    screening screw sense shunt sign signs skin solution space speculum sphincter spine splint
    spots spot staging stage stain stent stitch stockings stroke study suture sutures swab symptom
    syndrome syndromes technique telescope tendon tent test tests thyroiditis tic tourniquet
    traction triad tube tumor tumour type ulcer valve vasculitis vein ventilation virus wave zone
    therapy vaccine
    """.split()
)

# Everyday words that, with a capital in the middle of a sentence, are mostly somebody.
STILL_NAMES = frozenset(
    """
    bill carol dale daisy dean don drew earl frank gene hank hazel heather holly ivy jack jade
    jasmine jay jean jewel joy kit lance laurel lily mark ray rex rob robin rocky rod ruby sandy
    scott sue terry tony violet wade warren
    """.split()
)

# After a capitalised word: where somebody lives, and no person.
STREET_WORDS = frozenset(
    "street st avenue ave road rd drive lane ln boulevard blvd court ct place square terrace "
    "parkway highway crescent close alley mews gardens bridge station airport river lake park "
    "valley ville city town village county island falls springs beach heights bay hill "
    "hills bluffs brooks club commons corners cove coves creek crossing estates extension ferry "
    "flats forges forks fords glens harbor harbour highway inlet junction junctions knolls "
    "landing loaf locks lodge meadows mission mount mountain mountains oval overpass parkways pass "
    "path plains plaza points ports prairie rapids shoals shores skyway spurs squares stravenue "
    "summit throughway trafficway tunnel turnpike underpass viaduct village villages vista "
    "walks".split()
)
# At the start of a place's name.
PLACE_WORDS = frozenset(
    "north south east west new old lake port fort mount villa san santa sante saint borgo los "
    "las el "
    "upper lower great little sainte sao sint sankt agios agia borghetto vila".split()
)
# At the end of an organisation's name.
FIRM_WORDS = frozenset(
    "sons kg ohg mbh sarl sas eurl oyj osk tmi vof cv snc sro eg inc ltd llc plc corp "
    "corporation co gmbh ag sa bv nv oy ab as aps spa srl pty lp llp limited "
    "incorporated company group holdings industries partners solutions technologies systems "
    "services enterprises associates consulting bank hospital clinic university college institute "
    "foundation association academy insurance airlines airways pharmacy laboratories hospice "
    "infirmary sanatorium hotel hotels hospitals orchestra museum theatre theater trust fund funds "
    "etf bancorp bancorporation pharmaceuticals therapeutics biosciences motors software "
    "entertainment enterprise international stiftung stichting".split()
)
# Beside one of them these name no organisation: "Pain Clinic", "University Hospital".
GENERIC = frozenset(
    "the a an and of for at our my your this that general medical health healthcare community "
    "regional county city state national local primary care pain eye dental outpatient urgent "
    "walk-in family children children's women's emergency surgical sleep diabetes day university "
    "cardiology oncology neurology urology hospital clinic private public rehabilitation "
    "psychiatric mental veterans teaching central home main".split()
)
# What a person has too: "Ana's score", "Luis's temperature".
ONES_OWN = frozenset(
    "body bodies box chart diet disorder effect equation factor fever gait gene glands index joint "
    "law level line method murmur nail number operation operations point position procedure "
    "protein pulse rate reaction repair respiration respirations response scale scan score scores "
    "screening sense skin solution space spot stage stroke study symptom technique telescope temp "
    "test tests therapy type vaccine vein wave zone cells cell grade surgery fracture "
    "screen".split()
)
