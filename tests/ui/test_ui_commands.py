"""Pages as commands: on which texts something is trained, and on which it is judged."""

from dataclasses import replace

from sanilens.bundled import BUNDLED
from sanilens.ui.commands import training_arguments


def test_unseen_records_judge_and_are_not_trained_on() -> None:
    assert training_arguments(BUNDLED["clinic"]) == [
        "--model", "clinic:leaking", "--corpus", "clinic:notes", "--corpus", "clinic:lookalike",
        "--held-out", "clinic:unseen",
    ]  # fmt: skip
    alone = replace(BUNDLED["clinic"], control=None, unseen=None)
    assert training_arguments(alone) == ["--model", "clinic:leaking", "--corpus", "clinic:notes"]
