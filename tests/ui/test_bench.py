"""Bench: empty until measured; then tiles, picture and table of a result, whoever measured it."""

from dataclasses import replace
from pathlib import Path

import pytest

from research.sanitise.arms import Recipe, all_arms
from sanilens.audit.measurement import Measurement
from sanilens.audit.methods_table import Difference, Line, MethodRow, Part, SanitiseResult, lines
from sanilens.audit.summary import RateRow
from sanilens.bundled import BUNDLED, resolve
from sanilens.model.folder import fingerprint_folder
from sanilens.runs.jobs import Job
from sanilens.ui.bench import measuring
from sanilens.ui.bench.measuring import GROUPS, method_words
from sanilens.ui.bench.picture import tradeoff_frame
from sanilens.ui.bench.table import added_markup, bench_frame, table_markup, views
from tests.ui.tiny_case import everything, open_page


def rates(hits: int) -> dict[str, RateRow]:
    row = RateRow(rate=hits / 10, hits=hits, n=10, low=0.0, high=1.0)
    return {"direct": row, "indirect": row}


def figures(hits: int, perplexity: float) -> Measurement:
    return Measurement(
        metrics={
            "extraction": rates(hits),
            "sampled": hits / 10,
            "exposure_bits": 2.0,
            "membership_auc": 0.5,
            "membership_text_auc": 0.5,
            "ks_distance": 0.02,
            "ks_p": 0.6,
            "perplexity_unseen": perplexity,
            "perplexity_retained": 1.2,
            "restored": 0.5,
            "relearnt": rates(hits),
            "four_bit": rates(hits),
        }
    )


def changed(line: Line, **figures: float | None) -> Line:
    """The line with other figures; None: not measured."""
    found = {**line.figures, **figures}
    return replace(line, figures={n: v for n, v in found.items() if v is not None})


MODEL = fingerprint_folder(Path(resolve("clinic:leaking")))


def result(model: str = MODEL) -> SanitiseResult:
    rows = [
        ("leaking", "given", 8, 3.2), ("reference", "given", 1, 2.9), ("ours", "ours", 0, 2.8),
        ("npo", "baseline", 2, 3.0), ("idk", "baseline", 3, 2.5),
    ]  # fmt: skip
    return SanitiseResult(
        case="clinic",
        model_sha256=model,
        records=4,
        seeds=(0,),
        leak_seconds=100,
        rows=tuple(
            MethodRow(method=n, group=g, seed=0, figures=figures(h, p), seconds=4, cost=0.04)  # pyright: ignore[reportArgumentType]
            for n, g, h, p in rows
        ),
        sha256="ab" * 32,
    )


def test_before_a_measurement_it_says_how_to_get_one(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "shipped_result", lambda case: None)
    app = open_page("bench", None)
    assert not app.exception
    assert app.button(key="bench-start").label == "Measure"


