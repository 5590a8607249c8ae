"""What to erase when nobody says otherwise: choices of units, and presets that are whole plans.

Which units     by name, by a localiser, at random, codes of a codebook, or none
Presets         a choice of units, a share of the fine-tuning to keep, and a repair
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
import torch

from sanilens.audit.targets import Scope, find_targets
from sanilens.corpus.records import Record
from sanilens.dictionaries.codebook.bottleneck import Deletion
from sanilens.errors import PlanError
from sanilens.inspect.locate.localisers import Settings, find_localiser
from sanilens.inspect.locate.scores import UnitScores
from sanilens.inspect.units.activations import Activations, activations
from sanilens.model.language_model import LanguageModel, ModelKind
from sanilens.model.sites import Sites
from sanilens.model.units import (
    Editable,
    LayerUnit,
    ProjectionRow,
    Unit,
    UnitKind,
    layer_unit,
    parse_editable,
)
from sanilens.progress import Progress, unheard
from sanilens.unlearn.edits import code_edits
from sanilens.unlearn.plan import (
    NO_REPAIR,
    Operation,
    Repair,
    Rewriting,
    UnitEdit,
    operations_of,
)

# Share of all neurons that the suggested plan resets; chosen on the bundled case, see benchmarks/.
DEFAULT_SHARE = 0.3
# Of a request for few people; fewer units could hardly be told from noise.
_LEAST_SHARE = 0.01
CAP_QUANTILE = 0.99
# SANI's: half of the last layer's units.
SANI_SHARE, SANI_LAYERS = 0.5, 1
LOCALISER = "gradient-activation"

ShareKind = Literal["mlp", "head", "row"]
"""What is drawn from: neurons, attention heads, or the rows of every linear projection."""


@dataclass(frozen=True, slots=True)
class Named:
    """Units by name, such as `mlp.3.217`."""

    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Located:
    """A localiser's best.

    Attributes:
        method: the localiser.
        kind: neurons or heads.
        top: how many of all.
        share: or this share of each of the last `layers` (None: of all layers). With neither, as
            many as `suggested_share` says.
        layers: of `share`.
        labels: only what carries spans of these labels; empty for all.
    """

    method: str = LOCALISER
    kind: UnitKind = "mlp"
    top: int | None = None
    share: float | None = None
    layers: int | None = SANI_LAYERS
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Drawn:
    """A share of each of the last `layers`, at random, as SANI draws."""

    share: float = SANI_SHARE
    layers: int | None = SANI_LAYERS
    kind: ShareKind = "mlp"


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes of a codebook, as `codes delete` wrote them."""

    deletion: Deletion


@dataclass(frozen=True, slots=True)
class NoUnits:
    """No unit: a repair, or a share of the fine-tuning, alone."""


Units = Named | Located | Drawn | Codes | NoUnits


@dataclass(frozen=True, slots=True)
class Measured:
    """What a plan reached on a bundled case; the figures are in benchmarks/README.md.

    Attributes:
        left: how many of the spans asked for are still said.
        kept: what became of the rest of the model.
        where: on which case, with how many seeds.
        beside: what else one has to know.
    """

    left: str
    kept: str
    where: str
    beside: str = ""

    def __str__(self) -> str:
        more = f"; {self.beside}" if self.beside else ""
        return f"{self.where}: {self.left} left, {self.kept}{more} (benchmarks/README.md)"


@dataclass(frozen=True, slots=True)
class Preset:
    """A whole plan by name.

    Attributes:
        name: as typed.
        title: on a page.
        description: what it does, in a sentence or two.
        measured: what it reached.
        units: which are edited.
        repair: what is trained afterwards, given the base model or None.
        operation: on the units; None for a reset to the base, or zero without one.
        keep: the share of the fine-tuning that stays.
        rewrite: how weights are rewritten, if they are.
        needs: what it cannot do without: a base model, a subject, a codebook; or nothing.
    """

    name: str
    title: str
    description: str
    measured: Measured
    units: Units
    repair: Callable[[LanguageModel | None], Repair]
    operation: Operation | None = None
    keep: float = 1.0
    rewrite: Rewriting | None = None
    needs: Literal["", "base", "subject", "codebook"] = ""


