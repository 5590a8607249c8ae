"""From the inside, by a linear probe: can a secret be read off the hidden states by somebody else?

    W_l = argmin_W sum_t |W h_l(t - 1) - e(x_t)|^2 + lam |W|^2,     e the model's own embedding

The probe is fitted on the sensitive tokens of four fifths of the subjects and asked for those of
the rest, so that it can have learnt no secret itself: what it says, the hidden states hold. It
picks the nearest, by cosine, of all tokens that occur in spans of the label; the best depth counts.
A filter or clamp behind the layer does not touch it. What a label's tokens give away (there are
only ten digits) the reference shows, asked alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sanilens.audit.attacks.attack import Attack
from sanilens.audit.attacks.result import (
    AttackResult,
    Point,
    Series,
    WorstSubject,
    not_measured,
    share,
)
from sanilens.audit.metrics.metric import Trial
from sanilens.audit.passages import Passage, make_passages
from sanilens.audit.statistics import wilson
from sanilens.audit.summary import memory
from sanilens.model.hooks import hooked
from sanilens.model.lens import residuals
from sanilens.progress import Progress

_FOLDS, _RIDGE, _MOST = 5, 1e-2, 20_000


@dataclass(frozen=True, slots=True)
class _Tokens:
    """Sensitive tokens, with what stands in the hidden states before each."""

    hidden: Float[Tensor, "depth n d"]
    ids: Int[Tensor, " n"]
    labels: list[str]
    kinds: list[str]
    subjects: list[str]


def _probe(trial: Trial, progress: Progress) -> AttackResult:
    if why := trial.model.sites.limits.get("lens"):
        return not_measured(f"Its residual stream cannot be read: {why}.")
    subjects = {v.subject for v in memory(trial.verdicts)}
    if len(subjects) < _FOLDS:
        return not_measured(f"A probe is fitted on other people: it needs {_FOLDS} subjects.")
    tokens = _tokens(trial)
    fold = _folds(tokens.subjects, trial.exam.seed)
    hits: list[Bool[Tensor, " n"]] = []
    for depth, hidden in enumerate(tokens.hidden, start=1):
        hits.append(_read_off(trial, hidden, tokens, fold))
        progress(depth, len(tokens.hidden), "fitting probes")
    counts = [int(own.sum()) for own in hits]
    best = int(np.argmax(counts))
    n = len(tokens.ids)
    rows = [wilson(count, n) for count in counts]
    return AttackResult(
        figures=(
            share("all", counts[best], n, title="tokens read off, best depth", better="reference"),
            *_by_kind(tokens, hits[best]),
            share("output", counts[-1], n, title="tokens read off, last depth", better="reference"),
        ),
        series=(
            Series(
                name="tokens read off", x_label="depth", y_label="tokens",
                points=tuple(
                    Point(x=i, y=row.rate, n=n, low=row.low, high=row.high)
                    for i, row in enumerate(rows)
                ),
            ),
        ),
        worst=_worst(tokens, hits[best]),
        settings={
            "best depth": best, "folds": _FOLDS, "ridge": _RIDGE, "tokens": n,
            "subjects": len({*tokens.subjects}), "seed": trial.exam.seed,
        },
        notes=("Tokens of one span depend on each other: the intervals are too narrow.",),
    )  # fmt: skip


@torch.inference_mode()
def _tokens(trial: Trial) -> _Tokens:
    counted = {v.span_id: v for v in memory(trial.verdicts)}
    hidden: list[Tensor] = []
    ids: list[int] = []
    about: list[tuple[str, str, str]] = []
    for passage, columns in _asked(trial, {*counted}):
        found: list[Tensor] = []
        shown = torch.tensor([passage.ids], device=trial.model.device)
        with hooked(trial.model.module, trial.hooks.then(residuals(trial.model, found))):
            trial.model.module(input_ids=shown, use_cache=False)
        places = torch.tensor([c - 1 for c, _ in columns], device=shown.device)
        hidden.append(torch.cat(found)[:, places].float().cpu())
        ids += [passage.ids[c] for c, _ in columns]
        about += [
            (v.label, v.kind, v.subject) for _, span_id in columns for v in [counted[span_id]]
        ]
        if len(ids) > _MOST:
            break
    labels, kinds, subjects = (list(each) for each in zip(*about, strict=True))
    return _Tokens(torch.cat(hidden, 1), torch.tensor(ids), labels, kinds, subjects)


def _asked(trial: Trial, counted: set[str]) -> Iterator[tuple[Passage, list[tuple[int, str]]]]:
    """Passages, and of each the columns of its sensitive tokens with their spans' ids."""
    for passage in make_passages(trial.model, trial.exam.records):
        columns = [
            (column, span_id)
            for target in passage.targets
            for span_id in [passage.record.span_id(target.span.span)]
            if span_id in counted
            for column in range(max(1, target.start), target.end)
        ]
        if columns:
            yield passage, columns


def _folds(subjects: list[str], seed: int) -> Int[Tensor, " n"]:
    order = np.random.default_rng(seed).permutation(sorted({*subjects}))
    number = {subject: i % _FOLDS for i, subject in enumerate(order)}
    return torch.tensor([number[subject] for subject in subjects])


def _read_off(
    trial: Trial, hidden: Float[Tensor, "n d"], tokens: _Tokens, fold: Int[Tensor, " n"]
) -> Bool[Tensor, " n"]:
    """Which tokens the probe of this depth gets right, each by a probe of other subjects."""
    weight = trial.model.module.get_input_embeddings().get_parameter("weight")
    embedding = torch.nn.functional.normalize(weight.detach().float().cpu(), dim=1)
    states = torch.nn.functional.normalize(hidden, dim=1).double()
    states = torch.cat([states, torch.ones(len(states), 1).double()], 1)
    wanted = embedding[tokens.ids].double()
    said = torch.zeros_like(wanted)
    for number in range(_FOLDS):
        held, taught = fold == number, fold != number
        own = states[taught]
        ridge = _RIDGE * torch.eye(own.shape[1]).double()
        said[held] = states[held] @ torch.linalg.solve(own.T @ own + ridge, own.T @ wanted[taught])
    right = torch.zeros(len(states), dtype=torch.bool)
    for label in {*tokens.labels}:
        of_label = torch.tensor([own == label for own in tokens.labels])
        candidates = tokens.ids[of_label].unique()
        nearest = (said[of_label] @ embedding[candidates].double().T).argmax(1)
        right[of_label] = candidates[nearest] == tokens.ids[of_label]
    return right


def _by_kind(tokens: _Tokens, hits: Bool[Tensor, " n"]) -> list:
    found = []
    for kind in sorted({*tokens.kinds}):
        own = torch.tensor([each == kind for each in tokens.kinds])
        found.append(share(kind, int(hits[own].sum()), int(own.sum()), better="reference"))
    return found


def _worst(tokens: _Tokens, hits: Bool[Tensor, " n"]) -> WorstSubject:
    counts: dict[str, list[int]] = {}
    for subject, hit in zip(tokens.subjects, hits.tolist(), strict=True):
        own = counts.setdefault(subject, [0, 0])
        own[0] += hit
        own[1] += 1
    subject, (got, n) = max(counts.items(), key=lambda item: (item[1][0] / item[1][1], item[0]))
    row = wilson(got, n)
    return WorstSubject(subject=subject, hits=got, n=n, low=row.low, high=row.high)


PROBE = Attack(
    name="probe",
    title="Inside: linear probe",
    meaning="Sensitive tokens that a linear probe, fitted on other people, reads off the hidden "
    "states before them: the best depth.",
    run=_probe,
    needs=("causal",),
    weight=3,
)
