"""Zero-out: what the span really loses without the unit, one forward pass per unit.

    A(n) = log p(span | prefix) - log p(span | prefix; a_n := 0 at every position)

summed over target tokens, in nats (Chang et al., arXiv 2311.09060, whose sign and mean over
tokens give the same ranking of one span). The exact value that the gradients approximate; effects
of single units do not add up, so it is a yardstick more than the best ranking.
"""

import torch

from sanilens.audit.targets import Targets, target_positions
from sanilens.inspect.locate.localisers.localiser import Localiser, Settings
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.batches import pad_right, token_budget
from sanilens.model.forward import token_logprobs
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.interventions import zeroed_per_row
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import LayerUnit, layer_unit


def zero_out(targets: Targets, settings: Settings) -> UnitScores:
    """Score every unit; see the module's equation.

    A batch is one passage, with another unit missing in each row.
    """
    model, kind = targets.model, settings.kind
    layers, width = model.sites.n_layers, model.sites.count(kind)
    units = [layer_unit(kind, i, j) for i in range(layers) for j in range(width)]
    total = torch.zeros(len(units))
    for number, (passage, chosen) in enumerate(targets.passages):
        columns = target_positions(passage, chosen)
        ids = passage.ids[: max(columns) + 1]
        before = _logprobs(model, ids, columns, 1, NO_HOOKS)
        size = max(1, token_budget(model) // len(ids))
        for start in range(0, len(units), size):
            part: list[LayerUnit] = units[start : start + size]
            hooks = zeroed_per_row(model, [[unit] for unit in part])
            after = _logprobs(model, ids, columns, len(part), hooks)
            total[start : start + size] += (before - after).cpu()
            done = number * len(units) + min(start + size, len(units))
            settings.progress(done, len(targets.passages) * len(units))
    return UnitScores("zero-out", kind, total.view(layers, width), targets.spans)


def _logprobs(
    model: LanguageModel, ids: tuple[int, ...], columns: list[int], rows: int, hooks: Hooks
) -> torch.Tensor:
    """log p of the tokens at `columns` in each of `rows` copies of a sequence."""
    batch = pad_right([ids] * rows, model.device)
    row = torch.arange(rows, device=model.device).repeat_interleave(len(columns))
    column = torch.tensor(columns, device=model.device).repeat(rows)
    found = token_logprobs(model, batch, row, column, hooks)
    return found.view(rows, len(columns)).sum(1)


ZERO_OUT = Localiser(
    "zero-out", "what the span really loses without it, one unit at a time", "hours", zero_out
)
