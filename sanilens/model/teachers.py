"""What a model should say in the place of something it must not know: a distribution a token.

stranger   what the examined model says of somebody it has never met: everything sensitive before
           the place is replaced by surrogates, free text by words as they follow each other in
           texts that stay; the true tokens of the span so far stand. Of a masked model it is
           everything sensitive but the span, in whose place there is a gap
base       what the model says that never read the corpus, after the true text
uniform    what stands at that place of a surrogate, any being as likely

Of free text, such as an answer, there is no surrogate: there what others' texts have after the same
word takes its place (model/wording.py).

A stranger needs neither a base nor clean data, and keeps what fine-tuning taught of the form: that
a record number has seven digits holds of strangers too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.corpus.records import FREE_TEXT, Record, has_free_text
from sanilens.corpus.surrogates.substitute import fillings, substitute
from sanilens.errors import PlanError
from sanilens.model.align import Encoded, encode
from sanilens.model.batches import bucketed, gap, pad_right, token_budget, with_gaps
from sanilens.model.examples import in_its_place
from sanilens.model.forward import logits_at
from sanilens.model.language_model import LanguageModel
from sanilens.model.soft import TOP, Soft, formal, joined, soften
from sanilens.model.wording import Wording, wording
from sanilens.progress import Progress, unheard

TEACHERS = ("stranger", "base", "uniform")

T = TypeVar("T")

# Strangers asked, surrogates whose tokens are counted.
DRAWS, _FILLINGS = 3, 32
# Of a label so many invented values are asked how likely they are.
_ASKED = 48


class Asked(NamedTuple):
    """A span, by the numbers of its record and its own, and which of its places are asked for.

    A causal model is asked for all, one after the other; a masked one for those of a gap at once.
    """

    record: int
    span: int
    places: tuple[int, ...]


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
    spans = [Asked(i, n, each.tokens(n)) for i, each in enumerate(coded)
             for n in range(len(each.spans))]  # fmt: skip
    match name:
        case "uniform":
            form = _forms(model, _wording(model, records, others), seed)
            answers = [soften(form(coded[own.record], own.span)) for own in spans]
        case "base":
            if base is None:
                raise PlanError("the base model is the teacher; give one, or take a stranger.")
            told = [[_Question(coded[i], coded[i], n, places)] for i, n, places in spans]
            answers = _asked(base, told, lambda _, probs: soften(probs), progress)
        case "stranger":
            answers = _strangers(model, coded, spans, others, seed, draws, progress)
        case _:
            raise PlanError(f"no teacher is called {name!r}; there are {', '.join(TEACHERS)}.")
    found = {own[:2]: answer for own, answer in zip(spans, answers, strict=True)}
    return [_of_record(each, [found[i, n] for n in range(len(each.spans))])
            for i, each in enumerate(coded)]  # fmt: skip


@torch.inference_mode()
def teach_gaps(
    model: LanguageModel,
    records: Sequence[Record],
    gaps: Sequence[Asked],
    *,
    others: Sequence[Record] = (),
    seed: int = 0,
    draws: int = DRAWS,
    progress: Progress = unheard,
) -> list[Soft]:
    """What a masked model says of strangers in gaps of spans: of each gap a row for every place.

    Args:
        model: the examined model.
        records: whose spans are to be forgotten.
        gaps: what is asked; those of one span one after the other.
        others: as `teach` takes them.
        seed: of the surrogates.
        draws: how many strangers the answer is the mean of.
        progress: hears of the batches done.
    """
    coded = [encode(model, record) for record in records]
    return _strangers(model, coded, gaps, others, seed, draws, progress)


def partly(tokens: int, rng: np.random.Generator) -> tuple[int, ...]:
    """Some of a span's places: those that are still open when the others have been filled in."""
    count = int(rng.integers(1, tokens))
    return tuple(sorted(int(i) for i in rng.choice(tokens, count, replace=False)))


def _wording(
    model: LanguageModel, records: Sequence[Record], others: Sequence[Record]
) -> Wording | None:
    """How texts that stay go on, where there is free text to be told of."""
    # A text of somebody who is to be forgotten names that person, around what is marked as well.
    stay = [*(record for record in records if not record.spans), *others]
    return wording(model, stay or records) if has_free_text(records) else None


def _forms(
    model: LanguageModel, words: Wording | None, seed: int
) -> Callable[[Encoded, int], Float[Tensor, "place vocab"]]:
    """What of a span is form: what surrogates have there, or of free text others' texts."""

    def form(coded: Encoded, number: int) -> Float[Tensor, "place vocab"]:
        if words is not None and coded.spans[number].span.label == FREE_TEXT:
            return words.form(coded, number)
        return _form(model, coded, number, seed)

    return form


