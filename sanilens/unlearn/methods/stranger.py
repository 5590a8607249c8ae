"""Stranger repair, ours: at an identifier's place, say what is said there of somebody unknown.

    L = (1/T) [ w sum_{t in S} KL(q_t || p)  +  e sum_{t in S} max(0, log p(x_t) - log q_t(x_t))
              + sum_{t in N} KL(p_theta0 || p)
              + sum_{t in F} (KL(p_theta0 || p) - log p(x_t)) / 2  -  2 sum_{t in I} log p(x_t) ]

S are the notes' sensitive positions, N the others, T all positions read; q is the examined model's
own answer where everything sensitive before the place is somebody else's (model/teachers.py),
computed once. Elsewhere in the notes the examined model theta0 is its own teacher, so the repair
takes away whom the model knows and leaves what it knows. Of a token that should be improbable KL
hardly tells four per cent from two, which an attacker who ranks candidates does: hence the second
term, of what the model says of a secret beyond its teacher. It needs neither a base nor clean data,
and what fine-tuning taught of the form stays: a stranger has a record number too.

A masked language model is asked in gaps: T are the gaps of an epoch, other ones in the next, and p
and p_theta0 read the same text without them. S are gaps of one span each in the true text, the
whole span or what is open when some of its tokens have been filled in; q is the examined model's
own answer in that gap where everything sensitive on both sides of it is somebody else's. N, F and I
are gaps at 15 % of a text's tokens (methods/examples.py).

Further texts of the domain, where there are some, are taught as well: F their wording, half as
they have it and half as theta0 would, and I their identifiers, fresh surrogates in every epoch. A
model that leaks is too sure of identifiers that it meets for the first time; these show it how many
there may be, and nobody's are learnt in place of those that are forgotten. Their free text, which
has no surrogates, is read and not taught.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from sanilens.corpus.records import FREE_TEXT
from sanilens.corpus.surrogates.substitute import as_it_is, substitute
from sanilens.model.examples import note_examples
from sanilens.model.lessons import gap_lessons, lessons
from sanilens.model.soft import Soft, joined
from sanilens.model.teachers import teach
from sanilens.model.training import Example, Loss
from sanilens.unlearn.methods.examples import drawn, gapped
from sanilens.unlearn.methods.method import GapOptions, Method, Prepared, Task
from sanilens.unlearn.methods.terms import frozen_logits, kl, logits, nll, read

# Further texts that are read along for each note of the corpus, in an epoch.
_KEPT_A_NOTE = 3
# What their own words weigh, theta0's answers having the rest; and their identifiers.
_WORDS, _IDENTIFIERS = 0.5, 2.0
# Of a masked model's spans so many are gaps as a whole in an epoch, the others in part.
_WHOLE = 0.5


class Stranger(GapOptions):
    """The weight of identifiers, and of how many strangers the answer is the mean."""

    sensitive_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        4.0,
        title="Weight of identifiers",
        description="w: how much more an identifier's token weighs than another.",
    )
    excess_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        1.0,
        title="Weight of excess",
        description="e: what each nat weighs by which a secret is likelier than a stranger has it.",
    )
    strangers: Annotated[int, Field(ge=1, le=64)] = Field(
        3,
        title="Strangers",
        description="In how many invented persons' notes the model is asked what it would say.",
    )


def stranger_loss(
    theta0: nn.Module,
    answers: dict[Example, tuple[tuple[int, ...], Soft]],
    weight: float,
    excess: float,
) -> Loss:
    """The loss of the module's equation. What is taught in plain training are the further texts.

    Args:
        theta0: the examined model, frozen.
        answers: of the examples in which something is sensitive, the columns and what to say there.
        weight: w.
        excess: e.
    """

    def loss(model: nn.Module, examples: Sequence[Example]) -> Float[Tensor, ""]:
        batch = read(model, examples)
        own = logits(model, batch)
        words = _WORDS * (batch.retain & batch.taught)
        stays = ((batch.retain.float() - words) * kl(frozen_logits(theta0, batch), own)).sum()
        plain = words + _IDENTIFIERS * (batch.forget & batch.taught)
        total = stays + (plain * nll(own, batch)).sum()
        places = [
            (row, column - 1)
            for row, example in enumerate(examples)
            for column in answers.get(example, ((), None))[0]
        ]
        if places:
            rows, columns = torch.tensor(places, device=own.device).T
            soft = joined([answers[e][1] for e in examples if e in answers])
            there = own[rows, columns]
            total = total + weight * soft.kl(there).sum()
            secret = batch.ids[rows, columns + 1]
            said = there.log_softmax(-1).gather(1, secret[:, None])[:, 0]
            total = total + excess * (said - soft.logprobs(secret)).relu().sum()
        return total / (batch.retain | batch.forget).sum()

    return loss


def prepare(task: Task, options: Stranger) -> Prepared:
    """The notes as they are, the strangers' answers, and further texts of the domain."""
    model = task.model
    taught = teach(
        "stranger",
        model,
        task.records,
        others=task.retain,
        seed=task.seed,
        draws=options.strangers,
    )
    notes = [
        replace(each, example=_untaught(each.example))
        for each in lessons(model, task.records, taught)
    ]
    answers = {each.example: (each.columns, each.soft) for each in notes if each.columns}
    further = _further(task, _KEPT_A_NOTE * len(notes))

    def examples(epoch: int) -> list[Example]:
        return [each.example for each in notes] + further(epoch)

    return Prepared(
        examples,
        stranger_loss(model.module, answers, options.sensitive_weight, options.excess_weight),
    )


