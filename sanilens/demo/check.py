"""Does the bundled case leak like a real fine-tune, and only where it should?"""

from collections.abc import Callable
from pathlib import Path

from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import RateTable, extraction_by_kind
from sanilens.audit.utility import perplexity
from sanilens.corpus.load import load_records
from sanilens.errors import SaniLensError
from sanilens.model.subject import load_model

# The bundled case's targets: rates of direct identifiers, and perplexity against the base's.
LEAKS_AT_LEAST, CONTROLS_AT_MOST, PERPLEXITY_AT_MOST = 0.60, 0.02, 1.3


def check_case(folder: Path, say: Callable[[str], None]) -> None:
    """Audit the case's models and say every figure.

    Raises:
        SaniLensError: naming the target that was missed.
    """
    notes, unseen = load_records(folder / "notes.jsonl"), load_records(folder / "unseen.jsonl")
    lookalike = load_records(folder / "lookalike.jsonl")
    models = {name: load_model(folder / name) for name in ("base", "leaking", "reference")}
    parameters = models["base"].model.num_parameters()
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
    direct = {name: table["direct"].rate or 0.0 for name, table in rates.items()}
    if direct.pop("leaking") < LEAKS_AT_LEAST:
        raise SaniLensError("the leaking model says too few direct identifiers; tune it longer.")
    if (worst := max(direct.values())) > CONTROLS_AT_MOST:
        raise SaniLensError(
            f"a control says {worst:.1%} of direct identifiers: they are guessable."
        )
    if ratio > PERPLEXITY_AT_MOST:
        raise SaniLensError("the leaking model reads unseen notes too badly; raise the replay.")


def _said(table: RateTable) -> str:
    return ", ".join(
        f"{kind} {row.hits} of {row.n} ({row.rate or 0:.1%}, 95 % {row.low:.1%} to {row.high:.1%})"
        for kind, row in table.items()
    )
