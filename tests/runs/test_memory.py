"""Memory told beforehand: counted, weight by weight."""

import pytest

from sanilens.bundled import Sources
from sanilens.case import open_case
from sanilens.model.language_model import LanguageModel
from sanilens.runs.memory import least_bytes, weights_bytes
from sanilens.unlearn.plan import Plan, Repair, Rewriting
from sanilens.unlearn.suggest import NO_REPAIR


def test_every_model_its_copy_and_the_state_of_training(tiny_plan: Plan) -> None:
    assert tiny_plan.base
    case = open_case(
        Sources(
            model=tiny_plan.model.source, base=tiny_plan.base.source, corpus=tiny_plan.corpus.source
        )
    )
    one = weights_bytes(case.model)
    assert one == sum(4 * w.numel() for w in case.model.module.parameters())
    assert least_bytes(case, tiny_plan) == (2 + 1 + 3) * one
    alone = tiny_plan.model_copy(update={"repair": Repair(method=NO_REPAIR)})
    assert least_bytes(case, alone) == 3 * one
    nothing = alone.model_copy(update={"edits": ()})
    assert least_bytes(case, nothing) == 2 * one
    rewritten = nothing.model_copy(update={"rewrite": Rewriting()})
    teacher = sum(len(record.spans) for record in case.corpus.records) * 64 * (8 + 4)
    assert least_bytes(case, rewritten) - 3 * one == _factors(case.model) + teacher
    first = nothing.model_copy(update={"rewrite": Rewriting(layers=(0,))})
    assert least_bytes(case, first) - 3 * one - teacher == pytest.approx(
        _factors(case.model) / case.model.sites.n_layers
    )
    strangers = nothing.model_copy(update={"repair": Repair(method="stranger")})
    assert least_bytes(case, strangers) == (2 + 1 + 3) * one + teacher


def _factors(model: LanguageModel) -> int:
    """Of a GPT-NeoX, all of whose projections have a bias."""
    d, inner = model.sites.d_model, model.sites.d_mlp
    shapes = ((3 * d, d), (d, d), (inner, d), (d, inner))
    layer = sum(rows**2 + (columns + 1) ** 2 for rows, columns in shapes)
    return 12 * layer * model.sites.n_layers
