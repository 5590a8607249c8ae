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
