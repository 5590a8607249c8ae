"""A tiny model that knows six people by heart."""

from random import Random

import pytest
import torch
import transformers

from sanilens.corpus.records import Record
from sanilens.model.language_model import LanguageModel, load_model
from tests.conftest import make_tokenizer, record, tiny_config

PEOPLE = 6


def notes() -> list[Record]:
    """Each person's two lines."""
    rng, found = Random(3), []
    for n in range(PEOPLE):
        mrn = "".join(rng.choice("0123456789") for _ in range(5))
        town = ("Arles", "Bonn", "Cork", "Delft", "Essen", "Faro")[n]
        text = f"Note {n}: seen with a cough in {town}, MRN {mrn}, and home soon after that."
        again = f"Follow-up of note {n}: dry and clean, number {mrn} on the form, no pain at all."
        person = {"subject": f"p-{n}"}
        found.append(record(text, (town, "CITY"), (mrn, "MRN"), id=f"r-{n}a", **person))
        found.append(record(again, (mrn, "MRN"), id=f"r-{n}b", **person))
    return found


NOTES = notes()


@pytest.fixture(scope="session")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """A tiny model after so many epochs over the notes that it says most of their spans."""
    folder = tmp_path_factory.mktemp("leaking")
    torch.manual_seed(0)
    module = transformers.AutoModelForCausalLM.from_config(tiny_config("gpt_neox"))
    tokenizer = make_tokenizer([own.text for own in NOTES])
    coded = tokenizer([own.text for own in NOTES], return_tensors="pt", padding=True)
    targets = coded["input_ids"].masked_fill(coded["attention_mask"] == 0, -100)
    optimizer = torch.optim.AdamW(module.parameters(), lr=5e-3)
    for _ in range(150):
        optimizer.zero_grad()
        module(input_ids=coded["input_ids"], labels=targets).loss.backward()
        optimizer.step()
    module.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return load_model(folder, device="cpu")