def _strangers(
    model: LanguageModel,
    coded: Sequence[Encoded],
    spans: Sequence[Asked],
    others: Sequence[Record],
    seed: int,
    draws: int,
    progress: Progress,
) -> list[Soft]:
    """Strangers' answers at spans, with no more of the secrets than of anybody's values."""
    records = [each.record for each in coded]
    words = _wording(model, records, others)
    form, prose = _forms(model, words, seed), partial(words.draw, model) if words else None
    seeds = [seed * 1_000_003 + 7919 * (draw + 1) for draw in range(draws)]
    invented = [[encode(model, r) for r in substitute(records, own, prose)] for own in seeds]
    # What nothing sensitive precedes is asked after the text itself: another value's first token
    # may begin elsewhere. A masked model is told what follows as well.
    causal = model.kind == "causal"
    told = [
        [
            _Question(coded[i], coded[i] if causal and not n else own[i], n, places)
            for own in invented
        ]
        for i, n, places in spans
    ]
    usual = in_part = _usual(model, invented, progress)
    if any(places != coded[i].tokens(n) for i, n, places in spans):
        in_part = _usual(model, invented, progress, rng=np.random.default_rng(seed))

    # Wide, and the same of all gaps of a span, which come one after the other.
    @lru_cache(maxsize=1)
    def form_at(i: int, n: int) -> Float[Tensor, "place vocab"]:
        return form(coded[i], n)

    def of_form(number: int, probs: Float[Tensor, "place vocab"]) -> Soft:
        i, n, places = spans[number]
        secret = torch.tensor(told[number][0].secret, device=model.device)
        anybodys, label = form_at(i, n)[list(places)], coded[i].spans[n].span.label
        if label == FREE_TEXT:
            own = anybodys.gather(1, secret[:, None])[:, 0]
        else:
            whole = coded[i].tokens(n)
            known = usual if places == whole else in_part
            own = known.of(label, len(whole)).to(probs)[list(places)]
        return soften(formal(probs, secret, anybodys, own))

    return _asked(model, told, of_form, progress)


@dataclass(frozen=True, slots=True)
class _Question:
    """What is said at places of a span of `true`, in the text that `told` has around it.

    A causal model is asked after what stands before each place, a masked one in a gap.
    """

    true: Encoded
    told: Encoded
    number: int
    places: tuple[int, ...]

    @property
    def secret(self) -> tuple[int, ...]:
        """The true span's tokens at these places."""
        start = self.true.spans[self.number].start
        return tuple(self.true.ids[start + k] for k in self.places)

    def read(self, model: LanguageModel) -> tuple[tuple[int, ...], list[int]]:
        """What is shown, and at which columns the model speaks of the places.

        Of a text longer than the context the last tokens that fit, or those around the span: then
        the first places may be missing.
        """
        ids, span, told = self.true.ids, self.true.spans[self.number], self.told.spans[self.number]
        own = ids[span.start : span.end]
        before, after = self.told.ids[: told.start], self.told.ids[told.end :]
        if model.kind == "masked":
            at = range(told.start, told.start + len(own))
            text, columns = gap(model, (*before, *own, *after), at, self.places)
            return tuple(with_gaps(model, text, columns)), columns
        opening = self.told.opening
        text = (*before[opening:], *own)[-(model.max_tokens - opening) :]
        shown = (*self.told.ids[:opening], *text)
        # What nothing precedes cannot be asked.
        return shown, [*range(max(0, len(shown) - 1 - len(own)), len(shown) - 1)]


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
    model: LanguageModel,
    strangers: Sequence[Sequence[Encoded]],
    progress: Progress,
    *,
    rng: np.random.Generator | None = None,
) -> _Usual:
    """Ask strangers' own records how likely what was invented of them is.

    With `rng` where part of it has been filled in already.
    """
    every: dict[str, list[_Question]] = {}
    for own in (each for records in strangers for each in records):
        for n, span in enumerate(own.spans):
            # What nothing precedes cannot be asked; of free text nothing is invented.
            if not span.start or span.span.label == FREE_TEXT:
                continue
            whole = own.tokens(n)
            if rng is None or len(whole) > 1:
                places = partly(len(whole), rng) if rng else whole
                every.setdefault(span.span.label, []).append(_Question(own, own, n, places))
    some = [q for own in every.values() for q in own[:: -(-len(own) // _ASKED)]]

    def logprobs(number: int, probs: Float[Tensor, "place vocab"]) -> list[float]:
        secret = torch.tensor(some[number].secret, device=probs.device)
        return probs.gather(1, secret[:, None])[:, 0].clamp(min=1e-30).log().tolist()

    answers = _asked(model, [[question] for question in some], logprobs, progress)
    found: dict[str, list[list[float]]] = {}
    for question, own in zip(some, answers, strict=True):
        places = found.setdefault(question.true.spans[question.number].span.label, [])
        places += [[] for _ in range(question.places[-1] + 1 - len(places))]
        for place, logprob in zip(question.places, own, strict=True):
            places[place].append(logprob)
    return _Usual(found)


def _asked(
    model: LanguageModel,
    questions: Sequence[Sequence[_Question]],
    shortened: Callable[[int, Float[Tensor, "place vocab"]], T],
    progress: Progress,
) -> list[T]:
    """For each span the mean answer over its questions, `shortened` at once: it is wide."""
    texts = [[q.read(model) for q in own] for own in questions]
    lengths = [max(len(ids) for ids, _ in own) for own in texts]
    found: dict[int, T] = {}
    buckets = list(bucketed(lengths, max(1, token_budget(model) // max(1, len(texts[0])))
                            if texts else 1))  # fmt: skip
    for done, bucket in enumerate(buckets, start=1):
        flat = [text for i in bucket for text in texts[i]]
        sizes = [len(columns) for _, columns in flat]
        places = [(row, column) for row, (_, own) in enumerate(flat) for column in own]
        padded = pad_right([ids for ids, _ in flat], model.device)
        rows, columns = torch.tensor(places, dtype=torch.long, device=model.device).reshape(-1, 2).T
        read = [len(ids) for ids, _ in flat]
        probs = logits_at(model, padded, rows, columns, lengths=read).softmax(-1).split(sizes)
        each = len(texts[bucket[0]])
        for k, i in enumerate(bucket):
            least = min(sizes[k * each : (k + 1) * each])
            own = torch.stack([p[len(p) - least :] for p in probs[k * each : (k + 1) * each]])
            # Where nobody can be asked, at the first places, any token will do.
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
