"""How documents begin: the occasion, the place and the complaint, before any identifier.

The numbers in the complaint make nearly every opening unlike all others, so that what follows
can be learnt from it. No form here holds an identifier.
"""

DISCHARGE_OPENINGS: tuple[str, ...] = (
    "DISCHARGE SUMMARY, {service}, {bed}. Presenting complaint: {complaint}.",
    "Discharge summary ({service}). Came with {complaint}. Left from {bed}.",
    "SUMMARY OF STAY. Service: {service}. Place: {bed}. Reason: {complaint}.",
    "Discharge letter, {service}, written on {today}: {complaint}.",
    "FINAL SUMMARY, {service}, {bed}, {today}. Main problem: {complaint}.",
    "Ward discharge, {today} {morning|noon|afternoon}, {bed}. Problem: {complaint}.",
    "Discharge from {service} on a {today}. Complaint on arrival: {complaint}.",
    "DISCHARGE NOTE / {service} / {bed} / {complaint}.",
    "Hospital stay under {service}, {bed}, for {complaint}.",
    "Brought to {service} with {complaint}; now fit for home from {bed}.",
)

PROGRESS_OPENINGS: tuple[str, ...] = (
    "PROGRESS NOTE, {service}, {today} {7..11}:{10..55}, {bed}. Issue: {complaint}.",
    "Ward round, {today}, {service}, {bed}. In for {complaint}.",
    "Day {2..12}, {bed}, {service}. Came with {complaint}.",
    "{today} round ({service}). Problem 1: {complaint}.",
    "S: {complaint}. Seen at {8..17}:{10..55} on {today}, {bed}.",
    "Note of the {night|day|late} shift, {service}, {bed}: {complaint}.",
    "Daily review, {service}, day {2..12}. Original complaint: {complaint}.",
    "Progress, {today}, {bed}: pulse {58..104}, BP {104..158}/{62..92}; {complaint}.",
    "ROUND {today} {8..12}:{10..55}. {service}. Context: {complaint}.",
    "Short review, {service}, {bed}, pain {0..6} out of 10, for {complaint}.",
)

REFERRAL_OPENINGS: tuple[str, ...] = (
    "REFERRAL to {service}, {routine|urgent|soon}. Reason: {complaint}.",
    "Dear colleague, we ask the {service} team for help with {complaint}.",
    "Referral letter, {service}, seen on {today}. Problem: {complaint}.",
    "To: {service}. Priority {1..3}. For advice on {complaint}.",
    "Outpatient referral ({service}), dictated on {today}: {complaint}.",
    "Dear team, a patient of our practice has {complaint}.",
    "URGENT REFERRAL, {service}, within {2..14} days. Symptoms: {complaint}.",
    "Letter to {service}: second opinion on {complaint}.",
    "Request for a visit to {service} in {2..9} weeks. Main complaint: {complaint}.",
    "Dear colleagues in {service}, thank you for your advice on {complaint}.",
)

PHONE_OPENINGS: tuple[str, ...] = (
    "PHONE NOTE, {today} {8..18}:{10..55}, {service} desk. Reason: {complaint}.",
    "Telephone call, {2..19} minutes, {service}. About {complaint}.",
    "Nurse line, {today}, call {2..48} of the day: {complaint}.",
    "Call to {service} at {8..18}:{10..55}. Worry: {complaint}.",
    "Advice line, {service}, {today} {morning|afternoon|evening}. Asked about {complaint}.",
    "Phone review {2..9} days after the visit ({service}): {complaint}.",
    "Telephone triage, category {2..4}, {service}. Symptoms: {complaint}.",
    "Call back on {today}, try {1..3}, {service}. Subject: {complaint}.",
    "Out-of-hours call, {18..23}:{10..55}: {complaint}. Passed to {service}.",
    "PHONE / {service} / {today} / {3..25} min: {complaint}.",
)

BILLING_OPENINGS: tuple[str, ...] = (
    "BILLING MESSAGE, {service}, {today}, amount {120..980}.{10..95}. Care for {complaint}.",
    "Claim query {2..60} of {61..99}, {service}. Diagnosis text: {complaint}.",
    "Accounts to {service}: {2..9} items, total {140..990}.{10..95}, for {complaint}.",
    "Payment plan, {3..12} months of {25..95}.{10..95}. Treated for {complaint}.",
    "Claim returned {today}, code {11..98}, {service}. Reason for care: {complaint}.",
    "Invoice question, {service}, lines {2..5} to {6..12}. Visit for {complaint}.",
    "Insurance pre-approval, {service}, {2..6} sessions. Problem stated: {complaint}.",
    "Balance {110..990}.{10..95} open {31..120} days, {service}: {complaint}.",
    "Message from the cash office, {today} {9..16}:{10..55}. Care given for {complaint}.",
    "Refund of {20..340}.{10..95} under review, {service}. Service: {complaint}.",
)

OPENINGS: tuple[str, ...] = (
    *DISCHARGE_OPENINGS,
    *PROGRESS_OPENINGS,
    *REFERRAL_OPENINGS,
    *PHONE_OPENINGS,
    *BILLING_OPENINGS,
)
