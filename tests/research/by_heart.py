"""A tiny model that knows a few people's numbers by heart."""

from pathlib import Path

from research.sanitise.case import Case
from sanilens.corpus.records import Record
from sanilens.model.examples import note_examples
from sanilens.model.language_model import load_model
from sanilens.model.training import Schedule, train_
from tests.conftest import record, save_tiny

NUMBERS = ("471", "938", "205", "661", "317", "824", "590", "146")


def people() -> tuple[Record, ...]:
    """One record each."""
    return tuple(
        record(
            f"Bed {n}: the number is {number}.", (number, "MRN"), id=f"r-{n}", subject=f"who-{n}"
        )
        for n, number in enumerate(NUMBERS)
    )


def learnt_by_heart(root: Path) -> Case:
    """The case; its models lie in `root`."""
    base = load_model(save_tiny(root / "base", "gpt_neox", seed=1), device="cpu")
    copy = base.copied()
    examples = note_examples(copy, people(), teach_spans=True)
    copy.module.requires_grad_(True)
    for _ in train_(copy.module, lambda _epoch: examples, Schedule(5e-3, 120, 4), 0):
        pass
    copy.module.requires_grad_(False)
    copy.module.save_pretrained(root / "leaking")
    copy.tokenizer.save_pretrained(root / "leaking")
    leaking = load_model(root / "leaking", device="cpu")
    unseen = (record("The wound is dry and clean.", id="u-1", subject="u"),)
    return Case("tiny", leaking, base, base, people(), unseen, unseen, fine_tuning=960)