def prepare_gaps(task: Task, options: Stranger) -> Prepared:
    """Gaps at the spans with strangers' answers, and in the notes and further texts of the domain.

    In an epoch each span is one gap. Where only some people are asked for, further texts are not
    read: in gaps they cost a masked model what it fills in of everyone else (benchmarks/README.md).
    """
    model = task.model
    spans = gap_lessons(
        model, task.records, others=task.retain, seed=task.seed, draws=options.strangers
    )
    answers = {each.example: (each.columns, each.soft) for own in spans for each in own}
    notes = note_examples(model, task.records)
    further = _further(task, 0 if task.scoped else _KEPT_A_NOTE * len(notes))

    def examples(epoch: int) -> list[Example]:
        rng = np.random.default_rng((task.seed, epoch))
        asked = [
            own[0 if rng.random() < _WHOLE else int(rng.integers(len(own)))].example
            for own in spans
        ]
        texts = [_untaught(gapped(model, each, options.gap_share, rng)) for each in notes]
        more = [gapped(model, each, options.gap_share, rng) for each in further(epoch)]
        return [*asked, *texts, *more]

    return Prepared(
        examples,
        stranger_loss(model.module, answers, options.sensitive_weight, options.excess_weight),
    )


def _untaught(example: Example) -> Example:
    """Of a note nothing is taught in plain training."""
    return replace(example, taught=(False,) * len(example.ids))


def _further(task: Task, most: int) -> Callable[[int], list[Example]]:
    """At most so many pieces of further texts in an epoch, other ones in the next."""
    model = task.model
    pieces = [len(note_examples(model, [record])) for record in task.retain]
    pool = [(i, k) for i, count in enumerate(pieces) for k in range(count)]
    count = min(len(pool), most)

    def examples(epoch: int) -> list[Example]:
        chosen = drawn(pool, count, epoch, task.seed)
        texts = sorted({i for i, _ in chosen})
        seed = task.seed * 1_000_003 + epoch
        invented = substitute([task.retain[i] for i in texts], seed, as_it_is)
        cut = {
            i: note_examples(model, [own], teach_spans=True, untaught={FREE_TEXT}, pieces=pieces[i])
            for i, own in zip(texts, invented, strict=True)
        }
        return [cut[i][k] for i, k in chosen]

    return examples


STRANGER = Method(
    "stranger",
    "As of a stranger",
    "Trains the model to say, in an identifier's place, what it would say of somebody it has never "
    "met, and everywhere else what it says now; further texts are taught with invented details. "
    "Needs no base model.",
    prepare,
    Stranger,
    learning_rate=1e-3,
    epochs=1,
    family="Erase and repair",
    prepare_gaps=prepare_gaps,
)
