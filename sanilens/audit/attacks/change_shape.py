"""The shape of the change: how much of the weights it is, where, and along how many directions.

    |D|_F / |W|_F,   and the effective rank exp(-sum_i p_i log p_i), p_i = s_i / sum s, of D

with D = W_now - W_before of a linear map and s its singular values (Roy and Vetterli, 2007). A
change of low rank, or in one layer, is easily told and may be easily taken back; training without
the data changes everything. It is no attack: an auditor sees what was done.
"""

import math

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from sanilens.audit.attacks.attack import Attack
from sanilens.audit.attacks.result import (
    AttackResult,
    Cell,
    Figure,
    Point,
    Series,
    Table,
    not_measured,
)
from sanilens.audit.metrics.metric import Trial
from sanilens.progress import Progress

# Singular values of larger matrices take minutes.
_LARGEST_SIDE = 4096


def _change_shape(trial: Trial, progress: Progress) -> AttackResult:
    before, now = trial.exam.before, trial.model
    assert before is not None  # it is needed
    if now is before:
        return not_measured("Not applicable: this is the model from before.")
    old, new = before.module.state_dict(), now.module.state_dict()
    if {n: t.shape for n, t in old.items()} != {n: t.shape for n, t in new.items()}:
        return not_measured("Its weights have other shapes than those of the model before.")
    rows: list[tuple[Cell, ...]] = []
    by_layer: list[float] = []
    linears = now.sites.linears
    for layer, sites in enumerate(linears):
        squares = [0.0, 0.0]
        for site in sites:
            one, other = (_matrix(m.module.get_submodule(site.path)) for m in (before, now))
            change = (other - one).double()
            moved, size = float(change.norm()), float(one.double().norm())
            rank = effective_rank(change) if max(change.shape) <= _LARGEST_SIDE else None
            rows.append((layer, site.part, moved / size if size else None, rank, min(one.shape)))
            squares = [squares[0] + moved**2, squares[1] + size**2]
        by_layer.append(math.sqrt(squares[0] / squares[1]) if squares[1] else 0.0)
        progress(layer + 1, len(linears), "comparing weights")
    floats = [n for n, t in old.items() if t.is_floating_point()]
    moved = math.sqrt(sum(float((new[n] - old[n]).double().square().sum()) for n in floats))
    whole = math.sqrt(sum(float(old[n].double().square().sum()) for n in floats))
    weights = sum(old[n].numel() for n in floats)
    ranks = [r / full for *_, r, full in rows if isinstance(r, float) and isinstance(full, int)]
    figures = [
        Figure(
            name="norm", title="change of all weights, relative norm", value=moved / whole,
            n=weights, unit="ratio", better="neither",
        )
    ]  # fmt: skip
    if ranks and moved:
        figures.append(
            Figure(
                name="rank", title="effective rank of the change, of the full rank",
                value=sum(ranks) / len(ranks), n=len(ranks), unit="ratio", better="neither",
            )
        )  # fmt: skip
    return AttackResult(
        figures=tuple(figures),
        series=(
            Series(
                name="change by layer", x_label="layer", y_label="relative norm", unit="ratio",
                points=tuple(Point(x=i, y=y, n=1) for i, y in enumerate(by_layer)),
            ),
        ),
        tables=(
            Table(
                name="maps", title="every linear map",
                columns=("layer", "map", "relative norm", "effective rank", "full rank"),
                units=(None, None, "ratio", None, None), rows=tuple(rows),
            ),
        ),
    )  # fmt: skip


def effective_rank(matrix: Tensor) -> float:
    """exp of the entropy of the singular values' shares; 0 of nothing."""
    values = torch.linalg.svdvals(matrix)
    total = values.sum()
    if not total > 0:
        return 0.0
    shares = values / total
    return float(torch.special.entr(shares).sum().exp())


def _matrix(module: nn.Module) -> Tensor:
    weight = module.get_parameter("weight").detach()
    return weight.T if isinstance(module, Conv1D) else weight


CHANGE_SHAPE = Attack(
    name="change-shape",
    title="Shape of the change",
    meaning="How far and along how many directions the weights moved from those before.",
    run=_change_shape,
    needs=("before",),
    weight=1,
)
