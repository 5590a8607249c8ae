"""`sanilens locate`: which neurons carry a span, a label, a subject or the whole corpus."""

from typing import Annotated, Any

import typer
from rich.table import Table

from sanilens.audit.measurement import BeforeAfter, measure
from sanilens.audit.metrics.metric import Exam
from sanilens.audit.perplexity import worded_perplexity
from sanilens.audit.targets import Scope
from sanilens.audit.verdicts import SpanVerdict
from sanilens.case import open_records
from sanilens.cli.common import (
    JsonOption,
    SeedOption,
    output,
    print_json,
    progress,
)
from sanilens.cli.options import ExaminedOptions, grouped
from sanilens.inspect.controls import random_like
from sanilens.inspect.locate.localisers import LOCALISERS, Settings, find_localiser
from sanilens.inspect.locate.score_cache import cached_scores
from sanilens.model.interventions import zeroed
from sanilens.runs.workspace import scores_folder


@grouped
def locate(
    case: ExaminedOptions,
    method: Annotated[str, typer.Option(help=", ".join(LOCALISERS))] = "gradient-activation",
    top: Annotated[int, typer.Option(min=1, help="How many units to list.")] = 50,
    span: Annotated[list[str] | None, typer.Option(help="Span id: record@start-end.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="Only spans of this label.")] = None,
    subject: Annotated[list[str] | None, typer.Option(help="Only this subject's spans.")] = None,
    unseen: Annotated[str | None, typer.Option(help="Neutral text for --ablate.")] = None,
    verify: Annotated[
        bool,
        typer.Option("--ablate", help="Zero them, then as many random units, and measure both."),
    ] = False,
    heads: Annotated[
        bool, typer.Option("--heads", help="Score attention heads instead of neurons.")
    ] = False,
    cache: Annotated[bool, typer.Option(help="Keep scores in the workspace.")] = True,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Score every unit and list the strongest; --ablate says what zeroing them does."""
    localiser = find_localiser(method)
    opened = case.open()
    loaded, records = opened.model, opened.corpus.records
    scope = Scope(frozenset(span or ()), frozenset(label or ()), frozenset(subject or ()))
    folder = scores_folder() if cache else None
    with progress("locating") as report:
        settings = Settings("head" if heads else "mlp", seed, report)
        scores = cached_scores(folder, loaded, records, scope, localiser, settings)
    best = scores.top(top)
    result: dict = {
        "method": scores.method,
        "targets": scores.targets,
        "units": [{"unit": str(unit), "score": score} for unit, score in best],
    }
    if verify:
        neutral = open_records(unseen) if unseen else records[: max(1, len(records) // 8)]
        units = [unit for unit, _ in best]
        arms = {"located": units, "random": random_like(loaded.sites, units, seed)}
        exam = Exam(records, unseen=neutral)
        before = measure(loaded, exam)
        result["ablation"] = {
            name: _ablation(BeforeAfter(before, after), scope)
            for name, chosen in arms.items()
            for after in [measure(loaded, exam, hooks=zeroed(loaded, chosen))]
        }
    if as_json:
        print_json(result)
        return
    table = Table(title=f"{scores.method}, {scores.targets} spans", title_justify="left")
    table.add_column("unit")
    table.add_column("score", justify="right")
    for unit, score in best:
        table.add_row(str(unit), f"{score:+.3f}")
    output.print(table)
    for name, found in result.get("ablation", {}).items():
        (before, after), (others, others_after) = found["targets"], found["others"]
        output.print(
            f"{name} {top} units zeroed: targets said {before.hits} → {after.hits} of {before.n}, "
            f"other spans {others.hits} → {others_after.hits} of {others.n}, neutral perplexity "
            f"{worded_perplexity(found['neutral']['before'], 3)} → "
            f"{worded_perplexity(found['neutral']['after'], 3)}"
        )


def _ablation(found: BeforeAfter, scope: Scope) -> dict[str, Any]:
    """What zeroing does to spans in scope, to all others, and to neutral text."""

    def outside(verdict: SpanVerdict) -> bool:
        return not scope.covers(verdict)

    pairs = {
        "target_logprob": found.logprobs(scope.covers),
        "other_logprob": found.logprobs(outside),
        "neutral": found.perplexities,
    }
    return {
        "targets": found.rates(scope.covers),
        "others": found.rates(outside),
        **{name: {"before": before, "after": after} for name, (before, after) in pairs.items()},
    }
