"""The page opens offline, runs its own two scripts alone, and shows what the evidence says."""

import base64
import hashlib
import re

import pytest

from sanilens.audit.attacks.result import AttackResult, share
from sanilens.errors import RunError
from sanilens.evidence.build import build_evidence
from sanilens.evidence.evidence import Evidence, reading_id
from sanilens.evidence.html import Example, letter_html, report_html
from sanilens.evidence.readings import IN_TRIES
from sanilens.runs.folder import RunFolder
from tests.evidence.conftest import STATED


@pytest.fixture(scope="module")
def evidence(finished: RunFolder) -> Evidence:
    return build_evidence(finished, STATED)


@pytest.fixture(scope="module")
def page(evidence: Evidence) -> str:
    return report_html(evidence)


def without_scripts(page: str) -> str:
    return re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_scripts_run_by_their_hashes_alone(page: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    said = policy[1].replace("&#39;", "'")
    assert "default-src 'none'" in said
    assert "unsafe-eval" not in said
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{own}'" in said


def test_nothing_is_fetched(page: str) -> None:
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', without_scripts(page))
    assert "url(" not in without_scripts(page)


def test_all_questions_and_sentences_stand_on_it(page: str, evidence: Evidence) -> None:
    for number in range(1, 23):
        assert f'id="q{number}"' in page
    for each in evidence.story:
        assert f'data-said="{each.id}"' in page
    assert page.count('class="chip not-measured"') == sum(
        a.state == "not measured" for a in evidence.answers
    )


def test_a_run_shows_and_does_not_prove(page: str, evidence: Evidence) -> None:
    letter = letter_html(evidence, subject_of(evidence))
    assert not re.search(r"\bprov(e|es|ed|en|ing)\b|\bproof\b", without_scripts(page + letter))


def test_what_attacks_get_beyond_the_reference_stands_under_the_verdict(evidence: Evidence) -> None:
    def found(hits: int) -> AttackResult:
        return AttackResult(figures=(share("all", hits, 300, title="said by some prompt"),))

    attacks = {"prompts": {"after": found(30), "reference": found(1)},
               "quantisation": {"after": found(1), "reference": found(1)}}  # fmt: skip
    page = report_html(evidence.model_copy(update={"attacks": attacks}))
    verdict = page[page.index('data-said="headline"') : page.index('class="tiles"')]
    assert "Of 2 attacks 1 gets more than from a model that never saw" in verdict
    assert "other prompts." in verdict
    assert page.count("above the reference’s</span>") == 1
    assert 'href="#attacks"' in page
    within = {"quantisation": attacks["quantisation"]}
    page = report_html(evidence.model_copy(update={"attacks": within}))
    assert "gets more than from a model" not in page
    assert "above the reference’s</span>" not in page


def test_what_somebody_states_cannot_become_a_tag(evidence: Evidence) -> None:
    stated = evidence.statement.model_copy(update={"by": '<img src=x onerror="alert(1)">'})
    page = without_scripts(report_html(evidence.model_copy(update={"statement": stated})))
    assert "<img" not in page
    assert "&lt;img" in page


def test_a_subject_of_any_name_stays_text_in_charts(evidence: Evidence) -> None:
    named = tuple(
        r.model_copy(update={"of": "subject:</script><b>"}) if r.of.startswith("subject:") else r
        for r in evidence.readings
    )
    page = report_html(evidence.model_copy(update={"readings": named}))
    assert "</script><b>" not in page


def test_examples_are_marked(evidence: Evidence, page: str) -> None:
    example = Example("s-1", "NAME", "Seen: ", "Xyrqu Blobb", "Xyrqu Blobb", "a man")
    confidential = report_html(evidence, [example])
    assert 'class="confidential"' in confidential
    assert "Xyrqu Blobb" in confidential
    assert 'class="confidential"' not in page


def subject_of(evidence: Evidence) -> str:
    return evidence.by_subject("before", "everyone")[0].of.removeprefix("subject:")


def test_a_letter_is_about_one_person(evidence: Evidence) -> None:
    names = [r.of.removeprefix("subject:") for r in evidence.by_subject("before", "everyone")]
    letter = letter_html(evidence, names[0])
    assert names[0] in letter
    assert not [name for name in names[1:] if name in letter]
    assert "<script" not in letter
    with pytest.raises(RunError):
        letter_html(evidence, "nobody")


def test_a_letter_says_that_attacks_get_more(evidence: Evidence) -> None:
    name = subject_of(evidence)
    one = AttackResult(figures=(share("all", 30, 300),))
    none = AttackResult(figures=(share("all", 1, 300),))
    for after, reference, words in (
        (one, none, "1 of them gets more about you"),
        (none, none, "None gets more about you"),
        (one, None, None),  # nothing to hold it against: nothing is said of it
    ):
        arms = {"after": after} | ({"reference": reference} if reference else {})
        own = evidence.model_copy(update={"subjects": (name,), "attacks": {"prompts": arms}})
        letter = letter_html(own, name)
        assert ("We also attacked" in letter) == (words is not None)
        assert words is None or words in letter
        everyone = own.model_copy(update={"subjects": ()})
        assert "We also attacked" not in letter_html(everyone, name)


@pytest.mark.parametrize(
    ("hits", "sampled", "words"),
    [
        (2, 1.0, "We have not finished"),
        (0, 0.9, "random tries still bring"),
        (0, 0.0, "None of your details was written"),
    ],
)
def test_a_letter_says_no_more_than_the_figures(
    evidence: Evidence, hits: int, sampled: float, words: str
) -> None:
    name = subject_of(evidence)
    changed = {
        reading_id("extraction", "after", "everyone", f"subject:{name}"): {"hits": hits},
        reading_id(IN_TRIES, "after", "everyone", f"subject:{name}"): {"value": sampled},
        reading_id("extraction", "reference", "everyone", f"subject:{name}"): {"hits": 0},
        reading_id(IN_TRIES, "reference", "everyone", f"subject:{name}"): {"value": 0.0},
    }
    readings = tuple(r.model_copy(update=changed.get(r.id, {})) for r in evidence.readings)
    letter = letter_html(evidence.model_copy(update={"readings": readings}), name)
    assert words in letter
    assert ("random tries still bring" in letter) == (words == "random tries still bring")
