"""Conditions of heart and vessels."""

from research.cases.clinic.topics.topic import Topic

HEART: tuple[Topic, ...] = (
    Topic(
        service="vascular medicine",
        complaints=(
            "{2..9} days of {side} calf swelling after a {6..15}-hour {flight|coach journey}",
            "{side} calf pain for {2..12} days, {3..9} out of 10 on stairs",
            "a warm, tense {side} lower leg, {2..6} cm wider than the other, since {weekday}",
            "{side} leg heaviness for {3..10} days following {4..12} days in plaster",
            "swelling of the {side} leg up to the {knee|mid-thigh}, first seen {2..8} days ago",
        ),
        findings=(
            "Duplex shows a non-compressible {side} {popliteal|femoral} vein over {4..18} cm.",
            "Calf circumference {33..39} cm on the {side}, {2..4} cm more than the other side.",
            "D-dimer {2..9} times the upper limit; platelets {156..398}.",
            "No sign of embolism: saturation {95..99}%, pulse {62..94}.",
        ),
        courses=(
            "Started on {drug} and fitted with a class {1..2} stocking.",
            "Swelling fell by {1..3} cm within {3..6} days of starting {drug}.",
            "Anticoagulation was begun the same {evening|morning} with {drug}.",
            "Thrombophilia screen sent; {3..7} tubes taken before the first dose.",
        ),
        plans=(
            "Continue {drug} for {3..6} months, then review the need.",
            "Repeat duplex of the {side} leg in {6..13} weeks.",
            "Walk {15..45} minutes a day; stocking on from waking until bedtime.",
            "Return at once if breathless or if chest pain lasts over {5..15} minutes.",
        ),
        drugs=(
            "apixaban 5 mg twice daily",
            "rivaroxaban 20 mg once daily",
            "edoxaban 60 mg once daily",
            "tinzaparin 175 units per kg daily",
            "warfarin 3 mg each evening",
        ),
    ),
    Topic(
        service="cardiology",
        complaints=(
            "{2..9} weeks of breathlessness, now after {20..90} metres on the flat",
            "ankle swelling and a gain of {3..11} kg over {2..6} weeks",
            "waking breathless {2..5} times a night, sleeping on {2..4} pillows",
            "{3..14} days of orthopnoea after running out of tablets",
            "tiredness and a tight belt for {3..8} weeks, {2..3} flights of stairs at best",
        ),
        findings=(
            "Echocardiogram: ejection fraction {22..39}%, left ventricle {56..69} mm.",
            "Pitting oedema to the {knees|mid-calves|thighs}; jugular pressure {4..9} cm.",
            "NT-proBNP {3..14} times the cut-off, creatinine {84..148}, potassium {3.6..5.1}.",
            "Radiograph shows {small|moderate} {bilateral|right-sided} effusions.",
        ),
        courses=(
            "Diuresis of {2..6} litres over {3..7} days; weight down {3..9} kg.",
            "Intravenous furosemide for {2..5} days, then switched to tablets.",
            "{drug} was introduced and tolerated at a pressure of {98..124}/{56..78}.",
            "Sodium held at {132..141}, urine output {1.4..2.9} litres a day.",
        ),
        plans=(
            "Weigh every morning; call if up {2..3} kg in {2..4} days.",
            "Fluid limit {1.2..1.8} litres, salt below {4..6} g.",
            "Keep {drug}; kidney function again in {7..15} days.",
            "Heart failure nurse to see {him} within {2..4} weeks.",
        ),
        drugs=(
            "bisoprolol 2.5 mg once daily",
            "ramipril 5 mg at night",
            "spironolactone 25 mg once daily",
            "dapagliflozin 10 mg each morning",
            "sacubitril/valsartan 24/26 mg twice daily",
        ),
    ),
    Topic(
        service="electrophysiology",
        complaints=(
            "{3..12} spells of palpitations a {week|month}, each of {5..55} minutes",
            "a racing pulse of {128..174} for {2..14} hours after {coffee|a late dinner|a cold}",
            "fluttering in the chest on {2..6} days of the last {8..20}",
            "{2..5} near faints since {weekday}, with a pulse of {122..168}",
            "an irregular pulse noticed {3..25} days ago by a smart watch",
        ),
        findings=(
            "ECG: atrial fibrillation at {96..158} a minute, QRS {82..108} ms.",
            "Left atrium {38..49} mm; no valve disease of note.",
            "Thyroid function normal; magnesium {0.71..0.98}, potassium {3.7..4.9}.",
            "Holter: {2..31}% of {24..72} hours in atrial fibrillation.",
        ),
        courses=(
            "Rate came down to {66..92} within {2..9} hours on {drug}.",
            "Cardioverted with {2..3} shocks at {120..200} J under brief sedation.",
            "Back in sinus rhythm {3..20} hours after the first dose of {drug}.",
            "Rate control with {drug} was preferred after a talk of {10..30} minutes.",
        ),
        plans=(
            "Anticoagulate: stroke score {1..4}, bleeding score {0..2}.",
            "Ablation list, expected wait {4..14} weeks.",
            "Carry on with {drug}; rhythm check in {3..8} weeks.",
            "No more than {2..8} units of alcohol a week; keep a palpitations diary.",
        ),
        drugs=(
            "bisoprolol 5 mg once daily",
            "diltiazem 180 mg once daily",
            "flecainide 100 mg twice daily",
            "amiodarone 200 mg once daily",
            "verapamil 120 mg twice daily",
        ),
    ),
    Topic(
        service="stroke unit",
        complaints=(
            "{4..50} minutes of {side} arm weakness and slurred speech on {weekday}",
            "sudden numbness of the {side} hand, gone after {10..90} minutes",
            "{2..4} spells of lost words in {3..9} days, each under {5..25} minutes",
            "a drooping {side} face on waking, better within {2..11} hours",
            "unsteady gait and a heavy {side} leg for {3..20} hours",
        ),
        findings=(
            "MRI: {2..4} small areas of restricted diffusion, the largest {4..11} mm.",
            "Carotid narrowing of {25..65}%; heart rhythm regular over {24..72} hours.",
            "Stroke scale {1..5} on arrival and {0..1} at {24..48} hours.",
            "Grip {3..4} out of 5 on the {side}; swallow safe with {50..90} ml of water.",
        ),
        courses=(
            "Loaded with aspirin, then {drug}.",
            "Power was full again after {2..6} days of therapy, {30..60} minutes a day.",
            "Pressure settled from {162..196} to {124..138} systolic on two tablets.",
            "Seen by speech therapy {2..4} times; no aid needed.",
        ),
        plans=(
            "{drug} lifelong, LDL to be under {1.4..1.8}.",
            "No driving for {4..8} weeks; written advice given.",
            "Clinic in {4..10} weeks with a {7..14}-day rhythm monitor first.",
            "Home pressure twice a day for {7..14} days, goal under 130/80.",
        ),
        drugs=(
            "clopidogrel 75 mg once daily",
            "atorvastatin 80 mg at night",
            "rosuvastatin 20 mg once daily",
            "ticagrelor 90 mg twice daily",
        ),
    ),
)
