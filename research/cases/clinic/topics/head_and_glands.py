"""Conditions of brain, eyes, ears, blood and glands."""

from research.cases.clinic.topics.topic import Topic

HEAD_AND_GLANDS: tuple[Topic, ...] = (
    Topic(
        service="neurology",
        complaints=(
            "{6..18} migraine days a month for {3..11} months, tablets on {8..16} of them",
            "{side}-sided headache with zigzags for {15..50} minutes before it",
            "{2..5} headaches a week since {a night shift|a fall|a flu jab} {5..25} days ago",
            "throbbing over the {side} eye for {8..60} hours, vomited {2..6} times",
            "headache on {9..20} mornings a month, pain killers on {10..22} days",
        ),
        findings=(
            "Discs flat, fields full, pressure {112..146}/{68..92}.",
            "MRI of {20..35} minutes: normal but for {2..5} white spots under {3..5} mm.",
            "Impact score {54..74}; neck turns {50..80} degrees each way.",
            "No red flags on {12..18} questions; gait and speech normal.",
        ),
        courses=(
            "{drug} cut headache days from {12..18} to {4..9} a month.",
            "Stopped codeine for {4..8} weeks; rebound lasted {5..12} days.",
            "Nerve block on the {side}, {2..4} ml, gave {3..9} weeks of relief.",
            "A triptan ended {5..9} of 10 attacks within {40..120} minutes.",
        ),
        plans=(
            "{drug}, raised every {7..14} days if tolerated.",
            "Headache diary for {8..12} weeks; triptan on {8..10} days a month at most.",
            "Sleep {7..8} hours, screens off {30..60} minutes before.",
            "Call if a headache peaks in under {2..5} minutes.",
        ),
        drugs=(
            "propranolol 40 mg twice daily",
            "topiramate 25 mg at night",
            "amitriptyline 10 mg at night",
            "candesartan 8 mg once daily",
            "erenumab 70 mg every four weeks",
        ),
    ),
    Topic(
        service="epilepsy unit",
        complaints=(
            "{2..5} seizures in {3..12} weeks, the last on {weekday} for {2..4} minutes",
            "{3..9} blank spells a day for {4..14} weeks",
            "jerks of the {side} arm {2..7} mornings a week, {10..40} minutes after waking",
            "a first seizure of {2..5} minutes after {26..40} hours without sleep",
            "tongue bitten on the {side} in {2..4} of {5..8} night attacks",
        ),
        findings=(
            "EEG: sharp waves over the {side} temporal region, {3..14} in {20..40} minutes.",
            "MRI normal on {3..5} sequences; glucose {4.2..6.1}, sodium {134..143}.",
            "Drug level {4..14}, in range; ECG interval {388..436} ms.",
            "Alert, reflexes even; bruise of {3..8} cm on the {side} shoulder.",
        ),
        courses=(
            "Seizure-free for {5..30} weeks on {drug}.",
            "{drug} built up over {3..8} weeks without a rash.",
            "Two doses of lorazepam {2..4} mg stopped the cluster in {4..12} minutes.",
            "Attacks down from {4..9} to {0..2} a month.",
        ),
        plans=(
            "{drug}; never stop it abruptly.",
            "No driving until {6..12} months without attacks; no baths alone.",
            "Sleep-deprived EEG in {3..9} weeks.",
            "Rescue midazolam {5..10} mg if an attack lasts over {4..6} minutes.",
        ),
        drugs=(
            "levetiracetam 500 mg twice daily",
            "lamotrigine 100 mg twice daily",
            "lacosamide 100 mg twice daily",
            "carbamazepine 200 mg twice daily",
        ),
    ),
    Topic(
        service="diabetes medicine",
        complaints=(
            "thirst and {4..9} kg of weight loss over {3..10} weeks",
            "{2..6} low sugars a week, down to {2.1..3.4}, mostly before {lunch|dawn|supper}",
            "morning glucose of {9..17} for {3..8} weeks despite {2..3} tablets",
            "a sore of {4..16} mm on the {side} foot for {2..9} weeks",
            "blurred sight for {3..15} days, glucose {16..29} on {weekday}",
        ),
        findings=(
            "HbA1c {58..112}, ketones {0.2..1.4}, weight {61..118} kg.",
            "Feels the filament at {3..8} of 10 points; foot pulses present.",
            "Sensor: {32..64}% in range, {2..9}% low over {10..14} days.",
            "Cholesterol {3.9..6.4}, eGFR {62..98}, albumin ratio {1..9}.",
        ),
        courses=(
            "Started on {drug}; mean glucose {7.4..9.6} after {2..5} weeks.",
            "Insulin cut by {2..8} units at night, no lows for {6..20} days.",
            "Took a course of {3..5} mornings on counting carbohydrates.",
            "The sore closed from {9..16} to {0..4} mm with an off-loading shoe.",
        ),
        plans=(
            "{drug}; check sugars {3..6} times a day.",
            "HbA1c again in {10..14} weeks, goal {48..56}.",
            "Eye photographs within {6..12} weeks; podiatry every {2..8} weeks.",
            "Carry {15..20} g of glucose at all times.",
        ),
        drugs=(
            "metformin 1 g twice daily",
            "gliclazide 80 mg twice daily",
            "insulin glargine 18 units at night",
            "semaglutide 0.5 mg once weekly",
            "insulin aspart 6 units with meals",
        ),
    ),
    Topic(
        service="endocrinology",
        complaints=(
            "{3..9} kg lost in {5..12} weeks with a pulse of {96..128}",
            "sweats and {4..9} loose stools a day for {3..12} weeks",
            "a neck swelling of {14..38} mm and poor sleep for {2..10} weeks",
            "shaky hands for {3..12} weeks, sleep down to {3..5} hours",
            "gritty {side} eye and heat intolerance for {4..15} weeks",
        ),
        findings=(
            "Free T4 {28..71}, TSH below 0.01, antibodies {3..14} times normal.",
            "Ultrasound: gland {22..54} ml, blood flow raised on both sides.",
            "Fine tremor, reflexes brisk, pulse {92..124} and regular.",
            "Eyes protrude {18..23} mm, {side} more; no double vision.",
        ),
        courses=(
            "On {drug} free T4 came down to {12..22} in {5..9} weeks.",
            "Weight back by {2..6} kg; tremor gone after {3..8} weeks.",
            "{drug} begun, with a warning about sore throats.",
            "Eye drops {3..6} times a day and selenium for {4..6} months.",
        ),
        plans=(
            "Thyroid tests every {4..8} weeks on {drug}.",
            "Radioiodine talk in {6..14} weeks; not near infants for {14..21} days.",
            "Treatment for {12..18} months, then a trial without.",
            "Blood count at once if fever or mouth ulcers.",
        ),
        drugs=(
            "carbimazole 20 mg once daily",
            "carbimazole 15 mg twice daily",
            "propylthiouracil 100 mg twice daily",
        ),
    ),
    Topic(
        service="haematology",
        complaints=(
            "tiredness for {5..20} weeks and craving ice {3..9} times a day",
            "haemoglobin {64..92} on a test taken for {2..6} weeks of breathlessness",
            "hair loss and brittle nails for {6..25} weeks, worse since {weekday}",
            "pounding heart on {2..4} flights of stairs for {3..11} weeks, pulse {104..128}",
            "restless legs {3..6} nights a week for {5..18} weeks",
        ),
        findings=(
            "Haemoglobin {68..104}, MCV {66..79}, ferritin {3..11}.",
            "Platelets {320..480}; film shows small pale cells, {2..6}% pencil cells.",
            "Scope {2..4} weeks ago: no bleeding point down to {60..110} cm.",
            "Coeliac screen negative; B12 {210..520}, folate {4.1..14.8}.",
        ),
        courses=(
            "Given {2..3} units of red cells over {3..8} hours without reaction.",
            "Iron infusion of {500..950} mg; haemoglobin up {14..32} in {3..5} weeks.",
            "Ferritin rose to {42..118} after {5..10} weeks on {drug}.",
            "{drug} was tolerated; stools dark, as expected.",
        ),
        plans=(
            "Blood count every {2..4} weeks until {2..3} in a row are normal.",
            "{drug} for {3..6} months.",
            "Day unit on {weekday}, {2..4} hours.",
            "No aspirin; tablets with juice, {2..3} hours away from tea.",
        ),
        drugs=(
            "ferrous fumarate 210 mg once daily",
            "ferrous sulfate 200 mg every other day",
            "iron maltol 30 mg twice daily",
            "ferrous gluconate 300 mg twice daily",
        ),
    ),
    Topic(
        service="ear, nose and throat",
        complaints=(
            "spinning for {10..50} seconds on turning {side}, {4..15} times a day",
            "vertigo for {2..9} hours, {2..5} times in {8..24} days",
            "a spinning room since {weekday}, {2..6} falls, vomiting {3..8} times",
            "fullness of the {side} ear and {3..7} dizzy spells in {2..9} weeks",
            "ringing in the {side} ear for {3..18} weeks with {2..6} spells of spinning",
        ),
        findings=(
            "Positional test positive on the {side} after {3..9} seconds, for {15..45} seconds.",
            "Audiogram: {side} loss of {25..55} dB at {2..4} kHz.",
            "Eyes beat to the {side} for {12..50} seconds; head thrust normal.",
            "Eardrums intact; walks {4..10} metres heel to toe.",
        ),
        courses=(
            "Repositioning done {2..4} times; no spinning for {2..12} days since.",
            "{drug} for {4..12} weeks; attacks from {5..9} to {2..3} a month.",
            "Balance classes, {4..9} sessions of {30..50} minutes.",
            "Nausea settled in {6..30} hours with {drug}.",
        ),
        plans=(
            "Home exercises {2..3} times a day for {10..21} days.",
            "{drug}, stop after {6..12} weeks if steady.",
            "Hearing test again in {6..14} weeks.",
            "Salt under {2..4} g; no ladders for {2..6} weeks.",
        ),
        drugs=(
            "betahistine 16 mg three times daily",
            "prochlorperazine 5 mg when needed",
            "cinnarizine 25 mg three times daily",
        ),
    ),
    Topic(
        service="ophthalmology",
        complaints=(
            "{side} eye pressure of {26..41} found at a check {3..20} days ago",
            "haloes round lamps with the {side} eye for {3..15} weeks",
            "bumping into things on the {side} for {2..11} months",
            "a dull {side} brow ache {2..6} evenings a week for {4..12} weeks",
            "missing edges in the {side} eye's field since {weekday}, seen on {2..4} tests",
        ),
        findings=(
            "Pressure {side} {23..38}, other side {12..17}; cup {0.5..0.9}.",
            "Corrected sight 6/{6|9|12|18} on the {side}; angle open, grade {3..4}.",
            "Nerve layer {52..84} microns, thinner by {4..18} in {9..15} months.",
            "Field defect of {3..14} dB, test reliable with {2..9}% errors.",
        ),
        courses=(
            "Pressure down to {13..18} after {3..8} weeks of {drug}.",
            "Laser of {90..160} spots to the {side} drainage angle, well tolerated.",
            "Drops missed {2..5} times a week; now {drug} with a phone alarm.",
            "Switched to {drug} for redness, better within {4..12} days.",
        ),
        plans=(
            "{drug} to the {side} eye.",
            "Pressure check in {3..9} weeks, goal under {15..18}.",
            "Field test in {8..20} weeks.",
            "Come in the same day if the eye turns red and hurts over {4..6} out of 10.",
        ),
        drugs=(
            "latanoprost one drop at night",
            "timolol one drop twice daily",
            "bimatoprost one drop at night",
            "dorzolamide one drop three times daily",
        ),
    ),
)
