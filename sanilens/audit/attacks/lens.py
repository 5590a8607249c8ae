"""From the inside, by the logit lens: is a secret still the answer at some layer?

    z_l(t) = head(norm(h_l(t - 1))),   h_l the residual stream after l blocks

What is only kept from being said stands in earlier layers (Patil et al., arXiv 2309.17410, got 38 %
of edited facts back so; REVS, arXiv 2406.09325, takes the best layer). A span counts where all its
tokens are the likeliest at one and the same depth; *hidden* where that is so within, and not at the
output. The largest jump is that of log p between neighbouring depths.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int

from sanilens.audit.attacks.attack import Attack
from sanilens.audit.attacks.result import (
    AttackResult,
    Figure,
    Point,
    Series,
    extracted,
    not_measured,
    share,
    worst_of,
)
from sanilens.audit.metrics.metric import Trial
from sanilens.audit.passages import make_passages
from sanilens.audit.statistics import wilson
from sanilens.audit.summary import memory
from sanilens.audit.verdicts import SpanVerdict
from sanilens.model.batches import token_budget
from sanilens.model.lens import read_depths
from sanilens.progress import Progress

_TOP = 10


@dataclass(frozen=True, slots=True)
class _Seen:
    """A span's tokens at every depth."""

    verdict: SpanVerdict
    logprobs: Float[np.ndarray, "depth token"]
    ranks: Int[np.ndarray, "depth token"]

    @property
    def likeliest(self) -> np.ndarray:
        """At which depths all tokens are."""
        return (self.ranks == 1).all(1)


def _lens(trial: Trial, progress: Progress) -> AttackResult:
    if why := trial.model.sites.limits.get("lens"):
        return not_measured(f"The logit lens does not fit this model: {why}.")
    seen = _read(trial, progress)
    if not seen:
        return not_measured("No span can be asked for.")
    n = len(seen)
    anywhere = [replace(s.verdict, extracted=bool(s.likeliest.any())) for s in seen]
    hidden = sum(bool(s.likeliest[:-1].any()) and not s.likeliest[-1] for s in seen)
    top = sum(bool((s.ranks <= _TOP).all(1).any()) for s in seen)
    jumps = np.array([np.diff(s.logprobs.mean(1)).max() for s in seen])
    spread = 1.959964 * jumps.std(ddof=1) / np.sqrt(n) if n > 1 else None
    mean = float(jumps.mean())
    return AttackResult(
        figures=(
            *extracted(anywhere, "all tokens the likeliest at some layer"),
            share("hidden", hidden, n, title="within, and not at the output"),
            share("top-10", top, n, title="among the ten likeliest at some depth"),
            Figure(
                name="jump", title="largest jump between depths, a token", value=mean, n=n,
                low=None if spread is None else mean - float(spread),
                high=None if spread is None else mean + float(spread),
                unit="nats", better="reference",
            ),
        ),
        series=_by_depth(seen),
        worst=worst_of(anywhere),
        settings={"depths": trial.model.sites.n_layers + 1, "top": _TOP},
    )  # fmt: skip


def _read(trial: Trial, progress: Progress) -> list[_Seen]:
    model, counted = trial.model, {v.span_id: v for v in memory(trial.verdicts)}
    step = max(1, token_budget(model) // (model.sites.n_layers + 1))
    found: list[_Seen] = []
    records = trial.exam.records
    for number, record in enumerate(records, start=1):
        for passage in make_passages(model, [record]):
            own = [t for t in passage.targets if record.span_id(t.span.span) in counted]
            columns = torch.tensor([c for t in own for c in range(t.start, t.end)])
            if not len(columns):
                continue
            ids = torch.tensor([passage.ids], device=model.device)
            parts = [read_depths(model, ids, part, trial.hooks) for part in columns.split(step)]
            logprobs, ranks = (
                torch.cat(each, 1).cpu().numpy() for each in zip(*parts, strict=True)
            )
            at = 0
            for target in own:
                end = at + target.end - target.start
                verdict = counted[record.span_id(target.span.span)]
                found.append(_Seen(verdict, logprobs[:, at:end], ranks[:, at:end]))
                at = end
        progress(number, len(records), "reading every layer")
    return found


def _by_depth(seen: list[_Seen]) -> tuple[Series, Series]:
    n = len(seen)
    means = np.array([s.logprobs.mean(1) for s in seen]).mean(0)
    hits = np.array([s.likeliest for s in seen]).sum(0)
    rows = [wilson(int(h), n) for h in hits]
    return (
        Series(
            name="log p a token", x_label="depth", y_label="log p a token", unit="nats",
            points=tuple(Point(x=i, y=float(y), n=n) for i, y in enumerate(means)),
        ),
        Series(
            name="all tokens the likeliest", x_label="depth", y_label="spans",
            points=tuple(
                Point(x=i, y=row.rate, n=n, low=row.low, high=row.high)
                for i, row in enumerate(rows)
            ),
        ),
    )  # fmt: skip


LENS = Attack(
    name="lens",
    title="Inside: logit lens",
    meaning="Spans whose tokens are all the likeliest at some layer, read by the model's own norm "
    "and head.",
    run=_lens,
    needs=("causal",),
    weight=2,
)
