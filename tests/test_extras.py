"""What an extra brings is named, with the extra, where it is needed and missing."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from research.locate import captum_layer_ig
from sanilens.cli.app import app
from sanilens.corpus.detection import detector, known_words
from sanilens.corpus.detection.detector import detect_spans
from sanilens.corpus.indirect import TermSettings, subject_terms
from sanilens.corpus.records import Record
from sanilens.dictionaries.sae.train import SaeSettings, train_sae
from sanilens.errors import MissingExtraError
from sanilens.model.language_model import LanguageModel

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
        (detect, "faker", "detect"),
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
    known_words.known_words.cache_clear()
    with pytest.raises(MissingExtraError) as found:
        call(model, tmp_path)
    wanted = f"This needs {library}, which is not installed: pip install 'sanilens[{extra}]'."
    assert str(found.value) == wanted
