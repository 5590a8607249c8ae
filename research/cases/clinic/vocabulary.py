"""Every form of the clinic, and every word that a note can hold outside its spans."""

from research.cases.clinic import background_forms as background
from research.cases.clinic import general_forms as general
from research.cases.clinic import identity_forms as identity
from research.cases.clinic.opening_forms import OPENINGS
from research.cases.clinic.topics import TOPICS
from research.cases.forms import words_of

# All sentence forms, each once.
FORMS: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *OPENINGS,
            *identity.IDENTITY,
            *identity.IDENTITY_SHORT,
            *identity.LETTER_IDENTITY,
            *identity.CALLER,
            *identity.CALLER_CHECK,
            *identity.ACCOUNT_HOLDER,
            *identity.PHONE,
            *identity.EMAIL,
            *identity.ADDRESS,
            *identity.BILL_ADDRESS,
            *identity.RECALL,
            *background.WORK,
            *background.HOME,
            *background.HISTORY,
            *background.ADMISSION,
            *background.BILL_STAY,
            *background.BILL_EMPLOYER,
            *general.VITALS,
            *general.ADVICE,
            *general.BILLING,
            *general.SIGN_OFFS,
            *(form for topic in TOPICS for form in topic.forms),
        )
    )
)

LEADS_OF_FINDINGS = ("", "", "Findings: ", "On examination: ", "O/E: ", "Results: ")
LEADS_OF_COURSES = ("", "", "Course: ", "Hospital course: ", "Treatment: ", "So far: ")
LEADS_OF_PLANS = ("", "Plan: ", "PLAN: ", "Next: ", "Follow-up: ", "P: ")

# A person none of whose direct identifiers shares a word with these occurs in spans only.
VOCABULARY: frozenset[str] = words_of(
    (
        *FORMS,
        *LEADS_OF_FINDINGS,
        *LEADS_OF_COURSES,
        *LEADS_OF_PLANS,
        *general.BEDS,
        *general.WEEKDAYS,
        *(topic.service for topic in TOPICS),
        *(drug for topic in TOPICS for drug in topic.drugs),
        "he she him her his man woman Mr Ms left right",
    )
)
