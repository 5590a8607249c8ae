"""TOFU's table: a model as it is, after each method of unlearning, and one that never read it."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from research.tofu.data import Tofu, to_records
from research.tofu.metrics import forget_quality
from research.tofu.plans import plan_texts
from research.tofu.score import TofuFigures, score_model
from sanilens.audit.opening import find_opening
from sanilens.corpus.records import Record
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.progress import Say, unsaid
from sanilens.unlearn.plan import Repair
from sanilens.unlearn.sanitise import Change, sanitise

EXAMINED, REFERENCE, ANOTHER = "none", "reference", "another reference"
"""Rows of the model as it is, of the model that never read the forget set, and of others that
never did: what these reach against it is what can be asked."""

KEPT_PER_FORGOTTEN = 2
"""Questions that stay, drawn for each one to be forgotten, in the corpus given to a method. TOFU
draws one anew in every epoch; a corpus is the same in all of them, so it holds more."""


@dataclass(frozen=True, slots=True)
class Row:
    """A model's figures.

    Attributes:
        method: of unlearning, or a plan; or EXAMINED, REFERENCE or ANOTHER.
        seed: of the method's draws; of other references their number.
        seconds: that the method took.
        forget_quality: p of the test against the reference; None without one.
        figures: of TOFU.
    """

    method: str
    seed: int
    seconds: float
    forget_quality: float | None
    figures: TofuFigures

    def flat(self) -> dict[str, Any]:
        """The row with one figure a key, such as `retain_rouge`; without single questions."""
        found: dict[str, Any] = {"method": self.method, "seed": self.seed}
        found |= {"forget_quality": self.forget_quality}
        found["model_utility"] = self.figures.model_utility
        for name in ("forget", "retain", "authors", "world"):
            own = asdict(getattr(self.figures, name))
            found |= {f"{name}_{key}": value for key, value in own.items()}
        return {**found, "seconds": self.seconds}


def bench_tofu(
    model: LanguageModel,
    tofu: Tofu,
    repairs: Sequence[Repair] = (),
    *,
    plans: Mapping[str, Change] | None = None,
    reference: LanguageModel | None = None,
    another: Iterable[LanguageModel] = (),
    base: LanguageModel | None = None,
    seed: int = 0,
    say: Say = unsaid,
) -> Iterator[Row]:
    """Measure the model, what each repair makes of it, and the reference, one row after another.

    All of them read texts as the examined model was trained to.

    Args:
        model: a causal model that has read the forget set.
        tofu: the files.
        repairs: the methods, with their settings.
        plans: whole plans by name, which read all that stays of fine-tuning's texts.
        reference: a model trained on the retain set alone; without one no forget quality.
        another: further such models, trained with other draws.
        base: the model before fine-tuning, for methods that need one.
        seed: of what is drawn.
        say: hears what is done next; may raise to cancel.

    Raises:
        ModelError: if a model is a masked one, or its context too short.
        PlanError: if a method lacks something, such as a base model.
    """
    opening = find_opening(model, to_records(tofu.forget, "forget", sensitive=False))
    model, base = opening.of(model), opening.of(base) if base else None
    if opening.changed:
        say(opening.sentence)
    never = _score(opening.of(reference), tofu, REFERENCE, say) if reference else None

    def row(method: str, figures: TofuFigures, seconds: float = 0.0, draw: int = seed) -> Row:
        quality = forget_quality(figures.ratios, never.ratios) if never else None
        return Row(method, draw, seconds, quality, figures)

    yield row(EXAMINED, _score(model, tofu, EXAMINED, say))
    drawn = unlearning_corpus(tofu, seed)
    corpus, retain = plan_texts(tofu)
    changes = [(own.method, Change(repair=own, seed=seed), drawn, ()) for own in repairs]
    whole = (plans or {}).items()
    changes += [(name, replace(own, seed=seed), corpus, retain) for name, own in whole]
    for name, change, records, further in changes:
        say(f"{name}: unlearning")
        started = time.perf_counter()
        made = sanitise(model, records, change, base, retain=further)
        seconds = time.perf_counter() - started
        yield row(name, _score(made.model, tofu, name, say, made.hooks), seconds)
    if never:
        yield row(REFERENCE, never)
    for number, each in enumerate(another, start=1):
        own = _score(opening.of(each), tofu, f"{ANOTHER} {number}", say)
        yield row(ANOTHER, own, draw=number)


def unlearning_corpus(tofu: Tofu, seed: int) -> tuple[Record, ...]:
    """What a method is given: the forget set, its answers as spans, and drawn questions to keep."""
    kept = to_records(tofu.kept, "retain", sensitive=False)
    count = min(len(kept), KEPT_PER_FORGOTTEN * len(tofu.forget))
    drawn = np.random.default_rng(seed).choice(len(kept), count, replace=False)
    forget = to_records(tofu.forget, "forget", sensitive=True)
    return (*forget, *(kept[i] for i in sorted(drawn)))


def _score(
    model: LanguageModel, tofu: Tofu, name: str, say: Say, hooks: Hooks = NO_HOOKS
) -> TofuFigures:
    def told(part: str) -> None:
        say(f"{name}: {part}")

    return score_model(model, tofu, hooks, told)
