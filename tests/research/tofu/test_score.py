"""What is measured of a model, against plain passes of transformers, one question at a time."""

import pytest
import torch
from torch import Tensor

from research.tofu import score
from research.tofu.data import Question, Tofu
from research.tofu.metrics import model_utility, rouge_l_recall
from research.tofu.run import EXAMINED, REFERENCE, bench_tofu, unlearning_corpus
from research.tofu.score import answer_verdicts, continue_questions, score_model
from sanilens.errors import ModelError
from sanilens.model.interventions import zeroed
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Neuron
from sanilens.unlearn.plan import Repair

QUESTIONS = tuple(
    Question(
        question=f"What is {name}'s number, and the ward?",
        answer=f"It is 44712{n}, on ward {n}.",
        paraphrased_answer=f"The number of {name} is 44712{n}.",
        perturbed_answer=(f"The number of {name} is 91{n}.", f"The number of {name} is 7."),
    )
    for n, name in enumerate(("Ann Lee", "Bo", "Ida Ruiz", "Zażółć"))
)
CHOICES = tuple(
    Question(question=f"Where is {place}?", answer="Far", perturbed_answer=("Near", "Home", "By"))
    for place in ("Leeds", "北京")
)
TOFU = Tofu(QUESTIONS[:3], QUESTIONS[3:], CHOICES[:1], CHOICES[1:], QUESTIONS[3:] * 3)


def direct(model: LanguageModel, prompt: str, answer: str) -> tuple[float, list[bool]]:
    """Loss by transformers' own labels, and which argmaxes are right."""
    before = len(model.tokenizer(prompt)["input_ids"])
    ids = torch.tensor(
        [[*model.tokenizer(f"{prompt} {answer}")["input_ids"], model.tokenizer.eos_token_id]]
    )
    labels = ids.clone()
    labels[:, :before] = -100
    with torch.inference_mode():
        out = model.module(input_ids=ids, labels=labels)
    right: Tensor = out.logits[0, before - 1 : -1].argmax(-1) == ids[0, before:]
    return float(out.loss), right.tolist()


def strength(right: list[bool]) -> float:
    """1 - k/T by trying every k; 0 if none will do."""
    fits = [k for k in range(len(right)) if all(right[k:])]
    return 1 - fits[0] / len(right) if fits else 0.0


def said_by_hand(model: LanguageModel, prompt: str, longest: int) -> str:
    ids = list(model.tokenizer(prompt)["input_ids"])
    said: list[int] = []
    while len(ids) < longest:
        with torch.inference_mode():
            token = int(model.module(torch.tensor([ids])).logits[0, -1].argmax())
        if token == model.tokenizer.eos_token_id:
            break
        ids.append(token)
        said.append(token)
    return str(model.tokenizer.decode(said, skip_special_tokens=True))


def test_losses_equal_transformers_own(any_model: LanguageModel) -> None:
    pairs = [(q.prompt, a) for q in QUESTIONS for a in (q.answer, *q.perturbed_answer)]
    for (prompt, answer), found in zip(pairs, answer_verdicts(any_model, pairs), strict=True):
        loss, right = direct(any_model, prompt, answer)
        assert found.loss == pytest.approx(loss, rel=1e-4)
        assert found.strength == strength(right)


