"""A run's events, folded: which arm, how far, how long still."""

import pytest

from sanilens.runs.progress import RunProgress, _costs, follow, smoothed, thinned

NAMES = ["before", "after", "repair_only", "edits_only", "reference"]


def events(*rows: tuple[float, str, dict]) -> list[dict]:
    return [{"time": time, "event": kind, **fields} for time, kind, fields in rows]


START = (
    (0.0, "started", {}),
    (1.0, "arms", {"names": NAMES}),
    (1.0, "measuring", {"arm": "before"}),
    (11.0, "measured", {"arm": "before", "seconds": 10.0}),
    (11.0, "edited", {"arm": "after", "units": 3, "hook_only": 0}),
    (12.0, "curve", {"arm": "after", "step": 0, "said": 5, "of": 10, "perplexity": 3.0}),
    (13.0, "step", {"arm": "after", "step": 1, "of": 4, "loss": 2.0}),
    (15.0, "step", {"arm": "after", "step": 2, "of": 4, "loss": 1.5}),
)


def test_nothing_is_known_before_the_first_event() -> None:
    assert follow([], True) == RunProgress()


def test_the_current_arm_and_its_step() -> None:
    progress = follow(events(*START), True, now=15.0)
    assert progress.position == 2
    assert progress.current is not None
    assert (progress.current.name, progress.current.step, progress.current.of) == ("after", 2, 4)
    assert progress.losses[-1] == {"arm": "after", "step": 2, "loss": 1.5}
    assert progress.curves[0]["rate"] == 0.5
    assert not progress.arms["reference"].repaired


def test_time_left_counts_steps_and_measurements() -> None:
    # 4 s for 2 steps and a look; 10 s a measurement. Left: 2 + 4 steps, 4 measurements.
    progress = follow(events(*START), True, now=15.0)
    assert progress.seconds_left == pytest.approx(6 * 2.0 + 4 * 10.0)
    done = 10.0 + 2 * 2.0
    assert progress.fraction == pytest.approx(done / (done + 52.0))
    assert follow(events(*START), True, now=17.0).seconds_left == pytest.approx(50.0)


def test_no_time_is_promised_before_the_first_step() -> None:
    assert follow(events(*START[:4]), True, now=11.0).seconds_left is None
    assert follow(events(*START[:4]), False, now=11.0).seconds_left == pytest.approx(40.0)


def test_a_resumed_run_keeps_what_is_done() -> None:
    resumed = events(*START, (99.0, "started", {}), (100.0, "arms", {"names": NAMES}))
    progress = follow(resumed, True, now=100.0)
    assert progress.arms["before"].state == "done"
    assert progress.arms["after"].state == "waiting"
    assert progress.current is None


def test_thinned_keeps_the_ends() -> None:
    rows = [{"step": i} for i in range(5000)]
    kept = thinned(rows, 100)
    assert kept[0] == rows[0]
    assert kept[-1] == rows[-1]
    assert len(kept) <= 102
    assert thinned(rows[:5], 100) == rows[:5]


def test_smoothed_keeps_arms_apart() -> None:
    rows = [{"arm": a, "loss": x} for a, x in [("a", 1.0), ("b", 9.0), ("a", 3.0), ("a", 5.0)]]
    assert [row["loss"] for row in smoothed(rows, "loss", 2)] == [1.0, 9.0, 2.0, 4.0]


def a_step(time: float, arm: str, step: int, extracted: int, halved: int = 0) -> tuple:
    fields = {"arm": arm, "step": step, "of": 8, "loss": 2.0, "gain": 1.0, "predicted": 1e-4,
              "measured": 2e-4, "harm": 2e-4 * step, "extracted": extracted, "left": extracted,
              "asked": 9, "halved": halved}  # fmt: skip
    return time, "rewritten", fields


REWRITING = (
    (0.0, "started", {}),
    (1.0, "arms", {"names": ["before", "after", "another_subject", "reference"]}),
    (1.0, "measuring", {"arm": "before"}),
    (11.0, "measured", {"arm": "before", "seconds": 10.0}),
    (11.0, "edited", {"arm": "after", "units": 0, "hook_only": 0}),
    (12.0, "preparing", {"arm": "after", "done": 1, "of": 2}),
    (14.0, "preparing", {"arm": "after", "done": 2, "of": 20}),
    (17.0, "preparing", {"arm": "after", "done": 5, "of": 20}),
)


def test_preparation_tells_its_batches_and_the_time_of_this_stage() -> None:
    begun = follow(events(*REWRITING[:5]), False, now=11.0, rewrites=True)
    assert begun.current is not None
    assert (begun.current.preparing, begun.current.seconds_left) == ((0, 0), None)
    progress = follow(events(*REWRITING), False, now=17.0, rewrites=True)
    assert progress.current is not None
    assert progress.current.preparing == (5, 20)
    # A second a batch; the teacher's two batches are another stage.
    assert progress.current.seconds_left == pytest.approx(15.0)
    assert progress.seconds_left is None


