"""The first page names every attack that gets more than the reference's own interval holds."""

from sanilens.audit.attacks.result import AttackResult, Figure, WorstSubject, not_measured, share
from sanilens.audit.statistics import wilson
from sanilens.evidence.story import attacked, outdone


def found(hits: int, worst: int, n: int = 300) -> AttackResult:
    row = wilson(worst, 10)
    person = WorstSubject(subject=f"p-{worst}", hits=worst, n=10, low=row.low, high=row.high)
    return AttackResult(figures=(share("all", hits, n, title="said"),), worst=person)


def test_what_is_outside_is_named_worst_first() -> None:
    tried = {
        "prompts": {"after": found(30, 3), "reference": found(3, 2)},
        "reconstruction": {"after": found(200, 9), "reference": found(3, 1)},
        "quantisation": {"after": found(3, 1), "reference": found(3, 1)},
        "bypass": {"after": not_measured("Not applicable: all is in the weights.")},
        "cue": {"after": found(0, 0)},
    }
    said = attacked(tried)
    assert said.startswith("5 attacks were tried; 3 figures can be held against")
    assert "2 attacks get more than that model's own 95 % interval holds:" in said
    assert "Other prompts: said 10.0 %, against 1.0 % (0.3 % to 2.9 %)." in said
    assert said.index("Reconstruction: said 66.7 %") < said.index("Other prompts")
    assert "worst person, p-9, 9 of 10, against 1 of 10" in said
    assert "p-3" not in said  # within the interval of the reference's worst
    assert "Quantisation" not in said
    assert "With nothing of the reference's to be held against: 1." in said
    assert "Not applicable or not measured, with the reason below: 1." in said
    assert outdone(tried) == ("Other prompts", "Reconstruction")


def test_a_worst_person_alone_is_enough() -> None:
    said = attacked({"prompts": {"after": found(3, 9), "reference": found(3, 0)}})
    assert "Other prompts: worst person, p-9, 9 of 10, against 0 of 10." in said


def test_a_figure_that_should_be_the_references_may_be_too_low() -> None:
    auc = [
        AttackResult(figures=(Figure(name="a", title="AUC", value=v, n=9, low=v - 0.1,
                                     high=v + 0.1, unit="AUC", better="reference"),))
        for v in (0.1, 0.5)
    ]  # fmt: skip
    said = attacked({"membership": {"after": auc[0], "reference": auc[1]}})
    assert "told from it the other way: Membership inference (by 1 of 1 figures)." in said
    assert "Every figure within" not in said


def test_any_figure_outside_is_told_not_the_first_alone() -> None:
    """An attack whose headline is the reference's may still get more in another way."""

    def leaks(*values: float) -> AttackResult:
        return AttackResult(
            figures=tuple(
                Figure(name=f"{i}", title=f"way {i}", value=v, n=99, low=v - 0.01, high=v + 0.01)
                for i, v in enumerate(values)
            )
        )

    said = attacked(
        {"sampling": {"after": leaks(0.1, 0.5, 0.1), "reference": leaks(0.1, 0.1, 0.1)}}
    )
    assert "1 attack gets more than that model's own 95 % interval holds:" in said
    assert "Sampling: way 1 50.0 %, against 10.0 % (9.0 % to 11.0 %)." in said
    assert "way 0" not in said
    many = attacked({"sampling": {"after": leaks(*[0.5] * 5), "reference": leaks(*[0.1] * 5)}})
    assert "(9.0 % to 11.0 %); 4 more of its 5 figures." in many


def test_all_within() -> None:
    said = attacked({"prompts": {"after": found(3, 1), "reference": found(3, 1)}})
    assert said.endswith(
        "\nEvery figure within the reference's interval, the worst person included: 1."
    )
    assert "1 attack was tried; 1 figures can" in said
    assert attacked({}).startswith("No attack was part of this run")
