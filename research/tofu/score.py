"""What TOFU measures of one model: how likely answers are, and what it says by itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from research.tofu.data import Question, Tofu
from research.tofu.metrics import (
    forget_truth,
    kept_truth,
    model_utility,
    probability,
    probability_among,
    rouge_l_recall,
    truth_ratio,
)
from sanilens.audit.verdicts import extraction_strength
from sanilens.corpus.records import Record, Span
from sanilens.errors import ModelError
from sanilens.model.align import encode, prompt_ids
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.language_model import LanguageModel
from sanilens.progress import Say, unsaid

LONGEST = 200
"""Tokens of a question and what the model answers; TOFU's `generation.max_length`."""
_SAID_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class AnswerVerdict:
    """How a model takes an answer under teacher forcing.

    Attributes:
        loss: mean over the answer's tokens and the end of the text, in nats; the end counts in
            TOFU's labels too.
        strength: extraction strength over the same tokens: `1 - k/T`, k the smallest index from
            which on every argmax is right; 0 where the last one is wrong.
    """

    loss: float
    strength: float


@dataclass(frozen=True, slots=True)
class SetFigures:
    """Means over the questions of one set."""

    probability: float
    rouge: float
    truth_ratio: float
    extraction_strength: float
    questions: int


@dataclass(frozen=True, slots=True)
class TofuFigures:
    """One model's figures.

    Attributes:
        forget, retain, authors, world: of the four sets.
        model_utility: harmonic mean of probability, ROUGE and truth of the last three.
        ratios: truth ratio of each question of the forget set, for the test against a reference.
    """

    forget: SetFigures
    retain: SetFigures
    authors: SetFigures
    world: SetFigures
    model_utility: float
    ratios: tuple[float, ...]


def score_model(
    model: LanguageModel, tofu: Tofu, hooks: Hooks = NO_HOOKS, say: Say = unsaid
) -> TofuFigures:
    """Measure a model on TOFU's four sets.

    Args:
        subject: a causal model.
        tofu: the files.
        hooks: what to edit meanwhile.
        say: hears the name of each set before it is measured; may raise to cancel.

    Raises:
        ModelError: if the model is a masked one, or a question does not fit into its context.
    """
    model.require_causal("TOFU")
    found: dict[str, SetFigures] = {}
    ratios: dict[str, tuple[float, ...]] = {}
    sets = {"forget": tofu.forget, "retain": tofu.retain}
    for name, questions in {**sets, "authors": tofu.authors, "world": tofu.world}.items():
        say(name)
        found[name], ratios[name] = _score_set(model, name, questions, hooks)
    nine = [
        figure
        for name in ("retain", "authors", "world")
        for s in [found[name]]
        for figure in (s.probability, s.rouge, s.truth_ratio)
    ]
    return TofuFigures(**found, model_utility=model_utility(nine), ratios=ratios["forget"])


def _score_set(
    model: LanguageModel, name: str, questions: Sequence[Question], hooks: Hooks
) -> tuple[SetFigures, tuple[float, ...]]:
    """The set's figures and its truth ratios."""
    right = answer_verdicts(model, [(q.prompt, q.answer) for q in questions], hooks)
    reworded = answer_verdicts(model, [(q.prompt, q.reworded) for q in questions], hooks)
    pairs = [(q.prompt, each) for q in questions for each in q.perturbed_answer]
    losses = iter([v.loss for v in answer_verdicts(model, pairs, hooks)])
    wrong = [[next(losses) for _ in q.perturbed_answer] for q in questions]
    said = continue_questions(model, [q.prompt for q in questions], hooks)
    ratios = tuple(truth_ratio(v.loss, w) for v, w in zip(reworded, wrong, strict=True))
    if name in ("forget", "retain"):
        likely = [probability(v.loss) for v in right]
    else:
        likely = [probability_among(v.loss, w) for v, w in zip(right, wrong, strict=True)]
    truth = forget_truth if name == "forget" else kept_truth
    figures = SetFigures(
        probability=_mean(likely),
        rouge=_mean([rouge_l_recall(q.answer, s) for q, s in zip(questions, said, strict=True)]),
        truth_ratio=_mean([truth(ratio) for ratio in ratios]),
        extraction_strength=_mean([v.strength for v in right]),
        questions=len(questions),
    )
    return figures, ratios


