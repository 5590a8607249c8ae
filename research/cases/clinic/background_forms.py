"""Sentence forms that hold indirect identifiers: work, town, rare history, dates of stay."""

# Trade and firm, at times with the town: two or three indirect identifiers.
WORK: tuple[str, ...] = (
    "{He} works as {an} {OCCUPATION} at {EMPLOYER}.",
    "{He} works as {an} {OCCUPATION} at {EMPLOYER} in {CITY}.",
    "Occupation: {OCCUPATION}, {EMPLOYER}.",
    "Social: {OCCUPATION} with {EMPLOYER}, lives in {CITY}.",
    "Employed by {EMPLOYER} as {an} {OCCUPATION} for {3..20} years.",
    "{An} {OCCUPATION} by trade, now with {EMPLOYER} in {CITY}.",
    "Job: {OCCUPATION} at {EMPLOYER}; sick note for {2..6} weeks.",
    "{EMPLOYER}, where {he} is {an} {OCCUPATION}, has offered lighter duties.",
    "{He} commutes {20..70} minutes to {EMPLOYER} as {an} {OCCUPATION}.",
    "Works {24..45} hours a week for {EMPLOYER} ({OCCUPATION}).",
    "Until last {month|spring|winter} {an} {OCCUPATION}, now off sick from {EMPLOYER}.",
    "A fit note was issued for {EMPLOYER}: {OCCUPATION}, {2..4} weeks.",
    "{He} grew up in {CITY} and is {an} {OCCUPATION} at {EMPLOYER}.",
    "On leave from {EMPLOYER} in {CITY}; {his} trade is {OCCUPATION}.",
    "Work history: {OCCUPATION} at {EMPLOYER}, shifts of {8..12} hours.",
    "Return to work at {EMPLOYER} as {an} {OCCUPATION} in {2..9} weeks.",
)

# One or two indirect identifiers of daily life.
HOME: tuple[str, ...] = (
    "Lives in {CITY} with {his} {partner|sister|two children|parents}.",
    "{He} moved here from {CITY} {2..11} years ago.",
    "{He} is {an} {OCCUPATION} from {CITY}.",
    "Travels back to {CITY} in {2..9} days.",
    "Born and raised in {CITY}; works as {an} {OCCUPATION}.",
    "{He} spends weekends in {CITY} with {his} family.",
    "The nearest pharmacy is in {CITY}.",
    "Came by train from {CITY}, {40..95} minutes.",
    "Retired {OCCUPATION}, {2..3} glasses of wine a week.",
    "{He} keeps working part-time as {an} {OCCUPATION}.",
    "Stands {5..9} hours a day as {an} {OCCUPATION}.",
    "Home is {CITY}, {15..90} km from the clinic.",
)

HISTORY: tuple[str, ...] = (
    "Known {RARE_CONDITION}, diagnosed {3..20} years ago.",
    "Past history of {RARE_CONDITION}.",
    "History: {RARE_CONDITION}, stable on yearly checks.",
    "Of note {he} has {RARE_CONDITION}.",
    "Background: {RARE_CONDITION} since {his} {teens|twenties|thirties}.",
    "Also under follow-up for {RARE_CONDITION}.",
    "{His} {RARE_CONDITION} complicates the choice of drugs.",
    "PMH {RARE_CONDITION}; appendix out.",
    "With {RARE_CONDITION} in mind, doses were kept low.",
    "Carries a card for {RARE_CONDITION}.",
    "A {brother|sister|cousin} shares {his} {RARE_CONDITION}.",
    "Genetics confirmed {RARE_CONDITION} {2..12} years ago.",
    "Long-standing {RARE_CONDITION}, no flare for {4..30} months.",
    "Previous illness: {RARE_CONDITION}, tonsils removed.",
)

ADMISSION: tuple[str, ...] = (
    "Admitted on {ADMISSION_DATE}.",
    "Admission date: {ADMISSION_DATE}.",
    "Came in on {ADMISSION_DATE} by {ambulance|taxi|car|train}.",
    "{He} was admitted on {ADMISSION_DATE} for {3..12} days.",
    "In hospital from {ADMISSION_DATE}, {2..9} nights.",
    "Date of admission {ADMISSION_DATE}, through the emergency room.",
    "Stay began {ADMISSION_DATE}.",
    "First seen by us on {ADMISSION_DATE}.",
    "Transferred in on {ADMISSION_DATE}.",
    "Taken in overnight on {ADMISSION_DATE}.",
)

# The date of the stay as a bill names it.
BILL_STAY: tuple[str, ...] = (
    "It covers the stay from {ADMISSION_DATE}, {2..9} nights.",
    "Service date {ADMISSION_DATE}.",
    "Period billed: from {ADMISSION_DATE}, {2..8} days.",
    "The charge dates from {ADMISSION_DATE}.",
    "Admission of {ADMISSION_DATE}, ward rate for {2..7} nights.",
    "Care on {ADMISSION_DATE} was coded {2..4} times.",
)

# Who pays, as a bill names the employer.
BILL_EMPLOYER: tuple[str, ...] = (
    "Cover through {EMPLOYER}, where {he} is {an} {OCCUPATION}.",
    "Group plan of {EMPLOYER}, {CITY} branch.",
    "Employer: {EMPLOYER}. Occupation: {OCCUPATION}.",
    "The plan of {EMPLOYER} pays {60..90}%; job title {OCCUPATION}.",
    "Premiums are paid by {EMPLOYER} in {CITY}.",
    "{EMPLOYER} confirmed that {he} is still employed as {an} {OCCUPATION}.",
    "Policy held by {EMPLOYER}; {he} lives in {CITY}.",
    "Work injury ruled out by {EMPLOYER} ({OCCUPATION}).",
)
