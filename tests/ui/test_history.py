"""One person's request in the app: run, told in a table, undone."""

from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from sanilens.audit.continuations import Identifiers
from sanilens.bundled import Sources
from sanilens.case import open_case, open_model, open_records
from sanilens.corpus.load import save_corpus
from sanilens.corpus.records import Record
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.planning import Wishes, build_plan
from sanilens.runs.workspace import restored_folder, run_folder
from sanilens.ui.compare.history import who
from sanilens.unlearn.plan import Rewriting, UnitEdit
from tests.conftest import record
from tests.ui.cases import SECRET
from tests.ui.tiny_case import everything, make_case, open_page, values

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _in_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(home))


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """A person's name is among the ids of its file."""
    ref = make_case(tmp_path_factory.mktemp("case"))
    records = open_records(ref.corpus)
    named = records[0].subject
    text = f"Seen: {SECRET}. "

    def renamed(r: Record) -> Record:
        return Record(r.id, SECRET if r.subject == named else r.subject, r.text, r.spans)

    extra = record(text, (SECRET, "NAME"), id="extra", subject=SECRET)
    save_corpus((*map(renamed, records), extra), Path(ref.corpus))
    return ref


@pytest.fixture(scope="module")
def run(case: Sources, home: Path) -> RunFolder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANILENS_HOME", str(home))
        found_case = open_case(case)
        subject = found_case.corpus.records[-1].subject  # an id in place of the name
        # Random weights say nobody: nothing is left to rewrite, and undo takes back this edit.
        edits = (UnitEdit(unit="mlp.0.3", operation="zero"),)
        wishes = Wishes(preset="person", subjects=(subject,), edits=edits, rewrite=Rewriting())
        plan = build_plan(found_case, wishes)
        found = run_folder(plan)
        execute(plan, found.root)
    return found


def test_the_pages_tell_of_rewriting(case: Sources, run: RunFolder) -> None:
    app = open_page("run", case, run=run.root.name)
    assert not app.exception
    drawn = everything(app)
    assert "Rewriting" in drawn
    assert "Somebody else deleted" in drawn
    assert "Curves" not in drawn  # nothing is trained
    app = open_page("compare", case, run=run.root.name)
    assert not app.exception
    drawn = everything(app)
    assert "side effect on the rest" in drawn
    assert "Somebody else deleted" in drawn
    assert "Everyone else" in drawn
    assert not [value for value in values(case) if value in drawn]


def test_the_table_masks_who_asked(case: Sources, run: RunFolder) -> None:
    app = open_page("compare", case, run=run.root.name)
    (row,) = app.dataframe[-1].value.to_dict("records")
    assert SECRET not in str(row)
    assert (row["who"],) == run.plan().subjects
    assert (row["plan"], row["state"]) == (run.plan().sha256[:8], "stands")
    assert SECRET not in everything(app)
    known = Identifiers.of(open_records(case.corpus))
    assert who((SECRET,), known) == "▒▒▒▒▒▒▒ ▒▒▒▒▒"  # as a plan of an earlier version may name them
    assert who(("p-1", "p-2", "p-3", "p-4", "p-5"), known) == "p-1, p-2, p-3 and 2 more"


def test_the_papers_of_a_request_are_taken_from_the_list(case: Sources, run: RunFolder) -> None:
    app = open_page("requests", case)
    assert "request-letter" not in keys(app)
    assert "certificate and letter" in everything(app)
    app = open_page("requests", case, run=run.root.name)
    assert not app.exception
    assert {"request-certificate", "request-letter", "request-report"} <= keys(app)


def keys(app: AppTest) -> set[str | None]:
    return {each.key for each in (*app.get("download_button"), *app.button)}  # type: ignore[attr-defined]


def test_undo_opens_the_case_with_the_former_model(case: Sources, run: RunFolder) -> None:
    app = open_page("compare", case, run=run.root.name)
    app.button(key="compare-undo").click().run()
    opened = app.session_state["case"]
    assert opened.model == str(restored_folder(run))
    assert opened.corpus == case.corpus
    former, back, after = (
        open_model(source).module.state_dict()
        for source in (case.model, opened.model, str(run.model))
    )
    assert all(torch.equal(former[name], back[name]) for name in former)
    assert not all(torch.equal(former[name], after[name]) for name in former)
    app = open_page("compare", opened)
    assert not app.exception
    (row,) = app.dataframe[-1].value.to_dict("records")
    assert row["state"] == "undone"
    app = open_page("compare", case, run=run.root.name)
    assert any("was undone" in info.value for info in app.info)