@torch.inference_mode()
def answer_verdicts(
    model: LanguageModel, asked: Sequence[tuple[str, str]], hooks: Hooks = NO_HOOKS
) -> list[AnswerVerdict]:
    """Teacher-forced verdicts of (prompt, answer) pairs, in their order.

    Raises:
        ModelError: if one does not fit into the model's context.
    """
    coded = [_coded(model, prompt, answer) for prompt, answer in asked]
    found: dict[int, AnswerVerdict] = {}
    for batch in bucketed([len(ids) for ids, _ in coded], token_budget(model)):
        places = [
            (row, column)
            for row, i in enumerate(batch)
            for column in range(coded[i][1], len(coded[i][0]))
        ]
        ids = pad_right([coded[i][0] for i in batch], model.device)
        rows, columns = torch.tensor(places, device=model.device).T
        logits = logits_at(model, ids, rows, columns - 1, hooks)
        true = ids[rows, columns]
        losses = cross_entropy(logits, true, reduction="none")
        hits = logits.argmax(-1) == true
        for row, i in enumerate(batch):
            own = rows == row
            strength = extraction_strength(hits[own].cpu())
            found[i] = AnswerVerdict(float(losses[own].double().mean()), strength)
    return [found[i] for i in range(len(coded))]


def _coded(model: LanguageModel, prompt: str, answer: str) -> tuple[tuple[int, ...], int]:
    """Token ids of prompt, answer and end of text, and where the answer begins.

    With the space before it, which may be a token of its own: all that the prompt is not.
    """
    text = f"{prompt} {answer}"
    span = Span(len(prompt), len(text), "ANSWER", "confidential")
    encoded = encode(model, Record("question", "", text, (span,)))
    end = _end(model)
    ids = encoded.ids if encoded.ids[-1] == end else (*encoded.ids, end)
    if len(ids) > model.max_tokens:
        raise ModelError(
            f"{model.name}: a question with its answer takes {len(ids)} tokens, and the model's "
            f"context has {model.max_tokens}. TOFU needs a model of a longer context."
        )
    return ids, encoded.spans[0].start


@torch.inference_mode()
def continue_questions(
    model: LanguageModel, prompts: Sequence[str], hooks: Hooks = NO_HOOKS
) -> list[str]:
    """What the model writes greedily after each prompt, up to its end or `LONGEST` tokens in all.

    Prompts of equal length share a batch: nothing is padded, so nothing depends on padding.
    """
    coded = [prompt_ids(model, prompt, LONGEST) for prompt in prompts]
    said: dict[int, str] = {}
    end = _end(model)
    for length in sorted({len(ids) for ids in coded}):
        alike = [i for i, ids in enumerate(coded) if len(ids) == length]
        for start in range(0, len(alike), _SAID_AT_ONCE):
            batch = alike[start : start + _SAID_AT_ONCE]
            ids = torch.tensor([coded[i] for i in batch], device=model.device)
            for i, row in zip(batch, _generated(model, ids, hooks), strict=True):
                own = row[: row.index(end)] if end in row else row
                said[i] = str(model.tokenizer.decode(own, skip_special_tokens=True))
    return [said[i] for i in range(len(prompts))]


def _generated(
    model: LanguageModel, ids: Int[Tensor, "batch pos"], hooks: Hooks
) -> list[list[int]]:
    room = min(LONGEST, model.max_tokens) - ids.shape[1]
    if room < 1:
        return [[] for _ in ids]
    with hooked(model.module, hooks):
        out = model.module.generate(  # pyright: ignore
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=room,
            do_sample=False,
            num_beams=1,
            eos_token_id=_end(model),
            pad_token_id=_end(model),
        )
    return out[:, ids.shape[1] :].tolist()


def _end(model: LanguageModel) -> int:
    """The token that ends a text."""
    end = model.tokenizer.eos_token_id
    if not isinstance(end, int):
        raise ModelError(
            f"{model.name}: its tokenizer names no end of text (eos_token), which TOFU counts as "
            "the last token of every answer. Set it in tokenizer_config.json."
        )
    return end


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
