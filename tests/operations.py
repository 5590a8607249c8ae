"""Everything that is done to a model, each as a check that must hold for every architecture.

An operation says which capability of the architecture it needs; where that is missing, the matrix
asserts the refusal instead (tests/matrix).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from research.zoo import CAUSAL, MASKED, tiny_model
from sanilens.audit.extraction import audit_spans
from sanilens.audit.targets import find_targets
from sanilens.dictionaries.codebook.bottleneck import bottleneck
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.reading import site_values
from sanilens.dictionaries.sae.clamp import bake_, baked_features, clamped_features
from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.site import parse_site
from sanilens.inspect.locate.localisers import LOCALISERS, Settings
from sanilens.inspect.locate.localisers.balanced_subnet import BalancedSubnet, balanced_subnet
from sanilens.inspect.locate.localisers.hard_concrete import HardConcrete, hard_concrete
from sanilens.inspect.locate.localisers.slimming import Slimming, slimming
from sanilens.inspect.locate.positions import position_scores
from sanilens.inspect.units.card import unit_card
from sanilens.inspect.units.direct_logits import written
from sanilens.inspect.units.logit_lens import logit_lens
from sanilens.model.align import encode
from sanilens.model.forward import remembering
from sanilens.model.generation import continue_text
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.norms import held
from sanilens.model.parameters import unit_parameters
from sanilens.model.sites import Capability
from sanilens.model.units import Feature, UnitKind, layer_unit, parse_unit
from sanilens.unlearn.edits import apply_edits_, edit_hooks
from sanilens.unlearn.methods import METHODS
from sanilens.unlearn.plan import Repair, UnitEdit
from sanilens.unlearn.sanitise import Change, sanitise
from sanilens.unlearn.whatif import KL, Probe
from tests.conftest import TEXTS, VOCABULARY, make_tokenizer, masked_tokenizer, record

RECORDS = [
    record(TEXTS[0], ("4471203", "MRN"), ("12/03/1961", "DATE_OF_BIRTH"), id="r-1"),
    record(TEXTS[1], ("(312) 771-0938", "PHONE"), id="r-2", subject="s-2"),
]
IDS = torch.tensor([[1, 40, 50, 60, 70, 80], [1, 41, 51, 61, 71, 81]])


@dataclass(frozen=True)
class Case:
    """A model to work on, and one of the same shape to reset to."""

    name: str
    model: LanguageModel
    base: LanguageModel

    @property
    def masked(self) -> bool:
        return self.name in MASKED


def load_case(name: str, folder: Path) -> Case:
    """Build, save and load a tiny model of an architecture, and its base."""
    for seed, role in enumerate(("model", "base")):
        tiny_model(name, VOCABULARY, seed).save_pretrained(folder / role)
        tokenizer = masked_tokenizer() if name in MASKED else make_tokenizer()
        tokenizer.save_pretrained(folder / role)
    return Case(name, *(load_model(folder / role, device="cpu") for role in ("model", "base")))


def logits(model: LanguageModel, hooks: Hooks | None = None) -> Tensor:
    with torch.inference_mode(), hooked(model.module, hooks or Hooks()):
        return model.module(IDS).logits


def close(a: Tensor, b: Tensor, off: float = 1e-3) -> None:
    """Equal but for rounding, which grows with the largest value."""
    torch.testing.assert_close(a, b, rtol=0, atol=off * max(1e-3, float(b.abs().max())))


# ---- localisers

_QUICK: dict[str, Callable[..., Any]] = {
    "slimming": lambda t, s: slimming(t, s, Slimming(steps=3)),
    "hard-concrete": lambda t, s: hard_concrete(t, s, HardConcrete(steps=3)),
    "balanced-subnet": lambda t, s: balanced_subnet(t, s, BalancedSubnet(steps=3)),
}


def localise(case: Case, name: str, kind: UnitKind) -> None:
    targets = find_targets(case.model, RECORDS)
    score = _QUICK.get(name, LOCALISERS[name].score)
    values = score(targets, Settings(kind)).values
    sites = case.model.sites
    assert values.shape == (sites.n_layers, sites.count(kind))
    assert values.isfinite().all()
    assert (values != values.flatten()[0]).any(), "all units score alike"
    if name == "integrated-gradients":  # what a layer's units add up to is what the layer gives
        batch = next(targets.batches())
        out = sites.outs(kind)[1]

        def said(hooks: Hooks) -> Tensor:
            with torch.inference_mode(), hooked(case.model.module, hooks):
                found = case.model.module(batch.ids, use_cache=False).logits[
                    batch.rows, batch.columns - 1
                ]
            return found.softmax(-1).gather(1, batch.tokens[:, None]).mean()

        if targets.n_batches == 1:
            lost = said(Hooks()) - said(Hooks({out: torch.zeros_like}))
            assert abs(float(values[1].sum() - lost)) < 0.02 + 0.2 * abs(float(lost))


# ---- edits


def edit(case: Case, units: Sequence[str], operation: str, value: float | None = None) -> None:
    """Weights compute what hooks do, and what is not edited stays."""
    edits = [
        UnitEdit.model_validate({"unit": unit, "operation": operation, "value": value})
        for unit in units
    ]
    through_hooks = logits(case.model, edit_hooks(case.model, edits, case.base, seed=3))
    copied = case.model.copied()
    left = apply_edits_(copied, edits, case.base, seed=3)
    close(logits(copied, edit_hooks(copied, left, case.base)), through_hooks)
    assert not torch.equal(through_hooks, logits(case.model))


def rows(case: Case, operation: str) -> None:
    units = [
        f"row.{layer}.{s.part}.{i}"
        for layer in (0, 1)
        for s in case.model.sites.linears[layer]
        for i in (0, 3)
    ]
    edit(case, units, operation)


def everything_reset_is_the_base(case: Case, kind: UnitKind) -> None:
    """All units of a kind reset: what enters their output projections is the base's."""
    sites = case.model.sites
    units = [
        UnitEdit.model_validate({"unit": f"{kind}.{layer}.{i}", "operation": "reset"})
        for layer in range(sites.n_layers)
        for i in range(sites.count(kind))
    ]
    copied, wanted = case.model.copied(), case.model.copied()
    apply_edits_(copied, units, case.base)
    pairs = sites.mlps if kind == "mlp" else sites.attentions
    with torch.no_grad():
        for path in (p for site in pairs for p in (*site.reads, site.out)):
            mine, theirs = (s.module.get_submodule(path) for s in (wanted, case.base))
            mine.get_parameter("weight").copy_(theirs.get_parameter("weight"))
            if path not in sites.outs(kind) and getattr(mine, "bias", None) is not None:
                mine.get_parameter("bias").copy_(theirs.get_parameter("bias"))
    assert torch.equal(logits(copied), logits(wanted))


