"""Imports go up the list only, the library never imports streamlit, and the root stays small."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sanilens"
# A package imports from itself and from those before it.
ORDER = "corpus model audit dictionaries inspect unlearn case runs evidence api demo".split()
# Single modules that know nothing of the packages.
GROUND = set(
    "errors atomic bundled charts extras files glossary inert kept locked notices progress "
    "__init__".split()
)
# What shows it: draws and parses, so it may import everything.
FRONT = {"ui", "cli", "__main__"}


def imports(path: Path) -> set[str]:
    """Every module that a file imports, at the top or inside functions; not for types alone."""
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_up_only(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert room in {*ORDER, *GROUND, *FRONT}, f"{room} has no place in the order"
    used = {m.split(".")[1] for m in imports(path) if m.startswith("sanilens.") and "." in m}
    if room in FRONT:
        return
    allowed = GROUND | (set(ORDER[: ORDER.index(room) + 1]) if room in ORDER else set())
    assert used <= allowed, f"{path.name} imports {sorted(used - allowed)}"
    assert not any(m.split(".")[0] == "streamlit" for m in imports(path))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_package_does_without_research(path: Path) -> None:
    """A wheel has none of it; in a clone the command line finds it by name."""
    assert not any(m.split(".")[0] == "research" for m in imports(path))
    named = "research.commands" in path.read_text(encoding="utf-8")
    assert not named or path.parent.name == "cli" or path.name == "bundled.py"