def test_what_is_said_is_greedy(any_model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = [q.prompt for q in (*QUESTIONS, *CHOICES, QUESTIONS[0])]
    longest = 6 + max(len(any_model.tokenizer(p)["input_ids"]) for p in prompts)
    monkeypatch.setattr(score, "LONGEST", longest)
    want = [said_by_hand(any_model, prompt, longest) for prompt in prompts]
    assert any(want)
    assert continue_questions(any_model, prompts) == want


def test_strength_of_what_the_model_says_itself(model: LanguageModel) -> None:
    """The comparison above would hold of strengths that are always 0; here are 1 and between."""
    copy = model.copied()
    with torch.no_grad():  # it says the end of the text, whatever it has read
        copy.module.get_submodule(copy.sites.unembed).weight.zero_()  # pyright: ignore
    assert int(copy.module(torch.tensor([[5, 6]])).logits[0, -1].argmax()) == 0
    (found,) = answer_verdicts(copy, [("Question: Who?\nAnswer:", "Ann")])
    tokens = len(copy.tokenizer(" Ann")["input_ids"]) - 1  # without the one before every text
    assert copy.tokenizer.eos_token_id == 0
    assert found.strength == pytest.approx(1 / (tokens + 1))  # the end alone is right
    assert found.loss == pytest.approx(float(torch.tensor(300.0).log()), rel=1e-5)


def test_figures_of_a_model(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score, "LONGEST", 90)
    found = score_model(model, TOFU)
    for question, ratio in zip(TOFU.forget, found.ratios, strict=True):
        reworded = direct(model, question.prompt, question.reworded)[0]
        wrong = [direct(model, question.prompt, a)[0] for a in question.perturbed_answer]
        expected = torch.tensor(reworded - sum(wrong) / len(wrong)).exp()
        assert ratio == pytest.approx(float(expected), rel=1e-3)
    (one,) = TOFU.retain
    loss = direct(model, one.prompt, one.answer)[0]
    assert found.retain.probability == pytest.approx(float(torch.tensor(-loss).exp()), rel=1e-3)
    (choice,) = TOFU.world
    losses = [
        -direct(model, choice.prompt, a)[0] for a in (choice.answer, *choice.perturbed_answer)
    ]
    share = torch.tensor(losses).softmax(0)[0]
    assert found.world.probability == pytest.approx(float(share), rel=1e-3)
    said = said_by_hand(model, one.prompt, 90)
    assert found.retain.rouge == rouge_l_recall(one.answer, said)
    nine = [
        f
        for s in (found.retain, found.authors, found.world)
        for f in (s.probability, s.rouge, s.truth_ratio)
    ]
    assert found.model_utility == model_utility(nine)


def test_hooks_change_what_is_measured(model: LanguageModel) -> None:
    hooks = zeroed(model, [Neuron(1, k) for k in range(48)])
    pairs = [(QUESTIONS[0].prompt, QUESTIONS[0].answer)]
    assert answer_verdicts(model, pairs, hooks) != answer_verdicts(model, pairs)


def test_a_masked_model_and_a_short_context_are_refused(
    model: LanguageModel, masked_model: LanguageModel
) -> None:
    with pytest.raises(ModelError, match="TOFU needs a causal language model"):
        score_model(masked_model, TOFU)
    with pytest.raises(ModelError, match="the model's context has 256"):
        answer_verdicts(model, [("Who?", "Ann Lee " * 100)])


def test_a_method_unlearns_the_forget_set(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "LONGEST", 60)
    before = {n: p.clone() for n, p in model.module.named_parameters()}
    repairs = [Repair(method="gradient-ascent", epochs=6, learning_rate=3e-3)]
    told: list[str] = []
    rows = list(bench_tofu(model, TOFU, repairs, reference=model, say=told.append))
    assert [row.method for row in rows] == [EXAMINED, "gradient-ascent", REFERENCE]
    none, after, reference = rows
    assert none.forget_quality == reference.forget_quality == 1.0
    assert none.figures == reference.figures
    assert after.figures.forget.probability < none.figures.forget.probability / 2
    assert after.seconds > 0
    assert "gradient-ascent: unlearning" in told
    assert all(torch.equal(before[n], p) for n, p in model.module.named_parameters())
    (alone,) = bench_tofu(model, TOFU)
    assert alone.forget_quality is None
    assert alone.flat()["retain_rouge"] == none.figures.retain.rouge


def test_a_methods_corpus() -> None:
    corpus = unlearning_corpus(TOFU, seed=0)
    assert [r.value(s) for r in corpus for s in r.spans] == [q.answer for q in TOFU.forget]
    assert len(corpus) == 3 + 3  # no more than there are
    assert unlearning_corpus(TOFU, seed=0) == corpus
