"""A plan and its figures as a person reads them."""

from sanilens.evidence.evidence import Reading
from sanilens.evidence.words import plan_words, with_interval
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


def test_an_interval_stands_with_its_figure() -> None:
    rate = Reading(id="", measure="m", title="t", arm="after", value=0.0, hits=0, n=13, low=0.0,
                   high=0.228, file="")  # fmt: skip
    assert with_interval(rate) == "0 of 13 (0.0 %, 95 % interval 0.0 to 22.8 %)"
    auc = rate.model_copy(update={"unit": "AUC", "hits": None, "value": 0.5})
    assert with_interval(auc) == "0.500 (95 % interval 0.000 to 0.228)"
    assert with_interval(rate.model_copy(update={"low": None})) == "0 of 13 (0.0 %)"
