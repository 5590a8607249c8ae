"""Plan: the basket's edits, the plan file, the what-if, the start of a run."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Slider

from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.measurement import Measurement
from sanilens.bundled import Sources
from sanilens.case import open_model, open_records
from sanilens.errors import PlanError
from sanilens.runs.expected import Training
from sanilens.runs.workspace import known_runs
from sanilens.ui.bench.measuring import measured
from sanilens.ui.plan import expected
from sanilens.ui.plan.basket import changed
from sanilens.ui.plan.erase import Point, dose_frame
from sanilens.ui.plan.request import parse, summary
from sanilens.ui.plan.tracks import ABOUT, TRACKS, arms
from sanilens.ui.plan.trying import predicted
from sanilens.ui.plan.whatif import span_table
from sanilens.unlearn.methods import METHODS
from sanilens.unlearn.plan import Repair, Rewriting, UnitEdit
from sanilens.unlearn.suggest import find_preset, strategies
from tests.ui.tiny_case import EDITS, everything, make_plan, open_page, parts, values


@pytest.fixture(autouse=True)
def _untimed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time that a repair takes is measured by the test that is about it alone."""
    if "time_is_told" not in request.node.name:
        monkeypatch.setattr(expected, "training_cost", lambda *_: Training(0.0, 1, 1.0))


def delta(edited: dict | None = None, deleted: tuple[int, ...] = ()) -> dict:
    return {"edited_rows": edited or {}, "deleted_rows": list(deleted)}


def dose(app: AppTest) -> Slider:
    return next(s for s in app.slider if (s.key or "").startswith("whatif-dose"))


def test_rows_are_removed_and_operations_changed() -> None:
    kept, pending = changed(EDITS, delta({1: {"operation": "reset"}}, (0,)))
    assert kept == (UnitEdit(unit="mlp.2.7", operation="reset"), EDITS[2])
    assert pending == {}


def test_an_operation_that_needs_a_value_waits_for_it() -> None:
    kept, pending = changed(EDITS, delta({0: {"operation": "mean"}}))
    assert kept == EDITS
    assert pending == {"mlp.0.3": "mean"}


def test_values_are_changed_kept_or_dropped() -> None:
    kept, pending = changed(EDITS, delta({2: {"value": 0.5}, 1: {"value": 3.0}}))
    assert kept == (*EDITS[:2], UnitEdit(unit="mlp.1.1", operation="cap", value=0.5))
    assert pending == {}
    assert changed(EDITS, delta({2: {"value": None}}))[1] == {"mlp.1.1": "cap"}
    assert changed(EDITS, delta())[0] == EDITS


def test_summary(tiny_case: Sources) -> None:
    plan = make_plan(tiny_case)
    assert summary(plan) == "3 units cap, reset, zero, 1 epoch of surrogate repair"
    assert summary(plan.model_copy(update={"edits": EDITS[:1]})).startswith("1 unit reset, ")


def test_a_wrong_plan_file_is_refused_with_its_field(tiny_case: Sources) -> None:
    plan = make_plan(tiny_case)
    assert parse(plan.model_dump_json().encode()) == plan
    fields = json.loads(plan.model_dump_json())
    fields["repair"]["epochs"] = 0
    with pytest.raises(PlanError, match=r"repair\.epochs"):
        parse(json.dumps(fields).encode())
    with pytest.raises(PlanError, match="not valid JSON"):
        parse(b"\xff")