def a_reset_touches_its_own(case: Case, kind: UnitKind) -> None:
    """Unit by unit in the first layer: its values become the base's, all others' stay.

    With heads that share keys and values, the whole group is reset. Norms over all of them are
    held at one scale by being passed by.
    """
    sites, out = case.model.sites, case.model.sites.outs(kind)[0]
    full = case.model.copied()
    apply_edits_(full, _resets(kind, range(sites.count(kind))), case.base)
    before, after = _entering(case.model, out), _entering(full, out)
    size = sites.size(kind)
    for first in (0, sites.count(kind) - 1):
        group = _group(case.model, first) if kind == "head" else [first]
        copied = case.model.copied()
        apply_edits_(copied, _resets(kind, group), case.base)
        found = _entering(copied, out)
        for unit in {*group, 1, 2}:
            where = slice(unit * size, (unit + 1) * size)
            wanted = after if unit in group else before
            close(found[..., where], wanted[..., where])


def _resets(kind: UnitKind, units: Sequence[int]) -> list[UnitEdit]:
    return [UnitEdit(unit=f"{kind}.0.{i}", operation="reset") for i in units]


def _group(model: LanguageModel, head: int) -> list[int]:
    """Heads that share keys and values with this one, by what the configuration says."""
    config = model.module.config
    heads = model.sites.n_heads
    shared = getattr(config, "num_key_value_heads", None) or heads
    if config.model_type == "falcon":
        shared = config.num_kv_heads if config.new_decoder_architecture else heads
        shared = 1 if config.multi_query and not config.new_decoder_architecture else shared
    if config.model_type == "gpt_bigcode":
        shared = 1 if config.multi_query else heads
    each = heads // shared
    return list(range(head // each * each, head // each * each + each))


def _entering(model: LanguageModel, path: str) -> Tensor:
    """What enters a module, with the norms of the first layer passed by but for those before it."""
    seen: list[Tensor] = []
    inside = f"{model.sites.blocks[0]}."
    bypassed = {
        name: (lambda x, _output: x)
        for name, module in model.module.named_modules()
        if (name.startswith(inside) and "sub_norm" in name) or _is_query_norm(name)
    }
    with torch.inference_mode(), hooked(model.module, Hooks({path: seen.append}, bypassed)):
        model.module(IDS)
    return seen[0]


def _is_query_norm(name: str) -> bool:
    return ".layers.0." in name and name.endswith((".q_norm", ".k_norm"))


# ---- the residual stream, autoencoders, codebooks


def parts_add_up(case: Case) -> None:
    """resid_pre + hook_attn_out + hook_mlp_out = resid_post, in every layer."""
    sites = case.model.sites
    for layer in range(sites.n_layers):
        found: dict[str, Tensor] = {}
        hooks = Hooks({sites.blocks[layer]: _keeping(found, "pre")})
        for point in ("hook_attn_out", "hook_mlp_out", "hook_resid_post"):
            site = parse_site(f"blocks.{layer}.{point}")
            hooks = hooks.then(site.hooks(sites, _keeping(found, point)))
        logits(case.model, hooks)
        whole = found["pre"] + found["hook_attn_out"] + found["hook_mlp_out"]
        close(whole, found["hook_resid_post"], 1e-5)


def _keeping(found: dict[str, Tensor], name: str) -> Callable[[Tensor], None]:
    def keep(x: Tensor) -> None:
        found[name] = x.clone()

    return keep


class _Plain(nn.Module):
    """A fixed autoencoder with SAELens's names."""

    def __init__(self, width: int, features: int = 24) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.W_dec = nn.Parameter(torch.randn(features, width, generator=generator))
        self.W_dec.data /= self.W_dec.data.norm(dim=1, keepdim=True)
        self.cfg = SimpleNamespace(d_sae=features)

    def encode(self, x: Tensor) -> Tensor:
        return (x @ self.W_dec.T).relu()

    def decode(self, f: Tensor) -> Tensor:
        return f @ self.W_dec


def _sae(case: Case, point: str) -> Sae:
    site = parse_site(f"blocks.1.{point}")
    width = site.width(case.model.sites)
    return Sae("tiny", site, _Plain(width).requires_grad_(False), Path("tiny"), "0" * 64)


def features(case: Case, point: str) -> None:
    """A clamp moves the site by its algebra, and the model says something else."""
    sae = _sae(case, point)
    before = site_values(case.model, sae.site, IDS)
    active = sae.features(before)
    feature = int(active[:, 1:].sum((0, 1)).argmax())
    hooks = clamped_features(case.model, sae, {feature: -0.5})
    seen: list[Tensor] = []
    looking = sae.site.hooks(case.model.sites, lambda x: seen.append(x.clone()))
    changed = logits(case.model, hooks.then(looking))
    now = active[..., feature]
    change = torch.where(now > 0, -0.5 * before.norm(dim=-1) - now, torch.zeros_like(now))
    change[:, 0] = 0
    close(seen[0], before + change[..., None] * sae.directions([feature])[0])
    assert not torch.equal(changed, logits(case.model))
    found = unit_card(case.model, RECORDS, Feature("tiny", feature), {"tiny": sae})
    assert bool(found.promoted) == ("direct" not in case.model.sites.limits)


def bake(case: Case, point: str) -> None:
    """The weights compute what the hook does, and nothing is left along the direction."""
    sae = _sae(case, point)
    copied = case.model.copied()
    bake_(copied, sae, [3, 11])
    close(logits(copied), logits(case.model, baked_features(case.model, sae, [3, 11])))
    basis, _ = torch.linalg.qr(sae.directions([3, 11]).T)
    left, before = (site_values(s, sae.site, IDS) @ basis for s in (copied, case.model))
    assert left.abs().max() < 1e-3 * before.abs().max()


def codes(case: Case, point: str) -> None:
    """Nothing deleted is the identity, and a deletion is not."""
    site = parse_site(f"blocks.1.{point}")
    width = site.width(case.model.sites)
    generator = torch.Generator().manual_seed(0)
    codebook = Codebook(
        "tiny", site, torch.randn(24, width, generator=generator), torch.zeros(width), 4
    )
    close(logits(case.model, bottleneck(case.model, codebook, (), "zero")), logits(case.model))
    assert not torch.equal(
        logits(case.model, bottleneck(case.model, codebook, range(12), "drop")),
        logits(case.model),
    )


# ---- looking


def card(case: Case, unit: str) -> None:
    found = unit_card(case.model, RECORDS, parse_unit(unit), top=2)
    assert found.contexts
    assert all(c.activation == c.activation for c in found.contexts)
    assert bool(found.promoted) == ("direct" not in case.model.sites.limits)


def direct(case: Case, kind: UnitKind) -> None:
    """The written direction is the derivative of what the part adds, its norm's scale held."""
    model, sites = case.model, case.model.sites
    encoded, at = encode(model, RECORDS[0]), 9
    direction = written(model, layer_unit(kind, 1, 2), [(encoded, at)])
    out, part = sites.outs(kind)[1], sites.adds(kind, 1)
    columns = sites.columns(kind, [2])
    leaf: list[Tensor] = []

    def strength(x: Tensor) -> Tensor:
        leaf.append(torch.ones((), requires_grad=True))
        scale = torch.ones(x.shape[-1])
        scale[columns] = 0
        own = 1 - scale
        if kind == "mlp":  # per unit of activation
            return x + own * (leaf[0] - 1)
        return x * scale + x * own * leaf[0]

    added: list[Tensor] = []
    site = parse_site(f"blocks.1.{'hook_mlp_out' if kind == 'mlp' else 'hook_attn_out'}")
    hooks = Hooks({out: strength})
    if part.path != out:
        hooks = hooks.then(Hooks(outputs={part.path: held(model.module.get_submodule(part.path))}))
    hooks = hooks.then(site.hooks(sites, lambda x: added.append(x)))
    ids = torch.tensor([encoded.ids[: at + 1]])
    with torch.enable_grad(), hooked(model.module, hooks):
        model.module(ids)
    probe = torch.randn(sites.d_model, generator=torch.Generator().manual_seed(1))
    (slope,) = torch.autograd.grad((added[0][0, at] * probe).sum(), leaf)
    close(direction @ probe, slope)


def lens(case: Case) -> None:
    """Its last row is what the model says itself."""
    own = RECORDS[0]
    span_id = own.span_id(own.spans[0])
    found = logit_lens(case.model, own, span_id)
    verdict = next(v for v in audit_spans(case.model, [own]) if v.span_id == span_id)
    assert abs(float(found.logprobs[-1].sum()) - verdict.logprob) < 1e-2


def positions(case: Case) -> None:
    own = RECORDS[0]
    for kind in ("mlp", "head"):
        found = position_scores(case.model, own, own.span_id(own.spans[0]), kind)
        assert found.values.isfinite().all()
        assert (found.values > 0).any()


def generation(case: Case) -> None:
    """A stream under a hook equals the same without a cache."""
    zero = edit_hooks(case.model, [UnitEdit(unit="mlp.0.1", operation="clamp", value=3.0)])
    said = continue_text(case.model, TEXTS[1][:30], 3, hooks=zero)
    assert isinstance(said, str)


def first_layers_remembered(case: Case) -> None:
    copied = remembering(case.model, 1)
    close(logits(copied), logits(case.model))
    close(logits(copied), logits(case.model))


def what_if(case: Case) -> None:
    edits = [
        UnitEdit(unit="mlp.1.3", operation="zero"),
        UnitEdit(unit="head.0.1", operation="zero"),
    ]
    probe = Probe(case.model, RECORDS, RECORDS)
    found = probe.effect(edit_hooks(case.model, edits))
    assert 0 <= found.figure(KL) < float("inf")
    assert found.rate().n == probe.original.rate().n


# ---- repairs


def repair(case: Case, method: str, train: str = "all", frozen: bool = False) -> None:
    """A step of training changes the model, and what is frozen stays as it was erased."""
    edits = (
        UnitEdit(unit="mlp.1.3", operation="zero"),
        UnitEdit(unit="head.1.1", operation="zero"),
    )
    how = Repair.model_validate(
        {"method": method, "epochs": 1, "learning_rate": 1e-3, "train": train}
        | {"freeze_erased": frozen, "lora_rank": 2}
    )
    done = sanitise(case.model, RECORDS, Change(edits, how, seed=1), case.base)
    found = logits(done.model, done.hooks)
    edited = case.model.copied()
    apply_edits_(edited, edits)
    assert found.isfinite().all()
    if method != "icu":  # which stops where nothing is said
        assert not torch.equal(found, logits(edited))
    if frozen:
        mine, theirs = (
            unit_parameters(s, "mlp", 1, [3])[-1].parameter for s in (done.model, edited)
        )
        index = unit_parameters(edited, "mlp", 1, [3])[-1]
        assert torch.equal(
            mine.index_select(index.dim, index.indices),
            theirs.index_select(index.dim, index.indices),
        )


@dataclass(frozen=True)
class Operation:
    """A check, what it needs of an architecture, and whether masked models can do it."""

    check: Callable[[Case], None]
    needs: Capability | None = None
    masked: bool = False


@cache
def operations() -> dict[str, Operation]:
    """All of them, by name."""
    found: dict[str, Operation] = {}
    weights: dict[UnitKind, Capability] = {"mlp": "neuron-weights", "head": "head-weights"}
    for name in LOCALISERS:
        for kind, own_weights in weights.items():
            needs: Capability | None = "relp" if name == "relp" else None
            needs = own_weights if name == "price" else needs
            found[f"locate {name} {kind}"] = Operation(
                lambda c, n=name, k=kind: localise(c, n, k), needs, masked=name == "random"
            )
    for kind, needs in weights.items():
        units = [f"{kind}.0.1", f"{kind}.1.2", f"{kind}.1.3"]
        for operation in ("reset", "initialise"):
            found[f"edit {operation} {kind}"] = Operation(
                lambda c, u=units, o=operation: edit(c, u, o), needs, masked=True
            )
        found[f"edit zero {kind}"] = Operation(lambda c, u=units: edit(c, u, "zero"), masked=True)
        found[f"all reset {kind}"] = Operation(
            lambda c, k=kind: everything_reset_is_the_base(c, k), needs, masked=True
        )
        found[f"own reset {kind}"] = Operation(
            lambda c, k=kind: a_reset_touches_its_own(c, k), needs, masked=True
        )
        found[f"card {kind}"] = Operation(lambda c, k=kind: card(c, f"{k}.1.2"))
        found[f"direct {kind}"] = Operation(lambda c, k=kind: direct(c, k), "direct")
    # A cap below what any nonlinearity gives surely cuts.
    for operation, value in (("mean", 0.01), ("clamp", 0.7), ("cap", -1.0)):
        found[f"edit {operation} mlp"] = Operation(
            lambda c, o=operation, v=value: edit(c, ["mlp.0.1", "mlp.1.2"], o, v), masked=True
        )
    for operation in ("reset", "initialise", "zero"):
        found[f"rows {operation}"] = Operation(lambda c, o=operation: rows(c, o), masked=True)
    found["parts add up"] = Operation(parts_add_up, "added", masked=True)
    for point in ("hook_resid_post", "hook_attn_out", "hook_mlp_out", "mlp.hook_post"):
        part: Capability | None = "added" if point in ("hook_attn_out", "hook_mlp_out") else None
        found[f"features {point}"] = Operation(lambda c, p=point: features(c, p), part)
        found[f"codes {point}"] = Operation(lambda c, p=point: codes(c, p), part, masked=True)
        if point != "mlp.hook_post":
            baking: Capability = "baking" if part else "baking-stream"
            found[f"bake {point}"] = Operation(lambda c, p=point: bake(c, p), baking)
    found["lens"] = Operation(lens, "lens")
    found["positions"] = Operation(positions)
    found["generation"] = Operation(generation)
    found["first layers"] = Operation(first_layers_remembered, masked=True)
    found["what-if"] = Operation(what_if)
    for method, own in METHODS.items():
        found[f"repair {method}"] = Operation(
            lambda c, m=method: repair(c, m), masked=own.fills_gaps
        )
    for train in ("edited_layers", "lora"):
        found[f"repair surrogate {train}"] = Operation(
            lambda c, t=train: repair(c, "surrogate", t), masked=True
        )
    found["repair masked frozen"] = Operation(
        lambda c: repair(c, "masked", frozen=True), masked=True
    )
    return found


ARCHITECTURES = (*CAUSAL, *MASKED)
