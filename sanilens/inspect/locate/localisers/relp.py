"""RelP: gradient × activation with relevance rules in place of the derivatives that mislead.

    A(n) = sum_t a_{n,t} * D log p / D a_{n,t}

where D follows the real forward values but these local rules backwards (Jafari et al., arXiv
2508.21258): a norm's scale is a constant (LN-rule), so are attention weights (AH-rule); a
nonlinearity phi passes on phi(z)/z instead of phi'(z) (identity rule); a product of two streams, as
in gated MLPs, gives half to each (half rule). Linear maps are what they are (0-rule).

Attention weights are held by detaching the queries and keys that they are made of.
"""

import torch
from torch import Tensor

from sanilens.audit.targets import Targets
from sanilens.inspect.locate.localisers.captured import per_unit, target_logprob, with_gradients
from sanilens.inspect.locate.localisers.localiser import Localiser, Settings
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.hooks import Hooks, OutputEdit
from sanilens.model.language_model import LanguageModel
from sanilens.model.norms import held, norms_in, ratio, same_value
from sanilens.model.parameters import query_key_rows


def relp(targets: Targets, settings: Settings) -> UnitScores:
    """Score every unit; see the module's rules.

    Raises:
        PlanError: if the architecture hides its nonlinearities, queries or keys.
    """
    model, kind = targets.model, settings.kind
    rules = relevance_rules(model)
    total = torch.zeros(model.sites.n_layers, model.sites.count(kind))
    size, batches = model.sites.size(kind), targets.n_batches
    for number, batch in enumerate(targets.batches(), start=1):
        captured = with_gradients(model, batch, kind, target_logprob(batch), rules)
        total += torch.stack([per_unit((a * g).sum((0, 1)), size) for a, g in captured]).cpu()
        settings.progress(number, batches)
    return UnitScores("relp", kind, total, targets.spans)


def relevance_rules(model: LanguageModel) -> Hooks:
    """Hooks under which the forward pass is the same and the backward pass follows the rules.

    Raises:
        PlanError: if the architecture does not allow it.
    """
    sites, module = model.sites, model.module
    sites.require("relp")
    inside = tuple(f"{block}." for block in sites.blocks)
    last = (sites.final_norm,) if sites.final_norm else ()
    norms = norms_in(module, (*inside, *last))
    outputs: dict[str, OutputEdit] = {path: held(norm) for path, norm in norms.items()}
    for mlp in sites.mlps:
        assert mlp.activation is not None  # required above
        outputs[mlp.activation] = _identity_rule
        # A gated MLP multiplies two projections of the same stream. The rule gives half to each;
        # with both gradients whole the product would count twice.
        if len(mlp.reads) > 1 or mlp.layouts != ("plain",):
            outputs |= dict.fromkeys(mlp.reads, _half_rule)
    # Values pass through attention; its weights, made of queries and keys, are held constant. Fused
    # projections hold all three, so only the rows of queries and keys are detached.
    for layer in range(sites.n_layers):
        for path, rows in query_key_rows(model, layer).items():
            outputs[path] = _held_rows(rows)
    return Hooks(outputs=outputs)


def _identity_rule(z: Tensor, output: Tensor) -> Tensor:
    # z * phi(z) / z has phi's value and, the ratio being detached, the gradient phi(z) / z.
    return same_value(z * ratio(output, z), output)


def _half_rule(_x: Tensor, output: Tensor) -> Tensor:
    # Half the gradient, and forward the value bit for bit: `same_value` restores what 0.5 took.
    return same_value(0.5 * output, output)


def _held_rows(rows: Tensor) -> OutputEdit:
    """Detach some rows of a projection's output."""

    def edit(_x: Tensor, output: Tensor) -> Tensor:
        return output.index_copy(-1, rows, output.detach().index_select(-1, rows))

    return edit


RELP = Localiser(
    "relp",
    "its relevance for the span, by rules in place of derivatives",
    "seconds",
    relp,
)
