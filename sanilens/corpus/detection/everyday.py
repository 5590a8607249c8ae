"""Words that are names too, and words that no name holds: what keeps a list of names honest.

The lists of names (`corpus.known`) hold "Will", "May", "Grace" and "Hope". Alone, or at the
start of a sentence, such a word is the everyday one.
"""

from sanilens.corpus.surrogates.dates import MONTHS

_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday"

# First names that are words everywhere else.
ALSO_FIRST = frozenset({"will", "may", "april", "june", "august"})

DATE_WORDS = frozenset(f"{' '.join(MONTHS).lower()} {_WEEKDAYS}".split())

# English words that stand in Faker's lists of first or family names.
EVERYDAY = frozenset(
    f"""
    {" ".join(MONTHS).lower()} {_WEEKDAYS} jan mar apr jun jul aug sept sep oct nov dec abate
    abbey able ace acute add admiral agate albino ale alpha alto amber amble among angel angelic
    ante ants any arab arch archer arenas aria art arts asks asp aspen august aura autumn axel
    axels babe baby bach back backer bail baker bale ball ban band bank banks bar barb barber bard
    bare baron base bash bass bat bath bay bean bear beard beat beau bee beer begum bell belle
    bend bender bent berg berry best beta better bey bigot bill billings bills bin binder bins
    birch bird bishop bite bitten black blaze bliss block blood bloom blossom blot blue boat bob
    bode bogey bolt bond bone bones bonnet bonny book boon booth bore boss bound bow bowl box boy
    brain branch brand brands brandy brave bravo bread brick bride bridge bridges bright brink
    broad brook brooks brown buck bud buddy bug bull bunk burch burger burn burns burr bury bush
    butcher butler butte by caddie cairn call cam camp camps can canal canals candy cane canning
    cannon canny canyon cap cape captain car card care cares carol carpenter carry cart carton
    case cases cash cat chai chain chamber chambers champ champagne chance chapel char charity
    chase chastity check cherry chi chief child chill chin china chip church cinnamon city clay
    clear clerk cliff close cloud coach coal coca cola colas cold collie collier colon colonel
    comb combs come comfort comment commodore commons company con cone constant content convey
    cook cool cooley cope coral cord corn corner cornet corona corral cost cotton couch court
    cousin cousins cove cox coy crab crane craw crease creed crook crooks cross crow crown cruise
    crystal cuba cup curry curt cute cutter dada dahlia daily daisy dale dally dam dame dare
    darling dart dash date dates dawn day days deacon dean dear deep delta den dent dervish
    destiny diamond dick din dine dirk ditch divan diver do dock doctor dodo doe does doll dolly
    dolphin don door dot dove dow down downs drake dream drew dries drink drum dry duck due duke
    dusty each eager earl early east easter eat ebb ebony echo eden edge edit egg elder elm else
    ember emerald emit end england english ensign era essence ether ethyl even ever every fair
    fairy faith fall fame fan fancy fanning far fare fares farm farmer farrier fast fate father
    faust favor fawn fear feather fee feline fell felt fern ferry few field fields finch find fine
    fink fire first fish fisher flag fleck fleet flint flood floor flora flower flowers fly fog
    fold font foot for force forest forget fort forum foster found fountain fox franc frank free
    freely french fresh friend frisk frost fry funk gage gal gala gale gamble game gap gardener
    gardner garland garner garnet gate gates gauge gay gem gene general genesis gentle gentry
    german giant gift gill ginger girl glass glasses glen glory glove go goat goblet gold golden
    good goode gore grace grain grand grant grass grave gravel graves gray great green greet grey
    grill grip grit gross ground grove grow guard guide gully gun gust gut guy hacker had hail
    hair hale half hall halls ham hammer hand handler handsome handy happy hard hardy hare harm
    harmony harness harp harrow harsh hart harvest has hasty hat have haven hay hazel he head heal
    heard heart heat heath heaven heavy heck hedge held hell helm hen hence hens her herb herd
    here heron herring hick hicks high hill hills him hind hint his hit hoes hold hole holiday
    hollow holly holt home honey hood hook hoop hop hope horn horse host hot hour house how hub
    huff hug hull human hundred hung hunt hunter hurt hyde hymen ice icy in infant innocent ion
    iris iron is island it ivory ivy jack jacks jade jail jam janitor jar jasmine jay jean jet
    jewel job join joiner joke journey jove joy judge jug july june junior junk jury just justice
    kale karma keen keep key keys kick kidney kill kin kind kindle king kink kirk kiss kit kite
    kitty knife knight knoll lace lack lacy lad lady laird lake lamb lamp lance land lane large
    lark lass last late laugh laurel lavender law lawn lawyer lay lea leach lead leader leaf leafy
    leak lean learn leary leather leech left leg less let liberty lie lien lies life lift light
    lilac lily lima limb lime limp line linen ling link lips lira list little llamas load loan
    lock lode loft lofts long look loom loot lope lord lore loss lot love lovely low loyal lucid
    luck lucky lump lung lush luster lute lyric mace mach macho mad made magic magnolia maid mail
    main major male mall mallet mamba mambo man mane manly mann many map maple march mare
    margarita marina marine mark marker market marks marsh mart mask mason mass mast master mat
    mate math max maxim may mayor me meadow mean means measles meat media mellow melody men mentor
    merchant mercy merit merry mesa met metro middle mild mile miles milk mill miller millet mills
    mime mind mine miner mint minor miracle mist misty mitt moan model mole moles monk monks moody
    moon moons moor moors more morse moss most mother motion mouse mountain mouth mulberry mule
    must my nail name near neat neck need nest net never new newer news next nice nick night nil
    nine no noble noon nor north nose note nova now null nurse nut oak oaks octave odd odds off
    old olive on one onyx opal open or oral orange orchard order other our out over owe own ox
    pace pack pad page pages pain paint pair pal pall palm palms pan panda pandora pansy pant par
    pardon parent parish park parks parson part parting parts pass past pastor pat patch path
    patience paw pay payer peace peach peacock peak pearl pearls peck peer pellet pen penny pent
    people pepper per perch pet petal petty phoenix pick pie pier pike pill pillar pin pine pink
    pinto pipe piper pit place plain plan plank plant play plaza plea pleas pleasant plenty plum
    plumb plumber plume pock point pole polio pool poor pop pope poplar poppy port porter post pot
    pott potter pound powder power powers prayer precious press pretty price pride priest prim
    prime primrose prince princess prior process proper prosper proud psalm pump purity purl put
    queen quick quill quiet quince quint race rack rag raid rail rails rain rainbow ram ran range
    ransom rare rash rate raven raw ray reach read reader ready real reason red reed reef reeve
    regal rein rest rex rib rice rich riddle ride rider ridge right rim ring ripple rise rising
    ritual river rivers roach road roar rob robin rock rocky rod roll rook room roots rope rosary
    rose rosy rot roth rough round rout row royal rubble ruby ruddy rude rue rule run rune rush
    rust rusty rut sable sad saddler safari saga sage said sailor saint salami sale sales salmon
    salt salve salvo same sand sandal sands sandy sane sang sat savage savanna save saw sawyer say
    scale scales scarlet school scott sea seal search season seat second secret see seed sell
    senior sense server service set seven shade shape share sharp she shed shell shepherd shield
    shift shine ship shoe shook shop shore short show shower side sign signs silent silk silver
    silvers simple sin since sincere sing singer sinner sir sire sister six skill skin skinner
    skip skull sky slate slater slaughter sleep slice sloan small smart smoke snow so soft solar
    sold sole some son song sonny soon soprano sorrow south spark sparks spears spies spirit sport
    spot spring sprout spur square squire stack staff stage stain stair stark star starch start
    state stay steady steed steel steer step sterling stern steward stick still sting stock stocks
    stone stool store storey storm storms stormy story stout straight strain strand street strong
    stub stump style such sue sugar suit suits sullen summer summers sun sunday sunny sure swan
    sweat sweet sweeting swift swing sword swords tab tabor tack tad tail tailor talk tall talon
    tan tank tanner tape tar taste tawny tax tea teacher tear tell temper temple ten tender term
    tern test than thank that the their them then there thick thin thing this thorn thou three
    tide ties tiger till time times tin tine tiny tip to toe toll tomb tone too tool top torch
    total touch tough towel tower town toy trace tracer track trail train trap travel tray
    treasure tree trench tribe trick trinity trip trout trow true truelove trump trust trusty
    truth tub tuck tug tulip tune turk turn turner twin twine two unique unknown unnamed up urban
    urge us usher vain vale valid valley valves van velvet vent venus verse very vet vial victory
    view vigil viking villa vine viola violet virgin virtue vital viva voice vow wade wage wagon
    waist wait wake wale walk walker wall walls want war ward warden ware warm warmer warn warrant
    warren warrior was wash washer waste watch water waters watt watts wave wax way ways weak
    wealth weaver web wed wee weed week weeks weir welcome well wells were west wheat wheel
    wheeler when while whisky whit white who why wide wild wilder will willow wills win wind
    window windy wine wing winger winner winter winters wire wise wish wit with wolf woman wonder
    wood woods woody word work world worth wren wright yard yards yates year yes yogi you young
    younger youth zeta africa alexa america american ascension asia baptist blessing caprice
    cherish christ christian council danish desire fema fifa governor immaculate islam lexus
    mercedes messiah muslim ninja olympia osha porsche ramadan roman santa serenity siri sunshine
    taurus theta versa visa
    """.split()
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
    yo
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
    "hills".split()
)
# At the start of a place's name.
PLACE_WORDS = frozenset(
    "north south east west new old lake port fort mount villa san santa sante saint borgo los "
    "las el "
    "upper lower great little".split()
)
# At the end of an organisation's name.
FIRM_WORDS = frozenset(
    "sons kg ohg mbh sarl sas eurl oyj osk tmi vof cv snc sro eg inc ltd llc plc corp "
    "corporation co gmbh ag sa bv nv oy ab as aps spa srl pty lp llp limited "
    "incorporated company group holdings industries partners solutions technologies systems "
    "services enterprises associates consulting bank hospital clinic university college institute "
    "foundation association academy insurance airlines airways pharmacy laboratories hospice "
    "infirmary sanatorium hotel hotels hospitals".split()
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
