"""A tiny case and runs of it, for the pages Plan, Run and Compare."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from research.cases.clinic import generic_notes, patient_notes
from sanilens.bundled import Sources
from sanilens.case import model_source, open_model, open_records, records_source
from sanilens.corpus.load import save_corpus
from sanilens.corpus.records import Record
from sanilens.ui.state import Parts
from sanilens.unlearn.plan import Plan, Repair, UnitEdit
from tests.conftest import save_tiny

EDITS = (
    UnitEdit(unit="mlp.0.3", operation="reset"),
    UnitEdit(unit="mlp.2.7", operation="zero"),
    UnitEdit(unit="mlp.1.1", operation="cap", value=0.1),
)


def make_case(folder: Path) -> Sources:
    """Models and notes of a case; the model reads 256 tokens, so the notes are cut."""
    models = {"model": 0, "base": 1, "reference": 2}
    for name, seed in models.items():
        save_tiny(folder / name, "gpt_neox", seed=seed)
    texts = {
        "notes": patient_notes(1, 4),
        "control": patient_notes(2, 2),
        "unseen": tuple(generic_notes(3, 3)),
    }
    for name, records in texts.items():
        save_corpus(tuple(map(_short, records)), folder / f"{name}.jsonl")
    return Sources(
        model=str(folder / "model"),
        corpus=str(folder / "notes.jsonl"),
        base=str(folder / "base"),
        reference=str(folder / "reference"),
        control=str(folder / "control.jsonl"),
        unseen=str(folder / "unseen.jsonl"),
    )


def make_plan(ref: Sources) -> Plan:
    """A plan of that case, with one edit that no weights can hold."""
    assert ref.base
    assert ref.reference
    assert ref.unseen
    return Plan(
        model=model_source(ref.model, open_model(ref.model)),
        base=model_source(ref.base, open_model(ref.base)),
        reference=model_source(ref.reference, open_model(ref.reference)),
        corpus=records_source(ref.corpus, open_records(ref.corpus)),
        unseen=records_source(ref.unseen, open_records(ref.unseen)),
        edits=EDITS,
        repair=Repair(epochs=1, batch_size=4),
    )


def open_page(name: str, ref: Sources | None, **state: object) -> AppTest:
    """A page of the app with that case open; `state` is put into the session first."""
    app = AppTest.from_function(_page, kwargs={"name": name}, default_timeout=120)
    if ref:
        app.session_state["case"] = ref
    for key, value in state.items():
        app.session_state[key] = value
    return app.run()


def parts(app: AppTest) -> Parts:
    """What the page's plan does beside its units: as chosen, else as suggested."""
    found: dict[str, Any] = {}
    for part in fields(Parts):
        suggested = getattr(app.session_state["suggested"], part.name)
        chosen = part.name in app.session_state
        found[part.name] = app.session_state[part.name] if chosen else suggested
    return Parts(**found)


def everything(app: AppTest) -> str:
    """All that a page sends to the browser, as one text."""
    return "\n".join(str(getattr(element, "proto", "")) for element in app)


def values(ref: Sources) -> set[str]:
    """Direct identifiers of the case that no page may show before the reveal."""
    records = open_records(ref.corpus)
    spans = [(r, s) for r in records for s in r.spans if s.kind == "direct"]
    return {r.value(s) for r, s in spans if len(r.value(s)) > 5}


def _short(record: Record) -> Record:
    spans = tuple(span for span in record.spans if span.end <= 200)
    return Record(record.id, record.subject, record.text[:200], spans)


def _page(name: str) -> None:
    from importlib import import_module

    from sanilens.ui import navigation

    navigation.register()
    import_module(f"sanilens.ui.pages.{name}").page()
