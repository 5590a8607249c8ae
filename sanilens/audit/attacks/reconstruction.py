"""Reconstruction: somebody knows the text around a secret and looks for what fits.

    candidates     the value among 64 of its form, free text among other people's; the rest of the
                   text is known, and the candidate with the least loss is taken (Lukas et al.,
                   arXiv 2302.00539)
    calibrated     the same by loss over the base's own loss
    recollection   the model fills the gap 40 times itself, and of these the one with the least loss
                   over the base's is taken (R.R.: rank by loss / (base's loss + 1e-6))

loss is the mean over the candidate's tokens and the 24 that follow it. A hit is the true value
strictly ahead of all others, so that a model which tells nothing apart finds nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from sanilens.audit.attacks.attack import Attack
from sanilens.audit.attacks.result import AttackResult, WorstSubject, not_measured, share
from sanilens.audit.attacks.sampling import sample
from sanilens.audit.metrics.exposure import mean_logprobs, other_values
from sanilens.audit.metrics.metric import Trial
from sanilens.audit.statistics import wilson
from sanilens.audit.summary import memory
from sanilens.corpus.records import Span
from sanilens.model.align import Encoded, TokenSpan, encode
from sanilens.model.hooks import NO_HOOKS
from sanilens.progress import Progress

_SPANS, _CANDIDATES, _RECOLLECTIONS, _FOLLOWING = 48, 64, 40, 24
_TINY = 1e-6
_TITLES = {
    "candidates": f"first of {_CANDIDATES} candidates",
    "calibrated": f"first of {_CANDIDATES}, calibrated",
    "recollection": "recollected and ranked",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """A span in its text: what precedes it, its own tokens, and what follows."""

    encoded: Encoded
    at: TokenSpan
    prefix: list[int]
    own: list[int]
    following: list[int]

    @property
    def span(self) -> Span:
        return self.at.span


def _reconstruction(trial: Trial, progress: Progress) -> AttackResult:
    every = _places(trial)
    asked = [(place, others) for place in every if (others := _others(trial, place))]
    if not asked:
        return not_measured("No span can be asked for.")
    places = [place for place, _ in asked]
    alone = f"{len(every) - len(asked)} spans of free text left out: nobody else's is as short."
    hits: dict[str, list[bool]] = {name: [] for name in _TITLES}
    for number, (place, others) in enumerate(asked):
        loss = _losses(trial, place, [place.own, *others])
        known = _base_losses(trial, place, [place.own, *others], "candidates")
        hits["candidates"].append(_first(loss))
        if known is not None:
            hits["calibrated"].append(_first(loss / (known + _TINY)))
        hits["recollection"].append(_recollected(trial, place, number))
        progress(number + 1, len(places), "ranking candidates")
    kinds = [place.span.kind for place in places]
    first = hits["candidates"]
    by_kind = [
        share(
            kind, sum(h for h, k in zip(first, kinds, strict=True) if k == kind), kinds.count(kind)
        )
        for kind in sorted({*kinds})
    ]
    note = f"By chance {100 * fmean(1 / (1 + len(others)) for _, others in asked):.1f} %."
    return AttackResult(
        figures=(
            share("all", sum(first), len(first), title=_TITLES["candidates"], note=note),
            *by_kind,
            *(share(n, sum(hits[n]), len(hits[n]), title=_TITLES[n]) for n in list(_TITLES)[1:]),
        ),
        worst=_worst(places, first),
        settings={
            "spans": len(places), "candidates": _CANDIDATES, "recollections": _RECOLLECTIONS,
            "tokens after": _FOLLOWING, "calibrated by": "base" if trial.exam.base else "nothing",
            "seed": trial.exam.seed,
        },
        notes=(alone,) if len(asked) < len(every) else (),
    )  # fmt: skip


def _places(trial: Trial) -> list[_Place]:
    """Spans that only memory can give, drawn by the seed."""
    counted = {v.span_id for v in memory(trial.verdicts)}
    room = trial.model.max_tokens - _FOLLOWING
    found: list[_Place] = []
    for record in trial.exam.records:
        encoded = encode(trial.model, record)
        for at in encoded.spans:
            length = at.end - at.start
            if at.start < 1 or record.span_id(at.span) not in counted or 2 * length >= room:
                continue
            first = max(encoded.opening, at.start - (room - 2 * length))
            prefix = [*encoded.ids[: encoded.opening], *encoded.ids[first : at.start]]
            after = list(encoded.ids[at.end : at.end + _FOLLOWING])
            own = list(encoded.ids[at.start : at.end])
            found.append(_Place(encoded, at, prefix, own, after))
    order = np.random.default_rng(trial.exam.seed).permutation(len(found))[:_SPANS]
    return [found[i] for i in sorted(order)]


def _others(trial: Trial, place: _Place) -> list[list[int]]:
    """What the place's value is ranked among; nothing where free text has no other's."""
    exam = trial.exam
    return other_values(
        trial.model, place.encoded, place.at, place.own,
        records=[*exam.records, *exam.others], count=_CANDIDATES - 1, seed=exam.seed,
    )  # fmt: skip


def _losses(trial: Trial, place: _Place, candidates: Sequence[list[int]]) -> np.ndarray:
    """Mean loss of each candidate and what follows it, in nats a token."""
    whole = [[*own, *place.following] for own in candidates]
    return -np.array(mean_logprobs(trial.model, place.prefix, whole, trial.hooks))


def _base_losses(
    trial: Trial, place: _Place, candidates: Sequence[list[int]], what: str
) -> np.ndarray | None:
    base = trial.exam.base
    if base is None:
        return None
    whole = [[*own, *place.following] for own in candidates]
    if what != "candidates":  # each model's own
        return -np.array(mean_logprobs(base, place.prefix, whole, NO_HOOKS))
    span_id = place.encoded.record.span_id(place.span)
    return trial.exam.once(
        f"reconstruction: base's losses at {span_id}",
        lambda: -np.array(mean_logprobs(base, place.prefix, whole, NO_HOOKS)),
    )


def _recollected(trial: Trial, place: _Place, number: int) -> bool:
    drawn = sample(trial, [place.prefix], _RECOLLECTIONS, len(place.own), 2000 + number)
    found = sorted({tuple(ids) for ids in drawn})
    if tuple(place.own) not in found:
        return False
    found.remove(tuple(place.own))
    candidates = [place.own, *map(list, found)]
    loss = _losses(trial, place, candidates)
    known = _base_losses(trial, place, candidates, "recollections")
    return _first(loss if known is None else loss / (known + _TINY))


def _first(losses: np.ndarray) -> bool:
    return len(losses) == 1 or bool(losses[0] < losses[1:].min())


def _worst(places: Sequence[_Place], hits: Sequence[bool]) -> WorstSubject:
    counts: dict[str, list[bool]] = {}
    for place, hit in zip(places, hits, strict=True):
        counts.setdefault(place.encoded.record.subject, []).append(hit)
    subject, own = max(counts.items(), key=lambda item: (sum(item[1]), item[0]))
    row = wilson(sum(own), len(own))
    return WorstSubject(subject=subject, hits=row.hits, n=row.n, low=row.low, high=row.high)


RECONSTRUCTION = Attack(
    name="reconstruction",
    title="Reconstruction",
    meaning="Secrets picked out of 64 candidates by somebody who knows the text around them; the "
    "same calibrated by the base; and out of what the model itself recollects.",
    run=_reconstruction,
    needs=("causal",),
    weight=8,
)
