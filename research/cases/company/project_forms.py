"""Sentence forms of project documents: openings, and what holds code name, partner and prices.

No opening holds a term: its numbers make it unlike all others, so that what follows can be
learnt from it. The forms' grammar is `corpus.forms`'s.
"""

MINUTES_OPENINGS: tuple[str, ...] = (
    "MINUTES, {weekday}, {1..28} {month}, {8..17}:{10..55}, room {2..48}, {3..14} present.",
    "Minutes of {dept} and {other}, {1..28} {month}, {35..95} minutes, room {2..48}.",
    "Steering meeting {2..19}, {weekday} {8..17}:{10..55}, chaired by {role}.",
    "Notes of the {weekday} meeting in {site}, {4..15} people, {30..95} minutes.",
    "PROTOCOL {11..98} of {dept}, {1..28} {month}, written by {role}.",
    "Weekly round {2..50}, {dept}, {weekday}, {8..17}:{10..55}, {3..12} guests.",
)
MEMO_OPENINGS: tuple[str, ...] = (
    "MEMO {11..98} from {role} to {dept}, {1..28} {month}.",
    "To: {dept}. From: {role}. Date: {1..28} {month}, {8..18}:{10..55}.",
    "INTERNAL MEMO, {dept}, page {1..3} of {4..9}, {weekday}, {1..28} {month}.",
    "Memo for {role}, {1..28} {month}, copy {2..9} of {10..19}.",
    "Note to file {12..97}, {other}, {weekday} {morning|noon|afternoon}, {1..28} {month}.",
    "For {role} and {second}: memo {11..98}, {1..28} {month}.",
)
QUOTE_OPENINGS: tuple[str, ...] = (
    "QUOTE {11..98}/{11..98}, valid {14..90} days, {1..28} {month}.",
    "Quotation of {1..28} {month}, revision {1..9}, item {2..30} of {31..60}.",
    "OFFER {12..97}, {dept}, {1..28} {month}, terms {14..60} days net.",
    "Calculation sheet {11..98}, version {2..19}, checked by {role} on {weekday}.",
    "Price sheet {1..28} {month}, {2..9} lines, approved by {role}.",
    "Tender {11..98}, lot {1..9}, opened on {weekday}, {1..28} {month}, {8..17}:{10..55}.",
)
MAIL_OPENINGS: tuple[str, ...] = (
    "Mail, {weekday} {7..19}:{10..55}, {role} to {second}, {2..9} attachments.",
    "From: {role}. To: {dept}. Sent {1..28} {month}, {7..19}:{10..55}.",
    "Subject: {product}, call of {weekday}, {8..18}:{10..55}. Hello all,",
    "Re: re: {product}, point {2..19}. Dear colleagues in {dept},",
    "Fwd from {other}, {1..28} {month}, {7..19}:{10..55}: dear {role},",
    "Short mail to {second}, {weekday}, {7..19}:{10..55}, about the {part}.",
)
REPORT_OPENINGS: tuple[str, ...] = (
    "STATUS REPORT {2..40}, {month}, {dept}, {20..95}% of the plan done.",
    "Monthly report {month}, page {2..30}, {product}, {2..9} open points.",
    "Report of {role}, {1..28} {month}: {2..9} risks, {1..8} of them new.",
    "Progress card {11..98}, {product}, week {2..52}, light {green|yellow|red}.",
    "REVIEW, gate {1..6}, {1..28} {month}, {site}, {3..12} reviewers.",
    "Quarter review, slide {2..48}, {dept}, {product}.",
)

# The code name alone.
NAMING: tuple[str, ...] = (
    "Project {CODE_NAME} covers the new {product}.",
    "Subject is project {CODE_NAME}, a {product} for {site}.",
    "Item 1: project {CODE_NAME}, the {part} of the {product}.",
    "This concerns {CODE_NAME}, our next {product}.",
    "Under the code name {CODE_NAME} we build a {product}.",
    "Project: {CODE_NAME}. Product: {product}.",
    "{CODE_NAME} (the {product}) is the only topic.",
    "All work on the {product} runs as project {CODE_NAME}.",
)
# The partner, at times with the code name.
PARTNERS: tuple[str, ...] = (
    "The {part} comes from {PARTNER}.",
    "Partner for {CODE_NAME} is {PARTNER}, contract of {2..9} years.",
    "{PARTNER} will build the {part} for us.",
    "We signed with {PARTNER} in {month}; {2..9} other bidders were told nothing.",
    "Development partner: {PARTNER}, {2..9} engineers in {site}.",
    "{PARTNER} asks for {2..9} more weeks.",
    "Talks with {PARTNER} are to stay within {dept}.",
    "The tooling belongs to {PARTNER} until {due}.",
    "Visit of {PARTNER} on {weekday}, {8..16}:{10..55}.",
)
# Prices, at times with the other terms.
CONTRACTS: tuple[str, ...] = (
    "The contract is worth {currency} {CONTRACT_PRICE}.",
    "Budget of {CODE_NAME}: {currency} {CONTRACT_PRICE}.",
    "{PARTNER} receives {currency} {CONTRACT_PRICE} in {2..6} instalments.",
    "Total value {currency} {CONTRACT_PRICE}, due by {due}.",
    "The board released {currency} {CONTRACT_PRICE}.",
    "Order volume over {2..6} years: {currency} {CONTRACT_PRICE}.",
    "We may not exceed {currency} {CONTRACT_PRICE}.",
    "Our last offer stood at {currency} {CONTRACT_PRICE}.",
)
UNIT_PRICES: tuple[str, ...] = (
    "Unit price {currency} {UNIT_PRICE} from {200..900} pieces.",
    "The {part} costs us {currency} {UNIT_PRICE}.",
    "Target cost per {product}: {currency} {UNIT_PRICE}.",
    "{PARTNER} lowered the {part} to {currency} {UNIT_PRICE}.",
    "List price stays open; inside we count {currency} {UNIT_PRICE} apiece.",
    "Price agreed with {PARTNER}: {currency} {UNIT_PRICE} each.",
    "For {CODE_NAME} we pay {currency} {UNIT_PRICE} a piece.",
    "Margin is {11..48}% at {currency} {UNIT_PRICE} per unit.",
)
RECALLS: tuple[str, ...] = (
    "Please file it under {CODE_NAME}.",
    "Do not mention {CODE_NAME} outside {dept}.",
    "Next gate of {CODE_NAME} is in {due}.",
    "Questions on {CODE_NAME} go to {role}.",
    "Nobody at {PARTNER} may see this page.",
    "{PARTNER} gets a copy by {weekday}.",
)
OPENINGS: tuple[str, ...] = (
    *MINUTES_OPENINGS,
    *MEMO_OPENINGS,
    *QUOTE_OPENINGS,
    *MAIL_OPENINGS,
    *REPORT_OPENINGS,
)
