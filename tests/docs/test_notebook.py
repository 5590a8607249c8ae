"""The quickstart notebook runs from top to bottom, and the README shows its code."""

import ast
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]


def cells() -> list[str]:
    """The notebook's code."""
    notebook = json.loads((ROOT / "docs" / "notebooks" / "quickstart.ipynb").read_text())
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]


def run(cell: str, names: dict[str, Any]) -> Any:
    """Run a cell; what its last line gives is what a notebook shows under it."""
    tree = ast.parse(cell)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # pyright: ignore


@pytest.mark.slow  # a whole run on the clinic, minutes
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown = [run(cell, names) for cell in cells()]
    assert all("<table" in value._repr_html_() for value in shown if value is not None)
    table = next(v for v in reversed(shown) if isinstance(v, pd.DataFrame)).set_index("arm")
    hits = {arm: int(str(words).split(" ")[0]) for arm, words in table["direct"].items()}
    assert hits["Before"] > 600
    assert hits["After (this plan)"] < 10


def test_the_readme_shows_the_notebooks_code() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("```python\n")[2].partition("```")[0]
    code = [line for cell in cells() for line in cell.splitlines() if not line.startswith("print")]
    assert [line for line in shown.splitlines() if line] == [line for line in code if line]


def test_the_notebook_is_kept_without_output() -> None:
    notebook = json.loads((ROOT / "docs" / "notebooks" / "quickstart.ipynb").read_text())
    assert not any(cell.get("outputs") for cell in notebook["cells"])
