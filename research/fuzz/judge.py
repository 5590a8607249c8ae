"""Open one damaged input as the product does, and judge what came of it.

Refused is a message of ours. Accepted is judged further: what was opened must be sound, and what
was measured with it must be numbers; else it is nonsense that was taken for an input.
"""

import io
import json
import math
import random
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import typer

from research.fuzz import mutate
from research.fuzz.originals import Originals
from sanilens.corpus.detection.patient_table import load_patient_table
from sanilens.corpus.load import load_records
from sanilens.corpus.records import Record
from sanilens.corpus.terms import load_terms
from sanilens.errors import SaniLensError

Kind = Literal[
    "corpus", "csv", "parquet", "patient table", "terms", "model folder", "weights", "tokenizer",
    "plan", "run folder", "autoencoder", "codebook",
]  # fmt: skip
Outcome = Literal["refused", "accepted", "nonsense", "traceback", "executed", "hang", "killed"]


class Nonsense(Exception):
    """Something was accepted that cannot be meant."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one input; `detail` names the fault, never a value of the input."""

    outcome: Outcome
    detail: str = ""


class Judge:
    """Damages and opens inputs; holds what stays good: the model, its records."""

    def __init__(self, originals: Originals, work: Path) -> None:
        """Work below `work`, which is emptied for each input."""
        from sanilens.model.language_model import load_model

        self._originals, self._work = originals, work
        self._canary = str(work.parent / f"executed-{work.name}")
        self._examined = load_model(originals.model, device="cpu")
        self._records = load_records(originals.corpus)
        self._figures = _compared(originals.run)

    def __call__(self, kind: Kind, number: int, seed: int) -> Judged:
        """Damage the original of `kind` as `number` and `seed` say, and open it."""
        rng = random.Random(f"{kind}|{number}|{seed}")
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True)
        open_it = self._damaged(kind, rng)
        judged = self._open(open_it)
        if Path(self._canary).exists():
            Path(self._canary).unlink()
            return Judged("executed", judged.detail)
        return judged

    def _open(self, open_it: Callable[[], None]) -> Judged:
        try:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                open_it()
        except SaniLensError as error:
            message = str(error)
            return Judged("refused") if message.strip() else Judged("traceback", "empty message")
        except typer.Exit as done:
            return Judged("refused" if done.exit_code in (1, 3) else "accepted")
        except Nonsense as found:
            return Judged("nonsense", str(found))
        except MemoryError:
            return Judged("killed", "MemoryError")
        # The bench's subject: whatever is not ours would be a traceback. pyo3's panics are no
        # Exceptions, and none of them may end the worker.
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return Judged("traceback", _place(error))
        return Judged("accepted")

    def _damaged(self, kind: Kind, rng: random.Random) -> Callable[[], None]:
        """Write the damaged input; what opens it."""
        own = self._originals
        match kind:
            case "corpus":
                path = self._file(own.corpus, mutate.lines, rng)
                return lambda: _sound(load_records(path))
            case "csv":
                path = self._file(own.csv, mutate.bytes_, rng)
                return lambda: _sound(load_records(path))
            case "parquet":
                path = self._file(own.parquet, mutate.bytes_, rng)
                return lambda: _sound(load_records(path))
            case "patient table":
                path = self._file(own.table, mutate.bytes_, rng)
                return lambda: _sound(load_records(own.csv, patient_table=load_patient_table(path)))
            case "terms":
                path = self._file(own.terms, mutate.bytes_, rng)
                return lambda: _sound(load_records(own.csv, terms=load_terms(path)))
            case "plan":
                path = self._file(own.plan, mutate.text_or_bytes, rng)
                return lambda: self._plan(path)
            case "model folder":
                folder = self._folder(own.model)
                self._damage_folder(folder, rng, ("config.json", "generation_config.json"))
                return lambda: self._model(folder)
            case "weights":
                folder = self._folder(own.model)
                self._damage_weights(folder / "model.safetensors", rng)
                return lambda: self._model(folder)
            case "tokenizer":
                folder = self._folder(own.model)
                name = rng.choice(("tokenizer.json", "tokenizer.json", "tokenizer_config.json"))
                _rewrite(folder / name, mutate.text_or_bytes, rng)
                return lambda: self._model(folder)
            case "run folder":
                folder = self._folder(own.run)
                self._damage_run(folder, rng)
                return lambda: self._run(folder)
            case "autoencoder":
                folder = self._folder(own.sae)
                self._damage_dictionary(folder, rng)
                return lambda: self._sae(folder)
            case "codebook":
                folder = self._folder(own.codebook)
                self._damage_dictionary(folder, rng)
                return lambda: self._codebook(folder)

    def _file(self, original: Path, how: mutate.Mutation, rng: random.Random) -> Path:
        path = self._work / original.name
        path.write_bytes(how(original.read_bytes(), rng))
        return path

    def _folder(self, original: Path) -> Path:
        return Path(shutil.copytree(original, self._work / original.name))

    def _damage_folder(self, folder: Path, rng: random.Random, names: tuple[str, ...]) -> None:
        if rng.random() < 0.25:
            mutate.files(folder, rng, self._canary)
            return
        if rng.random() < 0.1:
            mutate.plant(folder, self._canary)
        _rewrite(folder / rng.choice(names), mutate.text_or_bytes, rng)

    def _damage_weights(self, path: Path, rng: random.Random) -> None:
        if rng.random() < 0.5:
            mutate.tensors(path, rng)
            return
        # Most bytes are of numbers, and a changed number is another model: the header counts.
        data = path.read_bytes()
        length = int.from_bytes(data[:8], "little") + 8
        path.write_bytes(mutate.bytes_(data[:length], rng) + data[length:])

    def _damage_run(self, folder: Path, rng: random.Random) -> None:
        if rng.random() < 0.3:
            mutate.files(folder, rng, self._canary)
            return
        path = rng.choice(sorted(p for p in folder.rglob("*") if p.is_file() and p.stat().st_size))
        how = mutate.lines if path.suffix == ".jsonl" else mutate.text_or_bytes
        readable = path.suffix in (".json", ".jsonl") and not path.name.startswith("tokenizer")
        _rewrite(path, how if readable else mutate.bytes_, rng)

    def _damage_dictionary(self, folder: Path, rng: random.Random) -> None:
        draw = rng.random()
        if draw < 0.2:
            mutate.files(folder, rng, self._canary)
        elif draw < 0.5:
            self._damage_weights(rng.choice(sorted(folder.rglob("*.safetensors"))), rng)
        else:
            _rewrite(rng.choice(sorted(folder.rglob("*.json"))), mutate.text_or_bytes, rng)

    def _model(self, folder: Path) -> None:
        from sanilens.audit.extraction import audit_spans
        from sanilens.audit.perplexity import perplexity
        from sanilens.model.language_model import load_model

        model = load_model(folder, device="cpu")
        verdicts = audit_spans(model, self._records)
        if any(math.isnan(v.logprob) or math.isnan(v.margin) for v in verdicts):
            raise Nonsense("a verdict without a number")
        if math.isnan(perplexity(model, self._records).value):
            raise Nonsense("a perplexity that is no number")

    def _plan(self, path: Path) -> None:
        from sanilens.unlearn.plan import Plan, read_plan

        plan = read_plan(path)
        json.dumps(plan.model_dump(mode="json"), allow_nan=False)
        if Plan.model_validate(plan.model_dump()).sha256 != plan.sha256:
            raise Nonsense("a plan that is not itself when written again")

    def _run(self, folder: Path) -> None:
        if _compared(folder) != self._figures:
            raise Nonsense("other figures than the run's, without a word")

    def _sae(self, folder: Path) -> None:
        from sanilens.dictionaries.reading import feature_activations, read_site
        from sanilens.dictionaries.sae.load import load_sae

        sae = load_sae(folder, self._examined)
        reading = read_site(self._examined, sae.site, self._records[:1])
        _finite(feature_activations(sae, reading.values))

    def _codebook(self, folder: Path) -> None:
        from sanilens.dictionaries.codebook.code_use import read_codes
        from sanilens.dictionaries.codebook.store import load_codebook

        codebook = load_codebook(folder, self._examined)
        read_codes(self._examined, codebook, self._records[:1])


