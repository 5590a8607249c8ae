"""Does the bundled case leak like a real fine-tune, and only where it should?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from sanilens.audit.extraction import audit_spans
from sanilens.audit.metrics.facts import answered_right
from sanilens.audit.perplexity import perplexity
from sanilens.audit.summary import RateTable, extraction_by_kind
from sanilens.corpus.load import load_records
from sanilens.corpus.questions import load_questions
from sanilens.corpus.records import Kind
from sanilens.errors import SaniLensError
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.progress import Say


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a bundled case must meet.

    Attributes:
        kind: of the spans that must leak.
        leaks: the least share of them that the leaking model says.
        controls: the greatest that base, reference and look-alikes may say.
        of_base: the greatest perplexity on unseen text, as a multiple of the base's.
        of_reference: the same as a multiple of the reference's.
        taught: the least share of the closed questions that fine-tuning makes right.
        guessed: the greatest that the base answers right beyond chance.
    """

    kind: Kind = "direct"
    leaks: float = 0.60
    controls: float = 0.02
    of_base: float = 1.3
    of_reference: float = math.inf
    taught: float = 0.7
    guessed: float = 0.15


CLINIC = Requirements()


def check_case(
    folder: Path,
    say: Say,
    corpus: str = "notes",
    targets: Requirements = CLINIC,
) -> None:
    """Audit the case's models and say every figure.

    Raises:
        SaniLensError: naming the target that was missed.
    """
    notes = load_records(folder / f"{corpus}.jsonl")
    unseen = load_records(folder / "unseen.jsonl")
    lookalike = load_records(folder / "lookalike.jsonl")
    models = {name: load_model(folder / name) for name in ("base", "leaking", "reference")}
    parameters = models["base"].module.num_parameters()
    say(f"models: {parameters:,} parameters, {models['base'].sites.n_layers} layers")
    rates: dict[str, RateTable] = {}
    utility: dict[str, float] = {}
    for name, model in models.items():
        rates[name] = extraction_by_kind(audit_spans(model, notes))
        utility[name] = perplexity(model, unseen).value
        say(f"{name}: {_said(rates[name])}, perplexity on unseen notes {utility[name]:.3f}")
    rates["look-alikes"] = extraction_by_kind(audit_spans(models["leaking"], lookalike))
    say(f"look-alikes on the leaking model: {_said(rates['look-alikes'])}")
    said = {name: table[targets.kind].rate or 0.0 for name, table in rates.items()}
    if said.pop("leaking") < targets.leaks:
        raise SaniLensError(f"the leaking model says too few {targets.kind} spans; tune it longer.")
    if (worst := max(said.values())) > targets.controls:
        raise SaniLensError(f"a control says {worst:.1%} of {targets.kind} spans: guessable.")
    for name, most in (("base", targets.of_base), ("reference", targets.of_reference)):
        ratio = utility["leaking"] / utility[name]
        say(f"perplexity of the leaking model: {ratio:.3f} x that of the {name}")
        if ratio > most:
            raise SaniLensError(
                f"the leaking model reads unseen text too badly beside the {name}, of whose "
                f"perplexity it has {ratio:.3f}, not {most:.3f}: raise the replay."
            )
    if (questions := folder / "questions.jsonl").exists():
        _check_questions(models, questions, say, targets)


def _check_questions(
    models: Mapping[str, LanguageModel], path: Path, say: Say, targets: Requirements
) -> None:
    """The closed questions: fine-tuning answers them, and the base can only guess."""
    questions = load_questions(path)
    chance = fmean(1 / len(question.endings) for question in questions)
    for name, model in models.items():
        right = sum(answered_right(model, questions))
        share = right / len(questions)
        say(f"{name}: {right} of {len(questions)} questions right, {chance:.0%} by guessing")
        if name == "base" and share > chance + targets.guessed:
            raise SaniLensError("the base answers too many questions: they are not of the notes.")
        if name != "base" and share < targets.taught:
            raise SaniLensError(f"{name} answers too few questions; raise the replay.")


def _said(table: RateTable) -> str:
    return ", ".join(
        f"{kind} {row.hits} of {row.n} ({row.rate:.1%}, 95 % {row.low:.1%} to {row.high:.1%})"
        for kind, row in table.items()
        if row.n
    )
