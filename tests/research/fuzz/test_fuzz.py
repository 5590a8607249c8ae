"""The fuzz bench: damage is seeded, faults are seen, and the product has none on a sample."""

import json
import random
from pathlib import Path

import pytest

from research.fuzz import judge, mutate
from research.fuzz.judge import Judge, Judged, Nonsense
from research.fuzz.originals import NOTES, Originals, build
from research.fuzz.run import KINDS, bench_fuzz
from sanilens.errors import CorpusError

TEXT = json.dumps({"id": "n-1", "spans": [{"start": 3, "end": 9}], "text": NOTES[0][2]}).encode()


@pytest.mark.parametrize("how", [mutate.bytes_, mutate.text_or_bytes, mutate.lines])
def test_a_seed_makes_the_same_damage_again(how: mutate.Mutation) -> None:
    first, again, other = (
        [how(TEXT, random.Random(f"{seed}-{n}")) for n in range(200)] for seed in (0, 0, 1)
    )
    assert first == again != other
    assert sum(each != TEXT for each in first) > 180
    assert len(set(first)) > 100


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        (CorpusError("line 3: not JSON. Mend it."), "refused"),
        (CorpusError(" "), "traceback"),
        (Nonsense("a verdict without a number"), "nonsense"),
        (ValueError("Ann Lee"), "traceback"),
        (SystemExit(7), "traceback"),
        (MemoryError(), "killed"),
        (None, "accepted"),
    ],
)
def test_what_comes_of_an_input_is_told_without_its_values(
    raised: BaseException | None, outcome: str
) -> None:
    def open_it() -> None:
        if raised:
            raise raised

    found = Judge._open(Judge.__new__(Judge), open_it)
    assert found.outcome == outcome
    assert "Ann" not in found.detail


def test_a_missing_value_that_was_read_as_a_text_is_nonsense() -> None:
    from tests.conftest import record

    judge._sound((record("Seen on the ward by Ann Lee", ("Ann Lee", "NAME"), id="a"),))
    for text in ("nan", "None", " NULL "):
        with pytest.raises(Nonsense):
            judge._sound((record(text, id="a"),))
    with pytest.raises(Nonsense):
        judge._sound(())


@pytest.mark.slow
def test_no_fault_in_a_sample_of_every_kind() -> None:
    found = bench_fuzz(360, seed=7, workers=2)
    assert found.faults == ()
    assert set(found.outcomes) == set(KINDS)
    assert found.inputs >= 360
    # The damage is not all so gross that nothing is ever read.
    assert sum(own.get("accepted", 0) for own in found.outcomes.values()) > 20


@pytest.mark.slow
def test_code_in_a_folder_that_was_run_would_be_seen(tmp_path: Path) -> None:
    build(tmp_path)
    originals = Originals.below(tmp_path)
    judging = Judge(originals, tmp_path / "work")
    judging._work.mkdir()
    mutate.plant(judging._work, judging._canary)
    code = (judging._work / "evil.py").read_text()
    judging._damaged = lambda kind, rng: lambda: exec(code)  # pyright: ignore
    assert judging("model folder", 0, 0) == Judged("executed")
    assert judging("corpus", 0, 0) == Judged("executed")
