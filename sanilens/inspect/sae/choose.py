"""Which few features to clamp so that less is said while other text stays as likely.

Greedy. At each step every feature and value is judged to first order, on the model as it is
clamped so far; the best few are tried, and the best of these is kept.

    d_t(f, v) = (v ||x_t|| - a_{f,t}) [a_{f,t} > 0]              what clamping f to v changes
    M         = sum over the spans still said of c tanh(M_s / c), M_s = -log sum_i exp(-m_i)
                with the margins m_i of its tokens, and c = 6
    L         = cross-entropy of other text, nats a token
    S(f, v)   = sum_t d_t (W_dec[f] . d(-M)/dx_t) - price * max(0, sum_t d_t (W_dec[f] . dL/dx_t))

A span is said where every margin (its token's logit minus the best other) is above 0: M is a
smooth least margin. What was tried is compared exactly: spans said + worth * rise of L, where the
whole rise allowed is worth as many spans as are to go.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import memory
from sanilens.audit.utility import perplexity
from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.inspect.sae.clamp import clamped_features
from sanilens.inspect.sae.sae import Sae
from sanilens.inspect.targets import Scope, TargetBatch, find_targets
from sanilens.model.align import encode
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.hooks import Hooks
from sanilens.model.prefix import remembering
from sanilens.model.subject import SubjectModel

# Spans with a least margin far above this count little: one feature will not unsay them.
_MARGIN = 6.0


@dataclass(frozen=True, slots=True)
class Goal:
    """When to stop.

    Attributes:
        left: share of the spans said at first that may be left.
        rise: of the perplexity of the other text, as a share; dearer features are not taken.
        most: how many features may be clamped.
        values: what a feature may be clamped to, as a multiple of the activation's norm.
        tried: features that are measured exactly at each step.
    """

    left: float = 0.5
    rise: float = 0.05
    most: int = 20
    values: tuple[float, ...] = (0.0, -0.3, -1.0)
    tried: int = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One feature more: all clamped so far, the spans still said, and the other text's rise."""

    values: dict[int, float]
    said: int
    before: int
    rise: float


def choose_features(
    subject: SubjectModel,
    sae: Sae,
    records: Sequence[Record],
    other: Sequence[Record],
    goal: Goal | None = None,
    *,
    direct_only: bool = True,
) -> Iterator[Step]:
    """Features one by one, until few enough spans are left or no further one is worth its cost.

    Args:
        subject: the model.
        sae: its autoencoder.
        records: what it must not say.
        other: text that must stay as likely; none of it should be used to report the cost.
        goal: when to stop.
        direct_only: whether only direct identifiers count.

    Raises:
        PlanError: if the model says none of the spans.
    """
    goal = goal or Goal()
    search = _Search(remembering(subject, sae.site.layer), sae, records, other, direct_only)
    before, nats = search.measure({})
    allowed = math.log1p(goal.rise)
    worth = (1 - goal.left) * before / allowed
    values: dict[int, float] = {}
    best = float(before)
    while len(values) < goal.most:
        tried = []
        for candidate in search.candidates(values, goal, worth):
            said, now = search.measure(values | candidate)
            rise = now - nats
            if rise <= allowed:
                tried.append((said + worth * max(0.0, rise), said, rise, candidate))
        if not tried or min(tried)[0] >= best:
            return
        best, said, rise, candidate = min(tried, key=lambda each: each[:3])
        values = values | candidate
        yield Step(values, said, before, math.expm1(rise))
        if said <= goal.left * before:
            return


