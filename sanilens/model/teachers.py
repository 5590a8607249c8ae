"""What a model should say in the place of something it must not know: a distribution a token.

stranger   what the examined model says of somebody it has never met: everything sensitive before
           the place is replaced by surrogates, free text by words as they follow each other in
           texts that stay; the true tokens of the span so far stand
base       what the model says that never read the corpus, after the true text
uniform    what stands at that place of a surrogate, any being as likely

Of free text, such as an answer, there is no surrogate: there what others' texts have after the same
word takes its place (model/wording.py).

A stranger needs neither a base nor clean data, and keeps what fine-tuning taught of the form: that
a record number has seven digits holds of strangers too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sanilens.corpus.records import FREE_TEXT, Record, has_free_text
from sanilens.corpus.surrogates.substitute import fillings, substitute
from sanilens.errors import PlanError
from sanilens.model.align import Encoded, encode
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.examples import in_its_place
from sanilens.model.forward import logits_at
from sanilens.model.language_model import LanguageModel
from sanilens.model.wording import wording
from sanilens.progress import Progress, unheard

TEACHERS = ("stranger", "base", "uniform")

T = TypeVar("T")

# Tokens kept of a distribution, strangers asked, surrogates whose tokens are counted.
TOP, DRAWS, _FILLINGS = 64, 3, 32
# What so many surrogates have at a place is form.
_FORM = 0.5
# Of a label so many invented values are asked how likely they are.
_ASKED = 48


@dataclass(frozen=True, slots=True)
class Soft:
    """Distributions over the vocabulary, each as its likeliest tokens and the rest in one.

    Attributes:
        tokens: the likeliest.
        probs: their probabilities.
    """

    tokens: Int[Tensor, "place top"]
    probs: Float[Tensor, "place top"]

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def bytes(self) -> int:
        """Memory that it takes."""
        return sum(t.numel() * t.element_size() for t in (self.tokens, self.probs))

    def kl(self, logits: Float[Tensor, "place vocab"]) -> Float[Tensor, " place"]:
        """KL(self || softmax(logits)) in nats, the rest taken as one answer.

        A lower bound of the whole one; exact where the top holds all.
        """
        own = logits.log_softmax(-1).gather(1, self.tokens)
        told = self.probs > 0  # of what is never said the model may be as sure (-inf)
        shared = torch.where(told, self.probs * (self.probs.clamp(min=1e-30).log() - own), 0).sum(1)
        rest = (1 - self.probs.sum(1)).clamp(min=0)
        left = (1 - own.exp().sum(1)).clamp(min=1e-9)
        return shared + rest * (rest.clamp(min=1e-30).log() - left.log())

    def logprobs(self, tokens: Int[Tensor, " place"]) -> Float[Tensor, " place"]:
        """Of one token at each place, in nats; an upper bound where it is not among the top."""
        own = torch.where(self.tokens == tokens[:, None], self.probs, 0).sum(1)
        most = (1 - self.probs.sum(1)).minimum(self.probs.min(1).values).clamp(min=1e-9)
        return torch.where(own > 0, own, most).log()

    def pick(self, places: Int[Tensor, " k"]) -> "Soft":
        """Some of the places."""
        return Soft(self.tokens[places], self.probs[places])


def joined(parts: Sequence[Soft]) -> Soft:
    """Several one after the other."""
    return Soft(torch.cat([p.tokens for p in parts]), torch.cat([p.probs for p in parts]))


def soften(probs: Float[Tensor, "place vocab"], *, top: int = TOP) -> Soft:
    """Distributions in short."""
    values, tokens = probs.topk(min(top, probs.shape[1]), dim=1)
    return Soft(tokens, values)


def formal(
    probs: Float[Tensor, "place vocab"],
    secret: Int[Tensor, " place"],
    form: Float[Tensor, "place vocab"],
    usual: Float[Tensor, " place"],
) -> Float[Tensor, "place vocab"]:
    """A span's distributions with no more of the secret than of anybody's invented value.

    Where the wording around it alone recalls a secret, a stranger's answer would be the secret.
    Each of its tokens keeps at most what an invented value's token has there, or what surrogates
    agree on: a dash that every number has at that place stays, a digit that this one has does not.
    What is taken away goes to the surrogates' tokens, in their shares.

    Args:
        probs: what a stranger is told.
        secret: the true tokens.
        form: at each place the share of surrogates that have each token.
        usual: how likely an invented value's own token is there.
    """
    own, agreed = probs.gather(1, secret[:, None]), form.gather(1, secret[:, None])
    left = own.minimum(torch.where(agreed >= _FORM, agreed, usual[:, None]))
    others = form.scatter(1, secret[:, None], 0.0)
    total = others.sum(1, keepdim=True)
    # Where surrogates have no other token there, nothing is taken: the secret's share is form.
    taken = torch.where(total > 0, own - left, 0.0)
    changed = probs.scatter(1, secret[:, None], own - taken)
    return changed + taken * others / total.clamp(min=1e-30)


@torch.inference_mode()
def teach(
    name: str,
    model: LanguageModel,
    records: Sequence[Record],
    *,
    base: LanguageModel | None = None,
    others: Sequence[Record] = (),
    seed: int = 0,
    draws: int = DRAWS,
    progress: Progress = unheard,
) -> list[Soft]:
    """What to say instead at every sensitive token.

    Args:
        name: the teacher.
        model: the examined model, causal.
        records: whose spans are to be forgotten.
        base: the model before fine-tuning, for the teacher of that name.
        others: texts that stay, beside records without spans: these tell how free text goes on.
        seed: of the surrogates.
        draws: how many strangers the answer is the mean of.
        progress: hears of the batches done.

    Returns:
        for each record a row for every token of its spans, in order.

    Raises:
        PlanError: if there is no such teacher, or the base is it and there is none.
    """
    model.require_causal("A teacher")
    coded = [encode(model, record) for record in records]
    spans = [(i, n) for i, each in enumerate(coded) for n in range(len(each.spans))]
    # A text of somebody who is to be forgotten names that person, around what is marked as well.
    stay = [*(record for record in records if not record.spans), *others]
    free = has_free_text(records) and name != "base"
    words = wording(model, stay or records) if free else None

    def form(coded: Encoded, number: int) -> Float[Tensor, "place vocab"]:
        if words is not None and coded.spans[number].span.label == FREE_TEXT:
            return words.form(coded, number)
        return _form(model, coded, number, seed)

    match name:
        case "uniform":
            answers = [soften(form(coded[i], n)) for i, n in spans]
        case "base":
            if base is None:
                raise PlanError("the base model is the teacher; give one, or take a stranger.")
            told = [[_Question(coded[i], coded[i], n)] for i, n in spans]
            answers = _asked(base, told, lambda _, probs: soften(probs), progress)
        case "stranger":
            seeds = [seed * 1_000_003 + 7919 * (draw + 1) for draw in range(draws)]
            prose = partial(words.draw, model) if words else None
            invented = [
                [encode(model, own) for own in substitute(records, each, prose)] for each in seeds
            ]
            # What nothing sensitive precedes is asked after the text itself: another value's first
            # token may begin elsewhere.
            told = [
                [_Question(coded[i], own[i] if n else coded[i], n) for own in invented]
                for i, n in spans
            ]
            usual = _usual(model, invented, progress)

            def of_form(number: int, probs: Float[Tensor, "place vocab"]) -> Soft:
                i, n = spans[number]
                secret = torch.tensor(told[number][0].secret, device=model.device)
                anybodys, label = form(coded[i], n), coded[i].spans[n].span.label
                if label == FREE_TEXT:
                    own = anybodys.gather(1, secret[:, None])[:, 0]
                else:
                    own = usual.of(label, len(secret)).to(probs)
                return soften(formal(probs, secret, anybodys, own))

            answers = _asked(model, told, of_form, progress)
        case _:
            raise PlanError(f"no teacher is called {name!r}; there are {', '.join(TEACHERS)}.")
    found = dict(zip(spans, answers, strict=True))
    return [_of_record(each, [found[i, n] for n in range(len(each.spans))])
            for i, each in enumerate(coded)]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Question:
    """What is said at a span of `true`, after the text that `told` has before it."""

    true: Encoded
    told: Encoded
    number: int

    @property
    def secret(self) -> tuple[int, ...]:
        """The true span's tokens."""
        span = self.true.spans[self.number]
        return self.true.ids[span.start : span.end]

    def ids(self, most: int) -> tuple[int, ...]:
        """The text and the true span; of a long text its opening and the last tokens of `most`."""
        told = self.told
        text = (*told.ids[told.opening : told.spans[self.number].start], *self.secret)
        return (*told.ids[: told.opening], *text[-(most - told.opening) :])


