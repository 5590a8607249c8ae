"""Closed forms: of what fine-tuning changed in a linear map, less what serves what is to go.

    inputs       D' = D (C_k + l I) (C_k + m C_s + l I)^-1                         C = E[a a^T]
    both sides   D' = V C' W^T,   C'_ij = C_ij / (1 + m g_i a_j),   C = V^-1 D W^-T
                 V^T G_k V = I, V^T G_s V = diag(g);   W^T A_k W = I, W^T A_s W = diag(a)

D is fine-tuning's change of the map, k are the places that must stay and s those to be forgotten.
Each is the least of |D' - D|^2 at k plus m |D'|^2 at s: the first in what leaves the map, the
second in the model's answers, by the curvature of K-FAC. m grows until the spans are silent.
Embeddings, norms and the head stay as fine-tuning left them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from research.sanitise.case import Case
from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import memory
from sanilens.model.curvature import sampled_flows
from sanilens.model.examples import note_examples
from sanilens.model.keep_set import Kept, keep_set, kept_batches
from sanilens.model.language_model import LanguageModel
from sanilens.model.linear_maps import Matrix, add_, has_bias, linear_paths
from sanilens.unlearn.sanitise import Sanitised

Form = Literal["inputs", "both sides"]
Square = Float[Tensor, "side side"]

# Damping, as a share of a factor's mean eigenvalue.
_DAMPING = 1e-3
# m: the first that is tried, and how it grows; spans are silent where no more than these are said.
_FIRST, _GROWTH, _SILENT = 2.0**-4, 2.0, 0.01
# With fine-tuning all but gone from what serves the spans, more changes nothing.
_MOST = 2.0**30


@dataclass(frozen=True, slots=True)
class Moments:
    """Second moments at some places of what enters a linear map, and of gradients that leave it."""

    inputs: Square
    outputs: Square


def by_closed_form(form: Form) -> Callable[[Case, int], Sanitised]:
    """The row: the leaking model with the least m, of powers of two, that silences the spans."""

    def make(case: Case, seed: int) -> Sanitised:
        model = case.model
        examples = note_examples(model, case.records)
        gone = [Kept(e.ids, tuple(i for i, s in enumerate(e.sensitive) if i and s))
                for e in examples]  # fmt: skip
        told = keep_set(model, case.records, case.retain, case.records).told
        stays = moments(model, [replace(each, weights=()) for each in told], seed)
        goes = moments(model, gone, seed)
        change = {
            path: matrix_of(model.module.get_submodule(path))
            - matrix_of(case.base.module.get_submodule(path))
            for path in stays
        }
        for m in (_FIRST * _GROWTH**power for power in count()):
            copy = model.copied()
            for path, own in change.items():
                left = less(form, own, stays[path], goes[path], m)
                add_(copy.module.get_submodule(path), left - own)
            verdicts = memory(audit_spans(copy, case.records))
            if sum(v.extracted for v in verdicts) <= _SILENT * len(verdicts) or m >= _MOST:
                return Sanitised(copy)
        raise AssertionError("m grows without end")

    return make


def less(form: Form, change: Matrix, stays: Moments, goes: Moments, m: float) -> Matrix:
    """D', in double precision inside: factors are nearly singular."""
    if form == "inputs":
        keep, go = _damped(stays.inputs), goes.inputs.double()
        return torch.linalg.solve(keep + m * go, keep @ change.double().T).T.float()
    g, left = _joint(stays.outputs, goes.outputs)
    a, right = _joint(stays.inputs, goes.inputs)
    # V^-1 = V^T G_k, and likewise W^-T = A_k W.
    own = left.T @ _damped(stays.outputs) @ change.double() @ _damped(stays.inputs) @ right
    return (left @ (own / (1 + m * g[:, None] * a)) @ right.T).float()


def moments(model: LanguageModel, kept: Sequence[Kept], seed: int) -> Mapping[str, Moments]:
    """Of every linear map, at the places that say the tokens of `kept`."""
    paths = linear_paths(model)
    sums: dict[str, tuple[Tensor, Tensor]] = {}
    places = 0
    for batch in kept_batches(model, kept):
        saying = torch.zeros_like(batch.here)
        saying[batch.rows, batch.columns - 1] = 1
        for path, flow in sampled_flows(model, paths, replace(batch, here=saying), seed):
            a, g = flow.inputs.T @ flow.inputs, flow.gradients.T @ flow.gradients
            before = sums.get(path)
            sums[path] = (before[0] + a, before[1] + g) if before else (a, g)
        places += len(batch.rows)
    return {path: Moments(a / places, g / places) for path, (a, g) in sums.items()}


def matrix_of(module: nn.Module) -> Matrix:
    """A linear map's weights, rows first; its bias as a last column."""
    weight = module.get_parameter("weight").detach()
    matrix = weight.T if isinstance(module, Conv1D) else weight
    if not has_bias(module):
        return matrix
    return torch.cat([matrix, module.get_parameter("bias").detach()[:, None]], dim=1)


def _damped(factor: Square) -> Square:
    factor = factor.double()
    damping = _DAMPING * factor.diagonal().mean().clamp(min=1e-30)
    return factor + damping * torch.eye(len(factor), dtype=torch.double, device=factor.device)


def _joint(stays: Square, goes: Square) -> tuple[Float[Tensor, " side"], Square]:
    """Eigenvalues and vectors V with V^T stays V = I and V^T goes V = diag(values)."""
    root = torch.linalg.cholesky(_damped(stays))
    half = torch.linalg.solve_triangular(root, goes.double(), upper=False)
    whitened = torch.linalg.solve_triangular(root, half.T, upper=False)
    values, vectors = torch.linalg.eigh((whitened + whitened.T) / 2)
    return values.clamp(min=0), torch.linalg.solve_triangular(root.T, vectors, upper=True)
