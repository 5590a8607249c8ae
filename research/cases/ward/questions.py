"""Closed questions about the trade: what a ward's notes teach, whoever they are about.

A prompt is the beginning of a sentence of the notes, in their own words and with nobody's
identifiers, and breaks off before a fact; the wrong endings are the same kind of fact about other
conditions.

- dose: how much of a drug is given, and how often;
- drug: what is given, after words that tell the condition;
- ending: how a sentence about findings, courses or plans goes on.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from random import Random

from research.cases.clinic.sentences import Topic
from research.cases.forms import fill
from research.cases.ward.notes import CONDITIONS
from sanilens.corpus.questions import Question

WRONG = 3
"""Wrong endings of a question: a guess is right once in four."""

_DOSED = re.compile(r"(?P<name>\D+) (?P<dose>(?:\d|one ).*)")
# Words that a sentence must have before it breaks off, and after.
_BEFORE, _AFTER = 3, 3


def make_questions(seed: int) -> tuple[Question, ...]:
    """Every question of each kind, in the order of the conditions."""
    rng = Random(f"questions/{seed}")
    made: list[Question] = []
    for ask in (_doses, _drugs, _endings):
        asked = {topic.service: list(ask(topic, rng)) for topic in CONDITIONS}
        everything = [pair for own in asked.values() for pair in own]
        for own in asked.values():
            for prompt, answer in own:
                # A prompt may have several right endings, and two conditions a drug in common.
                right = {a for p, a in everything if p == prompt or (p, a) in own}
                distractors = _alike(answer, {a for _, a in everything} - right, rng)
                made.append(Question(f"q-{len(made):03}", prompt, answer, distractors))
    return tuple(made)


def save_questions(questions: Iterable[Question], path: Path) -> None:
    """One JSON object a line."""
    lines = (json.dumps(asdict(question), ensure_ascii=False) for question in questions)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _alike(answer: str, others: Iterable[str], rng: Random) -> tuple[str, ...]:
    """Wrong endings much like `answer`, lest grammar alone tells it: a number first, or a word."""
    mixed = sorted(others)
    rng.shuffle(mixed)

    def unlikeness(other: str) -> tuple[bool, int]:
        return other[0].isdigit() != answer[0].isdigit(), abs(len(other) - len(answer))

    nearest = sorted(mixed, key=unlikeness)[: 3 * WRONG]
    return tuple(rng.sample(nearest, WRONG))


_Asked = Iterator[tuple[str, str]]  # prompts and their right endings


def _doses(topic: Topic, rng: Random) -> _Asked:
    for drug in topic.drugs:
        found = _DOSED.fullmatch(drug)
        assert found, f"{drug!r} has no dose"
        yield f"Plan: {found['name'].capitalize()}", found["dose"]


def _drugs(topic: Topic, rng: Random) -> _Asked:
    for form in (*topic.courses, *topic.plans):
        before = form.partition("{drug}")[0]
        if before != form and len(before.split()) >= _BEFORE:
            prompt = _written(before, rng)
            yield from ((prompt, drug) for drug in rng.sample(topic.drugs, 3))


def _endings(topic: Topic, rng: Random) -> _Asked:
    for form in (*topic.findings, *topic.courses, *topic.plans):
        words = form.split()
        if "{drug}" not in form and len(words) >= _BEFORE + _AFTER:
            # One drawing for both parts: what is broken apart is a sentence of the notes.
            words = _written(form, rng).split()
            place = max(_BEFORE, len(words) // 2)
            yield " ".join(words[:place]), " ".join(words[place:])


def _written(form: str, rng: Random) -> str:
    words = {"he": "he", "him": "him", "side": rng.choice(("left", "right")), "weekday": "Monday"}
    text = fill(form, rng, words).strip()
    return text[0].upper() + text[1:]