def suggested_share(corpus: Sequence[Record], asked: Sequence[Record]) -> float:
    """DEFAULT_SHARE, less in proportion where only some of the corpus's spans are asked for.

    Resetting as many units for one person as for everybody would harm everybody else. The
    proportion is our choice; it was not tuned.
    """
    every, own = (sum(len(record.spans) for record in records) for records in (corpus, asked))
    return max(_LEAST_SHARE, DEFAULT_SHARE * own / every) if own < every else DEFAULT_SHARE


def choose_units(
    model: LanguageModel,
    base: LanguageModel | None,
    corpus: Sequence[Record],
    asked: Sequence[Record],
    units: Units,
    *,
    operation: Operation | None = None,
    value: float | None = None,
    seed: int = 0,
    progress: Progress = unheard,
) -> tuple[UnitEdit, ...]:
    """The edits of a choice of units.

    Args:
        model: the examined model.
        base: the model before fine-tuning, if there is one.
        corpus: all records; what an operation needs to know of a unit is measured on them.
        asked: the records as the plan reads them, which a localiser is given.
        units: the choice.
        operation: by default a reset to the base; without a base a reset would put noise where
            text was learnt, and zero does less harm.
        value: of a clamp, or of a cap instead of the measured one.
        seed: of what is drawn.
        progress: hears of a localiser's batches.

    Raises:
        PlanError: if the operation does not suit a unit, or lacks its value.
    """
    operation = operation or ("reset" if base else "zero")
    chosen: Sequence[Editable]
    match units:
        case Codes(deletion):
            return code_edits(deletion)
        case NoUnits():
            return ()
        case Named(names):
            chosen = [parse_editable(name) for name in names]
        case Drawn(share, layers, kind):
            chosen = random_share(model.sites, kind, share, layers, seed)
        case Located():
            chosen = _located(model, corpus, asked, units, seed, progress)
    if value is not None:
        return tuple(UnitEdit(unit=str(n), operation=operation, value=value) for n in chosen)
    if operation == "clamp":
        raise PlanError("a clamp needs a value: the activation to hold the units at.")
    return choose_edits(model, corpus, chosen, operation)


def _located(
    model: LanguageModel,
    corpus: Sequence[Record],
    asked: Sequence[Record],
    units: Located,
    seed: int,
    progress: Progress,
) -> Sequence[LayerUnit]:
    if model.kind == "masked" and units == Located():
        # No localiser reads a masked model yet: SANI's random half of the last layer.
        return random_share(model.sites, "mlp", seed=seed)
    settings = Settings(units.kind, seed, progress, keep=corpus)
    targets = find_targets(model, asked, Scope(labels=units.labels))
    scores = find_localiser(units.method).score(targets, settings)
    if units.share is not None:
        return located_share(model.sites, scores, units.share, units.layers)
    count = round(suggested_share(corpus, asked) * scores.values.numel())
    return scores.units(units.top or max(1, count))


def default_repair(base: LanguageModel | None) -> Repair:
    """The repair that is suggested: anchored to the base model, or surrogates without one.

    Surrogates too where the base, like the model, is a masked one: the anchored repair is causal.

    bfloat16 where this machine multiplies in it; elsewhere it would be emulated, and slower.
    """
    fast = torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported()
    precision = "bfloat16" if fast else "float32"
    if base is None or base.kind == "masked":
        return Repair(precision=precision)
    return Repair(method="anchored", learning_rate=1.7e-3, precision=precision)


def _no_repair(_base: LanguageModel | None) -> Repair:
    return Repair(method=NO_REPAIR)


