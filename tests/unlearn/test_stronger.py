"""What is offered after a plan that has left something."""

from sanilens.model.language_model import LanguageModel
from sanilens.unlearn.plan import Plan, Repair, Rewriting, Source, UnitEdit
from sanilens.unlearn.stronger import stronger
from sanilens.unlearn.suggest import find_preset

SOURCE = Source(source="clinic:notes", sha256="0" * 64)
LOCATED = Plan(
    model=SOURCE, corpus=SOURCE, base=SOURCE, edits=(UnitEdit(unit="mlp.0.1", operation="reset"),)
)


def test_for_everyone_it_is_what_leaves_least_of_what_was_measured(model: LanguageModel) -> None:
    there = stronger(LOCATED, model, base_knows=True)
    assert there
    assert (there.plan.keep, there.plan.edits) == (0.1, ())
    assert there.plan.repair == find_preset("recommended").repair(model)
    without = stronger(LOCATED, model, base_knows=False)
    assert without
    assert (without.plan.keep, without.plan.repair.method) == (1.0, "stranger")
    assert stronger(LOCATED, None, base_knows=False) == without


def test_after_the_best_it_is_more_of_the_same_until_nothing_is_known(
    model: LanguageModel,
) -> None:
    for base in (model, None):
        plan, titles = LOCATED, list[str]()
        while found := stronger(plan, base, base_knows=base is not None):
            plan = found.plan
            titles.append(found.title)
            assert len(titles) < 10
        assert len(titles) == len(set(titles)) > 1
        assert Plan.model_validate(plan.model_dump()) == plan  # still a plan that can be run


def test_for_one_person_all_weights_are_rewritten_then_harder() -> None:
    plan = LOCATED.model_copy(update={"subjects": ("p-1",)})
    first = stronger(plan, None, base_knows=False)
    assert first
    assert first.plan.rewrite == Rewriting(step=5e-5, most_steps=64, trials=8)
    assert first.plan.subjects == ("p-1",)
    assert not first.plan.repair.trains
    second = stronger(first.plan, None, base_knows=False)
    assert second
    assert second.plan.rewrite
    assert second.plan.rewrite.budget == 2 * Rewriting().budget
    silent = stronger(first.plan, None, base_knows=False, silent=True)
    assert silent
    assert first.plan.rewrite
    assert silent.plan.rewrite == first.plan.rewrite.model_copy(update={"likely": 1e-9})
    assert stronger(silent.plan, None, base_knows=False, silent=True) is None
    hard = first.plan.model_copy(update={"rewrite": Rewriting(budget=0.9)})
    assert stronger(hard, None, base_knows=False) is None


def test_it_is_another_plan() -> None:
    strange = LOCATED.model_copy(
        update={"edits": (), "repair": Repair(method="stranger", epochs=2)}
    )
    found = stronger(strange, None, base_knows=False)
    assert found
    assert found.plan.repair.epochs == 4
    assert found.plan.sha256 != strange.sha256