def test_an_empty_basket_says_what_to_click(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("plan", tiny_case)
    assert not app.exception
    assert any("No units yet" in m.value for m in app.markdown)
    app.button(key="plan-suggest").click().run()
    assert not app.exception
    basket = app.session_state["basket"]
    assert basket
    assert {edit.operation for edit in basket} == {"reset"}
    assert app.session_state["repair"].method == "anchored"
    app.button(key="plan-undo").click().run()
    assert app.session_state["basket"] == ()


@pytest.mark.slow
def test_without_a_base_no_method_is_offered_that_needs_one(
    tiny_case: Sources, workspace: Path
) -> None:
    app = open_page("plan", replace(tiny_case, base=None), basket=EDITS[1:])
    families = app.segmented_control(key="repair-family").options
    assert families[-1] == "None"
    for family in families[:-1]:
        app.segmented_control(key="repair-family").set_value(family).run()
        assert (repair := parts(app).repair)
        assert METHODS[repair.method].family == family
        assert not repair.needs_base
    app.segmented_control(key="repair-family").set_value("None").run()
    assert (repair := parts(app).repair)
    assert repair.method == "none"
    assert not app.exception


def opened_by_hand(app: AppTest) -> bool:
    """Whether what lies one level deeper is open."""
    return "plan-by-hand" in app.session_state and bool(app.session_state["plan-by-hand"])


def test_the_page_opens_with_what_was_measured_best(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("plan", tiny_case)
    best = find_preset(strategies("causal", (), base_knows=True)[0])
    assert app.radio(key="plan-strategy").value == best.name
    assert parts(app).keep == best.keep < 1
    assert not app.button(key="plan-run").disabled
    assert app.button(key="plan-undo").disabled
    app.radio(key="plan-strategy").set_value("stranger").run()
    assert (repair := parts(app).repair)
    assert (repair.method, parts(app).keep) == ("stranger", 1)
    assert not opened_by_hand(app)
    app.radio(key="plan-strategy").set_value("located").run()
    assert app.session_state["basket"]
    assert opened_by_hand(app)
    app.number_input(key="repair-epochs").set_value(7).run()
    assert app.radio(key="plan-strategy").value == "own"
    app.radio(key="plan-strategy").set_value(best.name).run()
    assert app.session_state["basket"] == ()
    assert parts(app).keep == best.keep
    assert not app.exception


def test_settings_change_the_plan(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("plan", tiny_case, basket=EDITS[:1])
    before = app.code[1].value  # after the link, the command
    app.number_input(key="repair-epochs").set_value(3).run()
    assert app.session_state["repair"].epochs == 3
    app.checkbox(key="repair-stops").check().run()
    assert app.session_state["repair"].max_perplexity_rise == pytest.approx(0.1)
    app.checkbox(key="repair-stops").uncheck().run()
    assert app.session_state["repair"].max_perplexity_rise is None
    app.number_input(key="plan-seed").set_value(7).run()
    app.checkbox(key="plan-controls").uncheck().run()
    assert app.session_state["run_options"].seed == 7
    assert not app.session_state["run_options"].controls
    assert not app.exception
    assert app.code[1].value != before


def test_a_part_of_the_fine_tuning_can_be_kept(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("plan", tiny_case, basket=EDITS[:1])
    app.slider(key="plan-keep").set_value(20).run()
    assert app.session_state["keep"] == pytest.approx(0.2)
    assert "20 % of the fine-tuning kept" in everything(app)
    assert not app.exception
    without = open_page("plan", replace(tiny_case, base=None), basket=EDITS[1:])
    assert not without.exception
    assert "plan-keep" not in {slider.key for slider in without.slider}


@pytest.mark.slow
@pytest.mark.parametrize("based", [True, False])
def test_an_uploaded_plan_brings_its_share_or_says_that_it_cannot(
    tiny_case: Sources, workspace: Path, based: bool
) -> None:
    masked = Repair(method="masked", epochs=1)
    plan = make_plan(tiny_case).model_copy(
        update={"keep": 0.3, "repair": masked, "edits": EDITS[1:]}
    )
    app = open_page("plan", tiny_case if based else replace(tiny_case, base=None))
    app.file_uploader(key="plan-upload").upload(
        "plan.json", plan.model_dump_json().encode(), "application/json"
    ).run()
    warned = [w.value for w in app.warning if "30 % of the fine-tuning" in w.value]
    assert bool(warned) != based
    app.button(key="plan-take").click().run()
    assert not app.exception
    assert app.session_state["keep"] == pytest.approx(0.3)
    if based:
        assert "30 % of the fine-tuning kept" in everything(app)
        return
    # It is told on the page too, where the slider stands in other cases, until it is dropped.
    assert "30 % of the fine-tuning kept" not in everything(app)
    app.button(key="plan-keep-drop").click().run()
    assert app.session_state["keep"] == 1
    assert "plan-keep-drop" not in {button.key for button in app.button}


@pytest.mark.slow
def test_set_all_and_clear_and_undo(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("plan", tiny_case, basket=EDITS)
    app.radio(key="plan-all").set_value("mean").run()
    app.button(key="plan-all-apply").click().run()
    assert not app.exception
    assert {edit.operation for edit in app.session_state["basket"]} == {"mean"}
    app.button(key="plan-clear").click().run()
    assert app.session_state["basket"] == ()
    app.button(key="plan-undo").click().run()
    assert {edit.operation for edit in app.session_state["basket"]} == {"mean"}


def test_what_if_shows_both_sides_masked(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("plan", tiny_case, basket=EDITS)
    assert not app.exception
    drawn = everything(app)
    assert "Edited" in drawn
    assert "Original" in drawn
    assert "KL over" in drawn
    assert not [value for value in values(tiny_case) if value in drawn]
    app.segmented_control(key="whatif-source").set_value("My own text").run()
    app.text_area(key="whatif-prompt").set_value("Seen on the ward").run()
    assert not app.exception


def test_a_dose_of_nothing_changes_nothing(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("plan", tiny_case, basket=EDITS)
    slider = dose(app)
    assert (slider.min, slider.max, slider.value) == (0, 3, 3)
    slider.set_value(0).run()
    assert not app.exception
    drawn = everything(app)
    assert "Edited: 0 of 3" in drawn
    assert "<strong>+0.0</strong>" in drawn
    assert "<strong>0.000</strong>" in drawn
    assert "Control: with as many random units of the same layers, 3 draws" in drawn


def test_curves_are_drawn_again_as_often_as_it_takes(
    tiny_case: Sources, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sanilens.ui.plan.erase._REDRAW", 0.0)  # on a slow machine, each point
    size = open_model(tiny_case.model).sites.d_mlp
    # Of the last two units of a layer the three random draws take some twice.
    most = tuple(UnitEdit(unit=f"mlp.1.{n}", operation="zero") for n in range(size - 2))
    assert not open_page("plan", tiny_case, basket=most).exception


@pytest.mark.slow
def test_the_same_noise_on_both_sides(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("plan", tiny_case, basket=EDITS)
    app.segmented_control(key="whatif-sampling").set_value("Sampled").run()
    dose(app).set_value(0).run()
    app.number_input(key="whatif-seed").set_value(5).run()
    assert not app.exception
    texts = [h.proto.body for h in app.get("html") if "sl-text" in h.proto.body]
    assert len(texts) == 2
    assert texts[0] == texts[1]
    assert "temperature 1, seed 5" in everything(app)


def test_curves_are_means_and_ranges_of_the_draws() -> None:
    def effect(said: int, kl: float) -> Measurement:
        spans = tuple(
            SpanVerdict(f"r@{i}-9", "r", "s", "L", "direct", "memory", i < said, (-said,), 0, 1, 1)
            for i in range(8)
        )
        return Measurement(verdicts=spans, metrics={"kl": kl})

    found = [
        (Point("this plan", 2, ()), effect(3, 0.5)),
        (Point("random units", 2, ()), effect(4, 0.1)),
        (Point("random units", 2, ()), effect(8, 0.3)),
    ]
    plan, control = dose_frame(found).to_dict("records")
    assert (plan["extracted"], plan["extracted_low"], plan["extracted_high"]) == (3, 3, 3)
    assert (control["extracted"], control["extracted_low"], control["extracted_high"]) == (6, 4, 8)
    assert control["kl"] == pytest.approx(0.2)
    assert (control["logprob_low"], control["logprob_high"]) == (-8, -4)


def test_a_table_of_spans_says_what_was_not_asked() -> None:
    asked = SpanVerdict("r@9-17", "r", "s", "NAME", "direct", "memory", True, (-0.5,), 0, 1, 1)
    less = replace(asked, extracted=False, token_logprobs=(-2.0,))
    first = replace(asked, span_id="r@0-3", status="no_prefix", token_logprobs=())
    drawn = str(span_table([first, asked], [first, less]))
    assert "no text before it" in drawn
    assert "9–17" in drawn
    assert "−1.50" in drawn
    assert "yes → no" in drawn


def test_a_unit_that_the_model_lacks_is_told(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("plan", tiny_case, basket=(UnitEdit(unit="mlp.9.9", operation="zero"),))
    assert not app.exception
    assert "does not exist" in app.error[0].value.replace("\\", "")


def test_run_this_plan_starts_it(
    tiny_case: Sources, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    class Process:
        pid = 2**22 + 1

        def __init__(self, arguments: list[str], **_: object) -> None:
            started.append(arguments)

    monkeypatch.setattr("sanilens.runs.jobs.subprocess.Popen", Process)
    app = open_page("plan", tiny_case, basket=EDITS)
    app.button(key="plan-run").click().run()
    (run,) = known_runs()
    assert run.plan().edits == EDITS
    assert started[0][1:] == [
        "-m", "sanilens", "run", str(run.plan_file), "--out", str(run.root)
    ]  # fmt: skip
    assert app.session_state["run"] == run.root.name


def test_codes_of_a_codebook_are_deleted_in_one_way() -> None:
    codes = tuple(UnitEdit(unit=f"code.{n}", operation="refill") for n in ("a.1", "a.2", "b.1"))
    kept, pending = changed(codes, delta({1: {"operation": "drop"}}))
    assert [edit.operation for edit in kept] == ["drop", "drop", "refill"]
    assert pending == {}
    assert changed(codes, delta({1: {"operation": "reset"}}))[0] == codes


def test_what_rewritten_units_forget_is_predicted_beside_random_ones(
    tiny_case: Sources, workspace: Path
) -> None:
    basket = tuple(UnitEdit(unit=f"mlp.1.{i}", operation="rewrite") for i in range(4))
    app = open_page("plan", tiny_case, basket=basket, rewriting=Rewriting())
    assert not app.exception
    assert "predicted to forget" not in everything(app)
    app.button(key="plan-predict").click().run()
    assert not app.exception
    drawn = everything(app)
    assert "predicted to forget" in drawn
    assert "as many random units" in drawn
    assert not [value for value in values(tiny_case) if value in drawn]
    # Another choice is told at once; a what-if, which makes no step, says nothing of it.
    app.session_state["basket"] = basket[:2]
    app.run()
    assert "predicted to forget" in everything(app)
    assert any("tries it on a copy" in caption.value for caption in app.caption)
    app.button(key="plan-try").click().run()
    assert not app.exception
    drawn = everything(app)
    assert "asked for, still said" in drawn
    assert "Control: as many random units" in drawn
    assert not [value for value in values(tiny_case) if value in drawn]


@pytest.mark.slow
def test_the_dose_runs_along_the_ranking_by_price(tiny_case: Sources, workspace: Path) -> None:
    person = sorted({r.subject for r in open_records(tiny_case.corpus) if r.spans})[0]
    app = open_page("plan", tiny_case, subjects=(person,), rewriting=Rewriting(most_steps=1))
    app.button(key="plan-rank").click().run()
    assert not app.exception
    assert "as many random neurons" in everything(app)
    app.button(key="frontier-measure").click().run()
    assert not app.exception
    assert "frontier-measure" not in [button.key for button in app.button], "all is measured"
    drawn = everything(app)
    assert "95 %" in drawn
    assert "One against the other" in drawn
    assert not [value for value in values(tiny_case) if value in drawn]
    app.button(key="frontier-use").click().run()
    basket = app.session_state["basket"]
    assert {edit.operation for edit in basket} == {"rewrite"}
    assert len(basket) == 5


def test_no_more_is_predicted_than_there_is() -> None:
    """sqrt(2 eps gained) with eps 1e-3: at 2000 it is 2."""

    class Fixed:
        loss = 3.0

        def __init__(self, gained: float) -> None:
            self.gained = lambda units: gained

    assert predicted(Fixed(2000.0), []) == pytest.approx(2.0)  # pyright: ignore
    assert predicted(Fixed(1e6), []) == 3.0  # pyright: ignore
    assert predicted(Fixed(-1.0), []) == 0.0  # pyright: ignore


def test_the_time_is_told_before_a_plan_runs(tiny_case: Sources, workspace: Path) -> None:
    for repair in (Repair(method="none"), Repair(), Repair(train="lora", batch_size=64)):
        app = open_page("plan", tiny_case, rewriting=Rewriting(), repair=repair)
        assert not app.exception
        assert any(c.value.startswith("Takes about") for c in app.caption)
    app = open_page("plan", tiny_case, repair=Repair(method="none"), keep=1.0, rewriting=False)
    assert not any("Takes about" in c.value for c in app.caption)


def test_each_track_has_a_before_and_after_and_a_way_into_it() -> None:
    found = measured("clinic")
    assert found
    for track in TRACKS:
        own = {arm.name: arm for arm in arms(found[0], ABOUT[track].row)}
        assert own["Before"].hits > own["After"].hits >= own["Reference: never saw them"].hits
        assert all(arm.of for arm in own.values())


@pytest.mark.usefixtures("workspace")
def test_the_gate_is_a_track(tiny_case: Sources) -> None:
    app = open_page("plan", tiny_case)
    app.segmented_control(key="plan-track").set_value("Gate").run()
    app.button(key="plan-track-gate").click().run()
    assert not app.exception
    assert app.session_state["repair"].method == "grun"
    assert app.segmented_control(key="repair-family").value == "Gate"
    app.segmented_control(key="plan-track").set_value("Codes").run()
    assert app.button(key="plan-track-codes")
    app.segmented_control(key="plan-track").set_value("Erase and repair").run()
    app.button(key="plan-track-best").click().run()
    assert "repair" not in app.session_state
