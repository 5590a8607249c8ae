"""Sentence forms that hold direct identifiers, grouped by the identifiers they hold."""

# Name, record number and date of birth, for the head of a document.
IDENTITY: tuple[str, ...] = (
    "Patient: {NAME}, MRN {MRN}, born {DATE_OF_BIRTH}.",
    "Patient {NAME}, date of birth {DATE_OF_BIRTH}, MRN {MRN}.",
    "Name: {NAME}. Date of birth: {DATE_OF_BIRTH}. MRN: {MRN}.",
    "{LAST_FIRST} | DOB {DATE_OF_BIRTH} | MRN {MRN}.",
    "Pt {NAME} (DOB {DATE_OF_BIRTH}, hospital number {MRN}).",
    "This summary concerns {NAME}, born {DATE_OF_BIRTH}, record number {MRN}.",
    "MRN-{MRN}: {NAME}, DOB {DATE_OF_BIRTH}.",
    "Record {MRN} belongs to {NAME}, born on {DATE_OF_BIRTH}.",
    "Wristband checked: {NAME}, {DATE_OF_BIRTH}, MRN {MRN}.",
    "{NAME} ({DATE_OF_BIRTH}; MRN {MRN}) was seen by the {duty|ward|on-call} team.",
    "Identity confirmed as {NAME}, MRN {MRN}, date of birth {DATE_OF_BIRTH}.",
    "PATIENT: {LAST_FIRST}. MRN: {MRN}. DOB: {DATE_OF_BIRTH}.",
    "The chart is that of {NAME}, DOB {DATE_OF_BIRTH} and MRN {MRN}.",
    "Name / DOB / MRN: {NAME} / {DATE_OF_BIRTH} / {MRN}.",
    "Under our care: {NAME}, who was born on {DATE_OF_BIRTH} (MRN {MRN}).",
    "Subject of this note: {NAME}. Born: {DATE_OF_BIRTH}. Number: MRN-{MRN}.",
    "Chart no. {MRN}. Name {NAME}, birth date {DATE_OF_BIRTH}.",
    "Label: {LAST_FIRST}, born {DATE_OF_BIRTH}, MRN {MRN}.",
)

# Name and record number, for short notes.
IDENTITY_SHORT: tuple[str, ...] = (
    "Patient {NAME} (MRN {MRN}).",
    "{NAME}, MRN {MRN}, {comfortable|sitting out|awake and talking} on the round.",
    "Pt: {NAME}. MRN: {MRN}.",
    "{LAST_FIRST}, MRN {MRN}.",
    "In this bed: {NAME}, hospital number {MRN}.",
    "Seen: {NAME}, MRN-{MRN}.",
    "Reviewed {NAME} (record {MRN}) with the ward nurse.",
    "Chart {MRN}, {NAME}.",
    "Round: {NAME}, number {MRN}, {up and dressed|in the chair|still in bed}.",
    "Entry for {NAME}, MRN {MRN}.",
    "Name {NAME}; MRN {MRN}.",
    "MRN {MRN}: {NAME} says {he} slept {3..8} hours.",
)

# Who a letter is about: name, birth and number.
LETTER_IDENTITY: tuple[str, ...] = (
    "Re: {NAME}, born {DATE_OF_BIRTH}, MRN {MRN}.",
    "RE: {LAST_FIRST}, DOB {DATE_OF_BIRTH}, our number {MRN}.",
    "Thank you for seeing {NAME} (DOB {DATE_OF_BIRTH}, MRN {MRN}).",
    "I would be grateful if you could see {NAME}, born {DATE_OF_BIRTH}, record {MRN}.",
    "Please see {NAME} in your clinic. DOB: {DATE_OF_BIRTH}. MRN: {MRN}.",
    "We refer {NAME}, date of birth {DATE_OF_BIRTH}, known to us under MRN {MRN}.",
    "The patient is {NAME}; {he} was born on {DATE_OF_BIRTH} and holds MRN {MRN}.",
    "Your opinion is sought on {NAME} (born {DATE_OF_BIRTH}; MRN {MRN}).",
    "Concerning {NAME}, DOB {DATE_OF_BIRTH}, hospital number {MRN}.",
    "Could you please assess {NAME}, born {DATE_OF_BIRTH}, with MRN {MRN}?",
    "Referred person: {NAME}. Birth date: {DATE_OF_BIRTH}. MRN: {MRN}.",
    "This letter introduces {NAME}, DOB {DATE_OF_BIRTH}, MRN-{MRN}.",
)

# Who rang, and from which number.
CALLER: tuple[str, ...] = (
    "Caller: {NAME}, from {PHONE}.",
    "{NAME} rang from {PHONE}.",
    "Call taken from {NAME} on {PHONE}.",
    "Spoke to {NAME}, number {PHONE}.",
    "Message left by {NAME}; call back on {PHONE}.",
    "Returned the call of {NAME} on {PHONE}.",
    "Telephoned {NAME} ({PHONE}) after {2..4} tries.",
    "Incoming: {PHONE}, {NAME} on the line.",
    "The caller gave {his} name as {NAME} and {his} number as {PHONE}.",
    "On the line: {NAME}. Number shown: {PHONE}.",
    "Rang {PHONE} and reached {NAME} at once.",
    "{NAME} asked to be called on {PHONE}.",
)

