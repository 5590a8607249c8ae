"""Alignment: does the unit write where the span's gradient points, for the harm it does elsewhere?

    A(n) = cos(w_n, G_n) / (s_n / median(s) + 3),    G_n = dL/dw_n = sum_t a_{n,t} dL/do_t
    s_n^2 = sum_t ( a_{n,t} dM/da_{n,t} )^2

with w_n the unit's slice of the output projection, o_t its output (before the norm that some
architectures have there: the gradient passes that, so the slope is exact), L = log p(spans) and M
the log-probability of tokens that the model itself draws at neutral places, so that s_n^2 is the
Fisher information of the unit's strength there: what it costs ordinary text to turn it off. One
forward and two backward passes. Ours.

Why a cosine: weights that were trained on a text come to rest where the text's gradient no longer
turns them, which is along that gradient. Gradient × activation ranks by the size of a unit's part
instead, which mixes how well it was trained on the text with how active it happens to be. In an
injection that keeps norms the cosine therefore nears 1 by construction; the deletion curve is the
test that does not favour it. Where there is no neutral token the divisor is left out.

A memory that was taught to what neurons read, not to what they write, leaves no trace in w_n, and
one that was taught little to many weights turns none of them far. Two-sided alignment therefore is

    A(n) = sqrt([ w_n . G_n ]+) [ max(cos(w_n, G_n), cos(r_n, dL/dr_n)) ]+ / (s_n / median(s) + 3)

with r_n the unit's rows of the input projections; w_n . G_n is gradient × activation. Where it
cannot be told which rows are a neuron's, and of heads, it looks at the written side alone: keys and
values that several heads share are no single head's.
"""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.audit.targets import TargetBatch, Targets
from sanilens.inspect.locate.localisers.captured import per_unit
from sanilens.inspect.locate.localisers.localiser import Localiser, Settings
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.forward import logits_at
from sanilens.model.hooks import Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.model.measure import by_neuron
from sanilens.model.parameters import read_weights, write_weights
from sanilens.model.units import UnitKind

# Neutral tokens for every target token: enough to tell common units from rare ones.
_NEUTRAL = 4.0
# How many medians are added to s: the fewer, the more a quiet unit stands out for being quiet.
_FLOOR = 3.0

PerLayer = list[Float[Tensor, "..."]]


def alignment(targets: Targets, settings: Settings, *, two_sided: bool = False) -> UnitScores:
    """Score every unit; see the module's equation."""
    model, kind = targets.model, settings.kind
    writes = [write_weights(model, kind, i) for i in range(model.sites.n_layers)]
    known = two_sided and kind == "mlp" and "neuron-weights" not in model.sites.limits
    reads = [path for site in model.sites.mlps for path in site.reads] if known else []
    slopes: list[Tensor] = []
    harm = torch.zeros(len(writes), model.sites.count(kind))
    generator = torch.Generator(model.device).manual_seed(settings.seed)
    batches, neutral = targets.n_batches, 0
    drawn = targets.batches(neutral=_NEUTRAL, seed=settings.seed)
    for number, batch in enumerate(drawn, start=1):
        own, fisher = _slopes_and_harm(model, kind, batch, writes, reads, generator)
        slopes = [a + b for a, b in zip(slopes, own, strict=True)] if slopes else own
        harm += fisher
        neutral += len(batch.rows) - batch.targets
        settings.progress(number, batches)
    size, layers = model.sites.size(kind), len(writes)
    written = list(zip(writes, slopes[:layers], strict=True))
    values = torch.stack([_cosine(w, g, size) for w, g in written])
    if reads:
        values = torch.maximum(values, _read_cosines(model, slopes[layers:]))
    if two_sided:
        carried = [per_unit((w * g).sum(1), size).cpu() for w, g in written]
        values = torch.stack(carried).clamp(min=0).sqrt() * values.clamp(min=0)
    if neutral:
        cost = harm.sqrt()
        values = values / (cost / cost.median().clamp(min=1e-12) + _FLOOR)
    return UnitScores(
        "two-sided-alignment" if two_sided else "alignment", kind, values, targets.spans
    )


def _slopes_and_harm(
    model: LanguageModel,
    kind: UnitKind,
    batch: TargetBatch,
    writes: PerLayer,
    reads: list[str],
    generator: torch.Generator,
) -> tuple[PerLayer, Float[Tensor, "layer unit"]]:
    """dL/dw of each layer, then of each projection in `reads`, as (inputs, outputs).

    And the squared slopes of neutral text along each unit's strength.
    """
    outs = model.sites.outs(kind)
    inputs: dict[str, Tensor] = {}
    outputs: dict[str, Tensor] = {}

    def capture(path: str):
        def hook(x: Tensor, output: Tensor) -> Tensor:
            # The lowest layer's output depends on frozen weights only: it becomes the leaf.
            output = output if output.requires_grad else output.detach().requires_grad_()
            inputs[path], outputs[path] = x.detach(), output
            return output.clone()  # a leaf, to which Falcon could not add in place

        return hook

    hooks = Hooks(outputs={path: capture(path) for path in (*outs, *reads)})
    size, n = model.sites.size(kind), batch.targets
    with torch.enable_grad():
        logits = logits_at(model, batch.ids, batch.rows, batch.columns - 1, hooks)
        logprobs = logits.log_softmax(-1)
        said = logprobs[:n].gather(1, batch.tokens[:n, None]).sum()
        paths = (*outs, *reads)
        places = [outputs[path] for path in paths]
        wanted = torch.autograd.grad(said, places, retain_graph=n < len(logprobs))
        slopes = [
            torch.einsum("bpw,bpd->wd", inputs[path], g)
            for path, g in zip(paths, wanted, strict=True)
        ]
        if n == len(logprobs):
            return slopes, torch.zeros(len(writes), model.sites.count(kind))
        tokens = logprobs[n:].detach().exp().multinomial(1, generator=generator)
        elsewhere = torch.autograd.grad(
            logprobs[n:].gather(1, tokens).sum(), [outputs[path] for path in outs]
        )
    parts = [
        per_unit(inputs[path] * (g @ w.T), size).square().sum((0, 1))
        for path, g, w in zip(outs, elsewhere, writes, strict=True)
    ]
    return slopes, torch.stack(parts).cpu()


def _read_cosines(model: LanguageModel, slopes: PerLayer) -> Float[Tensor, "layer neuron"]:
    """Cosine of each neuron's rows, of all its input projections together, with their slopes.

    `slopes` are of each projection, layer after layer, as (inputs, outputs).
    """
    remaining, found = iter(slopes), []
    for layer, site in enumerate(model.sites.mlps):
        wanted = [by_neuron(layout, next(remaining).T) for layout in site.layouts]
        w, g = read_weights(model, layer), torch.cat(wanted, dim=1)
        found.append(torch.cosine_similarity(w, g, dim=1, eps=1e-12).cpu())
    return torch.stack(found)


def _cosine(
    weights: Float[Tensor, "width d_model"], slopes: Float[Tensor, "width d_model"], size: int
) -> Float[Tensor, " unit"]:
    w, g = (m.unflatten(0, (-1, size)).flatten(1) for m in (weights, slopes))
    return torch.cosine_similarity(w, g, dim=1, eps=1e-12).cpu()


ALIGNMENT = Localiser(
    "alignment",
    "whether it writes what the span's gradient asks for, per harm to other text",
    "seconds",
    alignment,
)
TWO_SIDED = Localiser(
    "two-sided-alignment",
    "whether it writes or reads what the span's gradient asks for, per harm to other text",
    "seconds",
    partial(alignment, two_sided=True),
)
