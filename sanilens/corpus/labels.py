"""Labels of other tools and data sets, in our words.

A label of ours stays. One that means the same is renamed: PERSON is NAME. One that we have no
word for stays as it is and counts as direct, the strictest reading, unless it is known to be an
indirect one.
"""

import re
from collections.abc import Mapping

from sanilens.corpus.records import KIND_OF_LABEL, Kind

LABEL = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_FOREIGN = re.compile(r"[A-Za-z][A-Za-z0-9_ ./-]{0,39}")

# Of spaCy, presidio, i2b2 2014, ai4privacy, Label Studio's and doccano's templates.
_SAME = {
    "NAME": """PERSON PER PERSON_NAME FULL_NAME FULLNAME FIRST_NAME FIRSTNAME LAST_NAME LASTNAME
        MIDDLE_NAME MIDDLENAME GIVEN_NAME GIVENNAME SURNAME FAMILY_NAME PATIENT PATIENT_NAME
        DOCTOR DOCTOR_NAME""",
    "MRN": "MEDICAL_RECORD MEDICALRECORD MEDICAL_RECORD_NUMBER PATIENT_ID PATIENT_NUMBER",
    "DATE_OF_BIRTH": "DOB BIRTHDATE BIRTH_DATE BIRTHDAY DATEOFBIRTH",
    "PHONE": """PHONE_NUMBER PHONENUMBER TELEPHONE TELEPHONE_NUMBER TELEPHONENUM TEL MOBILE FAX
        FAX_NUMBER""",
    "EMAIL": "EMAIL_ADDRESS EMAILADDRESS E_MAIL",
    "ADDRESS": "STREET STREET_ADDRESS STREETADDRESS HOME_ADDRESS",
    "SSN": "US_SSN SOCIAL_SECURITY_NUMBER SOCIALNUM",
    "ACCOUNT": """ACCOUNT_NUMBER ACCOUNTNUMBER ACCOUNTNUM BANK_ACCOUNT US_BANK_NUMBER IBAN IBAN_CODE
        CREDIT_CARD CREDITCARD CREDIT_CARD_NUMBER CREDITCARDNUMBER""",
    "IP_ADDRESS": "IP IPADDRESS IPV4 IPV6",
    "URL": "WEBSITE",
    "LICENSE_PLATE": "VEHICLE_PLATE VEHICLEVRM",
    "DEVICE_SERIAL": "DEVICE DEVICE_ID",
    "OCCUPATION": "PROFESSION JOB JOB_TITLE JOBTITLE",
    "EMPLOYER": "EMPLOYER_NAME",
    "ORGANIZATION": "ORG ORGANISATION COMPANY COMPANY_NAME COMPANYNAME",
    "CITY": "TOWN",
    "LOCATION": "LOC GPE",
    "ZIP": "ZIPCODE ZIP_CODE POSTCODE POSTAL_CODE",
    "DATE": "DATE_TIME DATETIME",
    "ADMISSION_DATE": "ADMISSIONDATE DATE_OF_ADMISSION",
}
OURS: Mapping[str, str] = {
    theirs: ours for ours, names in _SAME.items() for theirs in names.split()
}
_INDIRECT = frozenset(
    """AGE LOCATION ORGANIZATION STATE COUNTY COUNTRY HOSPITAL FACILITY FAC NORP NRP NATIONALITY
    RELIGION LANGUAGE GENDER SEX TIME EVENT""".split()
)


def own_label(theirs: str, *, rename: bool = True) -> str | None:
    """A label as we write it, in capitals with underscores; None if it cannot be one.

    `rename`: what means the same as a label of ours becomes it.
    """
    if not _FOREIGN.fullmatch(theirs):
        return None
    label = re.sub(r"[^A-Z0-9]+", "_", theirs.upper()).strip("_")
    return OURS.get(label, label) if rename and label not in KIND_OF_LABEL else label


def kind_of(label: str) -> Kind | None:
    """What a label is known to be; None for one of the user's own."""
    return "indirect" if label in _INDIRECT else KIND_OF_LABEL.get(label)