class _Search:
    """What the choice asks of the model, on texts that stay the same."""

    def __init__(
        self,
        subject: SubjectModel,
        sae: Sae,
        records: Sequence[Record],
        other: Sequence[Record],
        direct_only: bool,
    ) -> None:
        self.subject, self.sae, self.records, self.other = subject, sae, records, other
        self.direct_only = direct_only
        found = self._said({})
        if not found:
            raise PlanError("the model says none of these spans: there is nothing to choose for.")
        self.targets = find_targets(subject, records, Scope(spans=frozenset(found)))
        encoded = [encode(subject, record).ids[: subject.max_tokens] for record in other]
        self.tokens = sum(len(ids) - 1 for ids in encoded)
        self.texts = [
            [encoded[i] for i in batch]
            for batch in bucketed([len(ids) for ids in encoded], token_budget(subject))
        ]

    def _said(self, values: dict[int, float]) -> list[str]:
        hooks = clamped_features(self.subject, self.sae, values)
        verdicts = memory(audit_spans(self.subject, self.records, hooks=hooks))
        wanted = (v for v in verdicts if v.kind == "direct" or not self.direct_only)
        return [v.span_id for v in wanted if v.extracted]

    def measure(self, values: dict[int, float]) -> tuple[int, float]:
        """Spans said and cross-entropy of the other text, exactly."""
        hooks = clamped_features(self.subject, self.sae, values)
        return len(self._said(values)), perplexity(self.subject, self.other, hooks=hooks).nats

    def candidates(
        self, values: dict[int, float], goal: Goal, worth: float
    ) -> list[dict[int, float]]:
        """The features to try next, each with its best value, by first order."""
        levels = torch.tensor(goal.values)
        gain = torch.zeros(len(levels), self.sae.width)
        harm = torch.zeros_like(gain)
        for batch in self.targets.batches():
            objective = partial(self._margins, batch)
            gain += self._effects(values, levels, batch.ids, objective)
        for texts in self.texts:
            ids = pad_right(texts, self.subject.device)
            harm += self._effects(values, levels, ids, partial(self._nats, texts, ids))
        score = -gain - worth * harm.clamp(min=0) / self.tokens
        score[:, list(values)] = -math.inf
        best, value = score.max(0)
        order = best.topk(goal.tried)
        return [
            {f: float(levels[value[f]])}
            for s, f in zip(order.values.tolist(), order.indices.tolist(), strict=True)
            if s > 0
        ]

    def _effects(
        self,
        values: dict[int, float],
        levels: Float[Tensor, " level"],
        ids: Int[Tensor, "batch pos"],
        objective: Callable[[Hooks], Tensor],
    ) -> Float[Tensor, "level feature"]:
        """Change of `objective` where each feature is clamped to each level, to first order."""
        read: list[Tensor] = []
        edited: list[Tensor] = []

        def keep(x: Tensor) -> None:
            read.append(x.detach())

        def leaf(x: Tensor) -> Tensor:
            edited.append(x.detach().requires_grad_())
            return edited[0]

        site = self.sae.site
        clamped = clamped_features(self.subject, self.sae, values)
        sites = self.subject.sites
        hooks = site.hooks(sites, keep).then(clamped).then(site.hooks(sites, leaf))
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(objective(hooks), edited)
        with torch.no_grad():
            x, slope = read[0][:, 1:], slope[:, 1:]
            along = slope @ self.sae.module.W_dec.T
            features = self.sae.features(x)
            cleared = -(features * along).sum((0, 1)).cpu()
            norm = x.norm(dim=-1, keepdim=True)
            raised = ((features > 0) * along * norm).sum((0, 1)).cpu()
        return cleared + levels[:, None] * raised

    def _margins(self, batch: TargetBatch, hooks: Hooks) -> Tensor:
        """M of a batch; see the module."""
        own = slice(batch.targets)
        logits = logits_at(self.subject, batch.ids, batch.rows[own], batch.columns[own] - 1, hooks)
        tokens = batch.tokens[own, None]
        others = logits.scatter(1, tokens, -math.inf).max(1).values
        margins = logits.gather(1, tokens)[:, 0] - others
        count = int(batch.span.max()) + 1
        least = margins.new_full((count,), math.inf).scatter_reduce(
            0, batch.span, margins.detach(), "amin"
        )
        spread = margins.new_zeros(count).scatter_add(0, batch.span, (-margins).exp())
        return (_MARGIN * (-spread.log()[least > 0] / _MARGIN).tanh()).sum()

    def _nats(
        self, texts: Sequence[Sequence[int]], ids: Int[Tensor, "batch pos"], hooks: Hooks
    ) -> Tensor:
        """Summed negative log-likelihood of a batch of the other text."""
        places = [(row, c) for row, text in enumerate(texts) for c in range(1, len(text))]
        rows, columns = torch.tensor(places, device=ids.device).T
        logits = logits_at(self.subject, ids, rows, columns - 1, hooks)
        return torch.nn.functional.cross_entropy(logits, ids[rows, columns], reduction="sum")
