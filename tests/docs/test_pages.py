"""The Python of every page in docs/ runs as it stands, and the docstrings' examples too."""

import doctest
import importlib
import pkgutil
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import pytest

import sanilens
from sanilens.audit.metrics import METRICS
from sanilens.inspect.locate.localisers import LOCALISERS
from sanilens.model import families
from sanilens.unlearn.methods import METHODS

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(autouse=True)
def registries() -> Iterator[None]:
    """What a page registers is gone after it."""
    kept = (LOCALISERS, METHODS, METRICS, families._FAMILIES)
    with ExitStack() as stack:
        for registry in kept:
            stack.enter_context(patch.dict(registry))
        yield


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.stem)
def test_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": page.stem}
    for fence in _FENCE.finditer(text):
        # Blank lines put the code where it stands on the page, so that an error names its line.
        above = "\n" * (text[: fence.start(1)].count("\n"))
        exec(compile(above + fence[1], str(page), "exec"), names)


def _modules() -> list[str]:
    """Modules whose docstrings hold an example."""
    found = pkgutil.walk_packages(sanilens.__path__, "sanilens.")
    files = {m.name: ROOT / (m.name.replace(".", "/") + ".py") for m in found if not m.ispkg}
    return [name for name, file in files.items() if ">>> " in file.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", _modules())
def test_docstring_examples_hold(name: str) -> None:
    done = doctest.testmod(importlib.import_module(name))
    assert done.attempted > 0
    assert done.failed == 0
