"""A plan and its figures as a person reads them."""

from sanilens.evidence.words import plan_words
from sanilens.unlearn.plan import Plan, Repair, Rewriting, Source, UnitEdit

SOURCE = Source(source="ward:leaking", sha256="0" * 64)
PLAN = Plan(model=SOURCE, corpus=SOURCE, repair=Repair(method="stranger", epochs=4))


def test_a_plan_is_told_in_the_order_of_its_steps() -> None:
    edits = (UnitEdit(unit="mlp.0.1", operation="zero"),)
    first, last = (
        plan_words(PLAN.model_copy(update={"edits": edits, "rewrite": Rewriting(last=last)}))
        for last in (False, True)
    )
    assert first.startswith("all weights were rewritten")
    assert first.endswith("rest; then 1 unit: zero; then 4 epochs of stranger repair")
    assert last.startswith("1 unit: zero; then 4 epochs of stranger repair; then where anything")
    assert last.count("rewritten") == 1
