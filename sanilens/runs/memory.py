"""How much memory a run takes at least, told beforehand: its models, and what their change needs.

    models      each that the case holds, and the copy that is changed
    training    of every weight that learns: its gradient and Adam's two moments
    rewriting   of every linear map: two factors of curvature (float32), and their roots (float64)
    teacher     of every span asked for one token's answer (model/teachers.py)

Activations come on top, and whatever Python and its libraries take.
"""

from sanilens.case import Case
from sanilens.model.language_model import LanguageModel
from sanilens.model.linear_maps import linear_paths, shape_of
from sanilens.model.soft import place_bytes
from sanilens.unlearn.plan import Plan

_TRAINING, _FACTOR = 3, 4 + 8


def least_bytes(case: Case, plan: Plan) -> int:
    """Bytes that a run of the plan holds at once, at least."""
    held = [model for model in (case.model, case.base, case.reference) if model]
    total = sum(map(weights_bytes, held))
    if not plan.changes_nothing:
        total += weights_bytes(case.model)
    if plan.repair.trains and plan.repair.train == "all":
        total += _TRAINING * weights_bytes(case.model)
    if plan.rewrite:
        total += _factors_bytes(case.model, plan.rewrite.layers)
    if plan.rewrite or plan.repair.method == "stranger":
        spans = sum(len(record.spans) for record in case.asked(plan.subjects, plan.earlier))
        total += spans * place_bytes(case.model)
    return total


def weights_bytes(model: LanguageModel) -> int:
    """Of a model's weights; tied ones count once."""
    return sum(weight.numel() * weight.element_size() for weight in model.module.parameters())


def _factors_bytes(model: LanguageModel, layers: tuple[int, ...]) -> int:
    paths = dict.fromkeys(linear_paths(model, layers or None))
    shapes = (shape_of(model.module.get_submodule(path)) for path in paths)
    return sum(_FACTOR * (rows**2 + columns**2) for rows, columns in shapes)