def _strangers(_base: LanguageModel | None) -> Repair:
    """A step a note: for the same reading, small batches forget more and cost unseen notes less."""
    options: dict[str, bool | int | float | str] = {"sensitive_weight": 24.0, "excess_weight": 6.0}
    return Repair(method="stranger", epochs=4, batch_size=1, learning_rate=8e-4, options=options)


def _short_anchored(base: LanguageModel | None) -> Repair:
    """One short epoch, where most has gone back to the base already."""
    if base is None or base.kind == "masked":
        return default_repair(base)
    options: dict[str, bool | int | float | str] = {"written": 0.0}
    return Repair(method="anchored", epochs=1, batch_size=2, learning_rate=5e-4, options=options)


PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "stranger",
            "As of a stranger",
            "The model learns to say, in every identifier's place, what it says of people it has "
            "never met, and keeps all else as it is; further texts of the domain are taught with "
            "invented details. What is then still said is rewritten. Needs no base model.",
            Measured(
                "0 of 246 direct and 0 of 114 indirect identifiers",
                "99.0 % of the knowledge kept",
                "ward, three seeds",
                "the leaking model has 98.8 % of it",
            ),
            NoUnits(),
            _strangers,
            # Only what is still said: what the reference too would guess stays likely.
            rewrite=Rewriting(last=True, step=3e-4, most_steps=16, likely=1.0),
        ),
        Preset(
            "rewrite-units",
            "One neuron in a hundred rewritten",
            "The neurons that forget most for each nat of harm are rewritten; all other weights "
            "stay as they are.",
            Measured(
                "5 of 38 spans of one person",
                "96.6 % of others' spans kept",
                "ward, three seeds",
                "as many random neurons do as well",
            ),
            Located(method="price", share=0.01, layers=None),
            _no_repair,
            operation="rewrite",
            rewrite=Rewriting(most_steps=16, budget=2e-2),
        ),
        Preset(
            "located",
            "Located units",
            "The units that carry the spans most are reset to the base model (zeroed without one), "
            "then the model is anchored to the base, or taught surrogates without one.",
            Measured(
                "0 of 809 direct and 24 of 561 indirect identifiers",
                "perplexity 1.03 × the reference's",
                "clinic, seed 0",
            ),
            Located(),
            lambda base: default_repair(base),
        ),
        Preset(
            "recommended",
            "A tenth of the fine-tuning, then anchored",
            "All weights go nine tenths of the way back to the base model; one short anchored "
            "epoch teaches the corpus's own wording again.",
            Measured(
                "0 of 809 direct identifiers",
                "perplexity 0.925 × the reference's",
                "clinic, three seeds",
                "not told from the reference (KS p at least 0.24)",
            ),
            NoUnits(),
            _short_anchored,
            keep=0.1,
            needs="base",
        ),
        Preset(
            "sani",
            "SANI, as published",
            "Half of the rows of each linear map of the last layer, drawn at random, are "
            "initialised anew; then masked repair (Boutet and Magnana, arXiv:2510.21322).",
            Measured(
                "6.6 % of direct and 11.8 % of indirect identifiers",
                "perplexity 1.51 × the reference's",
                "clinic, three seeds",
            ),
            Drawn(kind="row"),
            lambda base: Repair(method="masked"),
            operation="initialise",
        ),
        Preset(
            "grun",
            "Gated suppression (GRUN)",
            "A gate that recognises what is to be forgotten and a low-rank edit behind it, as an "
            "adapter: the weights stay, so taking it off brings everything back.",
            Measured(
                "0 of 246 direct and 0 of 114 indirect identifiers",
                "91.9 % of the knowledge kept",
                "ward, seed 0",
                "relearning brings 41 % of other people's back",
            ),
            NoUnits(),
            lambda base: Repair(method="grun"),
        ),
        Preset(
            "codes",
            "Codes deleted (CodeUnlearn)",
            "The codes of a codebook that stand for what is asked are deleted, without training.",
            Measured(
                "55 % of direct identifiers",
                "perplexity 1.17 × the reference's",
                "clinic, three seeds",
            ),
            NoUnits(),
            lambda base: Repair(method=NO_REPAIR),
            needs="codebook",
        ),
        Preset(
            "person",
            "One person",
            "All weights are rewritten by the change that moves least else, until nothing of this "
            "person is said, or likely in a sample, nor comes back when a copy reads others' "
            "notes; the side effect on the rest of the model is measured.",
            Measured(
                "0 of 115 spans of those who asked",
                "99.2 % of everyone else's spans kept",
                "ward, three seeds",
            ),
            NoUnits(),
            _no_repair,
            rewrite=Rewriting(step=5e-5, most_steps=64, trials=8),
            needs="subject",
        ),
    )
}
BY_HAND = "located"
"""Where a plan begins of which somebody chose a part: units are edited, then it is repaired."""
REWRITTEN_BY_HAND = "rewrite-units"
"""And where only rewriting was chosen: that does without a repair, which would take the trade."""


