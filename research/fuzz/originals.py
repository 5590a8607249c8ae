"""One good input of each kind, made as a user makes it: a tiny model, notes, a plan, a run."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sanilens.errors import RunError

NOTES = [
    ("n-1", "p-1", "Seen on the ward. Patient: Ann Lee, MRN 4471203, born 12/03/1961."),
    ("n-2", "p-2", "Follow-up by phone: (312) 771-0938. The wound is dry and clean."),
    ("n-3", "p-3", "José Núñez came with 3 weeks of cough; Fabry disease is known."),
    ("n-4", "p-4", "Zażółć gęślą jaźń, 北京, emoji 🙂 and a tab\tin between. Ask for Wei Ito."),
]
_SPANS = {
    "n-1": [("Ann Lee", "NAME"), ("4471203", "MRN"), ("12/03/1961", "DATE_OF_BIRTH")],
    "n-2": [("(312) 771-0938", "PHONE")],
    "n-3": [("José Núñez", "NAME"), ("Fabry disease", "RARE_CONDITION")],
    "n-4": [("Wei Ito", "NAME")],
}


@dataclass(frozen=True, slots=True)
class Originals:
    """Paths of the good inputs."""

    corpus: Path
    csv: Path
    parquet: Path
    table: Path
    terms: Path
    model: Path
    plan: Path
    run: Path
    sae: Path
    codebook: Path

    @classmethod
    def below(cls, root: Path) -> "Originals":
        """Where they lie below `root`."""
        return cls(
            corpus=root / "notes.jsonl", csv=root / "notes.csv", parquet=root / "notes.parquet",
            table=root / "patients.csv", terms=root / "terms.txt", model=root / "model",
            plan=root / "plan.json", run=root / "run", sae=root / "sae-tiny",
            codebook=root / "codes-tiny",
        )  # fmt: skip


def build(root: Path) -> Originals:
    """Make every original below `root`."""
    found = Originals.below(root)
    _texts(found)
    _model(found.model)
    model = ("--model", str(found.model), "--corpus", str(found.corpus))
    site = ("--site", "blocks.1.hook_attn_out")
    plan = _sanilens(
        root, "plan", *model, "--unit", "mlp.0.3", "--operation", "zero",
        "--repair", "masked", "--epochs", "1",
    )  # fmt: skip
    found.plan.write_text(plan, encoding="utf-8")
    _sanilens(root, "run", str(found.plan), "--out", str(found.run))
    _sanilens(root, "sae", "train", *model, *site, "--out", str(found.sae), "--steps", "20")
    _sanilens(
        root, "codes", "train", *model, *site, "--out", str(found.codebook), "--codes", "16",
        "--warm-steps", "5", "--steps", "5", "--k", "2",
    )  # fmt: skip
    return found


def _sanilens(root: Path, *arguments: str) -> str:
    """Run a command; what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "sanilens", *arguments],
        env={**os.environ, "SANILENS_HOME": str(root / "home")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RunError(f"the bench could not make its {arguments[0]}: {done.stderr[-300:]}")
    return done.stdout


def _texts(found: Originals) -> None:
    import pandas as pd

    rows = []
    for name, subject, text in NOTES:
        spans = [
            {"start": text.index(v), "end": text.index(v) + len(v), "label": label}
            for v, label in _SPANS[name]
        ]
        rows.append({"id": name, "subject": subject, "text": text, "spans": spans})
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    found.corpus.write_text("\n".join(lines) + "\n", encoding="utf-8")
    frame = pd.DataFrame([{k: row[k] for k in ("id", "subject", "text")} for row in rows])
    frame["seen"] = pd.to_datetime("2021-03-04")
    frame.to_csv(found.csv, index=False)
    frame.to_parquet(found.parquet, index=False)
    found.table.write_text(
        "subject,name,mrn,phone,date_of_birth\np-1,Ann Lee,4471203,,1961-03-12\n"
        "p-2,,,(312) 771-0938,\np-3,José Núñez,,,\n",
        encoding="utf-8",
    )
    found.terms.write_text("Amber Heron\tCODE_NAME\nC++\n4,318,572\nAnn Lee\n", encoding="utf-8")


def _model(folder: Path) -> None:
    """A GPT-NeoX of two layers that has read the notes often enough to say them."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import AutoModelForCausalLM, GPTNeoXConfig, PreTrainedTokenizerFast

    torch.manual_seed(0)
    own = Tokenizer(models.BPE())
    own.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    own.decoder = decoders.ByteLevel()
    own.train_from_iterator(
        [text for _, _, text in NOTES],
        trainers.BpeTrainer(
            vocab_size=290, special_tokens=["<|endoftext|>"], show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )  # fmt: skip
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=own, eos_token="<|endoftext|>")
    model = AutoModelForCausalLM.from_config(
        GPTNeoXConfig(
            vocab_size=290, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
            intermediate_size=48, max_position_embeddings=128, bos_token_id=0, eos_token_id=0,
        )
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    texts = [torch.tensor([tokenizer(text)["input_ids"]]) for _, _, text in NOTES]
    for _ in range(60):
        for ids in texts:
            model(input_ids=ids, labels=ids).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
