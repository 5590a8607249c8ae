"""A unit's card: where it fires, what it promotes, and how well it tells sensitive tokens apart."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from transformers.pytorch_utils import Conv1D

from sanilens.corpus.records import Record
from sanilens.inspect.activations import Activations, activations
from sanilens.model.align import decoded
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Neuron


@dataclass(frozen=True, slots=True)
class Context:
    """A place where the unit is strong: token `position` of a record, and its activation."""

    record: str
    position: int
    activation: float
    sensitive: bool


@dataclass(frozen=True, slots=True)
class Card:
    """What one unit does over a corpus.

    Attributes:
        unit: the unit.
        tokens: how many tokens were looked at.
        firing: share of tokens on which it fires (activation above zero).
        precision: of the firing tokens, weighted by activation, the share that is sensitive.
        recall: share of the sensitive tokens on which it fires.
        base_rate: share of tokens that are sensitive: what precision would be by chance.
        auroc: probability that a random sensitive token activates it more than another token.
        density: histogram edges, and share of sensitive and of other tokens per bin.
        contexts: the strongest places, one a record, strongest first.
        labels: how often each label is among the sensitive tokens of the strongest hundredth.
        promoted, suppressed: tokens whose logits its output column raises and lowers most, per
            unit of activation (before the final norm's scale).
    """

    unit: Neuron
    tokens: int
    firing: float
    precision: float
    recall: float
    base_rate: float
    auroc: float
    density: tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]
    contexts: tuple[Context, ...]
    labels: tuple[tuple[str, int], ...]
    promoted: tuple[tuple[str, float], ...]
    suppressed: tuple[tuple[str, float], ...]


def unit_card(
    subject: SubjectModel, records: Sequence[Record], unit: Neuron, *, top: int = 8
) -> Card:
    """Describe a unit over `records`."""
    return card_of(subject, activations(subject, records, [unit]), unit, top=top)


def card_of(subject: SubjectModel, found: Activations, unit: Neuron, *, top: int = 8) -> Card:
    """Describe a unit from activations that were read before."""
    values, sensitive = found.of(unit), found.sensitive
    fires, mass = values > 0, values.clip(min=0)
    promoted, suppressed = direct_effect(subject, unit)
    return Card(
        unit=unit,
        tokens=len(values),
        firing=float(fires.mean()),
        precision=float(mass[sensitive].sum() / max(mass.sum(), 1e-12)),
        recall=float(fires[sensitive].mean()) if sensitive.any() else 0.0,
        base_rate=float(sensitive.mean()),
        auroc=auroc(values, sensitive),
        density=_density(values, sensitive),
        contexts=_contexts(found, values, top),
        labels=strongest_labels(found, values),
        promoted=promoted,
        suppressed=suppressed,
    )


@torch.inference_mode()
def direct_effect(
    subject: SubjectModel, unit: Neuron, count: int = 6
) -> tuple[tuple[tuple[str, float], ...], tuple[tuple[str, float], ...]]:
    """Tokens that the unit's output column promotes and suppresses most through the unembedding.

    `W_U w_out`, mean over the vocabulary taken off, since a shift of all logits says nothing. A
    final norm's per-channel gain is not applied: adapters differ in where they keep it.
    """
    out = subject.model.get_submodule(subject.sites.mlps[unit.layer].out)
    weight = out.get_parameter("weight")
    column = weight[unit.index] if isinstance(out, Conv1D) else weight[:, unit.index]
    unembed = subject.model.get_submodule(subject.sites.unembed).get_parameter("weight")
    effect: Float[Tensor, " vocab"] = unembed.float() @ column.float()
    effect = effect - effect.mean()
    high, low = effect.topk(count), (-effect).topk(count)
    return _named(subject, high.indices, high.values), _named(subject, low.indices, -low.values)


def auroc(values: Float[np.ndarray, " n"], positive: np.ndarray) -> float:
    """Area under the ROC curve by ranks, ties counted half; 0.5 where one class is absent."""
    count = int(positive.sum())
    if count in (0, len(values)):
        return 0.5
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (counts.cumsum() - (counts - 1) / 2)[inverse]
    above = ranks[positive].sum() - count * (count + 1) / 2
    return float(above / (count * (len(values) - count)))


def _named(subject: SubjectModel, ids: Tensor, values: Tensor) -> tuple[tuple[str, float], ...]:
    texts = [decoded(subject, [int(i)]) for i in ids]
    return tuple(zip(texts, values.tolist(), strict=True))


def _density(
    values: Float[np.ndarray, " n"], sensitive: np.ndarray, bins: int = 40
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    edges = np.histogram_bin_edges(values, bins)
    shares = [
        np.histogram(part, edges)[0] / max(1, len(part))
        for part in (values[sensitive], values[~sensitive])
    ]
    return tuple(edges.tolist()), tuple(shares[0].tolist()), tuple(shares[1].tolist())


def _contexts(found: Activations, values: Float[np.ndarray, " n"], top: int) -> tuple[Context, ...]:
    contexts: dict[int, Context] = {}
    for i in np.argsort(-values, kind="stable"):
        record = int(found.record[i])
        if record not in contexts:
            name = found.encoded[record].record.id
            position = int(found.position[i])
            contexts[record] = Context(name, position, float(values[i]), bool(found.sensitive[i]))
        if len(contexts) == top:
            break
    return tuple(contexts.values())


def strongest_labels(
    found: Activations, values: Float[np.ndarray, " n"]
) -> tuple[tuple[str, int], ...]:
    """How often each label is among the sensitive tokens of the strongest hundredth."""
    strongest = np.argsort(-values, kind="stable")[: max(1, len(values) // 100)]
    counts: Counter[str] = Counter()
    for i in strongest[found.sensitive[strongest]]:
        position = int(found.position[i])
        for span in found.encoded[int(found.record[i])].spans:
            if span.start - 1 <= position < span.end:
                counts[span.span.label] += 1
                break
    return tuple(counts.most_common(4))
