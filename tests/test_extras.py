"""What an extra brings is named, with the extra, where it is needed and missing."""

import ast
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from research.locate import captum_layer_ig
from sanilens.cli.app import app
from sanilens.corpus import indirect as corpus_indirect
from sanilens.corpus.detection import detector
from sanilens.corpus.detection.detector import detect_spans
from sanilens.corpus.indirect import TermSettings, subject_terms
from sanilens.corpus.records import Record
from sanilens.dictionaries.sae.train import SaeSettings, train_sae
from sanilens.errors import MissingExtraError
from sanilens.model.language_model import LanguageModel

ROOT = Path(__file__).parents[1]
EXTRAS = {
    "presidio_analyzer": "detect", "spacy": "detect", "confection": "detect", "sae_lens": "sae",
    "captum": "research", "rouge_score": "research",
    "streamlit": "app", "plotly": "evidence", "markupsafe": "evidence", "starlette": "app",
}  # fmt: skip
# Drawn by Streamlit, which has then been found.
PAGES = ROOT / "sanilens" / "ui"
TEXT = "Seen by Ana Ruiz at (312) 771-0938."


def detect(_: LanguageModel, __: Path) -> None:
    detect_spans(TEXT)


def indirect(_: LanguageModel, __: Path) -> None:
    list(subject_terms((Record("r", "s", TEXT),), TermSettings()))


def sae(model: LanguageModel, folder: Path) -> None:
    texts = [Record(name, "s", TEXT) for name in ("a", "b")]
    settings = SaeSettings("blocks.1.hook_attn_out", width=8, k=2, steps=1)
    train_sae(model, texts, texts, settings, folder / "sae", "s")


def cost(model: LanguageModel, _: Path) -> None:
    captum_layer_ig(model, [])


def serve(_: LanguageModel, __: Path) -> None:
    app()


@pytest.mark.parametrize(
    ("call", "library", "extra"),
    [
        (detect, "presidio_analyzer", "detect"),
        (indirect, "spacy", "detect"),
        (sae, "sae_lens", "sae"),
        (cost, "captum", "research"),
        (serve, "streamlit", "app"),
    ],
)
def test_what_is_missing_is_one_sentence_with_the_extras_name(
    call: Callable[[LanguageModel, Path], None], library: str, extra: str,
    model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, library, None)
    detector._engine.cache_clear()
    corpus_indirect._stop_words.cache_clear()
    with pytest.raises(MissingExtraError) as found:
        call(model, tmp_path)
    wanted = f"This needs {library}, which is not installed: pip install 'sanilens[{extra}]'."
    assert str(found.value) == wanted


def unguarded(node: ast.AST, guard: str = "") -> list[str]:
    """Libraries of an extra that are imported outside of its `with needs(…)`."""
    match node:
        case ast.With(
            items=[ast.withitem(ast.Call(ast.Name("needs"), [ast.Constant(str(extra))]))]
        ):
            guard = extra
        case ast.If(test=ast.Name("TYPE_CHECKING")):
            return []
        case ast.Import(names=names):
            found = [alias.name.split(".")[0] for alias in names]
            return [name for name in found if EXTRAS.get(name, guard) != guard]
        case ast.ImportFrom(module=str(module)):
            name = module.split(".")[0]
            return [name] if EXTRAS.get(name, guard) != guard else []
    return [name for child in ast.iter_child_nodes(node) for name in unguarded(child, guard)]


@pytest.mark.parametrize(
    "path",
    [p for room in ("sanilens", "research") for p in sorted((ROOT / room).rglob("*.py"))
     if not p.is_relative_to(PAGES)],
    ids=lambda p: str(p.relative_to(ROOT)),
)  # fmt: skip
def test_the_library_imports_an_extra_where_it_says_so(path: Path) -> None:
    assert unguarded(ast.parse(path.read_text(encoding="utf-8"))) == []
