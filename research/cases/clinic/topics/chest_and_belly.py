"""Conditions of lungs, gut and kidneys."""

from research.cases.clinic.topics.topic import Topic

CHEST_AND_BELLY: tuple[Topic, ...] = (
    Topic(
        service="respiratory medicine",
        complaints=(
            "{3..12} days of cough with {green|rusty|yellow} sputum and {2..4} rigors",
            "fever to {38.2..40.1} and {side}-sided chest pain for {2..6} days",
            "a cough for {5..21} days, worse since {weekday}, after {2..4} nights of fever",
            "breathlessness on {2..3} flights of stairs and {3..8} days of night sweats",
            "{4..9} days of fever not settled by {5..7} days of doxycycline",
        ),
        findings=(
            "Radiograph: {side} lower zone consolidation; CRP {86..318}, white cells {11.4..22.7}.",
            "Crackles at the {side} base, respiratory rate {20..28}, saturation {90..94}% on air.",
            "Severity score {1..3}; urea {5.1..9.8}, sodium {129..138}.",
            "Sputum grew pneumococcus after {2..3} days; blood cultures clear.",
        ),
        courses=(
            "Given {drug} and up to {2..5} litres of oxygen for {2..4} days.",
            "Afebrile from day {2..5}; CRP fell to {12..74}.",
            "Switched from the drip to {drug} after {36..72} hours.",
            "Chest physiotherapy {2..3} times a day cleared the {side} base.",
        ),
        plans=(
            "Complete {5..9} days of {drug}.",
            "Repeat radiograph in {6..8} weeks to see that the {side} base has cleared.",
            "Stop smoking: patches for {8..12} weeks, support line leaflet given.",
            "Vaccines against pneumococcus and influenza in {4..8} weeks.",
        ),
        drugs=(
            "co-amoxiclav 625 mg three times daily",
            "amoxicillin 500 mg three times daily",
            "clarithromycin 500 mg twice daily",
            "levofloxacin 500 mg once daily",
        ),
    ),
    Topic(
        service="allergy and asthma",
        complaints=(
            "wheeze on {3..6} nights a week for {2..9} weeks, reliever {4..12} times a day",
            "{2..5} flares needing steroid tablets in {5..11} months",
            "chest tightness {5..30} minutes after {running|cold air|cats|house dust}",
            "peak flow down from {420..560} to {210..330} over {2..6} days",
            "a dry cough for {4..16} weeks, worst at {2..5} in the morning",
        ),
        findings=(
            "Peak flow {230..340}, {48..72}% of best; no use of neck muscles.",
            "FeNO {38..96} ppb, eosinophils {0.4..1.2}; FEV1 up {12..28}% after salbutamol.",
            "Scattered wheeze, pulse {88..118}, speaks in full sentences.",
            "Inhaler technique: {2..4} of {6..7} steps right, put right with a spacer.",
        ),
        courses=(
            "Three nebulisers and prednisolone {30..40} mg for {5..7} days.",
            "Stepped up to {drug}; night symptoms gone by week {2..5}.",
            "Peak flow back to {390..540} after {3..6} days of treatment.",
            "Reliever use fell from {6..12} to {2..3} puffs a day on {drug}.",
        ),
        plans=(
            "{drug}, with a written action plan and a spacer.",
            "Review in {2..6} weeks with a peak flow chart, {2..3} readings a day.",
            "Allergen tests: {6..12} skin pricks, no antihistamine for {4..7} days before.",
            "If peak flow drops under {200..280}, start the standby steroid course.",
        ),
        drugs=(
            "budesonide/formoterol 200/6 two puffs twice daily",
            "beclometasone 100 micrograms two puffs twice daily",
            "montelukast 10 mg at night",
            "fluticasone/salmeterol 250/25 two puffs twice daily",
        ),
    ),
    Topic(
        service="general surgery",
        complaints=(
            "{5..40} hours of pain under the right ribs after a {fatty|large|late} meal",
            "{2..6} attacks of upper belly pain in {3..12} weeks, each of {2..6} hours",
            "fever {37.8..39.4}, vomiting {3..9} times and pain through to the back",
            "pain {6..9} out of 10 that woke {him} at {1..5} on {weekday}",
            "dark urine for {2..5} days after {3..8} weeks of biliary pain",
        ),
        findings=(
            "Ultrasound: {2..9} gallstones to {6..21} mm, wall {4..8} mm, duct {4..7} mm.",
            "Tender under the right ribs; white cells {11.2..18.9}, CRP {42..212}.",
            "Bilirubin {14..58}, ALT {44..210}, lipase normal.",
            "MRCP shows a clear duct of {5..7} mm.",
        ),
        courses=(
            "Keyhole removal of the gallbladder in {48..96} minutes, blood loss {10..80} ml.",
            "{drug} for {3..6} days; pain {1..3} out of 10 afterwards.",
            "Drain out after {2..3} days with {15..70} ml in it.",
            "Eating a light diet {6..20} hours after surgery, bowels open on day {2..3}.",
        ),
        plans=(
            "No lifting above {4..8} kg for {3..5} weeks.",
            "Wound check in {7..12} days; {3..4} ports closed with dissolving thread.",
            "Finish {drug}, {2..5} more days.",
            "Low-fat diet for {3..6} weeks, then as liked.",
        ),
        drugs=(
            "cefuroxime 750 mg three times daily",
            "metronidazole 400 mg three times daily",
            "co-amoxiclav 625 mg three times daily",
            "paracetamol 1 g four times daily",
        ),
    ),
    Topic(
        service="gastroenterology",
        complaints=(
            "{4..11} loose stools a day for {2..8} weeks, {2..4} of them at night",
            "{3..9} kg of weight loss and cramps over {4..14} weeks",
            "blood with stool on {3..12} days of the last {14..21}",
            "a flare of {6..14} stools a day since {weekday}, {8..30} days without tablets",
            "urgency {3..7} times a morning for {3..10} weeks",
        ),
        findings=(
            "Calprotectin {280..940}, albumin {29..38}, haemoglobin {98..128}.",
            "Colonoscopy: inflamed from {15..45} cm down, biopsies from {5..8} sites.",
            "Belly soft, tender low on the left; stool culture clear after {2..3} days.",
            "MRI: {8..24} cm of thickened terminal ileum, no abscess.",
        ),
        courses=(
            "Steroids by drip for {3..5} days, then {drug}.",
            "Down to {2..3} formed stools a day by day {6..12}.",
            "{drug} was begun after screening for hepatitis and tuberculosis.",
            "CRP came down from {48..130} to {4..18} in {5..10} days.",
        ),
        plans=(
            "Taper prednisolone by 5 mg every {5..9} days.",
            "Stay on {drug}; blood count every {2..4} weeks.",
            "Repeat calprotectin in {6..12} weeks.",
            "Dietitian review within {2..5} weeks; weigh weekly.",
        ),
        drugs=(
            "mesalazine 2.4 g once daily",
            "azathioprine 100 mg once daily",
            "budesonide 9 mg each morning",
            "adalimumab 40 mg every two weeks",
        ),
    ),
    Topic(
        service="urology",
        complaints=(
            "{3..30} hours of {side} loin pain in waves, {7..10} out of 10 at worst",
            "blood in the urine for {2..6} days with {side} flank ache",
            "{2..5} stones passed in {3..9} years, new {side} colic since {weekday}",
            "{side} groin pain and {4..9} bouts of vomiting over {6..28} hours",
            "{side} colic returning {8..25} days after a stent came out",
        ),
        findings=(
            "CT: {4..12} mm stone in the {side} {upper|mid|lower} ureter, {480..980} units.",
            "Creatinine {88..162}; urine {2..3}+ blood, no nitrite.",
            "Mild fullness of the {side} kidney, pelvis {11..19} mm.",
            "Calcium {2.24..2.61}, urate {286..488}; afebrile.",
        ),
        courses=(
            "Pain settled with diclofenac {50..75} mg and {2..3} litres of fluid.",
            "Ureteroscopy of {32..78} minutes; stone broken by laser, stent placed on the {side}.",
            "Given {drug}; passed a {3..6} mm fragment after {2..9} days.",
            "Stent out on day {7..16}, fever-free since.",
        ),
        plans=(
            "Drink {2.5..3.5} litres a day, sieve the urine.",
            "{drug} until the film in {2..5} weeks.",
            "Stone analysis and a {24..48}-hour urine collection.",
            "Come back if fever is above {38.0..38.5} or no urine for {8..12} hours.",
        ),
        drugs=(
            "tamsulosin 400 micrograms at night",
            "naproxen 500 mg twice daily",
            "potassium citrate 10 mmol twice daily",
            "alfuzosin 10 mg once daily",
        ),
    ),
    Topic(
        service="nephrology",
        complaints=(
            "foamy urine for {3..14} weeks and {2..6} kg of swelling",
            "kidney function down from {58..74} to {28..46} in {6..18} months",
            "itch and cramps for {4..11} weeks, worse after {weekday} shifts",
            "tiredness and {2..4} nightly trips to pass urine for {5..20} weeks",
            "home pressure of {158..188}/{92..108} on {8..15} of {20..28} readings",
        ),
        findings=(
            "eGFR {24..48}, potassium {4.6..5.9}, bicarbonate {17..24}.",
            "Urine albumin ratio {34..290}; kidneys {9.2..11.4} cm, smooth.",
            "Haemoglobin {94..121}, ferritin {38..210}, phosphate {1.1..1.9}.",
            "Biopsy of {12..26} glomeruli: {2..9} sclerosed, IgA on staining.",
        ),
        courses=(
            "{drug} brought the albumin ratio down by {25..60}% in {8..14} weeks.",
            "Potassium fell to {4.1..4.9} after {2..4} weeks on a binder.",
            "Pressure now {122..138}/{68..82} on {drug} and {2..3} others.",
            "Intravenous iron, {2..3} doses of 500 mg, without reaction.",
        ),
        plans=(
            "Bloods every {4..12} weeks; avoid ibuprofen.",
            "Carry on with {drug}; pause it on sick days.",
            "Salt below {5..6} g, protein about {0.8..1.0} g per kg.",
            "Transplant talk of {30..60} minutes once eGFR is under {15..20}.",
        ),
        drugs=(
            "losartan 100 mg once daily",
            "empagliflozin 10 mg each morning",
            "irbesartan 150 mg once daily",
            "finerenone 10 mg once daily",
        ),
    ),
)
