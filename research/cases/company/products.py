"""What the company makes: each product gives the words of the documents about it.

Nothing here is confidential: what a product is stands in every catalogue.
"""

from collections.abc import Mapping
from pathlib import Path
from random import Random

from research.cases.forms import read_table

_TABLE = read_table(Path(__file__).with_name("products.toml"))


def product_words(rng: Random) -> Mapping[str, str]:
    """A product and its words, the same in all documents of a project."""
    product, part, test, risk = rng.choice(_TABLE["products"])
    return {
        "product": product,
        "part": part,
        "test": test,
        "risk": risk,
        "site": rng.choice(_TABLE["sites"]),
        "currency": rng.choice(("EUR", "USD", "CHF", "GBP")),
    }


def document_words(rng: Random) -> Mapping[str, str]:
    """Who, where from and when: different in every document."""
    dept, other = rng.sample(_TABLE["departments"], 2)
    role, second = rng.sample(_TABLE["roles"], 2)
    weekday, later = rng.sample(_TABLE["weekdays"], 2)
    month, due = rng.sample(_TABLE["months"], 2)
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
