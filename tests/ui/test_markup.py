"""What is written in the source: nothing that a corpus or a file names is Markdown unescaped.

How it looks in a browser is tests/e2e/test_hostile.py's.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanilens.ui.markup import plain

UI = Path(__file__).parents[2] / "sanilens" / "ui"
# What Streamlit reads as Markdown. `st.selectbox`, `st.multiselect`, `st.code`, `st.text` and the
# cells of dataframes are plain text; `card`, `kpi` and all tables escape their values themselves.
MARKDOWN = set(
    "markdown caption header subheader title write badge error warning info success toast metric "
    "button download_button form_submit_button popover expander status tabs table page_link radio "
    "pills segmented_control select_slider checkbox toggle spinner progress dialog page_header "
    "empty_state next_step progress_bar".split()
)
# How the code calls what comes from records, files, folders and models.
OUTSIDE = set(
    "id subject subjects label labels source stem root path model corpus value prompt record "
    "span_id log_file folder error stage".split()
)


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def raw(node: ast.AST) -> Iterator[ast.expr]:
    """Parts of a Markdown text that come from outside and are not escaped."""
    match node:
        case ast.Call() if called(node) in ("plain", "len", "sum"):
            return
        case ast.FormattedValue(format_spec=spec) if spec is not None:
            return  # a number: text has no such format
        case ast.IfExp(body=one, orelse=other):
            yield from (*raw(one), *raw(other))
            return
        case ast.Attribute(attr=name) if name in OUTSIDE:
            yield node
        case ast.Name(id=name) if name in OUTSIDE:
            yield node
    for child in ast.iter_child_nodes(node):
        yield from raw(child)


def written(call: ast.Call) -> Iterator[ast.expr]:
    """The arguments that are read as Markdown, f-strings and what is put together in place."""
    shown = {"label", "body", "text", "help", "value", "subtitle"}
    for each in [*call.args[:2], *(k.value for k in call.keywords if k.arg in shown)]:
        if isinstance(each, ast.JoinedStr | ast.BinOp | ast.IfExp | ast.Attribute):
            yield each


@pytest.mark.parametrize("path", sorted(UI.rglob("*.py")), ids=lambda p: str(p.relative_to(UI)))
def test_what_comes_from_outside_is_escaped(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and called(n) in MARKDOWN]
    found = {
        f"line {part.lineno}: {ast.unparse(part)}"
        for call in calls
        for argument in written(call)
        for part in raw(argument)
    }
    assert not found


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("n-003", r"n\-003"),
        ("a b", "a b"),
        ("![i](https:evil.example)", r"\!\[i\]\(https:color[\:]evil.example\)"),
        ("www.evil.example", r"www:color[\.]evil.example"),
        ("loss 0.25", "loss 0.25"),
        ("1. a", r"1\. a"),
        ("a@b", r"a:color[\@]b"),
        (":material/home:", r":color[\:]material/home:color[\:]"),
        ("a -> b", r"a \-:color[\>] b"),
        ("    a", "&#32;&#32;&#32;&#32;a"),
        ("a\n===", r"a&#10;\=\=\="),
        ("\x1b[31m\u202e", r"◌\[31m◌"),
    ],
)
def test_plain_leaves_nothing_to_read(text: str, markdown: str) -> None:
    assert plain(text) == markdown
