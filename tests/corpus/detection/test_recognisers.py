"""Each pattern by itself: what it takes, and what only looks like it."""

import pytest

from sanilens.corpus.detection.date_patterns import date_label
from sanilens.corpus.detection.recognisers import RECOGNISERS, npi_is_valid


def values(label: str, text: str) -> set[str]:
    """Every value that a recogniser of this label finds."""
    return {
        text[start:end]
        for recogniser in RECOGNISERS
        if recogniser.label == label
        for start, end in recogniser.find(text)
    }


FOUND = [
    ("MRN", "MRN: 00-482-915", "00-482-915"),
    ("MRN", "mrn is A1234567.", "A1234567"),
    ("MRN", "Medical record number 448291", "448291"),
    ("MRN", "Hospital No. 1234567", "1234567"),
    ("MRN", "chart # 99-1234", "99-1234"),
    ("ACCOUNT", "policy no. HX-4481902", "HX-4481902"),
    ("NPI", "NPI: 1234567893", "1234567893"),
    ("SSN", "078-05-1120", "078-05-1120"),
    ("SSN", "Social Security number: 072 05 1120", "072 05 1120"),
    ("SSN", "SSN 072051120", "072051120"),
    ("DEVICE_SERIAL", "serial number PJN-771203H", "PJN-771203H"),
    ("DEVICE_SERIAL", "S/N: 88A1204", "88A1204"),
    ("DEVICE_SERIAL", "pacemaker W1DR01123", "W1DR01123"),
    ("LICENSE_PLATE", "license plate 7ABC123", "7ABC123"),
    ("LICENSE_PLATE", "registration KX21 ABC", "KX21 ABC"),
    ("AGE_OVER_89", "a 94-year-old man", "94"),
    ("AGE_OVER_89", "aged 94.", "94"),
    ("AGE_OVER_89", "94 y/o", "94"),
    ("AGE_OVER_89", "94yo M", "94"),
    ("AGE_OVER_89", "Age: 101", "101"),
    ("AGE_OVER_89", "90 years of age", "90"),
    ("AGE_OVER_89", "a ninety-four-year-old", "ninety-four"),
    ("ZIP", "Springfield, IL 62704", "62704"),
    ("ZIP", "zip code: 62704-1234", "62704-1234"),
    ("CITY", "lives in New Haven, CT 06510", "New Haven"),
    ("ADDRESS", "at 14 Maple Street, Apt 3, in", "14 Maple Street, Apt 3"),
    ("ADDRESS", "221B N. Baker St. today", "221B N. Baker St."),
    ("ADDRESS", "1600 22nd Ave #4", "1600 22nd Ave #4"),
    ("ADDRESS", "P.O. Box 4711", "P.O. Box 4711"),
    ("DATE", "on 14 March 1961", "14 March 1961"),
    ("DATE", "March 14, 1961", "March 14, 1961"),
    ("DATE", "14-Mar-1961", "14-Mar-1961"),
    ("DATE", "14th of march 1961", "14th of march 1961"),
    ("DATE", "MAR 1961", "MAR 1961"),
    ("DATE", "Sept 5", "Sept 5"),
    ("NAME", "Mr Ruiz was", "Ruiz"),
    ("NAME", "Dr. Jonas M. Weber", "Jonas M. Weber"),
    ("NAME", "Mrs Ruiz's son", "Ruiz"),
    ("NAME", "seen by Dr Weber. The scan", "Weber"),
    ("NAME", "Patient: Ana Ruiz DOB 1961", "Ana Ruiz"),
    ("NAME", "Name: Ana Ruiz Sex: F", "Ana Ruiz"),
    ("NAME", "Name: RUIZ, ANA", "RUIZ, ANA"),
    ("NAME", "Next of kin: Ms Élodie de la Cruz", "Élodie de la Cruz"),
    ("NAME", "Last name: O’Neil-Öz", "O’Neil-Öz"),
    ("NAME", "Patient Ana Ruiz, 94 yo", "Ana Ruiz"),
    ("NAME", "concerning Ana Ruiz (born 1961)", "Ana Ruiz"),
    ("NAME", "Mr Luis Ruiz: no pain", "Luis Ruiz"),
    ("MRN", "for Ana Ruiz, chart 2546304.", "2546304"),
    ("NAME", "with his wife Maria today", "Maria"),
    ("EMAIL", "ana.ruiz@mail.example.", "ana.ruiz@mail.example"),
    ("URL", "see https://a.example/u?x=1.", "https://a.example/u?x=1"),
    ("PHONE", "(617) 555-0134 ext 12", "(617) 555-0134 ext 12"),
    ("PHONE", "+1 617-555-0134", "+1 617-555-0134"),
    ("PHONE", "call 555-0199", "555-0199"),
    ("PHONE", "Phone 6175550134", "6175550134"),
    ("PHONE", "Tel.: +49 30 901820 11", "+49 30 901820 11"),
]