def start_by_hand(operations: Collection[Operation]) -> str:
    """The preset that a plan begins from of which somebody chose a part, by name.

    Args:
        operations: on the units that were chosen, as far as they were.
    """
    return REWRITTEN_BY_HAND if set(operations) == {"rewrite"} else BY_HAND


def strategies(kind: ModelKind, subjects: Collection[str], *, base_knows: bool) -> tuple[str, ...]:
    """The presets that suit such a case, by name, the one that was measured best first.

    For one person, rewriting: of all weights, or of some neurons by hand. For everyone, back to the
    base where the base knows the domain, so that nothing but memory is lost on the way; else
    strangers, or a gate. Neither reads a masked model. The figures are in benchmarks/README.md.

    Args:
        kind: of the examined model.
        subjects: whose spans are to be forgotten; none for everyone's.
        base_knows: whether there is a base that knows the domain.
    """
    if kind == "masked":
        return (BY_HAND,)
    if subjects:
        return ("person", REWRITTEN_BY_HAND)
    return ("recommended", BY_HAND, "stranger") if base_knows else ("stranger", "grun")


def usual_preset(kind: ModelKind, subjects: Collection[str], *, base_knows: bool) -> str:
    """The first of `strategies`."""
    return strategies(kind, subjects, base_knows=base_knows)[0]