def _sound(records: tuple[Record, ...]) -> None:
    """Records that can be meant: spans of something, texts that are no missing value."""
    if not records:
        raise Nonsense("no record, and no word of it")
    for record in records:
        if record.text.strip().lower() in ("nan", "none", "null", "<na>", "nat"):
            raise Nonsense("a missing value read as a text")
        for span in record.spans:
            if not record.value(span).strip() or record.value(span) != record.value(span).strip():
                raise Nonsense("a span of blanks, or with a blank at its edge")


def _finite(values: Any) -> None:
    import torch

    if not torch.as_tensor(values).isfinite().all():
        raise Nonsense("activations that are no numbers")


def _compared(folder: Path) -> Any:
    """What `sanilens compare` reads of a run: checked, its arms, and their spans one by one."""
    from sanilens.runs.arms import load_arms
    from sanilens.runs.comparison import load_comparison
    from sanilens.runs.folder import RunFolder
    from sanilens.runs.integrity import check

    run = RunFolder(folder)
    check(run)
    arms = load_arms(run.arms)
    return {name: arm.model_dump() for name, arm in arms.items()}, load_comparison(run).spans


def _rewrite(path: Path, how: mutate.Mutation, rng: random.Random) -> None:
    path.write_bytes(how(path.read_bytes(), rng))


def _place(error: BaseException) -> str:
    """Type and innermost place of an exception; its message may hold what was read."""
    frames = error.__traceback__
    place = ""
    while frames:
        code = frames.tb_frame.f_code
        if "sanilens" in code.co_filename:
            place = f"{Path(code.co_filename).name}:{frames.tb_lineno}"
        frames = frames.tb_next
    return f"{type(error).__name__} at {place}"
