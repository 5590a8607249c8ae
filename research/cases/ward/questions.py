"""Closed questions about the trade: what a ward's notes teach, whoever they are about.

A prompt is the beginning of a note in the notes' own words, without anybody's identifiers, and
breaks off before a fact; the wrong endings are the same fact of other conditions.

- drug: what is given for this complaint;
- dose: how much of a drug, and how often;
- service: where a complaint is passed on to;
- finding, plan: what one finds, and what comes next.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from research.cases.clinic.sentences import POOLS, TOPICS, Topic
from research.cases.forms import fill

WRONG = 3
"""Wrong endings of a question: a guess is right once in four."""

# Beginnings of notes, and the words before each fact.
_OPENINGS = (
    "Discharge summary ({service}). Came with {complaint}.",
    "Letter to {service}: second opinion on {complaint}.",
    "PHONE NOTE, {today} {8..18}:{10..55}, {service} desk. Reason: {complaint}.",
    "Daily review, {service}, day {2..12}. Original complaint: {complaint}.",
)
_GIVING = ("Treatment: Given", "Plan: Continue", "Course: Started on")
_PASSED_ON = "Out-of-hours call, {18..23}:{10..55}: {complaint}. Passed to"
_DOSED = re.compile(r"(?P<name>\D+) (?P<dose>(?:\d|one ).*)")

_Words = Mapping[str, str]
_Asked = tuple[str, str, Sequence[str]]  # prompt, right ending, wrong ones to draw from


@dataclass(frozen=True, slots=True)
class Question:
    """The beginning of a note, its right ending and wrong ones; a space parts them."""

    id: str
    prompt: str
    answer: str
    distractors: tuple[str, ...]


def make_questions(seed: int) -> tuple[Question, ...]:
    """One question of each kind about each condition, in the conditions' order."""
    rng = Random(f"questions/{seed}")
    made: list[Question] = []
    for topic in TOPICS:
        for ask in (_drug, _dose, _service, _finding, _plan):
            prompt, answer, wrong = ask(topic, _words(topic, rng), rng)
            distractors = tuple(rng.sample(sorted(set(wrong)), WRONG))
            made.append(Question(f"q-{len(made):03}", prompt, answer, distractors))
    return tuple(made)


def save_questions(questions: Iterable[Question], path: Path) -> None:
    """One JSON object a line."""
    lines = (json.dumps(asdict(question), ensure_ascii=False) for question in questions)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _drug(topic: Topic, words: _Words, rng: Random) -> _Asked:
    own = {_taken_apart(drug)[0] for drug in topic.drugs}
    wrong = [d for t in TOPICS for d in t.drugs if _taken_apart(d)[0] not in own]
    return f"{_opening(words, rng)} {rng.choice(_GIVING)}", rng.choice(topic.drugs), wrong


def _dose(topic: Topic, words: _Words, rng: Random) -> _Asked:
    name, dose = _taken_apart(rng.choice(topic.drugs))
    doses = [_taken_apart(drug) for t in TOPICS for drug in t.drugs]
    right = {dose for other, dose in doses if other == name}
    wrong = [dose for _, dose in doses if dose not in right]
    return f"{_opening(words, rng)} Plan: {name.capitalize()}", dose, wrong


def _service(topic: Topic, words: _Words, rng: Random) -> _Asked:
    wrong = [f"{other.service}." for other in TOPICS if other is not topic]
    return fill(_PASSED_ON, rng, words), f"{topic.service}.", wrong


def _finding(topic: Topic, words: _Words, rng: Random) -> _Asked:
    return _sentence(topic, words, rng, "findings", "O/E:")


def _plan(topic: Topic, words: _Words, rng: Random) -> _Asked:
    return _sentence(topic, words, rng, "plans", "Plan:")


def _sentence(topic: Topic, words: _Words, rng: Random, pool: str, lead: str) -> _Asked:
    """A sentence of this condition against those of others; drugs are asked about elsewhere."""

    def sentences(of: Topic) -> list[str]:
        forms = [form for form in getattr(of, pool) if "{drug}" not in form]
        return [_capital(fill(form, rng, words)) for form in forms]

    wrong = [text for other in TOPICS if other is not topic for text in sentences(other)]
    return f"{_opening(words, rng)} {lead}", rng.choice(sentences(topic)), wrong


def _opening(words: _Words, rng: Random) -> str:
    return fill(rng.choice(_OPENINGS), rng, words)


def _words(topic: Topic, rng: Random) -> _Words:
    today, weekday = rng.sample(POOLS["weekdays"], 2)
    side = rng.choice(("left", "right"))
    words = {"service": topic.service, "today": today, "weekday": weekday, "side": side}
    words |= {"he": "he", "him": "him"}
    return words | {"complaint": fill(rng.choice(topic.complaints), rng, words)}


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _taken_apart(drug: str) -> tuple[str, str]:
    """Name and dosing: "timolol", "one drop twice daily"."""
    found = _DOSED.fullmatch(drug)
    assert found, f"{drug!r} has no dose"
    return found["name"], found["dose"]
