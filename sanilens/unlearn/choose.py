"""Which units are edited: by name, by a localiser, at random, codes of a codebook, or none.

SANI draws half of the last layer's units (arXiv 2510.21322); a localiser takes those that carry
most; and an operation on them may have to read the corpus first (`mean`, `cap`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np

from sanilens.audit.targets import Scope, find_targets
from sanilens.corpus.records import Record
from sanilens.dictionaries.codebook.bottleneck import Deletion
from sanilens.errors import PlanError
from sanilens.inspect.locate.localisers import Settings, find_localiser
from sanilens.inspect.locate.scores import UnitScores
from sanilens.inspect.units.activations import Activations, activations
from sanilens.model.language_model import LanguageModel
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
from sanilens.unlearn.plan import Operation, UnitEdit, operations_of

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
    settings = Settings(units.kind, seed, progress, keep=corpus)
    targets = find_targets(model, asked, Scope(labels=units.labels))
    scores = find_localiser(units.method).score(targets, settings)
    if units.share is not None:
        return located_share(model.sites, scores, units.share, units.layers)
    count = round(suggested_share(corpus, asked) * scores.values.numel())
    return scores.units(units.top or max(1, count))


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
