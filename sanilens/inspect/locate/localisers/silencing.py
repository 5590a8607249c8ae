"""Silencing: the mask that makes the spans unsayable and leaves other text as it is.

    min over m in [0, 1] of  mean over spans of [ min_t margin_t(m) + delta ]_+  +  KL_neutral(m)
    margin_t = logit of s_t - highest other logit;   KL_neutral = mean KL( p || p_m ), neutral text
    A(n) = (1 - m_n) + alignment(n) / max alignment

A span is extracted greedily exactly while its smallest margin is positive, so that is what is
pressed down: one token of a span is enough, and what is silent already is left alone. Learned
masks that must still say the span (Slimming, Hard Concrete) find what suffices for it; this finds
what can be spared. Where few units carry a span the mask is done after a few steps and the
alignment decides. Ours.
"""

from itertools import islice

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.audit.targets import TargetBatch, Targets
from sanilens.inspect.locate.localisers.alignment import alignment
from sanilens.inspect.locate.localisers.localiser import Localiser, Settings
from sanilens.inspect.locate.localisers.mask import UnitMask, masked
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.forward import logits_at

# As far below the next token as a span must come; less, and another batch's step brings it back.
_DELTA = 0.5
_LEARNING_RATE, _EPOCHS, _PASSAGES, _MOST_STEPS = 0.05, 12, 8, 150


def silencing(targets: Targets, settings: Settings) -> UnitScores:
    """Score every unit; see the module's equation. Adam over small batches of passages."""
    model, kind = targets.model, settings.kind
    m = torch.ones(model.sites.n_layers, model.sites.count(kind), device=model.device)
    m.requires_grad_()
    optimizer = torch.optim.Adam([m], lr=_LEARNING_RATE)
    epoch = -(-len(targets.passages) // _PASSAGES)
    steps, quiet = min(_EPOCHS * epoch, _MOST_STEPS), 0
    for step, batch in enumerate(islice(_endless(targets, settings), steps), start=1):
        with torch.enable_grad():
            said, harm = _said_and_harm(targets, batch, settings, m)
            # A whole epoch without a span that is said, or nearly: there is nothing left to do.
            quiet = quiet + 1 if said.item() == 0 else 0
            if quiet > epoch:
                break
            (m.grad,) = torch.autograd.grad(said + harm, [m])
        optimizer.step()
        m.data.clamp_(0, 1)
        settings.progress(step, steps)
    settings.progress(steps, steps)
    prior = alignment(targets, Settings(kind, settings.seed)).values
    scores = (1 - m.detach().cpu()) + prior / prior.max().clamp(min=1e-12)
    return UnitScores("silencing", kind, scores, targets.spans)


def _endless(targets: Targets, settings: Settings):
    while True:
        yield from targets.batches(neutral=float("inf"), seed=settings.seed, most=_PASSAGES)


def _said_and_harm(
    targets: Targets, batch: TargetBatch, settings: Settings, mask: UnitMask
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """How far the spans still are from unsayable, on average, and the KL on neutral tokens."""
    where = (batch.ids, batch.rows, batch.columns - 1)
    hooks = masked(targets.model, settings.kind, mask)
    logits, n = logits_at(targets.model, *where, hooks), batch.targets
    own = logits[:n].gather(1, batch.tokens[:n, None])
    others = logits[:n].scatter(1, batch.tokens[:n, None], -torch.inf).amax(1)
    smallest = torch.full((int(batch.span.max()) + 1,), torch.inf, device=logits.device)
    smallest = smallest.scatter_reduce(0, batch.span, own[:, 0] - others, "amin")
    said = (smallest + _DELTA).clamp(min=0).mean()
    if n == len(logits):
        return said, torch.zeros_like(said)
    with torch.no_grad():
        p = logits_at(targets.model, where[0], where[1][n:], where[2][n:]).log_softmax(-1)
    harm = (p.exp() * (p - logits[n:].log_softmax(-1))).sum(-1).mean()
    return said, harm


SILENCING = Localiser(
    "silencing",
    "whether removing it silences the span but no other text, by a learned mask",
    "minutes",
    silencing,
)