def test_steps_of_rewriting_are_rows_and_their_time_is_known_afterwards() -> None:
    steps = (a_step(31.0, "after", 1, 4), a_step(32.0, "after", 2, 0, halved=1))
    progress = follow(events(*REWRITING, *steps), False, now=32.0, rewrites=True)
    assert [row["extracted"] for row in progress.rewritten] == [4, 0]
    assert progress.rewritten[1] == {
        "arm": "after", "step": 2, "of": 8, "extracted": 0, "left": 0, "asked": 9, "back": 0,
        "predicted": 1e-4, "measured": 2e-4, "harm": 4e-4, "halved": 1,
    }  # fmt: skip
    assert progress.current is not None
    assert (progress.current.preparing, progress.current.rewritten) == (None, (2, 8))
    measuring = (33.0, "measuring", {"arm": "after"})
    done = follow(events(*REWRITING, *steps, measuring), False, now=33.0, rewrites=True)
    assert done.current is not None
    assert done.current.rewritten is None
    # 21 s of rewriting to come for the other arm, and three measurements of 10 s.
    assert done.seconds_left == pytest.approx(21.0 + 30.0)


def test_rewriting_after_a_repair_takes_no_part_of_its_time() -> None:
    trained = ((12.0 + n, "step", {"arm": "after", "step": n, "of": 8, "loss": 1.0})
               for n in range(1, 9))  # fmt: skip
    rewritten = (
        (25.0, "preparing", {"arm": "after", "done": 1, "of": 2}),
        a_step(26.0, "after", 1, 0),
    )
    found = _costs(events(*REWRITING[:5], *trained, *rewritten, (27.0, "measuring", {})))
    assert found.rewriting == pytest.approx(26.0 - 20.0)


def test_a_rewriting_after_a_repair_has_not_begun_while_it_trains() -> None:
    foretold = (1.0, "expected", {"arm": "after", "before": 30.0, "steps": 8, "step": 1.0,
                                  "measuring": 10.0})  # fmt: skip
    start = (*REWRITING[:2], foretold, *REWRITING[2:5])
    step = (12.0, "step", {"arm": "after", "step": 1, "of": 8, "loss": 1.0})
    seen = {
        last: follow(events(*start, step), True, now=12.0, rewrites=True, last=last)
        for last in (False, True)
    }
    left = {last: found.seconds_left or 0.0 for last, found in seen.items()}
    current = seen[True].current
    assert current is not None
    assert current.preparing is None
    assert left[True] == pytest.approx(left[False] + 30.0)
    measuring = (50.0, "measuring", {"arm": "after"})
    ended = follow(events(*start, step, measuring), True, now=50.0, rewrites=True, last=True)
    assert ended.seconds_left == pytest.approx(left[True] - 30.0)


def test_a_rewriting_that_was_cut_short_begins_anew() -> None:
    again = (40.0, "edited", {"arm": "after", "units": 0, "hook_only": 0})
    cut = events(*REWRITING, a_step(31.0, "after", 1, 4), again)
    assert follow(cut, False, now=40.0, rewrites=True).rewritten == []


def expected(arm: str, before: float, steps: int, step: float, measuring: float) -> tuple:
    fields = {"before": before, "steps": steps, "step": step, "measuring": measuring}
    return 1.0, "expected", {"arm": arm, **fields}


FORETOLD = (
    (0.0, "started", {}),
    (1.0, "arms", {"names": ["before", "after", "repair_only", "edits_only"]}),
    expected("before", 0.0, 0, 0.0, 10.0),
    expected("after", 5.0, 4, 2.0, 10.0),
    expected("repair_only", 0.0, 4, 1.0, 10.0),
    expected("edits_only", 0.0, 0, 0.0, 10.0),
    (1.0, "measuring", {"arm": "before"}),
)


def test_what_was_foretold_is_the_time_left_of_the_whole_run() -> None:
    progress = follow(events(*FORETOLD), True, now=1.0)
    assert progress.seconds_left == pytest.approx(10 + (5 + 8 + 10) + (4 + 10) + 10)
    assert progress.fraction == 0.0
    assert progress.arms["after"].state == "waiting"
    assert follow(events(*FORETOLD), True, now=4.0).seconds_left == pytest.approx(54.0)


def test_what_is_slower_than_foretold_makes_the_rest_as_much_slower() -> None:
    measured = (21.0, "measured", {"arm": "before", "seconds": 20.0})
    progress = follow(events(*FORETOLD, measured), True, now=21.0)
    # A measurement takes twice as long; so will what is not seen yet.
    assert progress.seconds_left == pytest.approx((10 + 16 + 20) + (8 + 20) + 20)
    assert progress.fraction == pytest.approx(20 / 114)
    edited = (21.0, "edited", {"arm": "after", "units": 3, "hook_only": 0})
    assert follow(events(*FORETOLD, measured, edited), True, now=25.0).seconds_left == (
        pytest.approx(90.0)
    )
    step = (34.0, "step", {"arm": "after", "step": 1, "of": 4, "loss": 2.0})
    begun = follow(events(*FORETOLD, measured, edited, step), True, now=34.0)
    # That step, and what came before it, took 13 s: the steps seen count, no longer the foretold.
    assert begun.seconds_left == pytest.approx(3 * 13 + 20 + 4 * 13 + 20 + 20)


def test_what_an_earlier_run_has_measured_is_no_work_of_this_one() -> None:
    kept = (1.0, "measured", {"arm": "before", "seconds": 99.0, "kept": True})
    progress = follow(events(*FORETOLD[:6], kept), True, now=1.0)
    assert progress.seconds_left == pytest.approx(23 + 14 + 10)
    assert progress.fraction == 0.0