# The last is what a reader might take for a date, an age, a plate and so on.
# Case by case: what notes write in capitals, with particles, without a year's century.
FOUND += [
    ("NAME", "DR. JANE DOE AND MR. R. PATEL DISCUSSED", "JANE DOE"),
    ("NAME", "DR. JANE DOE AND MR. R. PATEL DISCUSSED", "R. PATEL"),
    ("NAME", "SPOKE WITH MS. LEE.", "LEE"),
    ("NAME", "ATTENDING: DR. MARY O'NEIL-JONES", "MARY O'NEIL-JONES"),
    ("NAME", "DR. SMITH'S NURSE", "SMITH"),
    ("NAME", "MRS. GREEN WILL CALL", "GREEN"),
    ("NAME", "Dr. van der Berg saw", "van der Berg"),
    ("NAME", "Dr. de la Cruz", "de la Cruz"),
    ("NAME", "Mrs. Anne-Marie St. Clair.", "Anne-Marie St. Clair"),
    ("NAME", "Prof. Dr. Weber", "Weber"),
    ("NAME", "Dr. J.R. Smith Jr. came", "J.R. Smith Jr."),
    ("NAME", "dr. smith will call", "smith"),
    ("NAME", "Jane Doe, MD", "Jane Doe"),
    ("NAME", "JOHN SMITH, MD", "JOHN SMITH"),
    ("NAME", "RE: HODGES, Nayfa, DOB 1961", "HODGES, Nayfa"),
    ("MRN", "MR# 4471220", "4471220"),
    ("MRN", "MR No 12/34567", "12/34567"),
    ("MRN", "Hosp No. H1234567", "H1234567"),
    ("MRN", "Hosp. # 1234567", "1234567"),
    ("MRN", "Pt ID: 12345", "12345"),
    ("MRN", "NHS number 943 476 5919", "943 476 5919"),
    ("MRN", "his MRN as 5860165.", "5860165"),
    ("ACCOUNT", "Acct# 99-2211", "99-2211"),
    ("ACCOUNT", "credit card is 4111 1111 1111 1112", "4111 1111 1111 1112"),
    ("ACCOUNT", "Visa: 4000123412341239", "4000123412341239"),
    ("ACCOUNT", "Amex 3782 822463 10006", "3782 822463 10006"),
    ("ACCOUNT", "IBAN: GB00 BUKB 2020 1555 5555 55", "GB00 BUKB 2020 1555 5555 55"),
    ("AGE_OVER_89", "A 93F with CHF", "93"),
    ("AGE_OVER_89", "93 y/o", "93"),
    ("AGE_OVER_89", "93yoM", "93"),
    ("AGE_OVER_89", "a 93 M, admitted", "93"),
    ("AGE", "a 45-year-old", "45"),
    ("AGE", "a 45F with CHF", "45"),
    ("AGE", "Ana Ruiz, 54, works", "54"),
    ("AGE", "a 6-month-old", "6"),
    ("AGE", "a forty-five-year-old", "forty-five"),
    ("DATE", "on 4 Mar '21, then", "4 Mar '21"),
    ("DATE", "again 04MAR2021.", "04MAR2021"),
    ("DATE", "4MAR21", "4MAR21"),
    ("DATE", "4-Mar-21", "4-Mar-21"),
    ("DATE", "04.Mar.2021", "04.Mar.2021"),
    ("DATE", "4 MAR 21.", "4 MAR 21"),
    ("DATE", "March 4th, ’21", "March 4th, ’21"),
    ("DATE", "Mar '21", "Mar '21"),
    ("DATE", "2021-Mar-04", "2021-Mar-04"),
    ("DATE", "from 4-6 March 2021", "4-6 March 2021"),
    ("DATE", "March 4 to 6, 2021", "March 4 to 6, 2021"),
    ("DATE", "DOB 4-3-61", "4-3-61"),
    ("DATE", "seen on 3/4 again", "3/4"),
    ("DATE", "04 MARCH", "04 MARCH"),
    ("PHONE", "+49 30 901820 ext. 12", "+49 30 901820 ext. 12"),
    ("PHONE", "(617) 555-0134 x45", "(617) 555-0134 x45"),
    ("PHONE", "+44 (0)20 7946 0958", "+44 (0)20 7946 0958"),
    ("PHONE", "0033 1 44 55 66 77", "0033 1 44 55 66 77"),
    ("PHONE", "Tel. 030/901820-11", "030/901820-11"),
    ("PHONE", "call me at 450 73 671", "450 73 671"),
    ("ADDRESS", "lives at 188 Dovemoor Street. The", "188 Dovemoor Street"),
    ("ADDRESS", "14 MAPLE STREET", "14 MAPLE STREET"),
    ("ADDRESS", "Frauentaler Strasse 85", "Frauentaler Strasse 85"),
    ("ADDRESS", "in der Hauptstraße 9.", "Hauptstraße 9"),
    ("ADDRESS", "12 rue des Lacs", "12 rue des Lacs"),
    ("ADDRESS", "Via Carlo Cattaneo, 88", "Via Carlo Cattaneo, 88"),
    ("ADDRESS", "ul. Wrocławska 105", "ul. Wrocławska 105"),
    ("ADDRESS", "she lives at Olimpo 3826", "Olimpo 3826"),
    ("ADDRESS", "at the corner of Elm and 5th Avenue.", "Elm and 5th Avenue"),
    ("ADDRESS", "corner of Ilica 9 and Guiomar Dam", "Ilica 9 and Guiomar Dam"),
    ("ADDRESS", "to PSC 8500, Box 3038\nAPO AE 12345", "PSC 8500, Box 3038\nAPO AE 12345"),
    ("ADDRESS", "USS Jensen\nFPO AP 71167", "USS Jensen\nFPO AP 71167"),
    ("ZIP", "postcode: SW1A 1AA", "SW1A 1AA"),
]

