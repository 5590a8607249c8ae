"""Sentence forms without identifiers that fit any condition, and the words of places and days."""

BEDS: tuple[str, ...] = (
    "bed side A", "bed side B", "bay 1, bed 3", "bay 2, bed 1", "bay 4, bed 2", "window bed",
    "door bed", "side room 5", "side room 2", "room 14", "room 9", "room 22", "the day unit",
    "the short-stay ward", "the step-down ward", "the fourth floor ward", "the east wing",
    "the upper ward", "chair 6 of the day unit", "the corner bed",
)  # fmt: skip

WEEKDAYS: tuple[str, ...] = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip

VITALS: tuple[str, ...] = (
    "BP {104..158}/{62..92}, pulse {58..104}, temperature {36.1..37.6}.",
    "Observations: pulse {58..104}, saturation {94..99}% on air, temperature {36.2..37.5}.",
    "Vitals stable: {104..158}/{62..92}, respiratory rate {12..19}.",
    "Weight {52..118} kg, height {151..193} cm, BP {106..154}/{60..94}.",
    "Early warning score {0..2}; pain {0..4} out of 10.",
    "Temperature {36.1..37.4} at {6..11}:{10..55}, pulse {56..96} and regular.",
    "O: {106..152}/{60..92}, {58..98} a minute, {95..99}% on air.",
    "Fluid in {1.2..2.8} litres, out {1.0..2.6} litres.",
    "Pulse {58..98}, pressure {108..156} over {62..94}, afebrile.",
    "All observations normal for {12..72} hours.",
)

ADVICE: tuple[str, ...] = (
    "Advised to rest for {2..4} days and to drink {1.5..2.5} litres.",
    "Told to ring again if no better in {12..72} hours.",
    "Slot offered on {weekday} at {8..16}:{10..55}.",
    "The on-call registrar will ring back within {15..90} minutes.",
    "{He} repeated the advice correctly.",
    "Prescription ready for collection in {2..24} hours.",
    "Pain today {1..6} out of 10, eating and drinking well.",
    "No red flags on {6..14} questions.",
    "A photograph will be sent through the portal within {2..3} days.",
    "The duty pharmacist was asked and agrees.",
)

BILLING: tuple[str, ...] = (
    "The insurer paid {52..90}% and asks for {2..3} more documents.",
    "Please check line {2..9}: the scan was counted {2..3} times.",
    "Deductible of {100..900} reached after {2..7} visits.",
    "Copay {15..60} per visit, {2..8} visits.",
    "First instalment due in {14..30} days.",
    "Code {11..98} was replaced by code {11..98}.",
    "A corrected bill follows within {5..15} working days.",
    "{He} disputes {2..3} charges for consumables.",
    "Reminder {1..3} was sent {10..40} days ago.",
    "The drug item ({drug}) needs prior approval.",
    "Physiotherapy, {2..9} sessions of {20..45} minutes, is not yet paid.",
    "Please reply within {7..21} days.",
)

SIGN_OFFS: tuple[str, ...] = (
    "Signed, the duty doctor.",
    "Ward registrar, bleep {12..98}.",
    "Dictated, not read.",
    "Seen with the ward sister.",
    "The on-call resident.",
    "Checked by the charge nurse.",
    "With kind regards, the clinic team.",
    "Copy to the family doctor.",
)