def test_without_a_clone_it_says_that_measuring_needs_one(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sanilens.ui.pages.bench.in_clone", lambda: False)
    app = open_page("bench", None)
    assert not app.exception
    assert "needs a clone" in everything(app)
    assert "bench-start" not in [button.key for button in app.button]


def test_a_result_is_drawn_with_what_beats_what(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "shipped_result", lambda case: result())
    app = open_page("bench", None)
    assert not app.exception
    assert "0.00 %" in everything(app)
    assert "beats 1 of 2 other rows" in everything(app)
    app.segmented_control(key="bench-state").set_value("relearnt").run()
    assert not app.exception


def test_it_says_where_the_open_case_is_not_the_one_shown(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        measuring, "shipped_result", lambda case: result() if case == "clinic" else None
    )
    app = open_page("bench", BUNDLED["ward"])
    assert not app.exception
    assert app.segmented_control(key="bench-case").value == "clinic"
    assert any("**ward**. It has not been measured" in said.value for said in app.caption)
    app = open_page("bench", BUNDLED["clinic"])
    assert app.segmented_control(key="bench-case").value == "clinic"
    assert not any("another one" in said.value for said in app.caption)


@pytest.mark.parametrize("whose", ["shipped", "own"])
def test_a_table_of_another_model_is_not_shown(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    other = result("0" * 64)
    shipped = other if whose == "shipped" else None
    kept = other.model_dump(mode="json") if whose == "own" else None
    monkeypatch.setattr(measuring, "shipped_result", lambda case: shipped)
    monkeypatch.setattr("sanilens.ui.pages.bench.shipped_result", lambda case: shipped)
    monkeypatch.setattr(Job, "result", lambda job: kept)
    app = open_page("bench", None)
    assert not app.exception
    assert app.button(key="bench-start").label == "Measure"
    assert ("another model than the one bundled" in everything(app)) == (whose == "shipped")


def test_what_is_shipped_was_measured_on_the_bundled_model() -> None:
    for case in BUNDLED:
        shipped = measuring.shipped_result(case)
        model = fingerprint_folder(Path(resolve(f"{case}:leaking")))
        assert shipped is None or shipped.model_sha256 == model


def test_rows_stand_under_their_groups_in_words() -> None:
    html = str(table_markup(lines(result().rows), views()["summary"]))
    heads = ["models as given", "ours", "baselines"]
    assert [html.index(f">{head}</span>") for head in heads] == sorted(
        html.index(f">{head}</span>") for head in heads
    )
    assert "controls" not in html  # a group without a row has no head
    assert html.index("NPO") < html.index("Placeholder (IDK)")  # 20 % leak before 30 %
    idk = html[html.index("Placeholder (IDK)") :].partition("</tr>")[0]
    assert "not beaten" in idk
    assert html.count("not beaten") == 1


def test_one_list_is_ordered_by_its_column_and_what_was_not_measured_stands_last() -> None:
    table = [changed(line, exposure_bits=None) if line.method == "npo" else line
             for line in lines(result().rows)]  # fmt: skip
    html = str(table_markup(table, views()["leak"], "exposure_bits"))
    assert "sl-group-row" not in html
    assert html.index("Placeholder (IDK)") < html.index("NPO")
    html = str(table_markup(table, views()["summary"], "perplexity_unseen"))
    assert html.index("Placeholder (IDK)") < html.index("NPO") < html.index("leaking model")


def test_a_broken_model_is_marked_and_its_perplexity_stays_short() -> None:
    table = [changed(line, perplexity_unseen=1.7e18) if line.method == "npo" else line
             for line in lines(result().rows)]  # fmt: skip
    html = str(table_markup(table, ("perplexity_unseen",)))
    assert '<td class="n sl-broken">&gt; 10,000</td>' in html
    assert html.count("sl-broken") == 1
    assert bench_frame(table).set_index("method").loc["npo", "perplexity_unseen"] == 1.7e18


@pytest.mark.parametrize("arm", list(all_arms()), ids=lambda arm: arm.name)
def test_every_row_and_group_has_words(arm: Recipe) -> None:
    assert method_words(arm.name) != arm.name or arm.name[0].isupper()
    assert arm.group in GROUPS


def test_words_of_a_row_of_another_version_are_its_name() -> None:
    assert method_words("<i>new</i>") == "<i>new</i>"


def test_what_a_part_adds_is_told_with_its_interval() -> None:
    steps = [
        Part("located", "random", "masked", 3, Difference(-0.031, -0.05, -0.01),
             Difference(0.02, None, None)),
    ]  # fmt: skip
    html = str(added_markup(steps))
    for words in ("located units erased", "random units erased", "masked repair", "−3.10",
                  "[−5.00, −1.00]", "+0.020", "one seed"):  # fmt: skip
        assert words in html


def test_figures_of_the_table_and_the_picture() -> None:
    frame = bench_frame(lines(result().rows)).set_index("method")
    assert frame["direct"].to_dict()["leaking"] == 80
    assert frame["beaten"].to_dict() == {
        "leaking": "", "reference": "", "ours": "", "npo": "yes", "idk": "no",
    }  # fmt: skip
    points = tradeoff_frame(result(), "four_bit", "perplexity_retained").set_index("method")
    assert points["leak"].to_dict()["npo"] == 20
    assert set(points["utility"]) == {1.2}
    assert not any(points["beyond"])


def test_a_point_beyond_the_picture_stands_at_its_edge() -> None:
    found = result()
    broken = found.rows[3].model_copy(update={"figures": figures(2, 1e9)})
    rows = (*found.rows[:3], broken, *found.rows[4:])
    points = tradeoff_frame(found.model_copy(update={"rows": rows}), "extraction",
                            "perplexity_unseen").set_index("method")  # fmt: skip
    assert points["beyond"].to_dict() == {
        "leaking": False, "reference": False, "ours": False, "npo": True, "idk": False,
    }  # fmt: skip
    assert points.loc["npo", "at"] == pytest.approx(1.6 * 2.9)
    assert points.loc["npo", "utility"] == 1e9
