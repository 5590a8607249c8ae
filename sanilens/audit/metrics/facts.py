"""Facts kept: closed questions about the domain, answered by choosing among endings.

    right  <=>  m(answer) > m(d) for every distractor d,   m(y) = (1/|y|) sum_t log p(y_t | q, y_<t)

q is the question's prompt, y_t the tokens of an ending: the mean does not favour short endings. A
tie is not right, so that a model which tells nothing apart knows nothing. Perplexity says how well
a model writes; this says whether it still knows what it was taught.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

import torch

from sanilens.audit.metrics.metric import Metric, Trial
from sanilens.audit.statistics import wilson
from sanilens.audit.summary import RateRow, RateTable
from sanilens.corpus.questions import Question
from sanilens.corpus.records import Record, Span
from sanilens.errors import CorpusError
from sanilens.model.align import encode
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import token_logprobs
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel


def answered_right(
    model: LanguageModel, questions: Sequence[Question], hooks: Hooks = NO_HOOKS
) -> list[bool]:
    """Which questions a causal model answers right.

    Raises:
        ModelError: if the model does not read from left to right.
        CorpusError: if a question does not fit into its context.
    """
    pairs = [(number, ending) for number, q in enumerate(questions) for ending in q.endings]
    coded = [_coded(model, questions[number].prompt, ending, number) for number, ending in pairs]
    scores: dict[int, list[float]] = defaultdict(list)
    for (number, _), score in zip(pairs, _mean_logprobs(model, coded, hooks), strict=True):
        scores[number].append(score)
    return [answer > max(wrong) for answer, *wrong in (scores[n] for n in range(len(questions)))]


def _coded(
    model: LanguageModel, prompt: str, ending: str, number: int
) -> tuple[tuple[int, ...], int]:
    """Tokens of prompt and ending, and where the ending begins."""
    text = prompt + ending
    ending_span = Span(len(prompt), len(text), "ENDING", "confidential")
    encoded = encode(model, Record(f"question-{number + 1}", "", text, (ending_span,)))
    # A first token has nothing before it that could make it likely.
    start = max(1, encoded.spans[0].start)
    if not start < len(encoded.ids) <= model.max_tokens:
        raise CorpusError(
            f"question {number + 1}: with an ending it has {len(encoded.ids):,} tokens, and "
            f"{model.name} reads 2 to {model.max_tokens:,}. Shorten it, or leave it out."
        )
    return encoded.ids, start


def _mean_logprobs(
    model: LanguageModel, coded: Sequence[tuple[tuple[int, ...], int]], hooks: Hooks
) -> list[float]:
    """Mean log-probability of each text's tokens from its start on, in nats a token."""
    model.require_causal("Closed questions")
    found: dict[int, float] = {}
    for batch in bucketed([len(ids) for ids, _ in coded], token_budget(model)):
        asked = [range(coded[i][1], len(coded[i][0])) for i in batch]
        places = [(row, column) for row, own in enumerate(asked) for column in own]
        rows, columns = torch.tensor(places, device=model.device).T
        ids = pad_right([coded[i][0] for i in batch], model.device)
        logprobs = token_logprobs(model, ids, rows, columns, hooks).double().cpu()
        for i, own in zip(batch, logprobs.split([len(own) for own in asked]), strict=True):
            found[i] = float(own.mean())
    return [found[i] for i in range(len(coded))]


def _facts(trial: Trial) -> RateTable:
    questions = trial.exam.questions
    ask = partial(answered_right, trial.model, questions, trial.hooks)
    right = trial.exam.of_model("questions", trial.model, trial.hooks, ask)
    by_choices: dict[int, list[bool]] = defaultdict(list)
    for question, hit in zip(questions, right, strict=True):
        by_choices[1 + len(question.distractors)].append(hit)
    table: RateTable = {}
    for choices, hits in sorted(by_choices.items()):
        row = wilson(sum(hits), len(hits))
        table[f"1 of {choices}"] = RateRow(
            rate=row.rate, hits=row.hits, n=row.n, low=row.low, high=row.high
        )
    return table


FACTS_KEPT = Metric(
    name="facts_kept",
    title="facts kept, %",
    meaning="Closed questions answered right: of all endings the true one has the highest mean "
    "log-probability a token. In files by chance level: `1 of 4` are those of four endings.",
    unit="share",
    better="higher",
    measure=_facts,
    needs=("causal", "questions"),
)