NOT_FOUND = [
    ("MRN", "MRN 12"),
    ("MRN", "mrna 448291"),
    ("NPI", "NPI 1234567890"),
    ("NPI", "1234567893"),
    ("DEVICE_SERIAL", "pacemaker 2019-03-04"),
    ("DEVICE_SERIAL", "ICD code I25110"),
    ("DEVICE_SERIAL", "device unremarkable"),
    ("LICENSE_PLATE", "plate L4-L5"),
    ("LICENSE_PLATE", "growth plate 12345"),
    ("AGE_OVER_89", "BP 94/60, HR 94, SpO2 94%"),
    ("AGE_OVER_89", "aged 94/60"),
    ("AGE_OVER_89", "stage 95"),
    ("AGE_OVER_89", "a 64-year-old"),
    ("ZIP", "platelets 15000"),
    ("DATE", "may 5 mg"),
    ("DATE", "she may 5 times"),
    ("DATE", "May 5 mg"),
    ("NAME", "Mother: Died in 2011"),
    ("NAME", "Patient: denies pain"),
    ("NAME", "Patient Medical History"),
    ("NAME", "Patient Denies pain"),
    ("NAME", "Drug name: Aspirin"),
    ("EMAIL", "a@b"),
    ("PHONE", "platelets 150 200 lactate 1.10"),
    ("PHONE", "white cell 11.20"),
    ("SSN", "1078-05-11203"),
    ("NAME", "MS PROGRESSION"),
    ("NAME", "HX OF MS AND COPD"),
    ("NAME", "MR ANGIOGRAM"),
    ("NAME", "MOTHER: DIED IN 2011"),
    ("NAME", "QRS 89 ms. Left atrium"),
    ("AGE_OVER_89", "T 93F"),
    ("AGE_OVER_89", "Temp 98 F with chills"),
    ("AGE_OVER_89", "a $93M, grant"),
    ("DATE", "1/2 tablet"),
    ("DATE", "pain 3/10"),
    ("ACCOUNT", "4111 1111 1111 1112"),
    ("ADDRESS", "In Spring 2019"),
    ("ADDRESS", "Katie 5 mg"),
    ("ADDRESS", "a corner of the room and Ana"),
]


@pytest.mark.parametrize(("label", "text", "value"), FOUND)
def test_found(label: str, text: str, value: str) -> None:
    assert value in values(label, text)


@pytest.mark.parametrize(("label", "text"), NOT_FOUND)
def test_not_found(label: str, text: str) -> None:
    assert values(label, text) == set()


@pytest.mark.parametrize(
    ("before", "label"),
    [
        ("DOB: ", "DATE_OF_BIRTH"),
        ("D.O.B. ", "DATE_OF_BIRTH"),
        ("born on ", "DATE_OF_BIRTH"),
        ("Date of birth is ", "DATE_OF_BIRTH"),
        ("birthday: ", "DATE_OF_BIRTH"),
        ("admitted on ", "ADMISSION_DATE"),
        ("Date of admission: ", "ADMISSION_DATE"),
        ("Admission date ", "ADMISSION_DATE"),
        ("born in Rome, seen on ", "DATE"),
        ("stubborn ", "DATE"),
        ("", "DATE"),
    ],
)
def test_what_stands_before_a_date_names_it(before: str, label: str) -> None:
    assert date_label(before + "2024-01-02", len(before)) == label


def test_npi_check_digit() -> None:
    # 1234567893 is the worked example of CMS; no other last digit is right.
    assert [d for d in "0123456789" if npi_is_valid("123456789" + d)] == ["3"]
