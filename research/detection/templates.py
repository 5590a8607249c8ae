"""Sentences of many kinds with slots for invented values, and the values of a country.

The templates at even places are for developing, those at odd places for reporting, and so are
the countries: what is reported was seen by nobody who wrote a rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import regex
from faker import Faker

from research.cases.forms import Identifier, parts
from sanilens.corpus.records import KIND_OF_LABEL, Record, Span

# Slots that are spelt otherwise than their label.
LABEL_OF_SLOT = {
    "PERSON": "NAME", "FIRST": "NAME", "LAST": "NAME", "LAST_FIRST": "NAME", "CAPS": "NAME",
    "STREET": "ADDRESS", "TOWN": "LOCATION", "COUNTRY": "LOCATION", "FIRM": "ORGANIZATION",
    "CARD": "ACCOUNT", "BORN": "DATE_OF_BIRTH",
}  # fmt: skip
TEMPLATES: tuple[str, ...] = tuple(
    line.strip()
    for line in """
    My name is {PERSON} and I would like to change my appointment.
    I spoke to {PERSON} this morning about the results of the biopsy.
    {PERSON} lives at {STREET} in {TOWN}.
    Please send the invoice to {PERSON}, {STREET}, {TOWN}.
    {FIRST} called twice; her number is {PHONE}.
    Hi {FIRST}, could you ring me back on {PHONE} before Friday?
    The letter from {FIRM} arrived on {DATE}.
    He has worked for {FIRM} since {DATE}.
    We met {FIRST} and {FIRST} at the station in {TOWN}.
    Together with {PERSON}, she founded {FIRM} in {COUNTRY}.
    A {AGE}-year-old man from {TOWN} was brought in by his neighbour.
    Her mother, aged {AGE}, was born in {COUNTRY}.
    Dr. {LAST} saw the patient on {DATE} and discharged her.
    Mrs. {LAST} was referred by Dr. {PERSON} for a second opinion.
    The account number {ACCOUNT} belongs to {PERSON}.
    Could you confirm that {PERSON} (MRN {MRN}) has paid?
    {LAST_FIRST} was admitted on {DATE} with chest pain.
    Seen with {LAST_FIRST} in clinic; the wound heals well.
    I'm {PERSON}, I'm {AGE} years old and I moved here from {TOWN}.
    As far as {FIRST} knows, nobody in the family has diabetes.
    On {DATE}, {PERSON} signed the consent form.
    According to {PERSON}, the parcel was left at {STREET}.
    You can reach {PERSON} by e-mail at {EMAIL} or by phone at {PHONE}.
    If {FIRST} is late again, write to {EMAIL}.
    Yesterday {PERSON} told me that the flat at {STREET} is free.
    Every summer we go to {TOWN} to see {FIRST}.
    The card {CARD} was charged twice by {FIRM}.
    My credit card number is {CARD} and it expires next year.
    Born on {BORN}, {PERSON} grew up in {TOWN}.
    Date of birth {BORN}; next of kin {PERSON}, {PHONE}.
    I gave {FIRST} the keys, and {FIRST} gave them to the landlord.
    Nobody has heard from {PERSON} since {DATE}.
    Is {PERSON} still the manager of {FIRM}?
    "{PERSON}?" she asked. "He left for {COUNTRY} last week."
    The driver, {PERSON}, was not hurt; the passenger, {FIRST}, was.
    {PERSON}'s appointment has been moved to {DATE}.
    {FIRST}'s daughter studies in {TOWN}.
    Kind regards, {PERSON}
    Thanks, {FIRST}
    Dear {PERSON}, thank you for your letter of {DATE}.
    Dear Ms {LAST}, your policy {ACCOUNT} has been renewed.
    The meeting with {FIRM} takes place at {STREET}.
    Our new office is at {STREET}, {TOWN}.
    How do I change my address to {STREET}?
    I live at {STREET} and my neighbour {PERSON} at number 9.
    She moved to {STREET} after the flood.
    Deliver the flowers to {STREET}, please, and ask for {FIRST}.
    The nurse noted that {FIRST} refused the medication.
    Patient {PERSON} complains of headache and nausea.
    Pt {PERSON}, {AGE} y/o, presents with fever.
    ATTENDING: DR. {CAPS}
    DR. {CAPS} DISCUSSED THE CASE WITH MR. {CAPS}.
    REFERRED BY DR. {CAPS} FOR CARDIOLOGY CONSULT.
    SEEN BY {CAPS}, MD ON {DATE}.
    Attending physician: {PERSON}
    Signed by {PERSON}, RN
    The surgeon, {PERSON}, explained the risks to the family.
    His wife {FIRST} stays with him; his brother {PERSON} visits daily.
    Emergency contact: {PERSON}, {PHONE}
    Contact {PERSON} at {FIRM} for details.
    {PERSON}, {AGE}, works as a plumber in {TOWN}.
    {PERSON} works at {FIRM} and commutes from {TOWN}.
    Last year {PERSON} flew to {COUNTRY} to meet {PERSON}.
    After {FIRST} had left, {PERSON} locked the door.
    When did {PERSON} last see {FIRST}?
    Who is {PERSON}?
    Why was {FIRST} not invited?
    Ask {FIRST} whether the report is ready.
    Tell {PERSON} that the results are normal.
    We owe {PERSON} an apology.
    It was {PERSON} who found the error, not {FIRST}.
    {PERSON} and {PERSON} were married in {TOWN} on {DATE}.
    {PERSON}, {PERSON} and {FIRST} shared the prize.
    The winner is {PERSON} from {COUNTRY}.
    Please forward this to {PERSON} <{EMAIL}>.
    From: {PERSON} <{EMAIL}>
    To: {PERSON}
    Subject: call from {PERSON} on {DATE}
    In {TOWN}, {FIRST} opened a small bakery.
    Ever since, {FIRST} has lived in {COUNTRY}.
    Flights from {TOWN} to {TOWN} were cancelled.
    The company {FIRM} has its seat in {COUNTRY}.
    {FIRM} announced that {PERSON} will step down.
    A spokesman for {FIRM} declined to comment.
    Shares of {FIRM} fell after the news from {COUNTRY}.
    She was hired by {FIRM} as an engineer.
    I bought it at {FIRM} in {TOWN}.
    At the age of {AGE}, {PERSON} began to paint.
    Our son is {AGE} years old and goes to school in {TOWN}.
    {FIRST}, {AGE}, and {FIRST}, {AGE}, are twins.
    The test of {DATE} was negative; {FIRST} was relieved.
    Between {DATE} and {DATE} she stayed with {FIRST}.
    The witness, a Mr {LAST}, gave his address as {STREET}.
    Professor {LAST} teaches in {TOWN}; Professor {LAST} has retired.
    Judge {PERSON} adjourned the hearing until {DATE}.
    Yours sincerely, {PERSON}, {FIRM}
    The tenant of {STREET} is {PERSON}, phone {PHONE}.
    My phone number is {PHONE}, ask for {FIRST}.
    Call me at {PHONE}.
    Tel. {PHONE}, fax {PHONE}
    Medical record number {MRN}: {PERSON}, born {BORN}.
    Hosp No. {MRN}, consultant Dr {LAST}.
    MR# {MRN}. The patient, {PERSON}, tolerated the procedure well.
    Transfer 200 to {PERSON}, account no. {ACCOUNT}.
    The card of {PERSON} ({CARD}) is blocked.
    Bill {PERSON} at {STREET}.
    I forgot my password, my user is {EMAIL}.
    Her colleague {PERSON} took over on {DATE}.
    His friend {FIRST} drove him home to {STREET}.
    We thank {PERSON} for reading the manuscript.
    The author, {PERSON}, died in {TOWN}.
    {FIRST} said that she would rather wait.
    {FIRST} denies smoking and drinks rarely.
    As {PERSON} put it, the worst is over.
    Among the guests were {PERSON}, {PERSON} and {PERSON}.
    Only {FIRST} and I knew about {PERSON}.
    For {FIRST} it was the first winter in {COUNTRY}.
    The house at {STREET} was sold to {PERSON} for cash.
    Turn left at {STREET}, then ask for {FIRST}.
    Parkinson disease was suspected; the Foley catheter was removed by {PERSON}.
    She may visit in May, but {FIRST} will not.
    Grace and hope are what {PERSON} writes about.
    """.strip().splitlines()
)
DEVELOPED_ON = ("en_US", "de_DE", "fr_FR", "it_IT", "nl_NL", "fi_FI", "cs_CZ", "en_IE")
REPORTED_ON = ("en_GB", "en_CA", "en_IN", "es_ES", "pt_BR", "sv_SE", "pl_PL", "no_NO")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@dataclass(frozen=True, slots=True)
class Half:
    """The templates and the countries of one side."""

    templates: tuple[str, ...]
    locales: tuple[str, ...]


DEVELOP = Half(TEMPLATES[::2], DEVELOPED_ON)
REPORT = Half(TEMPLATES[1::2], REPORTED_ON)


def sentences(half: Half, times: int, seed: int) -> Iterator[Record]:
    """Each template `times` times, filled with values of one country after another."""
    rng = Random(seed)
    fakers = []
    for locale in half.locales:
        fakers.append(Faker(locale))
        fakers[-1].seed_instance(rng.randrange(2**32))
    number = 0
    for _ in range(times):
        for template in half.templates:
            yield _filled(f"s-{number:05d}", template, fakers[number % len(fakers)], rng)
            number += 1


def _filled(name: str, template: str, faker: Faker, rng: Random) -> Record:
    text, spans = "", []
    for part in parts(template):
        if isinstance(part, Identifier):
            label = LABEL_OF_SLOT.get(part.slot, part.slot)
            value = _value(part.slot, faker, rng)
            spans.append(Span(len(text), len(text) + len(value), label, KIND_OF_LABEL[label]))
            text += value
        else:
            text += str(part)
    return Record(name, name, text, tuple(spans))


def _value(slot: str, faker: Faker, rng: Random) -> str:
    first, last = faker.first_name(), faker.last_name()
    match slot:
        case "PERSON":
            middle = f" {rng.choice('ABCDEFGHJKLMRST')}." if rng.random() < 0.1 else ""
            return f"{first}{middle} {last}"
        case "FIRST":
            return first
        case "LAST":
            return last
        case "LAST_FIRST":
            return f"{last}, {first}"
        case "CAPS":
            return f"{first} {last}".upper()
        case "STREET":
            return regex.sub(r"\s*\n\s*", ", ", faker.street_address())
        case "TOWN":
            return faker.city()
        case "COUNTRY":
            return rng.choice(_COUNTRIES)
        case "FIRM":
            return faker.company()
        case "PHONE":
            return faker.phone_number()
        case "EMAIL":
            return faker.ascii_safe_email()
        case "AGE":
            return str(rng.randint(18, 89))
        case "MRN":
            return str(rng.randint(10**6, 10**7 - 1))
        case "ACCOUNT":
            return str(rng.randint(10**8, 10**9 - 1))
        case "CARD":
            return " ".join(str(rng.randint(1000, 9999)) for _ in range(4))
        case _:
            return _date(faker, rng, slot == "BORN")


def _date(faker: Faker, rng: Random, birth: bool) -> str:
    day = faker.date_of_birth() if birth else faker.date_this_century()
    month = _MONTHS[day.month - 1]
    forms = (
        f"{day.day} {day:%B} {day.year}", f"{month} {day.day}, {day.year}", day.isoformat(),
        f"{day:%m/%d/%Y}", f"{day.day} {month} '{day:%y}", f"{day:%d}{month.upper()}{day.year}",
        f"{day:%B} {day.day}", f"{day:%d.%m.%Y}",
    )  # fmt: skip
    return rng.choice(forms)


_COUNTRIES = (
    "France", "Germany", "Kenya", "Brazil", "Japan", "Canada", "Italy", "Poland", "India", "Chile",
    "Norway", "Ireland", "Mexico", "Ghana", "Vietnam", "Portugal", "Turkey", "Sweden", "Peru",
)  # fmt: skip
