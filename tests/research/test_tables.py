"""The READMEs show what the benches wrote, and nothing that is older."""

from pathlib import Path

import pytest

from research import tables
from research.tables import PAGES, TABLES, rendered


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(tables.ROOT)))
def test_the_tables_are_fresh(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert rendered(text) == text, "stale: run `make tables`"


def test_every_table_is_shown_somewhere() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in TABLES if f"<!-- table: {name} -->" not in pages] == []


def test_what_is_between_the_marks_is_replaced_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "TABLES", {"demo": lambda: "| new |\n"})
    page = "before\n<!-- table: demo -->\n| old |\n| old |\n<!-- end -->\nafter\n"
    assert rendered(page) == "before\n<!-- table: demo -->\n| new |\n<!-- end -->\nafter\n"
    assert rendered("nothing marked\n") == "nothing marked\n"


def test_seeds_of_a_tofu_row_become_one_with_the_least_forget_quality(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = (
        "model_utility", "forget_probability", "forget_rouge", "forget_truth_ratio",
        "forget_extraction_strength", "retain_probability", "retain_rouge",
    )  # fmt: skip
    rows = [
        {"method": method, "forget_quality": quality, **dict.fromkeys(names, value)}
        for method, quality, value in (("a", 0.5, 0.25), ("b", 0.5, 0.25), ("b", 0.125, 0.75))
    ]
    monkeypatch.setattr(tables, "_read", lambda _: {"rows": rows})
    one, two = TABLES["tofu"]().splitlines()[2:]
    assert one == "| a | 0.500 |" + " 0.250 |" * 7
    assert two == "| b, 2 seeds | 0.125 |" + " 0.500 |" * 7