# How a caller's identity was checked.
CALLER_CHECK: tuple[str, ...] = (
    "Identity checked: DOB {DATE_OF_BIRTH}, MRN {MRN}.",
    "{He} gave {his} date of birth as {DATE_OF_BIRTH} and {his} MRN as {MRN}.",
    "Checked against MRN {MRN} and birth date {DATE_OF_BIRTH}.",
    "Security questions passed: born {DATE_OF_BIRTH}, record {MRN}.",
    "Confirmed: MRN {MRN}, born {DATE_OF_BIRTH}.",
    "MRN {MRN} read back; date of birth {DATE_OF_BIRTH} agreed.",
    "Two identifiers agreed: {DATE_OF_BIRTH} and MRN {MRN}.",
    "Date of birth {DATE_OF_BIRTH} and number {MRN} match the chart.",
)

# Whose bill it is.
ACCOUNT_HOLDER: tuple[str, ...] = (
    "Account holder: {NAME}, MRN {MRN}.",
    "Bill to {NAME}, record {MRN}.",
    "Statement for {NAME} (MRN {MRN}).",
    "Guarantor {NAME}, hospital number {MRN}.",
    "The balance is owed by {NAME}, MRN {MRN}.",
    "Charged to {LAST_FIRST}, MRN {MRN}.",
    "Payer and patient: {NAME}. MRN: {MRN}.",
    "Insured person {NAME}, chart {MRN}.",
    "Query raised by {NAME}, MRN-{MRN}.",
    "Opened for {NAME} under MRN {MRN}.",
)

PHONE: tuple[str, ...] = (
    "Contact number {PHONE}.",
    "Phone: {PHONE}.",
    "{He} can be reached on {PHONE}.",
    "Call {him} on {PHONE} with the results.",
    "Best reached on {PHONE} after {4..7} in the afternoon.",
    "Mobile {PHONE}, voicemail allowed.",
    "Results to be phoned to {PHONE}.",
    "{His} telephone is {PHONE}.",
    "If {he} does not attend, ring {PHONE}.",
    "Telephone (home): {PHONE}.",
    "A follow-up call goes to {PHONE} in {2..6} days.",
    "Number for the district nurse: {PHONE}.",
    "Text reminders go to {PHONE}.",
    "Transport to ring {PHONE} {20..50} minutes ahead.",
    "Tel. {PHONE}.",
    "Day and night number: {PHONE}.",
)

EMAIL: tuple[str, ...] = (
    "E-mail: {EMAIL}.",
    "A copy goes to {EMAIL}.",
    "{He} prefers to be written to at {EMAIL}.",
    "Leaflets sent to {EMAIL}.",
    "Portal log-in set up for {EMAIL}.",
    "Appointment details to {EMAIL} please.",
    "{His} address for messages is {EMAIL}.",
    "Questionnaire of {8..24} items sent to {EMAIL}.",
    "Write to {EMAIL} if the date moves.",
    "Consent to messages at {EMAIL} on file.",
    "Electronic copy: {EMAIL}.",
    "The action plan was sent to {EMAIL}.",
)

ADDRESS: tuple[str, ...] = (
    "Home address: {ADDRESS}.",
    "{He} lives at {ADDRESS}.",
    "Medication to be delivered to {ADDRESS}.",
    "Lives alone at {ADDRESS}, {8..24} steps to the door.",
    "Discharged to {ADDRESS}.",
    "Letters to {ADDRESS}.",
    "The community nurse visits at {ADDRESS} in {2..5} days.",
    "Shares {ADDRESS} with {his} {partner|sister|brother|parents}.",
    "Equipment for {ADDRESS}: {a raised seat|two rails|a perching stool}.",
    "Address on file: {ADDRESS}.",
    "Usual residence {ADDRESS}.",
    "Transport booked to {ADDRESS}.",
)

BILL_ADDRESS: tuple[str, ...] = (
    "Invoice posted to {ADDRESS}.",
    "Billing address: {ADDRESS}.",
    "The paper copy goes to {ADDRESS}.",
    "Please correct the address to {ADDRESS}.",
    "Statement returned from {ADDRESS}, sent again.",
    "Address confirmed as {ADDRESS}.",
    "Mailing address {ADDRESS}.",
    "Receipt to {ADDRESS}.",
)

# The name again, later in the note.
RECALL: tuple[str, ...] = (
    "{Mr} {SURNAME} was {kept informed|seen daily|content with this} throughout.",
    "{Mr} {SURNAME} agrees with the plan.",
    "{FIRST} feels {much|somewhat|a little} better than {2..5} days ago.",
    "{Mr} {SURNAME} asked {2..4} good questions about side effects.",
    "{Mr} {SURNAME} rates {his} energy at {3..8} out of 10.",
    "{FIRST} hopes to be back at work in {2..6} weeks.",
    "{Mr} {SURNAME} slept {4..8} hours and ate {half|most|all} of breakfast.",
    "The {sister|brother|partner|daughter|son} of {Mr} {SURNAME} was present.",
    "{Mr} {SURNAME} takes no other tablets and reports no allergy.",
    "We have reassured {Mr} {SURNAME} at length.",
    "I explained the risks to {Mr} {SURNAME}, about {1..4} in 100.",
    "{FIRST} prefers to be called by {his} first name.",
    "{Mr} {SURNAME} smoked {5..20} a day until {3..15} years ago.",
    "{FIRST} walks {1..6} km most days and does not smoke.",
    "Risks and benefits were gone over with {Mr} {SURNAME}.",
    "{Mr} {SURNAME} was given a leaflet and {10..25} minutes for questions.",
    "{FIRST} lives on the {first|second|third|ground} floor.",
    "{Mr} {SURNAME} declined the {flu jab|sleeping tablet|chaplain|study}.",
    "Side effects in {Mr} {SURNAME}: {dry mouth|mild nausea|none|a day of dizziness}.",
    "{FIRST} has a {dog|cat|garden|choir} to get back to.",
    "All of this was read back to {Mr} {SURNAME}.",
    "{Mr} {SURNAME} is allergic to {latex|strawberries|nickel|sticking plaster}.",
)
