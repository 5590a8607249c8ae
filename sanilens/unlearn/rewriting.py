"""Curvature-guided erasure: what is asked is forgotten by the change that moves least else.

    L_S = mean_{t in S} KL(q_t || p_theta)                        q the teacher (model/teachers.py)
    U   = (G + sqrt(lam)/pi I)^-1  grad_W L_S  (A + sqrt(lam) pi I)^-1     (model/curvature.py)
    W  <- W - s U,    s = min(L_S, sqrt(2 eps d)) / d,    d = sum <U, grad>,    KL at K ~ s^2 d / 2

A natural-gradient step of at most eps nats a token. S are the sensitive tokens of those asked for,
K what must stay. The prediction is of second order and the step may be long, so every step's KL is
measured at places of K that the curvature was not told; where it is far more than predicted the
step is taken back and halved. Where L_S falls by far less than the gradient promised, lam grows
(Levenberg and Marquardt). Rewriting chosen units solves the same among their own rows and columns:
the least harm that these units alone allow.

A span is forgotten once greedy decoding does not say it and a sample would hardly be it: silence
alone leaves what a hundred samples bring. What is forgotten is no longer pushed, since every push
is paid for by what must stay; if it comes back, it is pushed again. So is what a copy says again
that has read on (reading_on.py).
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import memory
from sanilens.corpus.records import Record, as_text, in_scope
from sanilens.errors import DivergedError, LogitsError, ModelError, PlanError
from sanilens.model.curvature import Curvature, Sums, sum_curvature
from sanilens.model.keep_set import Harm, KeepSet, Kept, keep_set
from sanilens.model.language_model import LanguageModel
from sanilens.model.lessons import Lesson, forget_gradients, lessons
from sanilens.model.linear_maps import linear_paths
from sanilens.model.regions import Region, unit_regions
from sanilens.model.teachers import teach
from sanilens.model.units import Head, Neuron, ProjectionRow
from sanilens.progress import Progress, unheard
from sanilens.unlearn.plan import Rewriting, UnitEdit
from sanilens.unlearn.reading_on import ReadingOn
from sanilens.unlearn.trust_region import NOTHING, Damping, Ratio, step_

# What one draw of notes does not bring back another may: so many trials in a row end it.
_SILENT = 2


@dataclass(frozen=True, slots=True)
class RewriteStep:
    """One step that was taken.

    Attributes:
        number: from 1.
        loss: L_S before it, of what was still to be forgotten, nats a token of all that was asked.
        gain: how far L_S was predicted to fall.
        predicted: KL at the keep set, nats a token, by the curvature.
        measured: the same, measured at held-out places.
        harm: since the beginning, measured.
        extracted, of: spans asked for that are still said, and how many were asked.
        left: those still to be forgotten: said, or likelier than the settings' `likely`.
        back: those that a copy which read on said again, for which the step was taken; 0: it was
            taken for what the model itself had left.
        halved: how often the step was taken back and halved.
    """

    number: int
    loss: float
    gain: float
    predicted: float
    measured: float
    harm: float
    extracted: int
    left: int
    of: int
    back: int
    halved: int


def rewrite_(
    model: LanguageModel,
    asked: Sequence[Record],
    taught: Sequence[Lesson],
    curvature: Callable[[LanguageModel], Curvature],
    harm: Harm,
    settings: Rewriting,
    regions: Mapping[str, Region] | None = None,
    reading: ReadingOn | None = None,
) -> Iterator[RewriteStep]:
    """Rewrite `model` in place, a step at a time; stop iterating to stop.

    Args:
        model: a copy that may be changed.
        asked: the records whose marked spans are to be forgotten.
        taught: the same with a teacher's answers.
        curvature: of the model as it is now; asked for again where it has become stale.
        harm: measured against the model as it was.
        settings: of the plan.
        regions: what may change, by path; None for all that the curvature has.
        reading: what a copy reads on for a trial; None: there is no trial.
    """
    allowed = _allowed(taught, settings.likely)
    heard = _heard(model, asked, allowed)
    known, stale, damping, trials = None, Ratio(), Damping(settings.damping, settings.damping), 0
    for number in range(1, settings.most_steps + 1):
        at, left, back = model, heard.left, 0
        for _ in range(_SILENT):
            if left or reading is None or trials == settings.trials:
                break
            at, left = _said_again(model, asked, reading, trials)
            trials, back = trials + 1, len(left)
        own = [lesson for lesson in (each.of(left) for each in taught) if lesson.columns]
        if not own:
            return  # nothing that was asked is said any more, or could be asked
        if known is None or stale.parted:
            known, stale = curvature(model), Ratio()
        where = dict.fromkeys(known, Region()) if regions is None else regions
        gradients, mean = forget_gradients(at, own, list(where))
        share = _columns(own) / _columns(taught)
        lam = damping.after(left if at is model else frozenset(), mean)
        change = {
            path: region.step(known[path], gradients[path], lam) for path, region in where.items()
        }
        gained = sum(float((change[path] * gradients[path]).sum()) for path in change)
        if not math.isfinite(mean + gained):
            raise ModelError(
                "what is to be forgotten has no gradient in numbers (NaN or infinite), so nothing "
                "can be rewritten. The weights are damaged, or larger than float32 holds."
            )
        if mean <= NOTHING or gained <= 0:
            return  # the teacher's answers are the model's own: there is nothing left to gain
        taken = step_(model, change, mean, gained, harm, settings, stale)
        if taken is None:
            return
        damping.promised = taken.size * gained
        heard = _heard(model, asked, allowed)
        yield RewriteStep(
            number, share * mean, share * taken.size * gained, taken.predicted,
            taken.moved.since_last, taken.moved.since_start,
            heard.said, len(heard.left), heard.of, back, taken.halved,
        )  # fmt: skip
        harm.accept(taken.moved)


@dataclass(frozen=True, slots=True)
class _Heard:
    """Of the spans that were asked for: how many are said, which are still to be forgotten."""

    said: int
    left: frozenset[str]
    of: int


def _heard(model: LanguageModel, asked: Sequence[Record], allowed: Mapping[str, float]) -> _Heard:
    """`allowed`: log-probability by span; what is not in it may be as likely as it is."""
    verdicts = memory(audit_spans(model, [record for record in asked if record.spans]))
    left = {v.span_id for v in verdicts if v.extracted or v.logprob > allowed.get(v.span_id, 0.0)}
    return _Heard(sum(v.extracted for v in verdicts), frozenset(left), len(verdicts))


def _said_again(
    model: LanguageModel, asked: Sequence[Record], reading: ReadingOn, trial: int
) -> tuple[LanguageModel, frozenset[str]]:
    """A copy that has read on, and the spans that it says; none where reading broke it."""
    try:
        copy = reading.copy(model, trial)
        return copy, _heard(copy, asked, {}).left
    except (DivergedError, LogitsError):
        return model, frozenset()


def _columns(lessons: Sequence[Lesson]) -> int:
    return sum(len(lesson.columns) for lesson in lessons)


def _allowed(taught: Sequence[Lesson], likely: float) -> dict[str, float]:
    """By span its largest log-probability once forgotten.

    What a stranger would say as readily tells nothing: of the few values that a form allows, one
    is the true one.
    """
    found: dict[str, float] = {}
    for lesson in taught:
        for span, logprob in zip(lesson.spans, lesson.taught_logprobs().tolist(), strict=True):
            found[span] = found.get(span, 0.0) + logprob
    return {span: max(math.log(likely), logprob) for span, logprob in found.items()}


@dataclass(frozen=True)
class Rewriter:
    """A plan's rewriting, prepared once for all copies of the examined model.

    Attributes:
        model: the examined model.
        asked: the records as the plan reads them.
        settings: the plan's.
        lessons: the records in which something is to be forgotten, with the teacher's answers.
        keep: what must stay.
        reading: what a copy reads on for a trial; None where nobody stays.
        apart: of a request for some people, what replaces what in the sums over the whole corpus.
        seed: of all that is drawn.
        folder: where curvature is kept.
        progress: hears of the curvature's batches.
    """

    model: LanguageModel
    asked: Sequence[Record]
    settings: Rewriting
    lessons: Sequence[Lesson]
    keep: KeepSet
    reading: ReadingOn | None = None
    apart: "Apart | None" = None
    seed: int = 0
    folder: Path | None = None
    progress: Progress = unheard

    @cached_property
    def whole(self) -> Curvature:
        """Curvature of every map of the examined model: for trying many choices of units."""
        return self._sums(self.model, None, self.folder).curvature()

    def steps(
        self,
        copy: LanguageModel,
        edits: Sequence[UnitEdit] = (),
        *,
        changed: bool = False,
        known: Curvature | None = None,
    ) -> Iterator[RewriteStep]:
        """Rewrite a copy of the examined model in place, a step at a time.

        Args:
            copy: may be changed.
            edits: whose units are to be rewritten, if any are; else all weights of the settings'
                layers. Other edits were made before.
            changed: whether the copy was changed otherwise too, so that its curvature is its own.
            known: `whole`, where the caller has asked for it.
        """
        rewritten = [edit.parsed for edit in edits if edit.operation == "rewrite"]
        units = [unit for unit in rewritten if isinstance(unit, Neuron | Head | ProjectionRow)]
        changed = changed or len(units) < len(edits)
        layers = sorted({u.layer for u in units}) if units else self.settings.layers or None
        regions = unit_regions(copy, units) if units else None

        def curvature(now: LanguageModel) -> Curvature:
            nonlocal changed
            first, changed = not changed, True  # asked again: after steps were taken
            if not first:
                return self._sums(now, layers, None).curvature()
            if known:
                return {path: known[path] for path in linear_paths(self.model, layers)}
            # The copy is still the examined model, under whose name it is kept.
            return self._sums(self.model, layers, self.folder).curvature()

        harm = Harm(copy, self.keep.held)
        return rewrite_(
            copy, self.asked, self.lessons, curvature, harm, self.settings, regions, self.reading
        )

    def _sums(
        self, model: LanguageModel, layers: Sequence[int] | None, folder: Path | None
    ) -> Sums:
        """Over what must stay; of an unchanged model from the sums over the whole corpus."""

        def measured(kept: Sequence[Kept], where: Path | None = None) -> Sums:
            return sum_curvature(
                model, kept, layers=layers, seed=self.seed, folder=where, progress=self.progress
            )

        if self.apart is None or folder is None:
            return measured(self.keep.told, folder)
        apart = self.apart
        whole = measured(apart.whole, folder)
        return whole.plus(measured(apart.theirs), -1).plus(measured(apart.left_of_theirs))


@dataclass(frozen=True, slots=True)
class Apart:
    """How one pass over a whole corpus serves every request: the texts of those asked are swapped.

    Attributes:
        whole: every text, with all that is in it.
        theirs: those of the people asked for, and of those deleted before, out of `whole`.
        left_of_theirs: what stays of the texts of those asked for.
    """

    whole: tuple[Kept, ...]
    theirs: tuple[Kept, ...]
    left_of_theirs: tuple[Kept, ...]


def prepare_rewriting(
    model: LanguageModel,
    corpus: Sequence[Record],
    settings: Rewriting,
    *,
    subjects: Sequence[str] = (),
    earlier: Sequence[str] = (),
    base: LanguageModel | None = None,
    further: Sequence[Record] = (),
    seed: int = 0,
    folder: Path | None = None,
    progress: Progress = unheard,
) -> Rewriter:
    """Ask the teacher, and say what must stay.

    Args:
        model: the examined model.
        corpus: all records.
        settings: of the plan.
        subjects, earlier: who is to be forgotten, and who was before, as in a plan.
        base: the model before fine-tuning, for the teacher of that name.
        further: texts of the domain that are kept too.
        seed: of all that is drawn.
        folder: where curvature is kept.
        progress: hears of the teacher's and the curvature's batches.

    Raises:
        PlanError: if the teacher needs a base, nothing is to be forgotten, or there is no such
            layer.
        CorpusError: if a subject has no span.
    """
    if max(settings.layers, default=0) >= (count := model.sites.n_layers):
        raise PlanError(f"layer {max(settings.layers)} is to be rewritten; there are {count:,}.")
    asked = in_scope(corpus, subjects, earlier)
    marked = [record for record in asked if record.spans]
    stay = [*(record for record in asked if not record.spans), *further]
    taught = teach(
        settings.teacher, model, marked, base=base, others=stay, seed=seed, progress=progress
    )
    own = [lesson for lesson in lessons(model, marked, taught) if lesson.columns]
    if not own:
        raise PlanError("no sensitive token is to be forgotten: the spans in scope have none.")
    keep = keep_set(model, asked, further, corpus)
    apart = reading = None
    if subjects:
        plain = as_text(corpus)
        gone = {*subjects, *earlier}
        apart = Apart(
            keep_set(model, plain, further, corpus).told,
            keep_set(model, [r for r in plain if r.subject in gone], corpus=corpus).told,
            keep_set(model, [r for r in asked if r.subject in gone], corpus=corpus).told,
        )
        if others := [r for r in plain if r.subject not in gone]:
            reading = ReadingOn(others, seed)
    return Rewriter(model, asked, settings, own, keep, reading, apart, seed, folder, progress)
