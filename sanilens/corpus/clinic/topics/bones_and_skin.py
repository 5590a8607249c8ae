"""Conditions of joints, bones and skin."""

from sanilens.corpus.clinic.topics.topic import Topic

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
            "Stood on day {1..2}, {4..12} stairs on day {2..4} with {1..2} sticks.",
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
        service="fracture clinic",
        complaints=(
            "a fall from {1..3} metres onto the {side} hand, {2..20} hours ago",
            "{side} wrist pain {6..9} out of 10 after a {bicycle|skating|ladder} fall on {weekday}",
            "a swollen {side} ankle since a twist {3..30} hours ago",
            "{side} wrist in plaster for {8..25} days, fingers numb since {weekday}",
            "{side} hand crushed for {5..40} seconds in a {car door|press|gate}",
        ),
        findings=(
            "Film: {side} distal radius fracture, {8..24} degrees of tilt, {2..5} mm short.",
            "Pulses full; feeling normal in {4..5} of 5 fingers.",
            "Skin intact, swelling {2..3}+; CT shows {2..4} fragments.",
            "After reduction the tilt is {0..6} degrees.",
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
            "{2..6} attacks of pain in the {side} big toe in {4..14} months",
            "swollen knuckles on {2..5} fingers of the {side} hand since {weekday} a fortnight ago",
            "{6..18} weeks of aching shoulders, unable to comb {his} hair for {2..5} weeks",
            "a flare in {3..9} joints, {10..40} days after missing {2..4} injections",
        ),
        findings=(
            "{4..13} swollen and {6..19} tender joints, activity score {3.6..6.4}.",
            "CRP {18..88}, ESR {32..94}, urate {318..596}.",
            "Ultrasound: grade {2..3} synovitis in {3..8} joints, {1..3} erosions.",
            "Aspirate of {4..22} ml, {straw-coloured|cloudy}, no organisms.",
        ),
        courses=(
            "Injected with methylprednisolone {40..80} mg; better in {2..5} days.",
            "Score down to {1.8..2.9} after {10..16} weeks of {drug}.",
            "{drug} begun after a normal chest film and {2..3} blood tests.",
            "Prednisolone cut from {15..25} mg to {5..7} mg over {5..9} weeks.",
        ),
        plans=(
            "Blood count and liver tests every {2..4} weeks on {drug}.",
            "Nurse line for flares, answer within {1..3} working days.",
            "Stop alcohol for {4..8} weeks; drink {2..3} litres a day.",
            "Feet and hands filmed again in {9..14} months.",
        ),
        drugs=(
            "methotrexate 15 mg once weekly",
            "sulfasalazine 1 g twice daily",
            "allopurinol 300 mg once daily",
            "hydroxychloroquine 200 mg twice daily",
            "colchicine 500 micrograms twice daily",
        ),
    ),
    Topic(
        service="dermatology",
        complaints=(
            "{3..9} days of spreading redness on the {side} shin, now {8..24} cm",
            "an itchy rash on {8..35}% of the skin for {3..11} weeks",
            "a mole on the {side} shoulder, from {3..5} to {8..12} mm in {4..10} months",
            "plaques on elbows and scalp for {3..15} years, worse for {4..9} weeks",
            "{2..6} crops of hives a week for {6..20} weeks, each gone in {3..18} hours",
        ),
        findings=(
            "Patch of {6..22} by {4..14} cm, warm, edge marked with a pen.",
            "Severity index {8..21}, quality-of-life index {9..24}.",
            "Biopsy of {3..4} mm taken, closed with {1..2} stitches.",
            "White cells {7.8..15.2}, CRP {9..124}, glucose {4.6..7.9}.",
        ),
        courses=(
            "{drug} for {5..12} days; redness back by {3..9} cm.",
            "Light therapy, {18..30} sessions, index down to {2..6}.",
            "Skin clear by {60..95}% after {8..16} weeks on {drug}.",
            "Removed with a margin of {2..5} mm under local, {4..8} stitches.",
        ),
        plans=(
            "{drug}, and moisturiser {2..4} times a day.",
            "Photographs again in {6..14} weeks.",
            "Stitches out in {7..14} days; sun factor 50.",
            "Patch tests with {36..48} substances, read on days 2 and 4.",
        ),
        drugs=(
            "flucloxacillin 500 mg four times daily",
            "doxycycline 100 mg twice daily",
            "cetirizine 10 mg twice daily",
            "acitretin 25 mg once daily",
            "betamethasone 0.1% cream once daily",
        ),
    ),
)
