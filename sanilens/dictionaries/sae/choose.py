"""Choose a few features to clamp, and the values: less is said, and other text stays as likely.

Learned, as masks of units are. Every feature gets a strength u_f >= 0, by which it is turned down
where it fires, the first token left alone:

    x'  = x - sum_f [a_f > 0] u_f ||x|| W_dec[f]
    min over u  mean over the spans said of sigma(M_s / T)  +  price * (CE(other text) - CE_0) / c
    M_s = -log sum_i exp(-m_i)     m_i: the span's tokens' logits, each minus the best other's

A span is said where every margin m_i is above 0, so M_s is a smooth least margin. The mean stands
for the share that is still said, and c is the rise of the cross-entropy that is allowed. On the
way all features but the strongest (u_f, times the root of how often it fires) are dropped, in
halves, until `most` are left. What is learned is then a direction in their values:

    v_f = E[a_f / ||x|| where it fires] - dose * u_f

and the dose is the least that reaches the goal, or else the one that leaves fewest spans at the
rise allowed: both measured exactly, clamp and all.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.audit.extraction import audit_spans
from sanilens.audit.perplexity import perplexity
from sanilens.audit.summary import memory
from sanilens.audit.targets import Scope, TargetBatch, find_targets
from sanilens.corpus.records import Record
from sanilens.dictionaries.reading import feature_activations, read_site
from sanilens.dictionaries.sae.clamp import clamped_features
from sanilens.dictionaries.sae.sae import Sae
from sanilens.errors import PlanError
from sanilens.model.align import encode
from sanilens.model.batches import pad_right
from sanilens.model.forward import logits_at, remembering
from sanilens.model.hooks import Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.progress import Progress, unheard

# T, in logits; passages a step; how far the dose is taken, and how finely it is found.
_TEMPERATURE, _BATCH = 1.5, 8
_DOSES, _HALVINGS = (1.0, 2.0, 4.0), 3


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted, and how to search for it.

    Attributes:
        left: share of the spans first said that may still be said.
        rise: of the perplexity of the other text, as a share; never exceeded.
        most: how many features may be clamped.
        price: of the whole rise allowed, in shares of the spans.
        steps, learning_rate: Adam's.
    """

    left: float = 0.5
    rise: float = 0.05
    most: int = 20
    price: float = 0.15
    steps: int = 150
    learning_rate: float = 0.05


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen features, strongest first, and what their clamp does where they were chosen.

    `rise` is of the perplexity of the other text, as a share.
    """

    values: dict[int, float]
    extracted: int
    before: int
    rise: float


def choose_features(
    model: LanguageModel,
    sae: Sae,
    records: Sequence[Record],
    other: Sequence[Record],
    goal: Goal | None = None,
    *,
    progress: Progress = unheard,
) -> Choice:
    """Choose at most `goal.most` features, and what each is clamped to.

    Args:
        model: the model.
        sae: its autoencoder.
        records: what it must not say: their direct identifiers that only memory gives.
        other: text that must stay as likely; the cost should be told on another.
        goal: what is wanted.
        progress: hears of each step and of the doses.

    Raises:
        PlanError: if the model says none of the spans.
    """
    goal = goal or Goal()
    quick = remembering(model, sae.site.layer)
    search = _Search(quick, sae, records, other)
    rates, mean = _firing(quick, sae, records)
    strength = _learn(search, rates.sqrt(), goal, progress)
    order = (strength * rates.sqrt()).argsort(descending=True)[: goal.most].tolist()
    chosen = [f for f in order if strength[f] > 0]

    def dosed(dose: float) -> Choice:
        progress(goal.steps, goal.steps, f"dose {dose:.2f}")
        return search.outcome({f: float(mean[f] - dose * strength[f]) for f in chosen})

    return _best_dose(dosed, goal)


def _best_dose(dosed: Callable[[float], Choice], goal: Goal) -> Choice:
    """The least dose that reaches the goal, else the last that costs no more than is allowed."""
    low, high = 0.0, _DOSES[-1]
    found: list[Choice] = []
    for dose in _DOSES:
        found.append(dosed(dose))
        if found[-1].rise > goal.rise or found[-1].extracted <= goal.left * found[-1].before:
            high = dose
            break
        low = dose
    for _ in range(_HALVINGS):
        dose = (low + high) / 2
        found.append(dosed(dose))
        beyond = found[-1].rise > goal.rise or found[-1].extracted <= goal.left * found[-1].before
        low, high = (low, dose) if beyond else (dose, high)
    allowed = [each for each in found if each.rise <= goal.rise]
    reached = [each for each in allowed if each.extracted <= goal.left * each.before]
    if reached:
        return min(reached, key=lambda each: each.rise)
    nothing = Choice({}, found[0].before, found[0].before, 0.0)
    return min([*allowed, nothing], key=lambda each: each.extracted)


def _firing(
    model: LanguageModel, sae: Sae, records: Sequence[Record]
) -> tuple[Float[Tensor, " feature"], Float[Tensor, " feature"]]:
    """Of each feature: share of tokens where it fires, and its mean there, over ||x||."""
    read = read_site(model, sae.site, records)
    features = feature_activations(sae, read.values)
    count = (features > 0).sum(0)
    relative = features / read.values.norm(dim=1, keepdim=True).clamp(min=1e-9)
    return count / len(features), relative.sum(0) / count.clamp(min=1)


def _learn(
    search: "_Search", weight: Float[Tensor, " feature"], goal: Goal, progress: Progress
) -> Float[Tensor, " feature"]:
    """Strength of every feature; 0 of all but `goal.most`."""
    device = search.subject.device
    weight = weight.to(device)
    strength = torch.zeros(len(weight), device=device, requires_grad=True)
    adam = torch.optim.Adam([strength], lr=goal.learning_rate, betas=(0.8, 0.95))
    alive = torch.ones(len(weight), dtype=torch.bool, device=device)
    drops = {round(goal.steps * at): goal.most * many for at, many in ((0.5, 4), (0.7, 2), (1, 1))}
    pairs = zip(cycle(search.spans), cycle(search.texts), strict=False)
    for step, (batch, text) in zip(range(1, goal.steps + 1), pairs, strict=False):
        share, cost = search.share_extracted(batch, strength), search.nats(text, strength)
        loss = share + goal.price * cost / math.log1p(goal.rise)
        (strength.grad,) = torch.autograd.grad(loss, [strength])
        adam.step()
        with torch.no_grad():
            strength.clamp_(min=0)
            if step in drops:
                alive = torch.zeros_like(alive)
                alive[(strength * weight).topk(min(drops[step], len(weight))).indices] = True
            strength[~alive] = 0
        progress(step, goal.steps, f"extracted {float(share.detach()):.2f}")
    return strength.detach().cpu()


class _Search:
    """What is asked of the model, on texts that stay the same."""

    def __init__(
        self, model: LanguageModel, sae: Sae, records: Sequence[Record], other: Sequence[Record]
    ) -> None:
        self.subject, self.sae, self.records, self.other = model, sae, records, other
        spans = self._extracted({})
        if not spans:
            raise PlanError("the model says none of these spans: there is nothing to choose for.")
        self._before, self._whole = len(spans), perplexity(model, other).value
        # Always the same batches, since the first layers' work on them is remembered.
        self.spans = list(
            find_targets(model, records, Scope(spans=frozenset(spans))).batches(most=_BATCH)
        )
        coded = [list(encode(model, record).ids[: model.max_tokens]) for record in other]
        self.texts = [coded[at : at + _BATCH] for at in range(0, len(coded), _BATCH)]

    def outcome(self, values: dict[int, float]) -> Choice:
        """What is said and lost with features clamped, exactly."""
        hooks = clamped_features(self.subject, self.sae, values)
        value = perplexity(self.subject, self.other, hooks=hooks).value
        return Choice(values, len(self._extracted(values)), self._before, value / self._whole - 1)

    def _extracted(self, values: dict[int, float]) -> list[str]:
        hooks = clamped_features(self.subject, self.sae, values)
        asked = memory(audit_spans(self.subject, self.records, hooks=hooks))
        return [v.span_id for v in asked if v.kind == "direct" and v.extracted]

    def share_extracted(self, batch: TargetBatch, strength: Tensor) -> Float[Tensor, ""]:
        """Mean over a batch's spans of sigma(M_s / T)."""
        own = slice(batch.targets)
        places = batch.rows[own], batch.columns[own] - 1
        logits = logits_at(self.subject, batch.ids, *places, self._turned_down(strength))
        tokens = batch.tokens[own, None]
        others = logits.scatter(1, tokens, -math.inf).max(1).values
        margins = logits.gather(1, tokens)[:, 0] - others
        spans = int(batch.span.max()) + 1
        spread = margins.new_zeros(spans).scatter_add(0, batch.span, (-margins).exp())
        return (-spread.log() / _TEMPERATURE).sigmoid().mean()

    def nats(self, texts: Sequence[Sequence[int]], strength: Tensor) -> Float[Tensor, ""]:
        """Cross-entropy of some of the other text, a token."""
        ids = pad_right(texts, self.subject.device)
        places = [(row, c) for row, text in enumerate(texts) for c in range(1, len(text))]
        rows, columns = torch.tensor(places, device=ids.device).T
        logits = logits_at(self.subject, ids, rows, columns - 1, self._turned_down(strength))
        return torch.nn.functional.cross_entropy(logits, ids[rows, columns])

    def _turned_down(self, strength: Float[Tensor, " feature"]) -> Hooks:
        def edit(x: Float[Tensor, "batch pos d"]) -> Float[Tensor, "batch pos d"]:
            with torch.no_grad():
                where = (self.sae.features(x) > 0).to(x.dtype) * x.norm(dim=-1, keepdim=True)
                where[:, 0] = 0
            return x - (where * strength.to(x.dtype)) @ self.sae.module.W_dec.to(x.dtype)

        return self.sae.site.hooks(self.subject.sites, edit)
