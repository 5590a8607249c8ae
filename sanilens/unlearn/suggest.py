"""The plan that is suggested when nobody has chosen units yet."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, overload

import numpy as np
import torch

from sanilens.audit.extraction import Progress
from sanilens.audit.targets import find_targets
from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.inspect.locate.localisers import Settings, find_localiser, ignored
from sanilens.inspect.locate.scores import UnitScores
from sanilens.inspect.units.activations import Activations, activations
from sanilens.model.language_model import LanguageModel
from sanilens.model.sites import Sites
from sanilens.model.units import LayerUnit, Row, Target, Unit, UnitKind, layer_unit
from sanilens.unlearn.plan import Operation, Repair, UnitEdit, operations_of

# Share of all neurons that the suggested plan resets; chosen on the bundled case, see benchmarks/.
DEFAULT_SHARE = 0.3
# Of a request for few people; fewer units could hardly be told from noise.
_LEAST_SHARE = 0.01


def suggested_share(corpus: Sequence[Record], asked: Sequence[Record]) -> float:
    """DEFAULT_SHARE, less in proportion where only some of the corpus's spans are asked for.

    Resetting as many units for one person as for everybody would harm everybody else. The
    proportion is our choice; it was not tuned.
    """
    every, own = (sum(len(record.spans) for record in records) for records in (corpus, asked))
    return max(_LEAST_SHARE, DEFAULT_SHARE * own / every) if own < every else DEFAULT_SHARE


def default_edits(
    model: LanguageModel,
    base: LanguageModel | None,
    records: Sequence[Record],
    seed: int = 0,
    *,
    share: float = DEFAULT_SHARE,
    progress: Progress | None = None,
) -> tuple[UnitEdit, ...]:
    """The units that carry the corpus's spans most, reset to the base model, else zeroed.

    A reset without a base would put noise where text was learnt; zero does less harm. Of a masked
    model, which no localiser reads yet, it is SANI's random half of the last layer.
    """
    operation: Operation = "reset" if base else "zero"
    if model.kind == "masked":
        drawn = random_share(model.sites, "mlp", seed=seed)
        return tuple(UnitEdit(unit=str(unit), operation=operation) for unit in drawn)
    settings = Settings(seed=seed, progress=progress or ignored)
    scores = find_localiser("gradient-activation").score(find_targets(model, records), settings)
    count = max(1, round(share * scores.values.numel()))
    return tuple(UnitEdit(unit=str(n), operation=operation) for n in scores.units(count))


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


CAP_QUANTILE = 0.99
# SANI's: half of the last layer's units.
SANI_SHARE, SANI_LAYERS = 0.5, 1


ShareKind = Literal["mlp", "head", "row"]
"""What is drawn from: neurons, attention heads, or the rows of every linear projection."""


@overload
def random_share(
    sites: Sites, kind: UnitKind, share: float = ..., last: int | None = ..., seed: int = ...
) -> tuple[LayerUnit, ...]: ...
@overload
def random_share(
    sites: Sites, kind: ShareKind, share: float = ..., last: int | None = ..., seed: int = ...
) -> tuple[LayerUnit | Row, ...]: ...
def random_share(
    sites: Sites,
    kind: ShareKind,
    share: float = SANI_SHARE,
    last: int | None = SANI_LAYERS,
    seed: int = 0,
) -> tuple[LayerUnit | Row, ...]:
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
    units: list[LayerUnit | Row] = []
    for layer in last_layers(sites, last):
        rng = np.random.default_rng((seed, layer))
        for part, count in _groups(sites, layer, kind).items():
            drawn = rng.permutation(count)[: _part(share, count)].tolist()
            units += [
                Row(layer, part, i) if kind == "row" else layer_unit(kind, layer, i) for i in drawn
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
    units: Sequence[Target],
    operation: Operation,
) -> tuple[UnitEdit, ...]:
    """One operation on several units; `mean` and `cap` read the corpus once for all of them.

    Raises:
        PlanError: if the operation does not suit one of the units.
    """
    return edits_with(lambda chosen: activations(model, records, chosen), units, operation)


def edits_with(
    read: Callable[[Sequence[Unit]], Activations],
    units: Sequence[Target],
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
    own = [unit for unit in units if not isinstance(unit, Row)]  # of which nothing is read
    values: Mapping[Target, float | None]
    match operation:
        case "mean":
            values = {**read(own).means()}
        case "cap":
            values = {**read(own).quantiles(CAP_QUANTILE)}
        case "clamp":
            values = dict.fromkeys(units, value)
        case "reset" | "initialise" | "zero" | "bake" | "refill" | "drop" | "renorm":
            values = dict.fromkeys(units)
    return tuple(UnitEdit(unit=str(n), operation=operation, value=values[n]) for n in units)
