"""The glossary: its page is up to date, and every term is explained in plain words."""

from pathlib import Path

import pytest

from sanilens.glossary import GLOSSARY, page

PAGE = Path(__file__).parents[1] / "docs" / "glossary.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python -m sanilens.glossary > docs/glossary.md`"


@pytest.mark.parametrize("term", GLOSSARY)
def test_a_term_is_explained_in_a_tooltips_length(term: str) -> None:
    text = GLOSSARY[term]
    assert text.endswith(".")
    assert len(text) < 300