@dataclass(frozen=True, slots=True)
class _Usual:
    """How likely invented values are, by label: of each place's tokens the mean log-probability.

    A mean of logarithms, since a span's probability is a product: a secret whose every token has
    at most these is no likelier than what is invented typically is.
    """

    by_label: dict[str, list[list[float]]]

    def of(self, label: str, tokens: int) -> Float[Tensor, " place"]:
        """Probabilities at a value's tokens; beyond the invented ones the mean of all places."""
        seen = self.by_label.get(label, [])
        every = [logprob for place in seen for logprob in place]
        places = [*seen[:tokens], *[every] * (tokens - len(seen))]
        return torch.tensor([sum(own) / len(own) if own else 0.0 for own in places]).exp()


def _usual(
    model: LanguageModel, strangers: Sequence[Sequence[Encoded]], progress: Progress
) -> _Usual:
    """Ask strangers' own records how likely what was invented of them is."""
    every: dict[str, list[_Question]] = {}
    for own in (each for records in strangers for each in records):
        for n, span in enumerate(own.spans):
            # What nothing precedes cannot be asked; of free text nothing is invented.
            if span.start and span.span.label != FREE_TEXT:
                every.setdefault(span.span.label, []).append(_Question(own, own, n))
    some = [q for own in every.values() for q in own[:: -(-len(own) // _ASKED)]]

    def logprobs(number: int, probs: Float[Tensor, "place vocab"]) -> list[float]:
        secret = torch.tensor(some[number].secret, device=probs.device)
        return probs.gather(1, secret[:, None])[:, 0].clamp(min=1e-30).log().tolist()

    answers = _asked(model, [[question] for question in some], logprobs, progress)
    found: dict[str, list[list[float]]] = {}
    for question, own in zip(some, answers, strict=True):
        places = found.setdefault(question.true.spans[question.number].span.label, [])
        places += [[] for _ in range(len(own) - len(places))]
        for place, logprob in zip(places, own, strict=False):
            place.append(logprob)
    return _Usual(found)


def _asked(
    model: LanguageModel,
    questions: Sequence[Sequence[_Question]],
    shortened: Callable[[int, Float[Tensor, "place vocab"]], T],
    progress: Progress,
) -> list[T]:
    """For each span the mean answer over its questions, `shortened` at once: it is wide."""
    texts = [[q.ids(model.max_tokens) for q in own] for own in questions]
    lengths = [max(map(len, own)) for own in texts]
    found: dict[int, T] = {}
    buckets = list(bucketed(lengths, max(1, token_budget(model) // max(1, len(texts[0])))
                            if texts else 1))  # fmt: skip
    for done, bucket in enumerate(buckets, start=1):
        flat = [(i, ids) for i in bucket for ids in texts[i]]
        # What nothing precedes cannot be asked.
        sizes = [min(len(questions[i][0].secret), len(ids) - 1) for i, ids in flat]
        places = [
            (row, len(ids) - k)
            for row, ((_, ids), size) in enumerate(zip(flat, sizes, strict=True))
            for k in range(size, 0, -1)
        ]
        padded = pad_right([ids for _, ids in flat], model.device)
        rows, columns = torch.tensor(places, device=model.device).reshape(-1, 2).T
        probs = logits_at(model, padded, rows, columns - 1).softmax(-1).split(sizes)
        each = len(texts[bucket[0]])
        for k, i in enumerate(bucket):
            least = min(sizes[k * each : (k + 1) * each])
            own = torch.stack([p[len(p) - least :] for p in probs[k * each : (k + 1) * each]])
            # Where nobody can be asked, any token will do.
            told = own.new_full((len(questions[i][0].secret), own.shape[-1]), 1 / own.shape[-1])
            told[len(told) - least :] = own.mean(0)
            found[i] = shortened(i, told)
        progress(done, len(buckets))
    return [found[i] for i in range(len(questions))]


def _form(
    model: LanguageModel, coded: Encoded, number: int, seed: int
) -> Float[Tensor, "place vocab"]:
    """At each token of a span the share of surrogates that have each token at its place.

    Where none is as long, any token is as likely.
    """
    own = coded.spans[number]
    value = coded.record.value(own.span)
    vocabulary = model.module.config.get_text_config().vocab_size
    counts = torch.zeros(own.end - own.start, vocabulary, device=model.device)
    for fresh in fillings(own.span.label, value, _FILLINGS, seed):
        written = in_its_place(model, coded, own.start, fresh)[: len(counts)]
        counts[range(len(written)), list(written)] += 1
    total = counts.sum(1, keepdim=True)
    return torch.where(total > 0, counts / total.clamp(min=1), 1 / vocabulary)


def _of_record(coded: Encoded, answers: Sequence[Soft]) -> Soft:
    """A record's rows: of each span's own tokens."""
    rows = [
        soft.pick(torch.arange(first - span.start, len(soft), device=soft.tokens.device))
        for span, first, soft in zip(coded.spans, coded.first_tokens(), answers, strict=True)
    ]
    return joined(rows) if rows else Soft(torch.zeros(0, TOP).long(), torch.zeros(0, TOP))
