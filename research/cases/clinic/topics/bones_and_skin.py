"""Conditions of joints, bones and skin."""

from research.cases.clinic.topics.topic import Topic

BONES_AND_SKIN: tuple[Topic, ...] = (
    Topic(
        service="orthopaedics",
        complaints=(
            "{side} knee pain for {2..9} years, walking {80..450} metres at most",
            "a locking {side} knee {2..6} times a week, pain {5..9} out of 10 at night",
            "{3..8} months of {side} knee stiffness after {2..4} injections",
            "{side} knee giving way {2..5} times in {3..9} weeks",
            "planned replacement of the {side} knee after {10..30} months of waiting",
        ),
        findings=(
            "Films: grade {3..4} wear of the {side} knee, {4..11} degrees of varus.",
            "Bends {70..105} degrees, lacks {5..15} of extension.",
            "Oxford knee score {11..24} of 48; hip on that side moves freely.",
            "Haemoglobin {118..146} before and {96..117} after surgery.",
        ),
        courses=(
            "{side} knee replaced in {62..110} minutes under spinal block.",
            "Stood on day {1..2}, {4..12} stairs on day {2..4} with {2..3} sticks.",
            "Bent to {78..98} degrees by discharge; wound dry.",
            "Pain {2..4} out of 10 on {drug}.",
        ),
        plans=(
            "Exercises {3..5} times a day, {10..15} minutes each.",
            "Clips out after {12..15} days.",
            "{drug} for {10..28} days, with a stomach tablet.",
            "Film and clinic in {6..8} weeks; no kneeling until then.",
        ),
        drugs=(
            "oxycodone 5 mg when needed",
            "naproxen 250 mg three times daily",
            "dihydrocodeine 30 mg four times daily",
            "etoricoxib 60 mg once daily",
        ),
    ),
    Topic(
        service="trauma surgery",
        complaints=(
            "a fall from {2..4} metres onto the {side} hand, {2..20} hours ago",
            "{side} wrist pain {6..9} out of 10 after a {bicycle|skating|ladder} fall on {weekday}",
            "a bent, swollen {side} wrist {3..30} hours after slipping on {ice|wet leaves|a kerb}",
            "{side} wrist in plaster for {8..25} days, fingers numb since {weekday}",
            "{side} forearm caught in a {car door|press|gate} for {5..40} seconds",
        ),
        findings=(
            "Film: {side} distal radius fracture, {8..24} degrees of tilt, {2..5} mm short.",
            "Pulses full; feeling normal in {4..5} of 5 fingers.",
            "Skin intact, swelling {2..3}+; CT shows {2..4} fragments.",
            "After reduction the tilt is {2..6} degrees.",
        ),
        courses=(
            "Reduced under a block with {8..15} ml of prilocaine, back slab on.",
            "Plate with {5..8} screws in {44..82} minutes, no complications.",
            "Plaster changed after {7..12} days; {drug} for pain.",
            "Hand therapy began in week {4..6}, grip {12..24} kg by week {9..12}.",
        ),
        plans=(
            "Film in {7..10} days, plaster for {4..6} weeks in all.",
            "Keep the hand above the heart for {2..4} days.",
            "{drug} for no more than {5..10} days.",
            "Bone density scan within {6..12} weeks.",
        ),
        drugs=(
            "paracetamol 1 g four times daily",
            "codeine 30 mg when needed",
            "ibuprofen 400 mg three times daily",
            "tramadol 50 mg when needed",
        ),
    ),
    Topic(
        service="rheumatology",
        complaints=(
            "morning stiffness of {40..150} minutes in {4..12} small joints for {5..20} weeks",
            "pain in {3..8} knuckles for {4..18} weeks, grip too weak for {jars|taps|buttons}",
            "swollen knuckles on {2..5} fingers of the {side} hand for {8..25} days",
            "{6..18} weeks of sore wrists, waking {2..4} times a night",
            "a flare in {3..9} joints, {10..40} days after missing {2..4} doses",
        ),
        findings=(
            "{4..13} swollen and {6..19} tender joints, activity score {3.6..6.4}.",
            "CRP {18..88}, ESR {32..94}, antibodies {3..14} times normal.",
            "Ultrasound: grade {2..3} synovitis in {3..8} joints, {2..4} erosions.",
            "{side} wrist bends {20..45} degrees; grip {6..18} kg.",
        ),
        courses=(
            "Injected with methylprednisolone {40..80} mg; better in {2..5} days.",
            "Score down to {1.8..2.9} after {10..16} weeks of {drug}.",
            "{drug} begun after a normal chest film and {2..3} blood tests.",
            "Prednisolone cut from {15..25} mg to {5..7} mg over {5..9} weeks.",
        ),
        plans=(
            "Blood count and liver tests every {2..4} weeks on {drug}.",
            "Nurse line for flares, answer within {2..3} working days.",
            "Hand therapy, {4..8} sessions of {20..40} minutes.",
            "Feet and hands filmed again in {9..14} months.",
        ),
        drugs=(
            "methotrexate 15 mg once weekly",
            "sulfasalazine 1 g twice daily",
            "leflunomide 20 mg once daily",
            "hydroxychloroquine 200 mg twice daily",
        ),
    ),
    Topic(
        service="dermatology",
        complaints=(
            "{3..9} days of spreading redness on the {side} shin, now {8..24} cm",
            "a hot, sore {side} calf for {2..8} days after a {cat|gorse|wire} scratch of {2..6} cm",
            "{2..4} bouts of a red {side} leg in {4..14} months, the newest since {weekday}",
            "a weeping patch of {3..12} cm above the {side} ankle for {5..20} days",
            "fever {37.9..39.6} and a {side} shin rash that grew {2..7} cm overnight",
        ),
        findings=(
            "Patch of {6..22} by {4..14} cm, warm, edge marked with a pen.",
            "White cells {9.8..17.2}, CRP {39..174}, glucose {4.6..7.9}.",
            "Groin glands {8..18} mm on the {side}; cracked skin between {2..4} toes.",
            "No gas on film; foot pulses full, ankle ratio {0.95..1.20}.",
        ),
        courses=(
            "{drug} for {5..12} days; redness back by {3..9} cm.",
            "Leg raised {3..6} hours a day; fever gone after {24..60} hours.",
            "Swab grew a streptococcus; kept on {drug}.",
            "{2..4} days by drip, then {drug}.",
        ),
        plans=(
            "{drug}, and moisturiser {2..4} times a day.",
            "Stocking on the {side} leg once the skin is dry, {2..5} weeks.",
            "Draw round the edge daily; return if it grows {2..4} cm.",
            "Foot powder for {14..28} days; low-dose prevention after {2..3} more bouts.",
        ),
        drugs=(
            "flucloxacillin 500 mg four times daily",
            "doxycycline 100 mg twice daily",
            "clindamycin 300 mg four times daily",
            "clarithromycin 500 mg twice daily",
        ),
    ),
)
