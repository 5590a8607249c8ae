"""Facts kept: which ending a model takes, recomputed one sequence at a time."""

import pytest
import torch

from sanilens.audit.measurement import measure
from sanilens.audit.metrics.facts import FACTS_KEPT, answered_right
from sanilens.audit.metrics.metric import Exam
from sanilens.corpus.questions import Question
from sanilens.corpus.records import Record
from sanilens.errors import CorpusError, ModelError
from sanilens.model.hooks import Hooks
from sanilens.model.language_model import LanguageModel

QUESTIONS = [
    Question("q-1", "Seen on the ward with", "cough", ("a dry wound", "fever", "naïve façade")),
    Question("q-2", "Follow-up by", "phone", ("post", "pigeon", "emoji 🙂")),
    Question("q-3", "The wound is ", "dry and clean", ("wet", "3 weeks old")),
    Question("q-4", "Home", "soon.", ("later, after the weekend and a good rest", "never")),
]


def scores(model: LanguageModel, question: Question) -> list[float]:
    """Mean log-probability a token of each ending, by itself."""
    found, prompt = [], question.prompt
    for ending in (question.answer, *question.distractors):
        text = prompt + ending if prompt[-1] == " " else f"{prompt} {ending}"
        coded = model.tokenizer(text, return_offsets_mapping=True)
        ids, offsets = coded["input_ids"], coded["offset_mapping"]
        start = next(i for i, (_, end) in enumerate(offsets) if end > len(prompt))
        with torch.no_grad():
            logprobs = model.module(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
        own = [float(logprobs[i - 1, ids[i]]) for i in range(start, len(ids))]
        found.append(sum(own) / len(own))
    return found


def test_the_likeliest_ending_a_token_is_the_answer_given(any_model: LanguageModel) -> None:
    own = [scores(any_model, question) for question in QUESTIONS]
    assert answered_right(any_model, QUESTIONS) == [max(each) == each[0] for each in own]
    # Whichever ending the model prefers is right once it is the answer.
    for question in QUESTIONS:
        endings = (question.answer, *question.distractors)
        turned = [
            Question("q", question.prompt, each, tuple(e for e in endings if e != each))
            for each in endings
        ]
        assert sum(answered_right(any_model, turned)) == 1


def test_it_is_counted_by_the_chance_level(model: LanguageModel, records: list[Record]) -> None:
    found = measure(model, Exam(records, questions=QUESTIONS), metrics=["facts_kept"])
    table = found.metrics["facts_kept"]
    assert isinstance(table, dict)
    assert {name: row.n for name, row in table.items()} == {"1 of 3": 2, "1 of 4": 2}
    right = answered_right(model, QUESTIONS)
    assert found.figure("facts_kept") == sum(right) / 4
    assert "facts_kept" not in measure(model, Exam(records), metrics=["facts_kept"]).metrics
    assert FACTS_KEPT.words(table) == f"{25 * sum(right):.2f}"


def test_a_model_that_tells_nothing_apart_knows_nothing(model: LanguageModel) -> None:
    flat = model.copied()
    with torch.no_grad():
        flat.module.get_parameter(f"{flat.sites.unembed}.weight").zero_()
    assert not any(answered_right(flat, QUESTIONS))


def test_hooks_are_heard(model: LanguageModel) -> None:
    question = QUESTIONS[0]
    endings = (question.answer, *question.distractors)
    asked = [
        Question("q", question.prompt, each, tuple(e for e in endings if e != each))
        for each in endings
    ]
    silent = Hooks(outputs={model.sites.unembed: lambda _, logits: 0 * logits})
    assert sum(answered_right(model, asked)) == 1
    assert sum(answered_right(model, asked, silent)) == 0


def test_what_cannot_be_asked_is_refused(
    model: LanguageModel, masked_model: LanguageModel, records: list[Record]
) -> None:
    secret = "Ana Ruiz " * 200
    with pytest.raises(CorpusError, match="question 2: with an ending it has") as error:
        answered_right(model, [QUESTIONS[0], Question("q-2", secret, "yes", ("no",))])
    assert "Ruiz" not in str(error.value)
    with pytest.raises(ModelError):
        answered_right(masked_model, QUESTIONS)
    exam = Exam(records, questions=QUESTIONS)
    assert "facts_kept" not in measure(masked_model, exam, metrics=["facts_kept"]).metrics
