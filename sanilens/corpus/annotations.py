"""Read spans as annotation tools write them, into the entries of our own `spans`.

Known forms: ours, spaCy's and Prodigy's objects; doccano's triples and its `start_offset`;
presidio's `entity_type`; presidio-research's `start_position`; ai4privacy's `value`; Label Studio's
`labels`; an object of lists, as Hugging Face datasets keep them. Knows the form only: whether the
offsets are right, `spans` checks.
"""

import re
from collections.abc import Mapping
from typing import Any

from sanilens.corpus.records import KIND_OF_LABEL, Kind

_KEYS = {
    "start": ("start_offset", "start_position", "start_char", "startoffset", "begin"),
    "end": ("end_offset", "end_position", "end_char", "endoffset"),
    "label": ("entity_type", "entity_group", "entity", "labels", "type", "tag"),
    "text": ("value", "entity_value", "word", "surface", "mention", "quote"),
}
_OURS = {theirs: ours for ours, names in _KEYS.items() for theirs in names}
# What tools write beside a span and what says nothing about it.
_BESIDE = frozenset(
    """id token_start token_end score confidence source input_hash label_index analysis_explanation
    recognition_metadata kb_id span_id ent_id user created_at""".split()
)


def looks_like_spans(value: Any) -> bool:
    """Whether a value is a list that holds offsets with a label, or an object of such lists."""
    return any(map(_is_span, entries(value)))


def entries(value: Any) -> list[Any]:
    """The entries of a list, or of an object of equally long lists; none of anything else."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and value and all(isinstance(v, list) for v in value.values()):
        lengths = {len(column) for column in value.values()}
        if len(lengths) == 1 and {_OURS.get(key, key) for key in value} >= {"start", "end"}:
            return [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]
    return []


def as_entry(given: Any) -> Any:
    """One span as {start, end, label, …}; an unknown form is returned unchanged."""
    if isinstance(given, list) and len(given) == 3:
        return dict(zip(("start", "end", "label"), given, strict=True))
    if not isinstance(given, dict):
        return given
    entry: dict[str, Any] = {}
    for key, value in given.items():
        if key in _BESIDE or (value is None and key not in _KEYS):
            continue
        # Where our own word is there too, another tool's is a key that nobody knows.
        name = key if key not in _OURS or _OURS[key] in given else _OURS[key]
        entry[name] = value
    if isinstance(entry.get("label"), list) and len(entry["label"]) == 1:
        (entry["label"],) = entry["label"]
    return entry


def task_fields(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """The columns of a Label Studio task, its spans under `spans`; None if it is not one.

    A task that nobody annotated has no `spans`; what is not a span, such as a choice, is left out.

    Raises:
        ValueError: several people annotated the task.
    """
    data, annotations = fields.get("data"), fields.get("annotations")
    if not (isinstance(data, dict) and isinstance(annotations, list)):
        return None
    kept = [a for a in annotations if isinstance(a, dict) and not a.get("was_cancelled")]
    if len(kept) > 1:
        raise ValueError("several annotations")
    found = dict(data)
    if "id" in fields:
        found.setdefault("id", fields["id"])
    if kept and isinstance(results := kept[0].get("result"), list):
        values = [r.get("value") for r in results if isinstance(r, dict)]
        found["spans"] = [v for v in values if isinstance(v, dict) and "start" in v]
    return found


def _is_span(given: Any) -> bool:
    entry = as_entry(given)
    if not (isinstance(entry, dict) and isinstance(entry.get("label"), str)):
        return False
    return all(type(entry.get(edge)) in (int, float) for edge in ("start", "end"))


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

    `rename`: turn another tool's word for one of our labels into ours.
    """
    if not _FOREIGN.fullmatch(theirs):
        return None
    label = re.sub(r"[^A-Z0-9]+", "_", theirs.upper()).strip("_")
    return OURS.get(label, label) if rename and label not in KIND_OF_LABEL else label


def kind_of(label: str) -> Kind | None:
    """What a label is known to be; None for one of the user's own."""
    return "indirect" if label in _INDIRECT else KIND_OF_LABEL.get(label)