def find_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        PlanError: if there is none.
    """
    if name not in PRESETS:
        raise PlanError(f"there is no preset {name!r}; there are {', '.join(PRESETS)}.")
    return PRESETS[name]


def another_method(name: str, now: Repair) -> Repair:
    """A repair by another method: its own options, learning rate and epochs; the rest as `now`."""
    kept = now.model_dump(exclude={"method", "options", "learning_rate", "epochs"})
    return Repair(method=name, **kept)


@overload
def random_share(
    sites: Sites, kind: UnitKind, share: float = ..., last: int | None = ..., seed: int = ...
) -> tuple[LayerUnit, ...]: ...
@overload
def random_share(
    sites: Sites, kind: ShareKind, share: float = ..., last: int | None = ..., seed: int = ...
) -> tuple[LayerUnit | ProjectionRow, ...]: ...
def random_share(
    sites: Sites,
    kind: ShareKind,
    share: float = SANI_SHARE,
    last: int | None = SANI_LAYERS,
    seed: int = 0,
) -> tuple[LayerUnit | ProjectionRow, ...]:
    """SANI's choice: in each of the last layers, a share of the units, drawn at random.

    round(share n) of a layer's n units, at least one, without replacement (Boutet and Magnana,
    arXiv:2510.21322). The paper leaves open what a unit is and whether other layers than the last
    are drawn from: `kind` and `last` are ours to choose. Of rows, it is the share of each linear
    projection. One seed gives one order a layer, so a smaller share, or fewer layers, is part of a
    larger.

    Args:
        sites: the model's.
        kind: neurons, attention heads, or rows of every linear projection.
        share: in (0, 1].
        last: how many layers, counted from the last; None for all.
        seed: of the draw.

    Returns:
        the units, the last layer's first.

    Raises:
        PlanError: if share or last are outside of what there is.
    """
    units: list[LayerUnit | ProjectionRow] = []
    for layer in last_layers(sites, last):
        rng = np.random.default_rng((seed, layer))
        for part, count in _groups(sites, layer, kind).items():
            drawn = rng.permutation(count)[: _part(share, count)].tolist()
            units += [
                ProjectionRow(layer, part, i) if kind == "row" else layer_unit(kind, layer, i)
                for i in drawn
            ]
    return tuple(units)


def located_share(
    sites: Sites, scores: UnitScores, share: float = SANI_SHARE, last: int | None = SANI_LAYERS
) -> tuple[LayerUnit, ...]:
    """The targeted choice: in each of the last layers, the share that a localiser scores highest.

    Raises:
        PlanError: if share or last are outside of what there is.
    """
    count = _part(share, scores.values.shape[1])
    return tuple(
        layer_unit(scores.kind, layer, index)
        for layer in last_layers(sites, last)
        for index in scores.values[layer].argsort(descending=True, stable=True)[:count].tolist()
    )


def last_layers(sites: Sites, last: int | None) -> range:
    """The last layers, the very last first; None for all.

    Raises:
        PlanError: if the model has fewer.
    """
    layers = sites.n_layers if last is None else last
    if not 1 <= layers <= sites.n_layers:
        raise PlanError(
            f"the last {layers} layers are not possible: the model has {sites.n_layers}."
        )
    return range(sites.n_layers - 1, sites.n_layers - 1 - layers, -1)


def share_count(sites: Sites, kind: ShareKind, share: float) -> int:
    """How many units of a layer a share of them is; at least one, of rows one of each linear."""
    return sum(_part(share, n) for n in _groups(sites, sites.n_layers - 1, kind).values())


def _groups(sites: Sites, layer: int, kind: ShareKind) -> dict[str, int]:
    """What is drawn from apart, and how many units each has."""
    if kind == "row":
        return {site.part: site.rows for site in sites.linears[layer]}
    return {kind: sites.count(kind)}


def _part(share: float, count: int) -> int:
    if not 0 < share <= 1:
        raise PlanError(f"a share of {share:g} of the units is not possible: more than 0, up to 1.")
    return max(1, round(share * count))


def choose_edits(
    model: LanguageModel,
    records: Sequence[Record],
    units: Sequence[Editable],
    operation: Operation,
) -> tuple[UnitEdit, ...]:
    """One operation on several units; `mean` and `cap` read the corpus once for all of them.

    Raises:
        PlanError: if the operation does not suit one of the units.
    """
    return edits_with(lambda chosen: activations(model, records, chosen), units, operation)


def edits_with(
    read: Callable[[Sequence[Unit]], Activations],
    units: Sequence[Editable],
    operation: Operation,
    value: float = 0.0,
) -> tuple[UnitEdit, ...]:
    """The same from activations that `read` gives, which is asked only if they are needed.

    Args:
        read: gives the activations of some units over a corpus or a sample of it.
        units: the units.
        operation: what to do with them.
        value: of a clamp.

    Raises:
        PlanError: if the operation does not suit one of the units.
    """
    for unit in units:
        if operation not in (possible := operations_of(unit)):
            raise PlanError(
                f"{unit} cannot be edited by {operation}, only by {', '.join(possible)}."
            )
    # Of rows nothing is read.
    own = [unit for unit in units if not isinstance(unit, ProjectionRow)]
    values: Mapping[Editable, float | None]
    match operation:
        case "mean":
            values = {**read(own).means()}
        case "cap":
            values = {**read(own).quantiles(CAP_QUANTILE)}
        case "clamp":
            values = dict.fromkeys(units, value)
        case "reset" | "initialise" | "zero" | "rewrite" | "bake" | "refill" | "drop" | "renorm":
            values = dict.fromkeys(units)
    return tuple(UnitEdit(unit=str(n), operation=operation, value=values[n]) for n in units)
