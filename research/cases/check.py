"""Does the bundled case leak like a real fine-tune, and only where it should?"""

from dataclasses import dataclass
from pathlib import Path

from sanilens.audit.extraction import audit_spans
from sanilens.audit.perplexity import perplexity
from sanilens.audit.summary import RateTable, extraction_by_kind
from sanilens.corpus.load import load_records
from sanilens.corpus.records import Kind
from sanilens.errors import SaniLensError
from sanilens.model.language_model import load_model
from sanilens.progress import Say


@dataclass(frozen=True, slots=True)
class Targets:
    """What a bundled case must meet.

    Attributes:
        kind: of the spans that must leak.
        leaks: the least share of them that the leaking model says.
        controls: the greatest that base, reference and look-alikes may say.
        perplexity: the greatest on unseen text, as a multiple of the base's.
    """

    kind: Kind = "direct"
    leaks: float = 0.60
    controls: float = 0.02
    perplexity: float = 1.3


CLINIC = Targets()


def check_case(
    folder: Path,
    say: Say,
    corpus: str = "notes",
    targets: Targets = CLINIC,
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
    ratio = utility["leaking"] / utility["base"]
    say(f"perplexity of the leaking model: {ratio:.3f} x the base's")
    said = {name: table[targets.kind].rate or 0.0 for name, table in rates.items()}
    if said.pop("leaking") < targets.leaks:
        raise SaniLensError(f"the leaking model says too few {targets.kind} spans; tune it longer.")
    if (worst := max(said.values())) > targets.controls:
        raise SaniLensError(f"a control says {worst:.1%} of {targets.kind} spans: guessable.")
    if ratio > targets.perplexity:
        raise SaniLensError("the leaking model reads unseen text too badly; raise the replay.")


def _said(table: RateTable) -> str:
    return ", ".join(
        f"{kind} {row.hits} of {row.n} ({row.rate:.1%}, 95 % {row.low:.1%} to {row.high:.1%})"
        for kind, row in table.items()
        if row.n
    )
