"""A tiny model that knows secrets by heart, and one that read the same texts with other values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
import torch
import transformers

from sanilens.audit.attacks import ATTACKS
from sanilens.audit.attacks.result import AttackResult
from sanilens.audit.metrics.metric import Exam, Trial
from sanilens.corpus.records import Record
from sanilens.corpus.surrogates.substitute import substitute
from sanilens.model.examples import note_examples
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.training import Schedule, train_
from tests.conftest import make_tokenizer, record, tiny_config

PEOPLE = (
    ("Avery Quill", "7391046", "Lyme"), ("Bo Tarn", "2850617", "Hove"),
    ("Cleo Marsh", "6104932", "Deal"), ("Dov Pike", "4972308", "Ryde"),
    ("Esme Holt", "8216075", "Bude"), ("Finn Voss", "3569184", "Wick"),
)  # fmt: skip
FORM = "Seen today: {}, of {}. The number on file is MRN {}. Cough, home soon."


def notes() -> tuple[Record, ...]:
    """A note about each person, three secrets in it."""
    return tuple(
        record(FORM.format(name, city, mrn), (name, "NAME"), (city, "CITY"), (mrn, "MRN"),
               id=f"s-{i}", subject=f"s-{i}")
        for i, (name, mrn, city) in enumerate(PEOPLE)
    )  # fmt: skip


def taught(model: LanguageModel, records: Sequence[Record], epochs: int = 60) -> LanguageModel:
    """A copy that knows the records by heart."""
    copy = model.copied()
    for name, parameter in copy.module.named_parameters():
        parameter.requires_grad_("layers.2." not in name)
    examples = note_examples(copy, records, teach_spans=True)
    with torch.enable_grad():
        for _ in train_(copy.module, lambda _: examples, Schedule(1e-2, epochs, 6), 0):
            pass
    copy.module.requires_grad_(False)
    return replace(copy, fingerprint=f"{len(records)}{epochs}".ljust(64, "0"))


@dataclass(frozen=True)
class Planted:
    """Models and texts on which attacks are tried."""

    leaking: LanguageModel
    reference: LanguageModel
    base: LanguageModel
    exam: Exam

    def attack(
        self, name: str, model: LanguageModel, hooks: Hooks = NO_HOOKS, exam: Exam | None = None
    ) -> AttackResult:
        """What an attack finds on a model."""
        exam = exam or self.exam
        return ATTACKS[name].on(Trial(exam, model, hooks, exam.verdicts(model, hooks)))

    def rate(
        self, name: str, model: LanguageModel, hooks: Hooks = NO_HOOKS, figure: str = "all"
    ) -> float:
        """A figure's value."""
        found = self.attack(name, model, hooks).figure(figure)
        assert found is not None, f"{name} has no {figure}"
        assert found.value is not None, f"{name} has not measured {figure}"
        return found.value


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """Three layers, the last of them idle; the look-alikes and the reference's values are made up.

    The idle layer is where tests hide what the layers before it know.
    """
    records, folder = notes(), tmp_path_factory.mktemp("planted")
    torch.manual_seed(0)
    made = transformers.AutoModelForCausalLM.from_config(tiny_config("gpt_neox"))
    for name, parameter in made.named_parameters():
        if "layers.2." in name and ("dense" in name):
            parameter.data.zero_()
    made.save_pretrained(folder)
    make_tokenizer([r.text for r in records]).save_pretrained(folder)
    base = load_model(folder, device="cpu")
    leaking = taught(base, records)
    reference = taught(base, substitute(records, 5))
    lookalike = tuple(
        replace(r, id=f"l-{i}", subject=f"l-{i}") for i, r in enumerate(substitute(records, 9))
    )
    unseen = tuple(replace(r, spans=()) for r in lookalike[:3])
    exam = Exam(
        records, unseen=unseen, lookalike=lookalike, before=leaking, base=base,
        reference=reference,
    )  # fmt: skip
    return Planted(leaking, reference, base, exam)
