"""RelP: gradient × activation with relevance rules in place of the derivatives that mislead.

    A(n) = sum_t a_{n,t} * D log p / D a_{n,t}

where D follows the real forward values but these local rules backwards (Jafari et al., arXiv
2508.21258): a norm's scale is a constant (LN-rule), so are attention weights (AH-rule); a
nonlinearity phi passes on phi(z)/z instead of phi'(z) (identity rule); a product of two streams, as
in gated MLPs, gives half to each (half rule). Linear maps are what they are (0-rule).

Attention weights are held by detaching the queries and keys that they are made of.
"""

import torch
from torch import Tensor, nn

from sanilens.errors import PlanError
from sanilens.inspect.localisers.captured import per_unit, target_logprob, with_gradients
from sanilens.inspect.localisers.localiser import Localiser, Settings
from sanilens.inspect.scores import UnitScores
from sanilens.inspect.targets import Targets
from sanilens.model.hooks import Hooks, OutputEdit
from sanilens.model.parameters import query_key_rows
from sanilens.model.subject import SubjectModel

_ACTIVATIONS = ("act", "act_fn", "activation_fn", "activation", "activation_func")
_TINY = 1e-9


def relp(targets: Targets, settings: Settings) -> UnitScores:
    """Score every unit; see the module's rules.

    Raises:
        PlanError: if the architecture's norms or nonlinearities cannot be told.
    """
    subject, kind = targets.subject, settings.kind
    rules = relevance_rules(subject)
    total = torch.zeros(subject.sites.n_layers, subject.sites.count(kind))
    size, batches = subject.sites.size(kind), targets.n_batches
    for number, batch in enumerate(targets.batches(), start=1):
        captured = with_gradients(subject, batch, kind, target_logprob(batch), rules)
        total += torch.stack([per_unit((a * g).sum((0, 1)), size) for a, g in captured]).cpu()
        settings.progress(number, batches)
    return UnitScores("relp", kind, total, targets.spans)


def relevance_rules(subject: SubjectModel) -> Hooks:
    """Hooks under which the forward pass is the same and the backward pass follows the rules."""
    outputs: dict[str, OutputEdit] = {}
    sites, model = subject.sites, subject.model
    inside = tuple(f"{block}." for block in sites.blocks)
    for path, module in model.named_modules():
        if type(module).__name__.endswith("Norm") and (
            path == sites.final_norm or path.startswith(inside)
        ):
            outputs[path] = _norm_rule(module)
    for mlp in sites.mlps:
        outputs[_activation(subject, mlp.out)] = _identity_rule
        if len(mlp.reads) > 1 or any(_is_fused(subject, path) for path in mlp.reads):
            outputs |= dict.fromkeys(mlp.reads, _half_rule)
    for layer, attention in enumerate(sites.attentions):
        rows = query_key_rows(subject, layer)
        outputs |= {path: _held(rows[path]) for path in attention.reads if path in rows}
    return Hooks(outputs=outputs)


def _norm_rule(norm: nn.Module) -> OutputEdit:
    centred = isinstance(norm, nn.LayerNorm)
    bias = getattr(norm, "bias", None)

    def edit(x: Tensor, output: Tensor) -> Tensor:
        moved = x - x.mean(-1, keepdim=True) if centred else x
        scaled = output if bias is None else output - bias
        return _same_value(moved * _ratio(scaled, moved), output)

    return edit


def _identity_rule(z: Tensor, output: Tensor) -> Tensor:
    return _same_value(z * _ratio(output, z), output)


def _half_rule(_x: Tensor, output: Tensor) -> Tensor:
    return _same_value(0.5 * output, output)


def _held(rows: Tensor) -> OutputEdit:
    """Detach some rows of a projection's output."""

    def edit(_x: Tensor, output: Tensor) -> Tensor:
        return output.index_copy(-1, rows, output.detach().index_select(-1, rows))

    return edit


def _ratio(output: Tensor, x: Tensor) -> Tensor:
    """output / x as a constant; 0 where x is nothing."""
    safe = torch.where(x.abs() < _TINY, torch.ones_like(x), x)
    return torch.where(x.abs() < _TINY, torch.zeros_like(x), output / safe).detach()


def _same_value(linear: Tensor, output: Tensor) -> Tensor:
    """The gradient of `linear`, the value of `output`."""
    return linear + (output - linear).detach()


def _activation(subject: SubjectModel, out: str) -> str:
    """The path of the nonlinearity beside an MLP's output projection."""
    parent = out.rpartition(".")[0]
    names = dict(subject.model.get_submodule(parent).named_children()) if parent else {}
    found = next((name for name in _ACTIVATIONS if name in names), None)
    if found is None:
        raise PlanError(
            f"{subject.sites.architecture}: the nonlinearity of its MLPs is no module of its own, "
            "so RelP cannot follow it. Use gradient-activation or integrated-gradients."
        )
    return f"{parent}.{found}"


def _is_fused(subject: SubjectModel, path: str) -> bool:
    weight = subject.model.get_submodule(path).get_parameter("weight")
    return 2 * subject.sites.d_mlp in weight.shape


RELP = Localiser(
    "relp", "its relevance for the span, by rules instead of derivatives", "seconds", relp
)
