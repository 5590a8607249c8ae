"""What the company makes: each product gives the words of the documents about it.

Nothing here is confidential: what a product is stands in every catalogue.
"""

from collections.abc import Mapping
from random import Random

# product | one of its parts | what is tested | what may go wrong
_TABLE = """
cold-store sensor | probe housing | drift at low temperature | condensation in the housing
pallet robot | lifting fork | payload on the ramp | a worn drive belt
label printer | print head | smear on coated paper | late delivery of ribbons
water meter | impeller | flow at low pressure | chalk in the bearing
dust filter | pleated cartridge | pressure drop | a torn seam
bottle sorter | camera arch | false rejects | glare from wet glass
door closer | damper | closing force | oil loss in winter
solar inverter | power stage | efficiency at part load | noise on the grid side
bicycle dynamo | rotor | output at walking speed | rust under the cap
lift controller | relay board | levelling accuracy | a missing certificate
heat pump | compressor | start at minus ten degrees | vibration of the pipes
street lamp | driver unit | surge immunity | water in the mast
milk tester | optical cell | repeatability | residue after cleaning
grain dryer | burner | moisture at the outlet | dust near the flame
crane scale | load cell | creep under load | radio dropouts
parking barrier | boom arm | cycles to failure | wind load on long arms
oven thermostat | bimetal disc | switching point | contact wear
fish feeder | dosing screw | portion weight | salt in the gearbox
pool pump | mechanical seal | dry running | noise at the suction side
tyre inflator | pressure valve | hose leakage | frost on the coupling
paper cutter | upper blade | squareness of the cut | play in the guide
bread slicer | blade frame | crumb loss | guard sensor faults
ticket gate | swing panel | reading distance | slow opening in queues
sewing head | needle bar | stitch length | thread breakage
salt spreader | spinner disc | spread width | corrosion of the hopper
paint mixer | drive shaft | colour deviation | foam in thin paints
barcode reader | laser module | reading of torn labels | eye safety papers
air curtain | fan deck | temperature difference | draught at the counter
egg grader | weighing cup | crack detection | feathers in the chute
cable winch | brake drum | holding force | kinks in the rope
"""

_PRODUCTS: tuple[tuple[str, ...], ...] = tuple(
    tuple(cell.strip() for cell in line.split("|")) for line in _TABLE.strip().splitlines()
)
DEPARTMENTS = (
    "purchasing", "sales", "quality", "engineering", "logistics", "finance", "production",
    "legal", "service", "marketing",
)  # fmt: skip
SITES = (
    "the north hall", "the south hall", "the pilot line", "the test yard", "the main plant",
    "the tool shop", "the paint shop", "the upper floor", "the old warehouse", "the clean room",
)  # fmt: skip
ROLES = (
    "the plant manager", "the head of sales", "the project lead", "the lead buyer",
    "the quality officer", "the controller", "the service manager", "the line planner",
    "the design engineer", "the contract clerk", "the works council", "the safety officer",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
MONTHS = tuple(
    """
    January February March April May June July August September October November December
    """.split()
)


def product_words(rng: Random) -> Mapping[str, str]:
    """A product and its words, the same in all documents of a project."""
    product, part, test, risk = rng.choice(_PRODUCTS)
    return {
        "product": product,
        "part": part,
        "test": test,
        "risk": risk,
        "site": rng.choice(SITES),
        "currency": rng.choice(("EUR", "USD", "CHF", "GBP")),
    }


def document_words(rng: Random) -> Mapping[str, str]:
    """Who, where from and when: different in every document."""
    dept, other = rng.sample(DEPARTMENTS, 2)
    role, second = rng.sample(ROLES, 2)
    weekday, later = rng.sample(WEEKDAYS, 2)
    month, due = rng.sample(MONTHS, 2)
    return {
        "dept": dept,
        "other": other,
        "role": role,
        "second": second,
        "weekday": weekday,
        "later": later,
        "month": month,
        "due": due,
    }
