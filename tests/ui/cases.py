"""A tiny case on disk, and a page that shows it."""

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from streamlit.testing.v1 import AppTest

from sanilens.bundled import Sources
from sanilens.corpus.load import save_corpus
from sanilens.corpus.records import Record

SECRET = "Quillon Zarth"


def tiny_case(folder: Path, model: Path, records: list[Record]) -> Sources:
    """A random model, a corpus, and the same records under other ids as look-alikes."""
    save_corpus(records, folder / "notes.jsonl")
    alike = [Record(f"c-{r.id}", f"c-{r.subject}", r.text, r.spans) for r in records]
    save_corpus(alike, folder / "alike.jsonl")
    texts = [Record(f"u-{r.id}", r.id, r.text) for r in records]
    save_corpus(texts, folder / "unseen.jsonl")
    paths = (str(folder / name) for name in ("notes.jsonl", "alike.jsonl", "unseen.jsonl"))
    corpus, control, unseen = paths
    source = str(model)
    return Sources(source, corpus, source, _another(model, folder), control, unseen)


def _another(model: Path, folder: Path) -> str:
    """The same model a little further on: a reference is no plan's examined model."""
    shutil.copytree(model, folder / "reference")
    file = folder / "reference" / "model.safetensors"
    further = {name: 1.01 * own for name, own in load_file(file).items()}
    save_file(further, file, {"format": "pt"})
    return str(folder / "reference")


def _script(name: str) -> None:
    from importlib import import_module

    from sanilens.ui import navigation

    navigation.register()
    import_module(f"sanilens.ui.pages.{name}").page()


def page_app(
    name: str, ref: Sources | None, monkeypatch: pytest.MonkeyPatch, home: Path
) -> AppTest:
    """The page with that case open and a workspace of its own, not run yet."""
    monkeypatch.setenv("SANILENS_HOME", str(home))
    app = AppTest.from_function(_script, kwargs={"name": name}, default_timeout=120)
    if ref is not None:
        app.session_state["case"] = ref
    return app


def drawn(app: AppTest) -> str:
    """Everything that the browser was sent, as one text."""
    return "\n".join(str(element.proto) for element in app.main)
