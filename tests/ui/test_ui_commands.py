"""Pages as commands: on which texts something is trained, and on which it is judged."""

from dataclasses import replace

from sanilens.ui.commands import training_arguments
from sanilens.ui.state import BUNDLED


def test_unseen_records_judge_and_are_not_trained_on() -> None:
    assert training_arguments(BUNDLED) == [
        "--model", "clinic:leaking", "--corpus", "clinic:notes", "--corpus", "clinic:lookalike",
        "--held-out", "clinic:unseen",
    ]  # fmt: skip
    alone = replace(BUNDLED, control=None, unseen=None)
    assert training_arguments(alone) == ["--model", "clinic:leaking", "--corpus", "clinic:notes"]
