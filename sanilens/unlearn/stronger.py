"""The next stronger plan, where one has left something: what was measured to leave less, or more of
the same.

For some subjects: all weights rewritten; then with twice the harm allowed, or, where nothing is
said any more, until it is as unlikely as from a stranger. For everyone: the preset that leaves
least of those measured (benchmarks/README.md); then twice as long, or with half of what
fine-tuning taught.
"""

from typing import NamedTuple

from sanilens.model.language_model import LanguageModel
from sanilens.unlearn.plan import Plan
from sanilens.unlearn.suggest import Preset, find_preset

# So unlikely that a span is forgotten only where the stranger's answer is as likely.
_STRANGERS = 1e-9
_MOST_EPOCHS, _LEAST_KEPT, _MOST_BUDGET, _MOST_STEPS = 16, 0.02, 1.0, 1000


class Stronger(NamedTuple):
    """A plan to try next, and in a few words what it does otherwise."""

    title: str
    plan: Plan


def stronger(
    plan: Plan, base: LanguageModel | None, *, base_knows: bool, silent: bool = False
) -> Stronger | None:
    """What to try after a plan that has left something; None where nothing stronger is known.

    Args:
        plan: the one that was carried out, of a causal model.
        base: the case's base model, if it has one.
        base_knows: whether that knows the domain, so that going back to it loses nothing else.
        silent: whether nothing was said after it, though it is undecided whether that is enough.
    """
    if plan.subjects:
        if not plan.rewrite:
            return _by(find_preset("person"), plan, base)
        return _less_likely(plan) if silent else _more_harm(plan)
    best = find_preset("recommended" if base and base_knows else "stranger")
    if plan.keep > best.keep or plan.repair.method != best.repair(base).method:
        return _by(best, plan, base)
    return _less_kept(plan) if plan.keep < 1 else _longer(plan)


def _by(preset: Preset, plan: Plan, base: LanguageModel | None) -> Stronger:
    own = {"keep": preset.keep, "rewrite": preset.rewrite, "repair": preset.repair(base)}
    return Stronger(preset.title, plan.model_copy(update={**own, "edits": ()}))


def _more_harm(plan: Plan) -> Stronger | None:
    assert plan.rewrite
    budget = 2 * plan.rewrite.budget
    if budget > _MOST_BUDGET:
        return None
    steps = min(_MOST_STEPS, 2 * plan.rewrite.most_steps)
    more = plan.rewrite.model_copy(update={"budget": budget, "most_steps": steps})
    return Stronger("Twice the harm allowed", plan.model_copy(update={"rewrite": more}))


def _less_likely(plan: Plan) -> Stronger | None:
    assert plan.rewrite
    if plan.rewrite.likely <= _STRANGERS:
        return None
    more = plan.rewrite.model_copy(update={"likely": _STRANGERS})
    title = "Until it is as unlikely as from a stranger, which costs others more"
    return Stronger(title, plan.model_copy(update={"rewrite": more}))


def _less_kept(plan: Plan) -> Stronger | None:
    keep = plan.keep / 2
    if keep < _LEAST_KEPT:
        return None
    title = f"{100 * keep:g} % of the fine-tuning kept"
    return Stronger(title, plan.model_copy(update={"keep": keep}))


def _longer(plan: Plan) -> Stronger | None:
    epochs = 2 * plan.repair.epochs
    if epochs > _MOST_EPOCHS:
        return None
    repair = plan.repair.model_copy(update={"epochs": epochs})
    return Stronger(f"{epochs} epochs of repair", plan.model_copy(update={"repair": repair}))
