"""Before and after, span by span: counts, pairs, verdicts."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from sanilens.audit.metrics.metric import Held
from sanilens.audit.statistics import mcnemar, paired_difference
from sanilens.audit.summary import RateRow
from sanilens.errors import IntegrityError, RunError
from sanilens.runs.arms import Arm, ArmName, save_arm
from sanilens.runs.comparison import Comparison, SpanRow, load_comparison, same_questions
from sanilens.runs.folder import RunFolder
from sanilens.runs.judgement import judge, utility
from sanilens.runs.verdict import instead, side_effect, verdict, weighed
from sanilens.unlearn.plan import Plan, Source

SOURCE = Source(source="clinic:notes", sha256="0" * 64)


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [(0, 0, 1.0), (5, 5, 1.0), (0, 5, 0.0625), (10, 0, 2 / 1024), (1, 8, 20 / 512)],
)
def test_mcnemar_is_the_binomial_sum(first: int, second: int, p: float) -> None:
    assert mcnemar(first, second) == pytest.approx(p)


def test_paired_difference() -> None:
    low, high = paired_difference(3, 3, 100)
    assert low == pytest.approx(-high)
    low, high = paired_difference(20, 2, 100)
    assert 0 < low < 0.18 < high < 0.3


def arm(name: ArmName, perplexity: float | None = 3.0) -> Arm:
    row = RateRow(rate=0.5, hits=1, n=2, low=0.1, high=0.9)
    return Arm(
        arm=name,
        metrics={
            "extraction": {"direct": row, "indirect": row},
            "perplexity_unseen": perplexity,
        },
        by_subject={"p-1": row},
        perplexity_neutral=2.0,
        seconds=1.5,
    )


def comparison(**said: str) -> Comparison:
    """Arms by what they say of each span: `1` said, `0` not, `r` repeated in context and said."""
    kinds = ["direct", "indirect"]
    return Comparison(
        {name: arm(name) for name in said},  # pyright: ignore[reportArgumentType]
        {
            name: {  # pyright: ignore[reportArgumentType]
                f"n@{i}-{i + 1}": SpanRow(f"L{i % 2}", kinds[i % 2], m != "r", m != "0", -1.0)
                for i, m in enumerate(marks)
            }
            for name, marks in said.items()
        },
    )


def test_counts_memory_only() -> None:
    found = comparison(before="11110r", after="01000r", reference="00000r")
    assert (found.rate("before").hits, found.rate("before").n) == (4, 5)
    assert (found.rate("before", "indirect").hits, found.rate("before", "indirect").n) == (2, 2)
    assert found.labels()["L0"]["before"].hits == 2
    assert list(found.labels()) == ["L0", "L1"]
    pair = found.paired("before", "after")
    assert (pair.n, pair.only_first, pair.only_second) == (5, 3, 0)
    table = found.table()
    assert len(table) == 9
    assert set(table["kind"]) == {"all", "direct", "indirect"}


def test_a_run_that_is_not_that_far_says_so(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    with pytest.raises(RunError, match="no such folder"):
        load_comparison(run)
    run.prepare(Plan(model=SOURCE, corpus=SOURCE))
    with pytest.raises(RunError, match="Let it run on"):
        load_comparison(run)


@pytest.mark.parametrize(
    ("after", "reference", "state", "words"),
    [
        (3.0, 3.0, "kept", "Gone: it says no more than the reference."),
        (2.0, 3.0, "kept", "Gone: it says no more than the reference."),
        (5.0, 3.0, "worse", "lost more than the secrets"),
        (234.0, 3.0, "broken", "The model is broken"),
        (math.inf, 3.0, "broken", "The model is broken"),
        (math.inf, math.inf, "broken", "The model is broken"),
        (None, None, "unknown", "not measured"),
    ],
)
def test_a_verdict_weighs_what_is_still_known(
    after: float | None, reference: float | None, state: str, words: str
) -> None:
    none = "0" * 400
    found = comparison(before="1" * 404, after="0010" + none, reference="0100" + none)
    arms = {"before": arm("before"), "after": arm("after", after)}
    arms["reference"] = arm("reference", reference)
    found = replace(found, arms=arms)
    assert utility(found).state == state
    said = verdict(found, None)
    assert words in said.headline
    assert (said.state == "gone") == (state in ("kept", "worse"))
    # Without a reference, too.
    judged = judge(replace(found, arms={n: a for n, a in arms.items() if n != "reference"}))
    assert judged
    alone = weighed(judged, replace(utility(found), against="before"), None)
    assert (words in alone.headline) == (state != "kept")


def test_a_verdict_says_what_was_kept_and_of_whom() -> None:
    def rests(held: Held | None) -> str:
        after = arm("after")
        after = after.model_copy(update={"metrics": {**after.metrics, "knowledge_kept": held}})
        found = comparison(before="1111", after="0010", reference="0100")
        return verdict(replace(found, arms={**found.arms, "after": after}), None).rests

    assert "Knowledge kept" not in rests(None)
    assert "Knowledge kept: 93.7 % of the reference's." in rests(
        Held(value=0.937, against="reference")
    )
    assert "-4.0 % of the leaking model's" in rests(Held(value=-0.04, against="leaking"))
    refused = rests(Held(value=None, against="leaking"))
    assert "not measured" in refused
    assert "as well as the leaking model" in refused
    assert "%" not in refused.partition("Knowledge")[2]


def test_a_leak_that_is_not_gone_says_so_of_a_broken_model_too() -> None:
    found = comparison(before="1" * 9, after="1" * 9, reference="0" * 9)
    found = replace(found, arms={**found.arms, "after": arm("after", 1e9)})
    words = verdict(found, None).headline
    assert words.startswith("Not gone")
    assert "broken" in words


def test_nothing_was_audited() -> None:
    found = comparison(before="rr", after="rr", reference="rr")
    assert verdict(found, None).headline == "Undecided: nothing was audited."
    assert (
        verdict(comparison(before="1", after="0"), "indirect").headline
        == "Undecided: nothing was audited."
    )


def test_an_infinite_perplexity_stays_one(tmp_path: Path) -> None:
    save_arm(tmp_path, arm("after", math.inf))
    kept = Arm.model_validate_json((tmp_path / "after.json").read_bytes())
    assert kept.perplexity_unseen == math.inf


def test_somebody_elses_deletion_tells_erasure_from_damage() -> None:
    said, gone = "1" * 20, "0" * 20
    assert instead(comparison(before=said, after=gone), None) is None

    def words(after: str, other: str, before: str = said) -> str:
        found = instead(comparison(before=before, after=after, another_subject=other), None)
        assert found
        return f"{found.headline} {found.rests}".strip()

    assert words(gone, said) == (
        "It is erasure, not damage. Deleting somebody else instead leaves 20 of 20 of theirs; "
        "this plan leaves 0 (p < 0.001)."
    )
    assert words(gone, "0" * 2 + "1" * 18).startswith("Part of it is damage")
    assert words(gone, gone).startswith("Damage, not erasure")
    assert words("0" * 5, "1" * 5, "1" * 5).startswith("Too few spans")
    assert words(said, gone).startswith("Deleting somebody else takes more")
    assert "nothing could be erased" in words(gone, gone, gone)
    # What is new is not what was left.
    assert "leaves 1 of 2 of theirs" in words("00", "10", "11")


def test_what_others_lost_is_told_with_n_and_interval() -> None:
    found = comparison(before="1" * 9 + "0", after="0" * 2 + "1" * 7 + "1")
    low, high = paired_difference(1, 2, 10)
    assert low < 0 < high
    assert side_effect(found) == (
        f"of 10 · 2 lost, 1 new: −{-100 * low:.1f} to +{100 * high:.1f} points (95 %)"
    )
    assert side_effect(comparison(before="", after="")) == "nobody else has a span"


def test_arms_that_were_asked_for_other_spans_are_not_of_one_run() -> None:
    """Whoever leaves out the worst person's rows makes the rest look better."""
    spans = comparison(before="110", after="010").spans
    same_questions(spans)
    fewer = dict([*spans["after"].items()][1:])
    with pytest.raises(IntegrityError, match=r"after\.parquet is about other spans"):
        same_questions({**spans, "after": fewer})
    same_questions({**spans, "lookalike": fewer})  # other people's records
