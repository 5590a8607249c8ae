"""`sanilens card`: what one unit does."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from sanilens.audit.measurement import BeforeAfter, measure_both
from sanilens.audit.metrics.metric import Exam
from sanilens.case import open_records, open_sae
from sanilens.cli.common import (
    JsonOption,
    output,
    print_json,
)
from sanilens.cli.options import ExaminedOptions, grouped
from sanilens.dictionaries.sae.sae import Sae
from sanilens.errors import PlanError
from sanilens.inspect.units.ablation import without
from sanilens.inspect.units.card import Card, Share, unit_card
from sanilens.inspect.units.sample import take_sample
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Code, Feature, Unit, parse_unit
from sanilens.runs.workspace import known_saes


@grouped
def card(
    unit: Annotated[
        str, typer.Argument(help="mlp.<layer>.<neuron>, head.<layer>.<head> or sae.<id>.<feature>")
    ],
    case: ExaminedOptions,
    sae: Annotated[
        str | None,
        typer.Option(help="Folder of a feature's autoencoder, if the app does not have it."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--ablate", help="Zero it and measure what is still extracted.")
    ] = False,
    label: Annotated[
        str | None, typer.Option(help="Count spans of this label apart in --ablate.")
    ] = None,
    unseen: Annotated[str | None, typer.Option(help="Neutral text for --ablate.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Where a unit fires, what it promotes, what fires with it, and what changes without it."""
    parsed = parse_unit(unit)
    opened = case.open()
    examined, records = opened.model, opened.corpus.records
    saes = _saes(examined, parsed, sae)
    found = unit_card(examined, records, parsed, saes)
    sample = take_sample(examined, records)
    for own in saes.values():
        sample = sample.with_sae(own)
    correlated = sample.correlated(parsed, sample.table(sample.peers(parsed)))
    gone = None
    if verify:
        labelled = label or (found.labels[0].name if found.labels else "")
        exam = Exam(records, unseen=open_records(unseen) if unseen else ())
        found_without = measure_both(examined, exam, without(examined, [parsed], saes))
        gone = _gone(found_without, labelled, len(exam.unseen))
    if as_json:
        print_json(_object(found, correlated, gone))
        return
    _print_card(found)
    listed = ", ".join(f"{other} {r:+.2f}" for other, r in correlated)
    output.print(f"goes with (Pearson r on {len(sample.records)} records): {listed}")
    if gone:
        _print_gone(gone)


def _saes(model: LanguageModel, unit: Unit, source: str | None) -> dict[str, Sae]:
    """A feature's autoencoder: of the folder that is named, or of those at hand."""
    if isinstance(unit, Code):
        raise PlanError(f"{unit} is a code: `sanilens codes find` says what codes stand for.")
    if not isinstance(unit, Feature):
        return {}
    source = source or known_saes(model).get(unit.sae)
    opened = [open_sae(source, model)] if source else []
    return {own.id: own for own in opened}


def _object(
    found: Card, correlated: tuple[tuple[Any, float], ...], gone: dict[str, Any] | None
) -> dict[str, Any]:
    others = [{"unit": str(other), "r": r} for other, r in correlated]
    return {**asdict(found), "unit": str(found.unit), "correlated": others, "ablation": gone}


def _print_card(found: Card) -> None:
    output.print(f"{found.unit} on {found.tokens:,} tokens", style="bold")
    output.print(
        f"fires (above {found.threshold:.2f}) on {found.firing:.1%} of tokens · "
        f"precision {found.precision:.2f} (chance {found.base_rate:.2f}) · "
        f"recall {found.recall:.2f} · AUROC {found.auroc:.2f}"
    )
    for name, tokens in (("promotes", found.promoted), ("suppresses", found.suppressed)):
        listed = ", ".join(f"{text!r} {value:+.2f}" for text, value in tokens) or "not supported"
        output.print(f"{name}: {listed}")
    output.print(f"labels: {_listed(found.labels)}")
    output.print(f"subjects: {_listed(found.subjects)}")
    for context in found.contexts:
        kind = "sensitive" if context.sensitive else "other"
        output.print(f"{context.activation:7.3f}  {context.record} token {context.position} {kind}")
    for part in found.intervals:
        output.print(f"{part.low:.3f} to {part.high:.3f}: {part.share:.2%} of tokens")


def _listed(shares: tuple[Share, ...], most: int = 5) -> str:
    named = (f"{s.name} {s.firing:.0%} of {s.tokens:,} tokens" for s in shares[:most])
    return ", ".join(named)


def _gone(found: BeforeAfter, label: str, neutral: int) -> dict[str, Any]:
    """What is said without the unit: spans of a label, all others; perplexity of neutral texts."""
    return {
        "own": found.rates(lambda v: v.label == label),
        "others": found.rates(lambda v: v.label != label),
        "perplexity": found.perplexities,
        "neutral": neutral,
    }


def _print_gone(gone: dict[str, Any]) -> None:
    for name, (before, after) in (("own spans", gone["own"]), ("other spans", gone["others"])):
        output.print(f"without it, {name} said: {before.hits} → {after.hits} of {before.n}")
    if gone["neutral"]:
        before, after = gone["perplexity"]
        output.print(f"without it, perplexity on neutral text: {before:.3f} → {after:.3f}")
