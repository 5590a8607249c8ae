"""Four states, by what can be shown: against the reference, whoever stands in for it, or nobody."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from sanilens.cli.compare import EXIT_CODES
from sanilens.runs.arms import ArmName
from sanilens.runs.comparison import Comparison, SpanRow
from sanilens.runs.folder import RunFolder
from sanilens.runs.judgement import STATES, Excess, judge, seen, utility
from sanilens.runs.verdict import verdict, verdict_of
from sanilens.unlearn.plan import Plan
from tests.runs.test_comparison import SOURCE, arm, comparison


def said(hits: int, n: int) -> str:
    return "1" * hits + "0" * (n - hits)


@pytest.mark.parametrize(
    ("after", "reference", "state"),
    [
        (said(0, 149), said(0, 149), "gone"),
        (said(0, 148), said(0, 148), "undecided"),
        (said(3, 30), said(0, 30), "undecided"),  # and never "no difference"
        (said(5, 30), said(0, 30), "not_gone"),
        (said(30, 30), said(30, 30), "undecided"),  # both say all, of few spans
        (said(0, 30), said(30, 30), "gone"),  # less than the reference
        (said(2, 400), said(0, 400), "gone"),  # shown to be within two points
        (said(5, 4000), said(0, 4000), "not_gone"),  # within the margin, but beyond chance
    ],
)
def test_a_state_is_what_can_be_shown(after: str, reference: str, state: str) -> None:
    found = comparison(before="1" * len(after), after=after, reference=reference)
    judged = judge(found)
    assert judged
    assert judged.against == "reference"
    assert judged.excess.state == state
    words = verdict(found)
    assert words.state == state
    assert words.headline.startswith(STATES[words.state])
    assert "no difference" not in f"{words.headline} {words.rests}".lower()


def test_an_undecided_one_says_how_many_spans_would_do() -> None:
    nothing = verdict(comparison(before=said(13, 13), after=said(0, 13), reference=said(0, 13)))
    assert "nothing is said any more, but 13 spans are too few to tell" in nothing.headline
    assert "About 149 would do." in nothing.headline
    assert (
        "With 95 % confidence it says at most 20.6 points more (exact, one-sided)" in nothing.rests
    )
    some = Excess(3, 30, 0, 30, (3, 0))
    assert some.state == "undecided"
    assert some.enough in range(45, 51)  # then it would be 5 to 0
    assert some.times(50 / 30).state == "not_gone"
    assert Excess(0, 149, 0, 149, (0, 0)).enough == 149
    for few in (Excess(0, 20, 0, 20, (0, 0)), Excess(1, 60, 1, 60, (1, 1)), Excess(1, 40)):
        assert few.enough
        assert few.enough > few.n
        assert few.times(1.1 * few.enough / few.n).state != "undecided"


def test_without_a_reference_somebody_stands_in_and_it_is_said() -> None:
    every = said(200, 200)
    base = verdict(comparison(before=every, after=said(0, 200), base=said(0, 200)))
    assert base.state == "gone"
    assert "the base model stands in" in base.rests
    alike = verdict(comparison(before=every, after=said(0, 200), lookalike=said(0, 200)))
    assert alike.state == "gone"
    assert "of the look-alikes 0 of 200" in alike.rests
    alone = verdict(comparison(before=every, after=said(0, 200)))
    assert alone.state == "gone"
    assert "nobody can say how much a model guesses" in alone.rests
    assert verdict(comparison(before=every, after=said(40, 200))).state == "not_gone"
    assert verdict(comparison(before=every, after=said(4, 200))).state == "undecided"
    more = comparison(before=every, after=said(40, 200), lookalike=said(2, 200))
    assert verdict(more).headline == "Not gone: it still says more than the look-alikes."


def test_nothing_that_a_broken_model_does_not_say_is_gone() -> None:
    found = comparison(before=said(200, 200), after=said(0, 200), reference=said(0, 200))
    for perplexity, state, words in (
        (3.0, "gone", "Gone: none of 200 spans"),
        (5.0, "gone", "lost more than the secrets"),
        (300.0, "undecided", "The model is broken"),
        (math.inf, "undecided", "The model is broken"),
        (None, "undecided", "not measured"),
    ):
        arms = {**found.arms, "after": arm("after", perplexity)}
        told = verdict(replace(found, arms=arms))
        assert (told.state, words in told.headline) == (state, True), told.headline


def test_what_is_queued_is_never_judged_by_something_else() -> None:
    found = comparison(before="11", after="00", base="00")
    waiting = replace(found, queued=("reference", "random_units"))
    assert judge(waiting) is None
    told = verdict(waiting)
    assert told.state == "queued"
    assert told.headline == "Queued: reference not measured yet."
    assert verdict(replace(found, queued=("random_units",))).state == "undecided"


def test_a_run_that_has_measured_nothing_is_queued(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.prepare(Plan(model=SOURCE, corpus=SOURCE))
    assert verdict_of(run).state == "queued"


def test_every_span_that_is_left_is_listed_the_surest_first() -> None:
    def row(logprob: float, sampled: float | None, *, extracted: bool = True) -> SpanRow:
        return SpanRow("NAME", "direct", True, extracted, logprob, "p-1", False, sampled)

    spans: dict[ArmName, dict[str, SpanRow]] = {
        "before": {},
        "after": {
            "n@0-1": row(-3.0, -4.0),
            "n@1-2": row(-0.1, None),
            "n@2-3": row(-9.0, -9.0, extracted=False),
        },
        "reference": {"n@0-1": row(-2.0, -2.0)},
    }
    found = Comparison({name: arm(name) for name in spans}, spans)
    first, second = found.left()
    assert (first.span, first.tries, first.also) == ("n@1-2", None, ())
    assert (second.span, second.subject, second.also) == ("n@0-1", "p-1", ("reference",))
    assert second.tries == pytest.approx(1 - (1 - math.exp(-4)) ** 100)


def test_states_have_words_and_exit_codes_of_their_own() -> None:
    assert STATES.keys() == EXIT_CODES.keys()
    assert sorted(EXIT_CODES.values()) == [0, 4, 5, 6]


def test_utility_is_held_to_the_reference_or_to_before() -> None:
    found = comparison(before="1", after="0")
    assert utility(found).against == "before"
    assert utility(comparison(before="1", after="0", reference="0")).against == "reference"


def test_where_nothing_is_said_it_is_told_what_many_tries_bring() -> None:
    found = comparison(before="11", after="00", reference="00")
    assert "samples" not in verdict(found).rests  # no figure was kept

    def with_figures(arm_name: ArmName, sampled: float) -> dict[str, SpanRow]:
        rows = found.spans[arm_name].items()
        return {span: row._replace(sampled=sampled) for span, row in rows}

    spans = {
        **found.spans,
        "after": with_figures("after", math.log(0.001)),
        "reference": with_figures("reference", -1e3),
    }
    rests = verdict(replace(found, spans=spans)).rests
    share = 100 * (1 - 0.999**200)
    assert f"some span is said with a probability of {share:.1f} % (the reference: less" in rests
    said = {**spans, "after": {s: r._replace(extracted=True) for s, r in spans["after"].items()}}
    assert "samples" not in verdict(replace(found, spans=said)).rests


def test_a_reference_that_has_seen_it_is_no_yardstick() -> None:
    """Else a leaking model passes beside another leaking one."""
    arms = {"before": said(380, 400), "after": said(300, 400), "base": said(0, 400)}
    arms["reference"] = said(310, 400)
    blind = verdict(comparison(**arms))
    assert blind.state == "gone"  # nobody can tell without look-alikes
    found = comparison(**arms, lookalike=said(2, 400))
    assert seen(found)
    words = verdict(found)
    assert words.state == "not_gone"
    assert "the base model" in words.headline
    assert "has seen what it should not have" in words.rests
    guessed = comparison(**{**arms, "reference": said(9, 400)}, lookalike=said(2, 400))
    assert not seen(guessed)  # two points more may be chance
